/*
 * The callback handler: reserves room before the business function, and submits or releases it
 * after. It owns nothing but what is reserved for the event; deliveries are the deliverer's.
 */
#include <herald/callback.h>

#include <string.h>

#include "content.h"
#include "deliverer.h"
#include "memory.h"

struct callback_handler {
	struct herald_handler base;
	struct herald_deliverer *deliverer;
	size_t urls_offset;
	bool hide_errors;
	herald_callback_prepare *prepare;
	void *state;
	size_t max_content_bytes;
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

/* NULL when the message has none. */
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

/* One that is not there is valid. `member` is its name in the message. */
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

/* The URLs must be where they are read. */
static enum herald_status
callback_check(struct herald_handler *base, const struct herald_schema *envelope,
	       struct herald_error *error)
{
	const struct callback_handler *handler = (struct callback_handler *)base;

	for (size_t i = 0; i < envelope->fields_count; i++)
		if (envelope->fields[i].offset == handler->urls_offset &&
		    envelope->fields[i].kind == HERALD_KIND_POINTER &&
		    envelope->fields[i].schema == &herald_callback_urls_schema)
			return HERALD_OK;
	if (envelope == &herald_message_schema)
		return herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET,
					"the envelope herald_message has no callback; the service "
					"needs .envelope = &herald_callback_message_schema");
	return herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET,
				"the envelope %s has no HERALD_POINTER to herald_callback_urls at "
				"urls_offset, %zu; HERALD_CALLBACK_MEMBER says where it is",
				envelope->name, handler->urls_offset);
}

static enum herald_verdict
callback_before(struct herald_handler *base, struct herald_context *ctx)
{
	struct callback_handler *handler = (struct callback_handler *)base;
	const struct herald_callback_urls *urls = get_urls(handler, ctx);
	struct herald_reservation *reservation;
	struct herald_error error;

	/* Listed twice, it has one slot, and tells once. */
	if (!urls || *herald_context_slot(ctx, base))
		return HERALD_DONE;

	enum herald_verdict verdict = check_url(handler, ctx, urls->success_url, "success_url");
	if (verdict == HERALD_DONE)
		verdict = check_url(handler, ctx, urls->fail_url, "fail_url");
	if (verdict != HERALD_DONE)
		return verdict;

	size_t success_bytes = url_bytes(urls->success_url);
	size_t fail_bytes = url_bytes(urls->fail_url);
	size_t bytes = success_bytes > fail_bytes ? success_bytes : fail_bytes;
	if (bytes == 0)
		return HERALD_DONE;
	if (herald_deliverer_reserve(handler->deliverer, bytes, handler->max_content_bytes,
				     &reservation, &error) != HERALD_OK)
		return herald_retry(ctx, "no room for the callback: %s", error.message);
	*herald_context_slot(ctx, base) = reservation;
	return HERALD_DONE;
}

/* Who is to be told: NULL for nobody. */
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

/* What may pass is tried again with the event; what `prepare` made wrong would stay so. */
static enum herald_verdict
submit(struct herald_context *ctx, struct herald_reservation *reservation,
       const struct herald_delivery *delivery)
{
	struct herald_error error;
	enum herald_status status = herald_reservation_submit(reservation, delivery, &error);

	if (status == HERALD_OK)
		return HERALD_DONE;
	if (status == HERALD_LIMIT || herald_status_may_retry(status))
		return herald_retry(ctx, "the callback was not accepted: %s", error.message);
	/* A message about a member begins with its name; one about a value within the struct has a path. */
	if (error.path[0] == '/')
		return herald_fail(ctx, "the callback was not accepted: %s, at %s", error.message,
				   error.path);
	return herald_fail(ctx, "the callback was not accepted: %s", error.message);
}

static enum herald_verdict
callback_after(struct herald_handler *base, struct herald_context *ctx, enum herald_verdict result)
{
	struct callback_handler *handler = (struct callback_handler *)base;
	struct herald_reservation *reservation = *herald_context_slot(ctx, base);
	const struct herald_message *message = herald_context_message(ctx);
	const char *id = herald_context_id(ctx);

	if (!reservation)
		return HERALD_DONE;
	*herald_context_slot(ctx, base) = NULL;

	const char *url = choose_url(get_urls(handler, ctx), result);
	if (!url) {
		herald_reservation_release(reservation);
		return HERALD_DONE;
	}
	struct herald_delivery delivery = {
		.url = url,
		.event_type = message->event_type,
		.event_id = *id != '\0' ? id : NULL,
		.result = result == HERALD_DONE ? "success" : "fail",
		.error = result == HERALD_DONE || handler->hide_errors ? NULL
								       : herald_context_reason(ctx),
	};
	enum herald_verdict verdict = prepare(handler, ctx, result, &delivery);
	if (verdict != HERALD_DONE || !delivery.url) {
		herald_reservation_release(reservation);
		return verdict;
	}
	/* It is the one that was checked. */
	delivery.url = url;
	return submit(ctx, reservation, &delivery);
}

static void
callback_destroy(struct herald_handler *base)
{
	struct callback_handler *handler = (struct callback_handler *)base;
	const struct herald_allocator allocator = handler->deliverer->allocator;

	herald__release(&allocator, handler, sizeof(*handler));
}

static const struct herald_handler_ops callback_ops = {
	.struct_size = sizeof(struct herald_handler_ops),
	.name = "callback",
	.before = callback_before,
	.after = callback_after,
	.destroy = callback_destroy,
	.check = callback_check,
};

/* What is not set becomes its default. */
static enum herald_status
resolve_content_bytes(const struct herald_deliverer_options *limits,
		      struct herald_callback_options *options, struct herald_error *error)
{
	size_t most = limits->max_body_bytes + limits->max_headers_bytes;

	if (options->prepare && options->max_content_bytes == 0)
		options->max_content_bytes = most < PREPARED_BYTES ? most : PREPARED_BYTES;
	if (options->max_content_bytes > most)
		return herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET,
					"max_content_bytes is %zu, more than the deliverer's "
					"max_body_bytes and max_headers_bytes, %zu",
					options->max_content_bytes, most);

	/* No event with a callback would ever be handled. */
	size_t room = herald__content_room(options->max_content_bytes);
	if (room > limits->max_pending_bytes)
		return herald_error_set(
			error, HERALD_BAD_OPTION, HERALD_NO_OFFSET,
			"max_content_bytes is %zu, for which %zu bytes are "
			"reserved, more than the deliverer's max_pending_bytes, %zu",
			options->max_content_bytes, room, limits->max_pending_bytes);
	return HERALD_OK;
}

static enum herald_status
resolve(const struct herald_deliverer *deliverer, const struct herald_callback_options *given,
	struct herald_callback_options *out, struct herald_error *error)
{
	*out = (struct herald_callback_options){.struct_size = sizeof(*out)};
	if (given && given->struct_size == 0)
		return herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET,
					"struct_size is 0: use HERALD_CALLBACK_OPTIONS");
	if (given)
		memcpy(out, given,
		       given->struct_size < sizeof(*out) ? given->struct_size : sizeof(*out));
	if (out->urls_offset == 0)
		out->urls_offset = offsetof(struct herald_callback_message, callback);
	if (out->urls_offset < sizeof(struct herald_message) ||
	    out->urls_offset % _Alignof(struct herald_callback_urls *) != 0)
		return herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET,
					"urls_offset is not that of a member behind the message");
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
		herald__allocate(&deliverer->allocator, sizeof(*handler));
	if (!handler)
		return herald_error_set(error, HERALD_NO_MEMORY, HERALD_NO_OFFSET, "out of memory");
	*handler = (struct callback_handler){
		.base.ops = &callback_ops,
		.deliverer = deliverer,
		.urls_offset = options.urls_offset,
		.hide_errors = options.hide_errors,
		.prepare = options.prepare,
		.state = options.state,
		.max_content_bytes = options.max_content_bytes,
	};
	*out = &handler->base;
	return HERALD_OK;
}
