/*
 * The requests of an endpoint: their memory, which is reused, and the number in flight. A request
 * is handled in request.c.
 */
#ifndef HERALD_SRC_HTTP_REQUEST_POOL_H
#define HERALD_SRC_HTTP_REQUEST_POOL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/drain.h>
#include <herald/adapter/request.h>
#include <herald/allocator.h>
#include <herald/arena.h>
#include <herald/buffer.h>
#include <herald/export.h>

/* The maximum memory for a body that is retained for the next request, or reserved for a declared
 * length. */
#define HERALD__RETAINED_BODY_BYTES ((size_t)64 << 10)

/*
 * The size of a response's body: the message and the path, at most 255 bytes each, and the JSON
 * around them. Each byte of the message may become six, as in "\u001f".
 */
#define HERALD__ANSWER_BYTES 4096

/* A header that is retained for handlers and functions. */
struct herald__attribute {
	const char *name;
	const char *value;
	struct herald__attribute *next;
};

/* The response to an OPTIONS request of a webhook. */
struct herald__handshake {
	struct herald_answer_header headers[2];
	char rate[12];
};

struct herald__http_batch;

struct herald_http_request {
	struct herald_endpoint *endpoint; /* set by request.c */
	struct herald_http_drain *drain;  /* set by request.c; may be NULL */
	struct herald_http_request *next_idle;
	struct herald_http_request **spare; /* where it goes when it is returned; may be NULL */
	uint64_t queued_ns; /* when it began to wait for a thread; 0: does not wait */
	bool is_stored;     /* the service's store has the event, or has answered */
	bool is_batch;      /* the body is several events */
	bool is_lines;      /* and each has a line of its own */
	bool is_whole; /* an event was found in all of the body; see herald/adapter/request.h */
	bool answered; /* `response` is final; the rest of the body is ignored */
	struct herald_http_response response;
	struct herald_buffer body;
	const struct herald_content_coding *coding; /* of the body; NULL: none */
	void *decoder;                              /* of the coding; NULL: not begun */
	size_t coded_bytes;                         /* passed to the decoder */
	struct herald_context *ctx; /* for its events, one after the other; NULL before the first */
	struct herald_arena *headers; /* for what is kept of them; NULL until a request needs it */
	const char *content_type;     /* for the service's store; NULL: missing, or not needed */
	const struct herald_format *format;   /* of the event; NULL: not known yet */
	struct herald__attribute *attributes; /* the headers that the service needs, in order */
	struct herald__attribute **attributes_end;
	struct herald__http_batch *batch; /* the last one; retained. NULL: none so far */
	size_t batch_bytes;               /* of its struct */
	struct herald_buffer statuses;    /* the response to a batch of Dapr's, or to lines */
	struct herald__handshake handshake;
	char answer[HERALD__ANSWER_BYTES];
};

struct herald__request_pool {
	struct herald_allocator allocator;
	size_t max_body_bytes;
	size_t max_idle;

	/* The number taken and not yet returned; the top bit is set while a stop waits. */
	atomic_size_t in_flight;
	pthread_mutex_t mutex;  /* protects the members below */
	pthread_cond_t drained; /* signalled when none is in flight; uses the monotonic clock */
	struct herald_http_request *idle;
	size_t idle_count;
};

/* `allocator`, `max_body_bytes` and `max_idle` must be set. Returns false when out of memory. */
HERALD_MUST_CHECK bool herald__request_pool_init(struct herald__request_pool *pool);

/* No request may be in flight. */
void herald__request_pool_finish(struct herald__request_pool *pool);

/*
 * Take a request without a response and with an empty body. Does not set `endpoint`.
 *
 * spare    a request that its caller keeps from one event to the next, which needs no lock: it is
 *          taken if there is one, and the request will be returned there. Used by one thread. NULL:
 *          none.
 * Returns  NULL when out of memory.
 */
struct herald_http_request *
herald__request_pool_take(struct herald__request_pool *pool, struct herald_http_request **spare);

/* Free a spare request. NULL is allowed. */
void
herald__request_pool_free(struct herald__request_pool *pool, struct herald_http_request *spare);

/* Return a request, which is retained or freed. */
void
herald__request_pool_give(struct herald__request_pool *pool, struct herald_http_request *request);

/* Wait until no request is in flight or `drain_ms` have passed. Returns the number still in
 * flight. */
size_t herald__request_pool_drain(struct herald__request_pool *pool, uint32_t drain_ms);

/* Free the memory of a body that is too large to be retained. */
void herald__request_release_large_body(struct herald_http_request *request);

#endif
