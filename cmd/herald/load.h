/*
 * Sends requests over several connections, and measures.
 */
#ifndef HERALD_CMD_LOAD_H
#define HERALD_CMD_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "outgoing.h"
#include "scheme.h"

struct load {
	const char *url;
	const char *ca_file; /* whose CAs are trusted; NULL: the system's */
	struct outgoing *outgoing;
	struct scheme *scheme;
	uint64_t count;       /* events */
	uint64_t rate;        /* events a second; 0: as fast as they are answered */
	uint64_t connections; /* at most */
	uint64_t batch_count; /* events in a batch */
	uint64_t timeout_ms;  /* of a request */
};

/* Send all events, with progress on stderr, and print the outcome to stdout. Returns the exit
 * status: 0 if all were accepted. */
int load_run(const struct load *load);

#endif
