/*
 * Writes a line with the verdict of each event of a request that has one event a line. The events
 * are handled in src/service/many.c; batch.c passes their results. The body is in the request's
 * buffer `statuses`: at the beginning there is room for a short line for every event, and while
 * lines are written, for those that are left.
 */
#include "http/verdict_lines.h"

#include <stdio.h>
#include <string.h>

#include "base/media_type.h"
#include "base/safe_text.h"
#include "codec/plan.h"
#include "http/endpoint.h"
#include "http/response.h"
#include "service/answer.h"
#include "service/context.h"
#include "service/many.h"
#include "service/service.h"
#include "json/reader/scan.h"

/* The maximum of a short line: {"index":99999,"status":"duplicate","omitted":true}. */
#define SHORT_LINE_BYTES 64

bool
herald__verdict_lines_begin(struct herald__verdict_lines *lines,
			    struct herald_http_request *request, size_t count)
{
	struct herald_buffer *out = &request->statuses;

	*lines = (struct herald__verdict_lines){request, count};
	out->max_bytes =
		count * SHORT_LINE_BYTES + request->endpoint->service->answer_limits.max_body_bytes;
	return herald_buffer_reserve(out, count * SHORT_LINE_BYTES) == HERALD_OK;
}

/* Each of these returns whether there was room. */

static bool
put(struct herald_buffer *out, const char *text)
{
	return herald_buffer_append(out, text, strlen(text)) == HERALD_OK;
}

static bool
put_text(struct herald_buffer *out, const char *name, const char *text)
{
	return *text == '\0' ||
	       (put(out, name) && herald__json_append_text(out, text) == HERALD_OK);
}

static bool
put_number(struct herald_buffer *out, const char *name, size_t number)
{
	char text[48];

	snprintf(text, sizeof(text), "%s%zu", name, number);
	return put(out, text);
}

static const char *
status_of(const struct herald_result *result)
{
	return result->acceptance != HERALD_ACCEPTANCE_NONE
		       ? herald_acceptance_name(result->acceptance)
		       : herald_verdict_name(result->verdict);
}

/* JSON on one line: outside of strings a line feed is white space, and in strings there is none. */
static bool
put_json(struct herald_buffer *out, const char *json, size_t bytes)
{
	if (!put(out, ",\"answer\":") || herald_buffer_append(out, json, bytes) != HERALD_OK)
		return false;
	for (char *at = out->data + out->bytes - bytes; at < out->data + out->bytes; at++)
		if (*at == '\n' || *at == '\r')
			*at = ' ';
	return true;
}

/* The answer of a function. Only JSON can be in the line. */
static bool
put_answer(struct herald_buffer *out, const struct herald__settled *event)
{
	const struct herald_answer answer = herald__answer_of(event->ctx, event->result->verdict);
	const struct herald__media_type type = herald__media_type_of(answer.content_type);
	struct herald__trace unused;

	if (answer.status == 0)
		return true;
	if (!put_number(out, ",\"http_status\":", answer.status))
		return false;
	if (answer.body_bytes == 0 || !herald__media_type_is_listed(&type, NULL) ||
	    !herald__check_json(answer.body, answer.body_bytes,
				&event->ctx->service->envelope_codec->limits, &unused))
		return true;
	return put_json(out, answer.body, answer.body_bytes);
}

static bool
put_error(struct herald_buffer *out, const struct herald_result *result)
{
	const struct herald_error *error = &result->error;

	if (!put_text(out, ",\"error\":", herald__public_reason(result)))
		return false;
	/* Paths are already escaped for JSON strings. */
	if (result->status != HERALD_OK && error->path[0] != '\0' &&
	    !(put(out, ",\"path\":\"") && put(out, error->path) && put(out, "\"")))
		return false;
	return result->status == HERALD_OK || error->offset == HERALD_NO_OFFSET ||
	       put_number(out, ",\"offset\":", error->offset);
}

/* Of an event that is not done. */
static bool
put_problem(struct herald_buffer *out, const struct herald_http_request *request,
	    const struct herald_result *result)
{
	const struct herald_endpoint *endpoint = request->endpoint;
	bool retries = result->verdict == HERALD_RETRY;

	if (!put_number(out, ",\"http_status\":",
			retries ? 503 : herald__failure_status(request, result)))
		return false;
	if (retries && !put_number(out, ",\"retry_after_ms\":",
				   result->retry_after_ms > 0 ? result->retry_after_ms
							      : endpoint->retry_after_ms))
		return false;
	return endpoint->hide_errors || put_error(out, result);
}

static bool
put_line(struct herald_buffer *out, const struct herald_http_request *request,
	 const struct herald__settled *event)
{
	const struct herald_context *ctx = event->ctx;
	const struct herald_result *result = event->result;

	if (!put_number(out, "{\"index\":", event->index) ||
	    !put_text(out, ",\"source\":", ctx ? herald_context_source(ctx) : "") ||
	    !put_text(out, ",\"id\":", ctx ? herald_context_id(ctx) : "") ||
	    !put_text(out, ",\"status\":", status_of(result)))
		return false;
	bool is_put = result->verdict != HERALD_DONE
			      ? put_problem(out, request, result)
			      : !ctx || !ctx->answer || put_answer(out, event);
	return is_put && put(out, "}\n");
}

/* For which room was reserved. */
static void
put_short_line(struct herald_buffer *out, const struct herald__settled *event)
{
	(void)(put_number(out, "{\"index\":", event->index) &&
	       put_text(out, ",\"status\":", status_of(event->result)) &&
	       put(out, ",\"omitted\":true}\n"));
}

void
herald__verdict_lines_add(struct herald__verdict_lines *lines, const struct herald__settled *event)
{
	struct herald_buffer *out = &lines->request->statuses;
	size_t written = out->bytes;

	lines->left--;
	if (put_line(out, lines->request, event) &&
	    herald_buffer_reserve(out, lines->left * SHORT_LINE_BYTES) == HERALD_OK)
		return;
	out->bytes = written;
	put_short_line(out, event);
}

void
herald__verdict_lines_respond(struct herald__verdict_lines *lines)
{
	const struct herald_buffer *out = &lines->request->statuses;

	herald__respond_lines(lines->request, (struct herald_text){out->data, out->bytes});
}
