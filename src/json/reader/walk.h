/*
 * Walking over JSON text that is not checked, from value to value: it may be invalid and may end
 * anywhere. Nothing at or after `end` is read; what is found in invalid text is meaningless. Looks
 * only at what separates values: quotes, brackets, commas, colons and white space. Inline, because
 * pointers of a service are followed in every event. Private.
 */
#ifndef HERALD_SRC_JSON_READER_WALK_H
#define HERALD_SRC_JSON_READER_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "json/reader/reader.h"
#include "json/reader/scan.h"

/* A member or an element whose value has not been read. */
struct herald__item {
	const char *name; /* the opening quote; NULL: an element */
	const char *name_end;
	const char *value; /* before the end */
};

/* The first byte at or after `at` that is not white space, or `end`. */
static inline const char *
herald__walk_space(const char *at, const char *end)
{
	while (at < end && herald__is_space(*at))
		at++;
	return at;
}

/* The place after the string whose opening quote is at `at`, or NULL. */
static inline const char *
herald__walk_string(const char *at, const char *end)
{
	for (at++; at < end; at++) {
		if (*at == '"')
			return at + 1;
		at += *at == '\\';
	}
	return NULL;
}

/* The place after the value at `at`, or NULL. It is `at` itself where no value begins. */
static inline const char *
herald__walk_value(const char *at, const char *end)
{
	if (at == end)
		return NULL;
	if (*at == '{' || *at == '[')
		return herald__skip_brackets((char *)at, (char *)end); /* not written to */
	if (*at == '"')
		return herald__walk_string(at, end);
	while (at < end && !strchr(",:]} \t\r\n", *at))
		at++;
	return at;
}

/* The item that begins at `at`, after white space. */
static inline bool
herald__walk_item(const char *at, const char *end, bool in_object, struct herald__item *out)
{
	at = herald__walk_space(at, end);
	out->name = NULL;
	if (in_object) {
		if (at == end || *at != '"')
			return false;
		out->name = at;
		out->name_end = herald__walk_string(at, end);
		if (!out->name_end)
			return false;
		at = herald__walk_space(out->name_end, end);
		if (at == end || *at != ':')
			return false;
		at = herald__walk_space(at + 1, end);
	}
	out->value = at;
	return at < end;
}

/*
 * The first item of the object or array at `at`, and the item after the one whose value ends at
 * `at`. They return false if there is none. `in_object`: items have names.
 */
static inline bool
herald__walk_first(const char *at, const char *end, struct herald__item *out)
{
	if (!herald__walk_item(at + 1, end, *at == '{', out))
		return false;
	return out->name || *out->value != ']';
}

static inline bool
herald__walk_next(const char *at, const char *end, bool in_object, struct herald__item *out)
{
	at = herald__walk_space(at, end);
	return at < end && *at == ',' && herald__walk_item(at + 1, end, in_object, out);
}

#endif
