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

struct herald__address_rules {
	enum herald_address_policy policy;
	const struct herald__network *networks; /* allowed as well */
	size_t networks_count;
};

/*
 * Read "10.0.0.0/8" or "fd00::/8"; without a length it is one address. Returns false, with nothing
 * written, when it is neither, or when bits are set behind the prefix.
 */
bool herald__network_parse(const char *text, struct herald__network *out);

/* Whether a socket may be connected to it. Any family but IPv4 and IPv6 may not. */
bool herald__address_is_allowed(const struct herald__address_rules *rules,
				const struct sockaddr *address, socklen_t bytes);

#endif
