/* expect: names are for enums of the size of an int */
#include <herald/herald.hpp>

const herald_name sizes[] = {{"small", 0}};

struct user {
	long size;
};

const herald::schema<user> user_schema{
	"user",
	herald::field("size", &user::size, sizes),
};
