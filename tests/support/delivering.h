/*
 * Shared by the tests of deliveries: a clock that the test moves, and hooks that record their
 * reports. Include cmocka.h (and what it needs) before this header.
 */
#ifndef HERALD_TESTS_SUPPORT_DELIVERING_H
#define HERALD_TESTS_SUPPORT_DELIVERING_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/curl.h>
#include <herald/delivery.h>

#include "delivery/deliverer.h"
#include "misbehaving_server.h"

/*
 * A clock that does not move while attempts are in progress, and otherwise jumps to the next due
 * time. So a delivery with retries takes no longer than its attempts.
 */
struct test_clock {
	struct herald__delivery_clock clock; /* pass this to the deliverer */
	_Atomic uint64_t now_ms;
	_Atomic int64_t jump_ms; /* how far the wall clock has been set */
	_Atomic uint64_t random; /* its next random bits */
	_Atomic bool is_frozen;  /* do not jump */
};

/* 2023-11-14T22:13:20Z: its wall clock at now_ms 0. */
#define TEST_CLOCK_WALL_S 1700000000

void test_clock_init(struct test_clock *clock);

/* Move the clock and wake the deliverer. */
void test_clock_advance(struct test_clock *clock, struct herald_deliverer *deliverer, uint64_t ms);

#define RECORDED_REPORTS 64

struct recorded_report {
	enum herald_delivery_outcome outcome;
	enum herald_delivery_failure failure;
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
	size_t delivered, failed, left;                           /* the number of each outcome */
	struct recorded_report attempt_reports[RECORDED_REPORTS]; /* the first ones */
	struct recorded_report outcome_reports[RECORDED_REPORTS];
};

void recorder_init(struct recorder *recorder);
void recorder_finish(struct recorder *recorder);

/* The two hooks. */
herald_delivery_hook record_attempt;
herald_delivery_hook record_outcome;

/* Wait for this number of outcomes or attempts. Aborts after 60 s. */
void recorder_wait(struct recorder *recorder, size_t outcomes);
void recorder_wait_attempts(struct recorder *recorder, size_t attempts);

/* Create a transport with libcurl. Aborts on failure. */
struct herald_transport *curl_transport(const struct herald_curl_transport_options *options);

#define CURL_TRANSPORT(...) curl_transport(&HERALD_CURL_TRANSPORT_OPTIONS(__VA_ARGS__))

/* As herald__deliverer_create(), with libcurl if the options have no transport. */
enum herald_status create_deliverer(const struct herald_deliverer_options *options,
				    const struct herald__delivery_clock *clock,
				    struct herald_deliverer **out, struct herald_error *error);

enum herald_status create_over_curl(const struct herald_deliverer_options *options,
				    struct herald_deliverer **out, struct herald_error *error);

/* Options with these hooks. */
#define RECORDED_OPTIONS(RECORDER, ...)                                                            \
	HERALD_DELIVERER_OPTIONS(.on_attempt = record_attempt, .on_outcome = record_outcome,       \
				 .state = (RECORDER), __VA_ARGS__)

/* A server that has not been started, a clock, hooks, and the deliverer that the test creates. */
struct delivery_fixture {
	struct misbehaving_server server;
	struct test_clock clock;
	struct recorder recorder;
	struct herald_deliverer *deliverer;
};

/* `address` is for the server. Destroying the fixture destroys everything, and clears the names of
 * names.h. */
struct delivery_fixture *delivery_fixture_create(const char *address);
void delivery_fixture_destroy(struct delivery_fixture *fixture);

/* The same as setup and teardown for cmocka, on 127.0.0.1. */
int delivery_fixture_setup(void **state);
int delivery_fixture_teardown(void **state);

/* Start the server, and a deliverer with the hooks and the clock. */
void
delivery_fixture_start(struct delivery_fixture *fixture, struct herald_deliverer_options options);

/* The deliverer only, which may connect to what its options say. */
void
delivery_fixture_deliver(struct delivery_fixture *fixture, struct herald_deliverer_options options);

/* "/PATH" refers to the server, and ":PORT" in a URL is replaced by its port; everything else is
 * unchanged. */
void delivery_fixture_url(const struct delivery_fixture *fixture, const char *text, char *out,
			  size_t bytes);

/* Submit a delivery to such a URL. `event_id` may be NULL. */
void
delivery_fixture_submit(struct delivery_fixture *fixture, const char *text, const char *event_id);

/* Submit `count` deliveries to such a URL at once, and wait for their outcomes. */
void delivery_fixture_await(struct delivery_fixture *fixture, const char *text, size_t count);

/* Listen on a free port of 127.0.0.1. Returns the socket. */
int listen_on_a_port(uint16_t *port);

/* The test fails unless a text has this part. */
void assert_has(const char *text, const char *part);

/* Whether the counts are consistent and nothing is pending. */
#define assert_all_settled(DELIVERER)                                                              \
	do {                                                                                       \
		struct herald_delivery_statistics counts_;                                         \
		herald_deliverer_statistics(DELIVERER, &counts_);                                  \
		assert_int_equal(counts_.accepted + counts_.resumed,                               \
				 counts_.delivered + counts_.failed + counts_.left +               \
					 counts_.stored);                                          \
		assert_int_equal(counts_.pending, 0);                                              \
		assert_int_equal(counts_.reserved, 0);                                             \
		assert_int_equal(counts_.in_flight, 0);                                            \
	} while (0)

#endif
