/*
 * Functions shared by HTTP adapters: reading the framing of a body from a request's headers, and
 * listing the headers of a response. Keeps no state and knows no framework.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/http.h>
#include <herald/adapter/text.h>

#include "http/framing.h"
#include "http/target.h"

static const char unknown_expectation[] =
	"the server meets no expectation other than 100-continue (RFC 9110 section 10.1.1)";

#define BOTH_LENGTHS "there are both Content-Length and Transfer-Encoding"

/* Returns whether the text is a number. Numbers of more than 64 bits become the maximum. */
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

static bool
is_token(struct herald_text name)
{
	return name.bytes > 0 && herald_http_token_bytes(name.data) == name.bytes;
}

/* Whether a name is longer than this, and begins with it. */
static bool
goes_on(struct herald_text name, const char *beginning)
{
	size_t bytes = strlen(beginning);

	return name.bytes > bytes && herald_ascii_same_bytes(name.data, beginning, bytes);
}

/* Whether there are several types: frameworks join the values of repeated headers. */
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

/* The first problem is kept. */
static void
problem_add(struct herald_http_framing *framing, const char *problem)
{
	if (!framing->problem)
		framing->problem = problem;
}

static void
add_length(struct herald_http_framing *framing, struct herald_text value)
{
	/* Set even if it is not a number, so that a second one is seen. */
	uint64_t length = 0;

	if (framing->content_length != HERALD_HTTP_NO_LENGTH)
		problem_add(framing, "there are two Content-Length headers");
	if (framing->chunked)
		problem_add(framing, BOTH_LENGTHS);
	if (!parse_length(value, &length))
		problem_add(framing, "Content-Length is not a number");
	framing->content_length = length;
}

static void
add_encoding(struct herald_http_framing *framing, struct herald_text value)
{
	if (framing->chunked)
		problem_add(framing, "there are two Transfer-Encoding headers");
	if (framing->content_length != HERALD_HTTP_NO_LENGTH)
		problem_add(framing, BOTH_LENGTHS);
	if (!is_text(value, "chunked"))
		problem_add(framing, "Transfer-Encoding is not chunked");
	framing->chunked = true;
}

static void
add_type(struct herald_http_framing *framing, struct herald_text value)
{
	if (framing->content_type)
		problem_add(framing, "there are two Content-Type headers");
	else if (is_list(value.data))
		problem_add(framing, "Content-Type is a list");
	framing->content_type = value.data;
}

static void
add_host(struct herald_http_framing *framing, struct herald_text value)
{
	if (framing->has_host)
		problem_add(framing, "there are two Host headers");
	if (!herald__http_is_host(value))
		problem_add(framing, "Host is not a host and a port");
	framing->has_host = true;
}

bool
herald__http_list_next(struct herald_text *list, struct herald_text *element)
{
	while (list->bytes > 0) {
		const char *comma = memchr(list->data, ',', list->bytes);
		size_t bytes = comma ? (size_t)(comma - list->data) : list->bytes;
		size_t taken = comma ? bytes + 1 : bytes;

		*element = herald_http_trimmed(list->data, bytes);
		list->data += taken;
		list->bytes -= taken;
		if (element->bytes > 0)
			return true;
	}
	return false;
}

static void
add_expectations(struct herald_http_framing *framing, struct herald_text value)
{
	struct herald_text element;

	while (herald__http_list_next(&value, &element))
		if (is_text(element, "100-continue"))
			framing->expects_continue = true;
		else
			problem_add(framing, unknown_expectation);
}

/* Whether a list of codings has nothing to decode. */
static bool
is_identity(struct herald_text value)
{
	struct herald_text element;

	while (herald__http_list_next(&value, &element))
		if (!is_text(element, "identity"))
			return false;
	return true;
}

/* Several headers are one list. */
static void
add_coding(struct herald_http_framing *framing, struct herald_text value)
{
	const char *before = framing->content_encoding;

	if (!before || is_identity((struct herald_text){before, strlen(before)}))
		framing->content_encoding = value.data;
	else if (!is_identity(value))
		framing->content_encoding = HERALD_HTTP_SEVERAL_CODINGS;
}

/* The server reads this header itself. */
static void
add_connection(struct herald_http_framing *framing, struct herald_text value)
{
	struct herald_text option;

	while (herald__http_list_next(&value, &option)) {
		framing->asks_to_close |= is_text(option, "close");
		framing->asks_to_keep_alive |= is_text(option, "keep-alive");
	}
}

void
herald__http_framing_add(struct herald_http_framing *framing, struct herald_text name,
			 struct herald_text value)
{
	if (HERALD__HTTP_IS_NAMED(name, "content-length"))
		add_length(framing, value);
	else if (HERALD__HTTP_IS_NAMED(name, "transfer-encoding"))
		add_encoding(framing, value);
	else if (HERALD__HTTP_IS_NAMED(name, "expect"))
		add_expectations(framing, value);
	else if (HERALD__HTTP_IS_NAMED(name, "content-type"))
		add_type(framing, value);
	else if (HERALD__HTTP_IS_NAMED(name, "host"))
		add_host(framing, value);
	else if (HERALD__HTTP_IS_NAMED(name, "content-encoding"))
		add_coding(framing, value);
}

unsigned
herald_http_problem_status(const char *problem)
{
	if (problem == unknown_expectation)
		return 417;
	return problem == herald__http_not_secured ? 421 : 400;
}

void
herald_http_framing_add(struct herald_http_framing *framing, const char *name, const char *value)
{
	const struct herald_text named = {.data = name, .bytes = strlen(name)};
	const struct herald_text given = {.data = value ? value : "",
					  .bytes = value ? strlen(value) : 0};
	const struct herald_text trimmed = herald_http_trimmed(given.data, given.bytes);

	if (herald_http_value_bytes(given.data, given.bytes) < given.bytes)
		problem_add(framing, "the value of a header has a control character");
	/* "Content-Length : 5" is a length for some readers, and another header for others. */
	if (!is_token(named))
		problem_add(framing, "the name of a header is not a token");
	/* libmicrohttpd (0.9.75) appends a folded line to the name of the header above. */
	if (goes_on(named, "Content-Length") || goes_on(named, "Transfer-Encoding"))
		problem_add(framing, "a header's name begins with Content-Length or "
				     "Transfer-Encoding, but is longer");
	/* With trailing blanks, libmicrohttpd (0.9.75) reads up to the end of the connection. */
	if (HERALD__HTTP_IS_NAMED(named, "transfer-encoding") && trimmed.bytes < given.bytes)
		problem_add(framing, "Transfer-Encoding has blanks around its value");
	if (HERALD__HTTP_IS_NAMED(named, "connection"))
		add_connection(framing, trimmed);
	herald__http_framing_add(framing, named, trimmed);
}

void
herald__http_framing_end(struct herald_http_framing *framing, bool is_http10)
{
	if (is_http10 && framing->chunked)
		problem_add(framing, "HTTP/1.0 does not have Transfer-Encoding");
	if (!is_http10 && !framing->has_host)
		problem_add(framing, "HTTP/1.1 requires a Host header");
}

static void
check_version(struct herald_http_framing *framing, const char *version)
{
	if (strncmp(version, "HTTP/", 5) == 0)
		version += 5;
	if (strcmp(version, "1.1") == 0 || strcmp(version, "1.0") == 0)
		herald__http_framing_end(framing, version[2] == '0');
	else
		problem_add(framing, "the version is neither HTTP/1.1 nor HTTP/1.0");
}

void
herald_http_framing_request_line(struct herald_http_framing *framing, const char *method,
				 const char *target, const char *version)
{
	struct herald_text path;

	if (method && !is_token((struct herald_text){method, strlen(method)}))
		problem_add(framing, "the method is not a token");
	/* Any target is allowed with OPTIONS, and "/" with any method. */
	const char *problem = herald__http_target_problem(
		method ? method : "OPTIONS", target ? target : "/", framing->is_secured, &path);

	if (problem)
		problem_add(framing, problem);
	if (version)
		check_version(framing, version);
}

void
herald_http_framing_target_part(struct herald_http_framing *framing, const char *part)
{
	if (part && !herald__http_is_target_part(part))
		problem_add(framing, herald__http_bad_target);
}

bool
herald_http_framing_has_body(const struct herald_http_framing *framing)
{
	return framing->chunked ||
	       (framing->content_length != HERALD_HTTP_NO_LENGTH && framing->content_length > 0);
}

bool
herald_http_framing_may_hide_body(const struct herald_http_framing *framing, const char *method)
{
	if (framing->chunked || framing->content_length != HERALD_HTTP_NO_LENGTH)
		return false;
	return !method || (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0);
}

bool
herald_http_framing_must_close(const struct herald_http_framing *framing)
{
	if (framing->problem)
		return true;
	if (framing->expects_continue && herald_http_framing_has_body(framing))
		return true;
	return framing->content_length != HERALD_HTTP_NO_LENGTH &&
	       framing->content_length > HERALD__HTTP_MAX_DROPPED_BYTES;
}

bool
herald_http_response_headers(const struct herald_http_response *response,
			     herald_http_header_sink *sink, void *state)
{
	char length[24], retry_after[16];
	const struct herald_answer_header own[] = {
		{"Content-Type", response->content_type},
		/* Of 304, it would be the length of the body that is not sent. */
		{"Content-Length",
		 response->status == 204 || response->status == 304 ? NULL : length},
		{"Allow", response->allow},
		{"Accept-Encoding", response->accept_encoding},
		{"WWW-Authenticate", response->challenge},
		{"Retry-After", response->retry_after_s > 0 ? retry_after : NULL},
	};

	snprintf(length, sizeof(length), "%zu", response->body_bytes);
	if (response->retry_after_s > 0)
		snprintf(retry_after, sizeof(retry_after), "%" PRIu32, response->retry_after_s);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (own[i].value && !sink(own[i].name, own[i].value, state))
			return false;
	for (size_t i = 0; i < response->headers_count; i++)
		if (!sink(response->headers[i].name, response->headers[i].value, state))
			return false;
	return true;
}
