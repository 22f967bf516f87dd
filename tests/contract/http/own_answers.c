/*
 * The contract, part 10: answers of functions, byte by byte, and the headers that functions read.
 * Status, type, headers and body are as a function set them, and the connection still works: the
 * next responses show this.
 *
 * Some answers are fixed, others random. The seed is printed; HERALD_TEST_SEED sets it.
 */
#include "own_answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "probe.h"
#include "support/draw.h"

#define DRAWS 150
/* With what a test's client takes of a body, and a server in front of a head. */
#define MAX_BODY 30000
#define MAX_HEADERS 6
#define MAX_VALUE 200
#define MAX_EVENT_BYTES ((size_t)32 << 10)

/* The function: it answers as the event says. */

struct own_header {
	const char *name;
	const char *value;
};
HERALD_SCHEMA(own_header,
	HERALD_FIELD(own_header, name, .required = true),
	HERALD_FIELD(own_header, value, .required = true));

struct own_answer {
	const char *verdict;
	uint32_t status;         /* 0: none of its own */
	const char *type;        /* NULL: no body of its own */
	struct herald_text body; /* repeated; '~' is a NUL, and '^' a byte that is not UTF-8 */
	uint32_t times;
	const struct own_header *headers;
	size_t headers_count;
};
HERALD_SCHEMA(own_answer,
	HERALD_FIELD(own_answer, verdict, .required = true),
	HERALD_FIELD(own_answer, status),
	HERALD_FIELD(own_answer, type),
	HERALD_FIELD(own_answer, body),
	HERALD_FIELD(own_answer, times),
	HERALD_LIST(own_answer, headers, own_header));

/* Write the body, and return its size. */
static size_t
write_body(const struct own_answer *wanted, char *out)
{
	size_t bytes = wanted->body.bytes * wanted->times;

	for (size_t i = 0; i < bytes; i++) {
		char c = wanted->body.data[i % wanted->body.bytes];

		out[i] = c == '~' ? '\0' : c == '^' ? '\xff' : c;
	}
	return bytes;
}

static enum herald_verdict
on_own_answer(struct herald_context *ctx, const struct own_answer *wanted)
{
	for (size_t i = 0; i < wanted->headers_count; i++)
		switch (herald_context_header(ctx, wanted->headers[i].name,
					      wanted->headers[i].value)) {
		case HERALD_OK:
			break;
		case HERALD_NO_MEMORY:
			return herald_retry(ctx, "out of memory");
		default:
			return herald_fail(ctx, "header %zu was refused", i);
		}
	if (strcmp(wanted->verdict, "fail") == 0)
		return herald_fail_status(ctx, wanted->status, "failed");
	if (strcmp(wanted->verdict, "retry") == 0)
		return herald_retry(ctx, "busy");
	if (!wanted->type)
		return wanted->status ? herald_done_status(ctx, wanted->status) : HERALD_DONE;

	char *body = herald_context_alloc(ctx, wanted->body.bytes * wanted->times + 1);
	if (!body)
		return herald_retry(ctx, "out of memory");
	return herald_done_text(ctx, wanted->status, wanted->type, body, write_body(wanted, body));
}
HERALD_FUNCTION(on_own_answer, own_answer);

/* Another one: it answers with the headers that it sees, a line each. */

struct nothing {
	bool unused;
};
HERALD_SCHEMA(nothing, HERALD_FIELD(nothing, unused));

static bool
add_line(const char *name, const char *value, void *state)
{
	char *text = state;

	if (strncasecmp(name, "seen", 4) == 0)
		snprintf(text + strlen(text), 4096 - strlen(text), "%s: <%s>\n", name, value);
	return true;
}

static enum herald_verdict
on_seen(struct herald_context *ctx, const struct nothing *nothing)
{
	char text[4096] = "";

	(void)nothing;
	herald_context_attributes_visit(ctx, add_line, text);
	return herald_done_text(ctx, 200, NULL, text, strlen(text));
}
HERALD_FUNCTION(on_seen, nothing);

const struct herald_route contract_http_own_routes[CONTRACT_HTTP_OWN_ROUTES] = {
	HERALD_ROUTE("own_answer", own_answer, on_own_answer, NULL),
	HERALD_ROUTE("seen", nothing, on_seen, NULL,
		     .attributes = (const char *const[]){"Seen-*", "seen", NULL}),
};

/* The client. */

/* Make an event of a payload. */
static char *
encode_event(const struct own_answer *wanted)
{
	struct herald_codec *codec = NULL;
	struct herald_buffer out;
	char *event = malloc(MAX_EVENT_BYTES);

	assert_non_null(event);
	herald_buffer_init(&out, NULL, 0);
	assert_int_equal(herald_codec_create(&own_answer_schema, NULL, NULL, &codec, NULL),
			 HERALD_OK);
	assert_int_equal(herald_codec_encode(codec, wanted, &out, NULL), HERALD_OK);
	int bytes = snprintf(event, MAX_EVENT_BYTES,
			     "{\"event_type\":\"own_answer\","
			     "\"timestamp\":\"2024-08-20T05:21:19Z\",\"payload\":%.*s}",
			     (int)out.bytes, out.data);
	assert_true((size_t)bytes < MAX_EVENT_BYTES);
	herald_buffer_finish(&out);
	herald_codec_destroy(codec);
	return event;
}

/* How often a header is in a head. */
static size_t
count_header(const struct http_response *response, const char *name)
{
	size_t count = 0, bytes = strlen(name);

	for (const char *line = strstr(response->head, "\r\n"); line;
	     line = strstr(line + 2, "\r\n"))
		count += strncasecmp(line + 2, name, bytes) == 0 && line[2 + bytes] == ':';
	return count;
}

/* A header is there once with this value, or not for NULL. */
static void
assert_header(const struct http_response *response, const char *name, const char *value)
{
	const char *found = http_header(response, name);

	if (value ? !found || strcmp(found, value) != 0 : found != NULL)
		fail_msg("%s is %s instead of %s in %s", name, found ? found : "missing",
			 value ? value : "missing", response->head);
	assert_int_equal(count_header(response, name), value ? 1 : 0);
}

static bool
has_own_header(const struct own_answer *wanted, const char *name)
{
	for (size_t i = 0; i < wanted->headers_count; i++)
		if (strcasecmp(wanted->headers[i].name, name) == 0)
			return true;
	return false;
}

/* What Herald makes of it where the function says nothing. */
static const char *
default_body(const struct own_answer *wanted)
{
	if (strcmp(wanted->verdict, "fail") == 0)
		return "{\"error\":\"failed\"}";
	if (strcmp(wanted->verdict, "retry") == 0)
		return "{\"error\":\"busy\"}";
	return wanted->status == 204 || wanted->status == 205 ? "" : PROBE_SUCCESS;
}

static void
assert_body(const struct http_response *response, const char *type, const char *body, size_t bytes)
{
	char length[24];

	assert_header(response, "Content-Type", type);
	snprintf(length, sizeof(length), "%zu", bytes);
	assert_header(response, "Content-Length", response->status == 204 ? NULL : length);
	assert_int_equal(response->body_bytes, bytes);
	assert_memory_equal(response->body, body, bytes);
}

static void
assert_own_answer(const struct http_response *response, const struct own_answer *wanted)
{
	static char body[MAX_BODY];
	bool is_retry = strcmp(wanted->verdict, "retry") == 0;

	assert_int_equal(response->status, is_retry ? 503 : wanted->status ? wanted->status : 200);
	if (wanted->type && strcmp(wanted->verdict, "done") == 0) {
		assert_body(response, wanted->type, body, write_body(wanted, body));
	} else {
		const char *text = default_body(wanted);

		assert_body(response, *text ? "application/json" : NULL, text, strlen(text));
	}
	for (size_t i = 0; i < wanted->headers_count; i++)
		assert_header(response, wanted->headers[i].name, wanted->headers[i].value);
	if (!has_own_header(wanted, "WWW-Authenticate"))
		assert_header(response, "WWW-Authenticate",
			      wanted->status == 401 ? "Bearer" : NULL);
	if (!has_own_header(wanted, "Retry-After"))
		assert_header(response, "Retry-After", is_retry ? "1" : NULL);
}

/* Ask for an answer on a connection, and look at it. */
static void
exchange(const struct probe *probe, struct http_client *client, const struct own_answer *wanted)
{
	static struct http_response response;
	char *event = encode_event(wanted);

	assert_true(probe_post(client, event));
	if (!http_receive(client, true, &response))
		fail_msg("no answer to %s: %s", event, response.head);
	assert_own_answer(&response, wanted);
	assert_int_equal(client->bytes, 0);
	probe_next(probe, client);
	free(event);
}

static void
start(struct probe *probe, void **state, struct http_client *client)
{
	probe_start(probe, state, &HERALD_ENDPOINT_OPTIONS(.max_body_bytes = MAX_EVENT_BYTES));
	probe_connect(probe, client);
}

static void
stop(struct probe *probe, struct http_client *client)
{
	http_close(client);
	probe_assert_alive(probe);
	probe_stop(probe);
}

/* The named ones. */

#define BODY(TEXT, TIMES) .body = {TEXT, sizeof(TEXT) - 1}, .times = (TIMES)
#define OWN(...)                                                                                   \
	.headers = (const struct own_header[]){__VA_ARGS__},                                       \
	.headers_count =                                                                           \
		sizeof((const struct own_header[]){__VA_ARGS__}) / sizeof(struct own_header)

static const struct own_answer named[] = {
	{.verdict = "done"},
	{.verdict = "done", .status = 200},
	{.verdict = "done", .status = 201, .type = "text/plain", BODY("hello", 1)},
	{.verdict = "done", .status = 202},
	{.verdict = "done", .status = 203, .type = "application/xml", BODY("<a/>", 1)},
	{.verdict = "done", .status = 204},
	{.verdict = "done", .status = 204, OWN({"X-A", "a"})},
	{.verdict = "done", .status = 205},
	{.verdict = "done", .status = 205, OWN({"X-A", "a"})},
	{.verdict = "done", .status = 299, .type = "a/b;c=\"d, e\"", BODY("x", 1)},
	{.verdict = "done", .status = 200, .type = "a/b", BODY("", 0)},
	{.verdict = "done", .status = 200, .type = "a/b", BODY("~", 1)},
	{.verdict = "done", .status = 200, .type = "a/b", BODY("before~after", 100)},
	{.verdict = "done", .status = 200, .type = "a/b", BODY("^^\r\n\r\nHTTP/1.1 200 OK\r\n", 1)},
	{.verdict = "done", .status = 200, .type = "a/b", BODY("0123456789", 3000)},
	{.verdict = "done", OWN({"X-A", "a"})},
	{.verdict = "done",
	 OWN({"Location", "http://127.0.0.1/a?b=c#d"}, {"X-B", "a, \"b\"; c"}, {"x-c", "\xc3\xa4"}),
	 .status = 201},
	{.verdict = "done",
	 .status = 200,
	 .type = "a/b",
	 BODY("x", 1),
	 OWN({"!#$&'*+-.^_`|~9", "1"}, {"Cache-Control", "no-store"}, {"Set-Cookie", "a=b"})},
	{.verdict = "fail", .status = 401},
	{.verdict = "fail", .status = 401, OWN({"WWW-Authenticate", "Basic realm=\"a\""})},
	{.verdict = "fail", .status = 409, OWN({"X-A", "a"})},
	{.verdict = "fail", .status = 429, OWN({"Retry-After", "120"})},
	{.verdict = "fail", .status = 599, OWN({"X-A", "a"})},
	{.verdict = "retry"},
	{.verdict = "retry", OWN({"X-A", "a"})},
	{.verdict = "retry", OWN({"Retry-After", "Fri, 31 Dec 1999 23:59:59 GMT"})},
};

static void
own_answers_are_sent_as_they_are(void **state)
{
	static struct http_client client;
	struct probe probe;

	start(&probe, state, &client);
	/* Each after each other kind: the last one's is not left anywhere. */
	for (size_t i = 0; i < HERALD_COUNT(named); i++) {
		exchange(&probe, &client, &named[i]);
		exchange(&probe, &client, &named[0]);
		exchange(&probe, &client, &named[(i * 7 + 3) % HERALD_COUNT(named)]);
	}
	stop(&probe, &client);
}

/* Several that were sent together are answered in order. */
static void
own_answers_in_a_pipeline(void **state)
{
	static struct http_client client;
	static struct http_response response;
	struct probe probe;

	start(&probe, state, &client);
	for (size_t first = 0; first + 4 <= HERALD_COUNT(named); first += 4) {
		for (size_t i = first; i < first + 4; i++) {
			char *event = encode_event(&named[i]);

			assert_true(probe_post(&client, event));
			free(event);
		}
		for (size_t i = first; i < first + 4; i++) {
			assert_true(http_receive(&client, true, &response));
			assert_own_answer(&response, &named[i]);
		}
		assert_int_equal(client.bytes, 0);
	}
	stop(&probe, &client);
}

/* Drawn at random. */

struct drawn {
	struct own_answer answer;
	struct own_header headers[MAX_HEADERS];
	char names[MAX_HEADERS][24];
	char values[MAX_HEADERS][MAX_VALUE + 1];
	char body[64];
};

static void
draw_header(uint64_t *draw, struct drawn *out, size_t index)
{
	static const char in_name[] = "abcXYZ019-";
	static const char in_value[] = "abcXYZ019 ,;:=\"'\\<>()[]{}/?@!#$%&*+-._`|~\xe2\x82\xac";
	char *name = out->names[index], *value = out->values[index];
	size_t name_bytes = 1 + draw_below(draw, 12), value_bytes = 1 + draw_below(draw, 40);

	if (draw_one_in(draw, 10))
		value_bytes = MAX_VALUE;
	/* Its number makes it another one than the rest. */
	sprintf(name, "X%zu-", index);
	for (size_t i = 0; i < name_bytes; i++)
		name[3 + i] = in_name[draw_below(draw, sizeof(in_name) - 1)];
	name[3 + name_bytes] = '\0';
	/* Blanks at the ends are not part of a value; three bytes are one character. */
	for (size_t i = 0; i < value_bytes; i++)
		value[i] = in_value[draw_below(draw, sizeof(in_value) - 4)];
	value[0] = value[value_bytes - 1] = 'v';
	if (value_bytes > 6)
		memcpy(value + 2, in_value + sizeof(in_value) - 4, 3);
	value[value_bytes] = '\0';
	out->headers[index] = (struct own_header){name, value};
}

static void
draw_body(uint64_t *draw, struct drawn *out)
{
	static const char *const types[] = {"a/b", "text/plain; charset=utf-8",
					    "application/vnd.shop.v2+json", "a/b; c=\"d;e\""};
	size_t bytes = 1 + draw_below(draw, sizeof(out->body) - 1);

	for (size_t i = 0; i < bytes; i++)
		out->body[i] = "abc~^\r\n{}\"\\ 0\x7f"[draw_below(draw, 14)];
	out->answer.type = types[draw_below(draw, HERALD_COUNT(types))];
	out->answer.body = (struct herald_text){out->body, bytes};
	out->answer.times = (uint32_t)draw_below(draw, draw_one_in(draw, 5) ? MAX_BODY / bytes : 4);
}

static void
draw_answer(uint64_t *draw, struct drawn *out)
{
	static const uint32_t failures[] = {401, 403, 409, 422, 429, 500, 503, 599};
	uint64_t kind = draw_below(draw, 8);

	memset(out, 0, sizeof(*out));
	out->answer.verdict = kind == 0 ? "fail" : kind == 1 ? "retry" : "done";
	out->answer.status = kind == 0 ? failures[draw_below(draw, HERALD_COUNT(failures))]
				       : 200 + (uint32_t)draw_below(draw, 100);
	if (draw_one_in(draw, 5) && kind > 1)
		out->answer.status = 204 + (uint32_t)draw_below(draw, 2);
	if (out->answer.status != 204 && out->answer.status != 205 && draw_below(draw, 4) > 0)
		draw_body(draw, out);
	out->answer.headers = out->headers;
	out->answer.headers_count = draw_below(draw, MAX_HEADERS + 1);
	for (size_t i = 0; i < out->answer.headers_count; i++)
		draw_header(draw, out, i);
}

static void
own_answers_drawn_at_random(void **state)
{
	static struct http_client client;
	uint64_t draw = draw_seed();
	struct probe probe;
	struct drawn drawn;

	print_message("# HERALD_TEST_SEED=%llu\n", (unsigned long long)draw);
	start(&probe, state, &client);
	for (int i = 0; i < DRAWS; i++) {
		draw_answer(&draw, &drawn);
		exchange(&probe, &client, &drawn.answer);
	}
	stop(&probe, &client);
}

/* A large one, which is sent and received in many pieces. */
static void
large_own_answer(void **state)
{
	enum { TIMES = 90000, BYTES = 10 * TIMES };
	const struct own_answer large = {
		.verdict = "done", .status = 200, .type = "a/b", BODY("012345678~", TIMES)};
	static struct http_client client;
	static char body[BYTES], received[BYTES + 4096];
	struct probe probe;
	char *event = encode_event(&large);
	size_t bytes = 0;

	start(&probe, state, &client);
	write_body(&large, body);
	for (int round = 0; round < 3; round++) {
		char *end = NULL;

		assert_true(probe_post(&client, event));
		for (bytes = 0; !end || bytes < (size_t)(end - received) + 4 + BYTES;) {
			size_t got = http_receive_bytes(&client, received + bytes,
							sizeof(received) - bytes);
			assert_true(got > 0);
			bytes += got;
			end = memmem(received, bytes, "\r\n\r\n", 4);
		}
		assert_int_equal(bytes, (size_t)(end - received) + 4 + BYTES);
		assert_memory_equal(end + 4, body, BYTES);
		probe_next(&probe, &client);
	}
	free(event);
	stop(&probe, &client);
}

/* Headers that functions see. */

#define SEEN_EVENT "{\"event_type\":\"seen\",\"timestamp\":\"2024-08-20T05:21:19Z\"}"

/* Send headers, and compare what was seen of them, names ignoring case. */
static void
see(const struct probe *probe, struct http_client *client, const char *headers, const char *seen)
{
	static struct http_response response;
	char request[8192];

	snprintf(request, sizeof(request),
		 "POST /event HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
		 "%sContent-Length: %zu\r\n\r\n" SEEN_EVENT,
		 headers, strlen(SEEN_EVENT));
	assert_true(http_send_text(client, request));
	assert_true(http_receive(client, true, &response));
	assert_int_equal(response.status, 200);
	if (strcasecmp(response.body, seen) != 0)
		fail_msg("saw %s instead of %s", response.body, seen);
	probe_next(probe, client);
}

static void
functions_see_headers(void **state)
{
	static const struct {
		const char *headers, *seen;
	} cases[] = {
		{"", ""},
		{"X-Other: a\r\nSee: b\r\nSeenx: c\r\n", ""},
		{"Seen: a\r\n", "seen: <a>\n"},
		{"Seen-A: a\r\nX-Other: b\r\nseen-b: c\r\nSEEN-C: d\r\nSeen: e\r\n",
		 "seen-a: <a>\nseen-b: <c>\nseen-c: <d>\nseen: <e>\n"},
		{"Seen-Z: 1\r\nSeen-A: 2\r\nSeen-M: 3\r\n",
		 "seen-z: <1>\nseen-a: <2>\nseen-m: <3>\n"},
		{"Seen-A:\r\nSeen-B:   \r\nSeen-C:c\r\n", "seen-a: <>\nseen-b: <>\nseen-c: <c>\n"},
		{"Seen-A:    a \\b, \"c\";  d  \r\n", "seen-a: <a \\b, \"c\";  d>\n"},
		{"Seen-: a\r\n", "seen-: <a>\n"},
	};
	static struct http_client client;
	struct probe probe;

	start(&probe, state, &client);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++)
		see(&probe, &client, cases[i].headers, cases[i].seen);
	stop(&probe, &client);
}

static void
functions_see_repeated_headers(void **state)
{
	static const struct {
		const char *headers, *seen;
	} cases[] = {
		{"Seen-A: 1\r\nSeen-A: 2\r\n", "seen-a: <1>\nseen-a: <2>\n"},
		{"Seen-A: 2\r\nseen-b: 3\r\nSEEN-A: 1\r\nX: y\r\nSeen-A:\r\n",
		 "seen-a: <2>\nseen-b: <3>\nseen-a: <1>\nseen-a: <>\n"},
		{"Seen-A: same\r\nSeen-A: same\r\n", "seen-a: <same>\nseen-a: <same>\n"},
	};
	static struct http_client client;
	struct probe probe;

	start(&probe, state, &client);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++)
		see(&probe, &client, cases[i].headers, cases[i].seen);
	stop(&probe, &client);
}

/* Append a header, and what is to be seen of it. */
static void
draw_seen(uint64_t *draw, unsigned number, char *headers, char *seen)
{
	static const char *const beginnings[] = {"Seen", "sEEN", "See", "Seex"};
	size_t beginning = draw_below(draw, HERALD_COUNT(beginnings));
	char letter = "aAbB"[draw_below(draw, 4)], value[16] = "v";

	for (uint64_t n = draw_below(draw, 10); n > 0; n--)
		sprintf(value + strlen(value), "%c", "ab, ;=\"\\/"[draw_below(draw, 9)]);
	strcat(value, "v");
	sprintf(headers + strlen(headers), "%s-%c%u: %s\r\n", beginnings[beginning], letter, number,
		value);
	if (beginning < 2)
		sprintf(seen + strlen(seen), "seen-%c%u: <%s>\n", letter, number, value);
}

/* No name twice, because not all frameworks tell such headers apart. */
static void
functions_see_headers_drawn_at_random(void **state)
{
	static struct http_client client;
	uint64_t draw = draw_seed();
	struct probe probe;

	print_message("# HERALD_TEST_SEED=%llu\n", (unsigned long long)draw);
	start(&probe, state, &client);
	for (int round = 0; round < DRAWS; round++) {
		char headers[4096] = "", seen[4096] = "";

		for (uint64_t i = 0, count = draw_below(&draw, 12); i < count; i++)
			draw_seen(&draw, (unsigned)i, headers, seen);
		see(&probe, &client, headers, seen);
	}
	stop(&probe, &client);
}

const struct contract_http_case contract_http_own_answers[] = {
	CONTRACT_CASE(own_answers_are_sent_as_they_are, 0),
	CONTRACT_CASE(own_answers_in_a_pipeline, CONTRACT_KEEPS_ALIVE | CONTRACT_PIPELINES),
	CONTRACT_CASE(own_answers_drawn_at_random, 0),
	CONTRACT_CASE(large_own_answer, 0),
	CONTRACT_CASE(functions_see_headers, 0),
	CONTRACT_CASE(functions_see_repeated_headers, CONTRACT_REPEATED_HEADERS),
	CONTRACT_CASE(functions_see_headers_drawn_at_random, 0),
};
const size_t contract_http_own_answers_count = HERALD_COUNT(contract_http_own_answers);
