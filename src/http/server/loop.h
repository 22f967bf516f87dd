/*
 * One thread of a server: an epoll loop with its connections. Private.
 */
#ifndef HERALD_SRC_HTTP_SERVER_LOOP_H
#define HERALD_SRC_HTTP_SERVER_LOOP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/timer_heap.h"
#include "http/server/acceptor.h"
#include "http/server/worker.h"

/* The most that a client reads at once. */
#define HERALD__READ_BYTES ((size_t)64 << 10)

/* A source of epoll events. */
struct herald__source {
	void (*run)(struct herald__source *source, uint32_t events);
};

struct herald__client;
struct herald__listening;

/* How to end a loop; in monotonic time. */
struct herald__loop_end {
	bool is_wanted;
	uint64_t close_idle_ms;
	uint64_t close_all_ms;
};

struct herald__loop {
	struct herald_server *server;
	pthread_t thread;                            /* that runs it; the server's */
	const struct herald_server_options *options; /* resolved; the server owns them */
	struct herald__acceptor *acceptor;
	struct herald__loop *all; /* all loops of the server, including this one */
	size_t all_count;
	struct herald_http_worker *worker;
	int epoll_fd;
	int wake_fd;                         /* an eventfd */
	struct herald__listening *listening; /* a source for each listening socket */
	bool accepts;                        /* the listening sockets are in the epoll set */
	uint64_t clock_ms;   /* monotonic; read after waiting, and after the events */
	uint64_t now_ms;     /* for clients: without stalled_ms */
	uint64_t stalled_ms; /* of functions; not counted for clients' time limits */
	struct herald__timer_heap deadlines;
	struct herald__client *clients;
	struct herald__loop_end end;
	char *received; /* the buffer for reading: HERALD__READ_BYTES */

	/* Read by other threads. */
	atomic_size_t clients_count;
	atomic_bool is_waiting; /* no function runs */

	/* Written by other threads. */
	pthread_mutex_t mutex;
	struct herald__client *arrived; /* accepted by another loop */
	struct herald__loop_end wanted_end;

	size_t cut_off; /* number of requests, after the end */
};

/*
 * Initialise a loop in zeroed memory; `options`, `acceptor` and `endpoint` are borrowed.
 *
 * Errors  HERALD_SYSTEM, HERALD_NO_MEMORY. It must be finished in any case.
 */
HERALD_MUST_CHECK enum herald_status
herald__loop_init(struct herald__loop *loop, const struct herald_server_options *options,
		  struct herald__acceptor *acceptor, struct herald_endpoint *endpoint,
		  struct herald_error *error);

void herald__loop_finish(struct herald__loop *loop);

/* Run the loop until herald__loop_stop() was called and its connections have ended. */
void herald__loop_run(struct herald__loop *loop);

/* End the loop, from another thread. Idle connections are closed after the grace, all others after
 * drain_ms. */
void herald__loop_stop(struct herald__loop *loop, uint32_t grace_ms, uint32_t drain_ms);

#endif
