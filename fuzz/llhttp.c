/*
 * Compares Herald's reader of requests with llhttp, the parser of Node.js: streams of requests,
 * whole and split at random. Each difference must be one of those in llhttp/differences.c. Herald
 * reads the same however a stream is split.
 *
 * The input: two bytes from which the splits are drawn; then the stream.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <llhttp.h>

#include "http/server/chunks.h"
#include "http/server/head.h"
#include "llhttp/grammar.h"
#include "llhttp/reading.h"
#include "target.h"

#define CHECK(CONDITION) ((CONDITION) ? (void)0 : abort())

static struct reading_request *
next_request(struct reading *reading)
{
	struct reading_request *request = &reading->requests[reading->requests_count];

	CHECK(reading->requests_count < READING_MAX_REQUESTS);
	*request = (struct reading_request){.headers = reading->headers + reading->headers_count};
	return request;
}

static struct reading_header *
next_header(struct reading *reading)
{
	CHECK(reading->headers_count < READING_MAX_HEADERS);
	return &reading->headers[reading->headers_count];
}

static void
begin_reading(struct reading *reading)
{
	reading->requests_count = reading->headers_count = 0;
	reading->end = READING_ENDS;
	reading->is_within_body = false;
	reading->reason = "";
}

static void
refuse(struct reading *reading, const char *reason)
{
	reading->end = READING_REFUSED;
	reading->reason = reason ? reason : "";
}

/* Herald, as connection.c reads, without responses. */

enum state { READ_HEAD, READ_BODY, READ_CHUNKS, ENDED };

struct herald_reader {
	struct reading reading;
	enum state state;
	char data[READING_MAX_BYTES + 1]; /* the texts of the requests are in it */
	size_t received, used;
	struct reading_request *request;
	bool keeps_alive; /* after the request */
	uint64_t left;    /* of a body with a length */
	struct herald__chunks chunks;
};

static void
begin_request(struct herald_reader *reader, const struct herald__head *head)
{
	uint64_t length = head->framing.content_length;

	reader->request = next_request(&reader->reading);
	reader->request->method = head->method;
	reader->request->target = head->target;
	reader->request->major = 1;
	reader->request->minor = head->is_http10 ? 0 : 1;
	reader->request->headers_count = head->headers_count;
	for (size_t i = 0; i < head->headers_count; i++) {
		*next_header(&reader->reading) =
			(struct reading_header){head->headers[i].name, head->headers[i].value};
		reader->reading.headers_count++;
	}
	reader->keeps_alive = head->keeps_alive;
	reader->left = length != HERALD_HTTP_NO_LENGTH ? length : 0;
	reader->chunks = (struct herald__chunks)HERALD__CHUNKS_INIT;
	reader->state = head->framing.chunked ? READ_CHUNKS : READ_BODY;
}

static void
end_request(struct herald_reader *reader)
{
	reader->reading.requests_count++;
	reader->state = reader->keeps_alive ? READ_HEAD : ENDED;
}

static void
end_refused(struct herald_reader *reader, const char *reason)
{
	refuse(&reader->reading, reason);
	reader->state = ENDED;
}

static size_t
read_head(struct herald_reader *reader, char *data, size_t bytes)
{
	static struct herald__header headers[READING_MAX_HEADERS];
	static const struct herald__head_limits limits = {.max_bytes = 2 * READING_MAX_BYTES,
							  .max_target_bytes = READING_MAX_BYTES,
							  .max_headers = READING_MAX_HEADERS,
							  .is_secured = true};
	struct herald__head head = {.headers = headers};
	struct herald__refusal refusal;
	size_t head_bytes = herald__head_read(&head, &limits, data, bytes, &refusal);

	if (head_bytes > 0)
		begin_request(reader, &head);
	else if (refusal.status != 0)
		end_refused(reader, refusal.text);
	return head_bytes;
}

/* More of the body: it is collected at its beginning. */
static void
add_body(struct herald_reader *reader, const char *data, size_t bytes)
{
	struct herald_text *body = &reader->request->body;

	if (!body->data)
		body->data = data;
	memmove((char *)(uintptr_t)body->data + body->bytes, data, bytes);
	body->bytes += bytes;
}

static size_t
read_body(struct herald_reader *reader, const char *data, size_t bytes)
{
	size_t taken = bytes < reader->left ? bytes : (size_t)reader->left;

	add_body(reader, data, taken);
	reader->left -= taken;
	if (reader->left == 0)
		end_request(reader);
	return taken;
}

static size_t
read_chunks(struct herald_reader *reader, const char *data, size_t bytes)
{
	struct herald_text piece;
	size_t taken = herald__chunks_read(&reader->chunks, data, bytes, &piece);

	if (piece.bytes > 0)
		add_body(reader, piece.data, piece.bytes);
	if (reader->chunks.state == HERALD__CHUNKS_BAD)
		end_refused(reader, "the chunks of the body are malformed");
	else if (reader->chunks.state == HERALD__CHUNKS_END)
		end_request(reader);
	return taken;
}

static size_t
read_more(struct herald_reader *reader)
{
	char *data = reader->data + reader->used;
	size_t bytes = reader->received - reader->used;

	switch (reader->state) {
	case READ_HEAD:
		return bytes > 0 ? read_head(reader, data, bytes) : 0;
	case READ_BODY:
		return read_body(reader, data, bytes);
	case READ_CHUNKS:
		return read_chunks(reader, data, bytes);
	default:
		return 0;
	}
}

static void
herald_begin(void *state)
{
	struct herald_reader *reader = state;

	begin_reading(&reader->reading);
	reader->state = READ_HEAD;
	reader->received = reader->used = 0;
}

static void
herald_feed(void *state, const char *data, size_t bytes)
{
	struct herald_reader *reader = state;
	enum state before;
	size_t taken;

	memcpy(reader->data + reader->received, data, bytes);
	reader->received += bytes;
	do {
		before = reader->state;
		taken = read_more(reader);
		reader->used += taken;
	} while (taken > 0 || reader->state != before);
}

static const struct reading *
herald_end(void *state)
{
	struct herald_reader *reader = state;
	bool is_incomplete = reader->state == READ_HEAD ? reader->used < reader->received
							: reader->state != ENDED;

	if (is_incomplete)
		reader->reading.end = READING_INCOMPLETE;
	reader->reading.is_within_body = is_incomplete && reader->state != READ_HEAD;
	return &reader->reading;
}

/* llhttp. */

struct llhttp_reader {
	struct reading reading;
	llhttp_t parser;
	char texts[4 * READING_MAX_BYTES]; /* of the requests */
	size_t texts_bytes;
	struct reading_request *request; /* NULL: between requests */
	bool has_head;                   /* what follows are trailers */
	bool has_ended;
};

/* More of a text, which may come in pieces. */
static void
add_text(struct llhttp_reader *reader, struct herald_text *text, const char *data, size_t bytes)
{
	if (!text->data)
		text->data = reader->texts + ++reader->texts_bytes; /* after a NUL */
	CHECK(reader->texts_bytes + bytes < sizeof(reader->texts));
	memcpy(reader->texts + reader->texts_bytes, data, bytes);
	text->bytes += bytes;
	reader->texts_bytes += bytes;
	reader->texts[reader->texts_bytes] = '\0';
}

static int
on_begin(llhttp_t *parser)
{
	struct llhttp_reader *reader = parser->data;

	reader->request = next_request(&reader->reading);
	*next_header(&reader->reading) = (struct reading_header){0};
	reader->has_head = false;
	return 0;
}

static int
on_method_end(llhttp_t *parser)
{
	struct llhttp_reader *reader = parser->data;
	const char *method = llhttp_method_name(parser->method);

	reader->request->method = (struct herald_text){method, strlen(method)};
	return 0;
}

static int
on_target(llhttp_t *parser, const char *data, size_t bytes)
{
	struct llhttp_reader *reader = parser->data;

	add_text(reader, &reader->request->target, data, bytes);
	return 0;
}

static int
on_name(llhttp_t *parser, const char *data, size_t bytes)
{
	struct llhttp_reader *reader = parser->data;

	if (reader->has_head)
		reader->request->has_trailers = true;
	else
		add_text(reader, &next_header(&reader->reading)->name, data, bytes);
	return 0;
}

static int
on_value(llhttp_t *parser, const char *data, size_t bytes)
{
	struct llhttp_reader *reader = parser->data;

	if (!reader->has_head)
		add_text(reader, &next_header(&reader->reading)->value, data, bytes);
	return 0;
}

static int
on_value_complete(llhttp_t *parser)
{
	struct llhttp_reader *reader = parser->data;
	struct herald_text *value = &next_header(&reader->reading)->value;

	if (reader->has_head)
		return 0;
	/* llhttp leaves the blanks at the end. */
	while (value->bytes > 0 && strchr(" \t", value->data[value->bytes - 1]))
		reader->texts[&value->data[--value->bytes] - reader->texts] = '\0';
	reader->reading.headers_count++;
	reader->request->headers_count++;
	*next_header(&reader->reading) = (struct reading_header){0};
	return 0;
}

static int
on_head(llhttp_t *parser)
{
	struct llhttp_reader *reader = parser->data;
	reader->request->major = parser->http_major;
	reader->request->minor = parser->http_minor;
	reader->has_head = true;
	return 0;
}

static int
on_body(llhttp_t *parser, const char *data, size_t bytes)
{
	struct llhttp_reader *reader = parser->data;

	add_text(reader, &reader->request->body, data, bytes);
	return 0;
}

static int
on_complete(llhttp_t *parser)
{
	struct llhttp_reader *reader = parser->data;

	reader->reading.requests_count++;
	reader->request = NULL;
	return llhttp_should_keep_alive(parser) ? 0 : HPE_PAUSED;
}

static void
llhttp_begin(void *state)
{
	static const llhttp_settings_t settings = {
		.on_message_begin = on_begin,
		.on_method_complete = on_method_end,
		.on_url = on_target,
		.on_header_field = on_name,
		.on_header_value = on_value,
		.on_header_value_complete = on_value_complete,
		.on_headers_complete = on_head,
		.on_body = on_body,
		.on_message_complete = on_complete,
	};
	struct llhttp_reader *reader = state;

	begin_reading(&reader->reading);
	llhttp_init(&reader->parser, HTTP_REQUEST, &settings);
	reader->parser.data = reader;
	reader->texts_bytes = 0;
	reader->request = NULL;
	reader->has_ended = false;
}

static void
llhttp_feed(void *state, const char *data, size_t bytes)
{
	struct llhttp_reader *reader = state;

	if (reader->has_ended)
		return;
	llhttp_errno_t number = llhttp_execute(&reader->parser, data, bytes);
	reader->has_ended = number != HPE_OK;
	if (number == HPE_PAUSED_UPGRADE)
		reader->reading.end = READING_UPGRADED;
	else if (number != HPE_OK && number != HPE_PAUSED)
		refuse(&reader->reading, llhttp_get_error_reason(&reader->parser));
}

static const struct reading *
llhttp_end(void *state)
{
	struct llhttp_reader *reader = state;

	if (!reader->has_ended && reader->request)
		reader->reading.end = READING_INCOMPLETE;
	reader->reading.is_within_body = reader->request && reader->has_head;
	return &reader->reading;
}

/* Comparing. */

struct reader {
	void (*begin)(void *state);
	void (*feed)(void *state, const char *data, size_t bytes);
	const struct reading *(*end)(void *state);
};

static const struct reader herald = {herald_begin, herald_feed, herald_end};
static const struct reader llhttp = {llhttp_begin, llhttp_feed, llhttp_end};

static const struct reading *
read_whole(const struct reader *reader, void *state, struct herald_text stream)
{
	reader->begin(state);
	reader->feed(state, stream.data, stream.bytes);
	return reader->end(state);
}

static const struct reading *
read_split(const struct reader *reader, void *state, struct herald_text stream, uint32_t seed)
{
	uint32_t most = grammar_draw(&seed, 2) == 0 ? 4 : 1 + (uint32_t)stream.bytes;

	reader->begin(state);
	for (size_t at = 0; at < stream.bytes;) {
		size_t piece = 1 + grammar_draw(&seed, most);

		piece = piece < stream.bytes - at ? piece : stream.bytes - at;
		reader->feed(state, stream.data + at, piece);
		at += piece;
	}
	return reader->end(state);
}

static void
print_reading(const char *name, const struct reading *reading)
{
	static const char *const ends[] = {"ends", "incomplete", "refused", "upgraded"};

	fprintf(stderr, "%s:\n", name);
	for (size_t i = 0; i < reading->requests_count; i++) {
		const struct reading_request *request = &reading->requests[i];

		fprintf(stderr, "  %s %s %u.%u\n", request->method.data, request->target.data,
			request->major, request->minor);
		for (size_t h = 0; h < request->headers_count; h++)
			fprintf(stderr, "    %s: %s\n", request->headers[h].name.data,
				request->headers[h].value.bytes > 0 ? request->headers[h].value.data
								    : "");
		fprintf(stderr, "    %zu bytes\n", request->body.bytes);
	}
	fprintf(stderr, "  %s %s\n", ends[reading->end], reading->reason);
}

static void
compare(struct herald_text stream, const struct reading *ours, const struct reading *theirs)
{
	if (reading_difference(stream, ours, theirs))
		return;
	print_reading("Herald", ours);
	print_reading("llhttp", theirs);
	abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct herald_reader our_whole, our_split;
	static struct llhttp_reader their_whole, their_split;

	if (size < 3 || size - 2 > READING_MAX_BYTES)
		return 0;
	const struct herald_text stream = {(const char *)data + 2, size - 2};
	uint32_t seed = (uint32_t)data[0] << 8 | data[1];
	const struct reading *ours = read_whole(&herald, &our_whole, stream);
	const struct reading *theirs = read_whole(&llhttp, &their_whole, stream);

	compare(stream, ours, theirs);
	ours = read_split(&herald, &our_split, stream, seed);
	compare(stream, ours, read_split(&llhttp, &their_split, stream, seed));
	CHECK(reading_is_same(ours, &our_whole.reading));
	return 0;
}

/* Of libFuzzer; NULL: it is not linked. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size) __attribute__((weak));

/* Insert a request from the grammar before the others, or after them, or instead of them. */
static size_t
insert_request(uint8_t *data, size_t size, size_t max_size, uint32_t seed)
{
	char request[1024];
	size_t bytes = grammar_write(&seed, request, max_size - 2 < 1024 ? max_size - 2 : 1024);
	size_t kept = size < 2 || grammar_draw(&seed, 3) == 0 ? 0 : size - 2;
	bool is_first = grammar_draw(&seed, 2) == 0;

	kept = kept < max_size - 2 - bytes ? kept : max_size - 2 - bytes;
	memmove(data + 2 + (is_first ? bytes : 0), data + 2, kept);
	memcpy(data + 2 + (is_first ? 0 : kept), request, bytes);
	if (size < 2)
		memset(data, 0, 2);
	return 2 + kept + bytes;
}

/* Called by libFuzzer. What it learns from must not depend on luck: a mutation in eight is a
 * request of the grammar. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	uint32_t drawn = seed;

	if (max_size > 2 && grammar_draw(&drawn, 8) == 0)
		return insert_request(data, size, max_size, drawn);
	return LLVMFuzzerMutate(data, size, max_size);
}
