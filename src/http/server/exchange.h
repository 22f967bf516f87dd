/*
 * What connection.c has exchange.c do with a request. Private.
 */
#ifndef HERALD_SRC_HTTP_SERVER_EXCHANGE_H
#define HERALD_SRC_HTTP_SERVER_EXCHANGE_H

#include "http/server/connection.h"
#include "http/server/head.h"

/*
 * A head has come, and what is there of its body.
 *
 * data        `bytes` bytes, of which the first `head_bytes` are the head.
 * Returns     how many of the bytes are used.
 */
size_t herald__exchange_begin(struct herald_http_connection *connection, struct herald__head *head,
			      char *data, size_t head_bytes, size_t bytes);

/* The next bytes of the body. */
void
herald__exchange_body(struct herald_http_connection *connection, const char *data, size_t bytes);

/* At least `bytes` more are to come: the rest of a chunk. Refuse the body if that is too much. */
void herald__exchange_announce(struct herald_http_connection *connection, uint64_t bytes);

/* The body is complete. */
void herald__exchange_end_body(struct herald_http_connection *connection);

/* Answer what cannot be read as a request, and close. */
void herald__exchange_refuse_head(struct herald_http_connection *connection,
				  struct herald__refusal refusal);

/* Answer a request whose body will not come to its end, or cannot be read, and close. */
void herald__exchange_refuse_body(struct herald_http_connection *connection,
				  struct herald__refusal refusal);

/* The pool has handled the event, or a store has it: answer it, unless the connection is closed. */
void herald__exchange_resume(struct herald_http_connection *connection);

/* End the request without an answer. */
void herald__exchange_finish(struct herald_http_connection *connection);

#endif
