/* expect: a schema has at most one check */
#include <herald/herald.hpp>

struct user {
	int age;
};

static bool
is_adult(const user &user, herald_refusal *)
{
	return user.age >= 18;
}

const herald::schema<user> user_schema{
	"user",
	herald::field("age", &user::age),
	herald::check<user>(is_adult),
	herald::check<user>(is_adult),
};
