/* expect: user\.age must be a pointer to struct line */
#include <herald/schema.h>

struct line {
	int32_t quantity;
};

HERALD_SCHEMA(line, HERALD_FIELD(line, quantity));

struct user {
	int32_t age;
};

HERALD_SCHEMA(user, HERALD_POINTER(user, age, line));
