/*
 * The formats of a service: checked once, and chosen and called for each event. For formats other
 * than the envelope, also makes their errors printable and clears what a failed attempt has left
 * behind. How the envelope is decoded is in one_pass.c.
 */
#include "service/format.h"

#include <stdio.h>
#include <string.h>

#include <herald/service.h>

#include "base/attributes.h"
#include "base/error_path.h"
#include "base/options.h"
#include "base/safe_text.h"
#include "service/one_pass.h"
#include "service/service.h"

/* The envelope. */

/* The herald_format_ops.decode callback. herald__format_decode() takes a shorter way. */
static enum herald_status
decode_envelope(const struct herald_format *format, struct herald_context *ctx, char *data,
		size_t bytes, struct herald_decoded *out, struct herald_error *error)
{
	(void)format;
	return herald__one_pass_decode(ctx, data, bytes, out->message, error);
}

static const struct herald_format_ops envelope_ops = {
	.struct_size = sizeof(envelope_ops),
	.name = "envelope",
	.decode = decode_envelope,
	.reads_all = true,
};

const struct herald_format herald_format_envelope = {.ops = &envelope_ops};

void
herald_format_destroy(const struct herald_format *format)
{
	if (format && format->ops->destroy)
		format->ops->destroy(format);
}

const char *
herald__format_name(const struct herald_format *format)
{
	return format->ops->name ? format->ops->name : "unnamed";
}

/* Options. */

static const char *
problem_of(const struct herald_format *format, bool is_last)
{
	if (!format)
		return "the format is NULL";
	if (!format->ops)
		return "the format has no ops";
	if (format->ops->struct_size < sizeof(struct herald_format_ops))
		return "ops->struct_size is not sizeof(struct herald_format_ops)";
	if (!format->ops->decode)
		return "the format has no `decode`";
	if (format->ops->is_batch && (!format->ops->split || !format->ops->matches))
		return "the format has `is_batch`, but not `split` and `matches`";
	if (!format->ops->matches && !is_last)
		return "the format takes every event, so it must be the last one";
	return NULL;
}

static enum herald_status
check_formats(const struct herald_service_options *options, struct herald_error *error)
{
	const struct herald__option option = HERALD__OPTION("formats");
	enum herald_status status = herald__option_array_check(
		option, "HERALD_FORMATS", options->formats, options->formats_count, error);

	for (size_t i = 0; i < options->formats_count && status == HERALD_OK; i++) {
		const char *problem =
			problem_of(options->formats[i], i + 1 == options->formats_count);

		if (problem)
			status = herald__option_error(error, HERALD_BAD_OPTION,
						      HERALD__OPTION_ELEMENT("formats", i), "%s",
						      problem);
	}
	return status;
}

enum herald_status
herald__formats_init(struct herald_service *service, const struct herald_service_options *options,
		     struct herald_error *error)
{
	const struct herald_format *const none[] = {&herald_format_envelope};
	bool is_default = options->formats_count == 0;
	const struct herald_format *const *formats = is_default ? none : options->formats;
	size_t count = is_default ? 1 : options->formats_count;
	enum herald_status status = check_formats(options, error);

	if (status != HERALD_OK)
		return status;
	service->formats = herald__arena_array(service->arena, count, sizeof(*service->formats));
	if (!service->formats)
		return herald_out_of_memory(error);
	memcpy(service->formats, formats, count * sizeof(*formats));
	service->formats_count = count;
	service->selects_format = formats[0]->ops->matches;
	service->has_envelope = formats[count - 1] == &herald_format_envelope;
	service->has_others = formats[0] != &herald_format_envelope;
	service->keeps_content_type = service->has_others || options->store;
	return HERALD_OK;
}

/* Choosing. */

const struct herald_format *
herald__format_find(const struct herald_service *service, const struct herald_arrival *arrival)
{
	for (size_t i = 0; i < service->formats_count; i++) {
		const struct herald_format *format = service->formats[i];

		if (!format->ops->matches || format->ops->matches(format, arrival))
			return format;
	}
	return NULL;
}

bool
herald__format_is_of_one_event(const struct herald_service *service, const char *name)
{
	for (size_t i = 0; i < service->formats_count; i++) {
		const struct herald_format *format = service->formats[i];

		if (format->ops->is_of_one_event && format->ops->is_of_one_event(format, name))
			return true;
	}
	return false;
}

HERALD__COLD static enum herald_status
refuse_unmatched(const struct herald_context *ctx, struct herald_error *error)
{
	const char *type = ctx->content_type;
	struct herald__shown shown;

	if (!type)
		return herald_error_set(error, HERALD_BAD_MEDIA_TYPE, HERALD_NO_OFFSET,
					"the event is in no format of the service, and has no "
					"content type");
	herald__show_string(&shown, type, strlen(type));
	return herald_error_set(error, HERALD_BAD_MEDIA_TYPE, HERALD_NO_OFFSET,
				"the event is in no format of the service; its content type is %s",
				shown.text);
}

enum herald_status
herald__format_select(struct herald_context *ctx, struct herald_error *error)
{
	const struct herald_format *format = ctx->known_format;

	if (!format) {
		const struct herald_arrival arrival =
			HERALD_ARRIVAL(.attribute = ctx->attribute,
				       .attributes_visit = ctx->attributes_visit,
				       .state = ctx->attribute_state,
				       .content_type = ctx->content_type);

		format = herald__format_find(ctx->service, &arrival);
	}
	ctx->known_format = NULL;
	/* Without one, not the format of an earlier event. */
	ctx->format = format ? format : ctx->service->formats[0];
	if (!format)
		return refuse_unmatched(ctx, error);
	ctx->given = herald__is_envelope(ctx) ? ctx->service->pointed : 0;
	ctx->lacks_time = false;
	ctx->is_checked = false;
	ctx->payload_data = (struct herald_data){0};
	return HERALD_OK;
}

/* Decoding. */

/* A format may have put bytes of the sender into the texts. */
static void
make_printable(struct herald_error *error)
{
	char copy[sizeof(error->message)];
	size_t bytes = strnlen(error->message, sizeof(copy));

	memcpy(copy, error->message, bytes);
	herald__text_line(error->message, sizeof(copy), copy, bytes, bytes == sizeof(copy));
	herald__path_set(error, error->path, strnlen(error->path, sizeof(error->path)));
}

static void
take_decoded(struct herald_context *ctx, const struct herald_decoded *decoded)
{
	herald__identity_take(ctx, decoded);
	ctx->lacks_time = decoded->lacks_time;
	ctx->is_checked = decoded->is_checked;
	ctx->payload_data = decoded->data;
	ctx->payload_path = decoded->payload_path;
}

/* What a format has returned, as a valid status with a message. */
static enum herald_status
refuse(enum herald_status status, struct herald_error *error)
{
	if ((unsigned)status >= HERALD_STATUS_COUNT)
		status = HERALD_BAD_FORMAT;
	if (error->message[0] == '\0')
		snprintf(error->message, sizeof(error->message), "%s", herald_status_text(status));
	make_printable(error);
	return status;
}

enum herald_status
herald__format_split(struct herald_context *ctx, char *data, size_t bytes,
		     const struct herald__batch_visit *visit, struct herald_error *error)
{
	const struct herald_format *format = ctx->format;
	enum herald_status status = format->ops->split(format, ctx, visit->max_members, data, bytes,
						       visit->visit, visit->state, error);

	return status == HERALD_OK ? HERALD_OK : refuse(status, error);
}

/* Not inlined, so that the envelope's path does not pay for its buffers. */
HERALD__NOT_INLINE static enum herald_status
decode_other(struct herald_context *ctx, char *data, size_t bytes, struct herald_message *message,
	     struct herald_error *error)
{
	const struct herald_format *format = ctx->format;
	struct herald_decoded decoded = {.message = message};

	memset(message, 0, ctx->service->envelope->bytes);
	enum herald_status status = format->ops->decode(format, ctx, data, bytes, &decoded, error);

	if (status == HERALD_OK) {
		/* The format may have set these in an attempt that it gave up. */
		herald__error_clear(error);
		herald__details_clear(&ctx->details);
		take_decoded(ctx, &decoded);
		return HERALD_OK;
	}
	return refuse(status, error);
}

enum herald_status
herald__format_decode(struct herald_context *ctx, char *data, size_t bytes,
		      struct herald_message *message, struct herald_error *error)
{
	if (herald__is_envelope(ctx))
		return herald__one_pass_decode(ctx, data, bytes, message, error);
	return decode_other(ctx, data, bytes, message, error);
}
