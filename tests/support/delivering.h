/*
 * What tests of deliveries share: a clock that the test moves, and hooks that remember what they were
 * told. Include cmocka.h (and what it needs) before this header.
 */
#ifndef HERALD_TESTS_DELIVERING_H
#define HERALD_TESTS_DELIVERING_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/delivery.h>

#include "../../adapters/curl/deliverer.h"
#include "misbehaving_server.h"

/*
 * It stands still while attempts are under way, and jumps to what is due when there are none; so a
 * delivery with retries takes no longer than its attempts.
 */
struct test_clock {
	struct herald__delivery_clock clock; /* to be passed */
	_Atomic uint64_t now_ms;
	_Atomic uint64_t random; /* what it gives as random bits */
	_Atomic bool stands;     /* do not jump */
};

/* 2023-11-14T22:13:20Z: what its wall clock says at now_ms 0. */
#define TEST_CLOCK_WALL_S 1700000000

void test_clock_init(struct test_clock *clock);

/* Move it and have the deliverer look. */
void test_clock_advance(struct test_clock *clock, struct herald_deliverer *deliverer, uint64_t ms);

#define RECORDED_REPORTS 64

struct recorded_report {
	enum herald_delivery_outcome outcome;
	unsigned attempt;
	unsigned http_status;
	uint64_t elapsed_ms;
	uint64_t retry_in_ms;
	char id[64];
	char url[256];
	char result[32];
	char error[256];
};

/* A recorder is the `state` of the hooks. */
struct recorder {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	size_t attempts;
	size_t outcomes;
	size_t delivered, failed, left;                           /* of the outcomes */
	struct recorded_report attempt_reports[RECORDED_REPORTS]; /* the first ones */
	struct recorded_report outcome_reports[RECORDED_REPORTS];
};

void recorder_init(struct recorder *recorder);
void recorder_finish(struct recorder *recorder);

/* The two hooks. */
herald_delivery_hook record_attempt;
herald_delivery_hook record_outcome;

/* Wait for so many outcomes, or attempts; aborts after 60 s. */
void recorder_wait(struct recorder *recorder, size_t outcomes);
void recorder_wait_attempts(struct recorder *recorder, size_t attempts);

/* Options with the hooks. */
#define RECORDED_OPTIONS(RECORDER, ...)                                                            \
	HERALD_DELIVERER_OPTIONS(.on_attempt = record_attempt, .on_outcome = record_outcome,       \
				 .state = (RECORDER), __VA_ARGS__)

/* A server that has not started, a clock, hooks, and a place for the deliverer that the test creates. */
struct delivery_fixture {
	struct misbehaving_server server;
	struct test_clock clock;
	struct recorder recorder;
	struct herald_deliverer *deliverer;
};

/* `address`: the server's. Destroying ends all of it, and forgets the names of names.h. */
struct delivery_fixture *delivery_fixture_create(const char *address);
void delivery_fixture_destroy(struct delivery_fixture *fixture);

/* The same for cmocka, on 127.0.0.1. */
int delivery_fixture_setup(void **state);
int delivery_fixture_teardown(void **state);

/* Whether the counts fit together, and nothing is pending. */
#define assert_all_settled(DELIVERER)                                                              \
	do {                                                                                       \
		struct herald_delivery_statistics counts_;                                         \
		herald_deliverer_statistics(DELIVERER, &counts_);                                  \
		assert_int_equal(counts_.accepted,                                                 \
				 counts_.delivered + counts_.failed + counts_.left);               \
		assert_int_equal(counts_.pending, 0);                                              \
		assert_int_equal(counts_.reserved, 0);                                             \
		assert_int_equal(counts_.in_flight, 0);                                            \
	} while (0)

#endif
