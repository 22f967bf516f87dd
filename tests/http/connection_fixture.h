/*
 * What the tests of connections share: requests as text, the answers to them, and a wire with
 * timeouts that are short. Include cmocka.h (and what it needs) before this header.
 */
#ifndef HERALD_TESTS_HTTP_CONNECTION_FIXTURE_H
#define HERALD_TESTS_HTTP_CONNECTION_FIXTURE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <herald/herald.h>
#include <herald/server.h>

#include "support/wire.h"

#define EVENT                                                                                      \
	"{\"event_type\":\"order_placed\",\"timestamp\":\"2024-08-20T05:21:19Z\",\"payload\":7}"
#define EVENT_LENGTH "76"
#define POST "POST /event HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
#define EVENT_HEAD POST "Content-Length: " EVENT_LENGTH "\r\n"
#define DONE EVENT_HEAD "\r\n" EVENT
#define DONE_10                                                                                    \
	"POST /event HTTP/1.0\r\nContent-Type: application/json\r\n"                               \
	"Content-Length: " EVENT_LENGTH "\r\n"
#define LAST EVENT_HEAD "Connection: close\r\n\r\n" EVENT
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define CHUNKED_EVENT CHUNKED "4c\r\n" EVENT "\r\n0\r\n\r\n"
#define GET(TARGET) "GET " TARGET " HTTP/1.1\r\nHost: t\r\n\r\n"
#define HEAD(TARGET) "HEAD " TARGET " HTTP/1.1\r\nHost: t\r\n\r\n"
#define PUT(TARGET, LENGTH)                                                                        \
	"PUT " TARGET " HTTP/1.1\r\nHost: t\r\nContent-Length: " LENGTH "\r\n\r\n"
#define PUT_CHUNKED "PUT /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
#define SIXTY_FOUR "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

#define SUCCESS "200 {\"status\":\"success\"}\n"
#define GIVEN "event 7\n"
#define ERROR(STATUS, TEXT) #STATUS " {\"error\":\"" TEXT "\"}\n"
#define ERROR_CLOSE(STATUS, TEXT) #STATUS " {\"error\":\"" TEXT "\"} close\n"
#define ECHOED(METHOD, BODY) "201 X-Method: " METHOD " =" BODY "\n"

static inline void
create(struct wire *wire, const struct herald_server_options *options)
{
	assert_int_equal(strlen(EVENT), strtoul(EVENT_LENGTH, NULL, 10));
	assert_int_equal(wire_create(wire, options, NULL), HERALD_OK);
	assert_true(wire_connect(wire));
}

static inline void
assert_answers(const struct wire *wire, const char *expected)
{
	char *answers = wire_answers(wire);

	assert_string_equal(answers, expected);
	free(answers);
}

static inline void
assert_given(const struct wire *wire, const char *expected)
{
	assert_int_equal(wire->given.bytes, strlen(expected));
	if (wire->given.bytes > 0)
		assert_memory_equal(wire->given.data, expected, wire->given.bytes);
}

static inline void
send_text(struct wire *wire, const char *text)
{
	if (*text != '\0')
		wire_send(wire, text, strlen(text));
}

static inline struct herald_server_options
timeouts(void)
{
	return HERALD_SERVER_OPTIONS(.header_timeout_ms = 100, .body_timeout_ms = 60000,
				     .idle_timeout_ms = 300, .send_timeout_ms = 400,
				     .min_bytes_per_s = 10);
}

static inline uint64_t
left_ms(const struct wire *wire)
{
	return herald_http_connection_deadline(wire->connection) - wire->now_ms;
}

/* One millisecond before the deadline nothing happens. */
static inline void
let_expire(struct wire *wire, uint64_t after_ms)
{
	unsigned wants = wire_wants(wire);

	assert_int_equal(left_ms(wire), after_ms);
	wire->now_ms += after_ms - 1;
	wire_expire(wire);
	assert_int_equal(wire_wants(wire), wants);
	wire->now_ms++;
	wire_expire(wire);
}

#endif
