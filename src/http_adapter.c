/*
 * What HTTP adapters have in common: reading the framing of a body from a request's headers, and the
 * list of an answer's. It owns no state and knows no framework; the endpoint uses of it only what a
 * value and a token are.
 */
#include <herald/adapter/text.h>
#include <herald/http_adapter.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "http.h"

/* A declared body of up to this many bytes is read and dropped, so that its sender sees the answer. */
#define DROP_MAX_BYTES (16u << 20)

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct herald_text
without_blanks(const char *value, size_t bytes)
{
	while (bytes > 0 && is_blank(*value))
		value++, bytes--;
	while (bytes > 0 && is_blank(value[bytes - 1]))
		bytes--;
	return (struct herald_text){.data = value, .bytes = bytes};
}

struct herald_text
herald__http_value(const char *value)
{
	return without_blanks(value, strlen(value));
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
	return text.bytes == strlen(wanted) &&
	       herald_ascii_same_bytes(text.data, wanted, text.bytes);
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
is_token(struct herald_text name)
{
	return name.bytes > 0 && herald__http_token_bytes(name.data) == name.bytes;
}

/* Whether a byte of eight is zero. */
static bool
has_zero(uint64_t word)
{
	return ((word - UINT64_C(0x0101010101010101)) & ~word & UINT64_C(0x8080808080808080)) != 0;
}

/* Whether a byte of eight may be a control byte: it is one, or a tab. */
static bool
may_have_control(const char *eight)
{
	uint64_t word;

	memcpy(&word, eight, sizeof(word));
	/* Below 0x20 nothing is left of a byte without its lower five bits. */
	return has_zero(word & UINT64_C(0xe0e0e0e0e0e0e0e0)) ||
	       has_zero(word ^ UINT64_C(0x7f7f7f7f7f7f7f7f));
}

/* Whether there is a control byte in a value, but for the tab (RFC 9110 section 5.5). */
static bool
has_control(const char *value, size_t bytes)
{
	size_t at = 0;

	/* Eight at a time, the last ones overlapping, as long as not even a tab is among them. */
	if (bytes >= 8) {
		while (at + 8 < bytes && !may_have_control(value + at))
			at += 8;
		if (at + 8 >= bytes && !may_have_control(value + bytes - 8))
			return false;
	}
	for (; at < bytes; at++)
		if (((unsigned char)value[at] < ' ' && value[at] != '\t') || value[at] == 0x7f)
			return true;
	return false;
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

/* Whether bytes are those wanted, which are lower case letters and hyphens, but for their case. */
static inline bool
is_same_byte(unsigned char byte, unsigned char wanted)
{
	/* Letters have bit 0x40; it is moved to where case makes the difference. */
	return ((byte ^ wanted) & ~(wanted >> 1 & 0x20)) == 0;
}

static inline bool
are_same_eight(const char *bytes, const char *wanted)
{
	uint64_t left, right;

	memcpy(&left, bytes, sizeof(left));
	memcpy(&right, wanted, sizeof(right));
	return ((left ^ right) & ~(right >> 1 & UINT64_C(0x2020202020202020))) == 0;
}

static inline bool
is_named(struct herald_text name, const char *wanted, size_t bytes)
{
	if (name.bytes != bytes)
		return false;
	if (bytes < 8) {
		for (size_t i = 0; i < bytes; i++)
			if (!is_same_byte((unsigned char)name.data[i], (unsigned char)wanted[i]))
				return false;
		return true;
	}
	/* The last eight overlap. */
	for (size_t i = 0; i + 8 < bytes; i += 8)
		if (!are_same_eight(name.data + i, wanted + i))
			return false;
	return are_same_eight(name.data + bytes - 8, wanted + bytes - 8);
}

/* `WANTED` is a literal in lower case. */
#define IS_NAMED(NAME, WANTED) is_named(NAME, WANTED, sizeof(WANTED) - 1)

void
herald_http_framing_add(struct herald_http_framing *framing, const char *name, const char *value)
{
	const struct herald_text named = {.data = name, .bytes = strlen(name)};
	bool has_length = framing->content_length != HERALD_HTTP_NO_LENGTH;

	if (!value)
		value = "";
	size_t bytes = strlen(value);
	framing->ambiguous |= has_control(value, bytes);
	if (IS_NAMED(named, "content-length")) {
		/* Set also when it is none, so that a second one is seen. */
		uint64_t length = 0;

		framing->ambiguous |= has_length || framing->chunked;
		framing->ambiguous |= !parse_length(without_blanks(value, bytes), &length);
		framing->content_length = length;
	} else if (IS_NAMED(named, "transfer-encoding")) {
		framing->ambiguous |= has_length || framing->chunked;
		/* Blanks after it count: with them libmicrohttpd (0.9.75) reads up to the end. */
		framing->ambiguous |= !herald_ascii_same(value, "chunked");
		framing->chunked = true;
	} else if (IS_NAMED(named, "expect")) {
		framing->expects_continue = is_text(without_blanks(value, bytes), "100-continue");
	} else if (IS_NAMED(named, "content-type")) {
		framing->ambiguous |= framing->content_type || is_list(value);
		framing->content_type = value;
	} else if (IS_NAMED(named, "host")) {
		framing->ambiguous |= framing->has_host;
		framing->ambiguous |= !herald__http_is_host(without_blanks(value, bytes));
		framing->has_host = true;
	} else if (!is_token(named)) {
		/* "Content-Length : 5" is a length for some readers, and another header for others. */
		framing->ambiguous = true;
	}
}

void
herald_http_framing_version(struct herald_http_framing *framing, const char *version)
{
	if (!version)
		return;
	if (strcmp(version, "HTTP/1.1") == 0 || strcmp(version, "1.1") == 0)
		framing->ambiguous |= !framing->has_host;
	else if (strcmp(version, "HTTP/1.0") == 0 || strcmp(version, "1.0") == 0)
		framing->ambiguous |= framing->chunked;
	else
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
