/* expect: bit-field */
/* A bit field has no address. */
#include <herald/herald.hpp>

struct user {
	unsigned flag : 1;
};

const herald::schema<user> user_schema{
	"user",
	herald::field("flag", &user::flag),
};
