/*
 * Attempts: their memory, and the meaning of their results. They begin and end in engine.c.
 */
#include "delivery/attempt.h"

#include <stdarg.h>
#include <stdio.h>

#include <herald/adapter/memory.h>

#include "base/safe_text.h"

struct herald__attempt *
herald__attempt_create(const struct herald_allocator *allocator)
{
	struct herald__attempt *attempt =
		herald_memory_allocate_zeroed(allocator, 1, sizeof(*attempt));

	if (attempt)
		herald__request_init(&attempt->request, allocator);
	return attempt;
}

void
herald__attempt_destroy(const struct herald_allocator *allocator, struct herald__attempt *attempt)
{
	herald__request_finish(&attempt->request);
	herald_memory_release(allocator, attempt, sizeof(*attempt));
}

void
herald_attempt_result_fail(struct herald_attempt_result *out, bool may_retry, const char *format,
			   ...)
{
	char text[sizeof(out->error)];
	va_list arguments;

	va_start(arguments, format);
	herald__text_format(text, sizeof(text), format, arguments);
	va_end(arguments);
	*out = (struct herald_attempt_result){.may_retry = may_retry};
	snprintf(out->error, sizeof(out->error), "%s", text);
}

bool
herald__attempt_is_delivered(const struct herald_attempt_result *result)
{
	return result->is_confirmed || (result->http_status >= 200 && result->http_status <= 299);
}

bool
herald__attempt_may_retry(const struct herald_attempt_result *result)
{
	unsigned status = result->http_status;

	if (status == 0)
		return result->may_retry;
	return status == 408 || status == 425 || status == 429 || (status >= 500 && status <= 599);
}
