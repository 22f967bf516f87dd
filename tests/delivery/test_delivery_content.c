/*
 * The user's part of a delivery: body, content type, headers and id, and which of them are refused;
 * the headers of destinations, which no other receiver may get.
 */
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <herald/adapter/signer.h>
#include <herald/delivery.h>
#include <herald/schema.h>

#include "support/delivering.h"
#include "support/failing_allocator.h"
#include "support/misbehaving_server.h"
#include "support/names.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

struct line {
	const char *article;
	int32_t count;
};

HERALD_SCHEMA(line, HERALD_FIELD(line, article, .required = true), HERALD_FIELD(line, count));

struct fixture {
	struct misbehaving_server server;
	struct test_clock clock;
	struct recorder recorder;
	struct herald_deliverer *deliverer;
	struct herald_codec *codec; /* of a line */
};

static int
setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	misbehaving_server_init(&fixture->server, "127.0.0.1");
	misbehaving_server_start(&fixture->server);
	test_clock_init(&fixture->clock);
	recorder_init(&fixture->recorder);
	assert_int_equal(herald_codec_create(&line_schema, NULL, NULL, &fixture->codec, NULL),
			 HERALD_OK);
	*state = fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;

	herald_deliverer_destroy(fixture->deliverer);
	misbehaving_server_stop(&fixture->server);
	recorder_finish(&fixture->recorder);
	herald_codec_destroy(fixture->codec);
	names_clear();
	free(fixture);
	return 0;
}

static void
start(struct fixture *fixture, struct herald_deliverer_options options)
{
	struct herald_error error;

	options.addresses = HERALD_ADDRESSES_ANY;
	options.on_attempt = record_attempt;
	options.on_outcome = record_outcome;
	options.state = &fixture->recorder;
	options.slots = 1;
	if (create_deliverer(&options, &fixture->clock.clock, &fixture->deliverer, &error) !=
	    HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
}

/* Submit to a path, or to a URL whose port is PORT. */
static enum herald_status
submit_to(struct fixture *fixture, const char *text, struct herald_delivery delivery,
	  struct herald_error *error)
{
	const char *port = strstr(text, "PORT");
	char url[128];

	if (port)
		snprintf(url, sizeof(url), "%.*s%u%s", (int)(port - text), text,
			 fixture->server.port, port + 4);
	else
		snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", fixture->server.port, text);
	delivery.url = url;
	return herald_deliverer_submit(fixture->deliverer, &delivery, error);
}

/* Deliver, and return what the receiver got in the last attempt. */
static const char *
deliver_to(struct fixture *fixture, const char *text, struct herald_delivery delivery)
{
	struct herald_error error;
	size_t outcomes = fixture->recorder.outcomes;
	size_t requests = misbehaving_server_requests(&fixture->server);

	if (submit_to(fixture, text, delivery, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	recorder_wait(&fixture->recorder, outcomes + 1);
	assert_true(misbehaving_server_requests(&fixture->server) > requests);
	return misbehaving_server_text(&fixture->server,
				       misbehaving_server_requests(&fixture->server) - 1);
}

static void
assert_has_not(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("there is \"%s\" in:\n%s", part, text);
}

static void
assert_body(const char *text, const char *body)
{
	char length[64];

	snprintf(length, sizeof(length), "\r\nContent-Length: %zu\r\n", strlen(body));
	assert_has(text, "POST /");
	assert_has(text, length);
	assert_string_equal(strstr(text, "\r\n\r\n") + 4, body);
}

/* Bodies. */

static void
test_bytes(void **state)
{
	struct fixture *fixture = *state;

	start(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1));
	const char *text = deliver_to(
		fixture, "/200",
		(struct herald_delivery){HERALD_BODY("<done/>", 7), .result = "success"});
	assert_body(text, "<done/>");
	assert_has(text, "\r\nContent-Type: application/octet-stream\r\n");
	assert_has(text, "\r\nHerald-Result: success\r\n");
	assert_has(text, "\r\nHerald-Attempt: 1\r\n");

	text = deliver_to(fixture, "/200",
			  (struct herald_delivery){.body = "<done/>",
						   .body_bytes = 7,
						   .content_type = "text/xml; charset=utf-8"});
	assert_has(text, "\r\nContent-Type: text/xml; charset=utf-8\r\n");
	assert_has_not(text, "octet-stream");
}

static void
test_struct(void **state)
{
	struct fixture *fixture = *state;
	const struct line line = {"caf\xc3\xa9 \"au lait\"", 3};

	start(fixture, HERALD_DELIVERER_OPTIONS(.method = HERALD_DELIVERY_POST));
	const char *text = deliver_to(
		fixture, "/200", (struct herald_delivery){.codec = fixture->codec, .value = &line});
	assert_body(text, "{\"article\":\"caf\xc3\xa9 \\\"au lait\\\"\",\"count\":3}");
	assert_has(text, "\r\nContent-Type: application/json\r\n");
	assert_has_not(text, "delivery_id");

	text = deliver_to(fixture, "/200",
			  (struct herald_delivery){.codec = fixture->codec,
						   .value = &line,
						   .content_type = "application/vnd.line+json"});
	assert_has(text, "\r\nContent-Type: application/vnd.line+json\r\n");
}

/* One handle sends all of them: no delivery has anything of the previous one. */
static void
test_bodies_and_none_in_turn(void **state)
{
	struct fixture *fixture = *state;
	static const char *const headers[] = {"X-Own: 1"};

	start(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1));
	for (unsigned round = 0; round < 3; round++) {
		const char *text = deliver_to(fixture, "/200",
					      (struct herald_delivery){.body = "body",
								       .body_bytes = 4,
								       HERALD_HEADERS(headers)});
		assert_body(text, "body");
		assert_has(text, "\r\nX-Own: 1\r\n");

		text = deliver_to(fixture, "/200", (struct herald_delivery){.result = "success"});
		assert_has(text, "GET /200 HTTP/1.1\r\n");
		assert_has_not(text, "Content-");
		assert_has_not(text, "X-Own");
		assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n");

		text = deliver_to(fixture, "/200", (struct herald_delivery){HERALD_BODY("", 0)});
		assert_body(text, "");
	}
	assert_int_equal(misbehaving_server_connections(&fixture->server), 1);
}

/* Everything is copied: the caller may change its memory after the submission. */
static void
test_everything_is_copied(void **state)
{
	struct fixture *fixture = *state;
	char body[] = "body", type[] = "text/plain", id[] = "row-7", header[] = "X-Own: 1";
	const char *headers[] = {header};

	start(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 3));
	atomic_store(&fixture->clock.is_frozen, true);
	assert_int_equal(submit_to(fixture, "/503,503,200",
				   (struct herald_delivery){.id = id,
							    .body = body,
							    .body_bytes = 4,
							    .content_type = type,
							    HERALD_HEADERS(headers)},
				   NULL),
			 HERALD_OK);
	memset(body, 'x', 4);
	memset(type, 'x', 4);
	memset(id, 'x', 4);
	memset(header, 'x', 4);
	headers[0] = NULL;
	atomic_store(&fixture->clock.is_frozen, false);
	herald__engine_wake(fixture->deliverer);
	recorder_wait(&fixture->recorder, 1);
	assert_int_equal(misbehaving_server_requests(&fixture->server), 3);
	for (size_t i = 0; i < 3; i++) {
		const char *text = misbehaving_server_text(&fixture->server, i);

		assert_body(text, "body");
		assert_has(text, "\r\nContent-Type: text/plain\r\n");
		assert_has(text, "\r\nX-Own: 1\r\n");
		assert_has(text, "\r\nHerald-Delivery-Id: row-7\r\n");
	}
	assert_string_equal(fixture->recorder.attempt_reports[0].id, "row-7");
	assert_string_equal(fixture->recorder.outcome_reports[0].id, "row-7");
}

/* A receiver of one large request. */

enum { LARGE = 2 * 1024 * 1024 };

struct large_receiver {
	int listen_fd;
	pthread_t thread;
	char head[1024];
	size_t bytes; /* of the body, as they should be */
};

static void *
receive_large(void *state)
{
	struct large_receiver *receiver = state;
	int fd = accept4(receiver->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	char data[65536];
	size_t head_bytes = 0;

	while (head_bytes < 4 || memcmp(receiver->head + head_bytes - 4, "\r\n\r\n", 4) != 0)
		if (head_bytes + 1 == sizeof(receiver->head) ||
		    recv(fd, receiver->head + head_bytes++, 1, 0) != 1)
			abort();
	while (receiver->bytes < LARGE) {
		ssize_t got = recv(fd, data, sizeof(data), 0);

		if (got <= 0)
			break;
		for (ssize_t i = 0; i < got; i++)
			receiver->bytes += (unsigned char)data[i] == receiver->bytes % 251;
	}
	(void)!send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 38, MSG_NOSIGNAL);
	close(fd);
	return NULL;
}

/* A large body is sent at once, without Expect: 100-continue. */
static void
test_large_body(void **state)
{
	struct fixture *fixture = *state;
	struct large_receiver receiver = {0};
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	socklen_t name_bytes = sizeof(name);
	unsigned char *body = malloc(LARGE);
	char url[64];

	for (size_t i = 0; i < LARGE; i++)
		body[i] = (unsigned char)(i % 251);
	receiver.listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(receiver.listen_fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(listen(receiver.listen_fd, 1), 0);
	assert_int_equal(getsockname(receiver.listen_fd, (struct sockaddr *)&name, &name_bytes), 0);
	assert_int_equal(pthread_create(&receiver.thread, NULL, receive_large, &receiver), 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", ntohs(name.sin_port));
	start(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1, .max_body_bytes = LARGE));
	assert_int_equal(
		herald_deliverer_submit(
			fixture->deliverer,
			&(struct herald_delivery){.url = url, .body = body, .body_bytes = LARGE},
			NULL),
		HERALD_OK);
	free(body);
	recorder_wait(&fixture->recorder, 1);
	pthread_join(receiver.thread, NULL);
	close(receiver.listen_fd);
	assert_int_equal(fixture->recorder.delivered, 1);
	assert_int_equal(receiver.bytes, LARGE);
	assert_has_not(receiver.head, "Expect");
}

/* Headers. */

static void
test_headers_of_a_delivery(void **state)
{
	struct fixture *fixture = *state;
	static const char *const for_all[] = {"X-Team: blue", "X-Tenant: acme"};
	static const char *const own[] = {"x-team: red", "User-Agent: shop/1", "X-Empty-Not:\tv",
					  "Authorization: Bearer 1"};
	static const char *const expected[] = {"x-team: red", "User-Agent: shop/1",
					       "X-Tenant: acme", "X-Empty-Not:\tv",
					       "Authorization: Bearer 1"};

	start(fixture, HERALD_DELIVERER_OPTIONS(HERALD_HEADERS(for_all)));
	const char *text = deliver_to(fixture, "/200",
				      (struct herald_delivery){HERALD_HEADERS(own), .error = "e"});
	for (size_t i = 0; i < COUNT(expected); i++) {
		char line[64];

		snprintf(line, sizeof(line), "\r\n%s\r\n", expected[i]);
		assert_has(text, line);
	}
	assert_has_not(text, "blue");
	assert_has_not(text, "Herald/");
	assert_has(text, "\r\nHerald-Error: e\r\n");

	text = deliver_to(fixture, "/200", (struct herald_delivery){.error = "e"});
	assert_has(text, "\r\nX-Team: blue\r\n");
	assert_has(text, "User-Agent: Herald/");
	assert_has_not(text, "Authorization");
}

#define NAME_OF_63 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"

static void
test_what_is_refused(void **state)
{
	struct fixture *fixture = *state;
	static const struct line without_article = {.count = 1}, long_line = {"0123456789", 1};
	static const char *const one[] = {"X-A: 1"};
	char long_type[300], long_header[5000];
	const char *many[65];
#define HEADER(TEXT) .headers = (const char *const[]){"X-Ok: 1", TEXT}, .headers_count = 2
	const struct {
		struct herald_delivery delivery;
		enum herald_status status;
		const char *path, *message;
	} rows[] = {
		{{.body_bytes = 5}, HERALD_BAD_VALUE, "body", "body: is NULL, but body_bytes is 5"},
		{{.body = "x"},
		 HERALD_BAD_VALUE,
		 "body",
		 "body: is set, but body_bytes is 0; HERALD_BODY sets both, and HERALD_EMPTY_BODY "
		 "is an empty body"},
		{{.body = "12345678901234567890x", .body_bytes = 21},
		 HERALD_BAD_LENGTH,
		 "body",
		 "body: has 21 bytes, more than 20"},
		{{.body = "x", .body_bytes = 1, .codec = fixture->codec, .value = &long_line},
		 HERALD_BAD_VALUE,
		 "body",
		 "body: is set, but a codec is too"},
		{{.codec = fixture->codec},
		 HERALD_BAD_VALUE,
		 "value",
		 "value: is NULL, but the codec is set"},
		{{.value = &long_line},
		 HERALD_BAD_VALUE,
		 "codec",
		 "codec: is NULL, but the value is set"},
		{{.codec = fixture->codec, .value = &long_line},
		 HERALD_BAD_LENGTH,
		 "value",
		 "value: has more than 20 bytes as JSON"},
		{{.codec = fixture->codec, .value = &without_article},
		 HERALD_MISSING,
		 "/article",
		 ""},
		{{.content_type = "text/plain"},
		 HERALD_BAD_VALUE,
		 "content_type",
		 "content_type: is set, but the body is not"},
		{{.body = HERALD_EMPTY_BODY, .content_type = ""},
		 HERALD_BAD_VALUE,
		 "content_type",
		 "content_type: has no value"},
		{{.body = HERALD_EMPTY_BODY, .content_type = "text/plain\r\nX-Evil: 1"},
		 HERALD_BAD_VALUE,
		 "content_type",
		 "content_type: has a control character in its value"},
		{{.body = HERALD_EMPTY_BODY, .content_type = long_type},
		 HERALD_BAD_LENGTH,
		 "content_type",
		 "content_type: has more than 255 bytes"},
		{{.headers = one},
		 HERALD_BAD_VALUE,
		 "headers",
		 "headers: is set, but headers_count is 0; HERALD_HEADERS(array) sets both"},
		{{.headers_count = 3},
		 HERALD_BAD_VALUE,
		 "headers",
		 "headers: is NULL, but headers_count is 3; HERALD_HEADERS(array) sets both"},
		{{HERALD_HEADERS(many)},
		 HERALD_BAD_LENGTH,
		 "headers_count",
		 "headers_count: is 65, more than 64"},
		{{HEADER("X: "
			 "0123456789012345678901234567890123456789012345678901234567890123456789")},
		 HERALD_BAD_LENGTH,
		 "headers",
		 "headers: have 80 bytes in total, more than 79"},
		{{HEADER(NULL)}, HERALD_BAD_VALUE, "headers[1]", "headers[1]: is NULL"},
		{{HEADER(long_header)},
		 HERALD_BAD_VALUE,
		 "headers[1]",
		 "headers[1]: has more than 4096 bytes"},
		{{HEADER("X: a\r\nY: b")}, HERALD_BAD_VALUE, "headers[1]", "a control character"},
		{{HEADER("X: a\nY: b")}, HERALD_BAD_VALUE, "headers[1]", "a control character"},
		{{HEADER("X: a\x7f")}, HERALD_BAD_VALUE, "headers[1]", "a control character"},
		{{HEADER("X Y: a")}, HERALD_BAD_VALUE, "headers[1]", "must begin with a name"},
		{{HEADER("X\r\nY: a")}, HERALD_BAD_VALUE, "headers[1]", "must begin with a"},
		{{HEADER("X")}, HERALD_BAD_VALUE, "headers[1]", "must begin with a name"},
		{{HEADER(": a")}, HERALD_BAD_VALUE, "headers[1]", "must begin with a name"},
		{{HEADER(" X: a")}, HERALD_BAD_VALUE, "headers[1]", "must begin with a name"},
		{{HEADER("X : a")}, HERALD_BAD_VALUE, "headers[1]", "must begin with a name"},
		{{HEADER("X;")}, HERALD_BAD_VALUE, "headers[1]", "must begin with a name"},
		{{HEADER("")}, HERALD_BAD_VALUE, "headers[1]", "must begin with a name"},
		{{HEADER("X:")}, HERALD_BAD_VALUE, "headers[1]", "has no value"},
		{{HEADER("X: \t ")}, HERALD_BAD_VALUE, "headers[1]", "has no value"},
		{{HEADER("host: a")},
		 HERALD_BAD_VALUE,
		 "headers[1]",
		 "controlled by the connection"},
		{{HEADER("Content-Length: 5")}, HERALD_BAD_VALUE, "headers[1]", "the connection"},
		{{HEADER("transfer-encoding: x")},
		 HERALD_BAD_VALUE,
		 "headers[1]",
		 "the connection"},
		{{HEADER("Connection: close")}, HERALD_BAD_VALUE, "headers[1]", "the connection"},
		{{HEADER("Keep-Alive: 1")}, HERALD_BAD_VALUE, "headers[1]", "the connection"},
		{{HEADER("Proxy-Connection: x")}, HERALD_BAD_VALUE, "headers[1]", "the connection"},
		{{HEADER("Proxy-Authorization: x")}, HERALD_BAD_VALUE, "headers[1]", "the conn"},
		{{HEADER("HTTP2-Settings: x")}, HERALD_BAD_VALUE, "headers[1]", "the connection"},
		{{HEADER("Upgrade: h2c")}, HERALD_BAD_VALUE, "headers[1]", "the connection"},
		{{HEADER("Expect: 100-continue")}, HERALD_BAD_VALUE, "headers[1]", "the conn"},
		{{HEADER("TE: trailers")}, HERALD_BAD_VALUE, "headers[1]", "the connection"},
		{{HEADER("Trailer: X")}, HERALD_BAD_VALUE, "headers[1]", "the connection"},
		{{HEADER("content-type: a/b")}, HERALD_BAD_VALUE, "headers[1]", "set content_type"},
		{{HEADER("herald-result: x")},
		 HERALD_BAD_VALUE,
		 "headers[1]",
		 "reserved prefix Herald-"},
		{{.id = "a b"}, HERALD_BAD_VALUE, "id", "id: may hold visible ASCII"},
		{{.id = "a%62"}, HERALD_BAD_VALUE, "id", "id: may hold visible ASCII"},
		{{.id = "a\r\nX: y"}, HERALD_BAD_VALUE, "id", "id: may hold visible ASCII"},
		{{.id = "caf\xc3\xa9"}, HERALD_BAD_VALUE, "id", "id: may hold visible ASCII"},
		{{.id = NAME_OF_63 "f"}, HERALD_BAD_LENGTH, "id", "id: has more than 63 bytes"},
	};

	memset(long_type, 'x', sizeof(long_type) - 1);
	long_type[sizeof(long_type) - 1] = '\0';
	memset(long_header, 'x', sizeof(long_header) - 1);
	long_header[1] = ':';
	long_header[sizeof(long_header) - 1] = '\0';
	for (size_t i = 0; i < COUNT(many); i++)
		many[i] = one[0];
	start(fixture, HERALD_DELIVERER_OPTIONS(.max_body_bytes = 20, .max_headers_bytes = 79));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_reservation *reservation;
		struct herald_error error = {0};
		struct herald_delivery delivery = rows[i].delivery;
		enum herald_status status = submit_to(fixture, "/200", delivery, &error);

		if (status != rows[i].status || strcmp(error.path, rows[i].path) != 0 ||
		    !strstr(error.message, rows[i].message))
			fail_msg("row %zu: %s, %s: %s", i, herald_status_name(status), error.path,
				 error.message);
		assert_int_equal(error.status, status);
		delivery.url = "http://127.0.0.1/";
		assert_int_equal(
			herald_deliverer_reserve(fixture->deliverer, 100, 99, &reservation, NULL),
			HERALD_OK);
		assert_int_equal(herald_reservation_submit(reservation, &delivery, NULL),
				 rows[i].status);
	}
	assert_all_settled(fixture->deliverer);
	assert_int_equal(fixture->recorder.attempts, 0);

	/* The largest that is allowed. */
	const char *text =
		deliver_to(fixture, "/200",
			   (struct herald_delivery){.id = NAME_OF_63,
						    .body = "12345678901234567890",
						    .body_bytes = 20,
						    HEADER("X: "
							   "012345678901234567890123456789012345678"
							   "901234567890123456789012345678")});
	assert_has(text, "\r\nHerald-Delivery-Id: " NAME_OF_63 "\r\n");
	assert_body(text, "12345678901234567890");
}

/* Room. */

static void
test_room_for_content(void **state)
{
	struct fixture *fixture = *state;
	static const char body[1000], much[4000];
	const struct herald_delivery delivery = {
		.body = body, .body_bytes = sizeof(body), .content_type = "a/b"};
	struct herald_reservation *reservation;
	struct herald_delivery_statistics counts;
	struct herald_error error;

	start(fixture,
	      HERALD_DELIVERER_OPTIONS(.max_pending_bytes = 3 * (1000 + 4), .attempts = 1));
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(submit_to(fixture, "/silent", delivery, NULL), HERALD_OK);
	herald_deliverer_statistics(fixture->deliverer, &counts);
	assert_int_equal(counts.content_bytes, 3 * (1000 + 4));
	assert_int_equal(submit_to(fixture, "/silent",
				   (struct herald_delivery){.body = HERALD_EMPTY_BODY}, &error),
			 HERALD_LIMIT);
	assert_has(error.message, "max_pending_bytes is 3012");
	/* These will never have room, so waiting would not help. */
	assert_int_equal(submit_to(fixture, "/silent",
				   (struct herald_delivery){.body = much, .body_bytes = 3013 - 25},
				   &error),
			 HERALD_BAD_LENGTH);
	assert_string_equal(error.message,
			    "body and headers take 3013 bytes, more than max_pending_bytes, 3012");
	assert_int_equal(submit_to(fixture, "/silent",
				   (struct herald_delivery){.body = much, .body_bytes = 3012 - 25},
				   NULL),
			 HERALD_LIMIT);
	assert_int_equal(
		herald_deliverer_reserve(fixture->deliverer, 100, 3012, &reservation, NULL),
		HERALD_BAD_LENGTH);
	/* Without content there is room. */
	assert_int_equal(submit_to(fixture, "/silent", (struct herald_delivery){0}, NULL),
			 HERALD_OK);
	assert_int_equal(herald_deliverer_reserve(fixture->deliverer, 100, 1, &reservation, &error),
			 HERALD_LIMIT);
	assert_int_equal(herald_deliverer_stop(fixture->deliverer, 0), 4);
	herald_deliverer_statistics(fixture->deliverer, &counts);
	assert_int_equal(counts.content_bytes, 0);
	assert_all_settled(fixture->deliverer);
}

static void
test_reserved_content(void **state)
{
	struct fixture *fixture = *state;
	static const char *const headers[] = {"X-A: 1"};
	static const struct line line = {"tea", 1};
	const struct herald_deliverer_options options = HERALD_DELIVERER_OPTIONS(.attempts = 1);
	struct herald_reservation *reservation;
	struct herald_delivery_statistics counts;
	struct herald_error error;
	char url[64];
	struct herald_delivery delivery = {.url = url, HERALD_HEADERS(headers)};

	start(fixture, options);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/200", fixture->server.port);
	delivery.codec = fixture->codec;
	delivery.value = &line;
	/* 6 of the header, 16 of application/json, 27 of the body: there is some room to spare. */
	assert_int_equal(herald_deliverer_reserve(fixture->deliverer, 60, 49, &reservation, NULL),
			 HERALD_OK);
	assert_int_equal(herald_reservation_submit(reservation, &delivery, &error), HERALD_OK);
	recorder_wait(&fixture->recorder, 1);
	assert_body(misbehaving_server_text(&fixture->server, 0),
		    "{\"article\":\"tea\",\"count\":1}");

	/* None was reserved. */
	assert_int_equal(herald_deliverer_reserve(fixture->deliverer, 60, 0, &reservation, NULL),
			 HERALD_OK);
	assert_int_equal(herald_reservation_submit(reservation, &delivery, &error),
			 HERALD_BAD_LENGTH);
	assert_has(error.message, "larger than the room reserved");
	assert_int_equal(
		herald_deliverer_reserve(fixture->deliverer, 60, 1 << 30, &reservation, &error),
		HERALD_BAD_LENGTH);
	assert_has(error.message, "expected a body and headers of at most");
	herald_deliverer_stop(fixture->deliverer, 0);
	assert_all_settled(fixture->deliverer);
	herald_deliverer_statistics(fixture->deliverer, &counts);
	assert_int_equal(counts.content_bytes, 0);
}

/* As many headers as there may be, and the default content type, need no more than was reserved. */
static void
test_reserved_to_the_byte(void **state)
{
	enum { HEADERS = 64, BODY = 10 };
	struct fixture *fixture = *state;
	const char *headers[HEADERS];
	struct herald_reservation *reservation;
	struct herald_error error;
	char url[64];
	struct herald_delivery delivery = {
		.url = url, .body = "0123456789", .body_bytes = BODY, HERALD_HEADERS(headers)};

	for (size_t i = 0; i < HEADERS; i++)
		headers[i] = "X-A: 1";
	start(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1));
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/200", fixture->server.port);
	assert_int_equal(herald_deliverer_reserve(fixture->deliverer, strlen(url),
						  HEADERS * strlen("X-A: 1") + BODY, &reservation,
						  NULL),
			 HERALD_OK);
	if (herald_reservation_submit(reservation, &delivery, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	recorder_wait(&fixture->recorder, 1);
	assert_body(misbehaving_server_text(&fixture->server, 0), "0123456789");
}

/* Whichever allocation fails, the delivery is refused, or it is delivered later. */
static void
test_content_without_memory(void **state)
{
	struct fixture *fixture = *state;
	static const char *const headers[] = {"X-A: 1"};
	static const struct line line = {"tea", 1};
	size_t accepted = 0;

	for (size_t n = 1;; n++) {
		struct failing_allocator memory;

		failing_allocator_init(&memory, FAIL_NEVER, 0);
		test_clock_init(&fixture->clock);
		start(fixture, HERALD_DELIVERER_OPTIONS(.allocator = memory.allocator));
		memory.fail_at = memory.calls + n;
		memory.mode = FAIL_ONLY;
		enum herald_status status = submit_to(
			fixture, "/200",
			(struct herald_delivery){
				.codec = fixture->codec, .value = &line, HERALD_HEADERS(headers)},
			NULL);
		if (status == HERALD_OK)
			herald_deliverer_stop(fixture->deliverer, 60000);
		else
			assert_int_equal(status, HERALD_NO_MEMORY);
		accepted += status == HERALD_OK;
		assert_int_equal(fixture->recorder.delivered, accepted);
		herald_deliverer_destroy(fixture->deliverer);
		fixture->deliverer = NULL;
		assert_all_released(&memory);
		if (!memory.failures)
			break;
	}
	assert_true(accepted >= 2);
}

/* Destinations. */

static void
test_headers_of_a_destination(void **state)
{
	/* Whether a header for this origin is sent to http://HOST:PORT/. */
	static const struct {
		const char *origin, *host;
		bool is_sent;
	} rows[] = {
		{"http://127.0.0.1:PORT", "127.0.0.1", true},
		{"HTTP://127.1:PORT", "127.0.0.1", true},
		{"http://127.0.0.1:PORT", "0x7f000001", true},
		{"http://a.test:PORT", "A.TEST", true},
		{"http://A.Test:PORT", "a.test", true},
		{"https://127.0.0.1:PORT", "127.0.0.1", false},
		{"http://127.0.0.1", "127.0.0.1", false},
		{"http://127.0.0.1:1PORT", "127.0.0.1", false},
		{"http://127.0.0.2:PORT", "127.0.0.1", false},
		{"http://127.0.0.1:PORT", "a.test", false},
		{"http://a.test:PORT", "127.0.0.1", false},
		{"http://a.test:PORT", "a.test.evil.test", false},
		{"http://a.test:PORT", "b-a.test", false},
		{"http://a.test:PORT", "b.a.test", false},
		{"http://a.test.evil.test:PORT", "a.test", false},
	};
	static const char *const secret[] = {"Authorization: Bearer s3cret"};
	static const struct herald_port_range ports[] = {{1, 65535}};
	struct fixture *fixture = *state;

	names_set("a.test", "127.0.0.1");
	names_set("A.TEST", "127.0.0.1");
	names_set("b.a.test", "127.0.0.1");
	names_set("b-a.test", "127.0.0.1");
	names_set("a.test.evil.test", "127.0.0.1");
	for (size_t i = 0; i < COUNT(rows); i++) {
		char origin[64], url[64];
		const char *port = strstr(rows[i].origin, "PORT");
		struct herald_destination destinations[] = {{origin, HERALD_HEADERS(secret)}};

		/* "1PORT" is a different port. */
		unsigned number = port && port[-1] == '1' && port[-2] == ':'
					  ? fixture->server.port - 1u
					  : fixture->server.port;
		snprintf(origin, sizeof(origin), "%.*s",
			 port ? (int)(port - rows[i].origin) - (number != fixture->server.port)
			      : (int)strlen(rows[i].origin),
			 rows[i].origin);
		if (port)
			snprintf(origin + strlen(origin), 8, "%u", number);
		start(fixture, HERALD_DELIVERER_OPTIONS(HERALD_DESTINATIONS(destinations),
							HERALD_PORTS(ports)));
		snprintf(url, sizeof(url), "http://%s:PORT/301,200", rows[i].host);
		const char *text = deliver_to(fixture, url, (struct herald_delivery){0});
		if (!strstr(text, "\r\nAuthorization: Bearer s3cret\r\n") == rows[i].is_sent)
			fail_msg("%s, to %s", rows[i].origin, rows[i].host);
		herald_deliverer_destroy(fixture->deliverer);
		fixture->deliverer = NULL;
	}
	/* No redirect was followed. */
	assert_int_equal(misbehaving_server_requests(&fixture->server), COUNT(rows));
}

/* The delivery's before the destination's, those before the ones for all. */
static void
test_whose_header_counts(void **state)
{
	struct fixture *fixture = *state;
	static const char *const for_all[] = {"X-One: all", "X-Two: all", "X-Three: all"};
	static const char *const for_one[] = {"x-two: one", "x-three: one"};
	static const char *const own[] = {"X-THREE: own"};
	char origins[3][64];
	struct herald_destination destinations[] = {
		{origins[0], HERALD_HEADERS(for_all)},
		{origins[1], HERALD_HEADERS(for_all)},
		{origins[2], HERALD_HEADERS(for_one)},
	};

	for (unsigned i = 0; i < 3; i++)
		snprintf(origins[i], sizeof(origins[i]), "http://127.0.0.%u:%u", 9 - 4 * i,
			 fixture->server.port);
	start(fixture,
	      HERALD_DELIVERER_OPTIONS(HERALD_HEADERS(for_all), HERALD_DESTINATIONS(destinations)));
	memset(origins, 'x', sizeof(origins));
	const char *text =
		deliver_to(fixture, "/200", (struct herald_delivery){HERALD_HEADERS(own)});
	assert_has(text, "\r\nX-One: all\r\n");
	assert_has(text, "\r\nx-two: one\r\n");
	assert_has(text, "\r\nX-THREE: own\r\n");
	assert_has_not(text, "X-Two");
	assert_has_not(text, "x-three");
	assert_has_not(text, "X-Three");
	text = deliver_to(fixture, "/200", (struct herald_delivery){0});
	assert_has(text, "\r\nX-One: all\r\n");
	assert_has(text, "\r\nx-two: one\r\n");
	assert_has(text, "\r\nx-three: one\r\n");
	assert_has_not(text, "X-Three");
}

static void
test_destinations_that_are_refused(void **state)
{
	static const char *const good[] = {"X-A: 1"}, *const bad[] = {"X-A: 1", "Host: x"};
	static const char *const secrets[] = {"Authorization: x", "cookie: x", "API-Key: x",
					      "X-Api-Key: x", "X-Auth-Token: x"};
	static struct herald_signer signer;
#define ORIGIN(TEXT) {{TEXT, HERALD_HEADERS(good)}}, 1
	static const struct {
		struct herald_destination destinations[2];
		size_t count;
		const char *path;
	} rows[] = {
		{ORIGIN(NULL), "destinations[0].origin"},
		{ORIGIN(""), "destinations[0].origin"},
		{ORIGIN("a.example"), "destinations[0].origin"},
		{ORIGIN("//a.example"), "destinations[0].origin"},
		{ORIGIN("ftp://a.example"), "destinations[0].origin"},
		{ORIGIN("https://"), "destinations[0].origin"},
		{ORIGIN("https://a.example/"), "destinations[0].origin"},
		{ORIGIN("https://a.example/path"), "destinations[0].origin"},
		{ORIGIN("https://a.example?x"), "destinations[0].origin"},
		{ORIGIN("https://a.example#x"), "destinations[0].origin"},
		{ORIGIN("https://user@a.example"), "destinations[0].origin"},
		{ORIGIN("https://*.example"), "destinations[0].origin"},
		{ORIGIN("https://a.example:99999"), "destinations[0].origin"},
		{ORIGIN("https://a.example:25"), "destinations[0].origin"},
		{ORIGIN("https://10.0.0.1"), "destinations[0].origin"},
		{{{"https://a.example", HERALD_HEADERS(good)},
		  {"HTTPS://A.example:443", HERALD_HEADERS(good)}},
		 2,
		 "destinations[1].origin"},
		{{{"https://a.example", HERALD_HEADERS(good)},
		  {"https://b.example", HERALD_HEADERS(bad)}},
		 2,
		 "destinations[1].headers[1]"},
		{{{.origin = "https://a.example"}}, 1, "destinations[0].headers"},
		{{{.origin = "https://a.example", .headers = good}}, 1, "destinations[0].headers"},
		{{{.origin = "https://a.example", .headers_count = 1}},
		 1,
		 "destinations[0].headers"},
		{{{"https://a.example", .headers = good, .headers_count = 65}},
		 1,
		 "destinations[0].headers"},
		/* The secret would silently not be sent. */
		{{{"https://a.example", .headers = good, .signer = &signer}},
		 1,
		 "destinations[0].headers"},
		{{{"https://a.example", .headers_count = 1, .signer = &signer}},
		 1,
		 "destinations[0].headers"},
	};
	struct herald_deliverer *deliverer = NULL;
	struct herald_error error;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		error = (struct herald_error){0};
		assert_int_equal(
			create_over_curl(
				&HERALD_DELIVERER_OPTIONS(.destinations = rows[i].destinations,
							  .destinations_count = rows[i].count),
				&deliverer, &error),
			HERALD_BAD_OPTION);
		if (strcmp(error.path, rows[i].path) != 0)
			fail_msg("row %zu: %s: %s", i, error.path, error.message);
		assert_null(deliverer);
	}
	for (size_t i = 0; i < COUNT(secrets); i++) {
		assert_int_equal(create_over_curl(&HERALD_DELIVERER_OPTIONS(.headers = &secrets[i],
									    .headers_count = 1),
						  &deliverer, &error),
				 HERALD_BAD_OPTION);
		assert_string_equal(error.path, "headers[0]");
		assert_has(error.message, "headers[0]: must not be ");
		assert_has(error.message, ": it would be sent to any URL that a sender names");
		assert_has_not(error.message, ": x");
	}
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_bytes),
		TEST(test_struct),
		TEST(test_bodies_and_none_in_turn),
		TEST(test_everything_is_copied),
		TEST(test_large_body),
		TEST(test_headers_of_a_delivery),
		TEST(test_what_is_refused),
		TEST(test_room_for_content),
		TEST(test_reserved_content),
		TEST(test_reserved_to_the_byte),
		TEST(test_content_without_memory),
		TEST(test_headers_of_a_destination),
		TEST(test_whose_header_counts),
		TEST(test_destinations_that_are_refused),
	};

	return cmocka_run_group_tests_name("delivery_content", tests, NULL, NULL);
}
