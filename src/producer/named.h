/*
 * The option `producers` of deliverers and services: a list of producers with names.
 */
#ifndef HERALD_SRC_PRODUCER_NAMED_H
#define HERALD_SRC_PRODUCER_NAMED_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/arena.h>
#include <herald/delivery.h>
#include <herald/status.h>

#define HERALD__PRODUCER_NAME_BYTES 64

/* The length of the name that a text begins with: letters, digits, '-', '.' and '_'. It may be
 * longer than a name can be. */
size_t herald__producer_name_bytes(const char *text);

/* Whether a text can be the name of a producer: 1 to 63 of these. */
bool herald__is_producer_name(const char *name);

/*
 * Check the option.
 *
 * error   may be NULL; its path is an element, such as "producers[1]".
 * Errors  HERALD_BAD_OPTION.
 */
HERALD_MUST_CHECK enum herald_status
herald__named_producers_check(const struct herald_named_producer *list, size_t count,
			      struct herald_error *error);

/* Copy the list, names included, but not the producers. NULL when out of memory, or if `count` is
 * 0. */
const struct herald_named_producer *
herald__named_producers_copy(struct herald_arena *arena, const struct herald_named_producer *list,
			     size_t count);

/* The producer of this name, or NULL. */
const struct herald_named_producer *
herald__named_producers_find(const struct herald_named_producer *list, size_t count,
			     const char *name);

#endif
