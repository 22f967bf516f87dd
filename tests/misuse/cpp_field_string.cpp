/* expect: the member is a string of C\+\+: use const char \*, or herald::text */
#include <herald/herald.hpp>

struct user {
	std::string name;
};

const herald::schema<user> user_schema{
	"user",
	herald::field("name", &user::name),
};
