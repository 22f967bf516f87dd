/*
 * The producer, for its parts.
 */
#ifndef HERALD_SRC_PRODUCER_STATE_H
#define HERALD_SRC_PRODUCER_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/publisher.h>
#include <herald/producer.h>

#include "base/clock.h"
#include "producer/pending.h"

/* How long run() waits at most, and how long a closed connection may take to end. */
#define HERALD__PRODUCER_WAIT_MS 1000

struct herald_producer {
	struct herald_producer_options options; /* with defaults */
	struct herald__delivery_clock clock;
	uint64_t random_state; /* of the system's clock */
	struct herald_publisher *publisher;
	pthread_t thread;
	bool has_thread; /* false in tests that call herald__producer_turn() themselves */

	/* Of the thread. */
	struct herald_outgoing_list waiting; /* to be sent; some may have ended */
	bool is_connected;
	unsigned failed;                     /* attempts to connect in a row */
	uint64_t connect_ms;                 /* not before it */
	struct herald_outgoing_list put_off; /* each waits for its not_before_ms */
	uint64_t put_off_ms;                 /* the earliest of these, if there are any */
	size_t in_flight;                    /* messages that the publisher has */
	bool is_full;                        /* the publisher has no room */
	atomic_bool is_running;              /* it waits in run(), or is about to */

	pthread_mutex_t mutex; /* protects the members below */
	pthread_cond_t ended;  /* a message has ended */
	pthread_cond_t wanted; /* the thread, while it is not connected */
	bool is_waiting;       /* for `wanted` */
	bool is_stopping;      /* nothing is accepted any more */
	atomic_bool must_end;  /* the thread ends; read without the mutex, too */
	struct herald_outgoing_list submitted;
	struct herald__pending *oldest, *newest; /* all that have not ended */
	uint64_t last_id, id_prefix;
	struct herald_producer_statistics counts;
	struct herald_error error; /* why it is not connected */
};

#endif
