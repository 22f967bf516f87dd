/*
 * The keys of deduplication.
 */
#ifndef HERALD_SRC_STORE_SEEN_KEY_H
#define HERALD_SRC_STORE_SEEN_KEY_H

#include <herald/adapter/database.h>

#include "base/siphash.h"

/* The key of an event's source and id; queues do not share ids. Ids that grow with time have keys
 * that grow. */
void herald__seen_key(const unsigned char secret[HERALD__SIPHASH_KEY_BYTES], const char *queue,
		      const char *source, const char *id, unsigned char out[HERALD_SEEN_KEY_BYTES]);

#endif
