/*
 * Binary mode, decoding: attributes from headers, and the body as data. Values are undone in
 * percent.c, and checked in attributes.c.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/text.h>
#include <herald/cloudevent.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "formats/cloudevents/attributes.h"
#include "formats/cloudevents/media_type.h"
#include "formats/cloudevents/percent.h"
#include "json/reader/scan.h"
#include "json/reader/string_scan.h"

/* Headers that are being decoded. */
struct decoder {
	struct herald__event_builder builder;
	struct herald__trace trace;
	const char *content_type;
	bool failed;
	char place[sizeof(((struct herald_error *)NULL)->path)]; /* of the error */
};

/* The path of an error is its header's name. */
HERALD__COLD static bool
fail_at(struct decoder *decoder, const char *name)
{
	size_t bytes = 0;

	for (; bytes < sizeof(decoder->place) - 1 && name[bytes] != '\0'; bytes++)
		decoder->place[bytes] = herald_ascii_lower(name[bytes]);
	decoder->place[bytes] = '\0';
	decoder->failed = true;
	return false;
}

/* A copy of the value, unquoted and percent-decoded. */
static bool
decode_copy(struct decoder *decoder, struct herald_text *value)
{
	char *copy = herald_arena_alloc(decoder->builder.arena, value->bytes + 1);
	size_t bytes;

	if (!copy)
		return herald__builder_no_memory(&decoder->builder, 0);
	bytes = herald__header_unquote(value->data, value->bytes, copy);
	bytes = herald__percent_decode(copy, bytes);
	copy[bytes] = '\0';
	*value = (struct herald_text){copy, bytes};
	return true;
}

/* What .strict refuses in a value as it came. */
static bool
check_raw(struct decoder *decoder, struct herald_text value)
{
	size_t at = herald__percent_check(value.data, value.bytes);

	if (at == value.bytes)
		return true;
	if (value.data[at] == '%')
		return herald__trace_fail(&decoder->trace, at, HERALD_BAD_VALUE,
					  "expected two hexadecimal digits after '%%' (strict)");
	return herald__trace_fail(&decoder->trace, at, HERALD_BAD_VALUE,
				  "expected percent-encoding (strict), found byte 0x%02X",
				  (unsigned char)value.data[at]);
}

static bool
decode_value(struct decoder *decoder, const char *text, struct herald_text *out)
{
	size_t max_bytes = decoder->builder.options->max_attribute_bytes;

	*out = (struct herald_text){text, strlen(text)};
	if (decoder->builder.options->strict && !check_raw(decoder, *out))
		return false;
	if (herald__header_is_plain(out->data, out->bytes))
		return true;
	/* An escape has three bytes; do not copy what will be refused anyway. */
	if (out->bytes / 3 > max_bytes)
		return herald__trace_fail(
			&decoder->trace, 0, HERALD_LIMIT,
			"expected at most %zu bytes (max_attribute_bytes), found more", max_bytes);
	return decode_copy(decoder, out);
}

/* ce-datacontenttype must not be sent. It is ignored if it says the same as Content-Type. */
static bool
check_datacontenttype(struct decoder *decoder, struct herald_text value)
{
	const char *type = decoder->content_type;

	if (!decoder->builder.options->strict && type && strlen(type) == value.bytes &&
	    herald_ascii_same_bytes(type, value.data, value.bytes))
		return true;
	return herald__trace_fail(&decoder->trace, 0, HERALD_BAD_VALUE,
				  "must not be sent: Content-Type is the type of the data");
}

static bool
decode_extension(struct decoder *decoder, const char *name, struct herald_text value)
{
	struct herald__event_builder *builder = &decoder->builder;
	struct herald_cloudevent_extension *extension;
	size_t bytes = strlen(name);
	char *copy;

	if (bytes > builder->options->limits.max_key_bytes)
		return herald__trace_fail(
			&decoder->trace, 0, HERALD_LIMIT,
			"expected a name of at most %zu bytes (limits.max_key_bytes), found %zu",
			builder->options->limits.max_key_bytes, bytes);
	if (!(copy = herald_arena_copy(builder->arena, name, bytes)))
		return herald__builder_no_memory(builder, 0);
	for (size_t i = 0; i < bytes; i++)
		copy[i] = herald_ascii_lower(copy[i]);
	if (!(extension = herald__builder_extend(builder, copy, bytes, 0)) ||
	    !herald__builder_set_string(builder, extension, value, 0))
		return false;
	if (!herald__is_event_attribute_name(copy, bytes)) /* it is to be ignored */
		extension->kind = HERALD__UNSET;
	return true;
}

/* The attribute of a name in any case. */
static enum herald__event_attribute
find_attribute(const char *name, size_t bytes)
{
	const uint64_t lower = UINT64_C(0x2020202020202020);
	char copy[16] = {0};
	uint64_t words[2];

	if (bytes > sizeof(copy)) /* the longest is datacontenttype */
		return HERALD__EXTENSION;
	/* Letters become lower case. Of other bytes, none becomes a letter. */
	memcpy(copy, name, bytes);
	memcpy(words, copy, sizeof(words));
	words[0] |= lower;
	words[1] |= lower;
	memcpy(copy, words, sizeof(words));
	return herald__event_attribute_find(copy, bytes);
}

static bool
decode_attribute(struct decoder *decoder, const char *name, const char *text)
{
	struct herald__event_builder *builder = &decoder->builder;
	enum herald__event_attribute attribute = find_attribute(name, strlen(name));
	struct herald_text value;

	if (!decode_value(decoder, text, &value))
		return false;
	/* In headers it is only a bad name. */
	if (attribute == HERALD__DATA_BASE64 || attribute == HERALD__EXTENSION)
		return decode_extension(decoder, name, value);
	if (attribute == HERALD__DATA)
		return herald__trace_fail(&decoder->trace, 0, HERALD_BAD_VALUE,
					  "is not a valid attribute name: it is reserved");
	if (!herald__builder_see(builder, attribute, 0))
		return false;
	if (attribute == HERALD__DATACONTENTTYPE)
		return check_datacontenttype(decoder, value);
	return herald__builder_set(builder, attribute, value, 0);
}

/* A herald_cloudevent_header_visitor. */
static bool
visit_header(const char *name, const char *value, void *state)
{
	struct decoder *decoder = state;

	if (herald_ascii_lower(name[0]) != 'c' || herald_ascii_lower(name[1]) != 'e' ||
	    name[2] != '-')
		return true;
	return decode_attribute(decoder, name + 3, value) || fail_at(decoder, name);
}

static bool
decode_headers(struct decoder *decoder, herald_cloudevent_headers_visit *headers_visit,
	       void *headers_state)
{
	struct herald__event_builder *builder = &decoder->builder;
	const char *type = decoder->content_type, *missing = NULL;
	char name[16];

	headers_visit(visit_header, decoder, headers_state);
	if (decoder->failed)
		return false;
	if (type && !herald__builder_set(builder, HERALD__DATACONTENTTYPE,
					 (struct herald_text){type, strlen(type)}, 0))
		return fail_at(decoder, "content-type");
	if (herald__builder_finish(builder, HERALD_NO_OFFSET, &missing))
		return true;
	snprintf(name, sizeof(name), "ce-%s", missing);
	return fail_at(decoder, name);
}

/* Remove the white space around a JSON text. */
static struct herald_text
trim(const char *body, size_t bytes)
{
	while (bytes > 0 && herald__is_space(*body))
		body++, bytes--;
	while (bytes > 0 && herald__is_space(body[bytes - 1]))
		bytes--;
	return (struct herald_text){body, bytes};
}

static enum herald_status
decode_body(const struct herald_cloudevent_options *options, const char *body, size_t bytes,
	    struct herald_cloudevent *event, struct herald_error *error)
{
	struct herald__reader reader;
	char *at = (char *)body; /* not written to */

	if (bytes == 0)
		return HERALD_OK;
	if (!herald__media_type_is_json(event->datacontenttype.data,
					event->datacontenttype.bytes)) {
		event->data_kind = HERALD_CLOUDEVENT_DATA_BYTES;
		event->data = (struct herald_text){body, bytes};
		return HERALD_OK;
	}
	event->data_kind = HERALD_CLOUDEVENT_DATA_JSON;
	event->data = trim(body, bytes);
	if (options->data_unchecked)
		return HERALD_OK;
	herald__reader_begin(&reader, at, bytes, &options->limits);
	if ((at = herald__skip_value(&reader, at)) &&
	    (at = herald__skip_space(&reader, at)) == reader.end)
		return HERALD_OK;
	if (at)
		herald__fail_syntax(&reader, at, "the end of the value");
	return herald__trace_finish(&reader.trace, "", error);
}

enum herald_status
herald_cloudevent_decode_binary(herald_cloudevent_headers_visit *headers_visit, void *headers_state,
				const char *content_type, const char *body, size_t body_bytes,
				const struct herald_cloudevent_options *options,
				struct herald_arena *arena, struct herald_cloudevent *out,
				struct herald_error *error)
{
	struct herald_cloudevent_options set;
	struct herald_cloudevent event = {.mode = HERALD_CLOUDEVENT_BINARY};
	struct decoder decoder; /* not cleared: most of it is for errors */
	enum herald_status status;

	if ((status = herald__cloudevent_options(options, &set, error)) != HERALD_OK)
		return status;
	decoder.content_type = content_type;
	decoder.failed = false;
	decoder.builder = (struct herald__event_builder){
		.event = &event, .options = &set, .arena = arena, .trace = &decoder.trace};
	if (!decode_headers(&decoder, headers_visit, headers_state))
		return herald__trace_finish(&decoder.trace, decoder.place, error);
	status = decode_body(&set, body, body_bytes, &event, error);
	if (status == HERALD_OK)
		*out = event;
	return status;
}
