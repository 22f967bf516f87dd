/* expect: a line is of another struct than its schema */
#include <herald/herald.hpp>

struct other {
	int id;
};

struct user {
	int age;
};

const herald::schema<user> user_schema{
	"user",
	herald::field("age", &user::age),
	herald::field("id", &other::id),
};
