/*
 * White space, which is skipped by sixteen bytes where vectors can, and the errors of a document:
 * what was expected, what was found, and at which byte. Their paths are in error_path.c.
 */
#include "json/reader/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/text.h>

#include "base/arena.h"
#include "base/safe_text.h"
#include "base/simd.h"

char *
herald__skip_spaces(const struct herald__reader *reader, char *at)
{
#ifdef HERALD__VECTORS
	for (; reader->end - at >= 16; at += 16) {
		unsigned spaces = herald__count_spaces(at);

		if (spaces < 16)
			return at + spaces;
	}
#endif
	while (at < reader->end && herald__is_space(*at))
		at++;
	return at;
}

char *
herald__fail(struct herald__reader *reader, const char *at, enum herald_status status,
	     const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	herald__trace_vfail(&reader->trace, herald__offset(reader, at), status, format, arguments);
	va_end(arguments);
	return NULL;
}

char *
herald__fail_memory(struct herald__reader *reader, const char *at)
{
	if (herald__arena_over_limit(reader->arena))
		return herald__fail(reader, at, HERALD_LIMIT, "the event exceeds its memory limit");
	return herald__fail(reader, at, HERALD_NO_MEMORY, "out of memory");
}

static const char *
value_name(char first)
{
	switch (first) {
	case '"':
		return "a string";
	case '{':
		return "an object";
	case '[':
		return "an array";
	case 't':
	case 'f':
		return "a boolean";
	case 'n':
		return "null";
	case '-':
		return "a number";
	default:
		return first >= '0' && first <= '9' ? "a number" : NULL;
	}
}

static bool
is_of_word(char byte)
{
	return herald_ascii_is_letter(byte) || byte == '_';
}

/* Describe what is at `at`, where a value cannot begin: a word such as NaN, a character, or a
 * byte. */
static const char *
name_found(const struct herald__reader *reader, const char *at, struct herald__shown *shown)
{
	size_t left = (size_t)(reader->end - at), bytes = 0;
	unsigned char byte = (unsigned char)*at;
	bool valid;

	if (left >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0)
		return "a byte order mark";
	if (left >= 2 && (memcmp(at, "\xFE\xFF", 2) == 0 || memcmp(at, "\xFF\xFE", 2) == 0))
		return "a byte order mark of UTF-16";
	while (bytes < left && is_of_word(at[bytes]))
		bytes++;
	if (bytes > 0)
		return herald__show_word(shown, at, bytes);
	if (byte == '\'')
		return "a single quote";
	if (byte > ' ' && byte < 0x7F)
		snprintf(shown->text, sizeof(shown->text), "'%c'", byte);
	else if (byte >= 0x80 && (bytes = herald__utf8_next(at, left, &valid), valid))
		snprintf(shown->text, sizeof(shown->text), "U+%04X", herald__utf8_code(at, bytes));
	else
		snprintf(shown->text, sizeof(shown->text), "byte 0x%02X", byte);
	return shown->text;
}

void
herald__record_syntax(struct herald__reader *reader, const char *at, const char *expected)
{
	struct herald__shown shown;

	if (at >= reader->end)
		herald__fail(reader, reader->whole_end, HERALD_BAD_JSON,
			     "expected %s, found the end of the input", expected);
	else
		herald__fail(reader, at, HERALD_BAD_JSON, "expected %s, found %s", expected,
			     name_found(reader, at, &shown));
}

const char *
herald__show_number(const struct herald__reader *reader, const char *at,
		    struct herald__shown *shown)
{
	size_t bytes = 0;

	while (at + bytes < reader->end && at[bytes] != '\0' &&
	       strchr("+-.0123456789Ee", at[bytes]))
		bytes++;
	return herald__show_word(shown, at, bytes);
}

char *
herald__fail_zero(struct herald__reader *reader, const char *at)
{
	struct herald__shown shown;

	return herald__fail(reader, at, HERALD_BAD_JSON,
			    "expected a number without leading zeros, found %s",
			    herald__show_number(reader, at, &shown));
}

/* Whether `at` begins like true, false or null, but is not that word. */
static bool
is_broken_word(const struct herald__reader *reader, const char *at)
{
	const char *word = *at == 't' ? "true" : *at == 'f' ? "false" : *at == 'n' ? "null" : "";
	size_t bytes = strlen(word);

	return (size_t)(reader->end - at) < bytes || memcmp(at, word, bytes) != 0;
}

void
herald__record_type(struct herald__reader *reader, const char *at, const char *expected)
{
	const char *found = at < reader->end ? value_name(*at) : NULL;

	if (!found || is_broken_word(reader, at))
		herald__record_syntax(reader, at, expected);
	else
		herald__fail(reader, at, HERALD_BAD_TYPE, "expected %s, found %s", expected, found);
}
