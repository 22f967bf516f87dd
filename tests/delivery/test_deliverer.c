/*
 * herald/delivery.h apart from the attempts: places, refused URLs, lack of memory, hooks and log.
 * Options are in test_deliverer_options.c, queues in test_queue.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <herald/adapter/transport.h>
#include <herald/delivery.h>

#include "delivery/content.h"
#include "delivery/options.h"
#include "support/delivering.h"
#include "support/failing_allocator.h"
#include "support/misbehaving_server.h"
#include "support/thread_hooks.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

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

	delivery_fixture_url(fixture, "/silent", url, sizeof(url));
	delivery_fixture_start(fixture, HERALD_DELIVERER_OPTIONS(.max_pending = 3, .slots = 1));
	delivery_fixture_submit(fixture, "/silent", "e-7");
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

	/* A reservation always has its room; after its release, others may use it. */
	struct herald_error untouched;
	memset(&error, 0x5A, sizeof(error));
	memset(&untouched, 0x5A, sizeof(untouched));
	assert_int_equal(herald_reservation_submit(one, &delivery, &error), HERALD_OK);
	assert_memory_equal(&error, &untouched, sizeof(error));
	herald_reservation_release(two);
	delivery_fixture_submit(fixture, "/silent", "e-7");
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

/* After a stop that did not wait for a reservation, its submission is refused, and not lost. */
static void
test_reservation_after_the_stop(void **state)
{
	struct delivery_fixture *fixture = *state;
	struct herald_reservation *reservation;
	struct herald_error error;
	char url[256];
	const struct herald_delivery delivery = {.url = url};

	delivery_fixture_url(fixture, "/200", url, sizeof(url));
	delivery_fixture_start(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1));
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
		{"http://a b/", HERALD_BAD_VALUE, "write byte 8, 0x20, as %20"},
		{"http://a\r\nX: y/", HERALD_BAD_VALUE, "write byte 8, 0x0D"},
		{"http://example.com/\r\nX-Evil: 1", HERALD_BAD_VALUE, "write byte 19, 0x0D"},
		{"http://127.0.0.1:19194/\u00fc?q=\u00e9", HERALD_BAD_VALUE, "as %C3"},
		{"http://example.com:99999/", HERALD_BAD_VALUE, "not a URL"},
		{"http://example.com:0/", HERALD_BAD_VALUE, "port 0 is not allowed"},
		{"http://[::1/", HERALD_BAD_VALUE, "not a URL"},
		{"http://b\u00fccher.example/", HERALD_BAD_VALUE, "in ASCII"},
		{"http://b%C3%BCcher.example/", HERALD_BAD_VALUE, "xn--..."},
		{"http://b\xfc.example/", HERALD_BAD_VALUE, "in ASCII"},
		{"http://b%7f.example/", HERALD_BAD_VALUE, "in ASCII"},
		{"http://%31%32%37.0.0.1/", HERALD_BAD_VALUE, "in ASCII"},
		{"http://127%2e0%2E0%2e1/", HERALD_BAD_VALUE, "in ASCII"},
		{"http:///a.example/", HERALD_BAD_VALUE, "it has no host"},
		{"http://a.example:8a/", HERALD_BAD_VALUE, "its port is not a number"},
		{"http://a,b.example/", HERALD_BAD_VALUE, "a host name of letters"},
		{"http://a\\b.example/", HERALD_BAD_VALUE, "a host name of letters"},
		{"http://[::1]a/", HERALD_BAD_VALUE, "an IPv6 address in the brackets"},
		{"http://[fe80::1%]/", HERALD_BAD_VALUE, "name of an interface"},
		{"http://[fe80::1%25a%b]/", HERALD_BAD_VALUE, "name of an interface"},
		{"http://user@example.com/", HERALD_BAD_VALUE, "without user name"},
		{"http://user:secret@example.com/", HERALD_BAD_VALUE, "without user name"},
		{"http://:secret@example.com/", HERALD_BAD_VALUE, "without user name"},
		{"http://example.com/0123456789012345678901234567890123456789", HERALD_BAD_LENGTH,
		 "at most 50 bytes"},
	};

	delivery_fixture_start(fixture, HERALD_DELIVERER_OPTIONS(.max_url_bytes = 50));
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

	delivery_fixture_start(fixture, HERALD_DELIVERER_OPTIONS(.allow_credentials = true));
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
	/* How many ports browsers block (Fetch standard), with 6379 of Redis and 11211 of
	 * memcached, and the sum of their numbers. */
	unsigned blocked = 0, sum = 0;
	char url[64];

	delivery_fixture_start(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1));
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_port(fixture->deliverer, rows[i].url, rows[i].message);
	for (unsigned port = 0; port <= 65535; port++) {
		snprintf(url, sizeof(url), "http://a.example:%u/", port);
		if (herald_deliverer_check_url(fixture->deliverer, url, NULL) != HERALD_OK) {
			blocked++;
			sum += port;
		}
	}
	assert_int_equal(blocked, 85);
	assert_int_equal(sum, 133185);
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

	delivery_fixture_start(fixture, HERALD_DELIVERER_OPTIONS(HERALD_PORTS(ports)));
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

	delivery_fixture_start(fixture, HERALD_DELIVERER_OPTIONS(.allow_credentials = true));
	delivery_fixture_submit(fixture, "http://user:secret@127.0.0.1:PORT/200", "e-7");
	recorder_wait(&fixture->recorder, 1);
	assert_int_equal(fixture->recorder.delivered, 1);
	assert_has(misbehaving_server_text(&fixture->server, 0), "Authorization: Basic ");
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
		enum herald_status status =
			create_over_curl(&HERALD_DELIVERER_OPTIONS(.allocator = memory.allocator,
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

/* Whichever allocation fails, the delivery is refused, or it is delivered later. */
static void
test_deliveries_without_memory(void **state)
{
	struct delivery_fixture *fixture = *state;
	size_t accepted = 0;
	char url[256];

	misbehaving_server_start(&fixture->server);
	delivery_fixture_url(fixture, "/200", url, sizeof(url));
	for (size_t n = 1;; n++) {
		const struct herald_delivery delivery = {
			.url = url, .event_type = "t", .event_id = "e-7"};
		struct failing_allocator memory;
		struct herald_deliverer *deliverer;

		failing_allocator_init(&memory, FAIL_NEVER, 0);
		test_clock_init(&fixture->clock);
		assert_int_equal(
			create_deliverer(&RECORDED_OPTIONS(&fixture->recorder,
							   .addresses = HERALD_ADDRESSES_ANY,
							   .method = HERALD_DELIVERY_POST,
							   .allocator = memory.allocator),
					 &fixture->clock.clock, &deliverer, NULL),
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
record_hooked_outcome(const struct herald_delivery_report *report, void *state)
{
	struct delivery_fixture *fixture = state;

	assert_true(is_hooked());
	record_outcome(report, &fixture->recorder);
}

/* The deliverer's thread begins before the first report and ends after the last one. */
static void
test_thread_hooks(void **state)
{
	struct delivery_fixture *fixture = *state;
	struct counted_hooks hooks = {0};
	char url[256];
	const struct herald_delivery delivery = {.url = url};

	misbehaving_server_start(&fixture->server);
	delivery_fixture_url(fixture, "/200", url, sizeof(url));
	assert_int_equal(
		create_deliverer(&HERALD_DELIVERER_OPTIONS(.addresses = HERALD_ADDRESSES_ANY,
							   .on_outcome = record_hooked_outcome,
							   .state = fixture,
							   .thread_hooks = COUNTED_HOOKS(&hooks)),
				 &fixture->clock.clock, &fixture->deliverer, NULL),
		HERALD_OK);
	assert_int_equal(herald_deliverer_submit(fixture->deliverer, &delivery, NULL), HERALD_OK);
	recorder_wait(&fixture->recorder, 1);
	assert_int_equal(atomic_load(&hooks.stops), 0);
	herald_deliverer_destroy(fixture->deliverer);
	fixture->deliverer = NULL;
	assert_hooks(&hooks, 1);
}

static void
test_hook_may_submit(void **state)
{
	struct delivery_fixture *fixture = *state;
	char url[256];
	const struct herald_delivery delivery = {.url = url};

	misbehaving_server_start(&fixture->server);
	delivery_fixture_url(fixture, "/200", url, sizeof(url));
	assert_int_equal(
		create_deliverer(&HERALD_DELIVERER_OPTIONS(.addresses = HERALD_ADDRESSES_ANY,
							   .on_outcome = submit_another,
							   .state = fixture),
				 &fixture->clock.clock, &fixture->deliverer, NULL),
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

/* No secret of the URL is anywhere in a record; its message alone says where to, and which
 * attempt. */
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

	delivery_fixture_start(
		fixture, HERALD_DELIVERER_OPTIONS(.log = {note_record, &lines, HERALD_LOG_DEBUG}));
	delivery_fixture_submit(fixture, "/503,200?token=s3cret", "e-7");
	recorder_wait(&fixture->recorder, 1);
	delivery_fixture_submit(fixture, "/404?token=s3cret", "e-7");
	recorder_wait(&fixture->recorder, 2);
	delivery_fixture_submit(fixture, "/silent?token=s3cret", "e-7");
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

	delivery_fixture_start(
		fixture, HERALD_DELIVERER_OPTIONS(.log = {note_record, &lines, HERALD_LOG_DEBUG},
						  .allow_credentials = true, HERALD_PORTS(ports)));
	for (size_t i = 0; i < COUNT(formats); i++) {
		/* Use the words without an answer only once. */
		for (size_t j = 0; j < (i == 0 ? COUNT(words) : 1); j++) {
			char text[256];

			lines = (struct log_lines){0};
			snprintf(text, sizeof(text), formats[i], words[j]);
			delivery_fixture_submit(fixture, text, "e-7");
			recorder_wait(&fixture->recorder, ++count);
			assert_true(lines.count > 0);
			assert_null(strstr(fixture->recorder.outcome_reports[count - 1].error,
					   "s3cret"));
		}
	}
}

/* The number of a descriptor may be 0: of the deliverer's own, and of a connection. */
static void
test_descriptor_zero(void **state)
{
	struct delivery_fixture *fixture = *state;
	int kept = dup(STDIN_FILENO);
	struct herald_deliverer_options options = RECORDED_OPTIONS(
		&fixture->recorder, .addresses = HERALD_ADDRESSES_ANY, .attempts = 1);

	assert_true(kept >= 0);
	misbehaving_server_start(&fixture->server);
	assert_int_equal(close(STDIN_FILENO), 0);
	assert_int_equal(create_over_curl(&options, &fixture->deliverer, NULL), HERALD_OK);
	delivery_fixture_submit(fixture, "/200", "e-7");
	recorder_wait(&fixture->recorder, 1);
	herald_deliverer_destroy(fixture->deliverer);

	assert_int_equal(dup2(kept, STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(create_over_curl(&options, &fixture->deliverer, NULL), HERALD_OK);
	assert_int_equal(close(STDIN_FILENO), 0);
	delivery_fixture_submit(fixture, "/200", "e-7");
	recorder_wait(&fixture->recorder, 2);
	assert_int_equal(fixture->recorder.outcome_reports[0].http_status, 200);
	assert_int_equal(fixture->recorder.outcome_reports[1].http_status, 200);
	/* The connection, or what came after it, has the number. */
	assert_int_equal(dup2(kept, STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(close(kept), 0);
}

/* A delivery's headers of 16 KiB are taken by default, and not a byte more. */
static void
test_headers_by_default(void **state)
{
	enum { HEADERS = 4, HEADER_BYTES = 4096 };
	struct delivery_fixture *fixture = *state;
	char texts[HEADERS][HEADER_BYTES + 1];
	const char *headers[HEADERS + 1];
	struct herald_error error;
	char url[256];

	for (int i = 0; i < HEADERS; i++) {
		snprintf(texts[i], sizeof(texts[i]), "X-%d: %0*d", i, HEADER_BYTES - 5, 1);
		assert_int_equal(strlen(texts[i]), HEADER_BYTES);
		headers[i] = texts[i];
	}
	headers[HEADERS] = "Y: z";
	delivery_fixture_url(fixture, "/200", url, sizeof(url));
	delivery_fixture_start(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1));
	delivery_fixture_url(fixture, "/200", url, sizeof(url));
	struct herald_delivery delivery = {
		.url = url, .headers = headers, .headers_count = HEADERS};
	assert_int_equal(herald_deliverer_submit(fixture->deliverer, &delivery, &error), HERALD_OK);
	recorder_wait(&fixture->recorder, 1);
	delivery.headers_count++;
	assert_int_equal(herald_deliverer_submit(fixture->deliverer, &delivery, &error),
			 HERALD_BAD_LENGTH);
}

static void
test_names_of_outcomes(void **state)
{
	(void)state;
	assert_string_equal(herald_delivery_outcome_name(HERALD_DELIVERY_AGAIN), "again");
	assert_string_equal(herald_delivery_outcome_name(HERALD_DELIVERY_DELIVERED), "delivered");
	assert_string_equal(herald_delivery_outcome_name(HERALD_DELIVERY_FAILED), "failed");
	assert_string_equal(herald_delivery_outcome_name(HERALD_DELIVERY_LEFT), "left");
	assert_string_equal(herald_delivery_outcome_name(
				    (enum herald_delivery_outcome)(HERALD_DELIVERY_LEFT + 1)),
			    "?");
}

/* As much as a body, headers and a content type may have together, and a trace. */
static void
test_content_that_can_be_reserved(void **state)
{
	const size_t most =
		500 + 100 + HERALD__MAX_CONTENT_TYPE_BYTES + HERALD_DELIVERY_TRACE_BYTES;
	struct delivery_fixture *fixture = *state;
	struct herald_reservation *reservation;
	struct herald_error error;

	delivery_fixture_start(
		fixture, HERALD_DELIVERER_OPTIONS(.max_body_bytes = 500, .max_headers_bytes = 100));
	assert_int_equal(
		herald_deliverer_reserve(fixture->deliverer, 10, most, &reservation, &error),
		HERALD_OK);
	herald_reservation_release(reservation);
	assert_int_equal(
		herald_deliverer_reserve(fixture->deliverer, 10, most + 1, &reservation, &error),
		HERALD_BAD_LENGTH);
}

int
main(void)
{
#define TEST(NAME)                                                                                 \
	cmocka_unit_test_setup_teardown(NAME, delivery_fixture_setup, delivery_fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_queue_is_full),
		TEST(test_descriptor_zero),
		TEST(test_headers_by_default),
		TEST(test_names_of_outcomes),
		TEST(test_content_that_can_be_reserved),
		TEST(test_reservation_after_the_stop),
		TEST(test_urls_that_are_refused),
		TEST(test_bytes_of_a_url),
		TEST(test_ports_by_default),
		TEST(test_ports_that_are_named),
		TEST(test_credentials_when_allowed),
		TEST(test_creation_without_memory),
		TEST(test_deliveries_without_memory),
		TEST(test_thread_hooks),
		TEST(test_hook_may_submit),
		TEST(test_log),
		TEST(test_secrets_of_a_url),
	};

	return cmocka_run_group_tests_name("deliverer", tests, NULL, NULL);
}
