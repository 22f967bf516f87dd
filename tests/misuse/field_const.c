/* expect: user\.age is const or volatile: decoding could not set it */
#include <herald/schema.h>

struct user {
	const int32_t age;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, age));
