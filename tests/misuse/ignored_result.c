/* expect warning: unused.result */
/* The service may not have been created. */
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

void create(void);

void
create(void)
{
	struct herald_service *service = NULL;

	herald_service_create(&HERALD_SERVICE_OPTIONS(.routes = NULL), &service, NULL);
}
