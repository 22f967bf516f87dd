/* expect: the elements are enums: their line needs the names */
#include <herald/herald.hpp>

enum size { SMALL, LARGE };

struct user {
	herald::list<size> sizes;
};

const herald::schema<user> user_schema{
	"user",
	herald::field("sizes", &user::sizes),
};
