/* Private to the server: its options, checked and with the defaults filled in. */
#ifndef HERALD_MICROHTTPD_OPTIONS_H
#define HERALD_MICROHTTPD_OPTIONS_H

#include <herald/microhttpd.h>

/*
 * Copy the options, as far as the caller knew them, put the defaults in place of zeros and check
 * them; `given` may be NULL. What they point to is still the caller's.
 */
HERALD_MUST_CHECK enum herald_status
herald__server_options_resolve(const struct herald_server_options *given,
			       struct herald_server_options *out, struct herald_error *error);

/* HERALD_BAD_OPTION: `option` and what is wrong with it as the message, its name as the path. */
HERALD_PRINTF(3, 4)
enum herald_status
herald__bad_option(struct herald_error *error, const char *option, const char *format, ...);

#endif
