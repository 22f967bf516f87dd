/*
 * A broker in memory, and its subscriber, for tests of a consumer. It has no pointers to the heap,
 * so that it may be in memory that processes share, and survives those that die. One process uses
 * it at a time. It checks what the consumer does: `fault` is the first mistake.
 *
 *	fake_broker_init(&broker);
 *	fake_broker_add(&broker, "done", "key");
 *	options.subscriber = fake_subscriber_create(&broker);
 */
#ifndef HERALD_TESTS_SUPPORT_FAKE_BROKER_H
#define HERALD_TESTS_SUPPORT_FAKE_BROKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/subscriber.h>

#define FAKE_MESSAGES 2048
#define FAKE_FIRST_MS 1000000

enum fake_state { FAKE_READY, FAKE_OUT, FAKE_DONE, FAKE_DEAD };

/* Message number n has the id "n". */
struct fake_message {
	char key[16]; /* "": none */
	char data[320];
	size_t bytes;
	char attributes[96];
	size_t attributes_bytes;
	const char *content_type; /* static */
	enum fake_state state;
	unsigned deliveries, attempts; /* as the broker counts */
	uint64_t due_ms;               /* READY */
	uint64_t visible_ms;           /* OUT: then it is delivered again; with visibility_ms */
	unsigned delivery;             /* number of the last one, of all */
	unsigned copies;               /* with renames_retries: so often has it another identity */
	bool is_pending;               /* OUT: its settlement waits; see settle_lag */
	bool is_buffered;              /* OUT: it waits in the subscriber */
	bool is_unsure; /* a settlement was lost, and the consumer cannot know: attempts differ */
	struct herald_settlement settlement;

	/* Of a dead letter. */
	char reason[256], path[256], event_id[64];
	unsigned dead_attempts, http_status;
	enum herald_status status;

	/* Of the test's function: see consumer_fixture.h. */
	unsigned runs;
	unsigned done_runs; /* no attempts, if the broker has not learned of them */
	unsigned last_attempt;
	bool is_running, has_finished;
};

struct fake_broker {
	/* Set by the test, at any time without threads. */
	struct herald_subscriber_ops ops; /* counts_... and renames_retries; others are replaced */
	bool writes_attempts;             /* of a retry: they are what the next delivery says */
	bool counts_undelivered;          /* what a stopped consumer has not received counts */
	uint32_t visibility_ms;           /* 0: no extend() */
	unsigned open_failures;           /* how often open() fails from now on */
	enum herald_status open_status;   /* with this; default HERALD_UNAVAILABLE */
	bool is_down;                     /* the connection is lost, and cannot be opened */
	unsigned settle_lag;              /* settlements wait for so many calls of receive() */
	bool never_confirms;              /* flush() does not help */
	void (*on_flush)(void *state);    /* called by flush(), at first; NULL: nothing is */
	void *on_flush_state;
	bool is_threaded;           /* receive() waits; else it moves the clock */
	bool is_still;              /* receive() does not even move the clock */
	unsigned one_delivery_each; /* limit of receive(); 0: none */
	bool reassigns;    /* the next receive() loses all messages, and may return them again */
	unsigned prefetch; /* so many are delivered to the subscriber, and wait in it */

	pthread_mutex_t mutex;
	pthread_cond_t changed;
	uint64_t now_ms; /* of the clock, unless is_threaded */
	bool is_open, is_woken;
	unsigned deliveries; /* of all messages */
	size_t pending;
	struct fake_message messages[FAKE_MESSAGES];
	size_t count;

	char fault[256];                        /* "": none */
	unsigned given, returned;               /* messages, by receive() and settle() */
	unsigned opens, closes, flushes, late;  /* calls; settlements that were dropped */
	unsigned done, retries, dead, releases; /* settlements that counted */
	unsigned extends, receives, wakes;
	size_t out, max_out, out_bytes, max_out_bytes;
	size_t max_in_flight, max_in_flight_bytes; /* what open() was told */
};

void fake_broker_init(struct fake_broker *broker);
void fake_broker_finish(struct fake_broker *broker);

/* A process has died: its messages are delivered again. */
void fake_broker_recover(struct fake_broker *broker);

/* Add an event with an action of the fixture. `key` NULL: none. Returns its number. */
size_t fake_broker_add(struct fake_broker *broker, const char *action, const char *key);
/* Add any message. */
size_t fake_broker_add_data(struct fake_broker *broker, const char *data, size_t bytes,
			    const char *content_type);

/* Lose the connection: all messages that are out are delivered again. */
void fake_broker_cut(struct fake_broker *broker);
/* The broker gives a message to another consumer. */
void fake_broker_take_away(struct fake_broker *broker, size_t index);

/* How many messages are in a state. */
size_t fake_broker_count(struct fake_broker *broker, enum fake_state state);

void fake_broker_fault(struct fake_broker *broker, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The consumer owns it. */
struct herald_subscriber *fake_subscriber_create(struct fake_broker *broker);

#endif
