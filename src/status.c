/*
 * Names and texts of the status codes, errors filled in by printf, and the library's version. Where
 * an error has a path, the module that knows the path writes it.
 */
#include <stdarg.h>
#include <string.h>

#include <herald/status.h>
#include <herald/version.h>

#include "json/text.h"

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

/* An enum may hold any integer that fits it. */
static const struct description *
describe(enum herald_status status)
{
	static const struct description unknown = {"HERALD_?", "no status code", false};

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

	/* Not straight into the error: its own texts may be among the arguments. */
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

const char *
herald_version(void)
{
	return HERALD_VERSION;
}
