/* expect: plain_schema. (undeclared|was not declared)|undeclared identifier 'plain_schema' */
/* There is no schema of struct plain. */
#include <herald/schema.h>

struct plain {
	int32_t value;
};

struct user {
	const char *name;
	const struct plain *list;
	size_t list_count;
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_LIST(user, list, plain));
