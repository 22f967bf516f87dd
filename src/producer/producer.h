/*
 * What only other sources of Herald, and tests, ask of a producer.
 */
#ifndef HERALD_SRC_PRODUCER_PRODUCER_H
#define HERALD_SRC_PRODUCER_PRODUCER_H

#include <herald/producer.h>
#include <herald/status.h>

#include <herald/value.h>

#include "base/clock.h"

struct herald__pending;

/* As herald_producer_create(), with a clock of the caller, whose state is borrowed, and without a
 * thread. `clock` NULL: the system's. */
HERALD_MUST_CHECK enum herald_status
herald__producer_create(const struct herald_producer_options *options,
			const struct herald__delivery_clock *clock, struct herald_producer **out,
			struct herald_error *error);

/* As herald_producer_submit(), with attributes ("name\0value\0" for each) before the publication's
 * headers. */
HERALD_MUST_CHECK enum herald_status
herald__producer_submit(struct herald_producer *producer,
			const struct herald_publication *publication, struct herald_text attributes,
			herald_published_hook *hook, void *state, struct herald_error *error);

/* Check and copy what herald__producer_submit() would take, without sending it. The caller frees
 * the copy with herald__pending_destroy(). */
HERALD_MUST_CHECK enum herald_status
herald__producer_prepare(const struct herald_producer *producer,
			 const struct herald_allocator *allocator,
			 const struct herald_publication *publication,
			 struct herald_text attributes, struct herald__pending **out,
			 struct herald_error *error);

/* Check that messages of one event can be pending at the same time: HERALD_BAD_LENGTH. */
HERALD_MUST_CHECK enum herald_status
herald__producer_check_event(const struct herald_producer *producer, size_t messages, size_t bytes,
			     struct herald_error *error);

#endif
