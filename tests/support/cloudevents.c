/*
 * Requests are made from texts, decoded by Herald, and compared with the cases, which jansson
 * reads. A request owns its headers, body and arena until request_finish().
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "support/cloudevents.h"

void
request_init(struct request *request)
{
	memset(request, 0, sizeof(*request));
	request->headers.headers = request->list;
	assert_int_equal(herald_arena_create(NULL, 0, &request->arena), HERALD_OK);
}

void
request_finish(struct request *request)
{
	for (size_t i = 0; i < request->headers.headers_count; i++) {
		free((char *)(uintptr_t)request->list[i].name);
		free((char *)(uintptr_t)request->list[i].value);
	}
	free(request->body);
	herald_arena_destroy(request->arena);
}

void
request_add(struct request *request, const char *name, size_t name_bytes, const char *value,
	    size_t value_bytes)
{
	struct herald_cloudevent_header *header = &request->list[request->headers.headers_count++];
	char *copy = strndup(value, value_bytes);

	assert_true(request->headers.headers_count <= MAX_HEADERS);
	*header = (struct herald_cloudevent_header){strndup(name, name_bytes), copy};
	if (strcasecmp(header->name, "content-type") == 0)
		request->content_type = copy;
}

void
add_header_lines(struct request *request, const char *lines)
{
	while (*lines != '\0') {
		size_t bytes = strcspn(lines, "|");
		const char *colon = memchr(lines, ':', bytes);

		if (*lines == '@') {
			add_header_lines(request,
					 "ce-specversion: 1.0|ce-id: 1|ce-source: /s|ce-type: t");
		} else {
			assert_non_null(colon);
			request_add(request, lines, (size_t)(colon - lines), colon + 2,
				    bytes - (size_t)(colon - lines) - 2);
		}
		lines += bytes + (lines[bytes] == '|');
	}
}

void
request_set_body(struct request *request, const char *body, size_t bytes)
{
	free(request->body);
	request->body = malloc(bytes + (bytes == 0));
	assert_non_null(request->body);
	if (bytes > 0)
		memcpy(request->body, body, bytes);
	request->body_bytes = bytes;
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
encode_base64(const char *data, size_t bytes, char *out)
{
	size_t count = 0;

	for (size_t bit = 0; bit < bytes * 8; bit += 6) {
		unsigned value = 0;

		for (size_t i = bit; i < bit + 6; i++) {
			unsigned char byte = i < bytes * 8 ? (unsigned char)data[i / 8] : 0;

			value = value << 1 | (byte >> (7 - i % 8) & 1);
		}
		out[count++] = alphabet[value];
	}
	while (count % 4 != 0)
		out[count++] = '=';
	out[count] = '\0';
}

char *
decode_base64(const char *base64, size_t *bytes)
{
	size_t length = strlen(base64);
	char *out = malloc(length + 1);
	unsigned bits = 0, count = 0;

	assert_non_null(out);
	*bytes = 0;
	for (size_t i = 0; i < length && base64[i] != '='; i++) {
		const char *at = strchr(alphabet, base64[i]);

		assert_non_null(at);
		bits = (bits << 6 | (unsigned)(at - alphabet)) & 0xFFFF;
		if ((count += 6) >= 8)
			out[(*bytes)++] = (char)(bits >> (count -= 8));
	}
	return out;
}

void
request_set_base64(struct request *request, const char *base64)
{
	size_t bytes;
	char *body = decode_base64(base64, &bytes);

	request_set_body(request, body, bytes);
	free(body);
}

static bool
has_specversion(const struct request *request)
{
	for (size_t i = 0; i < request->headers.headers_count; i++)
		if (strcasecmp(request->list[i].name, "ce-specversion") == 0)
			return true;
	return false;
}

static void
decode_batch(struct request *request, const struct herald_cloudevent_options *options)
{
	struct herald_cloudevent_batch batch;

	request->status = herald_cloudevent_batch_begin(&batch, request->body, request->body_bytes,
							options, &request->error);
	if (request->status != HERALD_OK)
		return;
	while (herald_cloudevent_batch_next(&batch)) {
		struct herald_error error;
		size_t index = request->events_count++;

		assert_true(index < MAX_EVENTS);
		assert_int_equal(batch.index, index);
		request->statuses[index] = herald_cloudevent_batch_decode(
			&batch, request->arena, &request->events[index], &error);
		if (request->statuses[index] == HERALD_OK || request->status != HERALD_OK)
			continue;
		request->status = request->statuses[index];
		request->error = error;
	}
	assert_int_equal(request->events_count, batch.members_count);
}

void
request_decode(struct request *request, const struct herald_cloudevent_options *options)
{
	request->mode = herald_cloudevent_detect(request->content_type, has_specversion(request),
						 &request->error);
	request->events_count = 0;
	if (request->mode == HERALD_CLOUDEVENT_BATCH) {
		decode_batch(request, options);
		return;
	}
	if (request->mode == HERALD_CLOUDEVENT_STRUCTURED)
		request->status = herald_cloudevent_decode_structured(
			request->body, request->body_bytes, options, request->arena,
			&request->events[0], &request->error);
	else if (request->mode == HERALD_CLOUDEVENT_BINARY)
		request->status = herald_cloudevent_decode_binary(
			herald_cloudevent_headers_visit_array, &request->headers,
			request->content_type, request->body, request->body_bytes, options,
			request->arena, &request->events[0], &request->error);
	else
		request->status = HERALD_BAD_MEDIA_TYPE;
	request->events_count = 1;
	request->statuses[0] = request->status;
}

size_t
for_each_line(const char *path, void (*each)(json_t *line, size_t number, void *state), void *state)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t capacity = 0, number = 0;

	if (!file)
		fail_msg("cannot open %s", path);
	while (getline(&line, &capacity, file) > 0) {
		json_error_t error;
		json_t *json = json_loads(line, JSON_ALLOW_NUL, &error);

		number++;
		if (!json)
			fail_msg("%s:%zu: %s", path, number, error.text);
		each(json, number, state);
		json_decref(json);
	}
	free(line);
	fclose(file);
	assert_true(number > 0);
	return number;
}

/* What is compared, and with what. */
struct comparison {
	const struct herald_cloudevent *event;
	bool (*may_differ)(const char *member, void *state);
	void *state;
	const char *difference;
};

static void
compare(struct comparison *comparison, const char *member, bool equal)
{
	if (equal || comparison->difference)
		return;
	if (!comparison->may_differ || !comparison->may_differ(member, comparison->state))
		comparison->difference = member;
}

static bool
is_text(struct herald_text text, const char *expected)
{
	if (!text.data || !expected)
		return !text.data && !expected;
	return text.bytes == strlen(expected) && memcmp(text.data, expected, text.bytes) == 0 &&
	       text.data[text.bytes] == '\0';
}

static bool
is_time(const struct herald_cloudevent *event, const char *expected)
{
	struct herald_time time;

	if (!expected || !event->has_time)
		return !expected && !event->has_time;
	assert_int_equal(herald_time_parse(expected, strlen(expected), &time, NULL), HERALD_OK);
	return herald_time_compare(&event->time, &time) == 0;
}

/* JSON has integers and booleans; headers have text only, so they are compared by their text. */
static bool
is_extension(const struct herald_cloudevent *event,
	     const struct herald_cloudevent_extension *extension, json_t *expected)
{
	const char *type = json_string_value(json_object_get(expected, "t"));
	json_t *value = json_object_get(expected, "v");
	enum herald_cloudevent_kind kind = HERALD_CLOUDEVENT_STRING;
	char text[32];
	const char *wanted = text;

	if (strcmp(type, "integer") == 0) {
		kind = HERALD_CLOUDEVENT_INTEGER;
		snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	} else if (strcmp(type, "boolean") == 0) {
		kind = HERALD_CLOUDEVENT_BOOLEAN;
		wanted = json_is_true(value) ? "true" : "false";
	} else {
		wanted = json_string_value(value);
	}
	if (event->mode == HERALD_CLOUDEVENT_BINARY)
		kind = HERALD_CLOUDEVENT_STRING;
	if (extension->kind != kind || !is_text(extension->text, wanted))
		return false;
	if (kind == HERALD_CLOUDEVENT_INTEGER)
		return extension->integer == json_integer_value(value);
	return kind != HERALD_CLOUDEVENT_BOOLEAN || extension->boolean == json_is_true(value);
}

static void
compare_extensions(struct comparison *comparison, json_t *expected)
{
	const struct herald_cloudevent *event = comparison->event;
	const char *name;
	json_t *value;

	json_object_foreach(expected, name, value)
	{
		const struct herald_cloudevent_extension *extension =
			herald_cloudevent_extension_find(event, name);

		compare(comparison, name, extension && is_extension(event, extension, value));
	}
	for (size_t i = 0; i < event->extensions_count; i++)
		compare(comparison, event->extensions[i].name,
			json_object_get(expected, event->extensions[i].name) != NULL);
}

static bool
is_json(struct herald_text data, json_t *expected)
{
	const int flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
	json_t *json = json_loadb(data.data, data.bytes, flags, NULL);
	bool equal = json && json_equal(json, expected);

	json_decref(json);
	return equal;
}

/* The same for numbers that jansson can only read as reals. */
static bool
is_same_json(struct herald_text data, json_t *text)
{
	json_t *expected = json_loads(json_string_value(text), JSON_DECODE_INT_AS_REAL, NULL);
	json_t *json = json_loadb(data.data, data.bytes, JSON_DECODE_INT_AS_REAL, NULL);
	bool equal = json && json_equal(json, expected);

	assert_non_null(expected);
	json_decref(json);
	json_decref(expected);
	return equal;
}

static bool
is_bytes(struct herald_text data, const char *expected, size_t bytes)
{
	return data.bytes == bytes && (bytes == 0 || memcmp(data.data, expected, bytes) == 0);
}

/* In binary mode all data is a body, which is not there if it is empty. */
static bool
is_data(const struct herald_cloudevent *event, json_t *expected)
{
	const char *kind = json_string_value(json_object_get(expected, "kind"));
	json_t *value = json_object_get(expected, "value");
	bool in_body = event->mode == HERALD_CLOUDEVENT_BINARY, equal;
	enum herald_cloudevent_data wanted =
		in_body ? HERALD_CLOUDEVENT_DATA_BYTES : HERALD_CLOUDEVENT_DATA_TEXT;
	/* A body without a type may be anything. */
	enum herald_cloudevent_data json = in_body && !event->datacontenttype.data
						   ? HERALD_CLOUDEVENT_DATA_BYTES
						   : HERALD_CLOUDEVENT_DATA_JSON;
	size_t bytes;
	char *decoded;

	if (!kind)
		return event->data_kind == HERALD_CLOUDEVENT_NO_DATA;
	if (strcmp(kind, "json") == 0)
		return event->data_kind == json && is_json(event->data, value);
	if (strcmp(kind, "json_text") == 0)
		return event->data_kind == json && is_same_json(event->data, value);
	if (strcmp(kind, "text") == 0) {
		if (in_body && json_string_length(value) == 0)
			return event->data_kind == HERALD_CLOUDEVENT_NO_DATA;
		return event->data_kind == wanted &&
		       is_bytes(event->data, json_string_value(value), json_string_length(value));
	}
	decoded = decode_base64(json_string_value(json_object_get(expected, "base64")), &bytes);
	if (in_body && bytes == 0)
		equal = event->data_kind == HERALD_CLOUDEVENT_NO_DATA;
	else
		equal = (event->data_kind == HERALD_CLOUDEVENT_DATA_BYTES || in_body) &&
			is_bytes(event->data, decoded, bytes);
	free(decoded);
	return equal;
}

/* JSON data without a type is sent as JSON in binary mode. */
static bool
is_type(const struct herald_cloudevent *event, const char *expected)
{
	if (is_text(event->datacontenttype, expected))
		return true;
	return !expected && event->mode == HERALD_CLOUDEVENT_BINARY &&
	       event->data_kind == HERALD_CLOUDEVENT_DATA_JSON &&
	       is_text(event->datacontenttype, "application/json");
}

const char *
find_difference(const struct herald_cloudevent *event, json_t *expected,
		bool (*may_differ)(const char *member, void *state), void *state)
{
	struct comparison comparison = {event, may_differ, state, NULL};
	json_t *attributes = json_object_get(expected, "attrs");
#define EXPECTED(NAME) json_string_value(json_object_get(attributes, NAME))

	compare(&comparison, "id", is_text(event->id, EXPECTED("id")));
	compare(&comparison, "source", is_text(event->source, EXPECTED("source")));
	compare(&comparison, "type", is_text(event->type, EXPECTED("type")));
	compare(&comparison, "subject", is_text(event->subject, EXPECTED("subject")));
	compare(&comparison, "dataschema", is_text(event->dataschema, EXPECTED("dataschema")));
	compare(&comparison, "time", is_time(event, EXPECTED("time")));
	compare(&comparison, "content-type", is_type(event, EXPECTED("datacontenttype")));
#undef EXPECTED
	compare_extensions(&comparison, json_object_get(expected, "ext"));
	compare(&comparison, "data", is_data(event, json_object_get(expected, "data")));
	return comparison.difference;
}

/* Append to `out`, which has RENDERED_BYTES. */
static void
render_text(char *out, const char *name, struct herald_text text)
{
	size_t at = strlen(out);

	assert_true(at + strlen(name) + 4 * text.bytes + 3 < RENDERED_BYTES);
	at += (size_t)sprintf(out + at, "%s%s", at > 0 ? " " : "", name);
	for (size_t i = 0; i < text.bytes; i++) {
		unsigned char byte = (unsigned char)text.data[i];

		if (byte >= ' ' && byte < 0x7F)
			out[at++] = (char)byte;
		else
			at += (size_t)sprintf(out + at, "\\x%02X", byte);
	}
	out[at] = '\0';
}

static void
render_attribute(char *out, const char *name, struct herald_text text, const char *usual)
{
	if (!text.data || (usual && strcmp(text.data, usual) == 0))
		return;
	assert_int_equal(text.data[text.bytes], '\0');
	render_text(out, name, text);
}

static void
render_extension(char *out, const struct herald_cloudevent_extension *extension)
{
	static const char *const kinds[] = {"", "integer:", "boolean:", "json:"};
	char name[2048];

	if (!extension)
		abort();
	assert_true(extension->kind <= HERALD_CLOUDEVENT_JSON);
	snprintf(name, sizeof(name), "%s=%s", extension->name, kinds[extension->kind]);
	assert_int_equal(extension->text.data[extension->text.bytes], '\0');
	if (extension->kind == HERALD_CLOUDEVENT_INTEGER)
		assert_int_equal(extension->integer, atoi(extension->text.data));
	if (extension->kind == HERALD_CLOUDEVENT_BOOLEAN)
		assert_string_equal(extension->text.data, extension->boolean ? "true" : "false");
	render_text(out, name, extension->text);
}

const char *
render_event(const struct herald_cloudevent *event, char *out)
{
	static const char *const kinds[] = {"", "data=json:", "data=text:", "data=bytes:"};
	char time[HERALD_TIME_TEXT_BYTES];

	*out = '\0';
	render_attribute(out, "id=", event->id, "1");
	render_attribute(out, "source=", event->source, "/s");
	render_attribute(out, "type=", event->type, "t");
	render_attribute(out, "subject=", event->subject, NULL);
	if (event->has_time) {
		assert_true(herald_time_format(&event->time, time) > 0);
		render_text(out, "time=", (struct herald_text){time, strlen(time)});
	}
	render_attribute(out, "dataschema=", event->dataschema, NULL);
	render_attribute(out, "datacontenttype=", event->datacontenttype, NULL);
	assert_true((event->extensions == NULL) == (event->extensions_count == 0));
	for (size_t i = 0; i < event->extensions_count; i++)
		render_extension(out, &event->extensions[i]);
	assert_true((event->data.data == NULL) == (event->data_kind == HERALD_CLOUDEVENT_NO_DATA));
	if (event->data.data)
		render_text(out, kinds[event->data_kind], event->data);
	return out;
}

char *
expand_event(const char *text)
{
	static const char members[] =
		"\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"";
	char *out = malloc(strlen(text) * sizeof(members) + 1), *at = out;

	assert_non_null(out);
	for (; *text != '\0'; text++) {
		if (*text != '@') {
			*at++ = *text;
			continue;
		}
		memcpy(at, members, sizeof(members) - 1);
		at += sizeof(members) - 1;
	}
	*at = '\0';
	return out;
}
