/*
 * The translation between CivetWeb's calls and the endpoint of herald/http.h. It owns how a body is
 * read, how an answer is written, and whether the connection may go on; it knows neither events nor
 * sockets, and holds nothing between requests.
 *
 * CivetWeb calls its handler when the head is there; the handler reads the body and writes the
 * answer, with its head, itself. That is done here, and not with mg_response_header_start(),
 * because that function refuses after a 100 Continue, and writes line by line.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/adapter/text.h>
#include <herald/civetweb.h>
#include <herald/http_adapter.h>

#include "head.h"

/* Of a chunked body that was refused, up to this many bytes are read, so that its sender sees
 * why. */
#define DROP_MAX_BYTES (16u << 20)

/* At a path of a server. */
struct herald_civetweb {
	char *path;
	struct herald_http *http;
};

/* Answers that do not depend on the endpoint. */

#define ERROR_RESPONSE(STATUS, TEXT)                                                               \
	{                                                                                          \
		.status = (STATUS), .content_type = "application/json",                            \
		.body = "{\"error\":\"" TEXT "\"}",                                                \
		.body_bytes = sizeof("{\"error\":\"" TEXT "\"}") - 1,                              \
	}

/* CivetWeb (1.15) leaves out, and says nothing, the headers for which it has no room. */
static const struct herald_http_response too_many_headers =
	ERROR_RESPONSE(431, "there are too many headers");

static const struct herald_http_response malformed =
	ERROR_RESPONSE(400, "the request's head is malformed, or can be read in two ways");

static const struct herald_http_response not_found = ERROR_RESPONSE(404, "Not Found");

/* What is known of a request besides the endpoint's part. */
struct exchange {
	struct mg_connection *connection;
	const struct mg_request_info *info;
	struct herald_http_framing framing;
	bool close;   /* The connection cannot be used again. */
	bool has_nul; /* In the body. */
};

/* What comes in. */

/* herald_http_head.header. */
static const char *
find_header(const char *name, void *state)
{
	const struct exchange *exchange = state;
	const struct mg_request_info *info = exchange->info;

	/* mg_get_header() compares by the process's locale. */
	for (int i = 0; i < info->num_headers; i++)
		if (herald_ascii_same(info->http_headers[i].name, name))
			return info->http_headers[i].value;
	return NULL;
}

/* Whether headers are missing that CivetWeb has no room for: one of them may tell where the body
 * ends. */
static bool
lacks_headers(const struct mg_request_info *info)
{
	return info->num_headers >= MG_MAX_HEADERS;
}

static void
read_framing(struct exchange *exchange)
{
	const struct mg_request_info *info = exchange->info;

	for (int i = 0; i < info->num_headers; i++)
		herald_http_framing_add(&exchange->framing, info->http_headers[i].name,
					info->http_headers[i].value);
	herald_http_framing_version(&exchange->framing, info->http_version);
	/* CivetWeb (1.15) looks for "Transfer-Encoding" by the process's locale, and so may miss it. */
	if (exchange->framing.chunked && !mg_get_header(exchange->connection, "Transfer-Encoding"))
		exchange->framing.ambiguous = true;
	exchange->framing.ambiguous |= !herald__head_is_whole(info);
}

/* Whether the client waits for 100 Continue; one of HTTP/1.0 does not know it. */
static bool
waits_to_continue(const struct exchange *exchange)
{
	const struct herald_http_framing *framing = &exchange->framing;
	bool has_body = framing->chunked || (framing->content_length != HERALD_HTTP_NO_LENGTH &&
					     framing->content_length > 0);

	return has_body && framing->expects_continue &&
	       strcmp(exchange->info->http_version, "1.1") == 0;
}

/*
 * mg_read(). After blank lines before a request CivetWeb (1.15) takes its head for the body; by
 * then there is NUL in it, which is in no JSON, and what is behind such a body is not known to be a
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
 * Read the body into the request, up to a refusal. mg_read() returns when all that it was asked for
 * is there, so it is asked for one byte more than the endpoint takes, and not for more.
 *
 * Returns  false when there is an end before the body's.
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

/* The rest of a body that was refused. */
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

/* What goes out. */

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

/* As CivetWeb will decide once the handler has returned. */
static bool
stays_open(const struct exchange *exchange)
{
	const struct mg_context *context = mg_get_context(exchange->connection);
	const char *enabled = mg_get_option(context, "enable_keep_alive");
	const char *wish = mg_get_header(exchange->connection, "Connection");

	if (exchange->close || !enabled || mg_strcasecmp(enabled, "yes") != 0)
		return false;
	if (wish)
		return finds(wish, "keep-alive");
	return strcmp(exchange->info->http_version, "1.1") == 0;
}

/* The head of an answer; more than there is room for all that an endpoint says. */
struct head {
	char text[1024];
	size_t bytes;
};

/* herald_http_header_sink. */
static void
add_header(const char *name, const char *value, void *state)
{
	struct head *head = state;
	size_t room = sizeof(head->text) - head->bytes;
	int bytes = snprintf(head->text + head->bytes, room, "%s: %s\r\n", name, value);

	if (bytes > 0 && (size_t)bytes < room)
		head->bytes += (size_t)bytes;
}

/* In one piece: in two, the second would wait for the client's acknowledgement of the first. */
static void
answer(struct exchange *exchange, const struct herald_http_response *response)
{
	struct head head = {.bytes = 0};
	bool has_body = strcmp(exchange->info->request_method, "HEAD") != 0;
	int status = (int)response->status;

	if (exchange->close)
		mg_disable_connection_keep_alive(exchange->connection);
	herald_http_response_headers(response, add_header, &head);
	add_header("Connection", stays_open(exchange) ? "keep-alive" : "close", &head);
	mg_printf(exchange->connection, "HTTP/1.1 %d %s\r\n%.*s\r\n%.*s", status,
		  mg_get_response_code_text(exchange->connection, status), (int)head.bytes,
		  head.text, has_body ? (int)response->body_bytes : 0, response->body);
}

/* From one end to the other. */

/* The answer to a request that is not refused by its head. */
static const struct herald_http_response *
receive(struct exchange *exchange, struct herald_http *http, struct herald_http_request *request)
{
	if (waits_to_continue(exchange))
		mg_printf(exchange->connection, "HTTP/1.1 100 Continue\r\n\r\n");
	if (read_body(exchange, request, herald_http_max_body_bytes(http)))
		return herald_http_request_finish(request);
	exchange->close = true;
	return herald_http_request_unreadable(request);
}

static const struct herald_http_response *
respond(struct exchange *exchange, struct herald_http *http, struct herald_http_request *request)
{
	const struct herald_http_response *refusal = herald_http_request_response(request);

	if (exchange->framing.ambiguous)
		refusal = herald_http_request_ambiguous(request);
	if (!refusal)
		return receive(exchange, http, request);
	exchange->close = herald_http_framing_must_close(&exchange->framing);
	return refusal;
}

/* The core's part, from the head to the answer. */
static int
handle(struct exchange *exchange, struct herald_http *http)
{
	const struct herald_http_head head = {
		.method = exchange->info->request_method,
		.content_type = exchange->framing.content_type,
		.content_length = exchange->framing.content_length,
		.header = find_header,
		.state = exchange,
	};
	struct herald_http_request *request = herald_http_request_create(http, &head);
	exchange->close = request == NULL;
	const struct herald_http_response *response =
		request ? respond(exchange, http, request) : herald_http_unavailable();
	int status = (int)response->status;
	exchange->close |= exchange->has_nul;
	answer(exchange, response);
	herald_http_request_destroy(request);
	if (!exchange->close)
		drop_body(exchange);
	return status;
}

/* An answer that needs no endpoint. */
static int
refuse(struct exchange *exchange, const struct herald_http_response *response, bool close)
{
	exchange->close = close;
	answer(exchange, response);
	if (!close)
		drop_body(exchange);
	return (int)response->status;
}

/* Read the head of a request. Returns 0, or the status of the answer if it was refused. */
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

/* mg_request_handler; CivetWeb calls it for everything that begins with the path, in any case. */
static int
on_request(struct mg_connection *connection, void *state)
{
	const struct herald_civetweb *civetweb = state;
	struct exchange exchange;
	int refused = begin(&exchange, connection);

	if (refused)
		return refused;
	if (!exchange.framing.ambiguous && !herald__head_path_is(exchange.info, civetweb->path))
		return refuse(&exchange, &not_found,
			      herald_http_framing_must_close(&exchange.framing));
	return handle(&exchange, civetweb->http);
}

int
herald_civetweb_begin_request(struct mg_connection *connection)
{
	struct exchange exchange;
	int refused = begin(&exchange, connection);

	if (refused)
		return refused;
	return exchange.framing.ambiguous ? refuse(&exchange, &malformed, true) : 0;
}

/* The place in a server. */

static enum herald_status
out_of_memory(struct herald_error *error)
{
	return herald_error_set(error, HERALD_NO_MEMORY, HERALD_NO_OFFSET, "%s",
				herald_status_text(HERALD_NO_MEMORY));
}

enum herald_status
herald_civetweb_attach(struct mg_context *context, const char *path, struct herald_http *http,
		       struct herald_civetweb **out, struct herald_error *error)
{
	enum herald_status status = herald_http_path_check("path", path, error);

	if (status == HERALD_OK && strchr(path, '%')) {
		status = herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET,
					  "path must have no escapes: CivetWeb decodes them");
		if (error)
			strcpy(error->path, "path");
	}
	if (status != HERALD_OK)
		return status;

	struct herald_civetweb *civetweb = calloc(1, sizeof(*civetweb));
	if (civetweb)
		civetweb->path = strdup(path);
	if (!civetweb || !civetweb->path) {
		free(civetweb);
		return out_of_memory(error);
	}
	civetweb->http = http;
	mg_set_request_handler(context, path, on_request, civetweb);
	*out = civetweb;
	return HERALD_OK;
}

void
herald_civetweb_destroy(struct herald_civetweb *civetweb)
{
	if (!civetweb)
		return;
	free(civetweb->path);
	free(civetweb);
}
