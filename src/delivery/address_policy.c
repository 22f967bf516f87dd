/*
 * The address policy: the non-public ranges, and the check of one address. It checks the address of
 * a socket, and before that an address in a URL. It never sees names.
 *
 * Allowed in IPv4: everything except for the ranges of IANA's IPv4 Special-Purpose Address Registry
 * (RFC 6890), multicast, and the former class E. Allowed in IPv6: only global unicast, 2000::/3,
 * except for the ranges of the IPv6 registry and those that the registry of global unicast
 * addresses reserves. Some ranges are refused although the former registry calls them globally
 * reachable, because no web server can be there (anycast of protocols, AS112).
 */
#include "delivery/address_policy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/adapter/text.h>

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

/* The parts of 2000::/3 that are not public. Outside of it, nothing is public. */
static const struct herald__network not_public_v6[] = {
	{true, 23, {0x20, 0x01}},                         /* protocol assignments, Teredo */
	{true, 32, {0x20, 0x01, 0x0d, 0xb8}},             /* documentation, RFC 3849 */
	{true, 16, {0x20, 0x02}},                         /* 6to4, RFC 3056 */
	{true, 48, {0x26, 0x20, 0x00, 0x4f, 0x80, 0x00}}, /* AS112, RFC 7534 */
	{true, 8, {0x2d}},                                /* reserved */
	{true, 7, {0x2e}},                                /* reserved */
	{true, 4, {0x30}},                                /* reserved; documentation, RFC 9637 */
};

/*
 * The agents of cloud hosts, from their documentation. They give credentials or commands to any
 * program on the machine. Azure's address is public. The others may be in `networks`, or reachable
 * if all addresses are allowed.
 */
static const struct herald__network cloud_agents_v4[] = {
	{false, 32, {100, 100, 100, 200}}, /* Alibaba Cloud */
	{false, 32, {168, 63, 129, 16}},   /* Azure's platform */
	{false, 32, {169, 254, 0, 23}},    /* Tencent Cloud */
	{false, 32, {169, 254, 42, 42}},   /* Scaleway */
	{false, 32, {169, 254, 169, 254}}, /* AWS, Azure, Google Cloud, Oracle, OpenStack, ... */
	{false, 32, {169, 254, 170, 2}},   /* AWS: tasks of ECS */
	{false, 32, {169, 254, 170, 23}},  /* AWS: pods of EKS */
	{false, 32, {192, 0, 0, 192}},     /* Oracle Cloud Classic */
};

static const struct herald__network cloud_agents_v6[] = {
	{true, 128, {0xfd, 0x00, 0x00, 0x42, [15] = 0x42}},                   /* Scaleway */
	{true, 128, {0xfd, 0x00, 0x00, 0xc1, [12] = 0xa9, 0xfe, 0xa9, 0xfe}}, /* Oracle */
	{true, 128, {0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, 0x54}},             /* AWS */
	{true, 128, {0xfd, 0x00, 0x0e, 0xc2, [15] = 0x23}},                   /* AWS: pods of EKS */
	{true, 128, {0xfd, 0x20, 0x00, 0xce, [14] = 0x02, 0x54}},             /* Google Cloud */
	{true, 128, {0xfe, 0x80, [12] = 0xa9, 0xfe, 0xa9, 0xfe}},             /* OpenStack */
};

static const struct herald__network global_unicast = {true, 3, {0x20}};

/*
 * Ranges whose addresses contain an IPv4 address, to which a translator or this host connects.
 * `judged_alone`: the range represents all of IPv4, so only the contained address is checked.
 */
static const struct {
	struct herald__network network;
	size_t offset;
	bool judged_alone;
} embedding[] = {
	{{true, 96, {[10] = 0xff, [11] = 0xff}}, 12, true}, /* ::ffff:0:0, mapped */
	{{true, 96, {[8] = 0xff, [9] = 0xff}}, 12, false},  /* ::ffff:0:0:0, SIIT, RFC 2765 */
	{{true, 96, {0x00, 0x64, 0xff, 0x9b}}, 12, true},   /* NAT64, RFC 6052 */
	{{true, 48, {0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}}, 12, false}, /* NAT64, RFC 8215 */
	{{true, 16, {0x20, 0x02}}, 2, false},                          /* 6to4 */
	{{true, 32, {0x20, 0x01, 0x00, 0x00}}, 4, false},              /* Teredo: its server */
};

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

/* Whether all addresses of `inner` are in `outer`. */
static bool
contains_network(const struct herald__network *outer, const struct herald__network *inner)
{
	return inner->prefix_bits >= outer->prefix_bits &&
	       contains(outer, inner->is_v6, inner->bytes);
}

/* Convert a mapped address to the IPv4 address that it represents. */
static void
unmap(struct herald__network *network)
{
	if (!network->is_v6 || !contains_network(&embedding[0].network, network))
		return;
	network->is_v6 = false;
	network->prefix_bits -= 96;
	memmove(network->bytes, network->bytes + 12, 4);
	memset(network->bytes + 4, 0, 12);
}

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
	network.is_v6 = strchr(address, ':');
	if (inet_pton(network.is_v6 ? AF_INET6 : AF_INET, address, network.bytes) != 1)
		return false;

	unsigned bits = network.is_v6 ? 128 : 32;
	network.prefix_bits = bits;
	if (length) {
		uint64_t number;

		if (!herald_ascii_number(length, bits, &number))
			return false;
		network.prefix_bits = (unsigned)number;
	}
	for (unsigned bit = network.prefix_bits; bit < bits; bit++)
		if (network.bytes[bit / 8] & (0x80 >> bit % 8))
			return false;
	*out = network;
	unmap(out);
	return true;
}

/* The IPv4 network contained in the addresses of a network, which is in the range of
 * embedding[which]. */
static struct herald__network
embedded_network(const struct herald__network *network, size_t which)
{
	size_t offset = embedding[which].offset;
	unsigned before = (unsigned)offset * 8;
	unsigned bits = network->prefix_bits > before ? network->prefix_bits - before : 0;
	struct herald__network ipv4 = {.prefix_bits = bits > 32 ? 32 : bits};

	memcpy(ipv4.bytes, network->bytes + offset, 4);
	return ipv4;
}

/* Whether judge_v4() may allow an address in the network. */
static bool
is_partly_allowed(const struct herald__network *ipv4, const struct herald__network *networks,
		  size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (contains_network(ipv4, &networks[i]) || contains_network(&networks[i], ipv4))
			return true;
	for (size_t i = 0; i < COUNT(not_public_v4); i++)
		if (contains_network(&not_public_v4[i], ipv4))
			return false;
	return true;
}

bool
herald__network_has_effect(const struct herald__network *network,
			   const struct herald__network *networks, size_t networks_count,
			   char ipv4_text[HERALD__NETWORK_TEXT_BYTES])
{
	for (size_t i = 0; network->is_v6 && i < COUNT(embedding); i++) {
		if (!contains_network(&embedding[i].network, network))
			continue;

		struct herald__network ipv4 = embedded_network(network, i);
		if (!embedding[i].judged_alone &&
		    is_partly_allowed(&ipv4, networks, networks_count))
			continue;
		snprintf(ipv4_text, HERALD__NETWORK_TEXT_BYTES, "%u.%u.%u.%u/%u", ipv4.bytes[0],
			 ipv4.bytes[1], ipv4.bytes[2], ipv4.bytes[3], ipv4.prefix_bits);
		return false;
	}
	return true;
}

static bool
is_denied_v4(const struct herald__address_rules *rules, const unsigned char *address)
{
	return is_in(rules->denied, rules->denied_count, false, address) ||
	       (!rules->allow_cloud_agents &&
		is_in(cloud_agents_v4, COUNT(cloud_agents_v4), false, address));
}

static bool
is_denied_v6(const struct herald__address_rules *rules, const unsigned char *address)
{
	for (size_t i = 0; i < COUNT(embedding); i++)
		if (contains(&embedding[i].network, true, address) &&
		    is_denied_v4(rules, address + embedding[i].offset))
			return true;
	return is_in(rules->denied, rules->denied_count, true, address) ||
	       (!rules->allow_cloud_agents &&
		is_in(cloud_agents_v6, COUNT(cloud_agents_v6), true, address));
}

static bool
judge_v4(const struct herald__address_rules *rules, const unsigned char *address)
{
	return rules->policy == HERALD_ADDRESSES_ANY ||
	       is_in(rules->networks, rules->networks_count, false, address) ||
	       !is_in(not_public_v4, COUNT(not_public_v4), false, address);
}

static bool
judge_v6(const struct herald__address_rules *rules, const unsigned char *address)
{
	if (rules->policy == HERALD_ADDRESSES_ANY)
		return true;
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

static bool
is_allowed_v4(const struct herald__address_rules *rules, const void *address)
{
	return !is_denied_v4(rules, address) && judge_v4(rules, address);
}

static bool
is_allowed_v6(const struct herald__address_rules *rules, const void *address)
{
	return !is_denied_v6(rules, address) && judge_v6(rules, address);
}

bool
herald__address_is_allowed(const struct herald__address_rules *rules,
			   const struct sockaddr *address, socklen_t bytes)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (address->sa_family == AF_INET && bytes >= sizeof(v4)) {
		memcpy(&v4, address, sizeof(v4));
		return is_allowed_v4(rules, &v4.sin_addr);
	}
	if (address->sa_family == AF_INET6 && bytes >= sizeof(v6)) {
		memcpy(&v6, address, sizeof(v6));
		return is_allowed_v6(rules, &v6.sin6_addr);
	}
	return false;
}

uint16_t
herald__address_port(const struct sockaddr *address)
{
	struct sockaddr_in v4;

	/* The port is at the same place in IPv6. */
	_Static_assert(offsetof(struct sockaddr_in6, sin6_port) ==
			       offsetof(struct sockaddr_in, sin_port),
		       "the port of an address is where the family says");
	memcpy(&v4, address, sizeof(v4));
	return ntohs(v4.sin_port);
}

/* RFC 6761 section 6.3. libcurl does not look up "localhost" either. */
static bool
is_localhost(const char *host, size_t bytes)
{
	static const char name[] = "localhost";
	size_t name_bytes = sizeof(name) - 1;

	if (bytes < name_bytes ||
	    !herald_ascii_same_bytes(host + bytes - name_bytes, name, name_bytes))
		return false;
	return bytes == name_bytes || host[bytes - name_bytes - 1] == '.';
}

static bool
is_allowed_v6_literal(const struct herald__address_rules *rules, const char *text, size_t bytes)
{
	char address[INET6_ADDRSTRLEN];
	struct in6_addr v6;

	if (bytes >= sizeof(address))
		return false;
	memcpy(address, text, bytes);
	address[bytes] = '\0';
	return inet_pton(AF_INET6, address, &v6) == 1 && is_allowed_v6(rules, &v6);
}

/* Every form that inet_aton() accepts begins with a digit. */
static bool
is_allowed_v4_literal(const struct herald__address_rules *rules, const char *text, size_t bytes)
{
	char address[256];
	struct in_addr v4;

	if (text[0] < '0' || text[0] > '9' || bytes >= sizeof(address))
		return true;
	memcpy(address, text, bytes);
	address[bytes] = '\0';
	return !inet_aton(address, &v4) || is_allowed_v4(rules, &v4);
}

bool
herald__host_is_allowed(const struct herald__address_rules *rules, const char *host)
{
	static const unsigned char loopback_v4[4] = {127, 0, 0, 1};
	size_t bytes = strlen(host);

	if (host[0] == '[' && bytes > 1)
		return is_allowed_v6_literal(rules, host + 1, bytes - 2);
	/* A name lookup treats "127.0.0.1." and "localhost." as the names without the dot. */
	if (bytes > 1 && host[bytes - 1] == '.')
		bytes--;
	if (is_localhost(host, bytes))
		return is_allowed_v4(rules, loopback_v4) || is_allowed_v6(rules, &in6addr_loopback);
	return is_allowed_v4_literal(rules, host, bytes);
}
