/*
 * Decoding an event's envelope and payload in one pass; one_pass.c explains it. Private.
 */
#ifndef HERALD_SRC_SERVICE_ONE_PASS_H
#define HERALD_SRC_SERVICE_ONE_PASS_H

#include <herald/adapter/format.h>

#include "service/context.h"

/*
 * Decode an event in the format herald_format_envelope: JSON in the envelope of herald/message.h,
 * or in the service's own. `message` need not be zeroed. Sets ctx->early if the payload was decoded
 * with it. The paths of errors start at the event.
 */
HERALD_MUST_CHECK enum herald_status
herald__one_pass_decode(struct herald_context *ctx, char *data, size_t bytes,
			struct herald_message *message, struct herald_error *error);

/*
 * Check that a payload that will not be decoded is JSON: so far only its brackets were matched.
 *
 * data  the first byte of the event.
 */
HERALD_MUST_CHECK enum herald_status
herald__one_pass_recheck(const struct herald_context *ctx, const struct herald_json *payload,
			 const char *data, struct herald_error *error);

#endif
