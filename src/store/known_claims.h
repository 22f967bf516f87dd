/*
 * The claims of this node that are in memory: what the database says that it owns is compared with
 * them. An event or a delivery whose end may be stored, or that was claimed before the lease was
 * lost, may have been claimed again: so a claim is an id with its attempts and replays.
 */
#ifndef HERALD_SRC_STORE_KNOWN_CLAIMS_H
#define HERALD_SRC_STORE_KNOWN_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>

/* How many others are given back in a transaction. */
#define HERALD__MAX_GIVEN_BACK 256

struct herald__known_claim {
	uint64_t id;
	unsigned attempts, replays;
};

struct herald__known_claims {
	struct herald__known_claim *all; /* sorted after herald__known_claims_sort() */
	size_t count;
	size_t capacity;
};

/* With room for so many. Returns false when out of memory. */
bool herald__known_claims_init(struct herald__known_claims *known,
			       const struct herald_allocator *allocator, size_t capacity);
void herald__known_claims_finish(struct herald__known_claims *known,
				 const struct herald_allocator *allocator);

void herald__known_claims_add(struct herald__known_claims *known, uint64_t id, unsigned attempts,
			      unsigned replays);
/* All have been added. */
void herald__known_claims_sort(struct herald__known_claims *known);

/* Whether this claim is known, or any one of this id. */
bool herald__known_claims_has(const struct herald__known_claims *known, uint64_t id,
			      unsigned attempts, unsigned replays);
bool herald__known_claims_has_id(const struct herald__known_claims *known, uint64_t id);

#endif
