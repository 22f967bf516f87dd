/* expect: (no member named|field designator) 'line_of_struct_key' */
/* The line is of struct key, the schema of struct user. */
#include <herald/schema.h>

struct key {
	enum kind { PUBLIC, SECRET } kind;
};

static const struct herald_name kinds[] = {{"public", PUBLIC}, {"secret", SECRET}};

struct user {
	const char *name;
};

HERALD_SCHEMA(user, HERALD_ENUM(key, kind, kinds));
