/*
 * A broker in memory for producers, without threads of its own. What it does is set before or
 * between the calls; with several threads, under `mutex`. Include cmocka.h (and what it needs)
 * before this header.
 */
#ifndef HERALD_TESTS_SUPPORT_FAKE_PUBLISHER_H
#define HERALD_TESTS_SUPPORT_FAKE_PUBLISHER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/publisher.h>

/* A message that has reached the broker. */
struct fake_arrival {
	char topic[64], key[64], id[64], content_type[64], data[64];
	char attributes[128];
	size_t attributes_bytes;
};

struct fake_publisher {
	struct herald_publisher base; /* the first member */
	pthread_mutex_t mutex;
	pthread_cond_t woken;

	/* What it does. */
	enum herald_status open_status; /* of open() */
	bool is_silent;                 /* it answers nothing */
	bool loses;                     /* the next run() reports a lost connection */
	bool arrives;                   /* what is lost has arrived nevertheless */
	enum herald_status refuses;     /* send() returns it */
	enum herald_status answers;     /* run() returns messages with it */
	const char *missing;            /* not NULL: messages of this topic are put off */
	size_t window;                  /* messages at once; 0: no limit */
	uint64_t *random;               /* not NULL: every decision is drawn */
	bool is_threaded;               /* run() really waits */

	/* What has happened. */
	struct fake_arrival *arrivals;
	size_t arrivals_count, arrivals_room;
	size_t opens, closes, sends, runs;
	uint32_t last_wait_ms;
	bool is_open, is_woken;
	bool *is_destroyed; /* set by destroy() */
	struct herald_outgoing_list held;
};

/* A publisher on the heap; destroyed with its producer, which fails the test if it has messages. */
struct fake_publisher *fake_publisher_create(void);

/* How often a message with this id has arrived. */
size_t fake_publisher_count(struct fake_publisher *fake, const char *id);

#endif
