/*
 * The attributes of an event, by the rules of the specification (CloudEvents 1.0, "Context
 * Attributes" and "Type System"). Knows neither JSON nor headers.
 */
#include "formats/cloudevents/attributes.h"

#include <stdint.h>
#include <string.h>

#include <herald/adapter/options.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/safe_text.h"
#include "base/simd.h"
#include "base/time.h"
#include "base/words.h"
#include "formats/cloudevents/media_type.h"
#include "json/reader/limits.h"
#include "json/reader/reader.h"

#define DEFAULT_ATTRIBUTE_BYTES ((size_t)64 * 1024)
#define DEFAULT_EXTENSIONS_COUNT 64
#define DEFAULT_MEMBERS_COUNT 1000

const char *const herald__event_attribute_names[HERALD__EXTENSION] = {
	[HERALD__SPECVERSION] = "specversion",
	[HERALD__ID] = "id",
	[HERALD__SOURCE] = "source",
	[HERALD__TYPE] = "type",
	[HERALD__TIME] = "time",
	[HERALD__SUBJECT] = "subject",
	[HERALD__DATASCHEMA] = "dataschema",
	[HERALD__DATACONTENTTYPE] = "datacontenttype",
	[HERALD__DATA] = "data",
	[HERALD__DATA_BASE64] = "data_base64",
};

enum herald__event_attribute
herald__event_attribute_find(const char *name, size_t bytes)
{
#define IS(ATTRIBUTE, TEXT)                                                                        \
	if (memcmp(name, TEXT, sizeof(TEXT) - 1) == 0)                                             \
	return ATTRIBUTE
	switch (bytes) {
	case 2:
		IS(HERALD__ID, "id");
		break;
	case 4:
		IS(HERALD__TYPE, "type");
		IS(HERALD__TIME, "time");
		IS(HERALD__DATA, "data");
		break;
	case 6:
		IS(HERALD__SOURCE, "source");
		break;
	case 7:
		IS(HERALD__SUBJECT, "subject");
		break;
	case 10:
		IS(HERALD__DATASCHEMA, "dataschema");
		break;
	case 11:
		IS(HERALD__SPECVERSION, "specversion");
		IS(HERALD__DATA_BASE64, "data_base64");
		break;
	case 15:
		IS(HERALD__DATACONTENTTYPE, "datacontenttype");
		break;
	default:
		break;
	}
#undef IS
	return HERALD__EXTENSION;
}

bool
herald__is_event_attribute_name(const char *name, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if ((name[i] < 'a' || name[i] > 'z') && (name[i] < '0' || name[i] > '9'))
			return false;
	return bytes > 0;
}

#ifdef HERALD__SSE2
/* Whether all of sixteen bytes are from ' ' to '~'. As signed bytes, those outside ASCII are less
 * than a space. */
static inline bool
are_printable(const char *at)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);

	return _mm_movemask_epi8(_mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(' ')),
					      _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F)))) == 0;
}
#else
/* Not 0 if a byte of the word is not from ' ' to '~'. */
static inline uint64_t
find_unprintable(uint64_t word)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones * 0x80;
	uint64_t above = word | (word + ones);                  /* more than 0x7E */
	uint64_t below = ((word | highs) - ones * ' ') ^ highs; /* less than ' ' */

	return (above | below) & highs;
}

/* Whether all of sixteen bytes are from ' ' to '~'. */
static inline bool
are_printable(const char *at)
{
	return (find_unprintable(herald__load64(at)) | find_unprintable(herald__load64(at + 8))) ==
	       0;
}
#endif

/* A place at or before the first byte that is not printable ASCII; `end` if there is none. */
static const char *
skip_printable(const char *at, const char *end)
{
	while (end - at >= 16) {
		if (!are_printable(at))
			break;
		at += 16;
		/* The rest, some of it for the second time. */
		if (at < end && end - at < 16 && are_printable(end - 16))
			return end;
	}
	while (at < end && *at >= ' ' && *at < 0x7F)
		at++;
	return at;
}

/* Whether the specification excludes a character from strings ("Type System", String). Surrogates
 * are not UTF-8. */
static bool
is_excluded(unsigned code)
{
	return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0xFDD0 && code <= 0xFDEF) ||
	       (code & 0xFFFE) == 0xFFFE;
}

static bool
check_characters(struct herald_text value, size_t offset, struct herald__trace *trace)
{
	const char *end = value.data + value.bytes, *at = value.data;

	while ((at = skip_printable(at, end)) < end) {
		bool valid;
		size_t bytes = herald__utf8_next(at, (size_t)(end - at), &valid);
		unsigned code = valid ? herald__utf8_code(at, bytes) : 0;

		if (!valid)
			return herald__trace_fail(trace, offset, HERALD_BAD_UTF8,
						  "expected UTF-8, found byte 0x%02X",
						  (unsigned char)*at);
		if (is_excluded(code))
			return herald__trace_fail(
				trace, offset, HERALD_BAD_VALUE,
				"expected a string without %s, found U+%04X",
				code < 0xA0 ? "control characters" : "noncharacters", code);
		at += bytes;
	}
	return true;
}

bool
herald__event_attribute_check(enum herald__event_attribute attribute, struct herald_text value,
			      size_t offset, struct herald__trace *trace)
{
	struct herald__shown shown;

	if (attribute != HERALD__EXTENSION && value.bytes == 0)
		return herald__trace_fail(trace, offset, HERALD_BAD_LENGTH, "must not be empty");
	if (!check_characters(value, offset, trace))
		return false;
	if (attribute == HERALD__DATACONTENTTYPE &&
	    herald__media_type_bytes(value.data, value.bytes) == 0)
		return herald__trace_fail(
			trace, offset, HERALD_BAD_VALUE,
			"expected a media type such as application/json, found %s",
			herald__show_string(&shown, value.data, value.bytes));
	return true;
}

enum herald_status
herald__cloudevent_options(const struct herald_cloudevent_options *options,
			   struct herald_cloudevent_options *out, struct herald_error *error)
{
	*out = options ? *options : (struct herald_cloudevent_options){0};
	if (out->max_attribute_bytes == 0)
		out->max_attribute_bytes = DEFAULT_ATTRIBUTE_BYTES;
	if (out->max_extensions_count == 0)
		out->max_extensions_count = DEFAULT_EXTENSIONS_COUNT;
	if (out->max_members_count == 0)
		out->max_members_count = DEFAULT_MEMBERS_COUNT;
	if (out->max_extensions_count > HERALD__MAX_EXTENSIONS)
		return herald_option_refuse(error, "max_extensions_count",
					    "must be at most %d, not %zu", HERALD__MAX_EXTENSIONS,
					    out->max_extensions_count);
	return herald__limits_fill(&out->limits, &out->limits, error);
}

bool
herald__builder_no_memory(struct herald__event_builder *builder, size_t offset)
{
	if (herald__arena_over_limit(builder->arena))
		return herald__trace_fail(builder->trace, offset, HERALD_LIMIT,
					  "the event exceeds its memory limit");
	return herald__trace_fail(builder->trace, offset, HERALD_NO_MEMORY, "out of memory");
}

bool
herald__builder_see(struct herald__event_builder *builder, enum herald__event_attribute attribute,
		    size_t offset)
{
	unsigned bit = 1u << attribute;

	if ((builder->seen & bit) != 0)
		return herald__trace_fail(builder->trace, offset, HERALD_DUPLICATE,
					  "is a duplicate");
	builder->seen |= bit;
	return true;
}

/* What every value must fulfil. */
static bool
check_value(struct herald__event_builder *builder, enum herald__event_attribute attribute,
	    struct herald_text value, size_t offset)
{
	if (value.bytes > builder->options->max_attribute_bytes)
		return herald__trace_fail(
			builder->trace, offset, HERALD_LIMIT,
			"expected at most %zu bytes (max_attribute_bytes), found %zu",
			builder->options->max_attribute_bytes, value.bytes);
	return herald__event_attribute_check(attribute, value, offset, builder->trace);
}

/* In a function of its own, because the error's text takes stack space. */
HERALD__COLD static bool
fail_time(struct herald__event_builder *builder, struct herald_text value, size_t offset)
{
	struct herald__time_fault fault;
	struct herald_time time;

	(void)herald__time_parse(value.data, value.bytes, &time, &fault);
	return herald__trace_fail(builder->trace, offset, HERALD_BAD_TIME,
				  "not an RFC 3339 timestamp: %s", fault.what);
}

static bool
check_specversion(struct herald__event_builder *builder, struct herald_text value, size_t offset)
{
	struct herald__shown shown;

	if (value.bytes == 3 && memcmp(value.data, "1.0", 3) == 0)
		return true;
	return herald__trace_fail(builder->trace, offset, HERALD_BAD_VALUE,
				  "expected \"1.0\", found %s",
				  herald__show_string(&shown, value.data, value.bytes));
}

bool
herald__builder_set(struct herald__event_builder *builder, enum herald__event_attribute attribute,
		    struct herald_text value, size_t offset)
{
	struct herald_cloudevent *event = builder->event;

	builder->set |= 1u << attribute;
	if (attribute == HERALD__SPECVERSION)
		return check_specversion(builder, value, offset);
	if (attribute == HERALD__TIME) {
		event->has_time = herald__time_parse(value.data, value.bytes, &event->time, NULL);
		return event->has_time || fail_time(builder, value, offset);
	}
	if (!check_value(builder, attribute, value, offset))
		return false;
	switch (attribute) {
	case HERALD__ID:
		event->id = value;
		break;
	case HERALD__SOURCE:
		event->source = value;
		break;
	case HERALD__TYPE:
		event->type = value;
		break;
	case HERALD__SUBJECT:
		event->subject = value;
		break;
	case HERALD__DATASCHEMA:
		event->dataschema = value;
		break;
	default:
		event->datacontenttype = value;
		break;
	}
	return true;
}

/* Make room for one more extension. */
static bool
grow_extensions(struct herald__event_builder *builder)
{
	const size_t each = sizeof(*builder->extensions);
	size_t bytes = builder->extensions_capacity * each;
	size_t capacity = bytes == 0 ? 4 : builder->extensions_capacity * 2;
	struct herald_cloudevent_extension *extensions = builder->extensions;

	if (!extensions ||
	    !herald__arena_extend(builder->arena, extensions, bytes, capacity * each)) {
		extensions = herald__arena_take(builder->arena, capacity * each);
		if (!extensions)
			return false;
		if (bytes > 0)
			memcpy(extensions, builder->extensions, bytes);
		builder->extensions = extensions;
	}
	builder->extensions_capacity = capacity;
	return true;
}

/* Whether there is an extension of that name. `name` may hold a NUL, which no other name equals. */
static bool
has_extension(const struct herald__event_builder *builder, const char *name, size_t bytes)
{
	for (size_t i = 0; i < builder->extensions_count; i++) {
		const char *other = builder->extensions[i].name;

		if (*other == *name && strlen(other) == bytes && memcmp(other, name, bytes) == 0)
			return true;
	}
	return false;
}

static bool
check_name(struct herald__event_builder *builder, const char *name, size_t bytes, size_t offset)
{
	if (has_extension(builder, name, bytes))
		return herald__trace_fail(builder->trace, offset, HERALD_DUPLICATE,
					  "is a duplicate");
	if (builder->extensions_count == builder->options->max_extensions_count)
		return herald__trace_fail(
			builder->trace, offset, HERALD_LIMIT,
			"expected at most %zu extensions (max_extensions_count), found more",
			builder->options->max_extensions_count);
	if (!builder->options->ignore_bad_names && !herald__is_event_attribute_name(name, bytes))
		return herald__trace_fail(
			builder->trace, offset, HERALD_BAD_VALUE,
			"is not a valid attribute name: expected a-z and 0-9 only");
	return true;
}

struct herald_cloudevent_extension *
herald__builder_extend(struct herald__event_builder *builder, const char *name, size_t bytes,
		       size_t offset)
{
	struct herald_cloudevent_extension *extension;

	if (!check_name(builder, name, bytes, offset))
		return NULL;
	if (builder->extensions_count == builder->extensions_capacity &&
	    !grow_extensions(builder)) {
		herald__builder_no_memory(builder, offset);
		return NULL;
	}
	extension = &builder->extensions[builder->extensions_count++];
	*extension = (struct herald_cloudevent_extension){.name = name, .kind = HERALD__UNSET};
	return extension;
}

bool
herald__builder_set_string(struct herald__event_builder *builder,
			   struct herald_cloudevent_extension *extension, struct herald_text value,
			   size_t offset)
{
	if (!check_value(builder, HERALD__EXTENSION, value, offset))
		return false;
	extension->kind = HERALD_CLOUDEVENT_STRING;
	extension->text = value;
	return true;
}

/* Remove what must not be in the event. */
static void
drop_unset(struct herald__event_builder *builder)
{
	size_t count = 0;

	for (size_t i = 0; i < builder->extensions_count; i++) {
		if (builder->extensions[i].kind == HERALD__UNSET)
			continue;
		if (count < i)
			builder->extensions[count] = builder->extensions[i];
		count++;
	}
	builder->extensions_count = count;
}

bool
herald__builder_finish(struct herald__event_builder *builder, size_t offset, const char **missing)
{
	static const enum herald__event_attribute required[] = {HERALD__SPECVERSION, HERALD__ID,
								HERALD__SOURCE, HERALD__TYPE};
	struct herald_cloudevent *event = builder->event;

	for (size_t i = 0; i < sizeof(required) / sizeof(*required); i++) {
		if ((builder->set & 1u << required[i]) != 0)
			continue;
		*missing = herald__event_attribute_names[required[i]];
		return herald__trace_fail(builder->trace, offset, HERALD_MISSING,
					  "is required, but missing");
	}
	drop_unset(builder);
	event->extensions_count = builder->extensions_count;
	event->extensions = builder->extensions_count > 0 ? builder->extensions : NULL;
	return true;
}
