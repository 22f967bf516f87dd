/* expect: user\.scores is an array: use HERALD_ARRAY, or HERALD_STRUCT_ARRAY */
/* Arrays of types other than char are not supported. */
#include <herald/schema.h>

struct user {
	const char *name;
	int32_t scores[3];
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_FIELD(user, scores));
