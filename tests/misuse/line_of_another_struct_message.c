/* expect: (no member named|field designator) 'line_of_struct_key' */
/* The lines are of struct key, the schema of struct user. */
#include <herald/message.h>

struct key {
	struct herald_message message;
};

struct user {
	const char *name;
};

HERALD_SCHEMA(user, HERALD_MESSAGE_FIELDS(key, message));
