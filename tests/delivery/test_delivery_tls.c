/*
 * Deliveries by https to a real server: with an untrusted certificate, with a certificate for
 * another name, and with one that the options trust. Also to a server that closes the connection
 * while it receives a body, by http as well: no signal may be raised.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cmocka.h>
#include <microhttpd.h>

#include <herald/delivery.h>

#include "support/delivering.h"
#include "support/names.h"

/* Of 127.0.0.1, signed by itself. */
#define KEY "tests/data/tls_key.pem"
#define CERTIFICATE "tests/data/tls_certificate.pem"

/* Of "a\nb", with the same key. */
#define CERTIFICATE_WITH_LINE_END "tests/data/tls_line_end.pem"

struct server {
	struct MHD_Daemon *daemon;
	char key[4096], certificate[4096];
	uint16_t port;
	atomic_uint requests;
	bool closes; /* after the head of a request */
};

static void
read_text(const char *path, char *out, size_t size)
{
	FILE *file = fopen(path, "rb");

	assert_non_null(file);
	size_t bytes = fread(out, 1, size - 1, file);
	out[bytes] = '\0';
	fclose(file);
}

static enum MHD_Result
answer(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
       const char *version, const char *data, size_t *data_bytes, void **con_cls)
{
	struct server *server = cls;

	(void)url, (void)method, (void)version, (void)data, (void)data_bytes, (void)con_cls;
	atomic_fetch_add(&server->requests, 1);
	if (server->closes)
		return MHD_NO;

	struct MHD_Response *response =
		MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result queued = MHD_queue_response(connection, 200, response);
	MHD_destroy_response(response);
	return queued;
}

static int
start_with(void **state, const char *certificate, unsigned flags)
{
	static struct server server;
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	read_text(KEY, server.key, sizeof(server.key));
	read_text(certificate, server.certificate, sizeof(server.certificate));
	atomic_store(&server.requests, 0);
	server.closes = false;
	server.daemon = MHD_start_daemon(
		MHD_USE_AUTO_INTERNAL_THREAD | flags, 0, NULL, NULL, answer, &server,
		MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
		flags & MHD_USE_TLS ? MHD_OPTION_HTTPS_MEM_KEY : MHD_OPTION_END, server.key,
		MHD_OPTION_HTTPS_MEM_CERT, server.certificate, MHD_OPTION_END);
	assert_non_null(server.daemon);
	server.port = MHD_get_daemon_info(server.daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
	names_set("other.test", "127.0.0.1");
	*state = &server;
	return 0;
}

static int
start(void **state, const char *certificate)
{
	return start_with(state, certificate, MHD_USE_TLS);
}

static int
setup(void **state)
{
	return start(state, CERTIFICATE);
}

static int
setup_with_line_end(void **state)
{
	return start(state, CERTIFICATE_WITH_LINE_END);
}

static int
setup_without_tls(void **state)
{
	return start_with(state, CERTIFICATE, 0);
}

static int
teardown(void **state)
{
	struct server *server = *state;

	MHD_stop_daemon(server->daemon);
	names_clear();
	return 0;
}

static bool
trust(CURL *easy, void *state)
{
	(void)state;
	return curl_easy_setopt(easy, CURLOPT_CAINFO, CERTIFICATE) == CURLE_OK;
}

static bool
trust_with_line_end(CURL *easy, void *state)
{
	(void)state;
	return curl_easy_setopt(easy, CURLOPT_CAINFO, CERTIFICATE_WITH_LINE_END) == CURLE_OK;
}

/* Returns the only report: failures that would not pass are not retried. */
static struct recorded_report
deliver(const struct server *server, const char *host, bool (*setup_handle)(CURL *, void *))
{
	struct recorder recorder;
	struct herald_deliverer *deliverer;
	char url[64];
	const struct herald_delivery delivery = {.url = url};

	recorder_init(&recorder);
	snprintf(url, sizeof(url), "https://%s:%u/", host, server->port);
	assert_int_equal(
		create_over_curl(
			&RECORDED_OPTIONS(&recorder, .addresses = HERALD_ADDRESSES_ANY,
					  .transport = CURL_TRANSPORT(.setup = setup_handle)),
			&deliverer, NULL),
		HERALD_OK);
	assert_int_equal(herald_deliverer_submit(deliverer, &delivery, NULL), HERALD_OK);
	recorder_wait(&recorder, 1);
	herald_deliverer_destroy(deliverer);
	assert_int_equal(recorder.attempts, 1);
	struct recorded_report report = recorder.outcome_reports[0];
	recorder_finish(&recorder);
	return report;
}

static void
test_nobody_trusts_it(void **state)
{
	struct server *server = *state;
	struct recorded_report report = deliver(server, "127.0.0.1", NULL);

	assert_int_equal(report.outcome, HERALD_DELIVERY_FAILED);
	if (!strstr(report.error, "certificate"))
		fail_msg("%s", report.error);
	assert_int_equal(server->requests, 0);
}

static void
test_it_is_somebody_else(void **state)
{
	struct server *server = *state;
	struct recorded_report report = deliver(server, "other.test", trust);

	assert_int_equal(report.outcome, HERALD_DELIVERY_FAILED);
	assert_non_null(strstr(report.error, "other.test"));
	assert_int_equal(server->requests, 0);
}

/* libcurl quotes the name in the certificate; the error is one line all the same. */
static void
test_name_with_line_end(void **state)
{
	struct server *server = *state;
	struct recorded_report report = deliver(server, "other.test", trust_with_line_end);

	assert_int_equal(report.outcome, HERALD_DELIVERY_FAILED);
	assert_non_null(strstr(report.error, "other.test"));
	assert_null(strchr(report.error, '\n'));
	assert_int_equal(server->requests, 0);
}

static void
test_the_options_trust_it(void **state)
{
	struct server *server = *state;
	struct recorded_report report = deliver(server, "127.0.0.1", trust);

	if (report.outcome != HERALD_DELIVERY_DELIVERED)
		fail_msg("%s", report.error);
	assert_int_equal(report.http_status, 200);
	assert_int_equal(server->requests, 1);
}

/* SIGPIPE. A program that does nothing about it would be ended by the first one. */

static atomic_uint signals_count;

static void
count_signal(int number)
{
	(void)number;
	atomic_fetch_add(&signals_count, 1);
}

/* Bodies larger than the socket buffers, so that in each attempt libcurl writes after the close. */
static void
submit_large_bodies(struct herald_deliverer *deliverer, const char *scheme, unsigned port)
{
	enum { BYTES = 8 * 1024 * 1024, DELIVERIES = 4 };
	char *body = calloc(1, BYTES);
	char url[64];

	assert_non_null(body);
	snprintf(url, sizeof(url), "%s://127.0.0.1:%u/", scheme, port);
	for (size_t i = 0; i < DELIVERIES; i++) {
		const struct herald_delivery delivery = {
			.url = url, .body = body, .body_bytes = BYTES};

		assert_int_equal(herald_deliverer_submit(deliverer, &delivery, NULL), HERALD_OK);
	}
	free(body);
}

static void
check_no_signal(struct server *server, const char *scheme)
{
	struct sigaction counting = {.sa_handler = count_signal}, before;
	struct recorder recorder;
	struct herald_deliverer *deliverer;

	recorder_init(&recorder);
	atomic_store(&signals_count, 0);
	server->closes = true;
	assert_int_equal(sigaction(SIGPIPE, &counting, &before), 0);
	assert_int_equal(
		create_over_curl(&RECORDED_OPTIONS(&recorder, .addresses = HERALD_ADDRESSES_ANY,
						   .transport = CURL_TRANSPORT(.setup = trust),
						   .attempts = 3, .first_delay_ms = 1,
						   .max_delay_ms = 1,
						   .max_body_bytes = 16 * 1024 * 1024),
				 &deliverer, NULL),
		HERALD_OK);
	submit_large_bodies(deliverer, scheme, server->port);
	recorder_wait(&recorder, 4);
	/* With TLS, closing a connection also writes. */
	herald_deliverer_destroy(deliverer);
	assert_int_equal(sigaction(SIGPIPE, &before, &counting), 0);

	assert_ptr_equal(counting.sa_handler, count_signal);
	assert_int_equal(atomic_load(&signals_count), 0);
	assert_int_equal(recorder.failed, 4);
	assert_int_equal(recorder.attempts, 12);
	assert_int_equal(server->requests, 12);
	recorder_finish(&recorder);
}

static void
test_no_signal(void **state)
{
	check_no_signal(*state, "http");
}

static void
test_no_signal_with_tls(void **state)
{
	check_no_signal(*state, "https");
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_nobody_trusts_it),
		TEST(test_it_is_somebody_else),
		cmocka_unit_test_setup_teardown(test_name_with_line_end, setup_with_line_end,
						teardown),
		TEST(test_the_options_trust_it),
		cmocka_unit_test_setup_teardown(test_no_signal, setup_without_tls, teardown),
		TEST(test_no_signal_with_tls),
	};

	return cmocka_run_group_tests_name("delivery_tls", tests, NULL, NULL);
}
