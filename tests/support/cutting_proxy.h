/*
 * A proxy between a client and a PostgreSQL server that cuts connections around a COMMIT.
 */
#ifndef HERALD_TESTS_SUPPORT_CUTTING_PROXY_H
#define HERALD_TESTS_SUPPORT_CUTTING_PROXY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum proxy_cut {
	PROXY_PASSES,
	PROXY_CUTS_REQUEST, /* the server never gets the COMMIT */
	PROXY_CUTS_ANSWER,  /* the server commits, and the client never hears of it */
};

struct cutting_proxy {
	uint16_t server_port;
	uint16_t port;
	int listener;
	pthread_t thread;
	atomic_bool ends;
	_Atomic enum proxy_cut cut; /* of the next COMMIT; then it passes again */
	atomic_bool refuses;        /* new connections, after a cut */
	atomic_uint cuts;           /* how many there were */
};

void cutting_proxy_start(struct cutting_proxy *proxy, uint16_t server_port);
void cutting_proxy_stop(struct cutting_proxy *proxy);

#endif
