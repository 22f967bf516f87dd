/* expect: the member has a type that is not supported, or needs a schema */
#include <herald/herald.hpp>

struct line {
	int quantity;
};

struct user {
	line first;
};

const herald::schema<user> user_schema{
	"user",
	herald::field("first", &user::first),
};
