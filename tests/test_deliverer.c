/*
 * herald/delivery.h around the attempts: room, what is refused, options, memory that is out, another
 * queue, hooks and log.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/delivery.h>

#include "../adapters/curl/options.h"
#include "support/delivering.h"
#include "support/failing_allocator.h"
#include "support/misbehaving_server.h"
#include "support/names.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* Start both; the options get the hooks and the clock. */
static void
start(struct delivery_fixture *fixture, struct herald_deliverer_options options)
{
	struct herald_error error;

	options.struct_size = sizeof(options);
	options.addresses = HERALD_ADDRESSES_ANY;
	options.on_attempt = record_attempt;
	options.on_outcome = record_outcome;
	options.state = options.state ? options.state : &fixture->recorder;
	misbehaving_server_start(&fixture->server);
	if (herald__deliverer_create(&options, &fixture->clock.clock, NULL, &fixture->deliverer,
				     &error) != HERALD_OK)
		fail_msg("%s", error.message);
}

/* "PATH" is the server's; anything with a scheme is a URL, whose %u is its port. */
static void
make_url(const struct delivery_fixture *fixture, const char *text, char *out, size_t bytes)
{
	const char *port = strstr(text, ":PORT");

	if (text[0] == '/')
		snprintf(out, bytes, "http://127.0.0.1:%u%s", fixture->server.port, text);
	else if (port)
		snprintf(out, bytes, "%.*s:%u%s", (int)(port - text), text, fixture->server.port,
			 port + 5);
	else
		snprintf(out, bytes, "%s", text);
}

static void
submit(struct delivery_fixture *fixture, const char *text)
{
	char url[256];
	struct herald_error error;
	const struct herald_delivery delivery = {.url = url, .event_type = "t", .event_id = "e-7"};

	make_url(fixture, text, url, sizeof(url));
	if (herald_deliverer_submit(fixture->deliverer, &delivery, &error) != HERALD_OK)
		fail_msg("%s: %s", url, error.message);
}

static void
assert_has(const char *text, const char *part)
{
	if (!text || !strstr(text, part))
		fail_msg("there is no \"%s\" in:\n%s", part, text ? text : "nothing");
}

/* Room. */

static void
test_queue_is_full(void **state)
{
	struct delivery_fixture *fixture = *state;
	struct herald_delivery_statistics counts;
	struct herald_reservation *one, *two, *none = NULL;
	struct herald_error error;
	char url[256];
	const struct herald_delivery delivery = {.url = url};

	make_url(fixture, "/silent", url, sizeof(url));
	start(fixture, HERALD_DELIVERER_OPTIONS(.max_pending = 3, .slots = 1));
	submit(fixture, "/silent");
	assert_int_equal(herald_deliverer_reserve(fixture->deliverer, 100, 0, &one, NULL),
			 HERALD_OK);
	assert_int_equal(herald_deliverer_reserve(fixture->deliverer, 100, 0, &two, NULL),
			 HERALD_OK);
	assert_int_equal(herald_deliverer_reserve(fixture->deliverer, 100, 0, &none, &error),
			 HERALD_LIMIT);
	assert_null(none);
	assert_has(error.message, "3 deliveries are pending");
	assert_int_equal(herald_deliverer_submit(fixture->deliverer, &delivery, NULL),
			 HERALD_LIMIT);

	/* A reservation always has its room; one given back is somebody else's. */
	assert_int_equal(herald_reservation_submit(one, &delivery, NULL), HERALD_OK);
	herald_reservation_release(two);
	submit(fixture, "/silent");
	assert_int_equal(herald_deliverer_submit(fixture->deliverer, &delivery, NULL),
			 HERALD_LIMIT);

	herald_deliverer_statistics(fixture->deliverer, &counts);
	assert_int_equal(counts.accepted, 3);
	assert_int_equal(counts.pending, 3);
	assert_int_equal(counts.reserved, 0);
	assert_int_equal(counts.refused, 3);
	assert_int_equal(herald_deliverer_stop(fixture->deliverer, 0), 3);
	assert_int_equal(fixture->recorder.left, 3);
	assert_all_settled(fixture->deliverer);
	assert_int_equal(herald_deliverer_submit(fixture->deliverer, &delivery, &error),
			 HERALD_LIMIT);
	assert_has(error.message, "was stopped");
}

/* A stop that did not wait for a reservation: what comes with it later is not taken, nor lost. */
static void
test_reservation_after_the_stop(void **state)
{
	struct delivery_fixture *fixture = *state;
	struct herald_reservation *reservation;
	struct herald_error error;
	char url[256];
	const struct herald_delivery delivery = {.url = url};

	make_url(fixture, "/200", url, sizeof(url));
	start(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1));
	assert_int_equal(
		herald_deliverer_reserve(fixture->deliverer, strlen(url), 0, &reservation, NULL),
		HERALD_OK);
	assert_int_equal(herald_deliverer_stop(fixture->deliverer, 0), 0);
	assert_int_equal(herald_reservation_submit(reservation, &delivery, &error), HERALD_LIMIT);
	assert_has(error.message, "was stopped");
	assert_all_settled(fixture->deliverer);
	assert_int_equal(fixture->recorder.outcomes, 0);
}

static void
test_urls_that_are_refused(void **state)
{
	struct delivery_fixture *fixture = *state;
	struct herald_reservation *reservation;
	static const struct {
		const char *url;
		enum herald_status status;
		const char *message;
	} rows[] = {
		{NULL, HERALD_BAD_VALUE, "expected a URL"},
		{"", HERALD_BAD_VALUE, "expected a URL"},
		{"example.com/x", HERALD_BAD_VALUE, "URL"},
		{"//example.com/x", HERALD_BAD_VALUE, "URL"},
		{"/x", HERALD_BAD_VALUE, "URL"},
		{"ftp://example.com/", HERALD_BAD_VALUE, "http or https"},
		{"file:///etc/passwd", HERALD_BAD_VALUE, "URL"},
		{"gopher://example.com/", HERALD_BAD_VALUE, "http or https"},
		{"httpx://example.com/", HERALD_BAD_VALUE, "http or https"},
		{"javascript:alert(1)", HERALD_BAD_VALUE, ""},
		{"http://", HERALD_BAD_VALUE, "not a URL"},
		{"http://a b/", HERALD_BAD_VALUE, "its byte 8, 0x20, is to be written as %20"},
		{"http://a\r\nX: y/", HERALD_BAD_VALUE, "its byte 8, 0x0D"},
		{"http://example.com/\r\nX-Evil: 1", HERALD_BAD_VALUE, "its byte 19, 0x0D"},
		{"http://127.0.0.1:19194/\u00fc?q=\u00e9", HERALD_BAD_VALUE, "written as %C3"},
		{"http://example.com:99999/", HERALD_BAD_VALUE, "not a URL"},
		{"http://example.com:0/", HERALD_BAD_VALUE, "port 0 is not allowed"},
		{"http://[::1/", HERALD_BAD_VALUE, "not a URL"},
		{"http://b\u00fccher.example/", HERALD_BAD_VALUE, "in ASCII"},
		{"http://b%C3%BCcher.example/", HERALD_BAD_VALUE, "xn--..."},
		{"http://b\xfc.example/", HERALD_BAD_VALUE, "in ASCII"},
		{"http://b%7f.example/", HERALD_BAD_VALUE, "in ASCII"},
		{"http://user@example.com/", HERALD_BAD_VALUE, "without user name"},
		{"http://user:secret@example.com/", HERALD_BAD_VALUE, "without user name"},
		{"http://:secret@example.com/", HERALD_BAD_VALUE, "without user name"},
		{"http://example.com/0123456789012345678901234567890123456789", HERALD_BAD_LENGTH,
		 "at most 50 bytes"},
	};

	start(fixture, HERALD_DELIVERER_OPTIONS(.max_url_bytes = 50));
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct herald_delivery delivery = {.url = rows[i].url};
		struct herald_error error = {0}, again = {0};
		enum herald_status status =
			herald_deliverer_check_url(fixture->deliverer, rows[i].url, &error);

		if (status != rows[i].status)
			fail_msg("%s: %s", rows[i].url, herald_status_name(status));
		assert_has(error.message, rows[i].message);
		assert_null(strstr(error.message, "secret"));
		assert_int_equal(herald_deliverer_submit(fixture->deliverer, &delivery, &again),
				 rows[i].status);
		assert_int_equal(again.status, rows[i].status);
		assert_string_equal(again.message, error.message);
		assert_string_equal(again.path, "url");
		assert_int_equal(
			herald_deliverer_reserve(fixture->deliverer, 50, 0, &reservation, NULL),
			HERALD_OK);
		again = (struct herald_error){0};
		assert_int_equal(herald_reservation_submit(reservation, &delivery, &again),
				 rows[i].status);
		assert_string_equal(again.path, "url");
	}
	assert_int_equal(herald_deliverer_check_url(fixture->deliverer,
						    "HTTPS://Example.COM:8443/x?y#z", NULL),
			 HERALD_OK);
	assert_int_equal(herald_deliverer_check_url(fixture->deliverer,
						    "http://xn--bcher-kva.example/", NULL),
			 HERALD_OK);
	assert_int_equal(herald_deliverer_stop(fixture->deliverer, 0), 0);
	assert_all_settled(fixture->deliverer);
}

/* Every byte that is not printable ASCII, in every part of a URL. */
static void
test_bytes_of_a_url(void **state)
{
	static const char url[] = "http://u:p@example.com/path?query=1#part";
	static const char *const parts[] = {"u:", "p@", "xample", "ath", "uery", "1#", "art"};
	struct delivery_fixture *fixture = *state;

	start(fixture, HERALD_DELIVERER_OPTIONS(.allow_credentials = true));
	assert_int_equal(herald_deliverer_check_url(fixture->deliverer, url, NULL), HERALD_OK);
	for (unsigned byte = 1; byte <= 0xff; byte++) {
		for (size_t i = 0; i < COUNT(parts) && (byte <= ' ' || byte > '~'); i++) {
			char text[sizeof(url) + 1], part[8];
			struct herald_error error = {0};
			size_t at = (size_t)(strstr(url, parts[i]) - url);

			snprintf(text, sizeof(text), "%.*s%c%s", (int)at, url, (char)byte,
				 url + at);
			assert_int_equal(
				herald_deliverer_check_url(fixture->deliverer, text, &error),
				HERALD_BAD_VALUE);
			assert_int_equal(error.offset, at);
			snprintf(part, sizeof(part), "%%%02X", byte);
			assert_has(error.message, part);
		}
	}
}

/* Ports. */

static void
assert_port(const struct herald_deliverer *deliverer, const char *url, const char *message)
{
	struct herald_error error = {0};
	enum herald_status status = herald_deliverer_check_url(deliverer, url, &error);

	if (status != (message ? HERALD_BAD_VALUE : HERALD_OK) ||
	    (message && strcmp(error.message, message) != 0))
		fail_msg("%s: %s", url, error.message);
}

static void
test_ports_by_default(void **state)
{
	static const struct {
		const char *url, *message;
	} rows[] = {
		{"http://a.example/", NULL},
		{"https://a.example/", NULL},
		{"http://a.example:8080/", NULL},
		{"http://a.example:65535/", NULL},
		{"http://a.example:11210/", NULL},
		{"http://a.example:24/", NULL},
		{"http://a.example:1/", "port 1 is not allowed"},
		{"http://a.example:22/", "port 22 is not allowed"},
		{"http://a.example:25/", "port 25 is not allowed"},
		{"https://a.example:0465/", "port 465 is not allowed"},
		{"http://a.example:6379/", "port 6379 is not allowed"},
		{"http://a.example:6667/", "port 6667 is not allowed"},
		{"http://a.example:10080/", "port 10080 is not allowed"},
		{"http://a.example:11211/", "port 11211 is not allowed"},
	};
	struct delivery_fixture *fixture = *state;
	unsigned allowed = 0;
	char url[64];

	start(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1));
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_port(fixture->deliverer, rows[i].url, rows[i].message);
	for (unsigned port = 0; port <= 65535; port++) {
		snprintf(url, sizeof(url), "http://a.example:%u/", port);
		allowed += herald_deliverer_check_url(fixture->deliverer, url, NULL) == HERALD_OK;
	}
	assert_int_equal(65536 - allowed, 85);
}

static void
test_ports_that_are_named(void **state)
{
	static const struct herald_port_range ports[] = {{443, 0}, {25, 0}, {8000, 8002}};
	static const struct {
		const char *url, *message;
	} rows[] = {
		{"https://a.example/", NULL},
		{"http://a.example:443/", NULL},
		{"http://a.example:25/", NULL},
		{"http://a.example:8000/", NULL},
		{"http://a.example:8002/", NULL},
		{"http://a.example/", "port 80 is not allowed"},
		{"http://a.example:442/", "port 442 is not allowed"},
		{"http://a.example:444/", "port 444 is not allowed"},
		{"http://a.example:7999/", "port 7999 is not allowed"},
		{"http://a.example:8003/", "port 8003 is not allowed"},
		{"http://a.example:0/", "port 0 is not allowed"},
	};
	struct delivery_fixture *fixture = *state;

	start(fixture, HERALD_DELIVERER_OPTIONS(HERALD_PORTS(ports)));
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct herald_delivery delivery = {.url = rows[i].url};

		assert_port(fixture->deliverer, rows[i].url, rows[i].message);
		if (rows[i].message)
			assert_int_equal(
				herald_deliverer_submit(fixture->deliverer, &delivery, NULL),
				HERALD_BAD_VALUE);
	}
}

static void
test_credentials_when_allowed(void **state)
{
	struct delivery_fixture *fixture = *state;

	start(fixture, HERALD_DELIVERER_OPTIONS(.allow_credentials = true));
	submit(fixture, "http://user:secret@127.0.0.1:PORT/200");
	recorder_wait(&fixture->recorder, 1);
	assert_int_equal(fixture->recorder.delivered, 1);
	assert_has(misbehaving_server_text(&fixture->server, 0), "Authorization: Basic ");
}

/* Options. */

static bool
setup_fails(CURL *easy, void *state)
{
	(void)easy;
	(void)state;
	return false;
}

static bool
setup_changes_agent(CURL *easy, void *state)
{
	(void)state;
	return curl_easy_setopt(easy, CURLOPT_USERAGENT, "shop/1") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L) == CURLE_OK;
}

/* What would have nothing sent, or not have its status judged. */
static bool
setup_gets_in_the_way(CURL *easy, void *state)
{
	(void)state;
	return curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_NOBODY, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_RESUME_FROM, 5L) == CURLE_OK;
}

static void
test_options_that_are_refused(void **state)
{
	static const char *const one[] = {"10.0.0.0/8"};
	(void)state;

#define PORTS(FIRST, LAST) .ports = &(struct herald_port_range){FIRST, LAST}, .ports_count = 1
#define LIST(MEMBER, TEXT) .MEMBER = (const char *const[]){"X-Ok: 1", TEXT} + 1, .MEMBER##_count = 1
	const struct {
		struct herald_deliverer_options options;
		const char *path;
	} rows[] = {
		{{.struct_size = 0}, "struct_size"},
		{HERALD_DELIVERER_OPTIONS(.attempts = 1001), "attempts"},
		{HERALD_DELIVERER_OPTIONS(.factor = 0.5), "factor"},
		{HERALD_DELIVERER_OPTIONS(.factor = -1), "factor"},
		{HERALD_DELIVERER_OPTIONS(.factor = 1001), "factor"},
		{HERALD_DELIVERER_OPTIONS(.slots = 100000), "slots"},
		{HERALD_DELIVERER_OPTIONS(.max_pending = SIZE_MAX), "max_pending"},
		{HERALD_DELIVERER_OPTIONS(.max_url_bytes = 100000), "max_url_bytes"},
		{HERALD_DELIVERER_OPTIONS(.backoff = (enum herald_backoff)3), "backoff"},
		{HERALD_DELIVERER_OPTIONS(.method = (enum herald_delivery_method)2), "method"},
		{HERALD_DELIVERER_OPTIONS(.addresses = (enum herald_address_policy)2), "addresses"},
		{HERALD_DELIVERER_OPTIONS(LIST(headers, "no colon")), "headers[0]"},
		{HERALD_DELIVERER_OPTIONS(LIST(headers, "X: a\r\nY: b")), "headers[0]"},
		{HERALD_DELIVERER_OPTIONS(LIST(headers, "X: a\nY: b")), "headers[0]"},
		{HERALD_DELIVERER_OPTIONS(LIST(headers, "X Y: a")), "headers[0]"},
		{HERALD_DELIVERER_OPTIONS(LIST(headers, ": a")), "headers[0]"},
		{HERALD_DELIVERER_OPTIONS(LIST(headers, "X:")), "headers[0]"},
		{HERALD_DELIVERER_OPTIONS(LIST(headers, "host: a")), "headers[0]"},
		{HERALD_DELIVERER_OPTIONS(LIST(headers, "Content-Length: 5")), "headers[0]"},
		{HERALD_DELIVERER_OPTIONS(LIST(headers, "Transfer-Encoding: x")), "headers[0]"},
		{HERALD_DELIVERER_OPTIONS(LIST(headers, "herald-result: success")), "headers[0]"},
		{HERALD_DELIVERER_OPTIONS(LIST(headers, NULL)), "headers[0]"},
		{HERALD_DELIVERER_OPTIONS(LIST(networks, "10.0.0.0/33")), "networks[0]"},
		{HERALD_DELIVERER_OPTIONS(LIST(networks, "10.0.0.1/8")), "networks[0]"},
		{HERALD_DELIVERER_OPTIONS(LIST(networks, "10.0.0/8")), "networks[0]"},
		{HERALD_DELIVERER_OPTIONS(LIST(networks, "fd00::/129")), "networks[0]"},
		{HERALD_DELIVERER_OPTIONS(LIST(networks, "fd00::/")), "networks[0]"},
		{HERALD_DELIVERER_OPTIONS(LIST(networks, "fd00::/+8")), "networks[0]"},
		{HERALD_DELIVERER_OPTIONS(LIST(networks, "localhost")), "networks[0]"},
		{HERALD_DELIVERER_OPTIONS(LIST(denied_networks, "10.0.0.1/8")),
		 "denied_networks[0]"},
		{HERALD_DELIVERER_OPTIONS(LIST(denied_networks, NULL)), "denied_networks[0]"},
		{HERALD_DELIVERER_OPTIONS(.denied_networks = one), "denied_networks"},
		{HERALD_DELIVERER_OPTIONS(.denied_networks_count = 1), "denied_networks"},
		{HERALD_DELIVERER_OPTIONS(.networks = one, .networks_count = 4097),
		 "networks_count"},
		{HERALD_DELIVERER_OPTIONS(.ports_count = 1), "ports"},
		{HERALD_DELIVERER_OPTIONS(.ports = &(struct herald_port_range){1, 1}), "ports"},
		{HERALD_DELIVERER_OPTIONS(PORTS(0, 0)), "ports[0]"},
		{HERALD_DELIVERER_OPTIONS(PORTS(0, 80)), "ports[0]"},
		{HERALD_DELIVERER_OPTIONS(PORTS(80, 79)), "ports[0]"},
		/* They would allow nothing. */
		{HERALD_DELIVERER_OPTIONS(LIST(networks, "64:ff9b::/96")), "networks[0]"},
		{HERALD_DELIVERER_OPTIONS(LIST(networks, "64:ff9b::10.0.0.0/104")), "networks[0]"},
		{HERALD_DELIVERER_OPTIONS(LIST(networks, "64:ff9b:1::10.0.0.0/104")),
		 "networks[0]"},
		{HERALD_DELIVERER_OPTIONS(LIST(networks, "2002:7f00::/24")), "networks[0]"},
		{HERALD_DELIVERER_OPTIONS(LIST(networks, "2001:0:7f00::/40")), "networks[0]"},
		/* The retry handler refuses it by the same rule. */
		{HERALD_DELIVERER_OPTIONS(.first_delay_ms = 101, .max_delay_ms = 100),
		 "first_delay_ms"},
		{HERALD_DELIVERER_OPTIONS(.max_answer_header_bytes = 262145),
		 "max_answer_header_bytes"},
		{HERALD_DELIVERER_OPTIONS(.max_answer_body_bytes = SIZE_MAX),
		 "max_answer_body_bytes"},
		{HERALD_DELIVERER_OPTIONS(.max_answer_bytes = SIZE_MAX), "max_answer_bytes"},
		{HERALD_DELIVERER_OPTIONS(.setup = setup_fails), ""},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_deliverer *deliverer = NULL;
		struct herald_error error = {0};
		enum herald_status status =
			herald_deliverer_create(&rows[i].options, &deliverer, &error);

		if (status != HERALD_BAD_OPTION)
			fail_msg("row %zu: %s", i, herald_status_name(status));
		assert_null(deliverer);
		assert_string_equal(error.path, rows[i].path);
		assert_int_equal(error.status, HERALD_BAD_OPTION);
	}
}

/* Each at its limit alone: what the others become by default allows it. One more is refused. */
static void
test_options_at_their_limits(void **state)
{
	const struct {
		const char *path;
		struct herald_deliverer_options at, past;
	} rows[] = {
#define AT(OPTION, LIMIT)                                                                          \
	{#OPTION, HERALD_DELIVERER_OPTIONS(.OPTION = (LIMIT)),                                     \
	 HERALD_DELIVERER_OPTIONS(.OPTION = (LIMIT) + 1)}
		AT(attempts, 1000),
		AT(max_body_bytes, (size_t)1 << 30),
		AT(max_headers_bytes, 256 * 1024),
		AT(max_url_bytes, 65536),
		AT(slots, 65536),
		AT(max_answer_header_bytes, 262144),
		AT(max_answer_body_bytes, (size_t)1 << 30),
		AT(max_answer_bytes, (size_t)1 << 31),
#undef AT
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_deliverer_options out;
		struct herald_error error = {0};

		if (herald__deliverer_options_resolve(&rows[i].at, &out, &error) != HERALD_OK)
			fail_msg("%s: %s", rows[i].path, error.message);
		assert_int_equal(herald__deliverer_options_resolve(&rows[i].past, &out, &error),
				 HERALD_BAD_OPTION);
		assert_string_equal(error.path, rows[i].path);
	}
}

/* A pointer without its count, and the reverse: either would be silently an empty list. */
static void
test_lists_and_their_counts(void **state)
{
	static const char *const list[] = {"X-Ok: 1"};
	static const struct {
		struct herald_deliverer_options options;
		const char *path, *message;
	} rows[] = {
		{{.headers_count = 2},
		 "headers",
		 "headers is NULL, but headers_count is 2; HERALD_HEADERS(array) sets both"},
		{{.headers = list},
		 "headers",
		 "headers is set, but headers_count is 0; HERALD_HEADERS(array) sets both"},
		{{.networks_count = 1},
		 "networks",
		 "networks is NULL, but networks_count is 1; HERALD_NETWORKS(array) sets both"},
		{{.networks = list},
		 "networks",
		 "networks is set, but networks_count is 0; HERALD_NETWORKS(array) sets both"},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_deliverer_options options = rows[i].options;
		struct herald_deliverer *deliverer = NULL;
		struct herald_error error = {0};

		options.struct_size = sizeof(options);
		assert_int_equal(herald_deliverer_create(&options, &deliverer, &error),
				 HERALD_BAD_OPTION);
		assert_null(deliverer);
		assert_string_equal(error.path, rows[i].path);
		assert_string_equal(error.message, rows[i].message);
	}
}

static void
test_setup_of_handles(void **state)
{
	struct delivery_fixture *fixture = *state;

	start(fixture, HERALD_DELIVERER_OPTIONS(.setup = setup_changes_agent));
	submit(fixture, "/301");
	recorder_wait(&fixture->recorder, 1);
	assert_has(misbehaving_server_text(&fixture->server, 0), "User-Agent: shop/1\r\n");
	assert_int_equal(fixture->recorder.outcome_reports[0].http_status, 301);
	assert_int_equal(misbehaving_server_requests(&fixture->server), 1);
}

static void
test_setup_that_gets_in_the_way(void **state)
{
	struct delivery_fixture *fixture = *state;

	start(fixture, HERALD_DELIVERER_OPTIONS(.setup = setup_gets_in_the_way));
	submit(fixture, "/503,endless"); /* Endless: an answer with a body. */
	recorder_wait(&fixture->recorder, 1);
	assert_int_equal(fixture->recorder.attempts, 2);
	assert_int_equal(fixture->recorder.attempt_reports[0].http_status, 503);
	assert_int_equal(fixture->recorder.delivered, 1);
}

/* A struct of an older version is shorter; what is behind it is not read. */
static void
test_options_of_an_older_version(void **state)
{
	(void)state;
	struct herald_deliverer_options options = HERALD_DELIVERER_OPTIONS(.attempts = 5);
	struct herald_deliverer *deliverer;

	options.struct_size = offsetof(struct herald_deliverer_options, factor);
	options.factor = -5;
	assert_int_equal(herald_deliverer_create(&options, &deliverer, NULL), HERALD_OK);
	herald_deliverer_destroy(deliverer);
	assert_int_equal(herald_deliverer_create(NULL, &deliverer, NULL), HERALD_OK);
	herald_deliverer_destroy(deliverer);
	herald_deliverer_destroy(NULL);
}

/* Memory. */

static void
test_creation_without_memory(void **state)
{
	static const char *const headers[] = {"X-A: 1", "X-B: 2"};
	static const char *const networks[] = {"10.0.0.0/8"};
	(void)state;

	for (size_t n = 1;; n++) {
		struct failing_allocator memory;
		struct herald_deliverer *deliverer = NULL;
		struct herald_error error;

		failing_allocator_init(&memory, FAIL_ONLY, n);
		enum herald_status status = herald_deliverer_create(
			&HERALD_DELIVERER_OPTIONS(.allocator = memory.allocator,
						  HERALD_HEADERS(headers),
						  HERALD_NETWORKS(networks),
						  .method = HERALD_DELIVERY_POST),
			&deliverer, &error);
		if (status == HERALD_OK)
			herald_deliverer_destroy(deliverer);
		else
			assert_int_equal(status, HERALD_NO_MEMORY);
		assert_all_released(&memory);
		if (!memory.failures)
			break;
	}
}

/* Wherever memory is out, the delivery is not accepted, or it is delivered later. */
static void
test_deliveries_without_memory(void **state)
{
	struct delivery_fixture *fixture = *state;
	size_t accepted = 0;
	char url[256];

	misbehaving_server_start(&fixture->server);
	make_url(fixture, "/200", url, sizeof(url));
	for (size_t n = 1;; n++) {
		const struct herald_delivery delivery = {
			.url = url, .event_type = "t", .event_id = "e-7"};
		struct failing_allocator memory;
		struct herald_deliverer *deliverer;

		failing_allocator_init(&memory, FAIL_NEVER, 0);
		test_clock_init(&fixture->clock);
		assert_int_equal(herald__deliverer_create(
					 &RECORDED_OPTIONS(&fixture->recorder,
							   .addresses = HERALD_ADDRESSES_ANY,
							   .method = HERALD_DELIVERY_POST,
							   .allocator = memory.allocator),
					 &fixture->clock.clock, NULL, &deliverer, NULL),
				 HERALD_OK);
		/* The thread allocates nothing before there is something to deliver. */
		memory.fail_at = memory.calls + n;
		memory.mode = FAIL_ONLY;
		enum herald_status status = herald_deliverer_submit(deliverer, &delivery, NULL);
		if (status == HERALD_OK)
			herald_deliverer_stop(deliverer, 60000);
		else
			assert_int_equal(status, HERALD_NO_MEMORY);
		accepted += status == HERALD_OK;
		assert_int_equal(fixture->recorder.delivered, accepted);
		herald_deliverer_destroy(deliverer);
		assert_all_released(&memory);
		if (!memory.failures)
			break;
	}
	assert_true(accepted >= 3);
}

/* The queue's interface: what the deliverer does with one that it does not know. */

struct journal {
	struct herald__queue base;
	struct herald__queue *memory;
	bool is_full;
	size_t puts, begins, retries, settled;
	unsigned begun_attempts; /* as counted when the last attempt began */
	enum herald_delivery_outcome outcome;
};

static enum herald_status
journal_put(struct herald__queue *base, struct herald__queued *item)
{
	struct journal *journal = (struct journal *)base;

	if (journal->is_full)
		return HERALD_SYSTEM;
	journal->puts++;
	/* As when it has been read from a disk meanwhile. */
	curl_url_cleanup(item->parsed_url);
	item->parsed_url = NULL;
	return journal->memory->ops->put(journal->memory, item);
}

static struct herald__queued *
journal_take(struct herald__queue *base, uint64_t now_ms, uint64_t *next_due_ms)
{
	struct journal *journal = (struct journal *)base;

	return journal->memory->ops->take(journal->memory, now_ms, next_due_ms);
}

static void
journal_begin(struct herald__queue *base, struct herald__queued *item)
{
	struct journal *journal = (struct journal *)base;

	journal->begins++;
	journal->begun_attempts = item->attempts;
}

static void
journal_retry(struct herald__queue *base, struct herald__queued *item)
{
	struct journal *journal = (struct journal *)base;

	journal->retries++;
	journal->memory->ops->retry(journal->memory, item);
}

static void
journal_settle(struct herald__queue *base, struct herald__queued *item,
	       enum herald_delivery_outcome outcome)
{
	struct journal *journal = (struct journal *)base;

	(void)item;
	journal->settled++;
	journal->outcome = outcome;
}

static struct herald__queued *
journal_take_left(struct herald__queue *base)
{
	struct journal *journal = (struct journal *)base;

	return journal->memory->ops->take_left(journal->memory);
}

static void
journal_destroy(struct herald__queue *base)
{
	struct journal *journal = (struct journal *)base;

	journal->memory->ops->destroy(journal->memory);
}

static void
test_another_queue(void **state)
{
	static const struct herald__queue_ops ops = {
		journal_put,    journal_take,      journal_begin,   journal_retry,
		journal_settle, journal_take_left, journal_destroy,
	};
	struct delivery_fixture *fixture = *state;
	struct journal journal = {.base.ops = &ops};
	struct herald_delivery_statistics counts;
	struct herald_error error;
	char url[256];
	const struct herald_delivery delivery = {.url = url};

	journal.memory = herald__memory_queue_create(&herald_allocator_libc, 10);
	misbehaving_server_start(&fixture->server);
	make_url(fixture, "/503,500,200", url, sizeof(url));
	assert_int_equal(
		herald__deliverer_create(
			&RECORDED_OPTIONS(&fixture->recorder, .addresses = HERALD_ADDRESSES_ANY),
			&fixture->clock.clock, &journal.base, &fixture->deliverer, NULL),
		HERALD_OK);
	assert_int_equal(herald_deliverer_submit(fixture->deliverer, &delivery, NULL), HERALD_OK);
	recorder_wait(&fixture->recorder, 1);
	journal.is_full = true;
	assert_int_equal(
		herald_deliverer_submit(
			fixture->deliverer,
			&(struct herald_delivery){.url = url, .body = "body", .body_bytes = 4},
			&error),
		HERALD_SYSTEM);
	assert_has(error.message, "the queue does not take it");
	herald_deliverer_statistics(fixture->deliverer, &counts);
	assert_int_equal(counts.content_bytes, 0);
	herald_deliverer_stop(fixture->deliverer, 0);
	assert_all_settled(fixture->deliverer);
	assert_int_equal(journal.puts, 1);
	assert_int_equal(journal.begins, 3);
	assert_int_equal(journal.begun_attempts, 3);
	assert_int_equal(journal.retries, 2);
	assert_int_equal(journal.settled, 1);
	assert_int_equal(journal.outcome, HERALD_DELIVERY_DELIVERED);
	herald_deliverer_destroy(fixture->deliverer); /* While the journal is there. */
	fixture->deliverer = NULL;
}

/* Hooks and log. */

static void
submit_another(const struct herald_delivery_report *report, void *state)
{
	struct delivery_fixture *fixture = state;

	if (fixture->recorder.outcomes < 5)
		assert_int_equal(
			herald_deliverer_submit(fixture->deliverer, report->delivery, NULL),
			HERALD_OK);
	record_outcome(report, &fixture->recorder);
}

static void
test_hook_may_submit(void **state)
{
	struct delivery_fixture *fixture = *state;
	char url[256];
	const struct herald_delivery delivery = {.url = url};

	misbehaving_server_start(&fixture->server);
	make_url(fixture, "/200", url, sizeof(url));
	assert_int_equal(
		herald__deliverer_create(
			&HERALD_DELIVERER_OPTIONS(.addresses = HERALD_ADDRESSES_ANY,
						  .on_outcome = submit_another, .state = fixture),
			&fixture->clock.clock, NULL, &fixture->deliverer, NULL),
		HERALD_OK);
	assert_int_equal(herald_deliverer_submit(fixture->deliverer, &delivery, NULL), HERALD_OK);
	recorder_wait(&fixture->recorder, 6);
	assert_int_equal(fixture->recorder.delivered, 6);
}

struct log_lines {
	char levels[64];
	char messages[64][512];
	size_t count;
};

/* No secret of the URL is anywhere in a record; its message alone says where to, and which attempt. */
static void
note_record(const struct herald_log_record *record, void *state)
{
	struct log_lines *lines = state;

	assert_true(lines->count + 1 < COUNT(lines->messages));
	lines->levels[lines->count] = herald_log_level_name(record->level)[0];
	snprintf(lines->messages[lines->count++], sizeof(lines->messages[0]), "%s",
		 record->message);
	assert_null(strstr(record->message, "s3cret"));
	assert_int_equal(record->fields_count, 10);
	assert_string_equal(record->fields[1].key, "host");
	assert_string_equal(record->fields[3].key, "event_id");
	assert_string_equal(record->fields[3].text, "e-7");
	for (size_t i = 0; i < record->fields_count; i++)
		assert_true(!record->fields[i].text || !strstr(record->fields[i].text, "s3cret"));
}

static void
assert_line(const struct delivery_fixture *fixture, const struct log_lines *lines, size_t index,
	    const char *before, const char *behind)
{
	char expected[512];

	snprintf(expected, sizeof(expected), "%shttp://127.0.0.1:%u%s", before,
		 fixture->server.port, behind);
	assert_string_equal(lines->messages[index], expected);
}

static void
test_log(void **state)
{
	struct delivery_fixture *fixture = *state;
	struct log_lines lines = {0};

	start(fixture, HERALD_DELIVERER_OPTIONS(.log = {note_record, &lines, HERALD_LOG_DEBUG}));
	submit(fixture, "/503,200?token=s3cret");
	recorder_wait(&fixture->recorder, 1);
	submit(fixture, "/404?token=s3cret");
	recorder_wait(&fixture->recorder, 2);
	submit(fixture, "/silent?token=s3cret");
	misbehaving_server_wait(&fixture->server, 4);
	herald_deliverer_stop(fixture->deliverer, 0);
	assert_string_equal(lines.levels, "idwe"); /* again, delivered, failed, left */
	assert_line(fixture, &lines, 0, "delivery to ",
		    " will be tried again, attempt 1: HTTP status 503");
	assert_line(fixture, &lines, 1, "delivered to ", ", attempt 2");
	assert_line(fixture, &lines, 2, "delivery to ", " failed, attempt 1: HTTP status 404");
	assert_line(fixture, &lines, 3, "delivery to ",
		    " left at the stop, attempt 1: the deliverer stopped during an attempt");
}

/* However it ends: neither log nor error has user name, password, path, query or fragment. */
static void
test_secrets_of_a_url(void **state)
{
	static const char *const formats[] = {
		"http://s3cret:s3cret@127.0.0.1:PORT/%s,s3cret?s3cret#s3cret",
		"https://s3cret:s3cret@127.0.0.1:PORT/%s?s3cret",
		"http://s3cret@no.such.name.invalid:PORT/%s?s3cret",
		"http://s3cret@127.0.0.1:1/%s?s3cret",
	};
	static const char *const words[] = {"200",    "404",     "503", "close",
					    "reset",  "half",    "cut", "header",
					    "status", "garbage", "301", "headers"};
	struct delivery_fixture *fixture = *state;
	static const struct herald_port_range ports[] = {{1, 65535}};
	struct log_lines lines;
	size_t count = 0;

	start(fixture, HERALD_DELIVERER_OPTIONS(.log = {note_record, &lines, HERALD_LOG_DEBUG},
						.allow_credentials = true, HERALD_PORTS(ports)));
	for (size_t i = 0; i < COUNT(formats); i++) {
		/* Those where nobody answers once. */
		for (size_t j = 0; j < (i == 0 ? COUNT(words) : 1); j++) {
			char text[256];

			lines = (struct log_lines){0};
			snprintf(text, sizeof(text), formats[i], words[j]);
			submit(fixture, text);
			recorder_wait(&fixture->recorder, ++count);
			assert_true(lines.count > 0);
			assert_null(strstr(fixture->recorder.outcome_reports[count - 1].error,
					   "s3cret"));
		}
	}
}

int
main(void)
{
#define TEST(NAME)                                                                                 \
	cmocka_unit_test_setup_teardown(NAME, delivery_fixture_setup, delivery_fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_queue_is_full),
		TEST(test_reservation_after_the_stop),
		TEST(test_urls_that_are_refused),
		TEST(test_bytes_of_a_url),
		TEST(test_ports_by_default),
		TEST(test_ports_that_are_named),
		TEST(test_credentials_when_allowed),
		TEST(test_options_that_are_refused),
		TEST(test_options_at_their_limits),
		TEST(test_lists_and_their_counts),
		TEST(test_setup_of_handles),
		TEST(test_setup_that_gets_in_the_way),
		TEST(test_options_of_an_older_version),
		TEST(test_creation_without_memory),
		TEST(test_deliveries_without_memory),
		TEST(test_another_queue),
		TEST(test_hook_may_submit),
		TEST(test_log),
		TEST(test_secrets_of_a_url),
	};

	return cmocka_run_group_tests_name("deliverer", tests, NULL, NULL);
}
