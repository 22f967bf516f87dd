/* expect: no member named 'line_of_struct_key'|field designator 'line_of_struct_key' does not refer */
/* The lines are of struct key, the schema of struct user. */
#include <herald/message.h>

struct key {
	struct herald_message message;
};

struct user {
	const char *name;
};

HERALD_SCHEMA(user, HERALD_MESSAGE_FIELDS(key, message));
