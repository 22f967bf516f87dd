/*
 * Looking at a URL before it is accepted.
 */
#ifndef HERALD_CURL_URL_H
#define HERALD_CURL_URL_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/export.h>
#include <herald/status.h>

/* Bytes of the longest "https://HOST:65535" and its NUL; a DNS name has at most 253 bytes. */
#define HERALD__HOST_BYTES 272

struct herald__url_rules {
	size_t max_bytes;
	bool allow_credentials;
};

/*
 * Check that it is an http or https URL with a host, and write scheme, host and port, normalised, to
 * `host`, at least HERALD__HOST_BYTES; `host` may be NULL.
 *
 * Errors   HERALD_BAD_VALUE, HERALD_BAD_LENGTH, HERALD_NO_MEMORY.
 * Threads  any.
 */
HERALD_MUST_CHECK enum herald_status
herald__url_check(const struct herald__url_rules *rules, const char *url, char *host,
		  struct herald_error *error);

#endif
