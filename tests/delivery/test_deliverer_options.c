/*
 * The options of a deliverer and of the curl transport: refused values, limits, lists and their
 * counts, and what `setup` may do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/transport.h>
#include <herald/delivery.h>

#include "delivery/memory_queue.h"
#include "delivery/options.h"
#include "support/delivering.h"
#include "support/misbehaving_server.h"
#include "support/option_error.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

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

/* Options with which nothing would be sent, or statuses would not be checked. */
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
release(void *block, size_t bytes, void *state)
{
	(void)block, (void)bytes, (void)state;
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
		{HERALD_DELIVERER_OPTIONS(.allocator = {.release = release}), "allocator"},
		{HERALD_DELIVERER_OPTIONS(.attempts = 1001), "attempts"},
		{HERALD_DELIVERER_OPTIONS(.factor = 0.5), "factor"},
		{HERALD_DELIVERER_OPTIONS(.factor = -1), "factor"},
		{HERALD_DELIVERER_OPTIONS(.factor = 1001), "factor"},
		{HERALD_DELIVERER_OPTIONS(.slots = 100000), "slots"},
		{HERALD_DELIVERER_OPTIONS(.max_claimed = SIZE_MAX), "max_claimed"},
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
		{HERALD_DELIVERER_OPTIONS(.networks_count = 1), "networks"},
		{HERALD_DELIVERER_OPTIONS(.headers = one), "headers"},
		{HERALD_DELIVERER_OPTIONS(.headers_count = 1), "headers"},
		{HERALD_DELIVERER_OPTIONS(.destinations = &(struct herald_destination){0}),
		 "destinations"},
		{HERALD_DELIVERER_OPTIONS(.destinations_count = 1), "destinations"},
		{HERALD_DELIVERER_OPTIONS(.signers = &(struct herald_named_signer){0}), "signers"},
		{HERALD_DELIVERER_OPTIONS(.signers_count = 1), "signers"},
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
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_deliverer *deliverer = NULL;
		struct herald_error error = {0};
		enum herald_status status = create_over_curl(&rows[i].options, &deliverer, &error);

		if (status != HERALD_BAD_OPTION)
			fail_msg("row %zu: %s", i, herald_status_name(status));
		assert_null(deliverer);
		assert_string_equal(error.path, rows[i].path);
		assert_int_equal(error.status, HERALD_BAD_OPTION);
	}
}

/* Each option at its limit, with the defaults of the others, is accepted. One more is refused. */
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
		AT(max_claimed, 1000000),
		AT(max_pending, 100000000),
#undef AT
	};
	struct herald_transport transport; /* Nobody looks into it. */

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_deliverer_options out;
		struct herald_error error = {0};

		struct herald_deliverer_options at = rows[i].at;

		at.transport = &transport;
		if (herald__deliverer_options_resolve(&at, &out, &error) != HERALD_OK)
			fail_msg("%s: %s", rows[i].path, error.message);
		assert_int_equal(herald__deliverer_options_resolve(&rows[i].past, &out, &error),
				 HERALD_BAD_OPTION);
		assert_string_equal(error.path, rows[i].path);
	}
}

/* If creation fails, the transport is freed, whatever the reason. */
static void
test_deliverer_without_transport(void **state)
{
	struct herald_deliverer *deliverer = NULL;
	struct herald_error error = {0};

	(void)state;
	assert_int_equal(herald_deliverer_create(&HERALD_DELIVERER_OPTIONS(.attempts = 1),
						 &deliverer, &error),
			 HERALD_BAD_OPTION);
	assert_null(deliverer);
	assert_string_equal(error.path, "transport");
	assert_int_equal(herald_deliverer_create(NULL, &deliverer, &error), HERALD_BAD_OPTION);
	assert_string_equal(error.path, "transport");
	assert_null(deliverer);
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
		 "is NULL, but headers_count is 2; HERALD_HEADERS(array) sets both"},
		{{.headers = list},
		 "headers",
		 "is set, but headers_count is 0; HERALD_HEADERS(array) sets both"},
		{{.networks_count = 1},
		 "networks",
		 "is NULL, but networks_count is 1; HERALD_NETWORKS(array) sets both"},
		{{.networks = list},
		 "networks",
		 "is set, but networks_count is 0; HERALD_NETWORKS(array) sets both"},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_deliverer_options options = rows[i].options;
		struct herald_deliverer *deliverer = NULL;
		struct herald_error error = {0};

		options.struct_size = sizeof(options);
		assert_int_equal(create_over_curl(&options, &deliverer, &error), HERALD_BAD_OPTION);
		assert_null(deliverer);
		assert_option_error(&error, rows[i].path, rows[i].message);
	}
}

static void
test_options_of_the_transport(void **state)
{
	const struct {
		struct herald_curl_transport_options options;
		const char *path; /* NULL: it is created */
	} rows[] = {
		{{.struct_size = 0}, "struct_size"},
		{{.struct_size = 7}, "struct_size"},
		{HERALD_CURL_TRANSPORT_OPTIONS(.max_answer_header_bytes = 262144), NULL},
		{HERALD_CURL_TRANSPORT_OPTIONS(.max_answer_header_bytes = 262145),
		 "max_answer_header_bytes"},
		{HERALD_CURL_TRANSPORT_OPTIONS(.max_answer_body_bytes = (size_t)1 << 30), NULL},
		{HERALD_CURL_TRANSPORT_OPTIONS(.max_answer_body_bytes = ((size_t)1 << 30) + 1),
		 "max_answer_body_bytes"},
		{HERALD_CURL_TRANSPORT_OPTIONS(.max_answer_bytes = (size_t)1 << 31), NULL},
		{HERALD_CURL_TRANSPORT_OPTIONS(.max_answer_bytes = ((size_t)1 << 31) + 1),
		 "max_answer_bytes"},
		{HERALD_CURL_TRANSPORT_OPTIONS(.allocator = {.state = NULL, .release = release}),
		 "allocator"},
		{HERALD_CURL_TRANSPORT_OPTIONS(.setup = setup_fails), "setup"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_transport *transport = NULL;
		struct herald_error error = {0};
		enum herald_status status =
			herald_curl_transport_create(&rows[i].options, &transport, &error);

		if (status != (rows[i].path ? HERALD_BAD_OPTION : HERALD_OK))
			fail_msg("row %zu: %s", i, herald_status_name(status));
		assert_string_equal(error.path, rows[i].path ? rows[i].path : "");
		assert_true(!transport == !!rows[i].path);
		herald_curl_transport_destroy(transport);
	}
}

static void
test_setup_of_handles(void **state)
{
	struct delivery_fixture *fixture = *state;

	delivery_fixture_start(
		fixture,
		HERALD_DELIVERER_OPTIONS(.transport =
						 CURL_TRANSPORT(.setup = setup_changes_agent)));
	delivery_fixture_submit(fixture, "/301", "e-7");
	recorder_wait(&fixture->recorder, 1);
	assert_has(misbehaving_server_text(&fixture->server, 0), "User-Agent: shop/1\r\n");
	assert_int_equal(fixture->recorder.outcome_reports[0].http_status, 301);
	assert_int_equal(misbehaving_server_requests(&fixture->server), 1);
}

static void
test_setup_that_gets_in_the_way(void **state)
{
	struct delivery_fixture *fixture = *state;

	delivery_fixture_start(
		fixture,
		HERALD_DELIVERER_OPTIONS(.transport =
						 CURL_TRANSPORT(.setup = setup_gets_in_the_way)));
	delivery_fixture_submit(fixture, "/503,endless",
				"e-7"); /* Endless: an answer with a body. */
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
	assert_int_equal(create_over_curl(&options, &deliverer, NULL), HERALD_OK);
	herald_deliverer_destroy(deliverer);
	assert_int_equal(create_over_curl(NULL, &deliverer, NULL), HERALD_OK);
	herald_deliverer_destroy(deliverer);
	assert_int_equal(herald_deliverer_stop(NULL, 0), 0);
	herald_deliverer_destroy(NULL);
}

int
main(void)
{
#define TEST(NAME)                                                                                 \
	cmocka_unit_test_setup_teardown(NAME, delivery_fixture_setup, delivery_fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_options_that_are_refused),    TEST(test_options_at_their_limits),
		TEST(test_deliverer_without_transport), TEST(test_lists_and_their_counts),
		TEST(test_options_of_the_transport),    TEST(test_setup_of_handles),
		TEST(test_setup_that_gets_in_the_way),  TEST(test_options_of_an_older_version),
	};

	return cmocka_run_group_tests_name("deliverer_options", tests, NULL, NULL);
}
