/*
 * A dead letter of a broker: what its headers and its event say, and whether it matches a filter.
 */
#ifndef HERALD_CMD_BROKER_LETTER_H
#define HERALD_CMD_BROKER_LETTER_H

#include <stdbool.h>
#include <stdint.h>

#include <herald/adapter/dead_letters.h>

#include "inspect.h"

struct broker_letter {
	const struct herald_dead_message *message;
	/* Of its headers; NULL: missing. */
	const char *origin, *reason, *path, *status, *event_id;
	uint64_t attempts; /* 0: unknown */
	int64_t dead_ms;   /* when it became one; 0: unknown */
	char *event_type;  /* NULL: unknown */
};

/* Zero: all of them. */
struct broker_filter {
	const char *id;       /* at the broker */
	const char *event_id; /* of the event */
	const char *event_type;
	const char *reason; /* a part of it */
	const char *status;
	int64_t from_ms, to_ms; /* when it became one, at from_ms or later, and before to_ms */
};

/* Read a dead letter, which must outlive *out. Returns false when out of memory. */
bool broker_letter_read(struct inspector *inspector, const struct herald_dead_message *message,
			struct broker_letter *out);
void broker_letter_finish(struct broker_letter *letter);

bool broker_letter_matches(const struct broker_letter *letter, const struct broker_filter *filter);

/* Whether a filter leaves something out. */
bool broker_filter_is_one(const struct broker_filter *filter);

#endif
