/*
 * The connection without a socket. It knows the public functions only.
 */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/herald.h>

#define CHECK(CONDITION)                                                                           \
	((CONDITION) ? (void)0                                                                     \
		     : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #CONDITION), abort()))

static void
put(struct herald_buffer *out, const char *data, size_t bytes)
{
	if (bytes > 0)
		CHECK(herald_buffer_append(out, data, bytes) == HERALD_OK);
}

static void
put_text(struct herald_buffer *out, const char *text)
{
	put(out, text, strlen(text));
}

/* Functions. */

static enum herald_verdict
on_order(struct herald_context *ctx, const void *payload, void *state)
{
	const struct herald_json *json = payload;
	struct wire *wire = state;

	(void)ctx;
	if (wire->hold)
		wire->hold(wire->hold_state);
	put_text(&wire->given, "event ");
	put(&wire->given, json->data, json->bytes);
	put_text(&wire->given, "\n");
	return HERALD_DONE;
}

static void
check_text(struct herald_text text)
{
	CHECK(text.data[text.bytes] == '\0');
}

static void
note_request(struct wire *wire, const struct herald_server_request *request)
{
	const char *header = herald_server_request_header(request, "x-a");

	check_text(request->method);
	check_text(request->path);
	check_text(request->query);
	check_text(request->body);
	put(&wire->given, request->method.data, request->method.bytes);
	put_text(&wire->given, " ");
	put(&wire->given, request->path.data, request->path.bytes);
	put_text(&wire->given, "?");
	put(&wire->given, request->query.data, request->query.bytes);
	put_text(&wire->given, header ? " x-a=" : "");
	put_text(&wire->given, header ? header : "");
	put_text(&wire->given, " ");
	put(&wire->given, request->body.data, request->body.bytes);
	put_text(&wire->given, "\n");
}

static void
on_echo(struct herald_server_request *request, void *state)
{
	char text[1 + WIRE_MAX_BODY_BYTES] = "=";

	note_request(state, request);
	CHECK(request->body.bytes <= WIRE_MAX_BODY_BYTES);
	memcpy(text + 1, request->body.data, request->body.bytes);
	if (herald_server_answer_header(request, "X-Method", request->method.data) == HERALD_OK)
		(void)herald_server_answer(request, 201, "text/plain", text,
					   1 + request->body.bytes);
}

static void
on_large(struct herald_server_request *request, void *state)
{
	static char text[WIRE_LARGE_BYTES];

	note_request(state, request);
	memset(text, 'x', sizeof(text));
	(void)herald_server_answer(request, 200, "text/plain", text, sizeof(text));
}

static void
on_empty(struct herald_server_request *request, void *state)
{
	note_request(state, request);
	if (herald_server_answer_header(request, "X-A", "1") == HERALD_OK &&
	    herald_server_answer_header(request, "X-B", "2") == HERALD_OK)
		(void)herald_server_answer(request, 204, NULL, NULL, 0);
}

static void
on_unchanged(struct herald_server_request *request, void *state)
{
	note_request(state, request);
	(void)herald_server_answer(request, 304, "text/plain", "not sent", 8);
}

static void
on_silent(struct herald_server_request *request, void *state)
{
	note_request(state, request);
}

/* Lifetime. */

static enum herald_status
create_worker(struct wire *wire, struct herald_server_options options, herald_http_wake *wake)
{
	const char *methods = "GET, HEAD, POST, PUT";
	const struct herald_server_path paths[] = {
		{.path = "/",
		 .function = on_echo,
		 .state = wire,
		 .methods = methods,
		 .max_body_bytes = WIRE_MAX_BODY_BYTES},
		{.path = "/echo",
		 .function = on_echo,
		 .state = wire,
		 .methods = methods,
		 .max_body_bytes = WIRE_MAX_BODY_BYTES},
		{.path = "/large",
		 .function = on_large,
		 .state = wire,
		 .max_body_bytes = WIRE_MAX_BODY_BYTES},
		{.path = "/empty",
		 .function = on_empty,
		 .state = wire,
		 .max_body_bytes = WIRE_MAX_BODY_BYTES},
		{.path = "/unchanged",
		 .function = on_unchanged,
		 .state = wire,
		 .max_body_bytes = WIRE_MAX_BODY_BYTES},
		{.path = "/silent",
		 .function = on_silent,
		 .state = wire,
		 .max_body_bytes = WIRE_MAX_BODY_BYTES},
	};

	options.paths = paths;
	options.paths_count = HERALD_COUNT(paths);
	return herald_http_worker_create(wire->endpoint, &options, wake, wire, &wire->worker, NULL);
}

enum herald_status
wire_create(struct wire *wire, const struct herald_server_options *options, herald_http_wake *wake)
{
	const struct herald_server_options used =
		options ? *options : HERALD_SERVER_OPTIONS(.quiet = true);
	const struct herald_route routes[] = {
		{.event_type = "order_placed",
		 .schema = &herald_json_schema,
		 .function = on_order,
		 .state = wire},
	};
	enum herald_status status;

	*wire = (struct wire){.now_ms = 1000000};
	herald_buffer_init(&wire->given, NULL, 0);
	herald_buffer_init(&wire->output, NULL, 0);
	status = herald_service_create(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .allocator = used.allocator),
		&wire->service, NULL);
	if (status == HERALD_OK)
		status = herald_endpoint_create(
			wire->service,
			&HERALD_ENDPOINT_OPTIONS(.max_body_bytes = WIRE_MAX_EVENT_BYTES),
			&wire->endpoint, NULL);
	return status == HERALD_OK ? create_worker(wire, used, wake) : status;
}

void
wire_destroy(struct wire *wire)
{
	wire_disconnect(wire);
	herald_http_worker_destroy(wire->worker);
	herald_endpoint_destroy(wire->endpoint);
	herald_service_destroy(wire->service);
	herald_buffer_finish(&wire->given);
	herald_buffer_finish(&wire->output);
}

bool
wire_connect(struct wire *wire)
{
	CHECK(!wire->connection);
	wire->has_ended = false;
	wire->given.bytes = 0;
	wire->output.bytes = 0;
	wire->connection = herald_http_connection_create(wire->worker, wire, wire->now_ms);
	return wire->connection;
}

void
wire_disconnect(struct wire *wire)
{
	herald_http_connection_destroy(wire->connection);
	wire->connection = NULL;
}

/* Events. */

unsigned
wire_wants(const struct wire *wire)
{
	return wire->connection ? herald_http_connection_wants(wire->connection) : 0;
}

/* What holds at any time. */
static void
check_state(struct wire *wire)
{
	unsigned wants = wire_wants(wire);
	const char *data;
	size_t bytes = herald_http_connection_output(wire->connection, &data);

	CHECK(herald_http_connection_owner(wire->connection) == wire);
	if (wants & HERALD_HTTP_CLOSE) {
		CHECK(wants == HERALD_HTTP_CLOSE);
		wire_disconnect(wire);
		return;
	}
	CHECK((bytes > 0) == ((wants & HERALD_HTTP_WRITE) != 0));
	CHECK(!wire->has_ended || !(wants & HERALD_HTTP_READ));
	/* It does not wait forever for a client. */
	if (wants & (HERALD_HTTP_READ | HERALD_HTTP_WRITE | HERALD_HTTP_SHUTDOWN))
		CHECK(herald_http_connection_deadline(wire->connection) != UINT64_MAX);
	if (wants & HERALD_HTTP_IDLE)
		CHECK(wants == (HERALD_HTTP_READ | HERALD_HTTP_IDLE));
}

/* A block of its exact size, so that a read beyond it is seen. */
void
wire_receive(struct wire *wire, const char *data, size_t bytes)
{
	char *copy = malloc(bytes);

	CHECK(copy && bytes > 0);
	memcpy(copy, data, bytes);
	herald_http_connection_receive(wire->connection, copy, bytes, wire->now_ms);
	free(copy);
	check_state(wire);
}

void
wire_end(struct wire *wire)
{
	wire->has_ended = true;
	herald_http_connection_end(wire->connection, wire->now_ms);
	check_state(wire);
}

void
wire_expire(struct wire *wire)
{
	herald_http_connection_expire(wire->connection, wire->now_ms);
	check_state(wire);
}

size_t
wire_take(struct wire *wire)
{
	const char *data;
	size_t bytes = herald_http_connection_output(wire->connection, &data);

	if (wire->take_bytes > 0 && bytes > wire->take_bytes)
		bytes = wire->take_bytes;
	if (bytes == 0)
		return 0;
	put(&wire->output, data, bytes);
	herald_http_connection_sent(wire->connection, bytes, wire->now_ms);
	check_state(wire);
	return bytes;
}

void
wire_flush(struct wire *wire)
{
	while (wire->connection && wire_take(wire) > 0)
		;
}

void
wire_send(struct wire *wire, const char *data, size_t bytes)
{
	while (wire_wants(wire) & HERALD_HTTP_WRITE && !(wire_wants(wire) & HERALD_HTTP_READ))
		wire_take(wire);
	if (wire_wants(wire) & HERALD_HTTP_READ)
		wire_receive(wire, data, bytes);
}

/* Answers. */

/* An answer's head, as far as it is looked at. */
struct answer {
	unsigned status;
	size_t content_bytes;
	bool has_length, has_type, has_date, closes;
};

static bool
has_name(const char *line, const char *name)
{
	return strncmp(line, name, strlen(name)) == 0;
}

/* One line, without its end. */
static void
read_header(const char *line, size_t bytes, struct answer *answer, struct herald_buffer *out)
{
	for (size_t i = 0; i < bytes; i++)
		CHECK((unsigned char)line[i] >= ' ' && line[i] != 0x7f);
	CHECK(memchr(line, ':', bytes) && line[0] != ':' && line[0] != ' ');
	if (has_name(line, "Content-Length: ")) {
		CHECK(!answer->has_length);
		answer->has_length = true;
		answer->content_bytes = strtoul(line + strlen("Content-Length: "), NULL, 10);
	} else if (has_name(line, "Content-Type: ")) {
		CHECK(!answer->has_type);
		answer->has_type = true;
	} else if (has_name(line, "Date: ")) {
		CHECK(!answer->has_date && bytes == strlen("Date: Sun, 06 Nov 1994 08:49:37 GMT"));
		answer->has_date = true;
	} else if (has_name(line, "Connection: close\r\n")) {
		answer->closes = true;
	} else {
		put_text(out, " ");
		put(out, line, bytes);
	}
}

static const char *
find_line_end(const char *at, const char *end)
{
	const char *line_end = memchr(at, '\r', (size_t)(end - at));

	CHECK(line_end && line_end + 1 < end && line_end[1] == '\n');
	return line_end;
}

/* An answer to HEAD has no body: another one or nothing follows. */
static size_t
body_bytes(const struct answer *answer, const char *at, const char *end)
{
	static const char next[] = "HTTP/1.1 ";

	if (at == end || has_name(at, next))
		return 0;
	CHECK((size_t)(end - at) >= answer->content_bytes);
	return answer->content_bytes;
}

/* Returns where the next answer begins. */
static const char *
read_answer(const char *at, const char *end, struct answer *answer, struct herald_buffer *out)
{
	const char *line_end = find_line_end(at, end);
	char status[8];

	CHECK(has_name(at, "HTTP/1.1 ") && line_end - at > 13 && at[12] == ' ');
	answer->status = (unsigned)strtoul(at + strlen("HTTP/1.1 "), NULL, 10);
	snprintf(status, sizeof(status), "%u", answer->status);
	put_text(out, status);
	for (at = line_end + 2; *at != '\r'; at = line_end + 2) {
		line_end = find_line_end(at, end);
		read_header(at, (size_t)(line_end - at), answer, out);
	}
	CHECK(find_line_end(at, end) == at);
	at += 2;
	bool is_interim = answer->status < 200;
	CHECK(answer->has_date == !is_interim);
	CHECK(answer->has_length ==
	      (!is_interim && answer->status != 204 && answer->status != 304));
	size_t bytes = is_interim ? 0 : body_bytes(answer, at, end);
	CHECK(bytes == 0 || answer->has_type);
	put_text(out, bytes > 0 ? " " : "");
	/* A large one by its size. */
	if (bytes <= 512)
		put(out, at, bytes);
	else
		put_text(out, bytes == WIRE_LARGE_BYTES ? "large" : "?");
	put_text(out, answer->closes ? " close\n" : "\n");
	return at + bytes;
}

char *
wire_answers(const struct wire *wire)
{
	struct herald_buffer out;
	/* With a NUL at its end, for the functions of strings. */
	char *output = calloc(1, wire->output.bytes + 1);
	const char *at = output, *end = output + wire->output.bytes;
	bool is_last = false;

	CHECK(output);
	if (wire->output.bytes > 0)
		memcpy(output, wire->output.data, wire->output.bytes);
	herald_buffer_init(&out, NULL, 0);
	while (at < end) {
		struct answer answer = {0};

		CHECK(!is_last);
		at = read_answer(at, end, &answer, &out);
		is_last = answer.closes;
	}
	free(output);
	put(&out, "", 1);
	return out.data;
}
