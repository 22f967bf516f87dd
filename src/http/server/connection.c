/*
 * A connection: which bytes belong to which request, who handles it, and what the connection waits
 * for. It owns the bytes of an incomplete head and of answers that have not been sent; sockets and
 * clocks are its caller's. docs/internals/http-server.md has a picture of the states.
 *
 * An event whose body has come with its head is decoded where it was received. Other bodies are
 * collected by the endpoint's request, whose memory goes back to the endpoint.
 */
#include "http/server/connection.h"

#include <assert.h>
#include <string.h>

#include <herald/adapter/memory.h>

#include "http/server/exchange.h"

/* Requests are read on while fewer bytes than this wait to be sent. */
#define MAX_UNSENT_BYTES ((size_t)64 << 10)
/* The most of an output's memory that is kept for the next one. */
#define MAX_SPARE_BYTES ((size_t)64 << 10)
/* After the last answer, how long the client may take to close its side: a connection that is
 * closed while bytes arrive is reset, and the client might lose the answer. */
#define CLOSE_TIMEOUT_MS 2000
/* A body must not be slower than the least rate after this time. */
#define RATE_GRACE_MS 5000

static const struct herald__refusal bad_chunks = {400, "the chunks of the body are malformed"};
static const struct herald__refusal incomplete_head = {400,
						       "the head of the request is incomplete"};
static const struct herald__refusal incomplete_body = {400,
						       "the body of the request is incomplete"};
static const struct herald__refusal slow_head = {408, "the head of the request came too slowly"};
static const struct herald__refusal slow_body = {408, "the body of the request came too slowly"};

/* Output. */

static size_t
unsent_bytes(const struct herald_http_connection *connection)
{
	return connection->output.bytes - connection->sent_bytes;
}

/* All is sent. */
static void
release_output(struct herald_http_connection *connection)
{
	struct herald_buffer *spare = &connection->worker->spare;

	connection->sent_bytes = 0;
	connection->output.bytes = 0;
	if (spare->data || connection->output.capacity > MAX_SPARE_BYTES) {
		herald_buffer_finish(&connection->output);
		return;
	}
	spare->data = connection->output.data;
	spare->capacity = connection->output.capacity;
	connection->output.data = NULL;
	connection->output.capacity = 0;
}

/* Drop what has been sent: a client that never takes all of the output must not make it grow. It is
 * called when at least as much has been sent as is left, so that bytes are seldom moved. */
static void
compact_output(struct herald_http_connection *connection)
{
	struct herald_buffer *out = &connection->output;

	out->bytes -= connection->sent_bytes;
	memmove(out->data, out->data + connection->sent_bytes, out->bytes);
	connection->sent_bytes = 0;
}

/* Input. */

static size_t
take_head(struct herald_http_connection *connection, char *data, size_t bytes)
{
	struct herald_http_worker *worker = connection->worker;
	struct herald__head head = {.headers = worker->headers};
	struct herald__refusal refusal;
	size_t head_bytes = herald__head_read(&head, &worker->limits, data, bytes, &refusal);

	connection->span = head.span;
	connection->span_end = head.span_end;
	connection->is_head = herald__head_is_head(&head);
	if (head_bytes > 0)
		return herald__exchange_begin(connection, &head, data, head_bytes, bytes);
	if (refusal.status == 0)
		return 0;
	herald__exchange_refuse_head(connection, refusal);
	return bytes;
}

static size_t
take_body(struct herald_http_connection *connection, const char *data, size_t bytes)
{
	size_t taken = bytes < connection->left_bytes ? bytes : (size_t)connection->left_bytes;

	connection->left_bytes -= taken;
	herald__exchange_body(connection, data, taken);
	if (connection->state == HERALD__READ_BODY && connection->left_bytes == 0)
		herald__exchange_end_body(connection);
	return taken;
}

static size_t
take_chunks(struct herald_http_connection *connection, const char *data, size_t bytes)
{
	struct herald_text piece;
	size_t taken = herald__chunks_read(&connection->chunks, data, bytes, &piece);

	uint64_t announced_bytes = piece.bytes;

	if (connection->chunks.state == HERALD__CHUNK_DATA)
		announced_bytes += connection->chunks.left_bytes;
	if (announced_bytes > 0)
		herald__exchange_announce(connection, announced_bytes);
	if (piece.bytes > 0 && connection->state == HERALD__READ_CHUNKS)
		herald__exchange_body(connection, piece.data, piece.bytes);
	if (connection->state != HERALD__READ_CHUNKS)
		return taken;
	if (connection->chunks.state == HERALD__CHUNKS_BAD)
		herald__exchange_refuse_body(connection, bad_chunks);
	else if (connection->chunks.state == HERALD__CHUNKS_END)
		herald__exchange_end_body(connection);
	return taken;
}

static size_t
take(struct herald_http_connection *connection, char *data, size_t bytes)
{
	switch (connection->state) {
	case HERALD__READ_HEAD:
		return take_head(connection, data, bytes);
	case HERALD__READ_BODY:
		return take_body(connection, data, bytes);
	case HERALD__READ_CHUNKS:
		return take_chunks(connection, data, bytes);
	case HERALD__HANDLING:
		return 0;
	default:
		return bytes;
	}
}

static bool
is_reading(const struct herald_http_connection *connection)
{
	return connection->state < HERALD__HANDLING && unsent_bytes(connection) < MAX_UNSENT_BYTES;
}

/* Returns how many bytes are used; the others wait. */
static size_t
consume(struct herald_http_connection *connection, char *data, size_t bytes)
{
	size_t used = 0;

	while (used < bytes && (is_reading(connection) || connection->state >= HERALD__CLOSING)) {
		size_t taken = take(connection, data + used, bytes - used);

		if (taken == 0)
			break;
		used += taken;
	}
	return used;
}

/* Go on with what has been received before. */
static void
consume_input(struct herald_http_connection *connection)
{
	struct herald_buffer *input = &connection->input;
	size_t used = consume(connection, input->data, input->bytes);

	input->bytes -= used;
	if (input->bytes == 0)
		herald_buffer_finish(input);
	else if (used > 0)
		memmove(input->data, input->data + used, input->bytes);
}

static void
keep_input(struct herald_http_connection *connection, const char *data, size_t bytes)
{
	if (bytes == 0 || herald_buffer_append(&connection->input, data, bytes) == HERALD_OK)
		return;
	/* An event that a pool handles is still answered. */
	connection->keeps_alive = false;
	herald_buffer_finish(&connection->input);
	if (connection->state != HERALD__HANDLING)
		connection->state = HERALD__CLOSED;
}

/* Whether more bytes only go on with a text of the head: the head is not read again for each. */
static bool
goes_on(const struct herald_http_connection *connection, const char *data, size_t bytes)
{
	return connection->state == HERALD__READ_HEAD && connection->span &&
	       connection->input.bytes + bytes <= connection->span_end &&
	       connection->span(data, bytes) == bytes;
}

/* Whether a part of a head has come, not just the empty line that may be before it. */
static bool
has_begun_head(const struct herald_http_connection *connection)
{
	const struct herald_buffer *input = &connection->input;

	if (input->bytes == 0)
		return false;
	return input->bytes > 2 || memcmp(input->data, "\r\n", input->bytes) != 0;
}

/* Waiting. */

static enum herald__waiting
waits_for(const struct herald_http_connection *connection)
{
	if (unsent_bytes(connection) > 0)
		return HERALD__WAITS_FOR_SENDING;
	switch (connection->state) {
	case HERALD__READ_HEAD:
		return connection->has_answered && !has_begun_head(connection)
			       ? HERALD__WAITS_FOR_REQUEST
			       : HERALD__WAITS_FOR_HEAD;
	case HERALD__READ_BODY:
	case HERALD__READ_CHUNKS:
		return HERALD__WAITS_FOR_BODY;
	case HERALD__CLOSING:
		return HERALD__WAITS_FOR_CLOSE;
	default:
		return HERALD__WAITS_FOR_NOTHING;
	}
}

/* After a change: what the connection waits for from now on. */
static void
update(struct herald_http_connection *connection, uint64_t now_ms)
{
	if (connection->has_ended && is_reading(connection)) {
		/* What is left is incomplete. */
		if (connection->state != HERALD__READ_HEAD)
			herald__exchange_refuse_body(connection, incomplete_body);
		else if (has_begun_head(connection))
			herald__exchange_refuse_head(connection, incomplete_head);
		herald_buffer_finish(&connection->input);
	}
	enum herald__waiting waiting = waits_for(connection);
	if (waiting == connection->waiting)
		return;
	connection->waiting = waiting;
	connection->since_ms = now_ms;
	connection->taken_bytes = 0;
}

static uint64_t
body_deadline(const struct herald_http_connection *connection)
{
	const struct herald_server_options *options = &connection->worker->options;
	uint64_t most = options->body_timeout_ms;
	uint64_t by_rate = RATE_GRACE_MS + connection->body_bytes * 1000 / options->min_bytes_per_s;

	return connection->since_ms + (by_rate < most ? by_rate : most);
}

uint64_t
herald_http_connection_deadline(const struct herald_http_connection *connection)
{
	const struct herald_server_options *options = &connection->worker->options;

	switch (connection->waiting) {
	case HERALD__WAITS_FOR_HEAD:
		return connection->since_ms + options->header_timeout_ms;
	case HERALD__WAITS_FOR_REQUEST:
		return connection->since_ms + options->idle_timeout_ms;
	case HERALD__WAITS_FOR_BODY:
		return body_deadline(connection);
	case HERALD__WAITS_FOR_SENDING:
		return connection->since_ms + options->send_timeout_ms;
	case HERALD__WAITS_FOR_CLOSE:
		return connection->since_ms + CLOSE_TIMEOUT_MS;
	default:
		return UINT64_MAX;
	}
}

/* Whether the client has taken so much output in the time for it that it gets this time again. */
static bool
takes_output(const struct herald_http_connection *connection)
{
	const struct herald_server_options *options = &connection->worker->options;
	uint64_t least = (uint64_t)options->min_bytes_per_s * options->send_timeout_ms / 1000;

	return connection->waiting == HERALD__WAITS_FOR_SENDING && connection->taken_bytes > least;
}

void
herald_http_connection_expire(struct herald_http_connection *connection, uint64_t now_ms)
{
	if (now_ms < herald_http_connection_deadline(connection))
		return;
	if (takes_output(connection))
		connection->waiting = HERALD__WAITS_FOR_NOTHING;
	else if (connection->waiting == HERALD__WAITS_FOR_HEAD && has_begun_head(connection))
		herald__exchange_refuse_head(connection, slow_head);
	else if (connection->waiting == HERALD__WAITS_FOR_BODY)
		herald__exchange_refuse_body(connection, slow_body);
	else
		connection->state = HERALD__CLOSED;
	update(connection, now_ms);
}

unsigned
herald_http_connection_wants(const struct herald_http_connection *connection)
{
	bool is_sent = unsent_bytes(connection) == 0;
	unsigned write = is_sent ? 0 : HERALD_HTTP_WRITE;
	unsigned read = connection->has_ended ? 0 : HERALD_HTTP_READ;

	if (connection->state == HERALD__CLOSED)
		return HERALD_HTTP_CLOSE;
	if (connection->state == HERALD__CLOSING && is_sent)
		return connection->has_ended ? HERALD_HTTP_CLOSE : HERALD_HTTP_SHUTDOWN | read;
	if (connection->state == HERALD__CLOSING || !is_reading(connection))
		return connection->state == HERALD__CLOSING ? write | read : write;
	if (connection->state != HERALD__READ_HEAD || !is_sent)
		return write | read;
	return connection->has_ended ? HERALD_HTTP_CLOSE : HERALD_HTTP_READ | HERALD_HTTP_IDLE;
}

/* The caller's events. */

void
herald_http_connection_receive(struct herald_http_connection *connection, char *data, size_t bytes,
			       uint64_t now_ms)
{
	if (connection->input.bytes == 0) {
		size_t used = consume(connection, data, bytes);

		keep_input(connection, data + used, bytes - used);
	} else {
		bool is_same = goes_on(connection, data, bytes);

		keep_input(connection, data, bytes);
		if (!is_same)
			consume_input(connection);
	}
	update(connection, now_ms);
}

void
herald_http_connection_end(struct herald_http_connection *connection, uint64_t now_ms)
{
	connection->has_ended = true;
	update(connection, now_ms);
}

void
herald__connection_refuse(struct herald_http_connection *connection, struct herald__refusal refusal,
			  uint64_t now_ms)
{
	herald__exchange_refuse_head(connection, refusal);
	update(connection, now_ms);
}

bool
herald__connection_stop(struct herald_http_connection *connection, uint64_t now_ms)
{
	static const struct herald__refusal stopping = {503, "the server is stopping"};

	if (!has_begun_head(connection))
		return false;
	herald__exchange_refuse_head(connection, stopping);
	update(connection, now_ms);
	return true;
}

size_t
herald_http_connection_output(const struct herald_http_connection *connection, const char **data)
{
	size_t bytes = unsent_bytes(connection);

	*data = bytes > 0 ? connection->output.data + connection->sent_bytes : NULL;
	return bytes;
}

void
herald_http_connection_sent(struct herald_http_connection *connection, size_t bytes,
			    uint64_t now_ms)
{
	connection->sent_bytes += bytes;
	connection->taken_bytes += bytes;
	if (unsent_bytes(connection) == 0)
		release_output(connection);
	else if (connection->sent_bytes >= unsent_bytes(connection))
		compact_output(connection);
	if (connection->input.bytes > 0 && is_reading(connection))
		consume_input(connection);
	update(connection, now_ms);
}

struct herald_http_connection *
herald__connection_resume_next(struct herald_http_worker *worker, uint64_t now_ms)
{
	struct herald__ready *ready = herald__worker_take_ready(worker);

	if (!ready)
		return NULL;
	struct herald_http_connection *connection =
		(struct herald_http_connection *)((char *)ready -
						  offsetof(struct herald_http_connection, ready));
	herald__exchange_resume(connection);
	if (connection->input.bytes > 0)
		consume_input(connection);
	update(connection, now_ms);
	return connection;
}

/* Lifetime. */

void
herald__connection_init(struct herald_http_connection *connection,
			struct herald_http_worker *worker, void *owner, uint64_t now_ms)
{
	*connection = (struct herald_http_connection){
		.worker = worker,
		.owner = owner,
		.since_ms = now_ms,
		.waiting = HERALD__WAITS_FOR_HEAD,
	};
	herald_buffer_init(&connection->input, &worker->options.allocator, 0);
	herald_buffer_init(&connection->output, &worker->options.allocator, 0);
}

bool
herald__connection_finish(struct herald_http_connection *connection)
{
	if (connection->is_offloaded) {
		atomic_store(&connection->is_gone, true);
		return false;
	}
	herald__exchange_finish(connection);
	herald_buffer_finish(&connection->input);
	herald_buffer_finish(&connection->output);
	return true;
}

void *
herald_http_connection_owner(const struct herald_http_connection *connection)
{
	return connection->owner;
}

/* Connections with a block of their own, which the public functions make. */

struct herald_http_connection *
herald_http_connection_create(struct herald_http_worker *worker, void *owner, uint64_t now_ms)
{
	struct herald_http_connection *connection =
		herald_memory_allocate(&worker->options.allocator, sizeof(*connection));

	if (connection)
		herald__connection_init(connection, worker, owner, now_ms);
	return connection;
}

void
herald_http_connection_destroy(struct herald_http_connection *connection)
{
	if (connection && herald__connection_finish(connection))
		herald_memory_release(&connection->worker->options.allocator, connection,
				      sizeof(*connection));
}

struct herald_http_connection *
herald_http_worker_resume(struct herald_http_worker *worker, uint64_t now_ms)
{
	struct herald_http_connection *connection;

	while ((connection = herald__connection_resume_next(worker, now_ms)) &&
	       atomic_load(&connection->is_gone))
		herald_http_connection_destroy(connection);
	return connection;
}

void
herald_http_worker_destroy(struct herald_http_worker *worker)
{
	if (!worker)
		return;
	/* Frees those that are gone; the others have been destroyed. */
	do {
		while (herald_http_worker_resume(worker, 0))
			assert(false);
	} while (herald__worker_wait(worker));
	herald__worker_destroy(worker);
}
