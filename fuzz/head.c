/*
 * Fuzzes the parser of requests: a head with any limits, and a body in chunks. The result does not
 * depend on how the input is split. A head that is accepted is well-formed; one that is refused or
 * incomplete is unchanged.
 *
 * The input: a byte that chooses head or chunks, and limits; one that says where it is split; then
 * the bytes to be read.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "http/server/chunks.h"
#include "http/server/head.h"
#include "target.h"

#define CHECK(CONDITION) ((CONDITION) ? (void)0 : abort())
#define MAX_HEADERS 8

/* Heads. */

struct reading {
	struct herald__header headers[MAX_HEADERS];
	struct herald__head head;
	struct herald__refusal refusal;
	char *data; /* a block of its exact size */
	size_t head_bytes;
};

static void
read_head(struct reading *reading, const struct herald__head_limits *limits, const char *data,
	  size_t bytes)
{
	*reading = (struct reading){.head.headers = reading->headers};
	reading->data = malloc(bytes + (bytes == 0));
	CHECK(reading->data);
	if (bytes > 0)
		memcpy(reading->data, data, bytes);
	reading->head_bytes =
		herald__head_read(&reading->head, limits, reading->data, bytes, &reading->refusal);
	CHECK(reading->head_bytes <= bytes && reading->head_bytes <= limits->max_bytes);
	CHECK(reading->head_bytes == 0 || reading->refusal.status == 0);
}

static bool
is_decided(const struct reading *reading)
{
	return reading->head_bytes > 0 || reading->refusal.status != 0;
}

/* A text within the head, with a NUL after it and none in it. */
static void
check_text(const struct reading *reading, struct herald_text text)
{
	CHECK(text.data >= reading->data);
	CHECK(text.data + text.bytes < reading->data + reading->head_bytes);
	CHECK(strlen(text.data) == text.bytes);
}

static void
check_head(const struct reading *reading, const struct herald__head_limits *limits,
	   const char *data, size_t bytes)
{
	const struct herald__head *head = &reading->head;

	CHECK(head->headers_count <= limits->max_headers);
	CHECK(head->target.bytes > 0 && head->target.bytes <= limits->max_target_bytes);
	check_text(reading, head->method);
	check_text(reading, head->target);
	check_text(reading, head->query);
	CHECK(head->path.bytes > 0 && (*head->path.data == '/' || *head->path.data == '*'));
	for (size_t i = 0; i < head->headers_count; i++) {
		check_text(reading, head->headers[i].name);
		check_text(reading, head->headers[i].value);
		CHECK(herald_http_token_bytes(head->headers[i].name.data) ==
		      head->headers[i].name.bytes);
		CHECK(herald__head_find(head, head->headers[i].name.data));
	}
	CHECK(!head->framing.problem && (head->is_http10 || head->framing.has_host));
	CHECK(!head->framing.chunked || head->framing.content_length == HERALD_HTTP_NO_LENGTH);
	CHECK(memcmp(data + reading->head_bytes - 4, "\r\n\r\n", 4) == 0);
	CHECK(memcmp(reading->data + reading->head_bytes, data + reading->head_bytes,
		     bytes - reading->head_bytes) == 0);
}

/* Whether a head may have been refused for what it says, and not for how it is written: then its
 * texts have their NULs. */
static bool
may_be_complete(unsigned status)
{
	return status == 400 || status == 417 || status == 421 || status == 501;
}

/* What decides about the first bytes decides about all; what their span covers decides nothing. */
static void
compare_heads(const struct reading *part, size_t part_bytes, const struct reading *all,
	      const char *data, size_t bytes)
{
	if (is_decided(part)) {
		CHECK(part->head_bytes == all->head_bytes);
		CHECK(part->refusal.text == all->refusal.text);
	} else if (part->head.span && bytes <= part->head.span_end &&
		   part->head.span(data + part_bytes, bytes - part_bytes) == bytes - part_bytes) {
		CHECK(!is_decided(all));
	}
	if (part->head_bytes == 0 && !may_be_complete(part->refusal.status))
		CHECK(part_bytes == 0 || memcmp(part->data, data, part_bytes) == 0);
}

/* A head to the usual target is read as any other one. */
static void
compare_usual(const struct reading *plain, struct herald__head_limits limits, const char *target,
	      const char *data, size_t bytes)
{
	struct reading usual;

	limits.usual_target = (struct herald_text){target, strlen(target)};
	read_head(&usual, &limits, data, bytes);
	CHECK(usual.head_bytes == plain->head_bytes && usual.refusal.text == plain->refusal.text);
	if (usual.head_bytes > 0) {
		CHECK(usual.head.path.bytes == plain->head.path.bytes);
		CHECK(memcmp(usual.head.path.data, plain->head.path.data, usual.head.path.bytes) ==
		      0);
		CHECK(strcmp(usual.head.query.data, plain->head.query.data) == 0);
	}
	free(usual.data);
}

static void
test_head(uint8_t choice, size_t split, const char *data, size_t bytes)
{
	const struct herald__head_limits limits = {
		.max_bytes = choice & 1 ? 4096 : 60,
		.max_target_bytes = choice & 2 ? 4096 : 9,
		.max_headers = choice & 4 ? MAX_HEADERS : 2,
	};
	struct reading all, part;

	read_head(&all, &limits, data, bytes);
	read_head(&part, &limits, data, split);
	if (all.head_bytes > 0)
		check_head(&all, &limits, data, bytes);
	compare_heads(&part, split, &all, data, bytes);
	compare_usual(&all, limits, choice & 1 ? "/" : "/event", data, bytes);
	free(all.data);
	free(part.data);
}

/* Chunks. */

struct body {
	struct herald__chunks chunks;
	uint64_t sum; /* over the data */
	size_t data_bytes, read_bytes;
};

static void
read_chunks(struct body *body, const char *data, size_t bytes)
{
	char *copy = malloc(bytes + (bytes == 0));
	size_t at = 0;

	CHECK(copy);
	if (bytes > 0)
		memcpy(copy, data, bytes);
	while (at < bytes && herald__chunks_go_on(&body->chunks)) {
		struct herald_text piece;
		size_t taken = herald__chunks_read(&body->chunks, copy + at, bytes - at, &piece);

		CHECK(taken > 0 && taken <= bytes - at && piece.bytes <= taken);
		for (size_t i = 0; i < piece.bytes; i++)
			body->sum = body->sum * 31 + (unsigned char)piece.data[i];
		body->data_bytes += piece.bytes;
		at += taken;
	}
	body->read_bytes += at;
	free(copy);
}

static void
test_chunks(size_t split, const char *data, size_t bytes)
{
	struct body whole = {.chunks = HERALD__CHUNKS_INIT}, parts = whole;

	read_chunks(&whole, data, bytes);
	read_chunks(&parts, data, split);
	read_chunks(&parts, data + split, bytes - split);
	CHECK(whole.chunks.state == parts.chunks.state);
	CHECK(whole.read_bytes == parts.read_bytes);
	CHECK(whole.data_bytes == parts.data_bytes && whole.sum == parts.sum);
	CHECK(whole.chunks.dropped_bytes == parts.chunks.dropped_bytes);
	if (whole.chunks.state == HERALD__CHUNKS_END)
		CHECK(memcmp(data + whole.read_bytes - 4, "\r\n\r\n", 4) == 0);
	else if (whole.chunks.state != HERALD__CHUNKS_BAD)
		CHECK(whole.read_bytes == bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	const char *text = (const char *)data + 2;
	size_t bytes = size - 2, split = bytes > 0 ? data[1] * (bytes + 1) / 256 : 0;
	if (data[0] & 8)
		test_chunks(split, text, bytes);
	else
		test_head(data[0], split, text, bytes);
	return 0;
}
