/*
 * The state shared by the adapter's lifecycle (libevent.c), its requests (call.c) and its measures
 * for the user's server (server.c). Everything is used on the loop's thread only, except for what
 * `lock` protects. Private.
 */
#ifndef HERALD_ADAPTERS_HTTP_LIBEVENT_ADAPTER_H
#define HERALD_ADAPTERS_HTTP_LIBEVENT_ADAPTER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

#include <herald/adapter/offload.h>
#include <herald/endpoint.h>
#include <herald/libevent.h>

/* A request, from evhttp's callback until its response has been sent. */
struct herald__call {
	struct herald_offload pooled; /* the first member */
	struct herald_libevent *adapter;
	struct evhttp_request *request; /* until the response is given to evhttp */
	char *body;                     /* of the response, while it is sent */
	const char *problem;            /* of the head; NULL: none */
	bool leaves_body;               /* evhttp would read the body as the next request */
	bool close;                     /* close the connection after the response */
	int fd;                         /* of the connection; -1: none that can be polled */
	struct herald__call *next;
};

/* A listener of the server whose accept errors the adapter handles. */
struct herald__watch {
	struct evconnlistener *listener;
	bool is_paused; /* until `resume` */
};

struct herald_libevent {
	struct evhttp *server;
	struct herald_endpoint *endpoint; /* the user's */
	struct herald_pool *pool;
	char *path;         /* as in the request */
	char *decoded_path; /* decoded, as evhttp compares it */
	bool drop_half_closed;
	bool may_encrypt; /* the program itself creates the bufferevents */
	struct herald_log log;

	struct event *woken;  /* from wake_fd: `done` is not empty, or a stop may have ended */
	struct event *late;   /* the drain timeout has passed */
	struct event *grace;  /* the grace of idle connections has ended */
	struct event *resume; /* accept again after a pause */
	int wake_fd;
	void (*on_woken)(struct herald_libevent *adapter);

	struct herald__watch *watches;
	size_t watches_count;
	int64_t warned_s;     /* when a pause was last logged */
	bool has_loop_thread; /* `loop_thread` is set and has SIGPIPE blocked */
	pthread_t loop_thread;

	/* Called when a call ends. Frees the adapter if it is destroyed and this was the last
	 * call. */
	void (*call_ended)(struct herald_libevent *adapter);
	size_t calls_count;  /* those whose response has not been sent */
	size_t pooled_count; /* those that the pool or a store has, and those in `done` */
	struct herald__call *idle;
	size_t idle_count;

	uint32_t idle_grace_ms;
	bool stopping;
	bool in_grace;  /* stopping, but requests are still answered */
	bool destroyed; /* to be freed with the last call */
	herald_libevent_stopped *stopped;
	void *stopped_state;

	pthread_mutex_t lock; /* protects `done` and `is_woken` */
	pthread_cond_t has_done;
	struct herald__call *done;
	bool is_woken; /* the loop will take all of `done`, so it need not be woken again */
};

/* Wake the loop to look at the adapter. Any thread. Threads other than the loop's must hold
 * `lock`. */
void herald__libevent_wake(struct herald_libevent *adapter);

/* The callback of the event `woken`; its argument is the adapter. */
void herald__libevent_woken(evutil_socket_t fd, short what, void *adapter);

#endif
