/*
 * The service of orders.c, for programs that differ in the broker that feeds it.
 */
#ifndef ORDERS_H
#define ORDERS_H

#include <herald/consumer.h>

struct orders_settings {
	const char *url, *source, *group, *effects;
	unsigned long lanes, max_attempts, retry_ms;
};

/* Creates the subscriber of a broker. */
typedef enum herald_status
orders_subscribe(const struct orders_settings *settings, struct herald_subscriber **out,
		 struct herald_error *error);

/* The whole program. Returns its exit status. */
int orders_main(int argc, char **argv, orders_subscribe *subscribe);

#endif
