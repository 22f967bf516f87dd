/* expect: user\.size is an enum: use HERALD_ENUM, with its names */
/* A name by typedef hides no enum. */
#include <herald/schema.h>

typedef enum { SMALL, LARGE } size;

struct user {
	size size;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, size));
