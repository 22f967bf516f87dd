/* Dapr's bulk messages, which are batches in a frame of their own. Private. */
#ifndef HERALD_SRC_FORMATS_CLOUDEVENTS_DAPR_H
#define HERALD_SRC_FORMATS_CLOUDEVENTS_DAPR_H

#include <stddef.h>

#include <herald/adapter/format.h>
#include <herald/codec.h>

/* Create the codec of the frame. Errors: HERALD_NO_MEMORY. */
HERALD_MUST_CHECK enum herald_status
herald__dapr_codec_create(struct herald_codec **out, struct herald_error *error);

/*
 * Split a frame: the herald_format_ops.split callback. Its entries take as much memory as an event
 * may.
 *
 * count_option  the option that max_members is from, for the error.
 */
HERALD_MUST_CHECK enum herald_status
herald__dapr_split(const struct herald_codec *codec, const struct herald_service *service,
		   size_t max_members, const char *count_option, char *data, size_t bytes,
		   herald_member_visitor *visit, void *state, struct herald_error *error);

#endif
