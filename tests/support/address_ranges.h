/*
 * The ranges of addresses that are not public, for tests of the address policy.
 */
#ifndef HERALD_TESTS_SUPPORT_ADDRESS_RANGES_H
#define HERALD_TESTS_SUPPORT_ADDRESS_RANGES_H

/* First and last address, and their neighbours where these are public. */
struct address_range {
	const char *before, *first, *last, *after;
};

static const struct address_range address_ranges[] = {
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
	{"2cff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	 "2d00::", "2dff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
	{NULL, "2e00::", "2fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
	{NULL, "3000::", "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
	{NULL, "3ffe::", "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
	{NULL, "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
	{NULL, "4000::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
	{NULL, "5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
	{NULL, "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
	{NULL, "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
	{NULL, "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
	{NULL, "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
};

#endif
