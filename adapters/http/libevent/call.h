/*
 * Requests for events. Private.
 */
#ifndef HERALD_ADAPTERS_HTTP_LIBEVENT_CALL_H
#define HERALD_ADAPTERS_HTTP_LIBEVENT_CALL_H

#include <event2/http.h>

#include "adapter.h"

/* evhttp's request callback; `adapter` is a struct herald_libevent. */
void herald__call_begin(struct evhttp_request *request, void *adapter);

/* Send the responses of the calls that workers have finished, or that a store has. */
void herald__calls_finish(struct herald_libevent *adapter);

/* The same for all calls: wait for those that a store has. The pool has stopped. */
void herald__calls_wait(struct herald_libevent *adapter);

#endif
