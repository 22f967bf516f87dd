/*
 * The handshake by which the sender of a webhook asks whether it may deliver events (CloudEvents
 * HTTP Webhooks 1.0 section 4): OPTIONS with WebHook-Request-Origin and WebHook-Request-Rate.
 *
 * Only names from the endpoint's options are sent back, never the sender's text, and no URL is
 * called.
 */
#include "http/handshake.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/text.h>

#include "base/options.h"
#include "http/endpoint.h"
#include "http/response.h"

#define MAX_NAME_BYTES 253 /* of a DNS name (RFC 1035 section 2.3.4) */
#define ANY "*"

/* Options. */

/* Whether a text is "*" or a DNS name. */
static bool
is_origin(const char *text)
{
	size_t bytes = strlen(text);

	if (strcmp(text, ANY) == 0)
		return true;
	if (bytes == 0 || bytes > MAX_NAME_BYTES || *text == '.' || strstr(text, ".."))
		return false;
	for (size_t i = 0; i < bytes; i++) {
		char byte = herald_ascii_lower(text[i]);

		if ((byte < 'a' || byte > 'z') && !herald_ascii_is_digit(byte) && byte != '-' &&
		    byte != '.' && byte != '_')
			return false;
	}
	return true;
}

enum herald_status
herald__handshake_init(struct herald_endpoint *endpoint,
		       const struct herald_endpoint_options *options, struct herald_error *error)
{
	size_t count = 0;

	endpoint->allowed_rate = options->allowed_rate;
	for (; options->allowed_origins && options->allowed_origins[count]; count++)
		if (!is_origin(options->allowed_origins[count]))
			return herald__option_error(
				error, HERALD_BAD_OPTION,
				HERALD__OPTION_ELEMENT("allowed_origins", count),
				"expected a DNS name such as \"eventgrid.azure.net\", or \"*\"");
	if (count == 0)
		return options->allowed_rate == 0
			       ? HERALD_OK
			       : herald_option_refuse(error, "allowed_rate",
						      "has no effect without allowed_origins");

	const char **copies = herald__arena_array(endpoint->arena, count + 1, sizeof(*copies));
	for (size_t i = 0; copies && i < count; i++)
		if (!herald__arena_string(endpoint->arena, options->allowed_origins[i], &copies[i]))
			copies = NULL;
	endpoint->allowed_origins = copies;
	return copies ? HERALD_OK : herald_out_of_memory(error);
}

/* The request. */

/* What the headers ask for. */
struct asked {
	struct herald_text origin, rate; /* data NULL: missing */
	bool is_ambiguous;               /* one of them was sent twice */
};

static void
take(struct asked *asked, struct herald_text *out, const char *value)
{
	if (out->data)
		asked->is_ambiguous = true;
	*out = herald_http_trimmed(value ? value : "", value ? strlen(value) : 0);
}

/* The herald_attribute_visitor. */
static bool
look_at_header(const char *name, const char *value, void *state)
{
	struct asked *asked = state;

	if (herald_ascii_same(name, "WebHook-Request-Origin"))
		take(asked, &asked->origin, value);
	else if (herald_ascii_same(name, "WebHook-Request-Rate"))
		take(asked, &asked->rate, value);
	return true;
}

/* The option that allows an origin, or NULL. Whole names are compared, without case. */
static const char *
find_allowed(const struct herald_endpoint *endpoint, struct herald_text origin)
{
	for (const char *const *name = endpoint->allowed_origins; *name; name++)
		if (strcmp(*name, ANY) == 0 ||
		    (strlen(*name) == origin.bytes &&
		     herald_ascii_same_bytes(*name, origin.data, origin.bytes)))
			return *name;
	return NULL;
}

/* Read a positive integer; what does not fit is the greatest one. Returns false if it is not
 * one. */
static bool
read_rate(struct herald_text text, uint32_t *out)
{
	uint64_t rate = 0;

	for (size_t i = 0; i < text.bytes; i++) {
		if (!herald_ascii_is_digit(text.data[i]))
			return false;
		rate = rate * 10 + (uint64_t)(text.data[i] - '0');
		if (rate > UINT32_MAX)
			rate = UINT32_MAX;
	}
	*out = (uint32_t)rate;
	return rate > 0;
}

/* The smaller of what is asked for and what is allowed; 0 means without a limit. */
static uint32_t
granted_rate(uint32_t asked, uint32_t allowed)
{
	if (asked == 0 || (allowed > 0 && allowed < asked))
		return allowed;
	return asked;
}

static void
grant(struct herald_http_request *request, const char *origin, uint32_t rate)
{
	struct herald__handshake *handshake = &request->handshake;

	if (rate > 0)
		snprintf(handshake->rate, sizeof(handshake->rate), "%u", rate);
	else
		memcpy(handshake->rate, ANY, sizeof(ANY));
	handshake->headers[0] = (struct herald_answer_header){"WebHook-Allowed-Origin", origin};
	handshake->headers[1] =
		(struct herald_answer_header){"WebHook-Allowed-Rate", handshake->rate};
	request->response.headers = handshake->headers;
	request->response.headers_count = 2;
}

void
herald__handshake_respond(struct herald_http_request *request, const struct herald_http_head *head)
{
	const struct herald_endpoint *endpoint = request->endpoint;
	struct asked asked = {.is_ambiguous = false};
	uint32_t rate = 0;

	if (head->headers_visit)
		head->headers_visit(look_at_header, &asked, head->state);
	if (asked.origin.data && !endpoint->allowed_origins) {
		herald__refuse(request, 405, "this endpoint grants nothing to webhooks");
		request->response.allow = "POST";
		return;
	}
	herald__respond_other_method(request, head->method);
	if (!asked.origin.data)
		return;
	if (asked.is_ambiguous || (asked.rate.data && !read_rate(asked.rate, &rate))) {
		herald__refuse(request, 400,
			       asked.is_ambiguous
				       ? "a header of the webhook's request was sent twice"
				       : "expected a positive integer in WebHook-Request-Rate");
		return;
	}
	/* A refusal is a response without the headers. */
	const char *origin = find_allowed(endpoint, asked.origin);
	if (origin)
		grant(request, origin, granted_rate(rate, endpoint->allowed_rate));
}
