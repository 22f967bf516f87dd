/*
 * Publishing: HTTP requests to other services and messages to brokers, which are sent if the event
 * is done.
 *
 *	herald_publish(ctx, &(struct herald_delivery){
 *				    .url = "https://billing.example/events",
 *				    .event_type = "order_paid",
 *				    .codec = paid_codec, .value = &paid}, NULL);
 *
 * With a store, what is published is stored in the transaction that ends the event, and sent by the
 * store's deliverer (herald_store_queue_create()). So it is sent if and only if the event is done,
 * also if the process dies in between; and the receiver gets it at least once. `.signer` names a
 * signer of that deliverer; without such a signer, the delivery becomes a dead letter.
 *
 * Without a store, messages go to brokers, by the service's `producers`:
 *
 *	herald_publish(ctx, &(struct herald_delivery){
 *				    .producer = "broker", .topic = "orders",
 *				    .codec = paid_codec, .value = &paid}, NULL);
 *
 * They are sent when the function has returned HERALD_DONE, all together, and the event waits for
 * the brokers. It is HERALD_DONE if they confirm all of them. If one cannot take a message now, the
 * event is HERALD_RETRY; if one refuses a message for good, HERALD_FAIL. The brokers' reasons are
 * logged. Messages of an event that is not done may have arrived. If the event comes again and
 * publishes the same, they have the same ids: key and body are part of an id that is not given.
 * What one event publishes is limited by max_published_bytes of the service, and by max_pending and
 * max_pending_bytes of each producer.
 *
 * What `after` handlers publish is sent when all of them have been called, and can still change the
 * outcome. An event that was HERALD_DONE becomes HERALD_RETRY or HERALD_FAIL as above. An event
 * that was HERALD_FAIL becomes HERALD_RETRY if a broker cannot take a message now, unless it is the
 * last attempt: so it runs again. If a broker refuses a message for good, it stays HERALD_FAIL, and
 * only the log says that the message is lost.
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
 * an `after` handler publishes for HERALD_FAIL is sent; for HERALD_RETRY it is dropped. Without a
 * store, messages of a function are sent before `after` is called, which gets the outcome; messages
 * of an `after` handler are sent at the end, as described above.
 *
 * delivery  copied, with everything that it points to. Without an id it gets one, which is the same
 *           each time that the event runs; without a store only if the event has an id.
 * error     may be NULL; its path names the wrong member.
 * Errors    HERALD_BAD_OPTION: the service has neither a store nor producers, has no store for a
 *           URL, or this is not called from the function, `before` or `after`. HERALD_BAD_VALUE,
 *           HERALD_BAD_LENGTH, HERALD_MISSING, HERALD_NO_MEMORY; the errors of
 *           herald_codec_encode(). Without a store also HERALD_TOO_LARGE: the message alone has
 *           more than the producer's max_pending_bytes. HERALD_BAD_LENGTH: more than
 *           max_published_bytes with one event; without a store also more than max_pending
 *           messages, or max_pending_bytes, for one producer.
 * Threads   the event's.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_publish(struct herald_context *ctx, const struct herald_delivery *delivery,
	       struct herald_error *error);

#ifdef __cplusplus
}
#endif
#endif
