/* expect warning: herald_check \*.* from incompatible|incompatible.*herald_check \* */
/* .check = &is_adult_check is meant. gcc 14 refuses it, without -Werror too. */
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

HERALD_SCHEMA_WITH(user, (.check = is_adult), HERALD_FIELD(user, age));
