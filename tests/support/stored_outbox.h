/*
 * The outbox of a store on any database: what is in it, and how it gets there. Include cmocka.h
 * (and what it needs) before this header.
 */
#ifndef HERALD_TESTS_SUPPORT_STORED_OUTBOX_H
#define HERALD_TESTS_SUPPORT_STORED_OUTBOX_H

#include <stddef.h>

#include <herald/delivery.h>
#include <herald/store.h>

struct herald_database;

/* Publish in a transaction of its own, as an event of a service does. */
void outbox_publish(struct herald_store *store, struct herald_database *database,
		    const struct herald_delivery *delivery);

/* The number of deliveries that are in the database, claimed or not; dead letters do not count. */
size_t outbox_pending(struct herald_store *store);

/* Wait until there is none. */
void outbox_await_none(struct herald_store *store);

/* The dead letters, one line each: "REASON ATTEMPTS DESTINATION: TEXT". Borrowed until the next
 * call. */
const char *outbox_dead(struct herald_store *store);

#endif
