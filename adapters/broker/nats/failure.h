/*
 * Errors of libnats become errors of Herald.
 */
#ifndef HERALD_NATS_FAILURE_H
#define HERALD_NATS_FAILURE_H

#include <herald/status.h>
#include <nats/nats.h>

/* Whether the same options would do when the server is there again, or has recovered. */
bool herald__nats_failure_passes(natsStatus status, jsErrCode code);

/* What libnats has said last, on this thread. */
const char *herald__nats_failure_text(natsStatus status);

/* "what: why". `option` is the path of HERALD_BAD_OPTION. */
enum herald_status herald__nats_failure_set(struct herald_error *error, natsStatus status,
					    jsErrCode code, const char *option, const char *what);

#endif
