/*
 * A request with several events. Private.
 */
#ifndef HERALD_SRC_HTTP_BATCH_H
#define HERALD_SRC_HTTP_BATCH_H

#include <stdbool.h>

#include <herald/adapter/request.h>
#include <herald/service.h>

/* Handle a batch, and respond. With a store, it returns when all of its events are stored. */
void herald__http_batch_handle(struct herald_http_request *request, char *body, size_t bytes,
			       const struct herald_arrival *arrival);

/*
 * The same without waiting for the store.
 *
 * arrival  its members live as long as the request.
 * done     called once when the store has all events: on any thread, perhaps before the function
 *          returns. Then call herald__http_batch_end().
 * Returns  true: the response is set, and `done` will not be called.
 */
bool herald__http_batch_begin(struct herald_http_request *request, char *body, size_t bytes,
			      const struct herald_arrival *arrival, void (*done)(void *state),
			      void *state);

/* After `done`: respond. */
void herald__http_batch_end(struct herald_http_request *request);

#endif
