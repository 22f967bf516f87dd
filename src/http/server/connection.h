/*
 * A connection's inside, so that the server can embed it. Private.
 */
#ifndef HERALD_SRC_HTTP_SERVER_CONNECTION_H
#define HERALD_SRC_HTTP_SERVER_CONNECTION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/connection.h>
#include <herald/adapter/offload.h>
#include <herald/buffer.h>

#include "http/server/call.h"
#include "http/server/chunks.h"
#include "http/server/worker.h"

enum herald__connection_state {
	HERALD__READ_HEAD, /* also: no request */
	HERALD__READ_BODY,
	HERALD__READ_CHUNKS,
	HERALD__HANDLING, /* on the pool, or by a store; it may become CLOSED meanwhile */
	HERALD__CLOSING,  /* the last answer is there; what the client still sends is dropped */
	HERALD__CLOSED,
};

/* The reason of a deadline. The time begins anew when the connection waits for something else. */
enum herald__waiting {
	HERALD__WAITS_FOR_NOTHING,
	HERALD__WAITS_FOR_REQUEST, /* after an answer */
	HERALD__WAITS_FOR_HEAD, /* from its first byte; of the first request, from the beginning */
	HERALD__WAITS_FOR_BODY,
	HERALD__WAITS_FOR_SENDING,
	HERALD__WAITS_FOR_CLOSE,
};

struct herald_http_connection {
	struct herald_http_worker *worker;
	void *owner;
	enum herald__connection_state state;
	enum herald__waiting waiting;
	uint64_t since_ms; /* when it began to wait for that */

	/* The client. */
	bool has_ended;      /* closed its side */
	bool has_answered;   /* had a request before */
	atomic_bool is_gone; /* finished while is_offloaded */

	/* The request. */
	bool is_head; /* as soon as the method is there */
	bool is_http10;
	bool keeps_alive;
	bool is_offloaded;   /* a pool or a store has the event, and uses the connection */
	uint64_t left_bytes; /* of a body with a length */
	uint64_t body_bytes; /* that have come */
	struct herald__chunks chunks;
	struct herald_http_request *request; /* NULL: the body belongs to a call, or is dropped */
	struct herald__pending_call *call;   /* likewise */
	struct herald_offload work;
	struct herald__ready ready; /* in the worker's list, when there is a response */

	/* Memory; both are empty while the connection is idle. */
	struct herald_buffer input; /* what has come of a head, or after the request */
	herald__span *span;         /* of a head in `input`; see struct herald__head */
	size_t span_end;
	struct herald_buffer output;
	size_t sent_bytes;    /* of the output */
	uint64_t taken_bytes; /* that the client has taken since it has to */
};

/* The caller's storage; then `worker` and `owner` may be used. */
void herald__connection_init(struct herald_http_connection *connection,
			     struct herald_http_worker *worker, void *owner, uint64_t now_ms);

/* Answer what was sent instead of a first request, and close. */
void herald__connection_refuse(struct herald_http_connection *connection,
			       struct herald__refusal refusal, uint64_t now_ms);

/* The grace of a stop has passed, and the connection is idle: if a part of a head has come, answer
 * 503, and close. False: nothing has come. */
bool herald__connection_stop(struct herald_http_connection *connection, uint64_t now_ms);

/*
 * herald_http_worker_resume(), but a connection that is gone is returned, too. It is then closed,
 * and to be finished again.
 */
struct herald_http_connection *
herald__connection_resume_next(struct herald_http_worker *worker, uint64_t now_ms);

/* False: a pool or a store has its event. Then it is gone, to be resumed when that is done and
 * finished again. */
bool herald__connection_finish(struct herald_http_connection *connection);

#endif
