/*
 * The paths of errors: JSON Pointers (RFC 6901), built from the inside out in the error's own
 * memory, copied, and cut to size.
 */
#include "base/error_path.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/text.h>

#include "base/safe_text.h"

void
herald__trace_vfail(struct herald__trace *trace, size_t offset, enum herald_status status,
		    const char *format, va_list arguments)
{
	struct herald_error *error = &trace->error;

	error->status = status;
	error->offset = offset;
	herald__text_format(error->message, sizeof(error->message), format, arguments);
	trace->path_begin = sizeof(error->path) - 1;
	error->path[trace->path_begin] = '\0';
	trace->path_cut = false;
}

bool
herald__trace_fail(struct herald__trace *trace, size_t offset, enum herald_status status,
		   const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	herald__trace_vfail(trace, offset, status, format, arguments);
	va_end(arguments);
	return false;
}

/* Takes the next part of a text that a path must contain whole or not at all. Returns its length in
 * the text. */
typedef size_t next_part(const char *text, size_t bytes, struct herald__json_piece *out);

/*
 * The first character of a name as it is written in a path: '~' as ~0 and '/' as ~1 (RFC 6901
 * section 3), then escaped as in a JSON string (section 5).
 */
static size_t
name_part(const char *text, size_t bytes, struct herald__json_piece *out)
{
	if (*text != '~' && *text != '/')
		return herald__json_character(text, bytes, out);
	out->data = *text == '~' ? "~0" : "~1";
	out->bytes = 2;
	return 1;
}

/* The length of the escape that the text begins with, of either kind; 0 if there is none. */
static size_t
escape_bytes(const char *text, size_t bytes)
{
	if (bytes < 2)
		return 0;
	if (*text == '~')
		return text[1] == '0' || text[1] == '1' ? 2 : 0;
	if (*text != '\\')
		return 0;
	if (text[1] != 'u')
		return text[1] != '\0' && strchr("\"\\/bfnrt", text[1]) ? 2 : 0;
	if (bytes < 6)
		return 0;
	for (size_t i = 2; i < 6; i++)
		if (!herald_ascii_is_hex_digit(text[i]))
			return 0;
	/* Half of a surrogate pair is not a character. */
	return herald_ascii_lower(text[2]) == 'd' && text[3] >= '8' ? 0 : 6;
}

/* The same for a text that is already a path. Characters that a path cannot contain are escaped. */
static size_t
path_part(const char *text, size_t bytes, struct herald__json_piece *out)
{
	if ((out->bytes = escape_bytes(text, bytes)) == 0)
		return herald__json_character(text, bytes, out);
	out->data = text;
	return out->bytes;
}

/* Prepend a text to the path. If there is not enough room, only the end of the text. */
static void
prepend(struct herald__trace *trace, const char *text, size_t bytes, next_part *next)
{
	struct herald__json_piece part;
	size_t left = 0, end = trace->path_begin;

	if (trace->path_cut)
		return;
	for (size_t i = 0; i < bytes; left += part.bytes)
		i += next(text + i, bytes - i, &part);
	trace->path_cut = left > end;
	for (size_t i = 0; i < bytes; left -= part.bytes) {
		i += next(text + i, bytes - i, &part);
		if (left > end)
			continue;
		if (trace->path_begin == end)
			trace->path_begin = end - left;
		memcpy(trace->error.path + end - left, part.data, part.bytes);
	}
}

void
herald__trace_key(struct herald__trace *trace, const char *key, size_t bytes)
{
	prepend(trace, key, bytes, name_part);
	prepend(trace, "/", 1, path_part);
}

void
herald__trace_index(struct herald__trace *trace, size_t index)
{
	char text[24];
	int bytes = snprintf(text, sizeof(text), "/%zu", index);

	prepend(trace, text, (size_t)bytes, path_part);
}

void
herald__trace_pointer(struct herald__trace *trace, const char *pointer, size_t bytes)
{
	prepend(trace, pointer, bytes, herald__json_character);
}

/* Replace the beginning, up to the end of a part, by "...". */
static void
mark_cut(char *path)
{
	size_t from = 0, bytes = strlen(path);
	struct herald__json_piece part;

	while (from < 3 && from < bytes)
		from += path_part(path + from, bytes - from, &part);
	memmove(path + 3, path + from, bytes + 1 - from);
	memcpy(path, "...", 3);
}

/* Move the complete path to the start of error.path. */
static void
place_path(struct herald__trace *trace)
{
	char *path = trace->error.path;

	memmove(path, path + trace->path_begin, sizeof(trace->error.path) - trace->path_begin);
	if (trace->path_cut)
		mark_cut(path);
}

void
herald__path_set(struct herald_error *error, const char *path, size_t bytes)
{
	struct herald__trace trace = {.path_begin = sizeof(trace.error.path) - 1};

	prepend(&trace, path, bytes, path_part);
	place_path(&trace);
	memcpy(error->path, trace.error.path, sizeof(error->path));
}

const char *
herald__path_of_pointer(const char *pointer, struct herald_arena *arena)
{
	size_t left = strlen(pointer);
	/* A byte grows to at most six, the length of an escape. */
	char *path = herald_arena_alloc(arena, 6 * left + 1), *end = path;

	if (!path)
		return NULL;
	while (left > 0) {
		struct herald__json_piece piece;
		size_t taken = herald__json_character(pointer, left, &piece);

		memcpy(end, piece.data, piece.bytes);
		end += piece.bytes;
		pointer += taken;
		left -= taken;
	}
	*end = '\0';
	return path;
}

const char *
herald__path_subject(const char *path)
{
	bool index = true;

	for (const char *at = path + strlen(path); at-- > path;) {
		if (*at != '/')
			index &= *at >= '0' && *at <= '9';
		else if (!index)
			return at + 1;
		else
			index = true;
	}
	return path;
}

/* The maximum number of bytes that the value's name takes in a message. */
#define SUBJECT_BYTES 64

/* Prepend the value's name to the message, so that it can be understood alone. */
static void
name_subject(struct herald_error *error)
{
	const char *name = herald__path_subject(error->path), *join = ": ";
	char text[SUBJECT_BYTES + 2 + sizeof(error->message)];
	size_t bytes;

	if (*name == '\0')
		return;
	if (strncmp(error->message, "is ", 3) == 0)
		join = " ";
	herald__text_line(text, SUBJECT_BYTES, name, strlen(name), false);
	bytes = strlen(text);
	bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes, "%s%s", join, error->message);
	herald__text_line(error->message, sizeof(error->message), text, bytes, false);
}

enum herald_status
herald__trace_finish(struct herald__trace *trace, const char *base_path, struct herald_error *out)
{
	if (!out)
		return trace->error.status;
	prepend(trace, base_path, strlen(base_path), path_part);
	place_path(trace);
	*out = trace->error;
	name_subject(out);
	return out->status;
}
