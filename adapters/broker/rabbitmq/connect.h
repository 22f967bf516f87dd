/*
 * Sockets that are connected, and can be given up by another thread meanwhile.
 */
#ifndef HERALD_RABBITMQ_CONNECT_H
#define HERALD_RABBITMQ_CONNECT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/status.h>

/*
 * Sockets of links that are being opened. librabbitmq waits for answers without a look at anything
 * else, so another thread ends that by shutting the sockets down. That also ends a connect(), with
 * Linux.
 */
struct rabbitmq_opening {
	pthread_mutex_t mutex;
	int fds[2];
	size_t count;
	bool (*must_end)(const void *state);
	const void *state;
};

/*
 * Connect to one of the addresses of a host, in their order. Looking up its name is not limited in
 * time.
 *
 * timeout_ms  for each address.
 * opening     gets the socket; NULL: nothing ends it early.
 * out         not blocking. The caller closes it, after herald__rabbitmq_opening_done().
 * Errors      HERALD_UNAVAILABLE.
 */
enum herald_status
herald__rabbitmq_connect(const char *host, uint16_t port, uint32_t timeout_ms,
			 struct rabbitmq_opening *opening, int *out, struct herald_error *error);

/* Any thread: end what waits, if must_end(). */
void herald__rabbitmq_opening_end(struct rabbitmq_opening *opening);
/* The links are open, or about to be closed. */
void herald__rabbitmq_opening_done(struct rabbitmq_opening *opening);

#endif
