/*
 * A service with a store that runs the bench's events.
 */
#ifndef BENCH_DURABLE_RUNNER_H
#define BENCH_DURABLE_RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "database.h"

struct runner;

/* How events are run. */
enum mode {
	MODE_RUN,  /* the function returns HERALD_DONE */
	MODE_JOIN, /* the same, after it has written a row in the event's transaction */
	MODE_HOLD, /* the function waits until runner_close() */
};

/* Open the database, and run what is stored there. Returns after herald_service_create(). */
struct runner *runner_open(const struct place *place, enum mode mode);

/* Accept events as a server's event loop does, but without sockets: on this thread, `in_flight` at
 * a time. Returns when all are accepted. */
void runner_accept(struct runner *runner, uint64_t count, size_t in_flight);

/* Accept numbered events one by one with a pause between them, on this thread. Sets when each was
 * on disk (now_s()). */
void runner_accept_slowly(struct runner *runner, size_t count, double *accepted_s);

/* When the functions of these events began (now_s()); 0: not yet, or not here. */
void runner_begun(struct runner *runner, size_t count, double *begun_s);

/* A server for POST /event; ends with the runner. Returns its port. */
uint16_t runner_serve(struct runner *runner);

/* Wait until `count` functions have begun, or as many events are done. */
void runner_await_runs(struct runner *runner, uint64_t count);
void runner_await_done(struct runner *runner, uint64_t count);

/* Stop, and free everything. NULL is allowed. */
void runner_close(struct runner *runner);

#endif
