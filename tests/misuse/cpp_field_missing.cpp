/* expect: agee */
#include <herald/herald.hpp>

struct user {
	int age;
};

const herald::schema<user> user_schema{
	"user",
	herald::field("age", &user::agee),
};
