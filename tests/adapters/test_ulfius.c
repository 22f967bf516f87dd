/*
 * The Ulfius adapter: the contract on an instance of the user, and properties of this adapter:
 * endpoints next to it, truncated bodies, and stopping.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <herald/ulfius.h>

#include "contract/http/microhttpd.h"
#include "contract/http/probe.h"

#define HEAD "POST /event HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"

/* The contract's adapter: an instance as a user would have it, with an endpoint of its own. */

struct server {
	struct sockaddr_in address;
	struct _u_instance instance;
	struct herald_ulfius *events;
};

static int
say_hello(const struct _u_request *request, struct _u_response *response, void *state)
{
	(void)request;
	(void)state;
	ulfius_set_string_body_response(response, 200, "hello");
	return U_CALLBACK_COMPLETE;
}

static uint16_t
port_of(const struct server *server)
{
	struct sockaddr_in address = {0};
	socklen_t bytes = sizeof(address);
	int fd = MHD_get_daemon_info(server->instance.mhd_daemon, MHD_DAEMON_INFO_LISTEN_FD)
			 ->listen_fd;

	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &bytes), 0);
	return ntohs(address.sin_port);
}

/* An instance that does not run yet; `cut_off_bytes` is where Ulfius ends bodies. */
static struct server *
prepare(size_t cut_off_bytes)
{
	struct server *server = calloc(1, sizeof(*server));

	assert_non_null(server);
	server->address.sin_family = AF_INET;
	server->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	/* Ulfius refuses port 0, but takes the one of the address. */
	assert_int_equal(ulfius_init_instance(&server->instance, 1, &server->address, NULL), U_OK);
	server->instance.max_post_body_size = cut_off_bytes;
	return server;
}

static void *
start(struct herald_endpoint *endpoint, uint32_t idle_grace_ms, uint16_t *port)
{
	struct server *server = prepare(herald_endpoint_max_body_bytes(endpoint) + 1);
	struct herald_error error;

	if (herald_ulfius_create(endpoint, &server->instance,
				 &HERALD_ULFIUS_OPTIONS(.idle_grace_ms = idle_grace_ms),
				 &server->events, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	ulfius_add_endpoint_by_val(&server->instance, "GET", NULL, "/hello", 0, say_hello, NULL);
	assert_int_equal(ulfius_start_framework(&server->instance), U_OK);
	*port = port_of(server);
	return server;
}

static size_t
stop(void *state, uint32_t drain_ms)
{
	const struct server *server = state;

	return herald_ulfius_stop(server->events, drain_ms);
}

/* Also of one that was not started. */
static void
end(void *state)
{
	struct server *server = state;

	ulfius_stop_framework(&server->instance);
	ulfius_clean_instance(&server->instance);
	herald_ulfius_destroy(server->events);
	free(server);
}

#define DROPPED                                                                                    \
	"libmicrohttpd 0.9.75 drops it, and Ulfius 2.7.13 copies what is left: see "               \
	"docs/adapters.md"
#define COLLECTED "Ulfius 2.7.13 collects a body before it asks anyone"
#define UNSEEN_EXPECTATION                                                                         \
	"libmicrohttpd 0.9.75 sends 100 for exactly \"100-continue\", and Ulfius 2.7.13 collects " \
	"a "                                                                                       \
	"body before it asks anyone"
#define UNKNOWN_ENCODING "libmicrohttpd 0.9.75 reads such a body up to the end of the connection"
#define OWN_ROUTES "Ulfius 2.7.13 compares the path, decoded and split at slashes"

static const struct contract_http_deviation deviations[] = {
	MICROHTTPD_DEVIATIONS,
	{"absolute_*", "404 open", OWN_ROUTES},
	{"https_*", "404 open", OWN_ROUTES},
	{"star_with_post", "404 open", OWN_ROUTES},
	{"get_star", "404 open", OWN_ROUTES},
	{"fragment_in_target", "404 open", OWN_ROUTES},
	{"connect_authority", "404 200 open", OWN_ROUTES},
	{"tab_in_target", "404 open", OWN_ROUTES},
	{"two_blanks_after_target", "404 open", OWN_ROUTES},
	{"path_two_slashes", "200 open", OWN_ROUTES},
	{"target_*", "404 open", OWN_ROUTES},
	{"query_nul", "200 open", DROPPED},
	{"expect_spaces_waits", "silent", UNSEEN_EXPECTATION},
	{"expect_tabs_waits", "silent", UNSEEN_EXPECTATION},
	{"expect_list_comma_waits", "silent", UNSEEN_EXPECTATION},
	{"expect_list_twice_waits", "silent", UNSEEN_EXPECTATION},
	{"expect_list_empty_first_waits", "silent", UNSEEN_EXPECTATION},
	{"expect_unknown_waits", "silent", COLLECTED},
	{"get_health_head", "404 open",
	 "an instance of the user's has the routes that the user gives it"},
	{"two_blanks_before_target", "200 open", DROPPED},
	{"nul_*", "200 open", DROPPED},
	{"method_with_nul", "200 open", DROPPED},
	{"head_name_high", "200 open", "Ulfius 2.7.13 drops a name that is not UTF-8"},
	{"head_nul_in_value", "200 open", DROPPED},
	{"head_bare_lf_line", "200 open", DROPPED},
	{"head_folded_tab", "200 open", DROPPED},
	{"bare_lf_*", "200 open", DROPPED},
	{"length_nul", "200 open", DROPPED},
	{"te_nul", "200 open", DROPPED},
	{"te_name_joined_by_fold", "200 open", DROPPED},
	{"name_forged_by_fold", "200 open", DROPPED},
	{"te_identity", "silent", UNKNOWN_ENCODING},
	{"te_xchunked", "silent", UNKNOWN_ENCODING},
	{"te_chunked_blank_x", "silent", UNKNOWN_ENCODING},
	{"te_chunked_twice", "silent", UNKNOWN_ENCODING},
	{"te_chunked_not_last", "silent", UNKNOWN_ENCODING},
	{"te_gzip_chunked", "silent", UNKNOWN_ENCODING},
	{"te_quoted", "silent", UNKNOWN_ENCODING},
	{"te_semicolon", "silent", UNKNOWN_ENCODING},
	{"te_vt", "silent", UNKNOWN_ENCODING},
	{"te_empty", "silent", UNKNOWN_ENCODING},
	{"te_comma_first", "silent", UNKNOWN_ENCODING},
	{"te_gzip", "silent", UNKNOWN_ENCODING},
	{"length_overflow_plus_n", "silent", COLLECTED},
	{"length_too_large", "silent", COLLECTED},
	{"expect_too_large", "silent", COLLECTED},
};

static const struct contract_http_adapter adapter = {
	.name = "ulfius",
	/* It collects bodies before it asks anyone, one in an unknown encoding for ever, and takes
	 * connections until the end of a stop. What is dropped of heads has us close after
	 * refusals; other endpoints do not. */
	.capabilities = (CONTRACT_ALL & ~(CONTRACT_SEES_HEADS | CONTRACT_DRAINS |
					  CONTRACT_REFUSES_EARLY | CONTRACT_REFUSES_MID_BODY |
					  CONTRACT_REFUSES_AMBIGUOUS | CONTRACT_REUSES_REFUSED |
					  CONTRACT_GUARDS_ROUTES | CONTRACT_REPEATED_HEADERS |
					  CONTRACT_STORES_ASIDE | CONTRACT_ANSWERS_ALL)),
	.deviations = deviations,
	.deviations_count = HERALD_COUNT(deviations),
	.start = start,
	.stop = stop,
	.end = end,
};

/* What only this adapter has. */

/* The ambiguous bodies of the contract for which Ulfius does not wait. */
static void
bodies_with_two_lengths(void **state)
{
	/* Each with a body that would be done, if one of the readings were taken. */
	static const char *const requests[] = {
		HEAD "Content-Length: %1$zu\r\nTransfer-Encoding: chunked\r\n\r\n"
		     "%1$zx\r\n%2$s\r\n0\r\n\r\n",
		HEAD "Content-Length: %1$zu\r\nContent-Length: %1$zu\r\n\r\n%2$s",
		HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
		     "%1$zx\r\n%2$s\r\n0\r\n\r\n",
	};
	struct probe probe;

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(requests); i++) {
		struct http_client client;
		char request[1024];

		snprintf(request, sizeof(request), requests[i], strlen(PROBE_DONE), PROBE_DONE);
		probe_connect(&probe, &client);
		assert_true(http_send_text(&client, request));
		probe_assert_next(&client, 400, NULL);
		assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
		http_close(&client);
	}
	assert_int_equal(probe.function_count, 0);
	probe_stop(&probe);
}

/* A length may be hidden in a refused head, so that the body would be read as the next request. */
static void
unknown_expectation_closes(void **state)
{
	struct http_client client;
	struct probe probe;
	char request[1024];

	snprintf(request, sizeof(request), HEAD "Expect: 200-ok\r\nContent-Length: %zu\r\n\r\n%s",
		 strlen(PROBE_DONE), PROBE_DONE);
	probe_start(&probe, state, NULL);
	probe_connect(&probe, &client);
	assert_true(http_send_text(&client, request));
	probe_assert_next(&client, 417, NULL);
	assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
	http_close(&client);
	assert_int_equal(probe.function_count, 0);
	probe_stop(&probe);
}

/* A length may be hidden in any other head, too, so that the body ended earlier than it seems. */
static void
only_events_keep_the_connection(void **state)
{
	static const struct {
		const char *body;
		unsigned status;
		bool is_open;
	} cases[] = {
		{PROBE_DONE, 200, true},
		{PROBE_EVENT("taken", ""), 409, true},
		{PROBE_EVENT("busy", ""), 503, true},
		{PROBE_EVENT("ada", "\"before\":\"fail\""), 500, true},
		{"{\"event_type\":\"unknown\",\"timestamp\":\"2024-08-20T05:21:19Z\"}", 404, true},
		{"{}", 400, false},
	};
	struct probe probe;

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct http_client client;

		probe_connect(&probe, &client);
		assert_true(probe_post(&client, cases[i].body));
		probe_assert_next(&client, cases[i].status, NULL);
		if (cases[i].is_open) {
			assert_true(probe_post(&client, PROBE_DONE));
			probe_assert_next(&client, 200, PROBE_SUCCESS);
		} else {
			assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
		}
		http_close(&client);
	}
	probe_stop(&probe);
}

/* The truncated body is a complete event, which must not be handled. */
static void
bodies_far_over_the_limit(void **state)
{
	static char body[100001];
	static const char *const framings[] = {"Content-Length: 100000\r\n\r\n",
					       "Transfer-Encoding: chunked\r\n\r\n186a0\r\n"};
	struct probe probe;

	memset(body, ' ', sizeof(body) - 1);
	memcpy(body, PROBE_DONE, strlen(PROBE_DONE));
	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(framings); i++) {
		struct http_client client;

		probe_connect(&probe, &client);
		assert_true(http_send_text(&client, HEAD));
		assert_true(http_send_text(&client, framings[i]));
		assert_true(http_send_text(&client, body));
		if (i == 1)
			assert_true(http_send_text(&client, "\r\n0\r\n\r\n"));
		probe_assert_next(&client, 413, NULL);
		http_close(&client);
	}
	assert_int_equal(probe.function_count, 0);
	probe_stop(&probe);
}

static void
bad_options(void **state)
{
	static const struct {
		size_t cut_off_bytes;
		struct herald_ulfius_options options;
		const char *wrong;
	} cases[] = {
#define PATH(TEXT) {.struct_size = sizeof(struct herald_ulfius_options), .path = TEXT}
		{PROBE_MAX_BODY_BYTES, PATH("/event"), "max_post_body_size"},
		{1, PATH("/event"), "max_post_body_size"},
		{1, PATH(NULL), "max_post_body_size"},
		{PROBE_MAX_BODY_BYTES + 1, {.path = "/event"}, "struct_size"},
		{PROBE_MAX_BODY_BYTES + 1, PATH(""), "path"},
		{PROBE_MAX_BODY_BYTES + 1, PATH("event"), "path"},
		{PROBE_MAX_BODY_BYTES + 1, PATH("/a b"), "path"},
		{PROBE_MAX_BODY_BYTES + 1, PATH("/event\r"), "path"},
		{PROBE_MAX_BODY_BYTES + 1, PATH("/event?a"), "path"},
		{PROBE_MAX_BODY_BYTES + 1, PATH("/%41"), "path"},
#undef PATH
	};
	struct probe probe;

	(void)state;
	probe_create(&probe);
	probe_create_endpoint(&probe,
			      &HERALD_ENDPOINT_OPTIONS(.max_body_bytes = PROBE_MAX_BODY_BYTES));
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_error error;
		struct server *server = prepare(cases[i].cut_off_bytes);

		assert_int_equal(herald_ulfius_create(probe.endpoint, &server->instance,
						      &cases[i].options, &server->events, &error),
				 HERALD_BAD_OPTION);
		assert_string_equal(error.path, cases[i].wrong);
		assert_int_equal(herald_ulfius_create(probe.endpoint, &server->instance,
						      &cases[i].options, &server->events, NULL),
				 HERALD_BAD_OPTION);
		assert_null(server->events);
		end(server);
	}
	assert_int_equal(herald_ulfius_stop(NULL, 0), 0);
	probe_destroy(&probe);
}

/* Whoever lowers the size afterwards gets 400 for what is cut off, where a length was declared. */
static void
size_that_was_lowered(void **state)
{
	struct probe probe;
	struct http_client client;

	probe_start(&probe, state, NULL);
	((struct server *)probe.server)->instance.max_post_body_size = strlen(PROBE_DONE);
	probe_connect(&probe, &client);
	assert_true(probe_post(&client, PROBE_DONE "      "));
	probe_assert_next(&client, 400, NULL);
	assert_int_equal(probe.function_count, 0);
	http_close(&client);
	probe_stop(&probe);
}

#define WITH_ADAPTER(TEST)                                                                         \
	{                                                                                          \
#TEST, TEST, NULL, NULL, (void *)(uintptr_t)&adapter                               \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ADAPTER(bodies_with_two_lengths),
		WITH_ADAPTER(unknown_expectation_closes),
		WITH_ADAPTER(only_events_keep_the_connection),
		WITH_ADAPTER(bodies_far_over_the_limit),
		cmocka_unit_test(bad_options),
		WITH_ADAPTER(size_that_was_lowered),
	};

	return contract_http_main(&adapter, 1, tests, HERALD_COUNT(tests));
}
