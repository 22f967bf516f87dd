/*
 * Whether an event can be sent. Private.
 */
#ifndef HERALD_SRC_FORMATS_CLOUDEVENTS_EVENT_CHECK_H
#define HERALD_SRC_FORMATS_CLOUDEVENTS_EVENT_CHECK_H

#include <stdbool.h>

#include <herald/cloudevent.h>

#include "base/error_path.h"
#include "formats/cloudevents/attributes.h"

/* An event's time as text. */
struct herald__time_text {
	char text[HERALD_TIME_TEXT_BYTES];
	size_t bytes; /* 0: not set */
};

/* What is wrong in an event. */
struct herald__wrong {
	enum herald__event_attribute attribute;
	const char *name; /* of the attribute, or of the extension */
};

/*
 * Check an event, for all modes, and format its time.
 *
 * wrong    set on failure.
 * Returns  false after recording an error in `trace`.
 */
bool herald__event_check(const struct herald_cloudevent *event, struct herald__time_text *time,
			 struct herald__trace *trace, struct herald__wrong *wrong);

/* Check that data is valid JSON. */
bool herald__event_check_json(struct herald_text data, struct herald__trace *trace);

/* Whether the event's datacontenttype is set and means JSON. */
bool herald__event_has_json_type(const struct herald_cloudevent *event);

#endif
