/*
 * Checking a URL before a delivery to it is accepted.
 */
#ifndef HERALD_SRC_DELIVERY_URL_H
#define HERALD_SRC_DELIVERY_URL_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/export.h>
#include <herald/status.h>

#include "delivery/address_policy.h"
#include "delivery/ports.h"

/* The length of "https://HOST%ZONE:65535" with its NUL. HOST has up to 253 bytes, ZONE up to 15. */
#define HERALD__ORIGIN_BYTES 288

struct herald_named_producer;

struct herald__url_rules {
	size_t max_bytes;
	bool allow_credentials;
	const struct herald__address_rules *addresses; /* for hosts that are addresses */
	struct herald__port_rules ports;
	const struct herald_named_producer *producers; /* for URLs of brokers */
	size_t producers_count;
	bool any_producer;   /* also others */
	bool only_producers; /* no http and https */
};

/* The producer of this name; NULL: there is none. */
const struct herald_named_producer *
herald__url_producer(const struct herald__url_rules *rules, const char *name);

/*
 * Check that a text is an http or https URL whose host and port are allowed, or the URL of a broker
 * with the name of a producer (delivery/broker_url.h).
 *
 * origin  scheme, host and port, normalised: "https://example.com:443", "http://[fe80::1]%eth0:80",
 *         "broker://main";
 *         at least HERALD__ORIGIN_BYTES; may be NULL; set only on HERALD_OK.
 * error   may be NULL; its offset is the wrong byte of the URL, if there is one.
 * Errors  HERALD_BAD_VALUE, HERALD_BAD_LENGTH.
 * Threads any.
 */
HERALD_MUST_CHECK enum herald_status
herald__url_check(const struct herald__url_rules *rules, const char *url, char *origin,
		  struct herald_error *error);

#endif
