/*
 * Writes every event of tests/data/interop/ in every mode, as Herald encodes it: a line of JSON for
 * each request, which the SDKs in this folder read. sdks.py compares what they understand.
 *
 *	write_events FOLDER
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/base64.h>

#include "support/cloudevents.h"

static char *
base64_of(const char *data, size_t bytes)
{
	size_t count = herald_base64_bytes(bytes);
	char *out = malloc(count + 1);

	assert_non_null(out);
	herald_base64_encode(data, bytes, out);
	out[count] = '\0';
	return out;
}

static void
print_request(const char *name, const char *mode, json_t *headers, const char *body, size_t bytes)
{
	char *encoded = base64_of(body, bytes);
	json_t *line = json_pack("{s:s, s:s, s:o, s:s}", "case", name, "mode", mode, "headers",
				 headers, "body_base64", encoded);

	assert_non_null(line);
	assert_int_equal(json_dumpf(line, stdout, JSON_COMPACT), 0);
	putchar('\n');
	json_decref(line);
	free(encoded);
}

static void
write_structured(const char *name, const struct herald_cloudevent *event)
{
	struct herald_buffer out;
	struct herald_error error;

	herald_buffer_init(&out, NULL, 0);
	if (herald_cloudevent_encode_structured(event, &out, &error) != HERALD_OK)
		fail_msg("%s: %s", name, error.message);
	print_request(name, "structured",
		      json_pack("{s:s}", "content-type", HERALD_CLOUDEVENT_CONTENT_TYPE), out.data,
		      out.bytes);
	herald_buffer_finish(&out);
}

static void
write_binary(const char *name, const struct herald_cloudevent *event, struct herald_arena *arena)
{
	struct herald_cloudevent_headers headers;
	struct herald_error error;
	json_t *object = json_object();

	if (herald_cloudevent_encode_binary(event, arena, &headers, &error) != HERALD_OK)
		fail_msg("%s: %s", name, error.message);
	for (size_t i = 0; i < headers.headers_count; i++)
		json_object_set_new(object, headers.headers[i].name,
				    json_string(headers.headers[i].value));
	print_request(name, "binary", object, event->data.data, event->data.bytes);
}

static void
write_batch(const char *name, const struct request *request)
{
	const struct herald_cloudevent *events[MAX_EVENTS];
	struct herald_buffer out;
	struct herald_error error;

	for (size_t i = 0; i < request->events_count; i++)
		events[i] = &request->events[i];
	herald_buffer_init(&out, NULL, 0);
	if (herald_cloudevent_encode_batch(events, request->events_count, &out, &error) !=
	    HERALD_OK)
		fail_msg("%s: %s", name, error.message);
	print_request(name, "batch",
		      json_pack("{s:s}", "content-type", HERALD_CLOUDEVENT_BATCH_CONTENT_TYPE),
		      out.data, out.bytes);
	herald_buffer_finish(&out);
}

static void
write_line(json_t *line, size_t number, void *state)
{
	const char *name = json_string_value(json_object_get(line, "case"));
	json_t *batch = json_object_get(line, "batch");
	json_t *from = batch ? batch : json_object_get(line, "structured");
	const char *type =
		batch ? HERALD_CLOUDEVENT_BATCH_CONTENT_TYPE : HERALD_CLOUDEVENT_CONTENT_TYPE;
	struct request request;

	(void)number;
	(void)state;
	request_init(&request);
	request_add(&request, "content-type", strlen("content-type"), type, strlen(type));
	request_set_base64(&request, json_string_value(json_object_get(from, "body_base64")));
	request_decode(&request, NULL);
	if (request.status != HERALD_OK)
		fail_msg("%s: %s", name, request.error.message);
	if (batch) {
		write_batch(name, &request);
	} else {
		write_structured(name, &request.events[0]);
		write_binary(name, &request.events[0], request.arena);
	}
	request_finish(&request);
}

int
main(int argc, char **argv)
{
	char path[4096];

	if (argc != 2) {
		fprintf(stderr, "usage: write_events FOLDER\n");
		return 2;
	}
	snprintf(path, sizeof(path), "%s/expected.jsonl", argv[1]);
	for_each_line(path, write_line, NULL);
	return fflush(stdout) == 0 ? 0 : 1;
}
