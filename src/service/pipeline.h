/*
 * Handling an event in a given context. Private.
 */
#ifndef HERALD_SRC_SERVICE_PIPELINE_H
#define HERALD_SRC_SERVICE_PIPELINE_H

#include <stdbool.h>

#include <herald/service.h>

#include "service/format.h"
#include "service/inbox.h"

/* Copy `arrival` up to its struct_size; the other members are zero. */
struct herald_arrival herald__arrival_read(const struct herald_arrival *arrival);

/*
 * herald_service_handle_with() in a context of the caller. `ctx` is NULL if there was no memory for
 * one. The caller resets it before the next event, once the event's memory, such as its answer, is
 * no longer needed. `arrival->answer` is not called. With a store, it returns when the event is
 * stored.
 */
void herald__service_handle_in(struct herald_service *service, struct herald_context *ctx,
			       char *data, size_t bytes, const struct herald_arrival *arrival,
			       struct herald_result *out);

/*
 * The same for an event after another one, without a store. Reading the clock twice would take a
 * fifth of the time of a small event.
 *
 * ctx     not NULL.
 * now_ns  when the event begins, by the service's clock. Set to its end, when the next one begins.
 */
void herald__service_handle_next(struct herald_service *service, struct herald_context *ctx,
				 char *data, size_t bytes, const struct herald_arrival *arrival,
				 uint64_t *now_ns, struct herald_result *out);

/*
 * herald__service_handle_in() without waiting for a store.
 *
 * done     called once when the store has the event, or cannot take it; on any thread, perhaps
 *          before the function returns. Must not block. Then call herald__service_end_in().
 * Returns  false: the event is being stored, and `done` will be called. Until then the store uses
 *          `ctx`. True: *out is set, and `done` will not be called.
 */
bool herald__service_begin_in(struct herald_service *service, struct herald_context *ctx,
			      char *data, size_t bytes, const struct herald_arrival *arrival,
			      void (*done)(void *state), void *state, struct herald_result *out);

/*
 * Check a batch as a whole, and visit its members once `receive` has run. The visit handles each
 * with one of the functions above, in a context whose `is_member` is set; it may be `ctx`, after a
 * reset.
 *
 * Returns  false: the batch was refused, as *out says, and nothing was visited.
 */
bool herald__service_batch_in(struct herald_service *service, struct herald_context *ctx,
			      char *data, size_t bytes, const struct herald_arrival *arrival,
			      const struct herald__batch_visit *visit, struct herald_result *out);

/* After `done`: set *out, count and log the event. Any thread. */
void herald__service_end_in(struct herald_service *service, struct herald_context *ctx,
			    struct herald_result *out);

/* An event that could not even be decoded, as `out->error` says: set the rest of *out, count it and
 * log it. */
void herald__service_refuse_in(struct herald_service *service, struct herald_result *out);

/* Run a stored event: herald__service_run() in a context of the caller, which may be NULL. */
void herald__service_run_in(struct herald_service *service, struct herald_context *ctx,
			    struct herald__run *run, char *data, size_t bytes,
			    struct herald_result *out);

#endif
