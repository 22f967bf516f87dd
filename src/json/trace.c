/*
 * Builds the JSON Pointer (RFC 6901) of an error from the inside out, in the
 * error's own memory. Knows nothing of what went wrong.
 */
#include "trace.h"

#include <stdarg.h>
#include <string.h>

#include "text.h"

bool
herald__trace_fail(struct herald__trace *trace, size_t offset, enum herald_status status,
		   const char *format, ...)
{
	struct herald_error *error = &trace->error;
	va_list arguments;

	error->status = status;
	error->offset = offset;
	va_start(arguments, format);
	herald__text_format(error->message, sizeof(error->message), format, arguments);
	va_end(arguments);
	trace->path_begin = sizeof(error->path) - 1;
	error->path[trace->path_begin] = '\0';
	trace->path_cut = false;
	return false;
}

static void
prepend(struct herald__trace *trace, char byte)
{
	if (trace->path_begin > 0 && !trace->path_cut)
		trace->error.path[--trace->path_begin] = byte;
	else
		trace->path_cut = true;
}

void
herald__trace_key(struct herald__trace *trace, const char *key, size_t bytes)
{
	while (bytes-- > 0) {
		/* RFC 6901 section 3: '~' is ~0 and '/' is ~1. */
		if (key[bytes] == '~' || key[bytes] == '/') {
			prepend(trace, key[bytes] == '~' ? '0' : '1');
			prepend(trace, '~');
		} else {
			/* A path is a C string; a name with a NUL in it is shown with a '?'. */
			prepend(trace, key[bytes] != '\0' ? key[bytes] : '?');
		}
	}
	prepend(trace, '/');
}

void
herald__trace_index(struct herald__trace *trace, size_t index)
{
	do
		prepend(trace, (char)('0' + index % 10));
	while ((index /= 10) > 0);
	prepend(trace, '/');
}

enum herald_status
herald__trace_finish(struct herald__trace *trace, const char *base_path, struct herald_error *out)
{
	char *path = trace->error.path;
	size_t size = sizeof(trace->error.path);
	size_t from = 3;

	for (size_t i = strlen(base_path); i-- > 0;)
		prepend(trace, base_path[i]);
	memmove(path, path + trace->path_begin, size - trace->path_begin);
	if (trace->path_cut) {
		/* The cut may be within a character; begin with a whole one. */
		while (((unsigned char)path[from] & 0xC0) == 0x80)
			from++;
		memmove(path + 3, path + from, size - from);
		memcpy(path, "...", 3);
	}
	if (out != NULL)
		*out = trace->error;
	return trace->error.status;
}
