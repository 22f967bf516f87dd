/*
 * What HTTP adapters have in common: reading the framing of a body from a request's headers, and the
 * list of an answer's. It owns no state and knows no framework; the endpoint uses of it only what a
 * value and a token are.
 */
#include <herald/http_adapter.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "http.h"

/* A declared body of up to this many bytes is read and dropped, so that its sender sees the answer. */
#define DROP_MAX_BYTES (16u << 20)

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct herald_text
herald__http_value(const char *value)
{
	while (is_blank(*value))
		value++;

	size_t bytes = strlen(value);
	while (bytes > 0 && is_blank(value[bytes - 1]))
		bytes--;
	return (struct herald_text){.data = value, .bytes = bytes};
}

/* Whether it is a number; one past 64 bits counts as the greatest. */
static bool
parse_length(struct herald_text text, uint64_t *out)
{
	uint64_t length = 0;
	bool past = false;

	for (size_t i = 0; i < text.bytes; i++) {
		unsigned digit = (unsigned char)text.data[i] - (unsigned)'0';

		if (digit > 9)
			return false;
		past |= length > (UINT64_MAX - 1 - digit) / 10;
		length = length * 10 + digit;
	}
	*out = past ? UINT64_MAX - 1 : length;
	return text.bytes > 0;
}

static bool
is_text(struct herald_text text, const char *wanted)
{
	return text.bytes == strlen(wanted) && strncasecmp(text.data, wanted, text.bytes) == 0;
}

size_t
herald__http_token_bytes(const char *text)
{
	/* The bytes that a token may have, a bit each. */
	static const uint64_t bits[4] = {0x03ff6cfa00000000, 0x57ffffffc7fffffe, 0, 0};
	const unsigned char *at = (const unsigned char *)text;

	while (bits[*at / 64] >> *at % 64 & 1)
		at++;
	return (size_t)((const char *)at - text);
}

static bool
is_token(const char *name)
{
	size_t bytes = herald__http_token_bytes(name);

	return bytes > 0 && name[bytes] == '\0';
}

/* Whether there are several types: frameworks put the values of repeated headers in one. */
static bool
is_list(const char *value)
{
	bool quoted = false;

	if (!strchr(value, ','))
		return false;
	for (; *value != '\0'; value++) {
		if (*value == '"')
			quoted = !quoted;
		else if (quoted && *value == '\\' && value[1] != '\0')
			value++;
		else if (!quoted && *value == ',')
			return true;
	}
	return false;
}

/* The first letter says nearly always which one a name is not. */
static bool
is_named(const char *name, const char *wanted)
{
	return (name[0] | 0x20) == (wanted[0] | 0x20) && strcasecmp(name, wanted) == 0;
}

void
herald_http_framing_add(struct herald_http_framing *framing, const char *name, const char *value)
{
	bool has_length = framing->content_length != HERALD_HTTP_NO_LENGTH;

	if (!value)
		value = "";
	if (is_named(name, "Content-Length")) {
		/* Set also when it is none, so that a second one is seen. */
		uint64_t length = 0;

		framing->ambiguous |= has_length || framing->chunked;
		framing->ambiguous |= !parse_length(herald__http_value(value), &length);
		framing->content_length = length;
	} else if (is_named(name, "Transfer-Encoding")) {
		framing->ambiguous |= has_length || framing->chunked;
		/* Blanks after it count: with them libmicrohttpd (0.9.75) reads up to the end. */
		framing->ambiguous |= strcasecmp(value, "chunked") != 0;
		framing->chunked = true;
	} else if (is_named(name, "Expect")) {
		framing->expects_continue = is_text(herald__http_value(value), "100-continue");
	} else if (is_named(name, "Content-Type")) {
		framing->ambiguous |= framing->content_type || is_list(value);
		framing->content_type = value;
	} else if (!is_token(name)) {
		/* "Content-Length : 5" is a length for some readers, and another header for others. */
		framing->ambiguous = true;
	}
}

void
herald_http_framing_version(struct herald_http_framing *framing, const char *version)
{
	size_t bytes = version ? strlen(version) : 0;

	if (framing->chunked && bytes >= 3 && strcmp(version + bytes - 3, "1.0") == 0)
		framing->ambiguous = true;
}

bool
herald_http_framing_must_close(const struct herald_http_framing *framing)
{
	bool has_length = framing->content_length != HERALD_HTTP_NO_LENGTH;
	bool has_body = framing->chunked || (has_length && framing->content_length > 0);

	if (framing->ambiguous)
		return true;
	if (framing->expects_continue && has_body)
		return true;
	return has_length && framing->content_length > DROP_MAX_BYTES;
}

void
herald_http_response_headers(const struct herald_http_response *response,
			     herald_http_header_sink *sink, void *state)
{
	char number[24];

	sink("Content-Type", response->content_type, state);
	snprintf(number, sizeof(number), "%zu", response->body_bytes);
	sink("Content-Length", number, state);
	if (response->allow)
		sink("Allow", response->allow, state);
	if (response->retry_after_s > 0) {
		snprintf(number, sizeof(number), "%" PRIu32, response->retry_after_s);
		sink("Retry-After", number, state);
	}
}
