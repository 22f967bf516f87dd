/*
 * The OpenSSL adapter: the contract over TLS 1.3 and 1.2, and how connections begin and end.
 * test_openssl_files.c has the options, files and reloads; test_openssl_clients.c has certificates
 * of clients, and the clients openssl and curl.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/err.h>

#include "adapters/openssl_fixture.h"
#include "support/draw.h"
#include "support/failing_allocator.h"

#define HEALTH "GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n"

static struct server_files files;
static struct last_failure failures = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.changed = PTHREAD_COND_INITIALIZER,
};

/* The contract. */

struct encrypted {
	struct herald_tls *tls;
	struct running *running;
};

static void *
start_encrypted(struct herald_endpoint *endpoint, uint32_t idle_grace_ms, uint16_t *port,
		int version)
{
	struct encrypted *encrypted = calloc(1, sizeof(*encrypted));

	assert_non_null(encrypted);
	tls_client_begin(&(struct tls_client_settings){.ca = &files.ca, .version = version});
	encrypted->tls = create_tls(
		&HERALD_OPENSSL_OPTIONS(.certificate = files.certificate, .key = files.key));
	encrypted->running =
		start(endpoint, &HERALD_SERVER_OPTIONS(.any_port = true, .tls = encrypted->tls,
						       .idle_grace_ms = idle_grace_ms));
	*port = herald_server_port(encrypted->running->server);
	return encrypted;
}

static void *
start_tls13(struct herald_endpoint *endpoint, uint32_t idle_grace_ms, uint16_t *port)
{
	return start_encrypted(endpoint, idle_grace_ms, port, TLS1_3_VERSION);
}

static void *
start_tls12(struct herald_endpoint *endpoint, uint32_t idle_grace_ms, uint16_t *port)
{
	return start_encrypted(endpoint, idle_grace_ms, port, TLS1_2_VERSION);
}

static size_t
stop_encrypted(void *state, uint32_t drain_ms)
{
	return stop_server(((struct encrypted *)state)->running, drain_ms);
}

static void
end_encrypted(void *state)
{
	struct encrypted *encrypted = state;

	end_server(encrypted->running);
	herald_openssl_destroy(encrypted->tls);
	free(encrypted);
}

/* The cases are for a port without encryption. */
static const struct contract_http_deviation deviations[] = {
	{"https_*", "200 open or 204 open", "a target with https is right on an encrypted port"},
};

static const struct contract_http_adapter encrypted_adapters[] = {
	{.name = "openssl, TLS 1.3",
	 .capabilities = CONTRACT_ALL & ~(CONTRACT_REFUSES_LONGER_NAMES | CONTRACT_OUTLIVES_STOP |
					  CONTRACT_OWN_ROUTES),
	 .deviations = deviations,
	 .deviations_count = HERALD_COUNT(deviations),
	 .start = start_tls13,
	 .stop = stop_encrypted,
	 .end = end_encrypted},
	{.name = "openssl, TLS 1.2",
	 .capabilities = CONTRACT_ALL & ~(CONTRACT_REFUSES_LONGER_NAMES | CONTRACT_OUTLIVES_STOP |
					  CONTRACT_OWN_ROUTES),
	 .deviations = deviations,
	 .deviations_count = HERALD_COUNT(deviations),
	 .start = start_tls12,
	 .stop = stop_encrypted,
	 .end = end_encrypted},
};

/* Connections of the test's own. */

static struct herald_tls *
serve_tls(struct probe *probe, struct herald_server_options options)
{
	struct herald_tls *tls = create_tls(
		&HERALD_OPENSSL_OPTIONS(.certificate = files.certificate, .key = files.key));

	options.tls = tls;
	options.log = (struct herald_log){
		.write = note_failure, .state = &failures, .level = HERALD_LOG_DEBUG};
	serve(probe, options);
	tls_client_begin(&(struct tls_client_settings){.ca = &files.ca});
	return tls;
}

static void
stop_tls(struct probe *probe, struct herald_tls *tls)
{
	probe_stop(probe);
	herald_openssl_destroy(tls);
}

static void
assert_healthy(struct http_client *client)
{
	struct http_response response;

	assert_true(http_send_text(client, HEALTH));
	assert_true(http_receive(client, true, &response));
	probe_assert_answer(&response, 200, "{\"status\":\"ok\"}");
}

/* Receives close_notify within `wait_ms`: without it, an attacker could have cut the end off. */
static void
assert_closed_properly(struct http_client *client, int wait_ms)
{
	char byte;

	assert_true(http_wait_readable(client, wait_ms));
	assert_int_equal(SSL_read(tls_client_ssl(client), &byte, 1), 0);
	assert_int_equal(SSL_get_error(tls_client_ssl(client), 0), SSL_ERROR_ZERO_RETURN);
	http_close(client);
}

static void
every_end_has_a_close_notify(void **state)
{
	struct probe probe;
	struct http_client client;
	struct http_response response;
	struct herald_tls *tls = serve_tls(&probe, HERALD_SERVER_OPTIONS(.threads = 1));

	(void)state;
	/* The last answer. */
	probe_connect(&probe, &client);
	assert_true(http_send_text(&client, "GET /healthz HTTP/1.0\r\n\r\n"));
	assert_true(http_receive(&client, true, &response));
	assert_closed_properly(&client, PROBE_AT_ONCE_MS);

	/* The client has closed its side. */
	probe_connect(&probe, &client);
	assert_healthy(&client);
	assert_int_equal(SSL_shutdown(tls_client_ssl(&client)), 0);
	assert_closed_properly(&client, PROBE_AT_ONCE_MS);

	/* The server stops. */
	probe_connect(&probe, &client);
	assert_healthy(&client);
	probe_stop_server(&probe);
	assert_closed_properly(&client, PROBE_AT_ONCE_MS);
	stop_tls(&probe, tls);
}

/* On its own: with this timeout the other clients would have to be fast. */
static void
a_connection_that_is_idle_has_a_close_notify(void **state)
{
	struct probe probe;
	struct http_client client;
	struct herald_tls *tls = serve_tls(&probe, HERALD_SERVER_OPTIONS(.idle_timeout_ms = 300));

	(void)state;
	probe_connect(&probe, &client);
	assert_healthy(&client);
	assert_closed_properly(&client, PROBE_AT_ONCE_MS);
	stop_tls(&probe, tls);
}

/* RFC 9110 section 7.4: https is for encrypted connections, http for any. */
static void
schemes_of_targets(void **state)
{
	static const char *const targets[] = {"https://test/healthz", "http://test/healthz"};
	struct probe probe;
	struct herald_tls *tls = serve_tls(&probe, HERALD_SERVER_OPTIONS(.threads = 1));

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(targets); i++) {
		struct http_client client;
		char request[128];

		snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: test\r\n\r\n",
			 targets[i]);
		probe_connect(&probe, &client);
		assert_true(http_send_text(&client, request));
		probe_assert_next(&client, 200, NULL);
		http_close(&client);
	}
	stop_tls(&probe, tls);
}

/* HTTP itself says where a request ends, so a FIN alone is an end as good as any. */
static void
client_ends_without_a_close_notify(void **state)
{
	static const struct {
		const char *request;
		unsigned status;
	} cases[] = {
		{HEALTH, 200},
		{HEAD "Content-Length: 100\r\n\r\n{", 400},
		{"GET /healthz HT", 400},
	};
	struct probe probe;
	struct herald_tls *tls = serve_tls(&probe, HERALD_SERVER_OPTIONS(.threads = 1));

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct http_client client;
		struct http_response response;

		probe_connect(&probe, &client);
		assert_true(http_send_text(&client, cases[i].request));
		assert_int_equal(shutdown(client.fd, SHUT_WR), 0);
		assert_true(http_receive(&client, true, &response));
		probe_assert_answer(&response, cases[i].status, NULL);
		assert_closed_properly(&client, PROBE_AT_ONCE_MS);
	}
	stop_tls(&probe, tls);
}

/* Every way in which bytes of the handshake can fail to come. */
static void
slow_handshakes_are_cut_off(void **state)
{
	/* The beginning of a ClientHello: 512 bytes, of which these are the first. */
	static const char hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
	struct probe probe;
	struct herald_tls *tls = serve_tls(&probe, HERALD_SERVER_OPTIONS(.header_timeout_ms = 300));

	(void)state;
	tls_client_end();
	for (int drips = 0; drips <= 1; drips++) {
		struct http_client client;
		int64_t begin = now_ms();

		probe_connect(&probe, &client);
		for (size_t i = 0; !http_wait_closed(&client, 20); i++) {
			(void)!(drips &&
				http_send(&client, i < sizeof(hello) ? &hello[i] : "x", 1));
			assert_true(now_ms() - begin < PROBE_AT_ONCE_MS);
		}
		assert_true(now_ms() - begin >= 250 && now_ms() - begin < PROBE_AT_ONCE_MS);
		http_close(&client);
	}
	stop_tls(&probe, tls);
}

static void
what_is_not_tls(void **state)
{
	static const struct {
		const char *bytes;
		const char *failure; /* NULL: it is HTTP, and gets an answer */
	} cases[] = {
		{HEALTH, NULL},
		{HEAD "Content-Length: 2\r\n\r\n{}", NULL},
		{"HEAD / HTTP/1.1\r\nHost: test\r\n\r\n", NULL},
		{"PUT / HTTP/1.1\r\nHost: test\r\n\r\n", NULL},
		{"CONNECT test:443 HTTP/1.1\r\nHost: test\r\n\r\n", NULL},
		{"OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n", NULL},
		{"DELETE / HTTP/1.1\r\nHost: test\r\n\r\n", NULL},
		{"PATCH / HTTP/1.1\r\nHost: test\r\n\r\n", NULL},
		{"get / HTTP/1.1\r\nHost: test\r\n\r\n", NULL},
		{"A-Method-Of-Thirty-Characters! /", NULL},
		{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", NULL},
		{"a ", NULL},
		{" a / HTTP/1.1\r\n\r\n", "wrong version number"},
		{"(a) / HTTP/1.1\r\n\r\n", "wrong version number"},
		{"\r\n\r\n\r\n\r\n", "wrong version number"},
		{"SSH-2.0-OpenSSH_9.2p1\r\n", "wrong version number"},
		{"\x16\x03\x01\x01\x01\x02" /* a ServerHello */
		 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
		 "unexpected message"},
	};
	struct probe probe;
	struct herald_tls *tls = serve_tls(&probe, HERALD_SERVER_OPTIONS(.threads = 1));

	(void)state;
	tls_client_end();
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct http_client client;
		struct http_response response;

		probe_connect(&probe, &client);
		assert_true(http_send_text(&client, cases[i].bytes));
		if (!cases[i].failure) {
			bool has_body = strncmp(cases[i].bytes, "HEAD ", 5) != 0;

			/* Nothing follows, in particular no body after HEAD. */
			assert_true(http_receive(&client, has_body, &response));
			probe_assert_answer(&response, 400,
					    has_body ? "{\"error\":\"this port speaks TLS; use "
						       "https\"}"
						     : "");
			assert_string_equal(http_header(&response, "Content-Length"), "43");
			assert_false(http_receive(&client, true, &response));
			assert_int_equal(client.bytes, 0);
		} else {
			assert_failure(&failures, cases[i].failure);
		}
		assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
		http_close(&client);
	}
	stop_tls(&probe, tls);
}

/* Bytes of a good connection's beginning, of which some are others. */
static void
damaged_connections(void **state)
{
	struct probe probe;
	struct herald_tls *tls = serve_tls(&probe, HERALD_SERVER_OPTIONS(.threads = 1));
	uint64_t random = draw_seed();
	char hello[4096];

	(void)state;
	print_message("# HERALD_TEST_SEED=%llu\n", (unsigned long long)random);
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	for (int i = 0; i < 200; i++) {
		struct http_client client;
		SSL *ssl = SSL_new(context);

		SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
		assert_int_equal(SSL_connect(ssl), -1);
		int bytes = BIO_read(SSL_get_wbio(ssl), hello, sizeof(hello));
		assert_true(bytes > 0);
		for (uint64_t changes = 1 + draw_below(&random, 3); changes > 0; changes--)
			hello[draw_below(&random, (uint64_t)bytes)] =
				(char)draw_below(&random, 256);
		SSL_free(ssl);
		tls_client_end();
		probe_connect(&probe, &client);
		assert_true(http_send(&client, hello, (size_t)bytes));
		http_finish_sending(&client);
		assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
		http_close(&client);
	}
	SSL_CTX_free(context);
	tls_client_begin(&(struct tls_client_settings){.ca = &files.ca});
	probe_assert_alive(&probe);
	failures.text[0] = '\0';
	stop_tls(&probe, tls);
}

/* It would cost the server as much as a handshake each time. */
static void
renegotiation_is_refused(void **state)
{
	struct probe probe;
	struct http_client client;
	struct herald_tls *tls = serve_tls(&probe, HERALD_SERVER_OPTIONS(.threads = 1));
	char byte;

	(void)state;
	tls_client_begin(&(struct tls_client_settings){.ca = &files.ca, .version = TLS1_2_VERSION});
	probe_connect(&probe, &client);
	assert_healthy(&client);
	SSL *ssl = tls_client_ssl(&client);
	assert_null(SSL_get_current_compression(ssl));
	assert_int_equal(SSL_renegotiate(ssl), 1);
	ERR_clear_error();
	(void)SSL_do_handshake(ssl);
	struct timespec pause = {.tv_nsec = 1000000};
	for (int i = 0; i < HTTP_CLIENT_WAIT_MS && SSL_read(ssl, &byte, 1) < 0 &&
			SSL_get_error(ssl, -1) == SSL_ERROR_WANT_READ;
	     i++)
		nanosleep(&pause, NULL);
	assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
	http_close(&client);
	probe_assert_alive(&probe);
	stop_tls(&probe, tls);
}

/* A change of keys within a connection (RFC 8446 section 4.6.3), which the server answers. */
static void
key_updates(void **state)
{
	struct probe probe;
	struct http_client client;
	struct herald_tls *tls = serve_tls(&probe, HERALD_SERVER_OPTIONS(.threads = 1));

	(void)state;
	probe_connect(&probe, &client);
	for (int i = 0; i < 5; i++) {
		assert_healthy(&client);
		assert_int_equal(SSL_key_update(tls_client_ssl(&client), SSL_KEY_UPDATE_REQUESTED),
				 1);
		assert_healthy(&client);
	}
	http_close(&client);
	stop_tls(&probe, tls);
}

/* Whether another connection resumes the session of a first one. */
static bool
resumes(const struct probe *probe, int version)
{
	struct http_client client;

	tls_client_begin(&(struct tls_client_settings){.ca = &files.ca, .version = version});
	probe_connect(probe, &client);
	assert_healthy(&client);
	SSL_SESSION *session = SSL_get1_session(tls_client_ssl(&client));
	assert_int_equal(SSL_SESSION_get_max_early_data(session), 0);
	http_close(&client);

	tls_client_resume(session);
	probe_connect(probe, &client);
	assert_healthy(&client);
	bool resumed = SSL_session_reused(tls_client_ssl(&client));
	http_close(&client);
	SSL_SESSION_free(session);
	tls_client_resume(NULL);
	return resumed;
}

static void
sessions_are_resumed(void **state)
{
	struct probe probe;
	struct herald_tls *tls = serve_tls(&probe, HERALD_SERVER_OPTIONS(.threads = 2));

	(void)state;
	assert_true(resumes(&probe, TLS1_3_VERSION));
	assert_true(resumes(&probe, TLS1_2_VERSION));
	stop_tls(&probe, tls);
}

static void
answer_long(struct herald_server_request *request, void *state)
{
	static char body[24000];

	(void)state;
	memset(body, 'a', sizeof(body));
	(void)herald_server_answer(request, 200, "text/plain", body, sizeof(body));
}

/* Answers that have to wait are appended to, and move in memory, as the allocator moves blocks. */
static void
answers_that_wait(void **state)
{
	enum { COUNT = 800 };
	static const struct herald_server_path paths[] = {
		{.path = "/long", .function = answer_long}};
	static struct http_response response;
	struct failing_allocator memory;
	struct probe probe;
	struct http_client client;

	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct herald_tls *tls =
		serve_tls(&probe, HERALD_SERVER_OPTIONS(.threads = 1, HERALD_SERVER_PATHS(paths),
							.allocator = memory.allocator));

	(void)state;
	probe_connect(&probe, &client);
	for (int i = 0; i < COUNT; i++)
		assert_true(http_send_text(&client, "GET /long HTTP/1.1\r\nHost: test\r\n\r\n"));
	for (int i = 0; i < COUNT; i++) {
		assert_true(http_receive(&client, true, &response));
		assert_int_equal(response.status, 200);
		assert_int_equal(response.body_bytes, 24000);
		assert_int_equal(strspn(response.body, "a"), 24000);
	}
	http_close(&client);
	stop_tls(&probe, tls);
	assert_all_released(&memory);
}

/* All are open at once, and each is used several times. */
static void
many_connections(void **state)
{
	enum { COUNT = 300 };
	static struct http_client clients[COUNT];
	struct probe probe;
	struct http_response response;
	struct herald_tls *tls = serve_tls(&probe, HERALD_SERVER_OPTIONS(.max_connections = COUNT));

	(void)state;
	for (size_t i = 0; i < COUNT; i++)
		probe_connect(&probe, &clients[i]);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < COUNT; i++)
			assert_true(probe_post(&clients[i], PROBE_DONE));
		for (size_t i = 0; i < COUNT; i++) {
			assert_true(http_receive(&clients[i], true, &response));
			probe_assert_answer(&response, 200, PROBE_SUCCESS);
		}
	}
	assert_int_equal(atomic_load(&probe.function_count), 3 * COUNT);
	for (size_t i = 0; i < COUNT; i++)
		http_close(&clients[i]);
	stop_tls(&probe, tls);
}

int
main(void)
{
	const struct CMUnitTest own[] = {
		cmocka_unit_test(every_end_has_a_close_notify),
		cmocka_unit_test(a_connection_that_is_idle_has_a_close_notify),
		cmocka_unit_test(client_ends_without_a_close_notify),
		cmocka_unit_test(slow_handshakes_are_cut_off),
		cmocka_unit_test(schemes_of_targets),
		cmocka_unit_test(what_is_not_tls),
		cmocka_unit_test(damaged_connections),
		cmocka_unit_test(renegotiation_is_refused),
		cmocka_unit_test(key_updates),
		cmocka_unit_test(sessions_are_resumed),
		cmocka_unit_test(answers_that_wait),
		cmocka_unit_test(many_connections),
	};

	server_files_create(&files);
	int failed = contract_http_main(encrypted_adapters, HERALD_COUNT(encrypted_adapters), own,
					HERALD_COUNT(own));
	tls_client_end();
	server_files_destroy(&files);
	return failed;
}
