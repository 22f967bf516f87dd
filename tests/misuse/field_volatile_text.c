/* expect: user\.name is const or volatile: decoding could not set it */
#include <herald/schema.h>

struct user {
	volatile struct herald_text name;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, name));
