/*
 * The consumer's thread: it connects, receives, hands messages to the lanes, and tells the broker
 * how they have ended. A turn is a function without threads.
 */
#ifndef HERALD_SRC_CONSUMER_INTAKE_H
#define HERALD_SRC_CONSUMER_INTAKE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/status.h>

#include "base/siphash.h"
#include "consumer/held.h"

struct herald_consumer;

struct herald__intake {
	struct herald__held_memory memory;
	unsigned char secret[HERALD__SIPHASH_KEY_BYTES]; /* of the keys' hashes */
	atomic_bool is_connected;
	unsigned failed;     /* times in a row that the broker was not reached */
	uint64_t alone_ms;   /* a suspect waits for the broker no longer than until then; 0: none */
	uint64_t connect_ms; /* not before it */
	bool is_stuck;       /* it was logged that the notes are */
	uint64_t extend_ms;  /* when the next message is extended */
	unsigned losses;     /* of the subscriber, when they were last looked for */
	pthread_mutex_t mutex;     /* protects `error` */
	struct herald_error error; /* why it is not connected; the last one */
};

bool herald__intake_init(struct herald_consumer *consumer);
void herald__intake_finish(struct herald_consumer *consumer);

/* Connect for the first time. Errors: as of the subscriber's open(). */
enum herald_status
herald__intake_open(struct herald_consumer *consumer, struct herald_error *error);

/* Returns false when the consumer has stopped, nothing is left, and the connection is closed. */
bool herald__intake_turn(struct herald_consumer *consumer);

/* Close a connection without a turn: nothing was received. */
void herald__intake_close(struct herald_consumer *consumer);

#endif
