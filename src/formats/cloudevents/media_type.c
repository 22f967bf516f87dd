/*
 * Media types: which content mode a Content-Type means, and whether data is JSON. Reads no events.
 */
#include "formats/cloudevents/media_type.h"

#include <string.h>

#include <herald/adapter/text.h>
#include <herald/cloudevent.h>

#include "base/safe_text.h"

static size_t
token_bytes(const char *text, size_t bytes)
{
	size_t at = 0;

	while (at < bytes && herald_http_is_token_byte(text[at]))
		at++;
	return at;
}

/* The most frequent type, which need not be read byte by byte. */
static bool
is_plain_json(const char *text, size_t bytes)
{
	return bytes == 16 && memcmp(text, "application/json", 16) == 0;
}

size_t
herald__media_type_bytes(const char *text, size_t bytes)
{
	size_t type, subtype, after;

	if (is_plain_json(text, bytes))
		return bytes;
	type = token_bytes(text, bytes);
	if (type == 0 || type == bytes || text[type] != '/')
		return 0;
	subtype = token_bytes(text + type + 1, bytes - type - 1);
	after = type + 1 + subtype;
	if (subtype == 0)
		return 0;
	if (after < bytes && text[after] != ';' && text[after] != ' ' && text[after] != '\t')
		return 0;
	return after;
}

/* Whether a text ends with a lower-case `end`, in any case. */
static bool
ends_with(const char *text, size_t bytes, const char *end, size_t end_bytes)
{
	return bytes >= end_bytes &&
	       herald_ascii_same_bytes(text + bytes - end_bytes, end, end_bytes);
}

bool
herald__media_type_is_json(const char *text, size_t bytes)
{
	size_t type;

	if (is_plain_json(text, bytes))
		return true;
	type = herald__media_type_bytes(text, bytes);
	return ends_with(text, type, "/json", 5) || ends_with(text, type, "+json", 5);
}

bool
herald_cloudevent_is_json_type(const char *content_type)
{
	return content_type && herald__media_type_is_json(content_type, strlen(content_type));
}

/* A parameter such as charset="utf-8", without the quotes. */
struct parameter {
	const char *name, *value;
	size_t name_bytes, value_bytes;
};

/* The end of the quoted string whose opening quote is at `at`: its closing quote, or the NUL. */
static const char *
find_quote(const char *at)
{
	for (at++; *at != '"' && *at != '\0'; at++)
		if (*at == '\\' && at[1] != '\0')
			at++;
	return at;
}

/* Read the next parameter, from a semicolon on; its value is "" if it has none. Returns the place
 * after it, or NULL if there is no parameter. */
static const char *
next_parameter(const char *at, struct parameter *out)
{
	at += strspn(at, " \t;");
	if (*at == '\0')
		return NULL;
	out->name = at;
	out->name_bytes = herald_http_token_bytes(at);
	at += out->name_bytes;
	if (*at != '=') /* not a parameter */
		out->name_bytes = 0;
	else
		at++;
	out->value = at;
	if (*at == '"') {
		out->value++;
		at = find_quote(at);
	} else {
		at += herald_http_token_bytes(at);
	}
	out->value_bytes = (size_t)(at - out->value);
	return at + strcspn(at, ";");
}

static bool
is_utf8(const struct parameter *parameter)
{
	return (parameter->value_bytes == 5 &&
		herald_ascii_same_bytes(parameter->value, "utf-8", 5)) ||
	       (parameter->value_bytes == 4 &&
		herald_ascii_same_bytes(parameter->value, "utf8", 4));
}

/* The first charset among the parameters that is not UTF-8. Returns whether there is one. */
static bool
find_other_charset(const char *parameters, struct parameter *out)
{
	while ((parameters = next_parameter(parameters, out)))
		if (out->name_bytes == 7 && herald_ascii_same_bytes(out->name, "charset", 7) &&
		    !is_utf8(out))
			return true;
	return false;
}

static enum herald_cloudevent_mode
fail_type(struct herald_error *error, const char *expected, const char *found, size_t found_bytes)
{
	struct herald__shown shown;

	herald_error_set(error, HERALD_BAD_MEDIA_TYPE, HERALD_NO_OFFSET, "expected %s, found %s",
			 expected, herald__show_string(&shown, found, found_bytes));
	if (error)
		memcpy(error->path, "content-type", sizeof("content-type"));
	return HERALD_CLOUDEVENT_UNSUPPORTED;
}

enum herald_cloudevent_mode
herald_cloudevent_detect(const char *content_type, bool has_specversion, struct herald_error *error)
{
	static const char event[] = "application/cloudevents", batch[] = "-batch";
	const size_t event_bytes = sizeof(event) - 1, batch_bytes = sizeof(batch) - 1;
	size_t bytes = content_type ? strlen(content_type) : 0, type = 0;
	enum herald_cloudevent_mode mode = HERALD_CLOUDEVENT_STRUCTURED;
	struct parameter charset;
	const char *format;

	if (bytes >= event_bytes && herald_ascii_same_bytes(content_type, event, event_bytes))
		type = herald__media_type_bytes(content_type, bytes);
	if (type == 0)
		return has_specversion ? HERALD_CLOUDEVENT_BINARY : HERALD_CLOUDEVENT_NONE;
	format = content_type + event_bytes;
	if (type >= event_bytes + batch_bytes &&
	    herald_ascii_same_bytes(format, batch, batch_bytes)) {
		mode = HERALD_CLOUDEVENT_BATCH;
		format += batch_bytes;
	}
	/* A type that only begins in the same way, such as application/cloudeventsx+json. */
	if (format != content_type + type && *format != '+')
		return has_specversion ? HERALD_CLOUDEVENT_BINARY : HERALD_CLOUDEVENT_NONE;
	if ((size_t)(content_type + type - format) != 5 ||
	    !herald_ascii_same_bytes(format, "+json", 5))
		return fail_type(error,
				 mode == HERALD_CLOUDEVENT_BATCH
					 ? "application/cloudevents-batch+json"
					 : "application/cloudevents+json",
				 content_type, type);
	if (find_other_charset(content_type + type, &charset))
		return fail_type(error, "charset=utf-8", charset.value, charset.value_bytes);
	return mode;
}
