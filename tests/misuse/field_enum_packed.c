/* expect: user\.size is an enum: use HERALD_ENUM, with its names */
/* A packed enum has the type unsigned char. */
#include <herald/schema.h>

enum __attribute__((packed)) size { SMALL, LARGE };

struct user {
	enum size size;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, size));
