/*
 * The attributes of a stored event, as one text: "name\0value\0" for each. Private.
 */
#ifndef HERALD_SRC_SERVICE_STORED_ATTRIBUTES_H
#define HERALD_SRC_SERVICE_STORED_ATTRIBUTES_H

#include "service/context.h"

/* Write the attributes of an event that are listed, in the order received. The text is in the
 * event's arena. */
HERALD_MUST_CHECK enum herald_status
herald__attributes_store(struct herald_context *ctx, struct herald_text *out,
			 struct herald_error *error);

/* Let a context read the attributes of its run. */
void herald__attributes_restore(struct herald_context *ctx, struct herald__run *run);

#endif
