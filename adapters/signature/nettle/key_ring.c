/*
 * Replacing keys. Users are counted on one of two sides. A thread that replaces keys waits for the
 * users of both sides, one after the other, and moves new users to the other side in between. So it
 * need not wait for users that come later; these have the new keys.
 *
 * A user with the old keys was counted before they were replaced: on the current side, or on the
 * other one, if it had read `side` long before. A user that is counted later reads `current` later,
 * so it has the new keys. All operations are sequentially consistent.
 */
#include "key_ring.h"

#include <sched.h>
#include <time.h>

int
herald__key_ring_init(struct herald__key_ring *ring, struct herald__keys *keys)
{
	atomic_init(&ring->side, 0);
	atomic_init(&ring->users[0], 0);
	atomic_init(&ring->users[1], 0);
	atomic_init(&ring->current, keys);
	return pthread_mutex_init(&ring->mutex, NULL);
}

void
herald__key_ring_finish(struct herald__key_ring *ring)
{
	herald__keys_destroy(atomic_load(&ring->current));
	pthread_mutex_destroy(&ring->mutex);
}

const struct herald__keys *
herald__key_ring_enter(struct herald__key_ring *ring, unsigned *use)
{
	*use = atomic_load(&ring->side);
	atomic_fetch_add(&ring->users[*use], 1);
	return atomic_load(&ring->current);
}

void
herald__key_ring_leave(struct herald__key_ring *ring, unsigned use)
{
	atomic_fetch_sub(&ring->users[use], 1);
}

/* A use takes microseconds, or milliseconds for a large body. */
static void
wait_for_users(struct herald__key_ring *ring, unsigned side)
{
	const struct timespec pause = {.tv_nsec = 50000};

	for (unsigned turn = 0; atomic_load(&ring->users[side]) > 0; turn++)
		if (turn < 100)
			sched_yield();
		else
			nanosleep(&pause, NULL);
}

void
herald__key_ring_replace(struct herald__key_ring *ring, struct herald__keys *keys)
{
	pthread_mutex_lock(&ring->mutex);
	struct herald__keys *old = atomic_exchange(&ring->current, keys);
	unsigned side = atomic_load(&ring->side);

	wait_for_users(ring, !side);
	atomic_store(&ring->side, !side);
	wait_for_users(ring, side);
	pthread_mutex_unlock(&ring->mutex);
	herald__keys_destroy(old);
}
