/* expect: no member named 'route'|field designator 'route' */
/* The option's name is misspelt. */
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

const size_t bytes = sizeof(HERALD_SERVICE_OPTIONS(.route = NULL));
