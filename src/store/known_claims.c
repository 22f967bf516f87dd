/*
 * The claims that are in memory, as a sorted array. Owns the array.
 */
#include "store/known_claims.h"

#include <stdlib.h>

#include <herald/adapter/memory.h>

bool
herald__known_claims_init(struct herald__known_claims *known,
			  const struct herald_allocator *allocator, size_t capacity)
{
	*known = (struct herald__known_claims){.capacity = capacity};
	known->all = herald_memory_allocate(allocator, (capacity + 1) * sizeof(*known->all));
	return known->all;
}

void
herald__known_claims_finish(struct herald__known_claims *known,
			    const struct herald_allocator *allocator)
{
	herald_memory_release(allocator, known->all, (known->capacity + 1) * sizeof(*known->all));
	known->all = NULL;
}

void
herald__known_claims_add(struct herald__known_claims *known, uint64_t id, unsigned attempts,
			 unsigned replays)
{
	known->all[known->count++] = (struct herald__known_claim){id, attempts, replays};
}

static int
compare_ids(const void *a, const void *b)
{
	const struct herald__known_claim *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int
compare(const void *a, const void *b)
{
	const struct herald__known_claim *x = a, *y = b;
	const int order = compare_ids(a, b);

	if (order != 0)
		return order;
	if (x->replays != y->replays)
		return x->replays < y->replays ? -1 : 1;
	return (x->attempts > y->attempts) - (x->attempts < y->attempts);
}

void
herald__known_claims_sort(struct herald__known_claims *known)
{
	qsort(known->all, known->count, sizeof(*known->all), compare);
}

bool
herald__known_claims_has(const struct herald__known_claims *known, uint64_t id, unsigned attempts,
			 unsigned replays)
{
	const struct herald__known_claim claim = {id, attempts, replays};

	return bsearch(&claim, known->all, known->count, sizeof(claim), compare);
}

bool
herald__known_claims_has_id(const struct herald__known_claims *known, uint64_t id)
{
	const struct herald__known_claim claim = {.id = id};

	return bsearch(&claim, known->all, known->count, sizeof(claim), compare_ids);
}
