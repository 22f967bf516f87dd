/*
 * Splitting of a text into its events, which are not checked. Private.
 */
#ifndef HERALD_SRC_SERVICE_SPLIT_H
#define HERALD_SRC_SERVICE_SPLIT_H

#include <stddef.h>

#include <herald/adapter/format.h>
#include <herald/codec.h>
#include <herald/export.h>
#include <herald/status.h>

/* Takes the events of a text. */
struct herald__split {
	size_t max_events;
	const char *max_option;   /* which sets it */
	const char *content_type; /* of each event; NULL: unknown */
	size_t *line;             /* set to the event's line before each visit; NULL: not needed */
	herald_member_visitor *visit;
	void *state;
};

/* How many events the text has, one a line. */
size_t herald__lines_count(const char *data, size_t bytes);

/* Visit the event of each line, without the white space around it. Errors  HERALD_LIMIT: the
 * events before it have been visited. */
HERALD_MUST_CHECK enum herald_status
herald__lines_split(char *data, size_t bytes, const struct herald__split *split,
		    struct herald_error *error);

/*
 * Visit the elements of an array, which need not be valid. Where the array itself is not valid, it
 * ends with an error: the elements before have been visited.
 *
 * limits  for the check of a text that is not an array.
 */
HERALD_MUST_CHECK enum herald_status
herald__array_split(char *data, size_t bytes, const struct herald_limits *limits,
		    const struct herald__split *split, struct herald_error *error);

#endif
