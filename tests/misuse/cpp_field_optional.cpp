/* expect: the member is a std::optional: use a value and a bool */
#include <herald/herald.hpp>

struct user {
	std::optional<int> age;
};

const herald::schema<user> user_schema{
	"user",
	herald::field("age", &user::age),
};
