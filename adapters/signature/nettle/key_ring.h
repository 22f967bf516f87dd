/*
 * The current keys, which are replaced while others use them. Users never wait.
 *
 *	const struct herald__keys *keys = herald__key_ring_enter(ring, &use);
 *	...
 *	herald__key_ring_leave(ring, use);
 */
#ifndef HERALD_SIGNATURE_KEY_RING_H
#define HERALD_SIGNATURE_KEY_RING_H

#include <pthread.h>
#include <stdatomic.h>

#include "keys.h"

struct herald__key_ring {
	pthread_mutex_t mutex; /* of those who replace keys */
	struct herald__keys *_Atomic current;
	_Atomic unsigned side;     /* 0 or 1: where users are counted */
	_Atomic unsigned users[2]; /* who may have a pointer to keys */
};

/* Take over the first keys. Returns an errno value. */
int herald__key_ring_init(struct herald__key_ring *ring, struct herald__keys *keys);
void herald__key_ring_finish(struct herald__key_ring *ring);

/* Use the current keys until herald__key_ring_leave() with the same `use`. Any thread. */
const struct herald__keys *herald__key_ring_enter(struct herald__key_ring *ring, unsigned *use);
void herald__key_ring_leave(struct herald__key_ring *ring, unsigned use);

/* Take over other keys, and wait until the old ones have no users, which destroys them. Not by a
 * user. */
void herald__key_ring_replace(struct herald__key_ring *ring, struct herald__keys *keys);

#endif
