/*
 * Whether a server answers, before libnats connects to it.
 */
#ifndef HERALD_NATS_REACH_H
#define HERALD_NATS_REACH_H

#include "subscriber.h"

struct nats_reach {
	const char *url;     /* the option */
	uint32_t timeout_ms; /* for all servers together */
	bool (*is_stopping)(const void *state);
	const void *state;
};

/*
 * Wait until a server answers, and set which one of the URL: 1, 2, ...
 *
 * Errors  HERALD_UNAVAILABLE: none does, or is_stopping() was true.
 */
enum herald_status
herald__nats_reach(const struct nats_reach *reach, int *server, struct herald_error *error);

#endif
