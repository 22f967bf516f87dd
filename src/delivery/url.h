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

struct herald__url_rules {
	size_t max_bytes;
	bool allow_credentials;
	const struct herald__address_rules *addresses; /* for hosts that are addresses */
	struct herald__port_rules ports;
};

/*
 * Check that a text is an http or https URL whose host and port are allowed.
 *
 * origin  scheme, host and port, normalised: "https://example.com:443", "http://[fe80::1]%eth0:80";
 *         at least HERALD__ORIGIN_BYTES; may be NULL; set only on HERALD_OK.
 * error   may be NULL; its offset is the wrong byte of the URL, if there is one.
 * Errors  HERALD_BAD_VALUE, HERALD_BAD_LENGTH.
 * Threads any.
 */
HERALD_MUST_CHECK enum herald_status
herald__url_check(const struct herald__url_rules *rules, const char *url, char *origin,
		  struct herald_error *error);

#endif
