/* Batches of CloudEvents for the service's format, which has an option of its own for their length.
 * Private. */
#ifndef HERALD_SRC_FORMATS_CLOUDEVENTS_BATCH_H
#define HERALD_SRC_FORMATS_CLOUDEVENTS_BATCH_H

#include <herald/cloudevent.h>

/*
 * herald_cloudevent_batch_begin(). `count_option` is the option that options->max_members_count is
 * from, for the error.
 */
HERALD_MUST_CHECK enum herald_status
herald__cloudevent_batch_begin(struct herald_cloudevent_batch *batch, char *data, size_t bytes,
			       const struct herald_cloudevent_options *options,
			       const char *count_option, struct herald_error *error);

#endif
