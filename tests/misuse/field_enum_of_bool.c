/* expect: use HERALD_ENUM, with its names|expected identifier or '\(' before ':' */
/* An enum may say its type, bool, where the compiler knows that (gcc 12 does not). */
#include <herald/schema.h>

__extension__ enum size : bool { SMALL, LARGE };

struct user {
	enum size size;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, size));
