/*
 * A request to a path of the user's own, and its answer. Private.
 */
#ifndef HERALD_SRC_HTTP_SERVER_CALL_H
#define HERALD_SRC_HTTP_SERVER_CALL_H

#include <stdbool.h>

#include "http/server/answer.h"
#include "http/server/worker.h"

struct herald__call {
	struct herald_server_request request; /* First: what the function sees. */
	const struct herald__head *head;
	struct herald_server *server; /* NULL: an adapter has the connection. */
	bool is_local;                /* All sockets of the server listen on loopback addresses. */
	struct herald_buffer *out;    /* The answer is appended here, */
	struct herald__answer_options options; /* with these; `headers` are set in the end. */
	struct herald_buffer headers;          /* that the function has added; whole lines */
	const struct herald_log *log;
	const char *allow; /* of the path */
	bool is_answered;
	unsigned http_status;      /* of the answer */
	enum herald_status status; /* why something of the answer was refused the last time */
};

/*
 * Call the path's function, or refuse the method.
 *
 * Returns  what to answer instead; its status is 0 if the answer has been appended.
 */
struct herald__refusal herald__call_run(struct herald__call *call, const struct herald__path *path);

/* The server that has received a request; NULL if an adapter has. */
struct herald_server *herald__call_server(const struct herald_server_request *request);

/* A call whose body has not come yet, with a copy of its head. */
struct herald__pending_call {
	const struct herald__path *path;
	struct herald__head head;
	struct herald_buffer body;
	size_t block_bytes; /* of this struct with what follows it: headers, bytes of the head */
};

/* Copy a head, which was read from the first `bytes` bytes of `data`; NULL when out of memory. */
struct herald__pending_call *
herald__pending_call_create(struct herald_http_worker *worker, const struct herald__path *path,
			    const struct herald__head *head, const char *data, size_t bytes);

/* NULL is allowed. */
void herald__pending_call_destroy(struct herald__pending_call *call);

#endif
