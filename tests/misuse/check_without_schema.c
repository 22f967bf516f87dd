/* expect warning: unused variable 'is_adult_check'|is_adult_check.? defined but not used */
/* .check = &is_adult_check is forgotten. */
#include <herald/herald.h>

struct user {
	int32_t age;
};

static bool
is_adult(const struct user *user, struct herald_refusal *refusal)
{
	return user->age >= 18 || herald_refuse(refusal, "age", "too young");
}
HERALD_CHECK(is_adult, user);

HERALD_SCHEMA(user, HERALD_FIELD(user, age));
