/* expect: the options of the schema of struct circle must be in parentheses */
/* Options of the schema are one argument. */
#include <herald/schema.h>

struct circle {
	double radius;
};

HERALD_SCHEMA_WITH(circle, .doc = "Round.", HERALD_FIELD(circle, radius));
