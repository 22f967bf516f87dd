/*
 * Functions that queues call: creating and freeing the records of a store. A store may have been
 * written by another version of the program, with other options, or by hand. So its content is
 * checked like a submitted delivery.
 */
#include <herald/adapter/queue.h>

#include <stdio.h>
#include <string.h>

#include "delivery/content.h"
#include "delivery/deliverer.h"
#include "delivery/engine.h"

/* Create an item for a delivery that may be sent. NULL when out of memory. */
static struct herald__queued *
create_allowed(struct herald_deliverer *deliverer, const struct herald_delivery *delivery)
{
	struct herald__queued *item = herald__queued_create(
		&deliverer->allocator, strlen(delivery->url), herald__content_bytes(delivery));

	if (!item)
		return NULL;
	herald__queued_fill(item, delivery);
	herald__deliverer_give_id(deliverer, item);
	return item;
}

/* Create an item for a delivery that may not be sent. It has only the reason and the metadata. */
static struct herald__queued *
create_refused(struct herald_deliverer *deliverer, const struct herald_delivery *delivery,
	       const char *refusal)
{
	const char *url = delivery->url ? delivery->url : "";
	char id[HERALD__DELIVERY_ID_BYTES];

	snprintf(id, sizeof(id), "%s", delivery->id ? delivery->id : "");
	const struct herald_delivery remnant = {
		.url = url,
		.id = id,
		.event_type = delivery->event_type,
		.event_id = delivery->event_id,
		.result = delivery->result,
		.error = delivery->error,
		.body = refusal,
		.body_bytes = strlen(refusal) + 1,
	};

	struct herald__queued *item = create_allowed(deliverer, &remnant);
	if (!item)
		return NULL;
	item->refusal = item->record.delivery.body;
	item->record.delivery.body = NULL;
	item->record.delivery.body_bytes = 0;
	return item;
}

/* Create an item that today's options do not allow. */
static struct herald__queued *
create_not_allowed(struct herald_deliverer *deliverer, const struct herald_delivery *delivery,
		   const struct herald_error *error)
{
	char text[sizeof(error->message) + 32];

	snprintf(text, sizeof(text), "it is not allowed any more: %s", error->message);
	return create_refused(deliverer, delivery, text);
}

static struct herald__queued *
create(struct herald_deliverer *deliverer, const struct herald_delivery *delivery)
{
	const struct herald__content_limits limits = herald__deliverer_content_limits(deliverer);
	char origin[HERALD__ORIGIN_BYTES];
	struct herald_buffer encoded;
	struct herald_delivery checked;
	struct herald_error error = {.status = HERALD_OK};
	struct herald__queued *item = NULL;
	struct herald__url_rules rules = deliverer->url_rules;

	/* Others that share the store may be able to send it. */
	rules.any_producer = true;
	rules.only_producers = false;
	herald_buffer_init(&encoded, &deliverer->allocator, 0);
	enum herald_status status =
		herald__content_read(&limits, delivery, &encoded, &checked, &error);
	if (status == HERALD_OK)
		status = herald__signers_check(&deliverer->signers, delivery, &error);
	if (status == HERALD_OK)
		status = herald__url_check(&rules, delivery->url, origin, &error);
	if (status == HERALD_OK)
		item = create_allowed(deliverer, &checked);
	else if (status != HERALD_NO_MEMORY)
		item = create_not_allowed(deliverer, delivery, &error);
	if (item && status == HERALD_OK)
		memcpy(item->origin, origin, strlen(origin) + 1);
	herald_buffer_finish(&encoded);
	return item;
}

struct herald_delivery_record *
herald_delivery_record_create(struct herald_delivery_queue *queue,
			      const struct herald_delivery_record *from)
{
	struct herald_deliverer *deliverer = queue->deliverer;
	struct herald__queued *item =
		from->refusal ? create_refused(deliverer, &from->delivery, from->refusal)
			      : create(deliverer, &from->delivery);

	if (!item)
		return NULL;
	item->is_resumed = true;
	item->record.key = from->key;
	item->record.attempts = from->attempts;
	item->record.last_http_status = from->last_http_status;
	item->record.created_ms = from->created_ms;
	item->record.due_ms = from->due_ms;
	item->record.expires_ms = from->expires_ms;
	return &item->record;
}

void
herald_delivery_record_destroy(struct herald_delivery_queue *queue,
			       struct herald_delivery_record *record)
{
	struct herald_deliverer *deliverer = queue->deliverer;
	struct herald__queued *item = (struct herald__queued *)record;

	if (!item)
		return;
	pthread_mutex_lock(&deliverer->mutex);
	herald__counts_store(&deliverer->counts, item);
	pthread_mutex_unlock(&deliverer->mutex);
	herald__queued_destroy(&deliverer->allocator, item);
}

void
herald_delivery_queue_wake(struct herald_delivery_queue *queue)
{
	herald__engine_wake(queue->deliverer);
}
