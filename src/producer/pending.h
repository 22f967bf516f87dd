/*
 * A message of a producer that has not ended: a copy of what was submitted.
 */
#ifndef HERALD_SRC_PRODUCER_PENDING_H
#define HERALD_SRC_PRODUCER_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/publisher.h>
#include <herald/allocator.h>
#include <herald/producer.h>
#include <herald/status.h>

#define HERALD__PUBLICATION_ID_BYTES 64

struct herald__pending {
	struct herald_outgoing base; /* the first member; its texts are behind this struct */
	struct herald__pending *older, *newer; /* by submission, so also by deadline */
	uint64_t number;                       /* in the order of submission, from 1 */
	uint64_t deadline_ms;
	unsigned put_off;            /* times that the broker did not take it, although connected */
	uint64_t not_before_ms;      /* in `put_off` of the producer: when it is sent again */
	herald_published_hook *hook; /* NULL: none */
	void *state;
	bool is_with_publisher;
	bool was_sent;         /* at least once */
	bool may_have_arrived; /* an earlier time */
	bool has_ended;        /* the hook was called; it is freed when the publisher returns it */
	size_t block_bytes;
	size_t bytes; /* of body, attributes and key, as they count for max_pending_bytes */
	char id[HERALD__PUBLICATION_ID_BYTES];
	char texts[];
};

/*
 * Check a publication, and copy it. The copy has no id if none was given.
 *
 * attributes  ("name\0value\0" for each) before the publication's headers.
 * error   may be NULL; its path names the member, or the wrong value.
 * Errors  HERALD_BAD_VALUE, HERALD_BAD_LENGTH, HERALD_TOO_LARGE, HERALD_NO_MEMORY; the errors
 *         of herald_codec_encode().
 */
HERALD_MUST_CHECK enum herald_status
herald__pending_create(const struct herald_allocator *allocator,
		       const struct herald_publication *publication, struct herald_text attributes,
		       size_t max_bytes, struct herald__pending **out, struct herald_error *error);

void
herald__pending_destroy(const struct herald_allocator *allocator, struct herald__pending *pending);

#endif
