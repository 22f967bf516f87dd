/*
 * The consumer, for its parts.
 */
#ifndef HERALD_SRC_CONSUMER_STATE_H
#define HERALD_SRC_CONSUMER_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/arena.h>
#include <herald/consumer.h>

#include "base/clock.h"
#include "consumer/desk.h"
#include "consumer/held.h"
#include "consumer/intake.h"
#include "consumer/lane.h"
#include "consumer/ledger.h"

/* Set once, before there are threads. */
struct herald__consumer_settings {
	struct herald_consumer_options options; /* with defaults; texts are copies */
	struct herald_log log;
	struct herald_allocator allocator;
	struct herald__delivery_clock clock; /* any thread; also random() */
};

/* Counts; any thread. */
struct herald__consumer_counts {
	atomic_uint_fast64_t received, redelivered, runs, done, retries, dead, released, lost,
		interrupted, connections, failures, in_flight, parked;
	atomic_uint_fast64_t unsettled; /* ends that the broker does not know of */
};

struct herald__consumer_threads {
	pthread_t intake;
	bool has_intake;
	size_t lanes_count; /* that run */
	pthread_t lanes[];
};

struct herald_consumer {
	struct herald__consumer_settings settings;
	struct herald_arena *arena; /* of the options' texts */
	struct herald_subscriber *subscriber;
	const char *source; /* the subscriber's */
	struct herald_service *service;
	bool has_store; /* the service's: messages go there */
	struct herald__consumer_counts counts;
	struct herald__desk desk;
	struct herald__intake intake;
	struct herald__ledger ledger;
	struct herald__lane *lanes;
	size_t lanes_count; /* at least 1, which the consumer's thread runs if there are none */
	struct herald__consumer_threads *threads; /* NULL: none run */
	atomic_uint_fast64_t random;              /* state of the system's clock */
};

#endif
