/* The length of a batch, for which the service has an option of its own. Private. */
#ifndef HERALD_SRC_FORMATS_CLOUDEVENTS_BATCH_H
#define HERALD_SRC_FORMATS_CLOUDEVENTS_BATCH_H

#include <stddef.h>

#include <herald/status.h>

/*
 * Refuse a batch of more than `most` events.
 *
 * option  that `most` is from, for the error.
 * Errors  HERALD_TOO_LARGE.
 */
HERALD_MUST_CHECK enum herald_status
herald__cloudevent_batch_check(size_t count, size_t most, const char *option,
			       struct herald_error *error);

#endif
