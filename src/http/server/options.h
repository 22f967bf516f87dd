/* The options of a server, with their defaults. Private. */
#ifndef HERALD_SRC_HTTP_SERVER_OPTIONS_H
#define HERALD_SRC_HTTP_SERVER_OPTIONS_H

#include <herald/server.h>

/*
 * Check options and fill in the defaults.
 *
 * given  NULL means the defaults.
 * out    set only on HERALD_OK; its pointers are the given ones, or static.
 */
HERALD_MUST_CHECK enum herald_status
herald__server_options_resolve(const struct herald_server_options *given,
			       struct herald_server_options *out, struct herald_error *error);

#endif
