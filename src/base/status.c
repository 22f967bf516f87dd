/*
 * Names and texts of the status codes, formatting and printing of errors, and the library's
 * version. The path of an error is written by the module that knows it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <herald/status.h>
#include <herald/version.h>

#include "base/error_path.h"
#include "base/safe_text.h"

struct description {
	const char *name;
	const char *text;
	bool may_retry;
};

static const struct description descriptions[HERALD_STATUS_COUNT] = {
#define DESCRIPTION(name, text, retry) [HERALD_##name] = {"HERALD_" #name, text, retry},
	HERALD_STATUS_LIST(DESCRIPTION)
#undef DESCRIPTION
};

/* An enum may hold any integer that fits its type. */
static const struct description *
describe(enum herald_status status)
{
	static const struct description unknown = {"HERALD_?", "not a status code", false};

	return (unsigned)status < HERALD_STATUS_COUNT ? &descriptions[status] : &unknown;
}

const char *
herald_status_name(enum herald_status status)
{
	return describe(status)->name;
}

const char *
herald_status_text(enum herald_status status)
{
	return describe(status)->text;
}

bool
herald_status_may_retry(enum herald_status status)
{
	return describe(status)->may_retry;
}

enum herald_status
herald_error_set(struct herald_error *error, enum herald_status status, size_t offset,
		 const char *format, ...)
{
	if (!error)
		return status;

	/* Format into a copy, because the error's own texts may be among the arguments. */
	char message[sizeof(error->message)];
	va_list arguments;

	va_start(arguments, format);
	herald__text_format(message, sizeof(message), format, arguments);
	va_end(arguments);

	error->status = status;
	error->offset = offset;
	error->path[0] = '\0';
	memcpy(error->message, message, strlen(message) + 1);
	return status;
}

/* Whether the message already begins with the path as a word of its own. */
static bool
names_path(const char *message, const char *path)
{
	size_t bytes = strlen(path);

	return strncmp(message, path, bytes) == 0 && strchr(" :,", message[bytes]);
}

/* The message without the value's name, if the path ends with that name. */
static const char *
skip_subject(const char *message, const char *path)
{
	const char *subject = herald__path_subject(path);
	size_t bytes = strlen(subject);

	if (bytes == 0 || strncmp(message, subject, bytes) != 0 ||
	    strncmp(message + bytes, ": ", 2) != 0)
		return message;
	return message + bytes + 2;
}

HERALD_PRINTF(3, 4)
static void
format_line(char *line, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	herald__text_format(line, size, format, arguments);
	va_end(arguments);
}

void
herald_error_print(FILE *stream, const char *program, const struct herald_error *error)
{
	const char *message =
		error->message[0] != '\0' ? error->message : herald_status_text(error->status);
	const char *path = names_path(message, error->path) ? "" : error->path;
	char line[HERALD__LINE_BYTES];
	char byte[32] = "";

	if (path[0] != '\0')
		message = skip_subject(message, path);
	if (error->status != HERALD_OK && error->offset != HERALD_NO_OFFSET)
		snprintf(byte, sizeof(byte), " (byte %zu)", error->offset);
	/* Cut the program's name, which may be a path of any length, rather than the message. */
	format_line(line, sizeof(line), "%.256s%s%s%s%s%s", program ? program : "",
		    program ? ": " : "", path, path[0] != '\0' ? ": " : "", message, byte);
	fprintf(stream, "%s\n", line);
}

const char *
herald_version(void)
{
	return HERALD_VERSION;
}

unsigned
herald_version_number(void)
{
	return HERALD_VERSION_NUMBER;
}
