/*
 * What `herald listen` prints of an event.
 */
#ifndef HERALD_CMD_EVENT_PRINT_H
#define HERALD_CMD_EVENT_PRINT_H

#include <stdbool.h>

#include "inspect.h"

/* What is known of an event besides the event. */
struct event_facts {
	unsigned status;       /* of the answer: above 299, the event was refused */
	const char *trace_id;  /* 32 hexadecimal digits */
	const char *signature; /* "valid", "invalid", "none" */
	/* Why it was refused; NULL: it was accepted. */
	const struct herald_error *error;
};

/* One JSON object on a line. Returns false if it could not be printed. */
bool event_print_json(const struct inspect_event *event, const struct event_facts *facts);

/* Two to four lines for a person, in colours if `is_coloured`. */
bool
event_print(const struct inspect_event *event, const struct event_facts *facts, bool is_coloured);

#endif
