/*
 * The address policy: every range, and that no way of writing an address, no name, no redirect, no
 * proxy of the environment and no connection of before gets past it: the listener sees 0 connections.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

#include <herald/delivery.h>

#include "../adapters/curl/address.h"
#include "support/delivering.h"
#include "support/misbehaving_server.h"
#include "support/names.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* The judgement of an address. */

static const struct herald__address_rules public_only = {.policy = HERALD_ADDRESSES_PUBLIC};

static bool
is_allowed(const struct herald__address_rules *rules, const char *text)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return herald__address_is_allowed(rules, (struct sockaddr *)&v4, sizeof(v4));
	assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
	return herald__address_is_allowed(rules, (struct sockaddr *)&v6, sizeof(v6));
}

/* First and last address of each range, and their neighbours where these are public. */
static void
test_ranges(void **state)
{
	static const struct {
		const char *before, *first, *last, *after;
	} rows[] = {
		{NULL, "0.0.0.0", "0.255.255.255", "1.0.0.0"},
		{"9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"},
		{"100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"},
		{"126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"},
		{"169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"},
		{"172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"},
		{"191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"},
		{"192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"},
		{"192.31.195.255", "192.31.196.0", "192.31.196.255", "192.31.197.0"},
		{"192.52.192.255", "192.52.193.0", "192.52.193.255", "192.52.194.0"},
		{"192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"},
		{"192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"},
		{"192.175.47.255", "192.175.48.0", "192.175.48.255", "192.175.49.0"},
		{"198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"},
		{"198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"},
		{"203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"},
		{"223.255.255.255", "224.0.0.0", "239.255.255.255", NULL},
		{NULL, "240.0.0.0", "255.255.255.255", NULL},

		{NULL, "::", "::1", NULL},
		{NULL, "::2", "::fffe:ffff:ffff", NULL}, /* IPv4-compatible and beyond */
		{NULL, "::ffff:127.0.0.0", "::ffff:127.255.255.255", "::ffff:128.0.0.0"},
		{"::ffff:9.255.255.255", "::ffff:10.0.0.0", "::ffff:10.255.255.255", NULL},
		{"64:ff9b::8.8.8.8", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", NULL},
		{NULL, "64:ff9b::169.254.169.254", "64:ff9b::255.255.255.255", NULL},
		{NULL, "64:ff9b::1:0:0", "64:ff9b:0:ffff:ffff:ffff:ffff:ffff", NULL},
		{NULL, "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:808:808", NULL},
		{NULL, "100::", "100::ffff:ffff:ffff:ffff", NULL},
		{NULL, "100:0:0:1::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::"},
		{"2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		 "2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"},
		{"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
		 "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"},
		{"2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		 "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::"},
		{"2620:4f:7fff:ffff:ffff:ffff:ffff:ffff",
		 "2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff", "2620:4f:8001::"},
		{"3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		 "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"},
		{"3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		 "4000::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
		{NULL, "5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
		{NULL, "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
		{NULL, "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
		{NULL, "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
		{NULL, "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (is_allowed(&public_only, rows[i].first) ||
		    is_allowed(&public_only, rows[i].last))
			fail_msg("%s - %s is allowed", rows[i].first, rows[i].last);
		if (rows[i].before && !is_allowed(&public_only, rows[i].before))
			fail_msg("%s is not allowed", rows[i].before);
		if (rows[i].after && !is_allowed(&public_only, rows[i].after))
			fail_msg("%s is not allowed", rows[i].after);
	}
}

static void
test_public_addresses(void **state)
{
	static const char *const rows[] = {
		"1.1.1.1",
		"8.8.8.8",
		"93.184.216.34",
		"223.255.255.255",
		"::ffff:8.8.8.8",
		"64:ff9b::8.8.8.8",
		"2606:4700:4700::1111",
		"2a00:1450:4001:81b::1",
		"2620:fe::fe",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (!is_allowed(&public_only, rows[i]))
			fail_msg("%s is not allowed", rows[i]);
}

static void
test_networks_that_are_allowed(void **state)
{
	static const char *const texts[] = {"10.1.0.0/16", "192.168.7.9", "fd12:3400::/23",
					    "2002::/16",   "::1",         "0.0.0.0/32"};
	static const struct {
		const char *address;
		bool is_allowed;
	} rows[] = {
		{"10.1.0.0", true},
		{"10.1.255.255", true},
		{"10.0.255.255", false},
		{"10.2.0.0", false},
		{"192.168.7.9", true},
		{"192.168.7.8", false},
		{"fd12:3400::1", true},
		{"fd12:35ff::1", true},
		{"fd12:3600::1", false},
		{"fd12:33ff::1", false},
		{"::1", true},
		{"::", false},
		{"0.0.0.0", true},
		{"8.8.8.8", true},
		/* The embedded address is judged too. */
		{"::ffff:10.1.2.3", true},
		{"::ffff:10.2.2.3", false},
		{"64:ff9b::10.1.2.3", true},
		{"64:ff9b::10.2.2.3", false},
		{"2002:808:808::1", true},
		{"2002:a01:203::1", true},
		{"2002:7f00:1::1", false},
	};
	struct herald__network networks[COUNT(texts)];
	const struct herald__address_rules rules = {HERALD_ADDRESSES_PUBLIC, networks,
						    COUNT(texts)};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_true(herald__network_parse(texts[i], &networks[i]));
	for (size_t i = 0; i < COUNT(rows); i++)
		if (is_allowed(&rules, rows[i].address) != rows[i].is_allowed)
			fail_msg("%s", rows[i].address);
}

static void
test_other_families(void **state)
{
	static const struct herald__address_rules rules[] = {{.policy = HERALD_ADDRESSES_PUBLIC},
							     {.policy = HERALD_ADDRESSES_ANY}};
	const struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "/tmp/socket"};
	const struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x08080808)};

	(void)state;
	for (size_t i = 0; i < COUNT(rules); i++) {
		assert_false(herald__address_is_allowed(&rules[i], (const struct sockaddr *)&local,
							sizeof(local)));
		assert_false(herald__address_is_allowed(&rules[i], (const struct sockaddr *)&v4,
							sizeof(v4) - 1));
	}
	assert_true(is_allowed(&rules[1], "127.0.0.1"));
	assert_true(is_allowed(&rules[1], "::1"));
}

/* Through a deliverer, to a server that listens. */

struct fixture {
	struct misbehaving_server server; /* on all addresses of this host */
	struct test_clock clock;
	struct recorder recorder;
	struct herald_deliverer *deliverer;
};

static int
setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	misbehaving_server_init(&fixture->server, "::");
	misbehaving_server_start(&fixture->server);
	test_clock_init(&fixture->clock);
	recorder_init(&fixture->recorder);
	*state = fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;

	unsetenv("http_proxy");
	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
	herald_deliverer_destroy(fixture->deliverer);
	misbehaving_server_stop(&fixture->server);
	recorder_finish(&fixture->recorder);
	names_clear();
	free(fixture);
	return 0;
}

static void
start(struct fixture *fixture, struct herald_deliverer_options options)
{
	options.on_attempt = record_attempt;
	options.on_outcome = record_outcome;
	options.state = &fixture->recorder;
	assert_int_equal(herald__deliverer_create(&options, &fixture->clock.clock, NULL,
						  &fixture->deliverer, NULL),
			 HERALD_OK);
}

/* Deliver to host and path, and wait for the outcome. */
static const struct recorded_report *
deliver(struct fixture *fixture, const char *scheme, const char *host, const char *path)
{
	char url[256];
	struct herald_error error;
	const struct herald_delivery delivery = {.url = url};
	size_t count = fixture->recorder.outcomes;

	snprintf(url, sizeof(url), "%s://%s:%u%s", scheme, host, fixture->server.port, path);
	if (herald_deliverer_submit(fixture->deliverer, &delivery, &error) != HERALD_OK)
		fail_msg("%s: %s", url, error.message);
	recorder_wait(&fixture->recorder, count + 1);
	return &fixture->recorder.outcome_reports[count];
}

/* Forms that libcurl's parser, or the name lookup of the system, understands as this host. */
static const char *const this_host[] = {
	"127.0.0.1",
	"127.1",
	"127.0.1",
	"2130706433",
	"0x7f000001",
	"0x7F.0.0.1",
	"0x7f.1",
	"0177.0.0.1",
	"017700000001",
	"0177.0.0.01",
	"127.0.0.001",
	"127.127.127.127",
	"0",
	"0.0.0.0",
	"0x0",
	"00000000",
	"localhost",
	"LOCALHOST",
	"127.0.0.1.",
	"localhost.",
	"[::1]",
	"[0:0:0:0:0:0:0:1]",
	"[::]",
	"[::ffff:127.0.0.1]",
	"[::ffff:7f00:1]",
	"[0:0:0:0:0:ffff:7f00:0001]",
	"[::127.0.0.1]",
	"[::ffff:0.0.0.0]",
	"[64:ff9b::127.0.0.1]",
	"[64:ff9b::7f00:1]",
	"[64:ff9b:1::7f00:1]",
	"[2002:7f00:1::]",
	"[2002:7f00:0001::1]",
	"[2001:0:7f00:1::80ff:fffe]",
	"loop.test",
	"both.test",
	"mapped.test",
	"six.test",
};

static void
test_this_host_in_every_form(void **state)
{
	struct fixture *fixture = *state;

	names_set("loop.test", "127.0.0.1");
	names_set("both.test", "127.0.0.1 ::1 10.0.0.1");
	names_set("mapped.test", "::ffff:127.0.0.1");
	names_set("six.test", "::1");
	start(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 3));
	for (size_t i = 0; i < COUNT(this_host); i++) {
		size_t attempts = fixture->recorder.attempts;
		const struct recorded_report *report =
			deliver(fixture, "http", this_host[i], "/200");

		if (report->outcome != HERALD_DELIVERY_FAILED)
			fail_msg("%s: %u", this_host[i], report->http_status);
		/* Refused, and not tried again; but for what is a name that does not exist. */
		if (!strstr(report->error, "address is not allowed") &&
		    !strstr(report->error, "resolve"))
			fail_msg("%s: %s", this_host[i], report->error);
		if (!strstr(report->error, "resolve"))
			assert_int_equal(fixture->recorder.attempts, attempts + 1);
	}
	(void)deliver(fixture, "https", "127.0.0.1", "/200");
	assert_int_equal(misbehaving_server_connections(&fixture->server), 0);
}

/* The control: the server is there, and these forms do reach it when they may. */
static void
test_the_same_when_allowed(void **state)
{
	static const char *const networks[] = {"127.0.0.0/8", "::1/128", "0.0.0.0/8"};
	struct fixture *fixture = *state;
	size_t reached = 0;

	names_set("loop.test", "127.0.0.1");
	names_set("mapped.test", "::ffff:127.0.0.1");
	names_set("six.test", "::1");
	names_set("both.test", "10.0.0.1 127.0.0.1 ::1");
	start(fixture, HERALD_DELIVERER_OPTIONS(.networks = networks,
						.networks_count = COUNT(networks), .attempts = 1));
	for (size_t i = 0; i < 20; i++)
		reached += deliver(fixture, "http", this_host[i], "/200")->outcome ==
			   HERALD_DELIVERY_DELIVERED;
	assert_true(reached >= 16);
	assert_int_equal(deliver(fixture, "http", "[::1]", "/200")->http_status, 200);
	assert_int_equal(deliver(fixture, "http", "[::ffff:7f00:1]", "/200")->http_status, 200);
	assert_int_equal(deliver(fixture, "http", "loop.test", "/200")->http_status, 200);
	assert_int_equal(deliver(fixture, "http", "mapped.test", "/200")->http_status, 200);
	assert_int_equal(deliver(fixture, "http", "six.test", "/200")->http_status, 200);
	/* Of several addresses those are tried that are allowed. */
	assert_int_equal(deliver(fixture, "http", "both.test", "/200")->http_status, 200);
	assert_true(misbehaving_server_connections(&fixture->server) > 0);
}

static void
test_redirect(void **state)
{
	static const char *const networks[] = {"127.0.0.1/32"};
	struct fixture *fixture = *state;

	start(fixture, HERALD_DELIVERER_OPTIONS(.networks = networks, .networks_count = 1));
	assert_int_equal(deliver(fixture, "http", "127.0.0.1", "/301")->http_status, 301);
	assert_int_equal(misbehaving_server_requests(&fixture->server), 1);
}

static void
test_proxy_of_the_environment(void **state)
{
	struct fixture *fixture = *state;
	char proxy[64];

	snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", fixture->server.port);
	setenv("http_proxy", proxy, 1);
	setenv("all_proxy", proxy, 1);
	setenv("ALL_PROXY", proxy, 1);
	names_set("public.test", "127.0.0.1");
	start(fixture, HERALD_DELIVERER_OPTIONS(.addresses = HERALD_ADDRESSES_PUBLIC));
	assert_string_equal(deliver(fixture, "http", "public.test", "/200")->error,
			    "the host's address is not allowed");
	assert_int_equal(misbehaving_server_connections(&fixture->server), 0);
	herald_deliverer_destroy(fixture->deliverer);

	/* When this host is allowed, it is the server that is asked, and not the proxy. */
	start(fixture, HERALD_DELIVERER_OPTIONS(.addresses = HERALD_ADDRESSES_ANY));
	assert_int_equal(deliver(fixture, "http", "public.test", "/200")->http_status, 200);
	assert_non_null(strstr(misbehaving_server_text(&fixture->server, 0), "GET /200 HTTP"));
}

/* A proxy of the user's own is judged as any other address. */
static bool
set_proxy(CURL *easy, void *state)
{
	struct recorder *recorder = state;
	struct fixture *fixture =
		(struct fixture *)((char *)recorder - offsetof(struct fixture, recorder));
	char proxy[64];

	snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", fixture->server.port);
	return curl_easy_setopt(easy, CURLOPT_PROXY, proxy) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_NOPROXY, "") == CURLE_OK;
}

static void
test_proxy_of_the_user(void **state)
{
	struct fixture *fixture = *state;

	start(fixture, HERALD_DELIVERER_OPTIONS(.setup = set_proxy));
	assert_string_equal(deliver(fixture, "http", "public.test", "/200")->error,
			    "the host's address is not allowed");
	assert_int_equal(misbehaving_server_connections(&fixture->server), 0);
}

/*
 * A name that means something else the second time: a connection that is kept is one that was
 * allowed, and a new one is judged anew.
 */
static void
test_name_that_changes(void **state)
{
	static const char *const networks[] = {"127.0.0.1/32"};
	struct fixture *fixture = *state;

	names_set("changes.test", "127.0.0.1;127.0.0.2");
	start(fixture, HERALD_DELIVERER_OPTIONS(.networks = networks, .networks_count = 1,
						.slots = 1, .attempts = 1));
	assert_int_equal(deliver(fixture, "http", "changes.test", "/200")->http_status, 200);
	assert_int_equal(deliver(fixture, "http", "changes.test", "/200")->http_status, 200);
	assert_int_equal(misbehaving_server_connections(&fixture->server), 1);
	assert_int_equal(deliver(fixture, "http", "127.0.0.2", "/200")->outcome,
			 HERALD_DELIVERY_FAILED);
	assert_int_equal(misbehaving_server_connections(&fixture->server), 1);
}

/* Two deliverers share nothing: what one may reach does not open it for the other. */
static void
test_connections_of_another_deliverer(void **state)
{
	struct fixture *fixture = *state;
	struct herald_deliverer *trusting;

	start(fixture, HERALD_DELIVERER_OPTIONS(.addresses = HERALD_ADDRESSES_ANY));
	assert_int_equal(deliver(fixture, "http", "127.0.0.1", "/200")->http_status, 200);
	trusting = fixture->deliverer;
	start(fixture, HERALD_DELIVERER_OPTIONS(.addresses = HERALD_ADDRESSES_PUBLIC));
	assert_int_equal(deliver(fixture, "http", "127.0.0.1", "/200")->outcome,
			 HERALD_DELIVERY_FAILED);
	assert_int_equal(misbehaving_server_connections(&fixture->server), 1);
	herald_deliverer_destroy(trusting);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_public_addresses),
		cmocka_unit_test(test_networks_that_are_allowed),
		cmocka_unit_test(test_other_families),
		TEST(test_this_host_in_every_form),
		TEST(test_the_same_when_allowed),
		TEST(test_redirect),
		TEST(test_proxy_of_the_environment),
		TEST(test_proxy_of_the_user),
		TEST(test_name_that_changes),
		TEST(test_connections_of_another_deliverer),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
