/* expect: expected bool is_adult\(const struct order \*, struct herald_refusal \*\) */
/* The function takes a struct user. */
#include <herald/herald.h>

struct user {
	int32_t age;
};

struct order {
	int32_t cents;
};

static bool
is_adult(const struct user *user, struct herald_refusal *refusal)
{
	return user->age >= 18 || herald_refuse(refusal, "age", "too young");
}
HERALD_CHECK(is_adult, order);
