/*
 * A drain, as requests use it.
 */
#ifndef HERALD_SRC_HTTP_DRAIN_H
#define HERALD_SRC_HTTP_DRAIN_H

#include <stdbool.h>

#include <herald/adapter/drain.h>

/* A request begins. Returns whether it is handled. It must leave in either case. `drain` NULL: does
 * not count. */
bool herald__drain_enter(struct herald_http_drain *drain);

/* A request has ended. The drain may be destroyed when this returns. Accepts NULL. */
void herald__drain_leave(struct herald_http_drain *drain);

#endif
