/*
 * The check of one address: every non-public range, and the networks that are allowed.
 * test_address_policy.c tests that nothing bypasses it.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

#include <cmocka.h>

#include <herald/delivery.h>

#include "delivery/address_policy.h"
#include "support/address_ranges.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

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

static void
test_ranges(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(address_ranges); i++) {
		const struct address_range *range = &address_ranges[i];

		if (is_allowed(&public_only, range->first) || is_allowed(&public_only, range->last))
			fail_msg("%s - %s is allowed", range->first, range->last);
		if (range->before && !is_allowed(&public_only, range->before))
			fail_msg("%s is not allowed", range->before);
		if (range->after && !is_allowed(&public_only, range->after))
			fail_msg("%s is not allowed", range->after);
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
		"2c0f:fff0::1",
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
		/* The embedded address is checked, too. */
		{"::ffff:10.1.2.3", true},
		{"::ffff:10.2.2.3", false},
		{"64:ff9b::10.1.2.3", true},
		{"64:ff9b::10.2.2.3", false},
		/* SIIT addresses are public in no case, and allowed if both are. */
		{"::ffff:0:10.1.2.3", false},
		{"::ffff:0:8.8.8.8", false},
		{"2002:808:808::1", true},
		{"2002:a01:203::1", true},
		{"2002:7f00:1::1", false},
	};
	struct herald__network networks[COUNT(texts)];
	const struct herald__address_rules rules = {.networks = networks,
						    .networks_count = COUNT(texts)};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_true(herald__network_parse(texts[i], &networks[i]));
	for (size_t i = 0; i < COUNT(rows); i++)
		if (is_allowed(&rules, rows[i].address) != rows[i].is_allowed)
			fail_msg("%s", rows[i].address);
}

/* Denied in whatever form the address comes. */
static void
test_denied_addresses(void **state)
{
	static const char *const texts[] = {"8.8.0.0/16", "2606:4700::/32", "::ffff:9.0.0.0/104"};
	static const struct {
		const char *address;
		bool is_allowed;
	} rows[] = {
		{"8.8.8.8", false},
		{"8.9.0.0", true},
		{"8.7.255.255", true},
		{"9.1.2.3", false},
		{"::ffff:9.1.2.3", false},
		{"10.1.2.3", true},
		{"::ffff:8.8.8.8", false},
		{"::ffff:0:8.8.8.8", false},
		{"::ffff:0:8.9.0.0", true},
		{"::ffff:0:168.63.129.16", false},
		{"64:ff9b::8.8.8.8", false},
		{"64:ff9b:1::808:808", false},
		{"2002:808:808::1", false},
		{"2001:0:808:808::1", false},
		{"2606:4700::1", false},
		{"2606:4701::1", true},
		{"168.63.129.16", false},
		{"168.63.129.17", true},
		{"::ffff:168.63.129.16", false},
		{"64:ff9b::168.63.129.16", false},
		{"169.254.169.254", false},
		{"169.254.169.253", true},
		{"169.254.170.2", false},
		{"169.254.170.23", false},
		{"169.254.0.23", false},
		{"169.254.42.42", false},
		{"100.100.100.200", false},
		{"192.0.0.192", false},
		{"fd00:ec2::254", false},
		{"fd00:ec2::253", true},
		{"fd00:ec2::23", false},
		{"fd20:ce::254", false},
		{"fd00:42::42", false},
		{"fd00:c1::a9fe:a9fe", false},
		{"fe80::a9fe:a9fe", false},
		{"fe80::a9fe:a9ff", true},
	};
	struct herald__network denied[COUNT(texts)];
	struct herald__address_rules rules = {
		.policy = HERALD_ADDRESSES_ANY, .denied = denied, .denied_count = COUNT(texts)};
	static const struct herald__address_rules public_and_agents = {.allow_cloud_agents = true};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_true(herald__network_parse(texts[i], &denied[i]));
	for (size_t i = 0; i < COUNT(rows); i++)
		if (is_allowed(&rules, rows[i].address) != rows[i].is_allowed)
			fail_msg("%s", rows[i].address);
	rules = (struct herald__address_rules){.policy = HERALD_ADDRESSES_ANY,
					       .allow_cloud_agents = true};
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_true(is_allowed(&rules, rows[i].address));

	/* The option does not make any address public. */
	assert_true(is_allowed(&public_and_agents, "168.63.129.16"));
	assert_false(is_allowed(&public_and_agents, "169.254.169.254"));
	assert_false(is_allowed(&public_only, "168.63.129.16"));
}

static void
test_networks_without_effect(void **state)
{
	static const struct {
		const char *network, *ipv4; /* NULL: it has an effect */
	} rows[] = {
		{"64:ff9b::/96", "0.0.0.0/0"},
		{"64:ff9b::10.0.0.0/104", "10.0.0.0/8"},
		{"64:ff9b::8.8.8.8", "8.8.8.8/32"},
		{"64:ff9b::/95", NULL},
		{"::ffff:0:10.0.0.0/104", "10.0.0.0/8"},
		{"::ffff:0:192.168.7.0/120", NULL},
		{"64:ff9b:1::/48", NULL},
		{"64:ff9b:1::10.0.0.0/104", "10.0.0.0/8"},
		{"64:ff9b:1::192.168.7.0/120", NULL},
		{"64:ff9b:1::192.168.0.0/112", NULL},
		{"64:ff9b:1::192.168.8.0/120", "192.168.8.0/24"},
		{"2002::/16", NULL},
		{"2002:7f00:1::/48", "127.0.0.1/32"},
		{"2002:7f00:1::1", "127.0.0.1/32"},
		{"2002:c0a8:0700::/40", NULL},
		{"2002:808:808::/48", NULL},
		{"2001::/32", NULL},
		{"2001:0:a00::/40", "10.0.0.0/8"},
		{"::1", NULL},
		{"fd00::/8", NULL},
		{"10.0.0.0/8", NULL},
		{"::/0", NULL},
	};
	struct herald__network networks[2];
	char ipv4[HERALD__NETWORK_TEXT_BYTES];

	(void)state;
	assert_true(herald__network_parse("192.168.7.0/24", &networks[0]));
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(herald__network_parse(rows[i].network, &networks[1]));
		bool has_effect = herald__network_has_effect(&networks[1], networks, 2, ipv4);
		if (has_effect != !rows[i].ipv4)
			fail_msg("%s", rows[i].network);
		if (!has_effect)
			assert_string_equal(ipv4, rows[i].ipv4);
	}
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_public_addresses),
		cmocka_unit_test(test_networks_that_are_allowed),
		cmocka_unit_test(test_denied_addresses),
		cmocka_unit_test(test_networks_without_effect),
		cmocka_unit_test(test_other_families),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
