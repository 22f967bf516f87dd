/*
 * Reads the head of a request. It owns nothing and does no I/O. What a header means for the end of
 * the body is in ../framing.c, and what a target is in ../target.c.
 *
 * A head is read from its first byte when it may be complete, and nothing is kept if it is not:
 * nearly all heads come in one piece.
 */
#include "http/server/head.h"

#include <stdint.h>
#include <string.h>

#include <herald/adapter/text.h>

#include "http/framing.h"
#include "http/target.h"

/* The bytes that are read, and where. */
struct input {
	char *at;
	char *end;
	bool is_full; /* there cannot be more */
	herald__span *span;
	size_t span_end; /* as in struct herald__head */
	const char *begin;
	size_t max_bytes;
	struct herald__refusal *refusal;
};

static bool
refuse(const struct input *input, unsigned status, const char *text)
{
	*input->refusal = (struct herald__refusal){.status = status, .text = text};
	return false;
}

static bool
malformed(const struct input *input, const char *text)
{
	return refuse(input, 400, text);
}

/* Texts that may have any length. */

/* herald_http_is_token_byte() as a table, which is faster for many bytes. A row is 16 bytes. */
static const uint8_t is_token_byte[256] = {
	[0x20] = 0, 1, 0, 1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 1, 1, 0, /* !"#$%&'()*+,-./ */
	[0x30] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, /* 0 to 9, :;<=>? */
	[0x40] = 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* @, A to O */
	[0x50] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, /* P to Z, [\]^_ */
	[0x60] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* `, a to o */
	[0x70] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1, 0, /* p to z, {|}~ */
};

static size_t
token_bytes(const char *text, size_t bytes)
{
	size_t at = 0;

	while (at < bytes && is_token_byte[(unsigned char)text[at]])
		at++;
	return at;
}

static size_t
target_bytes(const char *text, size_t bytes)
{
	size_t at = 0;

	while (at < bytes && text[at] > ' ' && text[at] <= '~')
		at++;
	return at;
}

/* The text that begins here. `input->at` is then at its end. */
static struct herald_text
take_text(struct input *input, herald__span *span)
{
	struct herald_text text = {.data = input->at};

	text.bytes = span(input->at, (size_t)(input->end - input->at));
	input->at += text.bytes;
	input->span = span;
	/* The head is not complete without a byte after the text. */
	input->span_end = input->max_bytes - 1;
	return text;
}

/* Take the end of a line. False: it is not there, or not all of it has come. */
static bool
take_line_end(struct input *input)
{
	if (input->at == input->end)
		return false;
	if (*input->at != '\r')
		return malformed(input, "a line of the head has a control character, or does "
					"not end with CR LF");
	input->span = NULL;
	if (input->at + 1 == input->end)
		return false;
	if (input->at[1] != '\n')
		return malformed(input, "a CR in the head is not followed by LF");
	input->at += 2;
	return true;
}

/* The request line: "POST /event HTTP/1.1". */

static bool
read_method(struct input *input, struct herald__head *head)
{
	struct herald_text method = take_text(input, token_bytes);

	if (input->at == input->end)
		return false;
	/* A handshake record (RFC 8446 section 5.1). */
	if (*method.data == 0x16)
		return malformed(input, "this port does not speak TLS");
	if (method.bytes == 0 || *input->at != ' ')
		return malformed(input, "the request line does not begin with a method and a "
					"space");
	head->method = method;
	input->at++;
	return true;
}

static bool
read_target(struct input *input, const struct herald__head_limits *limits,
	    struct herald__head *head)
{
	size_t before = (size_t)(input->at - input->begin);

	head->target = take_text(input, target_bytes);
	if (head->target.bytes > limits->max_target_bytes ||
	    (input->at == input->end && input->is_full))
		return refuse(input, 414, "the request's target is too long");
	if (input->span_end - before > limits->max_target_bytes)
		input->span_end = before + limits->max_target_bytes;
	if (input->at == input->end)
		return false;
	if (head->target.bytes == 0 || *input->at != ' ')
		return malformed(input, "the request line does not have a target and a space "
					"after the method");
	input->at++;
	return true;
}

/* Two digits, such as "HTTP/1.1" (RFC 9112 section 2.3). */
static bool
read_version(struct input *input, struct herald__head *head)
{
	static const char usual[] = "HTTP/1.1", form[] = "HTTP/0.0";
	const char *version = input->at;

	input->span = NULL;
	if (input->end - input->at >= 8 && memcmp(version, usual, 8) == 0) {
		input->at += 8;
		return true;
	}
	for (const char *wanted = form; *wanted != '\0'; wanted++, input->at++) {
		if (input->at == input->end)
			return false;
		if (*wanted == '0' ? !herald_ascii_is_digit(*input->at) : *input->at != *wanted)
			return malformed(input,
					 "the request line does not end with an HTTP version");
	}
	if (version[5] != '1')
		return refuse(input, 505, "the server speaks HTTP/1 only");
	/* Later versions of HTTP/1 are read as HTTP/1.1 (RFC 9110 section 2.5). */
	head->is_http10 = version[7] == '0';
	return true;
}

/* Headers. */

static bool
read_header(struct input *input, struct herald__header *header)
{
	header->name = take_text(input, token_bytes);
	if (input->at == input->end)
		return false;
	if (header->name.bytes == 0 && (*input->at == ' ' || *input->at == '\t'))
		return malformed(input, "a header line begins with a space; folded headers are not "
					"accepted");
	if (header->name.bytes == 0 || *input->at != ':')
		return malformed(input, "a header line does not begin with a name and a colon");
	input->at++;
	header->value = take_text(input, herald_http_value_bytes);
	header->value = herald_http_trimmed(header->value.data, header->value.bytes);
	return take_line_end(input);
}

/* All headers, and the empty line after them. */
static bool
read_headers(struct input *input, const struct herald__head_limits *limits,
	     struct herald__head *head)
{
	head->headers_count = 0;
	while (input->at < input->end && *input->at != '\r') {
		if (head->headers_count == limits->max_headers)
			return refuse(input, 431, "the request has too many headers");
		if (!read_header(input, &head->headers[head->headers_count]))
			return false;
		head->headers_count++;
	}
	return take_line_end(input);
}

static bool
read_lines(struct input *input, const struct herald__head_limits *limits, struct herald__head *head)
{
	if (input->at < input->end && *input->at == '\r' && !take_line_end(input))
		return false;
	return read_method(input, head) && read_target(input, limits, head) &&
	       read_version(input, head) && take_line_end(input) &&
	       read_headers(input, limits, head);
}

/* What the head says. */

static void
terminate(struct herald_text text)
{
	((char *)(uintptr_t)text.data)[text.bytes] = '\0';
}

/* The byte after each text is no longer needed: it is a space, a colon or a CR. */
static void
terminate_texts(struct herald__head *head)
{
	terminate(head->method);
	terminate(head->target);
	for (size_t i = 0; i < head->headers_count; i++) {
		terminate(head->headers[i].name);
		terminate(head->headers[i].value);
	}
}

/* Connection: a list of tokens (RFC 9110 section 7.6.1). */
static void
read_connection(struct herald_text value, bool *close, bool *keep_alive)
{
	struct herald_text option;

	while (herald__http_list_next(&value, &option)) {
		*close |= HERALD__HTTP_IS_NAMED(option, "close");
		*keep_alive |= HERALD__HTTP_IS_NAMED(option, "keep-alive");
	}
}

static void
read_meaning(struct herald__head *head)
{
	bool close = false, keep_alive = false;

	head->framing = (struct herald_http_framing)HERALD_HTTP_FRAMING_INIT;
	for (size_t i = 0; i < head->headers_count; i++) {
		const struct herald__header *header = &head->headers[i];

		if (HERALD__HTTP_IS_NAMED(header->name, "connection"))
			read_connection(header->value, &close, &keep_alive);
		else
			herald__http_framing_add(&head->framing, header->name, header->value);
	}
	herald__http_framing_end(&head->framing, head->is_http10);
	/* HTTP/1.0 does not know 100 Continue (RFC 9110 section 10.1.1). */
	head->framing.expects_continue &= !head->is_http10;
	head->keeps_alive = !close && (keep_alive || !head->is_http10);
}

/* After the '?'; without one, at the end of the target. */
static struct herald_text
query_of(struct herald_text target)
{
	const char *end = target.data + target.bytes;
	const char *mark = memchr(target.data, '?', target.bytes);
	const char *query = mark ? mark + 1 : end;

	return (struct herald_text){query, (size_t)(end - query)};
}

/* Whether a valid target is a URL that ends with its host, as "http://t:80": with OPTIONS, it means
 * the whole server (RFC 9112 section 3.2.4). */
static bool
is_only_host(const char *target)
{
	return (*target | 0x20) == 'h' && !strpbrk(strstr(target, "://") + 3, "/?");
}

static bool
read_target_form(struct input *input, const struct herald__head_limits *limits,
		 struct herald__head *head)
{
	const char *problem = herald__http_target_problem(head->method.data, head->target.data,
							  limits->is_secured, &head->path);

	if (problem == herald__http_no_tunnels)
		return refuse(input, 501, problem);
	if (problem)
		return refuse(input, herald_http_problem_status(problem), problem);
	if (is_only_host(head->target.data) && strcmp(head->method.data, "OPTIONS") == 0)
		head->path = (struct herald_text){.data = "*", .bytes = 1};
	head->query = query_of(head->target);
	return true;
}

/* Whether this is a request such as "POST /event" to the usual target. */
static bool
is_usual(const struct herald__head *head, const struct herald_text *usual)
{
	/* CONNECT and OPTIONS are looked at below. */
	return *head->method.data == 'P' && head->target.bytes == usual->bytes &&
	       memcmp(head->target.data, usual->data, usual->bytes) == 0;
}

static bool
check(struct input *input, const struct herald__head_limits *limits, struct herald__head *head)
{
	if (is_usual(head, &limits->usual_target)) {
		head->path = head->target;
		head->query = (struct herald_text){head->target.data + head->target.bytes, 0};
	} else if (!read_target_form(input, limits, head)) {
		return false;
	}
	read_meaning(head);
	const char *problem = head->framing.problem;
	return !problem || refuse(input, herald_http_problem_status(problem), problem);
}

size_t
herald__head_read(struct herald__head *head, const struct herald__head_limits *limits, char *data,
		  size_t bytes, struct herald__refusal *refusal)
{
	struct input input = {
		.at = data,
		.end = data + (bytes < limits->max_bytes ? bytes : limits->max_bytes),
		.is_full = bytes >= limits->max_bytes,
		.begin = data,
		.max_bytes = limits->max_bytes,
		.refusal = refusal,
	};

	*refusal = (struct herald__refusal){0};
	if (read_lines(&input, limits, head)) {
		terminate_texts(head);
		return check(&input, limits, head) ? (size_t)(input.at - data) : 0;
	}
	if (refusal->status == 0 && input.is_full)
		refuse(&input, 431, "the head of the request is too large");
	head->span = input.span;
	head->span_end = input.span_end;
	return 0;
}

bool
herald__head_is_head(const struct herald__head *head)
{
	return head->method.bytes == 4 && memcmp(head->method.data, "HEAD", 4) == 0;
}

const char *
herald__head_find(const struct herald__head *head, const char *name)
{
	size_t bytes = strlen(name);

	for (size_t i = 0; i < head->headers_count; i++) {
		const struct herald__header *header = &head->headers[i];

		if (header->name.bytes == bytes &&
		    herald_ascii_same_bytes(header->name.data, name, bytes))
			return header->value.data;
	}
	return NULL;
}

void
herald__head_visit(const struct herald__head *head, herald_attribute_visitor *visit, void *state)
{
	for (size_t i = 0; i < head->headers_count; i++)
		if (!visit(head->headers[i].name.data, head->headers[i].value.data, state))
			return;
}
