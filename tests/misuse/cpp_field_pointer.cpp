/* expect: the member is a pointer: its line needs a schema */
#include <herald/herald.hpp>

struct user {
	const int *age;
};

const herald::schema<user> user_schema{
	"user",
	herald::field("age", &user::age),
};
