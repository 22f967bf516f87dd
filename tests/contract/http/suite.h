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
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <herald/endpoint.h>
#include <herald/service.h>

/* The capabilities of a framework. Cases that need a missing one are skipped. */
enum contract_capability {
	CONTRACT_CHUNKED = 1 << 0,          /* accepts chunked bodies */
	CONTRACT_PIPELINES = 1 << 1,        /* answers requests that were sent together, in order */
	CONTRACT_CONTINUES = 1 << 2,        /* sends 100 Continue to get the body */
	CONTRACT_REFUSES_EARLY = 1 << 3,    /* refuses instead of sending 100 Continue */
	CONTRACT_REUSES_REFUSED = 1 << 4,   /* keeps the connection after a refused body */
	CONTRACT_REFUSES_MID_BODY = 1 << 5, /* answers 413 before the end of a chunked body */
	CONTRACT_DRAINS = 1 << 6, /* stop() refuses new connections, not only new events */
	CONTRACT_REFUSES_AMBIGUOUS = 1 << 7, /* 400 for a body with two lengths */
	CONTRACT_CONCURRENT = 1 << 8,        /* runs functions side by side */
	CONTRACT_CHUNK_GRAMMAR = 1 << 9,     /* accepts all chunks of RFC 9112, and nothing else */
	CONTRACT_REFUSES_BLANKS = 1 << 10,   /* refuses a name followed by a blank */
	CONTRACT_REFUSES_NAMES = 1 << 11,    /* refuses all other names that are not tokens */
	CONTRACT_GUARDS_ROUTES = 1 << 12,    /* refuses ambiguous heads at other paths, too */
	CONTRACT_KEEPS_ALIVE = 1 << 13,      /* keeps connections for further requests */
	CONTRACT_SKIPS_EMPTY_LINE = 1 << 14, /* before a request (RFC 9112 section 2.2) */
	/* answers all requests that a client sent before it closed its side, not only the first
	 * one */
	CONTRACT_ANSWERS_HALF_CLOSED = 1 << 15,
	CONTRACT_STOPS_ITSELF = 1 << 16, /* has its own stop; otherwise the endpoint is stopped */
	/* the framework's server continues after stop(): later events get 503, and another stop()
	 * waits for the requests that were left */
	CONTRACT_OUTLIVES_STOP = 1 << 17,
	CONTRACT_GRACE = 1 << 18,      /* handles requests that arrive during the grace of a stop */
	CONTRACT_OWN_ROUTES = 1 << 19, /* GET /hello is answered with "hello" by the user's code */
	CONTRACT_REPEATED_HEADERS = 1 << 20, /* passes on each of several equal headers */
	CONTRACT_REUSES_CODED = 1 << 21,     /* keeps the connection after a body with a coding */
	/* refuses a name that goes on after Content-Length or Transfer-Encoding; without it, such a
	 * header has no meaning */
	CONTRACT_REFUSES_LONGER_NAMES = 1 << 22,
	/* sees all of a head: a request without a length has no body, whatever its method */
	CONTRACT_SEES_HEADS = 1 << 23,
	CONTRACT_STORES = 1 << 24, /* serves a service with a store, as all do */
	/* a thread does not wait for the commit of a store: any number of events can be waiting */
	CONTRACT_STORES_ASIDE = 1 << 25,
	/* answers every request before it closes the connection, malformed ones too */
	CONTRACT_ANSWERS_ALL = 1 << 26,
	CONTRACT_ALL = (1 << 27) - 1,
};

/*
 * A raw request (tests/data/http_cases.jsonl) for which a framework deviates from the expected
 * result, and its actual result. No deviation may run an event in another request's body.
 */
struct contract_http_deviation {
	const char *name; /* of the case; or the beginning of several names, followed by '*' */
	/* The statuses of all final responses, then the state of the connection: "200 open", "400
	 * closed", "silent". "rest" before the state: bytes that are not a response followed, such
	 * as a second head. Alternatives are separated by " or ". */
	const char *outcome;
	const char *why; /* with the framework's version, as in docs/adapters.md */
};

/* A malformed request of malformed.c that a framework refuses with a status other than 400. */
struct contract_http_refusal {
	const char *name; /* of the request; or the beginning of several names, followed by '*' */
	unsigned status;
	const char *why; /* with the framework's version, as in docs/adapters.md */
};

struct contract_http_adapter {
	const char *name;
	unsigned capabilities;
	/* The test fails if a request in this list has the expected result. */
	const struct contract_http_deviation *deviations;
	size_t deviations_count;
	/* The test fails if a request in this list is answered with 400. */
	const struct contract_http_refusal *refusals;
	size_t refusals_count;
	/* Run only the cases that need one of these capabilities. 0: all that the adapter
	 * supports. */
	unsigned only;
	/* Serve events at 127.0.0.1:*port/event on 4 threads; other paths are not found. Fails the
	 * test on errors. */
	void *(*start)(struct herald_endpoint *endpoint, uint32_t idle_grace_ms, uint16_t *port);
	/* Stop by the rules of herald/endpoint.h. Returns the number of requests left. */
	size_t (*stop)(void *server, uint32_t drain_ms);
	/* Stop the rest and destroy everything, in the documented order. */
	void (*end)(void *server);
};

/* Run the contract on each adapter, and then the tests in `own`, up to the first failure. They must
 * not have a setup or a teardown function. */
int contract_http_main(const struct contract_http_adapter *adapters, size_t adapters_count,
		       const struct CMUnitTest *own, size_t own_count);

/* Whether docs/adapters.md lists a request, or several by "beginning*". */
bool contract_http_is_documented(const char *name);

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

/* The cases, by file. */
extern const struct contract_http_case contract_http_answers[];
extern const size_t contract_http_answers_count;
extern const struct contract_http_case contract_http_codings[];
extern const size_t contract_http_codings_count;
extern const struct contract_http_case contract_http_framing[];
extern const size_t contract_http_framing_count;
extern const struct contract_http_case contract_http_malformed[];
extern const size_t contract_http_malformed_count;
extern const struct contract_http_case contract_http_clients[];
extern const size_t contract_http_clients_count;
extern const struct contract_http_case contract_http_raw[];
extern const size_t contract_http_raw_count;
extern const struct contract_http_case contract_http_memory[];
extern const size_t contract_http_memory_count;
extern const struct contract_http_case contract_http_random[];
extern const size_t contract_http_random_count;
extern const struct contract_http_case contract_http_own_answers[];
extern const size_t contract_http_own_answers_count;
extern const struct contract_http_case contract_http_hostile[];
extern const size_t contract_http_hostile_count;
extern const struct contract_http_case contract_http_stop[];
extern const size_t contract_http_stop_count;
extern const struct contract_http_case contract_http_durable[];
extern const size_t contract_http_durable_count;
extern const struct contract_http_case contract_http_signatures[];
extern const size_t contract_http_signatures_count;
extern const struct contract_http_case contract_http_traces[];
extern const size_t contract_http_traces_count;
extern const struct contract_http_case contract_http_formats[];
extern const size_t contract_http_formats_count;
extern const struct contract_http_case contract_http_hidden[];
extern const size_t contract_http_hidden_count;

#endif
