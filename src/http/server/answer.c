/*
 * Writes responses: status line, headers and body. Knows neither requests nor connections. The
 * response to an event is chosen in ../response.c.
 */
#include "http/server/answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/http.h>

/* A buffer being written. After a failure nothing more is appended. */
struct writer {
	struct herald_buffer *out;
	enum herald_status status;
};

static void
put_bytes(struct writer *writer, const char *data, size_t bytes)
{
	if (writer->status == HERALD_OK && bytes > 0)
		writer->status = herald_buffer_append(writer->out, data, bytes);
}

static void
put(struct writer *writer, const char *text)
{
	put_bytes(writer, text, strlen(text));
}

static bool
put_header(const char *name, const char *value, void *state)
{
	const struct writer *writer = state;

	put(state, name);
	put(state, ": ");
	put(state, value);
	put(state, "\r\n");
	return writer->status == HERALD_OK;
}

static void
put_status_line(struct writer *writer, unsigned status)
{
	char line[32];

	snprintf(line, sizeof(line), "HTTP/1.1 %u ", status);
	put(writer, line);
	put(writer, herald_http_reason(status));
	put(writer, "\r\n");
}

enum herald_status
herald__answer_write(struct herald_buffer *out, const struct herald_http_response *response,
		     const struct herald__answer_options *options)
{
	struct writer writer = {.out = out};
	size_t before = out->bytes;

	put_status_line(&writer, response->status);
	put(&writer, options->date);
	herald_http_response_headers(response, put_header, &writer);
	put_bytes(&writer, options->headers.data, options->headers.bytes);
	if (options->closes)
		put(&writer, "Connection: close\r\n");
	else if (options->is_http10)
		put(&writer, "Connection: keep-alive\r\n");
	put(&writer, "\r\n");
	if (!options->is_head)
		put_bytes(&writer, response->body, response->body_bytes);
	if (writer.status != HERALD_OK)
		out->bytes = before;
	return writer.status;
}
