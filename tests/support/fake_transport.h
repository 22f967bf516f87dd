/*
 * A transport without a network, for tests of the engine: each attempt ends as a script says, in
 * the order in which they begin, or, without a script, as the path of its URL says:
 *
 *	/NNN     with status NNN
 *	/slow    with status 200, after FAKE_SLOW_MS
 *	/silent  not at all
 *	/close   without an answer, and so do all other paths; another attempt may succeed
 */
#ifndef HERALD_TESTS_SUPPORT_FAKE_TRANSPORT_H
#define HERALD_TESTS_SUPPORT_FAKE_TRANSPORT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/transport.h>

#define FAKE_ATTEMPTS 8
#define FAKE_REQUEST_BYTES 2048
#define FAKE_UNDER_WAY 1024
#define FAKE_SLOW_MS 20

/* How one attempt goes. */
struct fake_step {
	struct herald_attempt_result result;
	uint64_t delay_ms;
	bool is_silent; /* it does not end */
	bool no_memory; /* it does not begin */
};

/* The caller's storage; it must outlive the deliverer. */
struct fake_transport {
	struct herald_transport base;
	const struct fake_step *steps; /* NULL: as the paths say */
	size_t steps_count;            /* an attempt past them is silent */
	enum herald_status open_status;

	/* What happened; to be read when the deliverer has settled or stopped. */
	size_t begins, cancels, destroys;
	bool opens_connection[FAKE_ATTEMPTS];
	char traceparents[FAKE_ATTEMPTS][80];             /* the headers; "": none */
	char requests[FAKE_ATTEMPTS][FAKE_REQUEST_BYTES]; /* headers, an empty line, body; cut */

	pthread_mutex_t mutex; /* over is_woken */
	pthread_cond_t woken;
	bool is_woken;
	struct {
		struct herald_attempt *attempt;
		struct herald_attempt_result result;
		uint64_t due_ms; /* UINT64_MAX: never */
	} under_way[FAKE_UNDER_WAY];
	size_t under_way_count;
};

void fake_transport_init(struct fake_transport *fake, const struct fake_step *steps, size_t count);

#endif
