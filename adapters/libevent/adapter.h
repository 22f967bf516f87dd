/*
 * Private to the libevent adapter: what its life (libevent.c), its requests (call.c) and its care
 * for the server (server.c, guard.c) share. All of it belongs to the loop's thread but what `lock`
 * is over.
 */
#ifndef HERALD_LIBEVENT_ADAPTER_H
#define HERALD_LIBEVENT_ADAPTER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

#include <herald/http.h>
#include <herald/libevent.h>
#include <herald/pool.h>

/* A request, from evhttp's call until its answer is sent. */
struct herald__call {
	struct herald_pool_request pooled; /* first */
	struct herald_libevent *adapter;
	struct evhttp_request *request;              /* until the answer is handed over */
	const struct herald_http_response *response; /* a worker's; while in `done` */
	char *body;                                  /* the answer's, while it is sent */
	bool ambiguous;                              /* the head can be read in two ways */
	bool leaves_body; /* to evhttp, which would take it for the next request */
	bool close;       /* the connection, after the answer */
	int fd;           /* of the connection; -1: none that could be asked */
	struct herald__call *next;
};

/* A listener of the server's, whose errors come to the adapter. */
struct herald__watch {
	struct evconnlistener *listener;
	bool is_paused; /* until `resume` */
};

struct herald_libevent {
	struct evhttp *server;
	struct herald_http *http;
	struct herald_pool *pool;
	char *path;         /* as it is sent */
	char *decoded_path; /* as evhttp compares it */
	bool drop_half_closed;
	bool is_unguarded;
	struct herald_log log;

	struct event *woken;  /* by wake_fd: something is in `done`, or a stop may have ended */
	struct event *late;   /* the stop's time is up */
	struct event *grace;  /* that of idle connections is over */
	struct event *resume; /* accepting, after a pause */
	int wake_fd;

	struct herald__watch *watches;
	size_t watches_count;
	int64_t warned_s;     /* when the log heard of a pause */
	bool has_loop_thread; /* `loop_thread` is known, and has SIGPIPE blocked */
	pthread_t loop_thread;

	size_t calls_count;  /* that are not sent */
	size_t pooled_count; /* of them: with the pool, or in `done` */
	struct herald__call *idle;
	size_t idle_count;

	uint32_t idle_grace_ms;
	bool stopping;
	bool in_grace;  /* of a stop: what comes is answered still */
	bool destroyed; /* freed with the last call */
	herald_libevent_stopped *stopped;
	void *stopped_state;

	pthread_mutex_t lock; /* over `done` */
	struct herald__call *done;
};

/* evhttp's callback for a request; `adapter` is a struct herald_libevent. */
void herald__call_begin(struct evhttp_request *request, void *adapter);

/* Answer what the workers have finished. */
void herald__calls_finish(struct herald_libevent *adapter);

/* Make the loop look at the adapter. Any thread; with `lock` held on others than the loop's. */
void herald__libevent_wake(struct herald_libevent *adapter);

/* The callback of `woken`; its argument is the adapter. */
void herald__libevent_woken(evutil_socket_t fd, short what, void *adapter);

/* Keep SIGPIPE from the calling thread, which is the loop's. */
void herald__block_sigpipe(struct herald_libevent *adapter);

/*
 * Let accepting pause on all listeners that the server has now, when descriptors or memory run out.
 * Returns false when memory is out.
 */
bool herald__listeners_watch(struct herald_libevent *adapter);

/* End all pauses. */
void herald__listeners_resume(struct herald_libevent *adapter);

/* Guard all connections that the server will have, with the largest body that it takes; 0: any. */
void herald__guard_server(struct evhttp *server, size_t max_body_bytes);

/* A call has ended; frees the adapter if that was all that it waited for. */
void herald__libevent_call_ended(struct herald_libevent *adapter);

#endif
