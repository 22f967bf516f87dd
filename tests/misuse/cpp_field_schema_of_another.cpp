/* expect: the schema is of another struct than the member */
#include <herald/herald.hpp>

struct line {
	int quantity;
};

struct other {
	int quantity;
};

extern const herald::schema<other> other_schema;

struct user {
	line first;
};

const herald::schema<user> user_schema{
	"user",
	herald::field("first", &user::first, other_schema),
};
