/*
 * The callback handler. Without a store it reserves room before the business function, and submits
 * or releases it after; it owns only the reservation, and the deliverer owns the deliveries. With a
 * store it publishes the callback with the end of the event.
 */
#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/callback.h>
#include <herald/publish.h>
#include <herald/service.h>

#include <string.h>

#include "base/options.h"
#include "delivery/content.h"
#include "delivery/deliverer.h"

struct callback_handler {
	struct herald_handler base;
	struct herald_deliverer *deliverer;
	size_t urls_offset;
	bool hide_errors;
	herald_callback_prepare *prepare;
	void *state;
	size_t max_content_bytes;
	bool is_durable; /* the service has a store */
	char signer[HERALD__SIGNER_BYTES];
};

#define PREPARED_BYTES ((size_t)16 * 1024)

HERALD_SCHEMA_DEFINE_WITH(herald_callback_urls, (.doc = "Where to tell how an event ended."),
	HERALD_FIELD(herald_callback_urls, success_url,
		     .doc = "Called when the event is done."),
	HERALD_FIELD(herald_callback_urls, fail_url,
		     .doc = "Called when the event has failed."));

HERALD_SCHEMA_DEFINE_WITH(herald_callback_message,
	(.doc = "The envelope of an event whose sender can be called back."),
	HERALD_MESSAGE_FIELDS(herald_callback_message, message),
	HERALD_POINTER(herald_callback_message, callback, herald_callback_urls,
		     .doc = "Where to tell how the event ended."));

/* Returns NULL if the message has none. */
static const struct herald_callback_urls *
get_urls(const struct callback_handler *handler, const struct herald_context *ctx)
{
	const struct herald_callback_urls *urls;

	memcpy(&urls, (const char *)herald_context_message(ctx) + handler->urls_offset,
	       sizeof(urls));
	return urls;
}

static size_t
url_bytes(const char *url)
{
	return url ? strlen(url) : 0;
}

/* Check a URL. NULL is valid. `member` is its name in the message. */
static enum herald_verdict
check_url(const struct callback_handler *handler, struct herald_context *ctx, const char *url,
	  const char *member)
{
	struct herald_error error;

	if (url_bytes(url) == 0)
		return HERALD_DONE;
	switch (herald_deliverer_check_url(handler->deliverer, url, &error)) {
	case HERALD_OK:
		return HERALD_DONE;
	case HERALD_NO_MEMORY:
		return herald_retry(ctx, "callback.%s: %s", member, error.message);
	default:
		return herald_fail_status(ctx, 400, "callback.%s: %s", member, error.message);
	}
}

/* NULL is valid. */
static enum herald_verdict
check_urls(const struct callback_handler *handler, struct herald_context *ctx,
	   const struct herald_callback_urls *urls)
{
	if (!urls)
		return HERALD_DONE;

	enum herald_verdict verdict = check_url(handler, ctx, urls->success_url, "success_url");
	return verdict == HERALD_DONE ? check_url(handler, ctx, urls->fail_url, "fail_url")
				      : verdict;
}

/* Check that the URLs are where the handler reads them, of all events: not in a case. */
static enum herald_status
check_envelope(const struct callback_handler *handler, const struct herald_schema *envelope,
	       struct herald_error *error)
{
	for (size_t i = 0; i < envelope->fields_count; i++)
		if (envelope->fields[i].offset == handler->urls_offset &&
		    envelope->fields[i].kind == HERALD_KIND_POINTER &&
		    envelope->fields[i].schema == &herald_callback_urls_schema &&
		    !envelope->fields[i].tag)
			return HERALD_OK;
	if (envelope == &herald_message_schema)
		return herald_error_set(
			error, HERALD_BAD_OPTION, HERALD_NO_OFFSET,
			"the envelope herald_message has no callback member; set the "
			"service's .envelope = &herald_callback_message_schema");
	return herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET,
				"the envelope %s has no HERALD_POINTER to herald_callback_urls at "
				"urls_offset, %zu; set it with HERALD_CALLBACK_MEMBER",
				envelope->name, handler->urls_offset);
}

/* With a store, check that the deliverer sends what it has. */
static enum herald_status
check_store(const struct callback_handler *handler, const struct herald_store *store,
	    struct herald_error *error)
{
	const struct herald_delivery_queue *queue = handler->deliverer->queue;

	if (!store || (queue->ops->store && queue->ops->store(queue) == store))
		return HERALD_OK;
	return herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET,
				"the service has a store, and the deliverer does not send from it; "
				"create the deliverer with the .queue of "
				"herald_store_queue_create()");
}

/* Without a store, room is reserved: with a trace there must be some for it, too. */
static enum herald_status
check_room(const struct callback_handler *handler, struct herald_error *error)
{
	size_t room =
		herald__content_room(handler->max_content_bytes + HERALD_DELIVERY_TRACE_BYTES);
	size_t most = handler->deliverer->options.max_pending_bytes;

	if (room <= most)
		return HERALD_OK;
	return herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET,
				"with `tracing`, %zu bytes are reserved for each callback, above "
				"the deliverer's max_pending_bytes, %zu",
				room, most);
}

static enum herald_status
callback_check(struct herald_handler *base, const struct herald_schema *envelope,
	       struct herald_error *error)
{
	struct callback_handler *handler = (struct callback_handler *)base;
	const struct herald_store *store = herald_service_store(base->service);
	enum herald_status status = check_envelope(handler, envelope, error);

	if (status == HERALD_OK)
		status = check_store(handler, store, error);
	if (status == HERALD_OK && !store && herald_service_has_tracing(base->service))
		status = check_room(handler, error);
	handler->is_durable = store;
	return status;
}

/* The sender learns at once of a URL that is not valid. */
static enum herald_verdict
callback_accept(struct herald_handler *base, struct herald_context *ctx)
{
	const struct callback_handler *handler = (struct callback_handler *)base;

	return check_urls(handler, ctx, get_urls(handler, ctx));
}

/* What to reserve besides the URL. */
static size_t
content_bytes(const struct callback_handler *handler, struct herald_context *ctx)
{
	return handler->max_content_bytes +
	       (herald_context_trace(ctx) ? HERALD_DELIVERY_TRACE_BYTES : 0);
}

static enum herald_verdict
callback_before(struct herald_handler *base, struct herald_context *ctx)
{
	struct callback_handler *handler = (struct callback_handler *)base;
	const struct herald_callback_urls *urls = get_urls(handler, ctx);
	struct herald_reservation *reservation;
	struct herald_error error;

	/* If the handler is listed twice, it has one slot and sends one callback. */
	if (!urls || *herald_context_slot(ctx, base))
		return HERALD_DONE;

	enum herald_verdict verdict = check_urls(handler, ctx, urls);
	if (verdict != HERALD_DONE)
		return verdict;

	size_t success_bytes = url_bytes(urls->success_url);
	size_t fail_bytes = url_bytes(urls->fail_url);
	size_t bytes = success_bytes > fail_bytes ? success_bytes : fail_bytes;
	if (bytes == 0)
		return HERALD_DONE;
	if (handler->is_durable) {
		*herald_context_slot(ctx, base) = handler; /* nothing to reserve */
		return HERALD_DONE;
	}
	if (herald_deliverer_reserve(handler->deliverer, bytes, content_bytes(handler, ctx),
				     &reservation, &error) != HERALD_OK)
		return herald_retry(ctx, "no room for the callback: %s", error.message);
	*herald_context_slot(ctx, base) = reservation;
	return HERALD_DONE;
}

/* The URL for a result, or NULL. */
static const char *
choose_url(const struct herald_callback_urls *urls, enum herald_verdict result)
{
	const char *url = NULL;

	if (result == HERALD_DONE)
		url = urls->success_url;
	else if (result == HERALD_FAIL)
		url = urls->fail_url;
	return url_bytes(url) > 0 ? url : NULL;
}

static enum herald_verdict
prepare(const struct callback_handler *handler, struct herald_context *ctx,
	enum herald_verdict result, struct herald_delivery *delivery)
{
	return handler->prepare ? handler->prepare(ctx, result, delivery, handler->state)
				: HERALD_DONE;
}

/* Publish the callback. What the deliverer would refuse later is refused now. */
static enum herald_status
publish(const struct callback_handler *handler, struct herald_context *ctx,
	const struct herald_delivery *delivery, struct herald_error *error)
{
	const struct herald__content_limits limits =
		herald__deliverer_content_limits(handler->deliverer);
	const size_t room = herald__content_room(handler->max_content_bytes);
	struct herald_delivery checked;
	struct herald_buffer encoded;

	herald_buffer_init(&encoded, &handler->deliverer->allocator, 0);
	enum herald_status status =
		herald__content_read(&limits, delivery, &encoded, &checked, error);
	if (status == HERALD_OK && herald__content_bytes(&checked) > room)
		status = herald_error_set(error, HERALD_BAD_LENGTH, HERALD_NO_OFFSET,
					  "body and headers are %zu bytes larger than "
					  "max_content_bytes allows",
					  herald__content_bytes(&checked) - room);
	if (status == HERALD_OK)
		status = herald_publish(ctx, &checked, error);
	herald_buffer_finish(&encoded);
	return status;
}

/* Temporary failures lead to a retry of the event; an invalid delivery, set by `prepare`, would
 * stay invalid. */
static enum herald_verdict
verdict_of(struct herald_context *ctx, enum herald_status status, const struct herald_error *error)
{
	if (status == HERALD_OK)
		return HERALD_DONE;
	if (status == HERALD_LIMIT || herald_status_may_retry(status))
		return herald_retry(ctx, "the callback was not accepted: %s", error->message);
	/* A message about a member already begins with its name. An error within the value has a
	 * path. */
	if (error->path[0] == '/')
		return herald_fail(ctx, "the callback was not accepted: %s, at %s", error->message,
				   error->path);
	return herald_fail(ctx, "the callback was not accepted: %s", error->message);
}

/* `reservation` is NULL if the callback is published. */
static enum herald_verdict
submit(const struct callback_handler *handler, struct herald_context *ctx,
       struct herald_reservation *reservation, const struct herald_delivery *delivery)
{
	struct herald_error error;
	enum herald_status status =
		reservation ? herald_reservation_submit(reservation, delivery, &error)
			    : publish(handler, ctx, delivery, &error);

	return verdict_of(ctx, status, &error);
}

/* The slot of a handler that has told of a failure. */
static char told;

static struct herald_delivery
delivery_of(const struct callback_handler *handler, struct herald_context *ctx, const char *url,
	    const char *error)
{
	const char *id = herald_context_id(ctx);

	return (struct herald_delivery){
		.url = url,
		.event_type = herald_context_message(ctx)->event_type,
		.event_id = *id != '\0' ? id : NULL,
		.result = error ? "fail" : "success",
		.error = handler->hide_errors ? NULL : error,
		.trace = herald_context_trace(ctx),
		.signer = handler->signer,
	};
}

static enum herald_verdict
callback_after(struct herald_handler *base, struct herald_context *ctx, enum herald_verdict result)
{
	struct callback_handler *handler = (struct callback_handler *)base;
	void **slot = herald_context_slot(ctx, base);
	struct herald_reservation *reservation = handler->is_durable ? NULL : *slot;

	if (!*slot || *slot == &told)
		return HERALD_DONE;
	*slot = result == HERALD_FAIL ? &told : NULL;

	const char *url = choose_url(get_urls(handler, ctx), result);
	if (!url) {
		herald_reservation_release(reservation);
		return HERALD_DONE;
	}
	struct herald_delivery delivery = delivery_of(
		handler, ctx, url, result == HERALD_DONE ? NULL : herald_context_reason(ctx));
	enum herald_verdict verdict = prepare(handler, ctx, result, &delivery);
	if (verdict != HERALD_DONE || !delivery.url) {
		herald_reservation_release(reservation);
		return verdict;
	}
	/* This is the URL that was checked. */
	delivery.url = url;
	return submit(handler, ctx, reservation, &delivery);
}

/* Nothing but the log can be told of an error. */
static void
log_dead(struct herald_context *ctx, const char *reason)
{
	const struct herald_log_field fields[] = {{"reason", reason, 0}};

	herald_context_log(ctx, HERALD_LOG_WARNING,
			   "the callback of a dead letter was not accepted", fields, 1);
}

/* A dead letter of a store, without a call of `after` that says so. */
static void
callback_dead(struct herald_handler *base, struct herald_context *ctx,
	      const struct herald_result *result)
{
	struct callback_handler *handler = (struct callback_handler *)base;
	void **slot = herald_context_slot(ctx, base);
	struct herald_error error;

	if (!handler->is_durable || *slot == &told || !herald_context_message(ctx))
		return;
	*slot = &told;

	const struct herald_callback_urls *urls = get_urls(handler, ctx);
	const char *url = urls ? choose_url(urls, HERALD_FAIL) : NULL;
	if (!url)
		return;
	if (herald_deliverer_check_url(handler->deliverer, url, &error) != HERALD_OK) {
		log_dead(ctx, error.message);
		return;
	}
	struct herald_delivery delivery = delivery_of(handler, ctx, url, result->error.message);
	if (prepare(handler, ctx, HERALD_FAIL, &delivery) != HERALD_DONE || !delivery.url)
		return;
	delivery.url = url;
	if (publish(handler, ctx, &delivery, &error) != HERALD_OK)
		log_dead(ctx, error.message);
}

static void
callback_destroy(struct herald_handler *base)
{
	struct callback_handler *handler = (struct callback_handler *)base;
	const struct herald_allocator allocator = handler->deliverer->allocator;

	herald_memory_release(&allocator, handler, sizeof(*handler));
}

static const struct herald_handler_ops callback_ops = {
	.struct_size = sizeof(struct herald_handler_ops),
	.name = "callback",
	.accept = callback_accept,
	.before = callback_before,
	.after = callback_after,
	.dead = callback_dead,
	.destroy = callback_destroy,
	.check = callback_check,
};

/* Fill in the defaults of what is not set. */
static enum herald_status
resolve_content_bytes(const struct herald_deliverer_options *limits,
		      struct herald_callback_options *options, struct herald_error *error)
{
	size_t most = limits->max_body_bytes + limits->max_headers_bytes;

	if (options->prepare && options->max_content_bytes == 0)
		options->max_content_bytes = most < PREPARED_BYTES ? most : PREPARED_BYTES;
	if (options->max_content_bytes > most)
		return herald__option_error(
			error, HERALD_BAD_OPTION, HERALD__OPTION("max_content_bytes"),
			"is %zu, above the deliverer's max_body_bytes and max_headers_bytes "
			"together, %zu",
			options->max_content_bytes, most);

	/* Otherwise no event with a callback could ever be handled. */
	size_t room = herald__content_room(options->max_content_bytes);
	if (room > limits->max_pending_bytes)
		return herald__option_error(
			error, HERALD_BAD_OPTION, HERALD__OPTION("max_content_bytes"),
			"is %zu, which reserves %zu bytes, above the deliverer's "
			"max_pending_bytes, %zu",
			options->max_content_bytes, room, limits->max_pending_bytes);
	return HERALD_OK;
}

static enum herald_status
resolve(const struct herald_deliverer *deliverer, const struct herald_callback_options *given,
	struct herald_callback_options *out, struct herald_error *error)
{
	enum herald_status status =
		herald_options_read(given, out, sizeof(*out), "HERALD_CALLBACK_OPTIONS", error);

	if (status != HERALD_OK)
		return status;
	if (out->urls_offset == 0)
		out->urls_offset = offsetof(struct herald_callback_message, callback);
	if (out->urls_offset < sizeof(struct herald_message) ||
	    out->urls_offset % _Alignof(struct herald_callback_urls *) != 0)
		return herald__option_error(
			error, HERALD_BAD_OPTION, HERALD__OPTION("urls_offset"),
			"is %zu, which is not the offset of a pointer after the message; "
			"set it with HERALD_CALLBACK_MEMBER",
			out->urls_offset);
	status = herald__signers_check(&deliverer->signers,
				       &(struct herald_delivery){.signer = out->signer}, error);
	if (status != HERALD_OK)
		return herald_option_refuse(error, "signer",
					    "is not one of the deliverer's signers");
	return resolve_content_bytes(&deliverer->options, out, error);
}

enum herald_status
herald_callback_handler_create(struct herald_deliverer *deliverer,
			       const struct herald_callback_options *given,
			       struct herald_handler **out, struct herald_error *error)
{
	struct herald_callback_options options;
	enum herald_status status = resolve(deliverer, given, &options, error);

	if (status != HERALD_OK)
		return status;

	struct callback_handler *handler =
		herald_memory_allocate(&deliverer->allocator, sizeof(*handler));
	if (!handler)
		return herald_out_of_memory(error);
	*handler = (struct callback_handler){
		.base.ops = &callback_ops,
		.deliverer = deliverer,
		.urls_offset = options.urls_offset,
		.hide_errors = options.hide_errors,
		.prepare = options.prepare,
		.state = options.state,
		.max_content_bytes = options.max_content_bytes,
	};
	/* It is the name of a signer, so it is short enough. */
	if (options.signer)
		snprintf(handler->signer, sizeof(handler->signer), "%s", options.signer);
	*out = &handler->base;
	return HERALD_OK;
}
