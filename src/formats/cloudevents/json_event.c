/*
 * The JSON format of CloudEvents: an object whose members are attributes, extensions, and the data,
 * in any order. Decodes in one pass and in place. What values attributes may have is decided in
 * attributes.c.
 *
 * The meaning of `data` depends on datacontenttype, which may come later. So `data` is only
 * delimited where it is read; the content of a string that is text is read at the end.
 */
#include "formats/cloudevents/json_event.h"

#include <stdint.h>
#include <string.h>

#include <herald/base64.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "formats/cloudevents/attributes.h"
#include "formats/cloudevents/media_type.h"
#include "json/reader/number_read.h"
#include "json/reader/scan.h"
#include "json/reader/skip.h"
#include "json/reader/string_read.h"

/* An object that is being decoded. */
struct decoder {
	struct herald__event_builder builder;
	struct herald__reader *reader;
	char *data; /* the value of `data`, or NULL */
	size_t data_bytes;
};

/* The name of the member being decoded; its place is the quote before it. */
struct member {
	struct herald__string name;
	enum herald__event_attribute attribute;
	size_t offset;
};

static size_t
offset_of(const struct decoder *decoder, const char *at)
{
	return herald__offset(decoder->reader, at);
}

/*
 * Functions that return a place take the place of the value, and return the place after it, or NULL
 * after recording an error. The caller prepends the member's name to the path.
 */

static char *
read_text(struct decoder *decoder, char *at, struct herald_text *out)
{
	struct herald__string string;
	char *after;

	if (*at != '"')
		return herald__fail_type(decoder->reader, at, "a string");
	after = herald__read_string(decoder->reader, at + 1, HERALD__VALUE, &string);
	*out = (struct herald_text){string.data, string.bytes};
	return after;
}

static char *
decode_attribute(struct decoder *decoder, char *at, enum herald__event_attribute attribute)
{
	struct herald_text value;
	size_t offset = offset_of(decoder, at);
	char *after = read_text(decoder, at, &value);

	if (!after || !herald__builder_set(&decoder->builder, attribute, value, offset))
		return NULL;
	return after;
}

/* An extension's JSON text, with a NUL after it. */
static bool
copy_text(struct decoder *decoder, const char *at, const char *after,
	  struct herald_cloudevent_extension *extension)
{
	size_t bytes = (size_t)(after - at);

	extension->text =
		(struct herald_text){herald_arena_copy(decoder->builder.arena, at, bytes), bytes};
	return extension->text.data ||
	       herald__builder_no_memory(&decoder->builder, offset_of(decoder, at));
}

static char *
decode_integer(struct decoder *decoder, char *at, struct herald_cloudevent_extension *extension)
{
	struct herald__integer value;
	struct herald__shown shown;
	char *after = herald__read_integer(decoder->reader, at, &value);

	if (!after)
		return NULL;
	if (value.overflow || value.magnitude > (uint64_t)INT32_MAX + value.negative)
		return herald__fail(decoder->reader, at, HERALD_OUT_OF_RANGE,
				    "expected an integer from %d to %d, found %s", INT32_MIN,
				    INT32_MAX, herald__show_number(decoder->reader, at, &shown));
	extension->kind = HERALD_CLOUDEVENT_INTEGER;
	extension->integer =
		(int32_t)(value.negative ? -(int64_t)value.magnitude : (int64_t)value.magnitude);
	at += extension->integer == 0 && *at == '-'; /* -0 is 0 */
	return copy_text(decoder, at, after, extension) ? after : NULL;
}

static char *
decode_boolean(struct decoder *decoder, char *at, struct herald_cloudevent_extension *extension)
{
	extension->kind = HERALD_CLOUDEVENT_BOOLEAN;
	if (herald__is_word(decoder->reader, at, "true", 4)) {
		extension->boolean = true;
		extension->text = (struct herald_text){"true", 4};
		return at + 4;
	}
	if (herald__is_word(decoder->reader, at, "false", 5)) {
		extension->text = (struct herald_text){"false", 5};
		return at + 5;
	}
	return herald__fail_type(decoder->reader, at, "an attribute's value");
}

/* An object or an array. */
static char *
decode_json(struct decoder *decoder, char *at, struct herald_cloudevent_extension *extension)
{
	size_t max_bytes = decoder->builder.options->max_attribute_bytes;
	char *after;

	if (!decoder->builder.options->json_extensions)
		return herald__fail_type(decoder->reader, at, "a string, an integer or a boolean");
	if (!(after = herald__skip_unwanted(decoder->reader, at)))
		return NULL;
	if ((size_t)(after - at) > max_bytes)
		return herald__fail(decoder->reader, at, HERALD_LIMIT,
				    "expected at most %zu bytes (max_attribute_bytes), found %zu",
				    max_bytes, (size_t)(after - at));
	extension->kind = HERALD_CLOUDEVENT_JSON;
	return copy_text(decoder, at, after, extension) ? after : NULL;
}

static char *
decode_extension_value(struct decoder *decoder, char *at,
		       struct herald_cloudevent_extension *extension)
{
	struct herald_text text;
	size_t offset = offset_of(decoder, at);

	switch (*at) {
	case '"':
		if (!(at = read_text(decoder, at, &text)) ||
		    !herald__builder_set_string(&decoder->builder, extension, text, offset))
			return NULL;
		return at;
	case 't':
	case 'f':
		return decode_boolean(decoder, at, extension);
	case '{':
	case '[':
		return decode_json(decoder, at, extension);
	default:
		if (*at == '-' || (*at >= '0' && *at <= '9'))
			return decode_integer(decoder, at, extension);
		return herald__fail_type(decoder->reader, at, "an attribute's value");
	}
}

static char *
decode_extension(struct decoder *decoder, char *at, const struct member *member)
{
	struct herald_cloudevent_extension *extension = herald__builder_extend(
		&decoder->builder, member->name.data, member->name.bytes, member->offset);

	if (!extension)
		return NULL;
	if (herald__is_word(decoder->reader, at, "null", 4)) /* not set */
		return at + 4;
	at = decode_extension_value(decoder, at, extension);
	/* Only if it is to be ignored. */
	if (at && !herald__is_event_attribute_name(member->name.data, member->name.bytes))
		extension->kind = HERALD__UNSET;
	return at;
}

/* Note the value of `data` or data_base64, of which only one may be there. */
static char *
set_data(struct decoder *decoder, const struct member *member, char *data, char *after)
{
	if (decoder->data) {
		herald__trace_fail(&decoder->reader->trace, member->offset, HERALD_BAD_VALUE,
				   "data and data_base64 exclude each other");
		return NULL;
	}
	decoder->data = data;
	decoder->data_bytes = (size_t)(after - data);
	return after;
}

static char *
decode_data(struct decoder *decoder, char *at, const struct member *member)
{
	struct herald__reader *reader = decoder->reader;
	char *after;

	if ((*at == '{' || *at == '[') && decoder->builder.options->data_unchecked) {
		if (!(after = herald__skip_brackets(at, reader->end)))
			return herald__fail_syntax(reader, reader->end,
						   "the end of an array or an object");
	} else if (!(after = herald__skip_unwanted(reader, at))) {
		return NULL;
	}
	return set_data(decoder, member, at, after);
}

static char *
decode_base64(struct decoder *decoder, char *at, const struct member *member)
{
	struct herald_text text;
	struct herald_cloudevent *event = decoder->builder.event;
	size_t wrong;
	char *after = read_text(decoder, at, &text), *data = (char *)text.data;

	if (!after || !set_data(decoder, member, data, after))
		return NULL;
	if (!herald_base64_decode(data, text.bytes, &text.bytes, &wrong))
		return herald__fail(decoder->reader, at, HERALD_BAD_VALUE,
				    wrong < text.bytes
					    ? "expected base64 (RFC 4648 section 4), found a wrong "
					      "character at %zu"
					    : "expected base64 (RFC 4648 section 4) with padding, "
					      "found %zu characters",
				    wrong);
	data[text.bytes] = '\0';
	event->data_kind = HERALD_CLOUDEVENT_DATA_BYTES;
	event->data = text;
	return after;
}

static char *
decode_value(struct decoder *decoder, char *at, const struct member *member)
{
	if (member->attribute == HERALD__EXTENSION)
		return decode_extension(decoder, at, member);
	if (!herald__builder_see(&decoder->builder, member->attribute, member->offset))
		return NULL;
	if (member->attribute == HERALD__DATA)
		return decode_data(decoder, at, member);
	if (herald__is_word(decoder->reader, at, "null", 4)) /* not set */
		return at + 4;
	if (member->attribute == HERALD__DATA_BASE64)
		return decode_base64(decoder, at, member);
	return decode_attribute(decoder, at, member->attribute);
}

static char *
decode_member(struct decoder *decoder, char *at)
{
	struct herald__reader *reader = decoder->reader;
	struct member member = {.offset = offset_of(decoder, at)};

	if (*at != '"')
		return herald__fail_syntax(reader, at, "a member's name in quotes");
	if (!(at = herald__read_string(reader, at + 1, HERALD__NAME, &member.name)))
		return NULL;
	at = herald__skip_blank(reader, at);
	if (*at != ':')
		return herald__fail_syntax(reader, at, "':'");
	member.attribute = herald__event_attribute_find(member.name.data, member.name.bytes);
	at = decode_value(decoder, herald__skip_blank(reader, at + 1), &member);
	if (!at)
		herald__trace_key(&reader->trace, member.name.data, member.name.bytes);
	return at;
}

static char *
decode_members(struct decoder *decoder, char *at)
{
	struct herald__reader *reader = decoder->reader;

	at = herald__skip_blank(reader, at + 1);
	if (*at == '}')
		return at + 1;
	for (;; at = herald__skip_blank(reader, at + 1)) {
		if (!(at = decode_member(decoder, at)))
			return NULL;
		/* The value may have taken the document's last bracket. */
		if (at >= reader->end)
			return herald__fail_syntax(reader, at, "',' or '}'");
		at = herald__skip_blank(reader, at);
		if (*at == '}')
			return at + 1;
		if (*at != ',')
			return herald__fail_syntax(reader, at, "',' or '}'");
	}
}

/* Whether the event's data is JSON: by its type, or because it has none. */
static bool
has_json_type(const struct herald_cloudevent *event)
{
	const struct herald_text *type = &event->datacontenttype;

	return !type->data || herald__media_type_is_json(type->data, type->bytes);
}

/* Set the event's data, if it is a value of `data`. */
static bool
finish_data(struct decoder *decoder)
{
	struct herald_cloudevent *event = decoder->builder.event;
	char *data = decoder->data;

	if (!data || event->data_kind == HERALD_CLOUDEVENT_DATA_BYTES)
		return true;
	if (has_json_type(event)) {
		event->data_kind = HERALD_CLOUDEVENT_DATA_JSON;
		event->data = (struct herald_text){data, decoder->data_bytes};
		return true;
	}
	if (*data == 'n') /* null is not text */
		return true;
	if (*data == '"') {
		event->data_kind = HERALD_CLOUDEVENT_DATA_TEXT;
		return read_text(decoder, data, &event->data);
	}
	herald__record_type(decoder->reader, data, "a string, because datacontenttype is not JSON");
	herald__trace_key(&decoder->reader->trace, "data", 4);
	return false;
}

char *
herald__decode_json_event(struct herald__reader *reader, char *at,
			  const struct herald_cloudevent_options *options,
			  struct herald_cloudevent *out)
{
	struct decoder decoder = {
		.builder = {.event = out,
			    .options = options,
			    .arena = reader->arena,
			    .trace = &reader->trace},
		.reader = reader,
	};
	const char *missing = NULL;
	char *after;

	*out = (struct herald_cloudevent){.data_kind = HERALD_CLOUDEVENT_NO_DATA};
	reader->depth++; /* within the limit: 1 is the least, and batches are checked before */
	if (!(after = decode_members(&decoder, at)) || !finish_data(&decoder))
		return NULL;
	reader->depth--;
	if (herald__builder_finish(&decoder.builder, offset_of(&decoder, at), &missing))
		return after;
	herald__trace_key(&reader->trace, missing, strlen(missing));
	return NULL;
}
