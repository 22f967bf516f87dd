/*
 * Accepting an event: what it must pass after it was decoded, and handing it to the store. Private.
 */
#ifndef HERALD_SRC_SERVICE_ACCEPT_H
#define HERALD_SRC_SERVICE_ACCEPT_H

#include <stdint.h>

#include "service/context.h"
#include "service/inbox.h"

/* An event on its way to the store. In the event's arena. */
struct herald__acceptance {
	struct herald__inbox_event event; /* the first member */
	void (*done)(void *state);        /* any thread; must not block */
	void *state;
	uint64_t begin_ns; /* when its handling began */
};

/*
 * Check an event whose route is known. Only for a service with `has_checks`. If it has a store and
 * the event passes, sets ctx->acceptance.
 *
 * Errors  HERALD_MISSING (the id), HERALD_BAD_UTF8, HERALD_BAD_TIME (`due_from`), HERALD_LIMIT,
 *         HERALD_NO_MEMORY.
 */
HERALD_MUST_CHECK enum herald_status
herald__accept_check(struct herald_context *ctx, struct herald_error *error);

/* Store the event of ctx->acceptance. Calls `done` once, perhaps before it returns. The context
 * belongs to the store until then. */
void herald__accept_begin(struct herald_context *ctx, void (*done)(void *state), void *state);

/* The same, but returns when the event is stored, or cannot be. */
void herald__accept_and_wait(struct herald_context *ctx);

#endif
