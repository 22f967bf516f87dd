/* expect: user\.text must be a pointer to values that HERALD_VALUES supports */
/* A text and its length is struct herald_text. */
#include <herald/schema.h>

struct user {
	const char *name;
	const char *text;
	size_t text_count;
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_VALUES(user, text));
