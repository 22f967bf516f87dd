/*
 * The contract of every transport of deliveries (herald/adapter/transport.h), as tests that call
 * its functions as the deliverer does, over real sockets. A transport's own test is:
 *
 *	static struct herald_transport *create(const struct contract_transport_options *options);
 *	static const struct contract_transport transport = {
 *		.name = "name", .capabilities = CONTRACT_TRANSPORT_ALL, .create = create};
 *	int main(void) { return contract_transport_main(&transport, NULL, 0); }
 *
 * URLs are http://127.0.0.1:PORT/WORD, and the receiver does what WORD says
 * (support/misbehaving_server.h). A transport without a network gets only /NNN, /slow, /silent and
 * /close.
 */
#ifndef HERALD_TESTS_CONTRACT_TRANSPORT_SUITE_H
#define HERALD_TESTS_CONTRACT_TRANSPORT_SUITE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <herald/adapter/transport.h>
#include <herald/allocator.h>

/* What a transport can do; a case that needs more is left out. */
enum contract_transport_capability {
	CONTRACT_TRANSPORT_NETWORK = 1 << 0,   /* sends HTTP/1.1 over TCP */
	CONTRACT_TRANSPORT_KEEPS = 1 << 1,     /* uses connections again */
	CONTRACT_TRANSPORT_LIMITS = 1 << 2,    /* takes the limits of the options */
	CONTRACT_TRANSPORT_ALLOCATES = 1 << 3, /* takes its memory from the allocator */
	CONTRACT_TRANSPORT_ALL = (1 << 4) - 1,
};

/* What the contract asks of a transport that is created. */
struct contract_transport_options {
	const struct herald_allocator *allocator; /* NULL: libc's */
	/* Of an answer: the bytes of all its heads and trailers, of its body, and of all that the
	 * socket receives. 0: 65,536, as much, and more than both. */
	size_t max_header_bytes, max_body_bytes, max_bytes;
};

struct contract_transport {
	const char *name;
	unsigned capabilities;
	/* NULL: out of memory. */
	struct herald_transport *(*create)(const struct contract_transport_options *options);
};

/* Run the contract, and then the tests in `own`. */
int contract_transport_main(const struct contract_transport *transport,
			    const struct CMUnitTest *own, size_t own_count);

struct probe;

/* One case of the contract. */
struct contract_transport_case {
	const char *name;
	void (*run)(struct probe *probe);
	unsigned needs; /* capabilities */
};

#define CONTRACT_CASE(FUNCTION, NEEDS)                                                             \
	{                                                                                          \
#FUNCTION, FUNCTION, NEEDS                                                         \
	}

/* The cases, by the file they are in. */
extern const struct contract_transport_case contract_transport_attempts[];
extern const size_t contract_transport_attempts_count;
extern const struct contract_transport_case contract_transport_answers[];
extern const size_t contract_transport_answers_count;
extern const struct contract_transport_case contract_transport_requests[];
extern const size_t contract_transport_requests_count;
extern const struct contract_transport_case contract_transport_connections[];
extern const size_t contract_transport_connections_count;
extern const struct contract_transport_case contract_transport_memory[];
extern const size_t contract_transport_memory_count;
extern const struct contract_transport_case contract_transport_random[];
extern const size_t contract_transport_random_count;

#endif
