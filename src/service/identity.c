/*
 * The type, version, id, source and subject of an event: the options that say where they are in the
 * envelope, finding them before the event is decoded in place, and reading them in functions and
 * handlers. pointer.c follows the pointers; pipeline.c uses the results.
 */
#include "service/identity.h"

#include <stdbool.h>

#include <herald/adapter/format.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/error_path.h"
#include "base/options.h"
#include "codec/cases.h"
#include "codec/plan.h"
#include "service/context.h"
#include "service/service.h"

/* The option of each, and the member of the metadata that is used without the option. */
static const struct {
	const char *option, *member;
} names[HERALD__IDENTITY_COUNT] = {
	[HERALD__IDENTITY_TYPE] = {"type_from", NULL},
	[HERALD__IDENTITY_VERSION] = {"version_from", "version"},
	[HERALD__IDENTITY_ID] = {"id_from", "id"},
	[HERALD__IDENTITY_SOURCE] = {"source_from", "source"},
	[HERALD__IDENTITY_SUBJECT] = {"subject_from", "subject"},
	[HERALD__IDENTITY_DUE] = {"due_from", NULL},
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

	if (!text)
		return HERALD_OK;
	if (!service->has_envelope)
		return herald__option_error(error, HERALD_BAD_OPTION, option,
					    "has no effect: it is for herald_format_envelope, "
					    "which is not among the formats");

	enum herald_status status =
		herald__pointer_parse(text, service->arena, &service->pointers[which], &problem);
	if (status == HERALD_BAD_VALUE)
		return herald__option_error(error, HERALD_BAD_OPTION, option, "%s", problem);
	service->pointed |= 1U << which;
	return status == HERALD_OK ? HERALD_OK : herald_out_of_memory(error);
}

/* Errors name the place that a pointer refers to. Returns false when out of memory. */
static bool
set_path(struct herald_service *service, enum herald__identity which, const char **path)
{
	const char *pointer = service->pointers[which].text;

	if (pointer)
		*path = herald__path_of_pointer(pointer, service->arena);
	return *path;
}

/* Events with `type_from` need no event_type. If that decided about a union, the type from
 * elsewhere, which takes its place, could be the tag of another member. */
static enum herald_status
relax_type(struct herald_service *service, struct herald_error *error)
{
	const struct herald_field *tag = herald__tag_of(service->envelope);
	const size_t offset = offsetof(struct herald_message, event_type);

	if (tag && tag->offset == offset)
		return herald__option_error(
			error, HERALD_BAD_OPTION, HERALD__OPTION("type_from"),
			"the envelope has a tagged union, and its tag is the event type");
	herald__codec_relax(service->envelope_codec, offset);
	return HERALD_OK;
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
		[HERALD__IDENTITY_SUBJECT] = options->subject_from,
		[HERALD__IDENTITY_DUE] = options->due_from,
	};
	enum herald_status status = HERALD_OK;

	for (int i = 0; i < HERALD__IDENTITY_COUNT && status == HERALD_OK; i++)
		status = parse_option(service, (enum herald__identity)i, texts[i], error);
	if (status != HERALD_OK)
		return status;
	if (service->pointers[HERALD__IDENTITY_TYPE].text)
		status = relax_type(service, error);
	if (status != HERALD_OK)
		return status;
	return set_path(service, HERALD__IDENTITY_TYPE, &service->event_type_path) &&
			       set_path(service, HERALD__IDENTITY_VERSION,
					&service->version_path) &&
			       set_path(service, HERALD__IDENTITY_ID, &service->id_path) &&
			       set_path(service, HERALD__IDENTITY_DUE, &service->due_path)
		       ? HERALD_OK
		       : herald_out_of_memory(error);
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
		herald__pointer_find(pointer, data, bytes, &pointed);
		if (herald__pointed_text(&pointed.json, ctx->arena, &ctx->identity[i]) != HERALD_OK)
			return herald__context_arena_status(ctx, error);
		ctx->offsets[i] = pointed.offset;
		if (i == HERALD__IDENTITY_DUE && !ctx->identity[i] && pointed.json.data &&
		    *pointed.json.data != 'n')
			ctx->identity[i] = "";
	}
	return HERALD_OK;
}

void
herald__identity_take(struct herald_context *ctx, const struct herald_decoded *decoded)
{
	const char *const texts[HERALD__IDENTITY_COUNT] = {
		[HERALD__IDENTITY_VERSION] = decoded->version,
		[HERALD__IDENTITY_ID] = decoded->id,
		[HERALD__IDENTITY_SOURCE] = decoded->source,
		[HERALD__IDENTITY_SUBJECT] = decoded->subject,
	};

	ctx->given = 0;
	for (int i = 0; i < HERALD__IDENTITY_COUNT; i++) {
		ctx->identity[i] = texts[i];
		if (texts[i])
			ctx->given |= 1U << i;
	}
}

/* Never NULL. */
static const char *
get(const struct herald_context *ctx, enum herald__identity which,
    const struct herald_message *message)
{
	const char *text = NULL;

	if (ctx->given & 1U << which)
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

/* Not inlined, because few services have such attributes. */
HERALD__NOT_INLINE static const char *
id_of_attributes(const struct herald_context *ctx)
{
	for (const char *const *name = ctx->service->id_attributes; *name; name++) {
		const char *value = herald_context_attribute(ctx, *name);

		if (value && *value != '\0')
			return value;
	}
	return "";
}

const char *
herald_context_id(const struct herald_context *ctx)
{
	const char *id = get(ctx, HERALD__IDENTITY_ID, ctx->message);

	return *id == '\0' && ctx->service->id_attributes ? id_of_attributes(ctx) : id;
}

const char *
herald__identity_due(const struct herald_context *ctx)
{
	return ctx->identity[HERALD__IDENTITY_DUE];
}

const char *
herald_context_source(const struct herald_context *ctx)
{
	return get(ctx, HERALD__IDENTITY_SOURCE, ctx->message);
}

const char *
herald_context_subject(const struct herald_context *ctx)
{
	return get(ctx, HERALD__IDENTITY_SUBJECT, ctx->message);
}
