/*
 * The handler: verifies an event's bytes in `receive`. It owns its list of headers, and the scheme
 * with its keys if it was created with it.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/arena.h>

#include "form.h"
#include "headers.h"
#include "private.h"

/* Headers, aliases, the content type, the hash of the body, and NULL. */
#define NAMES_COUNT 9

/* The argument of the query that Twilio adds to the URL if the body is not a form. */
#define BODY_HASH "?bodySHA256"

struct signature_handler {
	struct herald_handler base; /* first */
	struct herald_handler_ops ops;
	const char *names[NAMES_COUNT];
	struct herald_signature *signature;
	bool owns_signature;
	bool adds_hash;  /* to the URL, if the query has it */
	const char *url; /* in the block after this struct, or NULL */
	int64_t (*now_ms)(void *state);
	void *state;
	size_t bytes; /* of the block */
};

static int64_t
system_now_ms(void *state)
{
	struct timespec now;

	(void)state;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Headers. */

struct visiting {
	const struct signature_handler *handler;
	struct herald_context *ctx;
};

struct forwarding {
	herald_attribute_visitor *visit;
	void *state;
	size_t count;
};

/* The herald_attribute_visitor. */
static bool
forward(const char *name, const char *value, void *state)
{
	struct forwarding *forwarding = state;

	forwarding->count++;
	return forwarding->visit(name, value, forwarding->state);
}

/* The herald_signature_request.headers_visit callback. A source of events that cannot visit its
 * attributes has each of them once. */
static void
visit_headers(herald_attribute_visitor *visit, void *visit_state, void *state)
{
	const struct visiting *visiting = state;
	struct forwarding forwarding = {.visit = visit, .state = visit_state};

	herald_context_attributes_visit(visiting->ctx, forward, &forwarding);
	for (size_t i = 0; forwarding.count == 0 && visiting->handler->names[i]; i++) {
		const char *name = visiting->handler->names[i];
		const char *value = herald_context_attribute(visiting->ctx, name);

		if (value)
			visit(name, value, visit_state);
	}
}

/* Events. */

static int64_t
arrived_s(const struct signature_handler *handler, const struct herald_context *ctx)
{
	int64_t ms = handler->now_ms(handler->state) - herald_context_age_ms(ctx);

	/* Rounded down, also before 1970. */
	return ms >= 0 ? ms / 1000 : -((999 - ms) / 1000);
}

/* The URL that was called. Returns false when out of memory. */
static bool
find_url(const struct signature_handler *handler, struct herald_context *ctx, const char **out)
{
	const char *hash = handler->adds_hash ? herald_context_attribute(ctx, BODY_HASH) : NULL;

	*out = handler->url;
	if (!hash)
		return true;
	size_t bytes = strlen(handler->url) + sizeof(BODY_HASH "=") + strlen(hash);
	char *url = herald_context_alloc(ctx, bytes);
	if (!url)
		return false;
	const char *name = &BODY_HASH[1]; /* without the '?' of an attribute */
	snprintf(url, bytes, "%s%c%s=%s", handler->url, strchr(handler->url, '?') ? '&' : '?', name,
		 hash);
	*out = url;
	return true;
}

static enum herald_verdict
signature_receive(struct herald_handler *base, struct herald_context *ctx, const char *data,
		  size_t bytes)
{
	const struct signature_handler *handler = (const struct signature_handler *)base;
	struct visiting visiting = {handler, ctx};
	const char *url;

	if (!find_url(handler, ctx, &url))
		return herald_retry(ctx, "out of memory");
	const struct herald_signature_request request = {
		.headers_visit = visit_headers,
		.state = &visiting,
		.url = url,
		.body = data,
		.body_bytes = bytes,
		.now_s = arrived_s(handler, ctx),
	};
	struct herald_error error;

	switch (herald_signature_verify(handler->signature, &request, &error)) {
	case HERALD_SIGNATURE_VALID:
		return HERALD_DONE;
	case HERALD_SIGNATURE_NO_MEMORY:
		return herald_retry(ctx, "%s", error.message);
	default:
		return herald_unauthorized(ctx, "%s", error.message);
	}
}

static void
signature_destroy(struct herald_handler *base)
{
	struct signature_handler *handler = (struct signature_handler *)base;
	const struct herald_allocator allocator = handler->signature->scheme.options.allocator;

	if (handler->owns_signature)
		herald_signature_destroy(handler->signature);
	herald_memory_release(&allocator, handler, handler->bytes);
}

/* Creating. */

static void
set_names(struct signature_handler *handler)
{
	const struct herald_signature_options *options = &handler->signature->scheme.options;
	const char *const all[] = {
		options->headers.signature, options->headers.timestamp, options->headers.id,
		options->aliases.signature, options->aliases.timestamp, options->aliases.id,
	};
	size_t count = 0;

	for (size_t i = 0; i < HERALD_COUNT(all); i++)
		if (all[i][0] != '\0')
			handler->names[count++] = all[i];
	if (handler->signature->scheme.has[HERALD__PART_FORM])
		handler->names[count++] = HERALD__CONTENT_TYPE;
	if (handler->adds_hash)
		handler->names[count++] = BODY_HASH;
}

static enum herald_status
check_url(const struct herald_signature *signature, const char *url, struct herald_error *error)
{
	if (!signature->scheme.has[HERALD__PART_URL])
		return url ? herald_option_refuse(error, "url", "is set, but the scheme has no URL")
			   : HERALD_OK;
	if (!url || !strstr(url, "://"))
		return herald_option_refuse(error, "url",
					    "must be the URL that senders call, such as "
					    "\"https://example.com/hook\"");
	return HERALD_OK;
}

enum herald_status
herald_signature_handler_create(struct herald_signature *signature,
				const struct herald_signature_handler_options *given,
				struct herald_handler **out, struct herald_error *error)
{
	struct herald_signature_handler_options options;
	enum herald_status status = herald_options_read(given, &options, sizeof(options),
							"HERALD_SIGNATURE_HANDLER_OPTIONS", error);

	if (status == HERALD_OK)
		status = check_url(signature, options.url, error);
	if (status != HERALD_OK)
		return status;
	size_t url_bytes = options.url ? strlen(options.url) + 1 : 0;
	size_t bytes = sizeof(struct signature_handler) + url_bytes;
	struct signature_handler *handler =
		herald_memory_allocate_zeroed(&signature->scheme.options.allocator, 1, bytes);
	if (!handler)
		return herald_out_of_memory(error);
	handler->signature = signature;
	handler->bytes = bytes;
	handler->now_ms = options.now_ms ? options.now_ms : system_now_ms;
	handler->state = options.state;
	if (options.url) {
		struct herald_text hash;

		handler->url = memcpy(handler + 1, options.url, url_bytes);
		handler->adds_hash = signature->scheme.has[HERALD__PART_FORM] &&
				     !herald__url_body_hash(options.url, &hash);
	}
	set_names(handler);
	handler->ops = (struct herald_handler_ops){
		.struct_size = sizeof(handler->ops),
		.name = "signature",
		.attributes = handler->names,
		.receive = signature_receive,
		.destroy = signature_destroy,
	};
	handler->base.ops = &handler->ops;
	*out = &handler->base;
	return HERALD_OK;
}

enum herald_status
herald_signature_handler_create_with(const struct herald_signature_options *scheme,
				     const struct herald_signature_handler_options *options,
				     struct herald_handler **out, struct herald_error *error)
{
	struct herald_signature *signature;
	enum herald_status status = herald_signature_create(scheme, &signature, error);

	if (status != HERALD_OK)
		return status;
	status = herald_signature_handler_create(signature, options, out, error);
	if (status == HERALD_OK)
		((struct signature_handler *)*out)->owns_signature = true;
	else
		herald_signature_destroy(signature);
	return status;
}
