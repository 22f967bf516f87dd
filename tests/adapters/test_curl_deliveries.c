/*
 * Deliveries with what only libcurl has: HTTP/2, where streams are refused, authentication that
 * would take two requests, and name lookups over HTTPS. An attempt is one request on the wire.
 */
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <herald/delivery.h>

#include "support/delivering.h"
#include "support/misbehaving_server.h"

static void
create(struct delivery_fixture *fixture, struct herald_deliverer_options options)
{
	options.addresses = HERALD_ADDRESSES_ANY;
	delivery_fixture_deliver(fixture, options);
}

static bool
ask_for_digest(CURL *easy, void *state)
{
	(void)state;
	return curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_DIGEST) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_USERPWD, "user:secret") == CURLE_OK;
}

static void
test_authentication_in_two_requests(void **state)
{
	struct delivery_fixture *fixture = *state;

	fixture->server.raw = "HTTP/1.1 401 No\r\nContent-Length: 0\r\n"
			      "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n\r\n";
	misbehaving_server_start(&fixture->server);
	create(fixture,
	       HERALD_DELIVERER_OPTIONS(.transport = CURL_TRANSPORT(.setup = ask_for_digest)));
	delivery_fixture_await(fixture, "/raw", 1);
	assert_int_equal(misbehaving_server_requests(&fixture->server), 1);
	assert_int_equal(fixture->recorder.outcome_reports[0].http_status, 401);
	assert_int_equal(fixture->recorder.attempts, 1);
}

/* HTTP/2: frames as of RFC 9113 section 4.1, as far as it takes to refuse or answer every
 * stream. */

struct http_2_server {
	int listen_fd;
	pthread_t thread;
	bool answers;        /* 200; else streams are refused */
	size_t filler_bytes; /* before each, in frames of a type that nobody knows */
	size_t requests;
};

#define FILLER_BYTES 16384

static bool
receive_all(int fd, unsigned char *data, size_t bytes)
{
	return recv(fd, data, bytes, MSG_WAITALL) == (ssize_t)bytes;
}

static bool
send_filler(const struct http_2_server *server, int fd)
{
	static const unsigned char frame[9 + FILLER_BYTES] = {0, FILLER_BYTES >> 8, 0, 0xfa};

	for (size_t sent = 0; sent < server->filler_bytes; sent += FILLER_BYTES)
		if (send(fd, frame, sizeof(frame), MSG_NOSIGNAL) != (ssize_t)sizeof(frame))
			return false;
	return true;
}

static void
end_streams(struct http_2_server *server, int fd)
{
	static const unsigned char settings[] = {0, 0, 0, 4, 0, 0, 0, 0, 0};
	/* RST_STREAM with REFUSED_STREAM; HEADERS with ":status: 200", the last of the stream. */
	unsigned char reset[13] = {0, 0, 4, 3, [12] = 7}, done[10] = {0, 0, 1, 1, 5, [9] = 0x88};
	unsigned char *end = server->answers ? done : reset;
	size_t end_bytes = server->answers ? sizeof(done) : sizeof(reset);
	unsigned char data[16384], head[9];

	if (!receive_all(fd, data, 24)) /* The preface. */
		return;
	(void)!send(fd, settings, sizeof(settings), MSG_NOSIGNAL);
	while (receive_all(fd, head, sizeof(head))) {
		size_t bytes = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];

		if (bytes > sizeof(data) || (bytes > 0 && !receive_all(fd, data, bytes)))
			return;
		if (head[3] != 1) /* HEADERS */
			continue;
		server->requests++;
		memcpy(end + 5, head + 5, 4); /* The stream. */
		if (!send_filler(server, fd))
			return;
		(void)!send(fd, end, end_bytes, MSG_NOSIGNAL);
	}
}

static void *
http_2_server_run(void *state)
{
	struct http_2_server *server = state;
	int fd;

	while ((fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		end_streams(server, fd);
		close(fd);
	}
	return NULL;
}

static bool
ask_for_http_2(CURL *easy, void *state)
{
	(void)state;
	return curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
				(long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE) == CURLE_OK;
}

static bool
has_http_2(void)
{
	return curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2;
}

#define MIB ((size_t)1024 * 1024)

/* One delivery to the server, which has ended then; answers are limited to 1 MiB. */
static void
deliver_by_http_2(struct delivery_fixture *fixture, struct http_2_server *server,
		  struct herald_deliverer_options options)
{
	uint16_t unused = fixture->server.port;

	options.transport = CURL_TRANSPORT(.setup = ask_for_http_2, .max_answer_bytes = MIB);
	server->listen_fd = listen_on_a_port(&fixture->server.port);
	assert_int_equal(pthread_create(&server->thread, NULL, http_2_server_run, server), 0);
	create(fixture, options);
	delivery_fixture_await(fixture, "/", 1);
	fixture->server.port = unused;
	herald_deliverer_destroy(fixture->deliverer);
	fixture->deliverer = NULL;
	shutdown(server->listen_fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->listen_fd);
}

static void
test_refused_stream_of_http_2(void **state)
{
	struct delivery_fixture *fixture = *state;
	struct http_2_server server = {.answers = false};

	if (!has_http_2())
		return;
	deliver_by_http_2(fixture, &server, HERALD_DELIVERER_OPTIONS(.attempts = 2));
	assert_int_equal(server.requests, 2);
	assert_int_equal(fixture->recorder.attempts, 2);
	assert_int_equal(fixture->recorder.failed, 1);
}

/* Answers that share a connection may have max_answer_bytes each, also before the head of one has
 * come. */
#define LIMIT_OF_HTTP_2 HERALD_DELIVERER_OPTIONS(.slots_per_host = 8)

static void
test_bytes_of_http_2_up_to_the_limit(void **state)
{
	struct delivery_fixture *fixture = *state;
	struct http_2_server server = {.answers = true, .filler_bytes = 7 * MIB};

	if (!has_http_2())
		return;
	deliver_by_http_2(fixture, &server, LIMIT_OF_HTTP_2);
	if (fixture->recorder.delivered != 1)
		fail_msg("%s", fixture->recorder.outcome_reports[0].error);
}

static void
test_bytes_of_http_2_past_the_limit(void **state)
{
	struct delivery_fixture *fixture = *state;
	struct http_2_server server = {.answers = true, .filler_bytes = 8192 * MIB};

	if (!has_http_2())
		return;
	deliver_by_http_2(fixture, &server, LIMIT_OF_HTTP_2);
	assert_int_equal(fixture->recorder.failed, 1);
	assert_int_equal(fixture->recorder.attempts, 1);
	assert_string_equal(fixture->recorder.outcome_reports[0].error,
			    "an answer of more than 1048576 bytes");
}

/* libcurl looks the name up with handles of its own, which share the sockets' callback. */
static char doh_url[64];

static bool
look_up_by_https(CURL *easy, void *state)
{
	(void)state;
	return curl_easy_setopt(easy, CURLOPT_DOH_URL, doh_url) == CURLE_OK;
}

static void
test_name_lookup_by_https(void **state)
{
	struct delivery_fixture *fixture = *state;
	const struct herald_delivery delivery = {.url = "http://a.example/"};

	misbehaving_server_start(&fixture->server);
	snprintf(doh_url, sizeof(doh_url), "https://127.0.0.1:%u/dns", fixture->server.port);
	create(fixture,
	       HERALD_DELIVERER_OPTIONS(.transport = CURL_TRANSPORT(.setup = look_up_by_https),
					.attempts = 2));
	assert_int_equal(herald_deliverer_submit(fixture->deliverer, &delivery, NULL), HERALD_OK);
	recorder_wait(&fixture->recorder, 1);
	assert_true(misbehaving_server_connections(&fixture->server) > 0);
	assert_int_equal(fixture->recorder.attempts, 2);
	assert_non_null(
		strstr(fixture->recorder.outcome_reports[0].error, "cannot resolve the host name"));
	/* The deliverer's own requests still work. */
	delivery_fixture_await(fixture, "/200", 1);
	assert_int_equal(fixture->recorder.delivered, 1);
}

int
main(void)
{
#define TEST(NAME)                                                                                 \
	cmocka_unit_test_setup_teardown(NAME, delivery_fixture_setup, delivery_fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_authentication_in_two_requests),
		TEST(test_refused_stream_of_http_2),
		TEST(test_bytes_of_http_2_up_to_the_limit),
		TEST(test_bytes_of_http_2_past_the_limit),
		TEST(test_name_lookup_by_https),
	};

	return cmocka_run_group_tests_name("curl_deliveries", tests, NULL, NULL);
}
