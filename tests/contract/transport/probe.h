/*
 * What the cases of the transport contract have around them: a receiver, the transport under test
 * and its attempts. It stands in for the deliverer, and checks with every call what the interface
 * promises: each attempt ends once, with a result that is written whole, and none that was
 * cancelled.
 */
#ifndef HERALD_TESTS_CONTRACT_TRANSPORT_PROBE_H
#define HERALD_TESTS_CONTRACT_TRANSPORT_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "delivery/deliverer.h"
#include "suite.h"
#include "support/misbehaving_server.h"

#define PROBE_ATTEMPTS 512

/* An attempt's own memory is allocated when it begins and freed when it has ended, so that a
 * sanitizer sees who still uses it. */
struct probe_attempt {
	struct herald_attempt base; /* first */
	struct probe *probe;
	size_t number; /* its place among the probe's */
	char url[256];
	char origin[64];
};

/* How attempt `number` ended, by the order in which they began. */
struct probe_end {
	bool is_under_way;
	bool is_cancelled;
	bool is_finished;
	struct herald_attempt_result result; /* if it is finished */
};

struct probe {
	const struct contract_transport *contract;
	const struct contract_transport_case *what;
	struct misbehaving_server server;
	bool is_serving;
	bool allows_credentials;            /* set it before probe_open() */
	struct herald_transport *transport; /* NULL: it is not open */
	struct herald_deliverer rules;      /* what the transport asks its deliverer about */
	struct probe_attempt *attempts[PROBE_ATTEMPTS];
	struct probe_end ends[PROBE_ATTEMPTS];
	size_t begun;     /* all of them */
	size_t under_way; /* of these */
};

/* A probe whose server listens on all addresses of IPv4, and has not started. */
struct probe *probe_create(const struct contract_transport *contract);
/* End all that is under way; also after a failure. */
void probe_destroy(struct probe *probe);

/* Start the server with what was set in it. A second time: end it, and start a new one with
 * `raw` and `repeated`. */
void probe_serve(struct probe *probe);
void probe_serve_raw(struct probe *probe, const char *raw, const char *repeated);

/* Create the transport and open it, for up to `most` attempts; NULL means no options. */
void probe_open(struct probe *probe, const struct contract_transport_options *options, size_t most);
/* Cancel what is under way and destroy the transport. */
void probe_close(struct probe *probe);

/* A GET of "/path" from the server, or of a whole URL, to be begun. */
struct probe_attempt *probe_get(struct probe *probe, const char *url);
/* Begin it; the number of the attempt, or SIZE_MAX if there is no memory: then it is freed. */
size_t probe_try(struct probe *probe, struct probe_attempt *attempt);
/* As probe_try(); it must begin. */
size_t probe_begin(struct probe *probe, struct probe_attempt *attempt);
void probe_cancel(struct probe *probe, size_t number);

/* Wait once, and take what has ended. Returns how many have. */
size_t probe_wait(struct probe *probe, int64_t timeout_ms);
/* Until attempt `number` has ended; fails after 30 s. Returns its result. */
const struct herald_attempt_result *probe_finish(struct probe *probe, size_t number);
/* Until none is under way. */
void probe_finish_all(struct probe *probe);

/* All of it: begin a GET, wait until it has ended. */
const struct herald_attempt_result *probe_fetch(struct probe *probe, const char *url);

#endif
