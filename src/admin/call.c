/*
 * A request to the dashboard: reads its headers, writes refusals, and members of the JSON that
 * answers it. handle.c decides what is answered.
 */
#include "admin/call.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/safe_text.h"
#include <herald/time.h>

const char *
herald__admin_header(const struct herald__admin_call *call, const char *name)
{
	const struct herald_admin_request *request = call->request;

	return request->header ? request->header(name, request->state) : NULL;
}

void
herald__admin_add_header(struct herald__admin_call *call, const char *name, const char *value)
{
	struct herald_admin_response *response = call->response;

	if (response->headers_count < HERALD_ADMIN_MAX_HEADERS)
		response->headers[response->headers_count++] =
			(struct herald_answer_header){name, value};
}

/* Refusals. */

static void
begin_refusal(struct herald__admin_call *call, unsigned status)
{
	call->response->status = status;
	call->response->body.bytes = 0;
	call->json = (struct herald__indented){.out = &call->response->body};
	herald__indented_begin(&call->json, '{');
}

void
herald__admin_refuse_text(struct herald__admin_call *call, unsigned status, const char *text)
{
	begin_refusal(call, status);
	herald__admin_put_text(call, "error", text);
	herald__indented_end(&call->json, '}');
}

void
herald__admin_refuse(struct herald__admin_call *call, unsigned status, const char *format, ...)
{
	char text[HERALD__MESSAGE_BYTES];
	va_list arguments;

	va_start(arguments, format);
	herald__text_format(text, sizeof(text), format, arguments);
	va_end(arguments);
	herald__admin_refuse_text(call, status, text);
}

static unsigned
http_status_of(enum herald_status status)
{
	switch (status) {
	case HERALD_NO_MEMORY:
	case HERALD_UNAVAILABLE:
	case HERALD_UNKNOWN_OUTCOME:
	case HERALD_STORE_FAILED:
	case HERALD_SYSTEM:
		return 503;
	default:
		return 400;
	}
}

void
herald__admin_refuse_error(struct herald__admin_call *call, const struct herald_error *error)
{
	begin_refusal(call, http_status_of(error->status));
	herald__admin_put_text(call, "error",
			       error->message[0] != '\0' ? error->message
							 : herald_status_text(error->status));
	if (error->path[0] != '\0')
		herald__admin_put_text(call, "path", error->path);
	herald__indented_end(&call->json, '}');
}

void
herald__admin_refuse_for_now(struct herald__admin_call *call, unsigned status, uint64_t wait_ms,
			     const char *what)
{
	char *text = call->response->retry_after;

	snprintf(text, sizeof(call->response->retry_after), "%" PRIu64, wait_ms / 1000 + 1);
	herald__admin_refuse(call, status, "%s; try again in %s s", what, text);
	herald__admin_add_header(call, "Retry-After", text);
}

/* Members. */

void
herald__admin_put(struct herald__admin_call *call, const char *key, uint64_t value)
{
	herald__indented_key(&call->json, key);
	herald__indented_natural(&call->json, value);
}

void
herald__admin_put_text(struct herald__admin_call *call, const char *key, const char *text)
{
	herald__indented_key(&call->json, key);
	herald__indented_text(&call->json, text);
}

void
herald__admin_put_bool(struct herald__admin_call *call, const char *key, bool value)
{
	herald__indented_key(&call->json, key);
	herald__indented_word(&call->json, value ? "true" : "false");
}

void
herald__admin_put_time(struct herald__admin_call *call, const char *key, int64_t ms)
{
	char text[HERALD_TIME_TEXT_BYTES];
	int64_t seconds = ms / 1000 - (ms % 1000 < 0);
	const struct herald_time time = {
		.seconds = seconds,
		.nanoseconds = (int32_t)(ms - seconds * 1000) * 1000000,
	};

	if (herald_time_format(&time, text) > 0)
		herald__admin_put_text(call, key, text);
}
