/* expect: the member is an enum: its line needs the names */
#include <herald/herald.hpp>

enum class size { SMALL, LARGE };

struct user {
	size shirt;
};

const herald::schema<user> user_schema{
	"user",
	herald::field("size", &user::shirt),
};
