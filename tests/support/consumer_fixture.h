/*
 * For tests of a consumer: one on a broker in memory, with a service whose events say what happens
 * to them. Include cmocka.h (and what it needs) before this header.
 *
 *	consumer_fixture_init(&f, &(struct consumer_fixture_options){0});
 *	fake_broker_add(&f.broker, "retry 2", NULL);    done in its second run
 *	consumer_settle(&f);                            turns until nothing is left to do
 *	assert_string_equal(f.runs, "0/1 0/2");         message 0, attempts 1 and 2
 *	consumer_fixture_finish(&f);
 *
 * Actions: "done", "retry N" (HERALD_RETRY until attempt N), "later N" (likewise, after 70 ms),
 * "fail", "fail 422", "wait" (until consumer_release()), "take N" (N ms; not with threads), "crash"
 * (abort()), "bad" (the payload cannot be decoded), "unknown" (no route).
 *
 * The function checks each run: its attempt is one more than the runs before, the message does not
 * run anywhere else, and, with checks_order, all earlier messages of its key have finished. Set
 * max_attempts if some never do.
 */
#ifndef HERALD_TESTS_SUPPORT_CONSUMER_FIXTURE_H
#define HERALD_TESTS_SUPPORT_CONSUMER_FIXTURE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <herald/consumer.h>
#include <herald/service.h>

#include "consumer/consumer.h"
#include "consumer/state.h"
#include "support/fake_broker.h"

struct consumer_fixture_options {
	struct herald_consumer_options consumer; /* without subscriber and service; log: replaced */
	struct fake_broker *broker;              /* NULL: its own */
	uint32_t visibility_ms;                  /* of its own one */
	bool keeps_releases;                     /* likewise: a release does not count */
	bool writes_attempts;                    /* likewise */
	struct herald_store *store;              /* of the service */
	struct herald_handler *handler;          /* likewise; NULL: none */
	const char *const *attributes;           /* likewise */
	const struct herald_format *format;      /* likewise; NULL: the envelope */
	bool has_threads;
	bool has_jitter;     /* else delays are HERALD_BACKOFF_NO_JITTER */
	bool checks_order;   /* of keys */
	bool allows_repeats; /* a message may run again after it was done: a lost connection */
	bool allows_gaps; /* a process may die after a run was counted, and before the function */
};

struct consumer_fixture {
	struct fake_broker *broker;
	struct fake_broker *own_broker;
	struct herald_service *service;
	struct herald_consumer *consumer;
	struct consumer_fixture_options options;
	char folder[64]; /* of the in-flight files */
	uint64_t random; /* of the clock without threads */

	pthread_mutex_t mutex; /* protects the rest */
	pthread_cond_t changed;
	char runs[16384]; /* "number/attempt number/attempt ..." */
	size_t runs_count;
	char log[32768];
	bool is_blocked; /* functions of "wait" wait until it is false */
	unsigned waiting, running, abreast;
};

void
consumer_fixture_init(struct consumer_fixture *f, const struct consumer_fixture_options *options);
enum herald_status
consumer_fixture_try(struct consumer_fixture *f, const struct consumer_fixture_options *options,
		     struct herald_error *error);
/* Stop, check that nothing is left and that the broker has seen no fault, and free everything. */
void consumer_fixture_finish(struct consumer_fixture *f);
/* Without a check of what is left: for consumer_fixture_try() that failed. */
void consumer_fixture_free(struct consumer_fixture *f);

/* One turn, and steps of all lanes until they have nothing to do. Returns whether the consumer has
 * not stopped. */
bool consumer_turn(struct consumer_fixture *f);
/* Turns until all messages of the broker are done or dead. The clock moves. */
void consumer_settle(struct consumer_fixture *f);
/* Turns until the consumer has stopped. */
void consumer_stop(struct consumer_fixture *f);

struct herald_consumer_statistics consumer_counts(struct consumer_fixture *f);
bool consumer_logged(struct consumer_fixture *f, const char *text);

/* With threads. */

/* Wait until a condition of the test holds; fails after 20 s. */
#define CONSUMER_WAIT(F, CONDITION)                                                                \
	do {                                                                                       \
		for (unsigned tries_ = 0; !(CONDITION); tries_++) {                                \
			if (tries_ == 10000)                                                       \
				fail_msg("not within 20 s: %s", #CONDITION);                       \
			consumer_wait_some(F);                                                     \
		}                                                                                  \
	} while (0)
void consumer_wait_some(struct consumer_fixture *f);
unsigned consumer_waiting(struct consumer_fixture *f);
void consumer_block(struct consumer_fixture *f);
void consumer_release(struct consumer_fixture *f);

#endif
