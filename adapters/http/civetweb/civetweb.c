/*
 * Connects CivetWeb's callbacks to an endpoint: reads the body, writes the response, and decides
 * whether the connection stays open. Knows neither events nor sockets, and keeps nothing between
 * requests.
 *
 * CivetWeb calls its handler when the head is complete; the handler reads the body and writes the
 * whole response, including its head. It does not use mg_response_header_start(), because that
 * function refuses to work after a 100 Continue, and writes line by line.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/adapter/drain.h>
#include <herald/adapter/http.h>
#include <herald/adapter/options.h>
#include <herald/adapter/text.h>
#include <herald/buffer.h>
#include <herald/civetweb.h>

#include "head.h"

#define DEFAULT_PATH "/event"

/* The maximum number of bytes that are read and dropped of a refused chunked body, so that its
 * sender sees the response. */
#define DROP_MAX_BYTES (16u << 20)

/* The adapter at a path of a server. */
struct herald_civetweb {
	char *path;
	uint32_t idle_grace_ms;
	struct herald_http_drain drain;
	struct herald_endpoint *endpoint;
};

/* Responses that do not depend on the endpoint. */

#define ERROR_RESPONSE(STATUS, TEXT)                                                               \
	{                                                                                          \
		.status = (STATUS), .content_type = "application/json",                            \
		.body = "{\"error\":\"" TEXT "\"}",                                                \
		.body_bytes = sizeof("{\"error\":\"" TEXT "\"}") - 1,                              \
	}

/* CivetWeb (1.15) silently drops headers for which it has no room. */
static const struct herald_http_response too_many_headers = ERROR_RESPONSE(431, "too many headers");

static const struct herald_http_response not_found = ERROR_RESPONSE(404, "Not Found");

/* The state of one request, besides the endpoint's. */
struct exchange {
	struct mg_connection *connection;
	const struct mg_request_info *info;
	struct herald_http_framing framing;
	struct herald_http_drain *drain; /* NULL: no adapter has the request yet */
	bool is_last;                    /* The connection is closed once the body has been read. */
	bool close;                      /* The connection cannot be used again. */
	bool has_nul;                    /* The body contains a NUL. */
};

/* Reading the request. */

/* The herald_http_head.headers_visit callback. */
static void
visit_headers(herald_attribute_visitor *visit, void *visit_state, void *state)
{
	const struct exchange *exchange = state;
	const struct mg_request_info *info = exchange->info;

	for (int i = 0; i < info->num_headers; i++)
		if (!visit(info->http_headers[i].name, info->http_headers[i].value, visit_state))
			return;
}

/* Whether CivetWeb has dropped headers for lack of room. One of them may say where the body
 * ends. */
static bool
lacks_headers(const struct mg_request_info *info)
{
	return info->num_headers >= MG_MAX_HEADERS;
}

/* Whether CivetWeb is told to decode the query, so that it cannot be checked. */
static bool
decodes_queries(const struct mg_connection *connection)
{
	const char *decodes = mg_get_option(mg_get_context(connection), "decode_query_string");

	return decodes && mg_strcasecmp(decodes, "yes") == 0;
}

static void
read_framing(struct exchange *exchange)
{
	const struct mg_request_info *info = exchange->info;

	for (int i = 0; i < info->num_headers; i++)
		herald_http_framing_add(&exchange->framing, info->http_headers[i].name,
					info->http_headers[i].value);
	/* CivetWeb (1.15) decodes the path in place, and takes a fragment for a part of it. */
	herald_http_framing_request_line(&exchange->framing, info->request_method, NULL,
					 info->http_version);
	herald_http_framing_target_part(&exchange->framing, herald__head_path(info));
	if (!decodes_queries(exchange->connection))
		herald_http_framing_target_part(&exchange->framing, info->query_string);
	/* CivetWeb (1.15) compares "Transfer-Encoding" in the process's locale and may miss it. */
	if (exchange->framing.chunked && !mg_get_header(exchange->connection, "Transfer-Encoding"))
		exchange->framing.problem = "Transfer-Encoding is not readable in this locale";
	if (!herald__head_is_whole(info))
		exchange->framing.problem = "a line of the head is malformed";
}

/* Whether the client waits for 100 Continue, which HTTP/1.0 does not have. */
static bool
waits_to_continue(const struct exchange *exchange)
{
	const struct herald_http_framing *framing = &exchange->framing;

	return herald_http_framing_has_body(framing) && framing->expects_continue &&
	       strcmp(exchange->info->http_version, "1.1") == 0;
}

/*
 * Calls mg_read(). If blank lines precede a request, CivetWeb (1.15) takes its head for the body.
 * The head then contains a NUL, which no JSON does, and what follows such a body may not be a
 * request.
 */
static int
read_piece(struct exchange *exchange, char *piece, size_t size)
{
	int bytes = mg_read(exchange->connection, piece, size);

	if (bytes > 0 && memchr(piece, '\0', (size_t)bytes))
		exchange->has_nul = true;
	return bytes;
}

/*
 * Read the body into the request until it ends or is refused. mg_read() returns only when it has
 * all that was asked for, so ask for at most one byte more than the endpoint accepts.
 *
 * Returns  false if the body is incomplete.
 */
static bool
read_body(struct exchange *exchange, struct herald_http_request *request, size_t max_bytes)
{
	const struct herald_http_framing *framing = &exchange->framing;
	bool has_length = framing->content_length != HERALD_HTTP_NO_LENGTH;
	uint64_t declared = has_length ? framing->content_length : 0;
	char piece[8192];
	size_t received = 0;

	for (;;) {
		size_t room = max_bytes - received;
		int bytes = read_piece(exchange, piece,
				       room < sizeof(piece) ? room + 1 : sizeof(piece));
		if (bytes < 0)
			return false;
		if (bytes == 0)
			return framing->chunked || received == declared;
		if (!herald_http_request_append(request, piece, (size_t)bytes))
			return true;
		received += (size_t)bytes;
	}
}

/* Read and drop the rest of a refused body. */
static void
drop_body(struct exchange *exchange)
{
	char piece[8192];
	size_t dropped = 0;
	int bytes = 1;

	while (bytes > 0 && dropped < DROP_MAX_BYTES) {
		bytes = read_piece(exchange, piece, sizeof(piece));
		if (bytes > 0)
			dropped += (size_t)bytes;
	}
	if (bytes > 0 || exchange->has_nul)
		mg_disable_connection_keep_alive(exchange->connection);
}

/* Writing the response. */

/* Whether CivetWeb finds a text, by its own comparison. */
static bool
finds(const char *text, const char *wanted)
{
	size_t bytes = strlen(wanted);

	for (; strlen(text) >= bytes; text++)
		if (mg_strncasecmp(text, wanted, bytes) == 0)
			return true;
	return false;
}

/* Whether CivetWeb will keep the connection open after the handler. */
static bool
stays_open(const struct exchange *exchange)
{
	const struct mg_context *context = mg_get_context(exchange->connection);
	const char *enabled = mg_get_option(context, "enable_keep_alive");
	const char *wish = mg_get_header(exchange->connection, "Connection");

	if (exchange->close || exchange->is_last || !enabled || mg_strcasecmp(enabled, "yes") != 0)
		return false;
	if (wish)
		return finds(wish, "keep-alive");
	return strcmp(exchange->info->http_version, "1.1") == 0;
}

/* Large enough for most heads. */
#define HEAD_BYTES 512

/* A response as it is sent: head and body. */
struct text {
	struct herald_buffer buffer;
	bool failed; /* out of memory */
};

static void
add(struct text *text, const char *data, size_t bytes)
{
	text->failed |= herald_buffer_append(&text->buffer, data, bytes) != HERALD_OK;
}

/* The herald_http_header_sink. */
static bool
add_header(const char *name, const char *value, void *state)
{
	struct text *text = state;

	add(text, name, strlen(name));
	add(text, ": ", 2);
	add(text, value, strlen(value));
	add(text, "\r\n", 2);
	return !text->failed;
}

static void
add_answer(struct text *text, const struct exchange *exchange,
	   const struct herald_http_response *response)
{
	bool has_body = strcmp(exchange->info->request_method, "HEAD") != 0;
	char line[64];

	snprintf(line, sizeof(line), "HTTP/1.1 %u %s\r\n", response->status,
		 herald_http_reason(response->status));
	add(text, line, strlen(line));
	herald_http_response_headers(response, add_header, text);
	add_header("Connection", stays_open(exchange) ? "keep-alive" : "close", text);
	add(text, "\r\n", 2);
	if (has_body)
		add(text, response->body, response->body_bytes);
}

/* Write the response at once: if split, the second part would wait for the client to acknowledge
 * the first. If out of memory, close the connection without a response. */
static void
answer(struct exchange *exchange, const struct herald_http_response *response)
{
	struct text text = {.failed = false};

	exchange->is_last = exchange->framing.asks_to_close ||
			    (exchange->drain && herald_http_drain_is_stopping(exchange->drain));
	if (exchange->close || exchange->is_last)
		mg_disable_connection_keep_alive(exchange->connection);
	herald_buffer_init(&text.buffer, NULL, 0);
	text.failed =
		herald_buffer_reserve(&text.buffer, HEAD_BYTES + response->body_bytes) != HERALD_OK;
	add_answer(&text, exchange, response);
	if (text.failed) {
		exchange->close = true;
		mg_disable_connection_keep_alive(exchange->connection);
	} else {
		mg_write(exchange->connection, text.buffer.data, text.buffer.bytes);
	}
	herald_buffer_finish(&text.buffer);
}

/* Handling a request. */

/* The response to a request whose head was accepted. */
static const struct herald_http_response *
receive(struct exchange *exchange, struct herald_endpoint *endpoint,
	struct herald_http_request *request)
{
	if (waits_to_continue(exchange))
		mg_printf(exchange->connection, "HTTP/1.1 100 Continue\r\n\r\n");
	if (read_body(exchange, request, herald_endpoint_max_body_bytes(endpoint)))
		return herald_http_request_finish(request);
	exchange->close = true;
	return herald_http_request_unreadable(request);
}

static const struct herald_http_response *
respond(struct exchange *exchange, struct herald_endpoint *endpoint,
	struct herald_http_request *request)
{
	const struct herald_http_response *refusal = herald_http_request_response(request);

	if (exchange->framing.problem)
		refusal = herald_http_request_ambiguous(request, exchange->framing.problem);
	if (!refusal)
		return receive(exchange, endpoint, request);
	exchange->close = herald_http_framing_must_close(&exchange->framing);
	return refusal;
}

/* Whether the body may contain NULs, so that read_piece() cannot see a head in it. */
static bool
is_coded(const struct exchange *exchange)
{
	const char *coding = exchange->framing.content_encoding;

	return coding && *coding != '\0' && !herald_ascii_same(coding, "identity");
}

/* Handle a request by the endpoint. */
static int
handle(struct exchange *exchange, struct herald_endpoint *endpoint)
{
	const struct herald_http_head head = {
		.method = exchange->info->request_method,
		.content_type = exchange->framing.content_type,
		.content_encoding = exchange->framing.content_encoding,
		.content_length = exchange->framing.content_length,
		.headers_visit = visit_headers,
		.query = exchange->info->query_string,
		.state = exchange,
		.drain = exchange->drain,
	};
	struct herald_http_request *request = herald_http_request_create(endpoint, &head);
	exchange->close = !request;
	const struct herald_http_response *response =
		request ? respond(exchange, endpoint, request) : herald_http_unavailable();
	int status = (int)response->status;
	exchange->close |= exchange->has_nul || is_coded(exchange);
	answer(exchange, response);
	herald_http_request_destroy(request);
	if (!exchange->close)
		drop_body(exchange);
	return status;
}

/* Respond without the endpoint. */
static int
refuse(struct exchange *exchange, const struct herald_http_response *response, bool close)
{
	exchange->close = close;
	answer(exchange, response);
	if (!close)
		drop_body(exchange);
	return (int)response->status;
}

/* Respond to a head that is malformed or ambiguous. */
static int
refuse_head(struct exchange *exchange)
{
	char body[256];
	int bytes = snprintf(body, sizeof(body), "{\"error\":\"%s\"}", exchange->framing.problem);

	return refuse(exchange,
		      &(struct herald_http_response){
			      .status = herald_http_problem_status(exchange->framing.problem),
			      .content_type = "application/json",
			      .body = body,
			      .body_bytes = (size_t)bytes,
		      },
		      true);
}

/* Read the head of a request. Returns 0, or the status of the response if the request was
 * refused. */
static int
begin(struct exchange *exchange, struct mg_connection *connection)
{
	*exchange = (struct exchange){
		.connection = connection,
		.info = mg_get_request_info(connection),
		.framing = HERALD_HTTP_FRAMING_INIT,
	};
	if (lacks_headers(exchange->info))
		return refuse(exchange, &too_many_headers, true);
	read_framing(exchange);
	return 0;
}

/* The mg_request_handler. CivetWeb calls it for every path that begins with this one, ignoring
 * case. */
static int
on_request(struct mg_connection *connection, void *state)
{
	struct herald_civetweb *civetweb = state;
	struct exchange exchange;
	int refused = begin(&exchange, connection);

	if (refused)
		return refused;
	exchange.drain = &civetweb->drain;
	if (!exchange.framing.problem && !herald__head_path_is(exchange.info, civetweb->path))
		return refuse(&exchange, &not_found,
			      herald_http_framing_must_close(&exchange.framing));
	return handle(&exchange, civetweb->endpoint);
}

int
herald_civetweb_begin_request(struct mg_connection *connection)
{
	struct exchange exchange;
	int refused = begin(&exchange, connection);

	if (refused)
		return refused;
	if (exchange.framing.problem)
		return refuse_head(&exchange);
	/* CivetWeb (1.15) keeps a connection with "keep-alive", whatever else is listed. */
	if (exchange.framing.asks_to_close)
		mg_disable_connection_keep_alive(connection);
	return 0;
}

/* Creating, stopping and destroying. */

static enum herald_status
read_options(const struct herald_civetweb_options *options, struct herald_civetweb_options *out,
	     struct herald_error *error)
{
	enum herald_status status =
		herald_options_read(options, out, sizeof(*out), "HERALD_CIVETWEB_OPTIONS", error);

	if (status != HERALD_OK)
		return status;
	if (!out->path)
		out->path = DEFAULT_PATH;
	status = herald_http_path_check("path", out->path, error);
	if (status == HERALD_OK && strchr(out->path, '%'))
		status = herald_option_refuse(error, "path",
					      "must have no escapes: CivetWeb decodes them");
	return status;
}

enum herald_status
herald_civetweb_create(struct herald_endpoint *endpoint,
		       const struct herald_civetweb_options *options, struct herald_civetweb **out,
		       struct herald_error *error)
{
	struct herald_civetweb_options read;
	enum herald_status status = read_options(options, &read, error);

	if (status != HERALD_OK)
		return status;

	struct herald_civetweb *civetweb = calloc(1, sizeof(*civetweb));
	if (civetweb)
		civetweb->path = strdup(read.path);
	if (!civetweb || !civetweb->path || !herald_http_drain_init(&civetweb->drain)) {
		if (civetweb)
			free(civetweb->path);
		free(civetweb);
		return herald_out_of_memory(error);
	}
	civetweb->endpoint = endpoint;
	civetweb->idle_grace_ms = read.idle_grace_ms;
	*out = civetweb;
	return HERALD_OK;
}

void
herald_civetweb_attach(struct herald_civetweb *civetweb, const struct mg_context *context)
{
	/* CivetWeb passes a const pointer to init_context, although handlers are set there. */
	mg_set_request_handler((struct mg_context *)(uintptr_t)context, civetweb->path, on_request,
			       civetweb);
}

size_t
herald_civetweb_stop(struct herald_civetweb *civetweb, uint32_t drain_ms)
{
	if (!civetweb)
		return 0;
	return herald_http_drain_stop(&civetweb->drain, civetweb->idle_grace_ms, drain_ms);
}

void
herald_civetweb_destroy(struct herald_civetweb *civetweb)
{
	if (!civetweb)
		return;
	herald_http_drain_finish(&civetweb->drain);
	free(civetweb->path);
	free(civetweb);
}
