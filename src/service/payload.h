/*
 * Decoding a payload on its own. Private.
 */
#ifndef HERALD_SRC_SERVICE_PAYLOAD_H
#define HERALD_SRC_SERVICE_PAYLOAD_H

#include "service/context.h"

/*
 * Decode the payload of ctx->message into ctx->payload, a struct of the target's schema.
 *
 * data  the event's `bytes` bytes. A payload within them is decoded in place; any other is copied.
 */
HERALD_MUST_CHECK enum herald_status
herald__payload_decode(struct herald_context *ctx, char *data, size_t bytes,
		       const struct herald__target *target, struct herald_error *error);

/* The path of the payload, "" if it is the whole event; NULL if it has none. */
const char *herald__payload_path(const struct herald_context *ctx);

/* Say in an error's message that it is in the payload, if that has no path. */
void herald__payload_name(struct herald_error *error);

/* Check the JSON of a payload that will not be decoded, in a format other than the envelope. */
HERALD_MUST_CHECK enum herald_status
herald__payload_check(struct herald_context *ctx, char *data, size_t bytes,
		      struct herald_error *error);

/*
 * The event's payload as it came, as bytes or JSON: borrowed from the event. Its data is NULL if
 * there is none.
 *
 * is_json  set to whether it is JSON of any media type.
 * Returns  false if the bytes were decoded and are not kept.
 */
bool herald__payload_text(const struct herald_context *ctx, struct herald_text *out, bool *is_json);

#endif
