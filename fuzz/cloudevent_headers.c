/*
 * Fuzzes CloudEvents in binary mode, and the detection of modes. What is accepted can be sent
 * again, in binary mode and as JSON, is then accepted by a strict receiver, and is the same.
 *
 * The input is a byte of options, then lines "name:value", an empty line, and the body.
 */
#include <stdlib.h>
#include <string.h>

#include <herald/adapter/text.h>
#include <herald/cloudevent.h>

#include "target.h"

#define CHECK(CONDITION) ((CONDITION) ? (void)0 : abort())

/* Bits of the first byte. */
enum { STRICT = 1, IGNORE_BAD_NAMES = 2, DATA_UNCHECKED = 4, SMALL_LIMITS = 8 };

#define MAX_HEADERS 80

static struct herald_arena *arena;

/* A request, whose texts are one block. */
struct request {
	char *block;
	struct herald_cloudevent_header list[MAX_HEADERS];
	struct herald_cloudevent_headers headers;
	const char *content_type;
	char *body;
	size_t body_bytes;
};

/* Add the header of a line that is NUL-terminated. */
static void
add_line(struct request *request, char *line)
{
	char *colon = strchr(line, ':');

	if (!colon || request->headers.headers_count == MAX_HEADERS)
		return;
	*colon = '\0';
	request->list[request->headers.headers_count++] =
		(struct herald_cloudevent_header){line, colon + 1};
	if (herald_ascii_same(line, "content-type"))
		request->content_type = colon + 1;
}

static void
parse(struct request *request, const char *data, size_t bytes)
{
	char *line, *end;

	memset(request, 0, sizeof(*request));
	request->headers.headers = request->list;
	CHECK(request->block = malloc(bytes + 1));
	memcpy(request->block, data, bytes);
	request->block[bytes] = '\0';
	for (line = request->block; *line != '\n' && (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		add_line(request, line);
	}
	line += *line == '\n';
	request->body_bytes = (size_t)(request->block + bytes - line);
	CHECK(request->body = malloc(request->body_bytes + 1));
	memcpy(request->body, line, request->body_bytes);
}

static void
encode(const struct herald_cloudevent *event, struct herald_buffer *out)
{
	herald_buffer_init(out, NULL, 0);
	CHECK(herald_cloudevent_encode_structured(event, out, NULL) == HERALD_OK);
}

/* The content type of encoded headers, or NULL. */
static const char *
find_content_type(const struct herald_cloudevent_headers *headers)
{
	for (size_t i = 0; i < headers->headers_count; i++)
		if (strcmp(headers->headers[i].name, "content-type") == 0)
			return headers->headers[i].value;
	return NULL;
}

/* Send an event in binary mode, and compare it as JSON with what a strict receiver reads. */
static void
check_sent(const struct herald_cloudevent *event, bool unchecked)
{
	static const struct herald_cloudevent_options strict = {
		.strict = true, .max_extensions_count = 1024, .limits.max_depth = 1024};
	struct herald_cloudevent_headers headers;
	struct herald_cloudevent again;
	struct herald_buffer first, second;
	struct herald_error error;

	if (herald_cloudevent_encode_binary(event, arena, &headers, &error) != HERALD_OK) {
		/* Only what a header cannot have, and data that was not checked. */
		CHECK(strcmp(error.path, "content-type") == 0 ||
		      (unchecked && event->data_kind == HERALD_CLOUDEVENT_DATA_JSON));
		return;
	}
	for (size_t i = 0; i < headers.headers_count; i++)
		for (const char *at = headers.headers[i].value; *at != '\0'; at++)
			CHECK(*at >= ' ' && *at <= '~');
	CHECK(herald_cloudevent_detect(find_content_type(&headers), true, NULL) ==
	      herald_cloudevent_detect(event->datacontenttype.data, true, NULL));
	CHECK(herald_cloudevent_decode_binary(herald_cloudevent_headers_visit_array, &headers,
					      find_content_type(&headers), event->data.data,
					      event->data.bytes, &strict, arena, &again,
					      &error) == HERALD_OK);
	encode(event, &first);
	encode(&again, &second);
	CHECK(first.bytes == second.bytes && memcmp(first.data, second.data, first.bytes) == 0);
	herald_buffer_finish(&first);
	herald_buffer_finish(&second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct herald_cloudevent_options options = {0};
	struct herald_cloudevent event;
	struct herald_error error = {.offset = 0};
	struct request request;
	enum herald_status status;

	if (size == 0)
		return 0;
	if (!arena)
		CHECK(herald_arena_create(NULL, 0, &arena) == HERALD_OK);
	options.strict = (data[0] & STRICT) != 0;
	options.ignore_bad_names = (data[0] & IGNORE_BAD_NAMES) != 0;
	options.data_unchecked = (data[0] & DATA_UNCHECKED) != 0;
	if ((data[0] & SMALL_LIMITS) != 0) {
		options.limits.max_key_bytes = 8;
		options.max_attribute_bytes = 8;
		options.max_extensions_count = 3;
	}
	parse(&request, (const char *)data + 1, size - 1);
	status = herald_cloudevent_decode_binary(
		herald_cloudevent_headers_visit_array, &request.headers, request.content_type,
		request.body, request.body_bytes, &options, arena, &event, &error);
	if (status == HERALD_OK)
		check_sent(&event, options.data_unchecked);
	else
		CHECK(error.status == status && error.message[0] != '\0');
	free(request.block);
	free(request.body);
	herald_arena_reset(arena);
	return 0;
}
