/*
 * The contract of every HTTP adapter, as tests over real sockets. An adapter's own test is:
 *
 *	static const struct contract_http_adapter adapter = {
 *		.name = "name", .capabilities = CONTRACT_ALL, .start = start, .stop = stop};
 *	int main(void) { return contract_http_main(&adapter, 1, NULL, 0); }
 */
#ifndef HERALD_TESTS_CONTRACT_HTTP_SUITE_H
#define HERALD_TESTS_CONTRACT_HTTP_SUITE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <herald/http.h>
#include <herald/service.h>

/* What a framework can do; a case that needs more is left out. */
enum contract_capability {
	CONTRACT_CHUNKED = 1 << 0,          /* takes chunked bodies */
	CONTRACT_PIPELINES = 1 << 1,        /* answers requests that were sent together, in order */
	CONTRACT_CONTINUES = 1 << 2,        /* asks for the body by 100 Continue */
	CONTRACT_REFUSES_EARLY = 1 << 3,    /* refuses instead of sending 100 Continue */
	CONTRACT_REUSES_REFUSED = 1 << 4,   /* the connection lives on after a refused body */
	CONTRACT_REFUSES_MID_BODY = 1 << 5, /* answers 413 while a chunked body still comes */
	CONTRACT_DRAINS = 1 << 6, /* stop() refuses new connections; without it, new events only */
	CONTRACT_REFUSES_AMBIGUOUS = 1 << 7, /* 400 for a body with two lengths */
	CONTRACT_CONCURRENT = 1 << 8,        /* runs functions side by side */
	CONTRACT_CHUNK_GRAMMAR = 1 << 9,     /* takes all chunks of RFC 9112, and nothing else */
	CONTRACT_REFUSES_BLANKS = 1 << 10,   /* refuses a name with a blank before its colon */
	CONTRACT_REFUSES_NAMES = 1 << 11,    /* refuses all other names that are no tokens */
	CONTRACT_GUARDS_ROUTES = 1 << 12,    /* refuses doubtful heads at other paths, too */
	CONTRACT_REFUSES_LF =
		1 << 13, /* as a line's end in a head (RFC 9112 section 2.2 allows it) */
	CONTRACT_ALL = (1 << 14) - 1,
	/* Treats the raw requests of tests/data/http_cases.jsonl as they ask, or as declared. */
	CONTRACT_RAW_REQUESTS = 1 << 14,
};

/*
 * A raw request (tests/data/http_cases.jsonl) that a framework does not treat as it should, and
 * what comes instead. Nothing that is declared may run an event out of another request's body.
 */
struct contract_http_deviation {
	const char *name; /* the case's, or the beginning of several's with a '*' after it */
	/* The statuses of all answers but interim ones, then how it ends: "200 open", "400 closed",
	 * "silent"; alternatives are separated by " or ". */
	const char *outcome;
	const char *why; /* with the framework's version, as in docs/adapters.md */
};

struct contract_http_adapter {
	const char *name;
	unsigned capabilities;
	/* The test fails if a request is treated as it should although it is in here. */
	const struct contract_http_deviation *deviations;
	size_t deviations_count;
	/* Serve events at 127.0.0.1:*port/event on 4 threads; the rest is not found. Fails the
	 * test by itself. */
	void *(*start)(struct herald_service *service, const struct herald_http_options *options,
		       uint16_t *port);
	/* Returns the number of requests cut off, as herald_server_stop() does; 0 if unknown. */
	size_t (*stop)(void *server);
};

/* Run the contract on each adapter, and the tests of one's own after it. */
int contract_http_main(const struct contract_http_adapter *adapters, size_t adapters_count,
		       const struct CMUnitTest *own, size_t own_count);

/* One case of the contract; the adapter is its initial state. */
struct contract_http_case {
	const char *name;
	CMUnitTestFunction run;
	unsigned needs; /* capabilities */
};

#define CONTRACT_CASE(FUNCTION, NEEDS)                                                             \
	{                                                                                          \
#FUNCTION, FUNCTION, NEEDS                                                         \
	}

/* The cases, by the file they are in. */
extern const struct contract_http_case contract_http_answers[];
extern const size_t contract_http_answers_count;
extern const struct contract_http_case contract_http_framing[];
extern const size_t contract_http_framing_count;
extern const struct contract_http_case contract_http_malformed[];
extern const size_t contract_http_malformed_count;
extern const struct contract_http_case contract_http_clients[];
extern const size_t contract_http_clients_count;
extern const struct contract_http_case contract_http_raw[];
extern const size_t contract_http_raw_count;
extern const struct contract_http_case contract_http_random[];
extern const size_t contract_http_random_count;

#endif
