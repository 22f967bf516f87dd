/*
 * Takes the requests of `herald listen`: inspects, prints, saves and answers them.
 */
#ifndef HERALD_CMD_RECEIVER_H
#define HERALD_CMD_RECEIVER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include <herald/log.h>
#include <herald/server.h>

#include "handshake.h"
#include "inspect.h"
#include "scheme.h"

/* What the receiver sends to its own process when it has failed and cannot go on. All threads
 * block it. */
#define RECEIVER_FAILED SIGUSR1

/* The options are set by the command; `handshake`, `scheme` and `inspector` must be open. */
struct receiver {
	const char *url, *save; /* NULL: none */
	bool is_json, is_coloured;
	unsigned answer; /* of accepted events; 0: the usual one */
	uint64_t now_s;  /* for signatures; 0: the clock's */
	struct handshake handshake;
	struct scheme scheme;
	struct inspector inspector;
	bool has_failed; /* to print or to save; the reason was printed */
};

/* The herald_server_function; `state` is the receiver. On one thread only, so that events are
 * printed in the order of their answers. */
herald_server_function receiver_take;

/* The herald_log_function of the server, which takes all levels: prints the requests that the
 * server refuses by itself, such as a malformed head, and what is wrong with the server. */
herald_log_function receiver_log;

#endif
