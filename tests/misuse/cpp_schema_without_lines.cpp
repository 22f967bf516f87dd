/* expect: a schema has a line for each member */
#include <herald/herald.hpp>

struct user {
	int age;
};

const herald::schema<user> user_schema{"user"};
