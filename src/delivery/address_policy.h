/*
 * The addresses to which a deliverer may connect.
 */
#ifndef HERALD_SRC_DELIVERY_ADDRESS_POLICY_H
#define HERALD_SRC_DELIVERY_ADDRESS_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <herald/delivery.h>

/* All addresses whose first prefix_bits bits equal those in `bytes`. */
struct herald__network {
	bool is_v6;
	unsigned prefix_bits;
	unsigned char bytes[16]; /* IPv4: the first 4 */
};

/* The length of "255.255.255.255/32" with its NUL. */
#define HERALD__NETWORK_TEXT_BYTES 19

struct herald__address_rules {
	enum herald_address_policy policy;
	bool allow_cloud_agents;
	const struct herald__network *networks; /* also allowed */
	size_t networks_count;
	const struct herald__network *denied; /* never allowed */
	size_t denied_count;
};

/*
 * Parse "10.0.0.0/8" or "fd00::/8". Without a length it is one address. A network of mapped
 * addresses, "::ffff:10.0.0.0/104", becomes the IPv4 network. Returns false, without writing, if
 * the text is neither, or if bits after the prefix are set.
 */
bool herald__network_parse(const char *text, struct herald__network *out);

/*
 * Whether a network can allow something. It cannot if its addresses are refused for the IPv4
 * address in them: `ipv4` is then set to the network to name instead, such as "10.0.0.0/8".
 */
bool herald__network_has_effect(const struct herald__network *network,
				const struct herald__network *networks, size_t networks_count,
				char ipv4[HERALD__NETWORK_TEXT_BYTES]);

/* Whether a socket may be connected to this address. Families other than IPv4 and IPv6 are
 * refused. */
bool herald__address_is_allowed(const struct herald__address_rules *rules,
				const struct sockaddr *address, socklen_t bytes);

/* The port of an allowed address, which is IPv4 or IPv6. */
uint16_t herald__address_port(const struct sockaddr *address);

/*
 * Whether a connection to a URL's host may be allowed: true for names. An address is recognised in
 * any form that inet_aton() accepts, or in brackets; "localhost" means 127.0.0.1 and ::1.
 */
bool herald__host_is_allowed(const struct herald__address_rules *rules, const char *host);

#endif
