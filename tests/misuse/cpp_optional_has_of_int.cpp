/* expect: the member that says whether there is a value must be a bool */
#include <herald/herald.hpp>

struct user {
	int age;
	int has_age;
};

const herald::schema<user> user_schema{
	"user",
	herald::optional("age", &user::age, &user::has_age),
};
