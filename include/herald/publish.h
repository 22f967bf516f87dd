/*
 * Publishing: HTTP requests to other services, which are sent after the event has been committed.
 *
 *	herald_publish(ctx, &(struct herald_delivery){
 *				    .url = "https://billing.example/events",
 *				    .event_type = "order_paid",
 *				    .codec = paid_codec, .value = &paid}, NULL);
 *
 * What is published is stored in the transaction that ends the event, and sent by the store's
 * deliverer (herald_store_queue_create()). So it is sent if and only if the event is done, also if
 * the process dies in between; and the receiver gets it at least once. `.signer` names a signer of
 * that deliverer; without such a signer, the delivery becomes a dead letter.
 */
#ifndef HERALD_PUBLISH_H
#define HERALD_PUBLISH_H

#include <herald/context.h>
#include <herald/delivery.h>
#include <herald/export.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Publish with the event.
 *
 * What a function or a `before` handler publishes is dropped unless the event is HERALD_DONE. What
 * an `after` handler publishes for HERALD_FAIL is sent; for HERALD_RETRY it is dropped.
 *
 * delivery  copied, with everything that it points to. Without an id it gets one, which is the same
 *           each time that the event runs.
 * error     may be NULL; its path names the wrong member.
 * Errors    HERALD_BAD_OPTION: the service has no store. HERALD_BAD_VALUE, HERALD_BAD_LENGTH,
 *           HERALD_NO_MEMORY; the errors of herald_codec_encode().
 * Threads   the event's.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_publish(struct herald_context *ctx, const struct herald_delivery *delivery,
	       struct herald_error *error);

#ifdef __cplusplus
}
#endif
#endif
