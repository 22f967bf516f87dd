/*
 * The address policy: the ranges that are not public, and the judgement of one address. It works on
 * the bytes that a socket is given; names and how an address is written never get here.
 *
 * IPv4: everything but the ranges of IANA's IPv4 Special-Purpose Address Registry (RFC 6890),
 * multicast and the former class E. IPv6: nothing but global unicast, 2000::/3, without the ranges of
 * the IPv6 registry, and what the registry of global unicast addresses holds back for later. Ranges
 * which the former calls globally reachable, but where no web server can be (anycast of protocols,
 * AS112), are refused with the rest.
 */
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

static const struct herald__network not_public_v4[] = {
	{false, 8, {0}},             /* "this network"; 0.0.0.0 reaches this host */
	{false, 8, {10}},            /* private, RFC 1918 */
	{false, 10, {100, 64}},      /* carrier-grade NAT, RFC 6598 */
	{false, 8, {127}},           /* loopback */
	{false, 16, {169, 254}},     /* link-local, RFC 3927; metadata services of clouds */
	{false, 12, {172, 16}},      /* private */
	{false, 24, {192, 0, 0}},    /* protocol assignments, RFC 6890 */
	{false, 24, {192, 0, 2}},    /* documentation, RFC 5737 */
	{false, 24, {192, 31, 196}}, /* AS112, RFC 7535 */
	{false, 24, {192, 52, 193}}, /* AMT, RFC 7450 */
	{false, 24, {192, 88, 99}},  /* 6to4 relays, RFC 7526 */
	{false, 16, {192, 168}},     /* private */
	{false, 24, {192, 175, 48}}, /* AS112, RFC 7534 */
	{false, 15, {198, 18}},      /* benchmarks, RFC 2544 */
	{false, 24, {198, 51, 100}}, /* documentation */
	{false, 24, {203, 0, 113}},  /* documentation */
	{false, 4, {224}},           /* multicast, RFC 5771 */
	{false, 4, {240}},           /* reserved, RFC 1112; broadcast */
};

/* What of 2000::/3 is not public. Outside of it nothing is. */
static const struct herald__network not_public_v6[] = {
	{true, 23, {0x20, 0x01}},                         /* protocol assignments, Teredo */
	{true, 32, {0x20, 0x01, 0x0d, 0xb8}},             /* documentation, RFC 3849 */
	{true, 16, {0x20, 0x02}},                         /* 6to4, RFC 3056 */
	{true, 48, {0x26, 0x20, 0x00, 0x4f, 0x80, 0x00}}, /* AS112, RFC 7534 */
	{true, 8, {0x2d}},                                /* reserved */
	{true, 7, {0x2e}},                                /* reserved */
	{true, 4, {0x30}},                                /* reserved; documentation, RFC 9637 */
};

static const struct herald__network global_unicast = {true, 3, {0x20}};

/*
 * Ranges whose addresses have an IPv4 address in them, which a translator or this host connects to.
 * `judged_alone`: the range stands for all of IPv4, so that only the embedded address counts.
 */
static const struct {
	struct herald__network network;
	size_t offset;
	bool judged_alone;
} embedding[] = {
	{{true, 96, {[10] = 0xff, [11] = 0xff}}, 12, true},            /* ::ffff:0:0, mapped */
	{{true, 96, {0x00, 0x64, 0xff, 0x9b}}, 12, true},              /* NAT64, RFC 6052 */
	{{true, 48, {0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}}, 12, false}, /* NAT64, RFC 8215 */
	{{true, 16, {0x20, 0x02}}, 2, false},                          /* 6to4 */
	{{true, 32, {0x20, 0x01, 0x00, 0x00}}, 4, false},              /* Teredo: its server */
};

bool
herald__network_parse(const char *text, struct herald__network *out)
{
	struct herald__network network = {0};
	char address[INET6_ADDRSTRLEN];
	size_t bytes = strcspn(text, "/");
	const char *length = text[bytes] == '/' ? text + bytes + 1 : NULL;

	if (bytes >= sizeof(address))
		return false;
	memcpy(address, text, bytes);
	address[bytes] = '\0';
	network.is_v6 = strchr(address, ':') != NULL;
	if (inet_pton(network.is_v6 ? AF_INET6 : AF_INET, address, network.bytes) != 1)
		return false;

	unsigned bits = network.is_v6 ? 128 : 32;
	network.prefix_bits = bits;
	if (length) {
		char *end;
		unsigned long number = strtoul(length, &end, 10);

		if (*length < '0' || *length > '9' || *end != '\0' || number > bits)
			return false;
		network.prefix_bits = (unsigned)number;
	}
	for (unsigned bit = network.prefix_bits; bit < bits; bit++)
		if (network.bytes[bit / 8] & (0x80 >> bit % 8))
			return false;
	*out = network;
	return true;
}

static bool
contains(const struct herald__network *network, bool is_v6, const unsigned char *address)
{
	unsigned whole = network->prefix_bits / 8, rest = network->prefix_bits % 8;

	if (network->is_v6 != is_v6 || memcmp(network->bytes, address, whole) != 0)
		return false;
	return rest == 0 || (network->bytes[whole] ^ address[whole]) >> (8 - rest) == 0;
}

static bool
is_in(const struct herald__network *networks, size_t count, bool is_v6,
      const unsigned char *address)
{
	for (size_t i = 0; i < count; i++)
		if (contains(&networks[i], is_v6, address))
			return true;
	return false;
}

static bool
judge_v4(const struct herald__address_rules *rules, const unsigned char *address)
{
	return is_in(rules->networks, rules->networks_count, false, address) ||
	       !is_in(not_public_v4, COUNT(not_public_v4), false, address);
}

static bool
judge_v6(const struct herald__address_rules *rules, const unsigned char *address)
{
	for (size_t i = 0; i < COUNT(embedding); i++) {
		if (!contains(&embedding[i].network, true, address))
			continue;
		if (!judge_v4(rules, address + embedding[i].offset))
			return false;
		if (embedding[i].judged_alone)
			return true;
	}
	if (is_in(rules->networks, rules->networks_count, true, address))
		return true;
	return contains(&global_unicast, true, address) &&
	       !is_in(not_public_v6, COUNT(not_public_v6), true, address);
}

bool
herald__address_is_allowed(const struct herald__address_rules *rules,
			   const struct sockaddr *address, socklen_t bytes)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (address->sa_family == AF_INET && bytes >= sizeof(v4)) {
		memcpy(&v4, address, sizeof(v4));
		return rules->policy == HERALD_ADDRESSES_ANY ||
		       judge_v4(rules, (const unsigned char *)&v4.sin_addr);
	}
	if (address->sa_family == AF_INET6 && bytes >= sizeof(v6)) {
		memcpy(&v6, address, sizeof(v6));
		return rules->policy == HERALD_ADDRESSES_ANY ||
		       judge_v6(rules, v6.sin6_addr.s6_addr);
	}
	return false;
}
