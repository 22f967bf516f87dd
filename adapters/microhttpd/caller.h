/*
 * Private to the server: its workers, the callers they serve, and how long a caller may still take.
 */
#ifndef HERALD_MICROHTTPD_CALLER_H
#define HERALD_MICROHTTPD_CALLER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <microhttpd.h>

#include <herald/http.h>

#include "kept.h"

struct herald__door;

/* What a request's target names. */
enum herald__target {
	HERALD__TARGET_NOTHING,
	HERALD__TARGET_EVENT,
	HERALD__TARGET_HEALTH,
	HERALD__TARGET_MALFORMED,
};

/* A libmicrohttpd daemon and its thread. Its members are written by that thread unless noted. */
struct herald__worker {
	/* For how long functions have run on this thread, and since when one does; 0: none does. */
	_Alignas(64) _Atomic int64_t busy_ns;
	_Atomic int64_t busy_since_ns;
	_Atomic size_t callers_count; /* Written by the door, too. */

	struct herald__kept kept;

	/* Set before there are callers. */
	struct MHD_Daemon *daemon;
	struct herald__door *door;
	void *owner;
	uint32_t header_timeout_ms;
	uint32_t body_timeout_ms;
};

/* A connection. Written by its worker's thread unless noted. */
struct herald__caller {
	struct herald__worker *worker;
	/* When the worker's time, which stands still while a function runs, is past this, the door
	 * shuts the socket down. A slow function is not the fault of the callers that wait for the
	 * same thread. */
	_Atomic int64_t deadline_ns;
	atomic_bool in_request;     /* From the first call of the access handler to completion. */
	enum herald__target target; /* Of the request, as is its length as it was sent. */
	size_t target_bytes;
	/* Of the request: the answer, when it is known at its first call; else the endpoint's own. */
	const struct herald_http_response *answer;
	void *request;
	int fd;
	bool started;        /* libmicrohttpd has it and will say when it closes. Under the lock. */
	uint8_t address[16]; /* IPv6, or IPv4 mapped into it; for the limit per address. */
};

/* The clock of deadlines: coarse, for it is read several times per request. */
int64_t herald__now_ns(void);

/* Who has this connection. */
struct herald__caller *herald__caller_get(struct MHD_Connection *connection);

/* What the caller does next, on its worker's thread. */

/* It is connected: a request's header must be complete in time. */
void herald__caller_start(struct herald__caller *caller);

/* A request begins: its body must be complete in time. */
void herald__caller_begin(struct herald__caller *caller);

/* A function begins: the worker's time stands still. */
void herald__caller_enter(struct herald__caller *caller);

/* The function has returned: the answer must be taken, and the next request's header sent, in time. */
void herald__caller_leave(struct herald__caller *caller);

/* The same for an answer without a function. */
void herald__caller_answer(struct herald__caller *caller);

/* The request is over. */
void herald__caller_end(struct herald__caller *caller);

/*
 * How long a caller still has, on the door's thread and under its lock; 0 or less when it is late,
 * INT64_MAX when it has not started.
 */
int64_t herald__caller_remaining_ns(const struct herald__caller *caller, int64_t now);

#endif
