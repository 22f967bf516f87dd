/*
 * Deliveries whose responses share one connection as streams of HTTP/2, from an nginx with TLS:
 * each of them is counted.
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <herald/array.h>
#include <herald/delivery.h>

#include "support/delivering.h"
#include "support/nginx.h"

#define CERTIFICATE "tests/data/tls_certificate.pem"
#define KEY "tests/data/tls_key.pem"

#define MIB ((size_t)1024 * 1024)
#define LARGE_BYTES (32 * MIB)
#define SLOTS 4

struct fixture {
	struct nginx nginx;
	struct recorder recorder;
	atomic_size_t large_bytes; /* of the response to /large */
	struct herald_deliverer *deliverer;
};

static void
write_file(const struct nginx *nginx, const char *name, size_t bytes)
{
	static const char zeros[65536];
	char path[128];

	snprintf(path, sizeof(path), "%s/html/%s", nginx->directory, name);
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	for (size_t written = 0; written < bytes; written += sizeof(zeros))
		assert_int_equal(fwrite(zeros, 1, sizeof(zeros), file), sizeof(zeros));
	assert_int_equal(fclose(file), 0);
}

/* /slow: a byte a second. /large: as fast as it can. */
static void
start_nginx(struct nginx *nginx)
{
	char lines[1024], here[256], path[128];

	assert_non_null(getcwd(here, sizeof(here)));
	snprintf(lines, sizeof(lines),
		 "ssl_certificate %s/" CERTIFICATE "; ssl_certificate_key %s/" KEY ";\n"
		 "keepalive_timeout 60s;\n"
		 "location = /slow { limit_rate 1; }\n"
		 "location = /large { }\n",
		 here, here);
	nginx_prepare(nginx);
	snprintf(path, sizeof(path), "%s/html", nginx->directory);
	assert_int_equal(mkdir(path, 0755), 0);
	write_file(nginx, "slow", 65536);
	write_file(nginx, "large", LARGE_BYTES);
	nginx->listen = "ssl http2";
	nginx_start(nginx, lines);
}

static bool
ask_for_http_2(CURL *easy, void *state)
{
	(void)state;
	return curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS) ==
		       CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_CAINFO, CERTIFICATE) == CURLE_OK;
}

static void
note_attempt(const struct herald_delivery_report *report, void *state)
{
	struct fixture *fixture = state;

	if (strstr(report->delivery->url, "/large"))
		atomic_store(&fixture->large_bytes, report->answer_bytes);
	record_attempt(report, &fixture->recorder);
}

static void
note_outcome(const struct herald_delivery_report *report, void *state)
{
	record_outcome(report, &((struct fixture *)state)->recorder);
}

static void
start(struct fixture *fixture, size_t max_answer_bytes)
{
	memset(fixture, 0, sizeof(*fixture));
	start_nginx(&fixture->nginx);
	recorder_init(&fixture->recorder);
	assert_int_equal(
		create_over_curl(
			&HERALD_DELIVERER_OPTIONS(.addresses = HERALD_ADDRESSES_ANY, .attempts = 1,
						  .slots_per_host = SLOTS,
						  .on_attempt = note_attempt,
						  .on_outcome = note_outcome, .state = fixture,
						  .transport =
							  CURL_TRANSPORT(.setup = ask_for_http_2,
									 .max_answer_body_bytes =
										 2 * LARGE_BYTES,
									 .max_answer_bytes =
										 max_answer_bytes)),
			&fixture->deliverer, NULL),
		HERALD_OK);
}

static void
finish(struct fixture *fixture)
{
	herald_deliverer_destroy(fixture->deliverer);
	recorder_finish(&fixture->recorder);
	nginx_stop(&fixture->nginx);
}

static void
submit(struct fixture *fixture, const char *path)
{
	char url[64];
	const struct herald_delivery delivery = {.url = url};

	snprintf(url, sizeof(url), "https://127.0.0.1:%u%s", fixture->nginx.port, path);
	assert_int_equal(herald_deliverer_submit(fixture->deliverer, &delivery, NULL), HERALD_OK);
}

/* Two streams of one connection. Returns the bytes of the response to /large. */
static size_t
fetch(size_t max_answer_bytes, const char *first, const char *second)
{
	struct fixture fixture;

	start(&fixture, max_answer_bytes);
	submit(&fixture, first);
	submit(&fixture, second);
	while (atomic_load(&fixture.large_bytes) == 0)
		sched_yield();
	finish(&fixture);
	return atomic_load(&fixture.large_bytes);
}

/* libcurl reports the socket for one of them only. */
static void
test_each_stream_is_counted(void **state)
{
	size_t as_first = fetch(MIB, "/large", "/slow"), as_second = fetch(MIB, "/slow", "/large");

	(void)state;
	if (as_first < MIB || as_first > LARGE_BYTES / 2)
		fail_msg("the first one has %zu bytes", as_first);
	if (as_second < MIB || as_second > LARGE_BYTES / 2)
		fail_msg("the second one has %zu bytes", as_second);
}

static void
test_within_the_limit(void **state)
{
	(void)state;
	assert_true(fetch(LARGE_BYTES, "/large", "/slow") >= LARGE_BYTES);
	assert_true(fetch(LARGE_BYTES, "/slow", "/large") >= LARGE_BYTES);
}

int
main(void)
{
	bool has_http_2 = curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_stream_is_counted),
		cmocka_unit_test(test_within_the_limit),
	};

	if (!has_http_2)
		return 0;
	return cmocka_run_group_tests_name("curl_streams", tests, NULL, NULL);
}
