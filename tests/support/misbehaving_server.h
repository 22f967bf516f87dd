/*
 * A real HTTP server on a free port that misbehaves on order, for tests of whoever calls it. One
 * thread, poll(), any number of connections, kept alive.
 *
 * The path says what happens, one word for each attempt (by Herald-Attempt), the last one for all
 * further ones: "/503,200" fails once.
 *
 *	NNN          status NNN, no body, with the header `retry_after` when there is one
 *	slow         status 200 after `delay_ms`
 *	bye          status 200, and closed after it without saying so
 *	close        closed without an answer
 *	reset        a reset in the middle of the headers
 *	half         closed in the middle of the headers
 *	cut          a reset in the middle of the body
 *	silent       no answer, ever
 *	drip         headers, the beginning of a body, and then nothing
 *	endless      a body without end
 *	headers      headers without end
 *	header       one header without end
 *	status       a status line without end
 *	garbage      something that is not HTTP
 *	raw          the bytes of `raw`, then `repeated` without end if it is set
 *
 * A client that begins with TLS gets a plain answer, as from a web server without TLS; one that
 * begins with SOCKS 5 is told that it may not.
 */
#ifndef HERALD_TESTS_SUPPORT_MISBEHAVING_SERVER_H
#define HERALD_TESTS_SUPPORT_MISBEHAVING_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MISBEHAVING_REQUESTS 64
#define MISBEHAVING_REQUEST_BYTES 4096

struct misbehaving_server {
	/* Set these, or leave them 0, between init and start. */
	const char *retry_after; /* the header's value */
	const char *location;    /* the header's value; NULL: "/200" */
	uint64_t delay_ms;
	const char *raw;
	size_t raw_bytes; /* 0: up to its NUL */
	const char *repeated;
	/* Called on the server's thread when a request gets no (further) response. */
	void (*on_silent)(void *state);
	void *state;

	uint16_t port;
	int listen_fd;
	int wake_fd;
	pthread_t thread;

	pthread_mutex_t mutex; /* protects the members below */
	pthread_cond_t changed;
	bool is_stopping;
	size_t connections; /* accepted so far */
	size_t open;        /* of them now */
	size_t requests;    /* complete ones */
	size_t silent;      /* complete ones without a response */
	char texts[MISBEHAVING_REQUESTS]
		  [MISBEHAVING_REQUEST_BYTES]; /* the first ones, head and body */
};

/* Initialise to zero, with a listening socket on a numeric address, IPv4 or IPv6. Aborts on
 * failure. */
void misbehaving_server_init(struct misbehaving_server *server, const char *address);

/* Begin to answer. Before that, only the kernel accepts connections. */
void misbehaving_server_start(struct misbehaving_server *server);

/* Close everything, whether or not the server was started. */
void misbehaving_server_stop(struct misbehaving_server *server);

size_t misbehaving_server_connections(struct misbehaving_server *server);
size_t misbehaving_server_requests(struct misbehaving_server *server);

/* Wait until there have been `count` requests; aborts after 30 s. */
void misbehaving_server_wait(struct misbehaving_server *server, size_t count);

/* The same until exactly `count` connections are open. */
void misbehaving_server_wait_open(struct misbehaving_server *server, size_t count);

/* Head and body of request `index`, from 0; valid until the stop. */
const char *misbehaving_server_text(struct misbehaving_server *server, size_t index);

#endif
