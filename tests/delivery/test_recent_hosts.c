/*
 * The list of hosts that were tried last: it says what a list without a limit would say of its last
 * ones; and the dashboard shows it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/admin.h>

#include "delivery/recent_hosts.h"
#include "support/delivering.h"
#include "support/draw.h"
#include "support/fake_transport.h"

#define HOSTS 100
#define NOTES 5000

/* What is known of all hosts, and in which order they were tried. */
struct known {
	struct herald__recent_host all[HOSTS];
	size_t last
		[HOSTS]; /* the number of the last note of each; 0: none since it left the list */
};

static size_t
count_later(const struct known *known, size_t host)
{
	size_t count = 0;

	for (size_t i = 0; i < HOSTS; i++)
		count += known->last[i] > known->last[host];
	return count;
}

static void
note(struct known *known, struct herald__recent_hosts *hosts, uint64_t *random, size_t number)
{
	/* Few hosts are tried often. */
	const size_t index = draw_below(random, draw_one_in(random, 2) ? 5 : HOSTS);
	struct herald__recent_host *host = &known->all[index];
	const char *error = draw_one_in(random, 3) ? "refused" : "";

	if (known->last[index] == 0 || count_later(known, index) >= HERALD__RECENT_HOSTS)
		*host = (struct herald__recent_host){0};
	snprintf(host->origin, sizeof(host->origin), "http://h%zu.example:80", index);
	known->last[index] = number;
	host->attempts++;
	host->delivered += *error == '\0';
	host->failing = *error == '\0' ? 0 : host->failing + 1;
	snprintf(host->error, sizeof(host->error), "%s", error);
	host->elapsed_ms = number * 3;
	host->ended_ms = (int64_t)number;
	herald__recent_hosts_note(hosts, host->origin, error, host->elapsed_ms, host->ended_ms);
}

static void
check(const struct known *known, const struct herald__recent_hosts *hosts)
{
	static struct herald__recent_host found[HERALD__RECENT_HOSTS];
	const size_t count = herald__recent_hosts_copy(hosts, found);
	size_t expected = 0;

	for (size_t i = 0; i < HOSTS; i++) {
		const size_t place = count_later(known, i);

		if (known->last[i] == 0 || place >= HERALD__RECENT_HOSTS)
			continue;
		expected++;
		assert_true(place < count);
		assert_string_equal(found[place].origin, known->all[i].origin);
		assert_string_equal(found[place].error, known->all[i].error);
		assert_int_equal(found[place].attempts, known->all[i].attempts);
		assert_int_equal(found[place].delivered, known->all[i].delivered);
		assert_int_equal(found[place].failing, known->all[i].failing);
		assert_int_equal(found[place].elapsed_ms, known->all[i].elapsed_ms);
		assert_int_equal(found[place].ended_ms, known->all[i].ended_ms);
	}
	assert_int_equal(count, expected);
}

static void
test_the_last_ones_are_kept(void **state)
{
	struct herald__recent_hosts *hosts = calloc(1, sizeof(*hosts));
	struct known *known = calloc(1, sizeof(*known));
	uint64_t random = draw_seed();

	(void)state;
	print_message("# HERALD_TEST_SEED=%llu\n", (unsigned long long)random);
	assert_non_null(hosts);
	assert_non_null(known);
	check(known, hosts);
	for (size_t i = 1; i <= NOTES; i++) {
		note(known, hosts, &random, i);
		if (i < 200 || i % 50 == 0)
			check(known, hosts);
	}
	free(known);
	free(hosts);
}

static void
test_long_errors_are_cut(void **state)
{
	struct herald__recent_hosts *hosts = calloc(1, sizeof(*hosts));
	char error[300];

	(void)state;
	assert_non_null(hosts);
	for (size_t i = 0; i + 2 < sizeof(error); i += 2)
		memcpy(error + i, "\xc3\xa9", 3);
	herald__recent_hosts_note(hosts, "http://a.example:80", error, 0, 0);
	const char *text = hosts->all[0].error;
	assert_in_range(strlen(text), 80, sizeof(hosts->all[0].error) - 1);
	assert_string_equal(text + strlen(text) - 5, "\xc3\xa9...");
	free(hosts);
}

#define TOKEN "0123456789abcdef0123456789"

static const char *
find_authorization(const char *name, void *state)
{
	(void)state;
	return strcmp(name, "Authorization") == 0 ? "Bearer " TOKEN : NULL;
}

/* What the dashboard says of the deliverer's hosts. */
static void
assert_hosts(struct herald_deliverer *deliverer, const char *expected)
{
	struct herald_admin_response response;
	struct herald_admin *admin;

	assert_int_equal(
		herald_admin_create(&HERALD_ADMIN_OPTIONS(.token = TOKEN, .deliverer = deliverer),
				    &admin, NULL),
		HERALD_OK);
	assert_int_equal(
		herald_admin_handle(admin,
				    &HERALD_ADMIN_REQUEST(.method = "GET", .path = "api/state",
							  .header = find_authorization),
				    &response),
		HERALD_OK);
	assert_int_equal(response.status, 200);
	assert_int_equal(herald_buffer_append(&response.body, "", 1), HERALD_OK);
	if (!strstr(response.body.data, expected))
		fail_msg("no %s in %s", expected, response.body.data);
	herald_admin_response_finish(&response);
	herald_admin_destroy(admin);
}

static void
test_the_dashboard_shows_them(void **state)
{
	struct fake_transport *transport = calloc(1, sizeof(*transport));
	struct herald_deliverer *deliverer = NULL;
	struct recorder recorder;
	struct test_clock clock;

	(void)state;
	assert_non_null(transport);
	test_clock_init(&clock);
	recorder_init(&recorder);
	fake_transport_init(transport, NULL, 0);
	assert_int_equal(
		herald__deliverer_create(&RECORDED_OPTIONS(&recorder, .transport = &transport->base,
							   .attempts = 2, .first_delay_ms = 1,
							   .max_delay_ms = 1),
					 &clock.clock, &deliverer, NULL),
		HERALD_OK);
	assert_hosts(deliverer, "\"hosts\":[]");
	static const char *const urls[] = {"http://a.example/200", "http://b.example:8080/500",
					   "http://c.example/close"};
	for (size_t i = 0; i < HERALD_COUNT(urls); i++) {
		assert_int_equal(
			herald_deliverer_submit(
				deliverer,
				&(struct herald_delivery){.url = urls[i], HERALD_BODY("x", 1)},
				NULL),
			HERALD_OK);
		recorder_wait(&recorder, i + 1);
	}
	assert_hosts(deliverer, "\"hosts\":[{\"origin\":\"http://c.example:80\",\"attempts\":2,"
				"\"delivered\":0,\"failing\":2,\"error\":\"");
	assert_hosts(
		deliverer,
		"{\"origin\":\"http://b.example:8080\",\"attempts\":2,\"delivered\":0,"
		"\"failing\":2,\"error\":\"HTTP status 500\",\"elapsed_ms\":0,\"ended\":\"2023-");
	assert_hosts(deliverer,
		     "{\"origin\":\"http://a.example:80\",\"attempts\":1,\"delivered\":1,"
		     "\"failing\":0,\"error\":\"\",");
	herald_deliverer_destroy(deliverer);
	recorder_finish(&recorder);
	free(transport);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_last_ones_are_kept),
		cmocka_unit_test(test_long_errors_are_cut),
		cmocka_unit_test(test_the_dashboard_shows_them),
	};

	return cmocka_run_group_tests_name("recent_hosts", tests, NULL, NULL);
}
