/*
 * The judgement of one address: every range that is not public, and the networks that are allowed.
 * That nothing gets past it is test_address_policy.c's.
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

#include "../adapters/curl/address.h"
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_public_addresses),
		cmocka_unit_test(test_networks_that_are_allowed),
		cmocka_unit_test(test_other_families),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
