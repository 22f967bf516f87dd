/*
 * One event as a JSON object, within a document. Private.
 */
#ifndef HERALD_SRC_FORMATS_CLOUDEVENTS_JSON_EVENT_H
#define HERALD_SRC_FORMATS_CLOUDEVENTS_JSON_EVENT_H

#include <herald/cloudevent.h>

#include "json/reader/reader.h"

/*
 * Decode the object at `at`, which must be '{', in place. Relies on the invariant of reader.h:
 * reader->end is where the object should end.
 *
 * options  without zeros.
 * out      written to also after an error.
 * Returns  the place after the object, or NULL after recording an error whose path begins at the
 *          object.
 */
char *herald__decode_json_event(struct herald__reader *reader, char *at,
				const struct herald_cloudevent_options *options,
				struct herald_cloudevent *out);

#endif
