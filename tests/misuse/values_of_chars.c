/* expect: not compatible with any (generic )?association */
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
