/* expect: members of a payload cannot be const or have initialisers */
#include <herald/herald.hpp>

struct user {
	int age = 0;
};

const herald::schema<user> user_schema{
	"user",
	herald::field("age", &user::age),
};
