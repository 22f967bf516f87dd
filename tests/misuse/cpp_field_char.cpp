/* expect: the member has a type that is not supported, or needs a schema */
#include <herald/herald.hpp>

struct user {
	char initial;
};

const herald::schema<user> user_schema{
	"user",
	herald::field("initial", &user::initial),
};
