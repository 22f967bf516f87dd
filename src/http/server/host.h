/*
 * The header Host of a request: whether a name in it may be another site's. Private.
 */
#ifndef HERALD_SRC_HTTP_SERVER_HOST_H
#define HERALD_SRC_HTTP_SERVER_HOST_H

#include <stdbool.h>

/* Whether no other site can have it: an IP address, a name without a dot, or one below
 * "localhost". It may have a port. */
bool herald__host_is_safe(const char *host);

/* Whether it is in a list such as "a.example, b.example", ignoring case and the port. */
bool herald__host_is_listed(const char *host, const char *hosts);

/* Whether a text is such a list, of names that a host can have. */
bool herald__host_is_list(const char *hosts);

#endif
