/* expect: the member is a std::vector: use herald::list<T> */
#include <herald/herald.hpp>

struct user {
	std::vector<int> ages;
};

const herald::schema<user> user_schema{
	"user",
	herald::field("ages", &user::ages),
};
