/*
 * Deliveries by https to a real server: whose certificate nobody trusts, whose name is another one,
 * and who is trusted because the options say so.
 */
#include <setjmp.h>
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
	struct MHD_Response *response =
		MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);

	(void)url, (void)method, (void)version, (void)data, (void)data_bytes, (void)con_cls;
	atomic_fetch_add(&server->requests, 1);
	enum MHD_Result queued = MHD_queue_response(connection, 200, response);
	MHD_destroy_response(response);
	return queued;
}

static int
start(void **state, const char *certificate)
{
	static struct server server;
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	read_text(KEY, server.key, sizeof(server.key));
	read_text(certificate, server.certificate, sizeof(server.certificate));
	atomic_store(&server.requests, 0);
	server.daemon = MHD_start_daemon(
		MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_TLS, 0, NULL, NULL, answer, &server,
		MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address, MHD_OPTION_HTTPS_MEM_KEY,
		server.key, MHD_OPTION_HTTPS_MEM_CERT, server.certificate, MHD_OPTION_END);
	assert_non_null(server.daemon);
	server.port = MHD_get_daemon_info(server.daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
	names_set("other.test", "127.0.0.1");
	*state = &server;
	return 0;
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

/* The one report there must be: what stays as it is, is not tried again. */
static struct recorded_report
deliver(const struct server *server, const char *host, bool (*setup_handle)(CURL *, void *))
{
	struct recorder recorder;
	struct herald_deliverer *deliverer;
	char url[64];
	const struct herald_delivery delivery = {.url = url};

	recorder_init(&recorder);
	snprintf(url, sizeof(url), "https://%s:%u/", host, server->port);
	assert_int_equal(herald_deliverer_create(
				 &RECORDED_OPTIONS(&recorder, .addresses = HERALD_ADDRESSES_ANY,
						   .setup = setup_handle),
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
	};

	return cmocka_run_group_tests_name("delivery_tls", tests, NULL, NULL);
}
