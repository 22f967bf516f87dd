/* expect: the elements have a type that is not supported, or need a schema */
#include <herald/herald.hpp>

struct user {
	herald::list<std::string> names;
};

const herald::schema<user> user_schema{
	"user",
	herald::field("names", &user::names),
};
