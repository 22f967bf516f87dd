/*
 * Reads the raw requests from their file, whose form is described in the header.
 */
#include "raw_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#define MAX_LINE_BYTES (64 * 1024)
#define MAX_CASES 512
#define MAX_REQUEST_BYTES (512 * 1024)

/* Bytes that are collected. */
struct bytes {
	char *data;
	size_t count;
};

/* Append code points below U+0100 as bytes. */
static void
append_text(struct bytes *to, const char *utf8, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		unsigned char byte = (unsigned char)utf8[i];

		if (byte >= 0xc0)
			byte = (unsigned char)(byte << 6 | ((unsigned char)utf8[++i] & 0x3f));
		assert_true(to->count < MAX_REQUEST_BYTES);
		to->data[to->count++] = (char)byte;
	}
}

static struct bytes
read_pieces(const json_t *pieces)
{
	struct bytes out = {.data = malloc(MAX_REQUEST_BYTES)};
	size_t i;
	json_t *piece;

	assert_non_null(out.data);
	json_array_foreach(pieces, i, piece)
	{
		json_int_t times = 1;

		if (json_is_object(piece)) {
			times = json_integer_value(json_object_get(piece, "times"));
			piece = json_object_get(piece, "repeat");
		}
		assert_true(json_is_string(piece));
		for (json_int_t j = 0; j < times; j++)
			append_text(&out, json_string_value(piece), json_string_length(piece));
	}
	return out;
}

static void
read_case(const json_t *from, struct raw_case *out)
{
	const json_t *responses = json_object_get(from, "responses");
	const json_t *closed = json_object_get(from, "closed");
	const json_t *statuses = json_object_get(from, "status");

	snprintf(out->name, sizeof(out->name), "%s",
		 json_string_value(json_object_get(from, "name")));
	const struct bytes request = read_pieces(json_object_get(from, "request"));
	out->request = request.data;
	out->request_bytes = request.count;
	if (json_object_get(from, "continued")) {
		const struct bytes continued = read_pieces(json_object_get(from, "continued"));

		out->continued = continued.data;
		out->continued_bytes = continued.count;
	}
	out->statuses_count = json_array_size(statuses);
	assert_in_range(out->statuses_count, 1, RAW_MAX_STATUSES);
	for (size_t i = 0; i < out->statuses_count; i++)
		out->statuses[i] = (unsigned)json_integer_value(json_array_get(statuses, i));
	out->responses =
		json_is_null(responses) ? RAW_ANY_NUMBER : (size_t)json_integer_value(responses);
	out->end = json_is_null(closed) ? RAW_EITHER : json_is_true(closed) ? RAW_CLOSED : RAW_OPEN;
	out->events = (unsigned)json_integer_value(json_object_get(from, "events"));
}

void
raw_cases_load(const char *path, struct raw_case **out, size_t *count)
{
	static char line[MAX_LINE_BYTES];
	FILE *file = fopen(path, "r");
	struct raw_case *cases = calloc(MAX_CASES, sizeof(*cases));

	assert_non_null(file);
	assert_non_null(cases);
	for (*count = 0; fgets(line, sizeof(line), file); ++*count) {
		json_error_t error;
		json_t *from = json_loads(line, JSON_ALLOW_NUL, &error);

		if (!from)
			fail_msg("%s:%zu: %s", path, *count + 1, error.text);
		assert_true(*count < MAX_CASES);
		read_case(from, &cases[*count]);
		json_decref(from);
	}
	fclose(file);
	*out = cases;
}

void
raw_cases_free(struct raw_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(cases[i].request);
		free(cases[i].continued);
	}
	free(cases);
}

bool
raw_case_allows(const struct raw_case *from, unsigned status)
{
	for (size_t i = 0; i < from->statuses_count; i++)
		if (from->statuses[i] == status)
			return true;
	return false;
}
