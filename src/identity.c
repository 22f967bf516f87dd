/*
 * Type, version, id and source of an event: the options that say where they are, looking there before the
 * event is decoded in place, and what functions and handlers are told. Following a pointer is pointer.c's,
 * what is done with them the pipeline's.
 */
#include "identity.h"

#include <stdbool.h>

#include "arena.h"
#include "context.h"
#include "options.h"
#include "service.h"
#include "json/codec.h"
#include "json/trace.h"

/* The option of each, and the member of the metadata that it is without one. */
static const struct {
	const char *option, *member;
} names[HERALD__IDENTITY_COUNT] = {
	[HERALD__IDENTITY_TYPE] = {"type_from", NULL},
	[HERALD__IDENTITY_VERSION] = {"version_from", "version"},
	[HERALD__IDENTITY_ID] = {"id_from", "id"},
	[HERALD__IDENTITY_SOURCE] = {"source_from", "source"},
};

const char *
herald__identity_option(enum herald__identity which)
{
	return names[which].option;
}

static enum herald_status
parse_option(struct herald_service *service, enum herald__identity which, const char *text,
	     struct herald_error *error)
{
	const struct herald__option option = {names[which].option, HERALD__NO_INDEX, NULL};
	const char *problem;

	if (text == NULL)
		return HERALD_OK;
	if (service->decoder)
		return herald__option_error(error, HERALD_BAD_OPTION, option,
					    "a handler has `decode`, and its events need not be "
					    "JSON; it sets the message's members itself");

	enum herald_status status =
		herald__pointer_parse(text, service->arena, &service->pointers[which], &problem);
	if (status == HERALD_BAD_VALUE)
		return herald__option_error(error, HERALD_BAD_OPTION, option, "%s", problem);
	service->has_pointers = true;
	return status == HERALD_OK ? HERALD_OK : herald__out_of_memory(error);
}

/* Errors name the place that a pointer leads to. Returns false when out of memory. */
static bool
set_path(struct herald_service *service, enum herald__identity which, const char **path)
{
	const char *pointer = service->pointers[which].text;

	if (pointer)
		*path = herald__path_of_pointer(pointer, service->arena);
	return *path != NULL;
}

enum herald_status
herald__identity_init(struct herald_service *service, const struct herald_service_options *options,
		      struct herald_error *error)
{
	const char *const texts[HERALD__IDENTITY_COUNT] = {
		[HERALD__IDENTITY_TYPE] = options->type_from,
		[HERALD__IDENTITY_VERSION] = options->version_from,
		[HERALD__IDENTITY_ID] = options->id_from,
		[HERALD__IDENTITY_SOURCE] = options->source_from,
	};
	enum herald_status status = HERALD_OK;

	for (int i = 0; i < HERALD__IDENTITY_COUNT && status == HERALD_OK; i++)
		status = parse_option(service, (enum herald__identity)i, texts[i], error);
	if (status != HERALD_OK)
		return status;
	if (service->pointers[HERALD__IDENTITY_TYPE].text)
		herald__codec_relax(service->envelope_codec,
				    offsetof(struct herald_message, event_type));
	return set_path(service, HERALD__IDENTITY_TYPE, &service->event_type_path) &&
			       set_path(service, HERALD__IDENTITY_VERSION, &service->version_path)
		       ? HERALD_OK
		       : herald__out_of_memory(error);
}

enum herald_status
herald__identity_find(struct herald_context *ctx, const char *data, size_t bytes,
		      struct herald_error *error)
{
	for (int i = 0; i < HERALD__IDENTITY_COUNT; i++) {
		const struct herald__pointer *pointer = &ctx->service->pointers[i];
		struct herald__pointed pointed;

		if (!pointer->text)
			continue;
		if (herald__pointer_find(pointer, data, bytes, ctx->arena, &pointed) != HERALD_OK ||
		    herald__pointed_text(&pointed.json, ctx->arena, &ctx->identity[i]) != HERALD_OK)
			return herald__context_arena_status(ctx, error);
		if (i == HERALD__IDENTITY_TYPE)
			ctx->type_offset = pointed.offset;
	}
	return HERALD_OK;
}

/* Never NULL. */
static const char *
get(const struct herald_context *ctx, enum herald__identity which,
    const struct herald_message *message)
{
	const char *text = NULL;

	if (ctx->service->pointers[which].text)
		text = ctx->identity[which];
	else if (message)
		text = herald_json_map_get(&message->metadata, names[which].member);
	return text ? text : "";
}

const char *
herald__identity_early_version(const struct herald_context *ctx,
			       const struct herald_message *message)
{
	if (!ctx->service->pointers[HERALD__IDENTITY_VERSION].text && !message->metadata.pairs)
		return NULL;
	return get(ctx, HERALD__IDENTITY_VERSION, message);
}

const char *
herald_context_version(const struct herald_context *ctx)
{
	return get(ctx, HERALD__IDENTITY_VERSION, ctx->message);
}

const char *
herald_context_id(const struct herald_context *ctx)
{
	return get(ctx, HERALD__IDENTITY_ID, ctx->message);
}

const char *
herald_context_source(const struct herald_context *ctx)
{
	return get(ctx, HERALD__IDENTITY_SOURCE, ctx->message);
}
