/*
 * Which addresses a deliverer connects to.
 */
#ifndef HERALD_CURL_ADDRESS_H
#define HERALD_CURL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include <herald/delivery.h>

/* All addresses that begin with the first prefix_bits bits of `bytes`. */
struct herald__network {
	bool is_v6;
	unsigned prefix_bits;
	unsigned char bytes[16]; /* IPv4: the first 4 */
};

/* Bytes of "255.255.255.255/32" and its NUL. */
#define HERALD__NETWORK_TEXT_BYTES 19

struct herald__address_rules {
	enum herald_address_policy policy;
	bool allow_cloud_agents;
	const struct herald__network *networks; /* allowed as well */
	size_t networks_count;
	const struct herald__network *denied; /* whatever else allows them */
	size_t denied_count;
};

/*
 * Read "10.0.0.0/8" or "fd00::/8"; without a length it is one address. A network of mapped addresses,
 * "::ffff:10.0.0.0/104", is the IPv4 network. Returns false, with nothing written, when it is neither, or
 * when bits are set behind the prefix.
 */
bool herald__network_parse(const char *text, struct herald__network *out);

/*
 * Whether a network can allow something. One whose addresses are refused for the IPv4 address in them
 * cannot: `ipv4` is then the network that would have to be named, such as "10.0.0.0/8".
 */
bool herald__network_has_effect(const struct herald__network *network,
				const struct herald__network *networks, size_t networks_count,
				char ipv4[HERALD__NETWORK_TEXT_BYTES]);

/* Whether a socket may be connected to it. Any family but IPv4 and IPv6 may not. */
bool herald__address_is_allowed(const struct herald__address_rules *rules,
				const struct sockaddr *address, socklen_t bytes);

/*
 * Whether a URL's host may be connected to, as far as it says: true for a name. An address is one in any
 * form that inet_aton() takes, or in brackets; "localhost" is 127.0.0.1 and ::1.
 */
bool herald__host_is_allowed(const struct herald__address_rules *rules, const char *host);

#endif
