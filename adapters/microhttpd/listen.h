/* Private to the server: a socket that listens. */
#ifndef HERALD_MICROHTTPD_LISTEN_H
#define HERALD_MICROHTTPD_LISTEN_H

#include <stdint.h>

#include <herald/status.h>

/*
 * Listen at a numeric address; the socket does not block and is closed at exec.
 *
 * port     0: any. Set to the one that it listens at.
 * out      set only on HERALD_OK.
 * Errors   HERALD_BAD_OPTION, HERALD_SYSTEM: "cannot listen on 127.0.0.1:8080: ...".
 */
HERALD_MUST_CHECK enum herald_status
herald__listen(const char *address, uint16_t *port, int *out, struct herald_error *error);

#endif
