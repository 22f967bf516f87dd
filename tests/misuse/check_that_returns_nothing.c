/* expect: expected bool is_adult\(const struct user \*, struct herald_refusal \*\) */
/* A check returns whether the struct is allowed. */
#include <herald/herald.h>

struct user {
	int32_t age;
};

static void
is_adult(const struct user *user, struct herald_refusal *refusal)
{
	if (user->age < 18)
		herald_refuse(refusal, "age", "too young");
}
HERALD_CHECK(is_adult, user);
