/* expect warning: unused.result */
/* The struct may not have been written. */
#include <herald/herald.h>

struct user {
	int32_t age;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, age));

struct order {
	int32_t cents;
};

HERALD_SCHEMA(order, HERALD_FIELD(order, cents));

struct shop {
	int orders;
};

struct bank {
	int accounts;
};

void decode(const struct herald_codec *codec, char *data, struct herald_arena *arena);

void
decode(const struct herald_codec *codec, char *data, struct herald_arena *arena)
{
	struct user user;

	herald_codec_decode(codec, data, 2, arena, &user, NULL);
}
