/* expect: a schema of C is used as herald::schema_of<STRUCT> */
#include <herald/herald.hpp>

struct line {
	int quantity;
};

extern const herald_schema line_schema;

struct user {
	line first;
};

const herald::schema<user> user_schema{
	"user",
	herald::field("first", &user::first, line_schema),
};
