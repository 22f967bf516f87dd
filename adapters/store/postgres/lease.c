/*
 * Leases of this process's nodes. Owns the list, and the mutex; node.c fills it.
 */
#include "lease.h"

#include <stddef.h>

#include <herald/adapter/random.h>

#include "times.h"

int
herald__postgres_leases_init(struct postgres_leases *leases)
{
	for (size_t i = 0; i < POSTGRES_LEASES; i++)
		leases->all[i] = (struct postgres_lease){.node = 0};
	leases->next = 0;
	leases->timeline = 0;
	leases->epoch = 0;
	leases->instance = herald__postgres_new_id();
	return pthread_mutex_init(&leases->mutex, NULL);
}

void
herald__postgres_leases_finish(struct postgres_leases *leases)
{
	pthread_mutex_destroy(&leases->mutex);
}

/* With the mutex held; NULL: not known. */
static struct postgres_lease *
find(struct postgres_leases *leases, uint64_t node)
{
	for (size_t i = 0; i < POSTGRES_LEASES; i++)
		if (leases->all[i].node == node)
			return &leases->all[i];
	return NULL;
}

void
herald__postgres_lease_set(struct postgres_leases *leases, const struct postgres_lease *lease)
{
	pthread_mutex_lock(&leases->mutex);
	struct postgres_lease *known = find(leases, lease->node);
	if (!known) {
		known = &leases->all[leases->next++ % POSTGRES_LEASES];
		*known = *lease;
	} else if (known->table != 0) {
		*known = *lease;
	}
	pthread_mutex_unlock(&leases->mutex);
}

void
herald__postgres_instance_set(struct postgres_leases *leases, int64_t instance)
{
	pthread_mutex_lock(&leases->mutex);
	leases->instance = instance;
	pthread_mutex_unlock(&leases->mutex);
}

int64_t
herald__postgres_instance(struct postgres_leases *leases)
{
	pthread_mutex_lock(&leases->mutex);
	int64_t instance = leases->instance;
	pthread_mutex_unlock(&leases->mutex);
	return instance;
}

uint64_t
herald__postgres_epoch(struct postgres_leases *leases)
{
	pthread_mutex_lock(&leases->mutex);
	uint64_t epoch = leases->epoch;
	pthread_mutex_unlock(&leases->mutex);
	return epoch;
}

bool
herald__postgres_leases_check(struct postgres_leases *leases, int64_t timeline, uint64_t *epoch)
{
	pthread_mutex_lock(&leases->mutex);
	bool is_same = leases->timeline == 0 || leases->timeline == timeline;
	bool is_refused = !is_same && (*epoch != leases->epoch || timeline < leases->timeline);
	if (!is_same && !is_refused) {
		for (size_t i = 0; i < POSTGRES_LEASES; i++)
			leases->all[i].table = 0;
		leases->epoch++;
	}
	if (!is_refused) {
		leases->timeline = timeline;
		*epoch = leases->epoch;
	}
	pthread_mutex_unlock(&leases->mutex);
	return !is_refused;
}

int64_t
herald__postgres_new_id(void)
{
	return (int64_t)(herald_random_bits(herald_random_seed()) >> 1 | 1);
}

void
herald__postgres_put_lease(struct postgres_parameters *parameters, struct postgres_leases *leases,
			   uint64_t node)
{
	struct postgres_lease lease = {.node = 0};

	pthread_mutex_lock(&leases->mutex);
	const struct postgres_lease *known = node != 0 ? find(leases, node) : NULL;
	if (known)
		lease = *known;
	pthread_mutex_unlock(&leases->mutex);
	herald__postgres_int8(parameters, lease.node != 0 ? lease.expires : POSTGRES_TIME_MIN);
	if (lease.node != 0)
		herald__postgres_int8(parameters, lease.table);
	else
		herald__postgres_null(parameters);
}
