/*
 * The messages of events in a service without a store: checks and copies them, sends them, and
 * waits until the brokers have confirmed them. invoke.c decides when, and
 * which outcome the event has.
 */
#include "service/direct.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/random.h>
#include <herald/adapter/text.h>
#include <herald/delivery.h>

#include "base/options.h"
#include "base/safe_text.h"
#include "base/siphash.h"
#include "base/trace.h"
#include "base/user_header.h"
#include "base/waiter.h"
#include "producer/named.h"
#include "producer/pending.h"
#include "producer/producer.h"
#include "service/service.h"

#define MAX_PRODUCERS 64
#define DEFAULT_PUBLISHED_BYTES ((size_t)16 << 20)
#define MAX_PUBLISHED_BYTES ((size_t)512 << 20)
#define ID_BYTES 33 /* of an id that Herald makes, with its NUL */

/* The limits of herald/delivery.h, with a NUL. */
#define EVENT_TYPE_BYTES 256
#define EVENT_ID_BYTES 128
#define RESULT_BYTES 32
#define ERROR_BYTES 256

struct sending {
	struct herald__waiter waiter;
	atomic_size_t left; /* messages that have not ended, and the thread that sends them */
};

/* What an event has for one producer, without what is confirmed. In the event's arena. */
struct herald__direct_load {
	size_t messages, bytes;
};

/* In the event's arena, except for the copy. */
struct herald__direct_message {
	struct herald__direct_message *next;
	const struct herald_named_producer *to;
	struct herald__pending *copy; /* of the service's allocator */
	size_t number;                /* from 1 */
	size_t bytes;                 /* of this and all before */
	struct sending *sending;
	bool is_confirmed;
	enum herald_status status;
	char reason[HERALD__MESSAGE_BYTES];
};

/* Options. */

enum herald_status
herald__direct_init(struct herald_service *service, const struct herald_service_options *options,
		    struct herald_error *error)
{
	const size_t count = options->producers_count;
	const struct herald_option_range ranges[] = {
		{"producers_count", count, 0, MAX_PRODUCERS},
		{"max_published_bytes", options->max_published_bytes, 0, MAX_PUBLISHED_BYTES},
	};
	enum herald_status status = herald_option_array_check("producers", "HERALD_PRODUCERS",
							      options->producers, count, error);

	if (status == HERALD_OK)
		status = herald_option_ranges_check(ranges, HERALD_COUNT(ranges), error);
	if (status == HERALD_OK)
		status = herald__named_producers_check(options->producers, count, error);
	if (status != HERALD_OK)
		return status;
	if (count > 0 && service->inbox)
		return herald_option_refuse(error, "producers",
					    "and a store are set; with a store, its deliverer has "
					    "the producers");
	service->max_published_bytes = options->max_published_bytes ? options->max_published_bytes
								    : DEFAULT_PUBLISHED_BYTES;
	service->producers =
		herald__named_producers_copy(service->arena, options->producers, count);
	service->producers_count = count;
	return service->producers || count == 0 ? HERALD_OK : herald_out_of_memory(error);
}

/* Ids. */

static void
add_text(struct herald__siphash *hash, const char *text)
{
	herald__siphash_add(hash, text ? text : "", text ? strlen(text) + 1 : 1);
}

/*
 * The id of a message without one: the same each time that the event comes, if it publishes the
 * same. The message's key and body are part of it: a broker that drops what it has seen would drop
 * another message with the same id. The key of the hash is not secret, because all processes must
 * have it: a sender who wants two equal ids could as well send an event twice.
 */
static void
derive_id(const struct herald_context *ctx, const struct herald_delivery *delivery, size_t number,
	  const struct herald_outgoing *message, char out[ID_BYTES])
{
	static const unsigned char key[HERALD__SIPHASH_KEY_BYTES] = {"herald_publish()"};
	const uint64_t place = number;
	struct herald__siphash hash;
	unsigned char bytes[16];

	herald__siphash_init(&hash, key, HERALD__SIPHASH_128);
	add_text(&hash, ctx->message->event_type);
	add_text(&hash, herald_context_source(ctx));
	add_text(&hash, herald_context_id(ctx));
	herald__siphash_add(&hash, &place, sizeof(place));
	add_text(&hash, delivery->producer);
	add_text(&hash, delivery->topic);
	add_text(&hash, delivery->event_type);
	add_text(&hash, delivery->result);
	add_text(&hash, delivery->key);
	herald__siphash_add(&hash, message->data.data, message->data.bytes);
	herald__siphash_128(&hash, bytes);
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static bool
has_id(const struct herald_delivery *delivery)
{
	return delivery->id && *delivery->id != '\0';
}

/* Until the body is encoded, an id that is derived is a place for it. */
static void
make_id(const struct herald_context *ctx, char out[ID_BYTES])
{
	if (*herald_context_id(ctx) != '\0')
		snprintf(out, ID_BYTES, "%032d", 0);
	else
		snprintf(out, ID_BYTES, "%016" PRIx64 "%016" PRIx64, herald_random_seed(),
			 herald_random_seed());
}

/* Herald's own attributes, which a message has that came through a store, too. */

struct own_attributes {
	char data[sizeof("herald-delivery-id") + HERALD__PUBLICATION_ID_BYTES +
		  sizeof("herald-event-type") + sizeof("herald-event-id") +
		  sizeof("herald-result") + sizeof("herald-error") +
		  HERALD__ESCAPED_BYTES(EVENT_TYPE_BYTES + EVENT_ID_BYTES + RESULT_BYTES +
					ERROR_BYTES) +
		  sizeof("traceparent") + HERALD_TRACEPARENT_SIZE + sizeof("tracestate") +
		  HERALD__TRACESTATE_SENT_BYTES + 1];
	char *end;
};

static void
add_attribute(struct own_attributes *own, const char *name, const char *value)
{
	own->end = stpcpy(own->end, name) + 1;
	own->end = stpcpy(own->end, value) + 1;
}

/* `size` is the limit of the text. */
static void
add_escaped(struct own_attributes *own, const char *name, const char *value, size_t size)
{
	char line[EVENT_TYPE_BYTES];

	if (!value || *value == '\0')
		return;
	herald__text_line(line, size, value, strlen(value), false);
	own->end = stpcpy(own->end, name) + 1;
	own->end = herald__header_escape(own->end, line);
	*own->end++ = '\0';
}

static bool
has_header(const struct herald_delivery *delivery, const char *name)
{
	const size_t bytes = strlen(name);

	for (size_t i = 0; delivery->headers && i < delivery->headers_count; i++) {
		const char *header = delivery->headers[i];

		if (header && herald_http_token_bytes(header) == bytes &&
		    herald_ascii_same_bytes(header, name, bytes))
			return true;
	}
	return false;
}

static void
add_trace(struct own_attributes *own, const struct herald_delivery *delivery)
{
	char parent[HERALD_TRACEPARENT_SIZE], tracestate[HERALD__TRACESTATE_SENT_BYTES + 1];

	if (!delivery->trace || has_header(delivery, "traceparent"))
		return;
	herald_traceparent_write(delivery->trace, parent);
	add_attribute(own, "traceparent", parent);
	if (!has_header(delivery, "tracestate") &&
	    herald__tracestate_shorten(delivery->trace->state, tracestate) > 0)
		add_attribute(own, "tracestate", tracestate);
}

/* The id was not checked yet. */
static struct herald_text
write_own(struct own_attributes *own, const struct herald_delivery *delivery, const char *id)
{
	own->end = own->data;
	if (strlen(id) < HERALD__PUBLICATION_ID_BYTES)
		add_attribute(own, "herald-delivery-id", id);
	add_escaped(own, "herald-event-type", delivery->event_type, EVENT_TYPE_BYTES);
	add_escaped(own, "herald-event-id", delivery->event_id, EVENT_ID_BYTES);
	add_escaped(own, "herald-result", delivery->result, RESULT_BYTES);
	add_escaped(own, "herald-error", delivery->error, ERROR_BYTES);
	add_trace(own, delivery);
	return (struct herald_text){own->data, (size_t)(own->end - own->data)};
}

/* Write the derived id in its places: the message's, and the first attribute's value. */
static void
set_derived_id(const struct herald_context *ctx, const struct herald_delivery *delivery,
	       size_t number, struct herald__pending *copy)
{
	char id[ID_BYTES];

	derive_id(ctx, delivery, number, &copy->base, id);
	memcpy(copy->id, id, ID_BYTES);
	memcpy((char *)(uintptr_t)copy->base.attributes.data + sizeof("herald-delivery-id"), id,
	       ID_BYTES);
}

/* Adding. */

static enum herald_status
refuse(struct herald_error *error, enum herald_status status, const char *member, const char *what)
{
	return herald__option_error(error, status, HERALD__OPTION(member), "%s", what);
}

static enum herald_status
find_producer(const struct herald_context *ctx, const struct herald_delivery *delivery,
	      const struct herald_named_producer **out, struct herald_error *error)
{
	const struct herald_service *service = ctx->service;
	struct herald__shown shown;

	if (delivery->url || !delivery->producer)
		return refuse(error, HERALD_BAD_OPTION, "store",
			      "is needed to publish to a URL; without one, set `producer` and "
			      "`topic`");
	if (delivery->signer)
		return refuse(error, HERALD_BAD_VALUE, "signer", "needs a store and its deliverer");
	*out = herald__named_producers_find(service->producers, service->producers_count,
					    delivery->producer);
	if (*out)
		return HERALD_OK;
	return herald__option_error(
		error, HERALD_BAD_VALUE, HERALD__OPTION("producer"),
		"the service has no producer %s",
		herald__show_string(&shown, delivery->producer, strlen(delivery->producer)));
}

static enum herald_status
prepare(const struct herald_context *ctx, const struct herald_named_producer *to,
	const struct herald_delivery *delivery, size_t number, struct herald__pending **out,
	struct herald_error *error)
{
	struct herald_publication publication = {
		.topic = delivery->topic,
		.key = delivery->key,
		.id = delivery->id,
		.body = delivery->body,
		.body_bytes = delivery->body_bytes,
		.codec = delivery->codec,
		.value = delivery->value,
		.content_type = delivery->content_type,
		.headers = delivery->headers,
		.headers_count = delivery->headers_count,
	};
	struct own_attributes own;
	char made_id[ID_BYTES];

	if (!has_id(delivery)) {
		make_id(ctx, made_id);
		publication.id = made_id;
	}
	if (!publication.body && !publication.codec && publication.body_bytes == 0 &&
	    !publication.value)
		publication.body = HERALD_EMPTY_BODY;
	enum herald_status status =
		herald__producer_prepare(to->producer, &ctx->service->allocator, &publication,
					 write_own(&own, delivery, publication.id), out, error);
	if (status == HERALD_OK && !has_id(delivery) && *herald_context_id(ctx) != '\0')
		set_derived_id(ctx, delivery, number, *out);
	return status;
}

static bool
make_loads(struct herald_context *ctx)
{
	const size_t bytes = ctx->service->producers_count * sizeof(*ctx->direct.loads);
	struct herald__direct_load *loads = herald_arena_alloc(ctx->arena, bytes);

	if (!loads)
		return false;
	ctx->direct.loads = memset(loads, 0, bytes);
	return true;
}

/* A producer that has several names counts under the first. */
static struct herald__direct_load *
load_of(struct herald_context *ctx, const struct herald_named_producer *to)
{
	const struct herald_named_producer *all = ctx->service->producers;
	size_t index = 0;

	while (all[index].producer != to->producer)
		index++;
	return &ctx->direct.loads[index];
}

static void
unload(struct herald_context *ctx, const struct herald__direct_message *message)
{
	struct herald__direct_load *load = load_of(ctx, message->to);

	load->messages--;
	load->bytes -= message->copy->bytes;
}

/* All of the event's messages are submitted at once: what a producer never has room for would be
 * HERALD_RETRY each time that the event comes. */
static enum herald_status
add_load(struct herald_context *ctx, const struct herald_named_producer *to, size_t bytes,
	 struct herald_error *error)
{
	if (!ctx->direct.loads && !make_loads(ctx))
		return herald__context_arena_status(ctx, error);

	struct herald__direct_load *load = load_of(ctx, to);
	const struct herald__direct_load sum = {load->messages + 1, load->bytes + bytes};
	const enum herald_status status =
		herald__producer_check_event(to->producer, sum.messages, sum.bytes, error);
	if (status == HERALD_OK)
		*load = sum;
	return status;
}

static enum herald_status
append(struct herald_context *ctx, const struct herald_named_producer *to,
       struct herald__pending *copy, struct herald_error *error)
{
	struct herald__direct *direct = &ctx->direct;
	const struct herald__direct_message *last = direct->last;
	const size_t before = last ? last->bytes : 0, most = ctx->service->max_published_bytes;

	if (copy->bytes > most - before)
		return herald_error_set(error, HERALD_BAD_LENGTH, HERALD_NO_OFFSET,
					"more than %zu bytes are published with one event "
					"(max_published_bytes)",
					most);
	struct herald__direct_message *message = herald_arena_alloc(ctx->arena, sizeof(*message));
	if (!message)
		return herald__context_arena_status(ctx, error);
	const enum herald_status status = add_load(ctx, to, copy->bytes, error);
	if (status != HERALD_OK)
		return status;
	*message = (struct herald__direct_message){
		.to = to,
		.copy = copy,
		.number = last ? last->number + 1 : 1,
		.bytes = before + copy->bytes,
	};
	*(direct->last ? &direct->last->next : &direct->first) = message;
	direct->last = message;
	return HERALD_OK;
}

enum herald_status
herald__direct_add(struct herald_context *ctx, const struct herald_delivery *delivery,
		   struct herald_error *error)
{
	const struct herald_named_producer *to = NULL;
	const struct herald__direct_message *last = ctx->direct.last;
	struct herald__pending *copy = NULL;
	enum herald_status status = find_producer(ctx, delivery, &to, error);

	if (!to)
		return status;
	if (!ctx->direct.is_open)
		return refuse(error, HERALD_BAD_OPTION, "producers",
			      "nothing can be published before the event runs, or after it");
	status = prepare(ctx, to, delivery, last ? last->number + 1 : 1, &copy, error);
	if (status == HERALD_OK)
		status = append(ctx, to, copy, error);
	if (status != HERALD_OK && copy)
		herald__pending_destroy(&ctx->service->allocator, copy);
	return status;
}

void
herald__direct_cut(struct herald_context *ctx, struct herald__direct_message *last)
{
	struct herald__direct *direct = &ctx->direct;
	struct herald__direct_message *message = last ? last->next : direct->first;

	*(last ? &last->next : &direct->first) = NULL;
	direct->last = last;
	for (; message; message = message->next) {
		if (!message->is_confirmed)
			unload(ctx, message);
		herald__pending_destroy(&ctx->service->allocator, message->copy);
	}
}

/* Sending. */

static void
end_one(struct sending *sending)
{
	if (atomic_fetch_sub(&sending->left, 1) == 1)
		herald__waiter_wake(&sending->waiter);
}

static void
ended(enum herald_status status, const char *reason, void *state)
{
	struct herald__direct_message *message = state;

	message->status = status;
	snprintf(message->reason, sizeof(message->reason), "%s", reason);
	end_one(message->sending);
}

static enum herald_status
submit(struct herald__direct_message *message, struct sending *sending)
{
	const struct herald_outgoing *copy = &message->copy->base;
	const struct herald_publication publication = {
		.topic = copy->topic,
		.key = copy->key.data,
		.id = copy->id,
		HERALD_BODY(copy->data.data, copy->data.bytes),
		.content_type = copy->content_type,
	};
	struct herald_error error;

	message->sending = sending;
	message->status = HERALD_OK;
	atomic_fetch_add(&sending->left, 1);
	const enum herald_status status = herald__producer_submit(
		message->to->producer, &publication, copy->attributes, ended, message, &error);
	if (status != HERALD_OK)
		ended(status, error.message, message);
	return status;
}

static void
log_failure(struct herald_context *ctx, const struct herald__direct_message *message,
	    bool is_temporary)
{
	const struct herald_log_field fields[] = {
		{"producer", message->to->name, 0},
		{"topic", message->copy->base.topic, 0},
		{"status", herald_status_name(message->status), 0},
		{"reason", message->reason, 0},
	};

	herald_context_log(ctx, is_temporary ? HERALD_LOG_WARNING : HERALD_LOG_ERROR,
			   "not published", fields, HERALD_COUNT(fields));
}

/* A producer that is full or stopped is temporary, too. */
static bool
is_temporary(enum herald_status status)
{
	return herald_status_may_retry(status) || status == HERALD_LIMIT;
}

static enum herald_verdict
judge(struct herald_context *ctx, const char **who)
{
	enum herald_verdict verdict = HERALD_DONE;

	for (struct herald__direct_message *message = ctx->direct.first; message;
	     message = message->next) {
		const bool may_retry = is_temporary(message->status);

		if (message->is_confirmed)
			continue;
		message->is_confirmed = message->status == HERALD_OK;
		if (message->is_confirmed) {
			unload(ctx, message);
			continue;
		}
		log_failure(ctx, message, may_retry);
		if (verdict == HERALD_DONE || (verdict == HERALD_RETRY && !may_retry)) {
			verdict = may_retry ? HERALD_RETRY : HERALD_FAIL;
			*who = message->to->name;
		}
	}
	if (verdict == HERALD_RETRY)
		return herald_retry(ctx, "the broker cannot take the message now");
	return verdict == HERALD_FAIL ? herald_fail(ctx, "the broker refuses the message")
				      : HERALD_DONE;
}

enum herald_verdict
herald__direct_send(struct herald_context *ctx, const char **who)
{
	struct sending sending;
	enum herald_status status = HERALD_OK;

	herald__waiter_init(&sending.waiter);
	atomic_init(&sending.left, 1);
	for (struct herald__direct_message *message = ctx->direct.first; message;
	     message = message->next) {
		if (message->is_confirmed)
			continue;
		/* A message must not overtake one that was not sent. */
		if (status == HERALD_OK) {
			status = submit(message, &sending);
			continue;
		}
		message->status = HERALD_UNAVAILABLE;
		snprintf(message->reason, sizeof(message->reason), "%s",
			 "a message before it was not sent");
	}
	end_one(&sending);
	herald__waiter_wait(&sending.waiter);
	herald__waiter_finish(&sending.waiter);
	return judge(ctx, who);
}
