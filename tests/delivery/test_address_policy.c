/*
 * The address policy in use: no form of an address, no name, no redirect, no proxy of the
 * environment, and no existing connection bypasses it. The listener must see no connection.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <herald/delivery.h>

#include "support/address_ranges.h"
#include "support/delivering.h"
#include "support/misbehaving_server.h"
#include "support/names.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

static const char *const proxy_variables[] = {"http_proxy", "https_proxy", "HTTPS_PROXY",
					      "all_proxy", "ALL_PROXY"};
static const char *const no_proxy_variables[] = {"no_proxy", "NO_PROXY"};

/* The server is on all addresses of this host. */
static int
setup(void **state)
{
	struct delivery_fixture *fixture = delivery_fixture_create("::");

	misbehaving_server_start(&fixture->server);
	*state = fixture;
	return 0;
}

static int
teardown(void **state)
{
	for (size_t i = 0; i < COUNT(proxy_variables); i++)
		unsetenv(proxy_variables[i]);
	for (size_t i = 0; i < COUNT(no_proxy_variables); i++)
		unsetenv(no_proxy_variables[i]);
	return delivery_fixture_teardown(state);
}

static uint64_t
next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

/* End the deliverer, and forget what was recorded. */
static void
stop(struct delivery_fixture *fixture)
{
	herald_deliverer_destroy(fixture->deliverer);
	fixture->deliverer = NULL;
	recorder_finish(&fixture->recorder);
	recorder_init(&fixture->recorder);
}

/* Deliver to a URL, and wait for the outcome. Returns NULL if libcurl does not accept the URL. */
static const struct recorded_report *
deliver_to(struct delivery_fixture *fixture, const char *url)
{
	const struct herald_delivery delivery = {.url = url};
	size_t count = fixture->recorder.outcomes;

	if (herald_deliverer_submit(fixture->deliverer, &delivery, NULL) != HERALD_OK)
		return NULL;
	assert_true(count < RECORDED_REPORTS);
	recorder_wait(&fixture->recorder, count + 1);
	return &fixture->recorder.outcome_reports[count];
}

/* The same with the server's port; it must be a URL. */
static const struct recorded_report *
deliver(struct delivery_fixture *fixture, const char *scheme, const char *host, const char *path)
{
	char url[256];

	snprintf(url, sizeof(url), "%s://%s:%u%s", scheme, host, fixture->server.port, path);
	const struct recorded_report *report = deliver_to(fixture, url);
	if (!report)
		fail_msg("%s", url);
	return report;
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
	"0x7f.0.0.01",
	"0177.0x0.1",
	"0x7f.00000000001",
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
	"[::1%25lo]",
	"[fe80::1%25lo]",
	"[::ffff:169.254.169.254]",
	"168.63.129.16",
	"0xa83f8110",
	"a.localhost",
	"\uff11\uff12\uff17.0.0.1",
	"127\u30020\u30020\u30021",
	"\u2460\u2461\u2466.0.0.1",
	"loop.test",
	"both.test",
	"mapped.test",
	"six.test",
};

/* What is refused when it is submitted, and not only when a socket is opened. */
static bool
is_refused_at_once(struct delivery_fixture *fixture, const char *url)
{
	const struct herald_delivery delivery = {.url = url};
	struct herald_error error = {0};
	enum herald_status status = herald_deliverer_check_url(fixture->deliverer, url, &error);

	assert_int_equal(herald_deliverer_submit(fixture->deliverer, &delivery, NULL), status);
	return status == HERALD_BAD_VALUE && strstr(error.message, "the address ") &&
	       strstr(error.message, " is not allowed");
}

/* Not connected to, and not tried again; except for what is not a URL, or a name that does not
 * exist. */
static void
assert_refused(struct delivery_fixture *fixture, const char *host)
{
	char url[256];
	size_t attempts = fixture->recorder.attempts;

	snprintf(url, sizeof(url), "http://%s:%u/200", host, fixture->server.port);
	const struct recorded_report *report = deliver_to(fixture, url);
	if (!report)
		return;
	if (report->outcome != HERALD_DELIVERY_FAILED)
		fail_msg("%s: %u", host, report->http_status);
	if (strstr(report->error, "cannot resolve the host name") ||
	    strstr(report->error, "URL using bad"))
		return;
	if (!strstr(report->error, "address is not allowed"))
		fail_msg("%s: %s", host, report->error);
	assert_int_equal(fixture->recorder.attempts, attempts + 1);
}

static void
test_this_host_in_every_form(void **state)
{
	struct delivery_fixture *fixture = *state;

	names_set("loop.test", "127.0.0.1");
	names_set("both.test", "127.0.0.1 ::1 10.0.0.1");
	names_set("mapped.test", "::ffff:127.0.0.1");
	names_set("six.test", "::1");
	delivery_fixture_deliver(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 3));
	for (size_t i = 0; i < COUNT(this_host); i++)
		assert_refused(fixture, this_host[i]);
	assert_int_equal(misbehaving_server_connections(&fixture->server), 0);
}

/* All forms of an address; names come behind them. */
static void
test_literals_are_refused_when_submitted(void **state)
{
	static const char *const formats[] = {"http://%s/", "https://%s:8443/a?b#c",
					      "HTTP://%s:80"};
	struct delivery_fixture *fixture = *state;
	char url[128];

	delivery_fixture_deliver(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 3));
	for (size_t i = 0; strcmp(this_host[i], "\uff11\uff12\uff17.0.0.1") != 0; i++) {
		for (size_t j = 0; j < COUNT(formats); j++) {
			snprintf(url, sizeof(url), formats[j], this_host[i]);
			if (!is_refused_at_once(fixture, url))
				fail_msg("%s", url);
		}
	}
	assert_int_equal(fixture->recorder.attempts, 0);
}

/* 2^32 addresses in forms at random: of libcurl's reading and of inet_aton()'s none is missed. */
static void
test_literals_at_random(void **state)
{
	static const char *const formats[] = {"%lu", "0x%lx", "0X%lX", "0%lo"};
	static const unsigned long shifts[4][4] = {{0}, {24, 0}, {24, 16, 0}, {24, 16, 8, 0}};
	struct delivery_fixture *fixture = *state;
	const char *given = getenv("HERALD_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);

	fprintf(stderr, "HERALD_TEST_SEED=%llu\n", (unsigned long long)seed);
	delivery_fixture_deliver(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1));
	for (unsigned round = 0; round < 20000; round++) {
		char url[128] = "http://";
		unsigned long address = 0x7f000000 | (next_random(&seed) & 0xffffff);
		unsigned parts = (unsigned)(next_random(&seed) % 4);

		for (unsigned part = 0; part <= parts; part++) {
			unsigned long shift = shifts[parts][part];
			unsigned long bits =
				part == 0 ? 32 - shift : shifts[parts][part - 1] - shift;
			size_t bytes = strlen(url);

			if (part > 0)
				url[bytes++] = '.';
			snprintf(url + bytes, sizeof(url) - bytes,
				 formats[next_random(&seed) % COUNT(formats)],
				 address >> shift & ((1UL << bits) - 1));
		}
		strcat(url, next_random(&seed) % 4 == 0 ? "./x" : "/x");
		if (!is_refused_at_once(fixture, url))
			fail_msg("%s", url);
	}
}

/* What curl remembers of a name's addresses is of no use where the name changes. */
static bool
remember_no_names(CURL *easy, void *state)
{
	(void)state;
	return curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L) == CURLE_OK;
}

static void
assert_address_refused(struct delivery_fixture *fixture, const char *address)
{
	char host[64];

	snprintf(host, sizeof(host), strchr(address, ':') ? "[%s]" : "%s", address);
	assert_refused(fixture, host);
	names_clear();
	names_set("range.test", address);
	assert_refused(fixture, "range.test");
	assert_int_equal(names_lookups("range.test"), 1);
}

/* As a literal and as a name. */
static void
test_every_range(void **state)
{
	struct delivery_fixture *fixture = *state;

	for (size_t i = 0; i < COUNT(address_ranges); i++) {
		delivery_fixture_deliver(
			fixture,
			HERALD_DELIVERER_OPTIONS(
					.attempts = 3,
					.transport = CURL_TRANSPORT(.setup = remember_no_names)));
		assert_address_refused(fixture, address_ranges[i].first);
		assert_address_refused(fixture, address_ranges[i].last);
		stop(fixture);
	}
	assert_int_equal(misbehaving_server_connections(&fixture->server), 0);
}

/* The control: if they are allowed, these forms do reach the server. */
static void
test_the_same_when_allowed(void **state)
{
	static const char *const networks[] = {"127.0.0.0/8", "::1/128", "0.0.0.0/8"};
	struct delivery_fixture *fixture = *state;
	size_t reached = 0;

	names_set("loop.test", "127.0.0.1");
	names_set("mapped.test", "::ffff:127.0.0.1");
	names_set("six.test", "::1");
	names_set("both.test", "10.0.0.1 127.0.0.1 ::1");
	delivery_fixture_deliver(
		fixture, HERALD_DELIVERER_OPTIONS(HERALD_NETWORKS(networks), .attempts = 1));
	for (size_t i = 0; i < 20; i++)
		reached += deliver(fixture, "http", this_host[i], "/200")->outcome ==
			   HERALD_DELIVERY_DELIVERED;
	assert_true(reached >= 16);
	assert_int_equal(deliver(fixture, "http", "[::1]", "/200")->http_status, 200);
	assert_int_equal(deliver(fixture, "http", "[::ffff:7f00:1]", "/200")->http_status, 200);
	assert_int_equal(deliver(fixture, "http", "loop.test", "/200")->http_status, 200);
	assert_int_equal(deliver(fixture, "http", "mapped.test", "/200")->http_status, 200);
	assert_int_equal(deliver(fixture, "http", "six.test", "/200")->http_status, 200);
	/* Only the allowed ones of several addresses are tried. */
	assert_int_equal(deliver(fixture, "http", "both.test", "/200")->http_status, 200);
	assert_true(misbehaving_server_connections(&fixture->server) > 0);
}

/* Redirects from an allowed server to a denied one, in every form of its address. */
static void
test_redirect(void **state)
{
	static const char *const networks[] = {"127.0.0.1/32"};
	struct delivery_fixture *fixture = *state;

	for (size_t i = 0; i < COUNT(this_host); i++) {
		struct misbehaving_server allowed;
		char url[256], location[256];

		misbehaving_server_init(&allowed, "127.0.0.1");
		snprintf(location, sizeof(location), "http://%s:%u/200", this_host[i],
			 fixture->server.port);
		allowed.location = location;
		misbehaving_server_start(&allowed);
		delivery_fixture_deliver(fixture,
					 HERALD_DELIVERER_OPTIONS(HERALD_NETWORKS(networks)));
		snprintf(url, sizeof(url), "http://127.0.0.1:%u/301", allowed.port);
		assert_int_equal(deliver_to(fixture, url)->http_status, 301);
		assert_int_equal(misbehaving_server_requests(&allowed), 1);
		stop(fixture);
		misbehaving_server_stop(&allowed);
	}
	assert_int_equal(misbehaving_server_connections(&fixture->server), 0);
}

/* A denied address is refused in every form, even if another option allows it. */
static void
test_denied_networks(void **state)
{
	static const char *const networks[] = {"0.0.0.0/0", "::/0"};
	static const char *const denied[] = {"127.0.0.0/8", "::1"};
	struct delivery_fixture *fixture = *state;

	names_set("loop.test", "127.0.0.1");
	names_set("mapped.test", "::ffff:127.0.0.1");
	names_set("six.test", "::1");
	names_set("agent.test", "169.254.169.254");
	for (unsigned i = 0; i < 2; i++) {
		delivery_fixture_deliver(
			fixture,
			i == 0 ? HERALD_DELIVERER_OPTIONS(HERALD_NETWORKS(networks),
							  HERALD_DENIED_NETWORKS(denied))
			       : HERALD_DELIVERER_OPTIONS(.addresses = HERALD_ADDRESSES_ANY,
							  HERALD_DENIED_NETWORKS(denied)));
		assert_refused(fixture, "loop.test");
		assert_refused(fixture, "mapped.test");
		assert_refused(fixture, "six.test");
		assert_refused(fixture, "agent.test");
		assert_true(is_refused_at_once(fixture, "http://127.0.0.1/"));
		assert_true(is_refused_at_once(fixture, "http://[64:ff9b::7f00:1]/"));
		assert_true(is_refused_at_once(fixture, "http://169.254.169.254/latest"));
		assert_true(is_refused_at_once(fixture, "http://[fd00:ec2::254]/latest"));
		stop(fixture);
	}
	assert_int_equal(misbehaving_server_connections(&fixture->server), 0);
	delivery_fixture_deliver(fixture,
				 HERALD_DELIVERER_OPTIONS(.addresses = HERALD_ADDRESSES_ANY,
							  .allow_cloud_agents = true));
	assert_false(is_refused_at_once(fixture, "http://169.254.169.254:1/latest"));
}

/* "::ffff:127.0.0.0/104" is 127.0.0.0/8. */
static void
test_networks_of_mapped_addresses(void **state)
{
	static const char *const networks[] = {"::ffff:127.0.0.0/104"};
	struct delivery_fixture *fixture = *state;

	names_set("loop.test", "127.0.0.1");
	names_set("mapped.test", "::ffff:127.0.0.1");
	delivery_fixture_deliver(fixture, HERALD_DELIVERER_OPTIONS(HERALD_NETWORKS(networks)));
	assert_int_equal(deliver(fixture, "http", "127.0.0.1", "/200")->http_status, 200);
	assert_int_equal(deliver(fixture, "http", "loop.test", "/200")->http_status, 200);
	assert_int_equal(deliver(fixture, "http", "mapped.test", "/200")->http_status, 200);
	assert_refused(fixture, "[::1]");
}

static void
test_proxy_of_the_environment(void **state)
{
	struct delivery_fixture *fixture = *state;
	char proxy[64];

	snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", fixture->server.port);
	for (size_t i = 0; i < COUNT(proxy_variables); i++)
		setenv(proxy_variables[i], proxy, 1);
	names_set("here.test", "127.0.0.1");
	delivery_fixture_deliver(fixture,
				 HERALD_DELIVERER_OPTIONS(.addresses = HERALD_ADDRESSES_PUBLIC));
	for (size_t i = 0; i < COUNT(this_host); i++)
		assert_refused(fixture, this_host[i]);
	assert_string_equal(deliver(fixture, "https", "here.test", "/200")->error,
			    "the host's address is not allowed");
	assert_int_equal(misbehaving_server_connections(&fixture->server), 0);
	stop(fixture);

	/* If this host is allowed, the request goes to the server, not to the proxy. */
	delivery_fixture_deliver(
		fixture,
		HERALD_DELIVERER_OPTIONS(.addresses = HERALD_ADDRESSES_ANY, .attempts = 1));
	assert_int_equal(deliver(fixture, "http", "here.test", "/200")->http_status, 200);
	assert_non_null(strstr(misbehaving_server_text(&fixture->server, 0), "GET /200 HTTP"));
	/* TLS, and no CONNECT before it. */
	(void)deliver(fixture, "https", "here.test", "/200");
	assert_int_equal(misbehaving_server_requests(&fixture->server), 1);
}

/* The address policy applies to a user's proxy, too. */
static bool
set_proxy(CURL *easy, void *state)
{
	struct delivery_fixture *fixture = state;
	char proxy[64];

	snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", fixture->server.port);
	return curl_easy_setopt(easy, CURLOPT_PROXY, proxy) == CURLE_OK;
}

static void
test_proxy_of_the_user(void **state)
{
	struct delivery_fixture *fixture = *state;

	delivery_fixture_deliver(
		fixture, HERALD_DELIVERER_OPTIONS(.transport = CURL_TRANSPORT(.setup = set_proxy,
									      .state = fixture)));
	assert_string_equal(deliver(fixture, "http", "public.test", "/200")->error,
			    "the host's address is not allowed");
	assert_int_equal(misbehaving_server_connections(&fixture->server), 0);
	stop(fixture);

	/* If it is allowed, it is used, whatever the environment says. */
	for (size_t i = 0; i < COUNT(no_proxy_variables); i++)
		setenv(no_proxy_variables[i], "*", 1);
	delivery_fixture_deliver(
		fixture, HERALD_DELIVERER_OPTIONS(.addresses = HERALD_ADDRESSES_ANY, .attempts = 1,
						  .transport = CURL_TRANSPORT(.setup = set_proxy,
									      .state = fixture)));
	(void)deliver(fixture, "http", "public.test", "/200");
	assert_non_null(
		strstr(misbehaving_server_text(&fixture->server, 0), "GET http://public.test"));
}

/* Ports. */

/* The URL's port is allowed; the setup connects to the server's port instead. */
static bool
connect_to_server(CURL *easy, void *state)
{
	static char text[64];
	static struct curl_slist list = {text, NULL};
	struct delivery_fixture *fixture = state;

	snprintf(text, sizeof(text), "public.test:80:127.0.0.1:%u", fixture->server.port);
	return curl_easy_setopt(easy, CURLOPT_CONNECT_TO, &list) == CURLE_OK;
}

static bool
set_socks_proxy(CURL *easy, void *state)
{
	return set_proxy(easy, state) &&
	       curl_easy_setopt(easy, CURLOPT_PROXYTYPE, (long)CURLPROXY_SOCKS5_HOSTNAME) ==
		       CURLE_OK;
}

/* If a connection goes to another port than the URL's, the port of the socket is checked. */
static void
test_ports_of_sockets(void **state)
{
	static bool (*const setups[])(CURL * easy, void *state) = {connect_to_server, set_proxy,
								   set_socks_proxy};
	struct delivery_fixture *fixture = *state;
	const struct herald_port_range others[] = {
		{80, 0},
		{1, (uint16_t)(fixture->server.port - 1)},
		{(uint16_t)(fixture->server.port + 1), 65535},
	};
	const struct herald_port_range its[] = {{80, 0}, {fixture->server.port, 0}};

	for (size_t i = 0; i < COUNT(setups); i++) {
		delivery_fixture_deliver(
			fixture,
			HERALD_DELIVERER_OPTIONS(.addresses = HERALD_ADDRESSES_ANY,
						 HERALD_PORTS(others),
						 .transport = CURL_TRANSPORT(.setup = setups[i],
									     .state = fixture)));
		assert_string_equal(deliver_to(fixture, "http://public.test/200")->error,
				    "the port of the connection is not allowed");
		assert_int_equal(fixture->recorder.attempts, 1);
		stop(fixture);
	}
	assert_int_equal(misbehaving_server_connections(&fixture->server), 0);
	delivery_fixture_deliver(
		fixture,
		HERALD_DELIVERER_OPTIONS(.addresses = HERALD_ADDRESSES_ANY, HERALD_PORTS(its),
					 .transport = CURL_TRANSPORT(.setup = connect_to_server,
								     .state = fixture)));
	assert_int_equal(deliver_to(fixture, "http://public.test/200")->http_status, 200);
}

/*
 * A name that means something else the second time: a connection that is kept is one that was
 * allowed, and a new one is judged anew.
 */
static void
test_name_that_changes(void **state)
{
	static const char *const networks[] = {"127.0.0.1/32"};
	struct delivery_fixture *fixture = *state;

	names_set("changes.test", "127.0.0.1;127.0.0.2");
	delivery_fixture_deliver(fixture, HERALD_DELIVERER_OPTIONS(HERALD_NETWORKS(networks),
								   .slots = 1, .attempts = 1));
	assert_int_equal(deliver(fixture, "http", "changes.test", "/200")->http_status, 200);
	assert_int_equal(deliver(fixture, "http", "changes.test", "/200")->http_status, 200);
	assert_int_equal(misbehaving_server_connections(&fixture->server), 1);
	names_set("other.test", "127.0.0.2");
	assert_int_equal(deliver(fixture, "http", "other.test", "/200")->outcome,
			 HERALD_DELIVERY_FAILED);
	assert_int_equal(misbehaving_server_connections(&fixture->server), 1);
}

/* Two deliverers share nothing: what one may reach does not open it for the other. */
static void
test_connections_of_another_deliverer(void **state)
{
	struct delivery_fixture *fixture = *state;
	struct herald_deliverer *trusting;

	names_set("here.test", "127.0.0.1");
	delivery_fixture_deliver(fixture,
				 HERALD_DELIVERER_OPTIONS(.addresses = HERALD_ADDRESSES_ANY));
	assert_int_equal(deliver(fixture, "http", "here.test", "/200")->http_status, 200);
	trusting = fixture->deliverer;
	delivery_fixture_deliver(fixture,
				 HERALD_DELIVERER_OPTIONS(.addresses = HERALD_ADDRESSES_PUBLIC));
	assert_int_equal(deliver(fixture, "http", "here.test", "/200")->outcome,
			 HERALD_DELIVERY_FAILED);
	assert_int_equal(misbehaving_server_connections(&fixture->server), 1);
	herald_deliverer_destroy(trusting);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_literals_are_refused_when_submitted),
		TEST(test_literals_at_random),
		TEST(test_denied_networks),
		TEST(test_networks_of_mapped_addresses),
		TEST(test_this_host_in_every_form),
		TEST(test_every_range),
		TEST(test_the_same_when_allowed),
		TEST(test_redirect),
		TEST(test_proxy_of_the_environment),
		TEST(test_proxy_of_the_user),
		TEST(test_ports_of_sockets),
		TEST(test_name_that_changes),
		TEST(test_connections_of_another_deliverer),
	};

	return cmocka_run_group_tests_name("address_policy", tests, NULL, NULL);
}
