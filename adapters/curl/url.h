/*
 * Looking at a URL before it is accepted.
 */
#ifndef HERALD_CURL_URL_H
#define HERALD_CURL_URL_H

#include <stdbool.h>
#include <stddef.h>

#include <curl/curl.h>

#include <herald/export.h>
#include <herald/status.h>

#include "address.h"
#include "ports.h"

/* Bytes of the longest "https://HOST:65535" and its NUL; a DNS name has at most 253 bytes. */
#define HERALD__HOST_BYTES 272

struct herald__url_rules {
	size_t max_bytes;
	bool allow_credentials;
	const struct herald__address_rules *addresses; /* for a host that is an address */
	struct herald__port_rules ports;
};

/*
 * Check that it is an http or https URL with a host and a port that may be connected to.
 *
 * host  scheme, host and port, normalised; at least HERALD__HOST_BYTES; may be NULL.
 * out   the URL as libcurl has parsed it, which the caller owns; may be NULL; set only on HERALD_OK.
 *
 * Errors   HERALD_BAD_VALUE, HERALD_BAD_LENGTH, HERALD_NO_MEMORY.
 * Threads  any.
 */
HERALD_MUST_CHECK enum herald_status
herald__url_check(const struct herald__url_rules *rules, const char *url, char *host, CURLU **out,
		  struct herald_error *error);

#endif
