/*
 * The keys of events, by which the store orders them. Private.
 */
#ifndef HERALD_SRC_SERVICE_ORDER_KEY_H
#define HERALD_SRC_SERVICE_ORDER_KEY_H

#include <herald/schema.h>
#include <herald/value.h>

#include "service/context.h"

/* Find the member of each route's `key` in its schema, and in the schemas of its old versions. Call
 * it after the codecs are created, which check the schemas. */
HERALD_MUST_CHECK enum herald_status
herald__order_keys_init(struct herald_service *service, struct herald_error *error);

/* Read the key of ctx->payload, as it arrived; data is NULL if there is none. */
HERALD_MUST_CHECK enum herald_status
herald__order_key(struct herald_context *ctx, struct herald_text *out, struct herald_error *error);

#endif
