/*
 * What the connections of one thread share: paths, limits, and memory. Private.
 */
#ifndef HERALD_SRC_HTTP_SERVER_WORKER_H
#define HERALD_SRC_HTTP_SERVER_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <herald/adapter/connection.h>
#include <herald/arena.h>
#include <herald/buffer.h>

#include "http/server/head.h"

/* The kinds of paths. */
struct herald__path {
	struct herald_text path;           /* of a prefix, up to its last '/'; empty: any */
	bool is_prefix;                    /* the path is a prefix; not if it is empty */
	struct herald_endpoint *endpoint;  /* or a function, below */
	struct herald_http_request *spare; /* for the endpoint's next event; may be NULL */
	herald_server_function *function;
	void *state;
	const char *methods; /* of the function */
	const char *allow;   /* with those that the server answers itself */
	const char *hosts;   /* NULL: any */
	size_t max_body_bytes;
};

/* A list to append to. */
struct herald__ready_list {
	struct herald__ready *first, *last;
};

/* A part of a connection: its place in a list. */
struct herald__ready {
	struct herald__ready *next;
};

struct herald_http_worker {
	struct herald_server *server; /* NULL: an adapter has created the worker */
	bool is_local;                /* all sockets of the server listen on loopback addresses */
	struct herald_server_options options; /* resolved; its texts are not used */
	struct herald_arena *arena;           /* of the paths and headers */
	struct herald__head_limits limits;
	struct herald__path *paths;
	size_t paths_count;
	bool has_prefixes;             /* some of the paths are prefixes */
	struct herald__path *any_path; /* for all other paths: "*"; NULL: they are refused */
	const char *allow;             /* the methods of all paths */
	atomic_bool is_stopping;
	/* Responses by their status / 100. Written on the worker's thread only. */
	_Atomic uint64_t responses[6];
	struct herald__header *headers; /* of the head that is being read */
	struct herald_buffer spare;     /* an output that is not in use */
	time_t date_s;                  /* the second that the next two are of */
	char date[48];                  /* "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" */
	const char *usual_body;         /* of the next one, as a key */
	char usual[192];                /* the answer to an event that was handled, or stored */
	size_t usual_bytes;

	/* Events that the pool has handled, and those that a store has answered. */
	herald_http_wake *wake;
	void *wake_state;
	pthread_mutex_t mutex; /* protects `ready` and `is_woken` */
	struct herald__ready_list ready;
	bool is_woken;          /* the thread will take all, so it need not be woken again */
	pthread_cond_t arrived; /* in `ready`, while herald__worker_wait() waits */
	bool handles_later;     /* there is a pool, or a service with a store */
	size_t offloaded_count; /* connections whose event a pool or a store has */
	struct herald__ready_list resumed; /* taken from `ready` as a whole */
};

/* The path of a request; NULL if there is none like it. Exact paths come first, then the longest
 * prefix. */
struct herald__path *
herald__worker_path(const struct herald_http_worker *worker, struct herald_text path);

/* A connection's event has a response. Any thread. */
void herald__worker_push_ready(struct herald_http_worker *worker, struct herald__ready *ready);

/* The first of those, which leaves the list; NULL if there is none. On the worker's thread. */
struct herald__ready *herald__worker_take_ready(struct herald_http_worker *worker);

/* Wait until an event has a response, if a pool or a store has any. False: none has. On the
 * worker's thread. */
bool herald__worker_wait(struct herald_http_worker *worker);

/* What herald_http_worker_destroy() does when the list is empty. */
void herald__worker_destroy(struct herald_http_worker *worker);

/* The Date header of an answer that is sent now, with its line end. */
const char *herald__worker_date(struct herald_http_worker *worker);

#endif
