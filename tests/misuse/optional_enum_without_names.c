/* expect later: the names of the enum are missing */
/* First, -Wpedantic has something to say about the arguments of the macro. */
#include <herald/schema.h>

enum size { SMALL, LARGE };

struct user {
	bool has_size;
	enum size size;
};

HERALD_SCHEMA(user, HERALD_OPTIONAL_ENUM(user, size));
