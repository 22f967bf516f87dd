/*
 * Events drawn at random, in all modes and in any form that a sender may choose, decoded alone and
 * by a service behind an endpoint; and each byte of an event changed: it is refused, or understood
 * so that it can be sent again.
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
#include <time.h>

#include <herald/herald.h>

#include "support/cloudevents.h"
#include "support/draw.h"
#include "support/events.h"
#include "support/posting.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

#define MAX_EXTENSIONS 6

/* What is drawn from, and where it is put. */
struct drawing {
	uint64_t random;
	struct herald_arena *arena;
};

static size_t
draw(struct drawing *drawing, size_t limit)
{
	return (size_t)draw_below(&drawing->random, limit);
}

/* Characters that mean something to JSON, to headers or to UTF-8, and plain ones. */
static const char *const characters[] = {
	"a",
	"b",
	"0",
	" ",
	"\"",
	"\\",
	"%",
	"%4",
	"%41",
	"/",
	"{",
	"}",
	"[",
	"]",
	",",
	":",
	";",
	"=",
	"'",
	"~",
	"!",
	"\\u",
	"\xC2\xA0",
	"\xC3\xBC",
	"\xDF\xBF",
	"\xE2\x82\xAC",
	"\xEF\xBF\xBD",
	"\xEF\xB7\x8F",
	"data",
	"ce-",
	"null",
	"true",
	"1.0",
	"\xF0\x9F\x98\x80",
	"\xF4\x8F\xBF\xBD",
};

static struct herald_text
text_of(const char *text)
{
	return (struct herald_text){text, strlen(text)};
}

static struct herald_text
draw_text(struct drawing *drawing, bool may_be_empty)
{
	char text[128] = "";
	size_t count = draw(drawing, 8) + (may_be_empty ? 0 : 1);

	for (size_t i = 0; i < count; i++)
		strcat(text, characters[draw(drawing, COUNT(characters))]);
	return (struct herald_text){herald_arena_copy(drawing->arena, text, strlen(text)),
				    strlen(text)};
}

static struct herald_text
draw_one(struct drawing *drawing, const char *const *texts, size_t count)
{
	const char *text = texts[draw(drawing, count)];

	return (struct herald_text){herald_arena_copy(drawing->arena, text, strlen(text)),
				    strlen(text)};
}

/* An extension with a name that no other one has. */
static struct herald_cloudevent_extension
draw_extension(struct drawing *drawing, size_t index)
{
	static const int32_t integers[] = {0, 1, -1, 42, INT32_MAX, INT32_MIN};
	struct herald_cloudevent_extension extension = {
		.kind = (enum herald_cloudevent_kind)draw(drawing, 3)};
	char name[32], text[16];

	snprintf(name, sizeof(name), "%zu%s", index, draw(drawing, 2) ? "ext" : "dataid");
	extension.name = herald_arena_copy(drawing->arena, name, strlen(name));
	extension.integer = integers[draw(drawing, COUNT(integers))];
	extension.boolean = draw(drawing, 2);
	if (extension.kind == HERALD_CLOUDEVENT_INTEGER)
		snprintf(text, sizeof(text), "%d", extension.integer);
	else
		snprintf(text, sizeof(text), "%s", extension.boolean ? "true" : "false");
	extension.text = (struct herald_text){herald_arena_copy(drawing->arena, text, strlen(text)),
					      strlen(text)};
	if (extension.kind == HERALD_CLOUDEVENT_STRING)
		extension.text = draw_text(drawing, true);
	return extension;
}

static void
draw_data(struct drawing *drawing, struct herald_cloudevent *event)
{
	static const char *const json_types[] = {"application/json", "TEXT/JSON; charset=utf-8",
						 "application/vnd.x+json"};
	static const char *const other_types[] = {"text/plain", "application/xml;a=\"b\\\"\"",
						  "application/json-seq"};
	static const char *const json[] = {"null",
					   "0",
					   "-1.5e+3",
					   "\"\"",
					   "\"a\\u0041\"",
					   "[]",
					   "{}",
					   "{\"a\": [1,\"}\",null]}",
					   "[{\"data\":\"]\"}]",
					   "\"\xE2\x82\xAC\"",
					   "true"};

	event->data_kind = (enum herald_cloudevent_data)draw(drawing, 4);
	if (event->data_kind == HERALD_CLOUDEVENT_DATA_TEXT || draw(drawing, 3) == 0)
		event->datacontenttype = draw_one(drawing, other_types, COUNT(other_types));
	if (event->data_kind == HERALD_CLOUDEVENT_DATA_TEXT)
		event->data = draw_text(drawing, true);
	if (event->data_kind == HERALD_CLOUDEVENT_DATA_JSON) {
		event->data = draw_one(drawing, json, COUNT(json));
		event->datacontenttype = (struct herald_text){NULL, 0};
		if (draw(drawing, 2))
			event->datacontenttype = draw_one(drawing, json_types, COUNT(json_types));
	}
	if (event->data_kind == HERALD_CLOUDEVENT_DATA_BYTES) {
		char bytes[8];
		size_t count = draw(drawing, sizeof(bytes) + 1);

		for (size_t i = 0; i < count; i++)
			bytes[i] = (char)draw(drawing, 256);
		event->data = (struct herald_text){herald_arena_copy(drawing->arena, bytes, count),
						   count};
	}
}

static struct herald_cloudevent
draw_event(struct drawing *drawing)
{
	struct herald_cloudevent event = {.id = draw_text(drawing, false),
					  .source = draw_text(drawing, false),
					  .type = draw(drawing, 2) ? text_of("data")
								   : draw_text(drawing, false)};
	struct herald_cloudevent_extension *extensions = herald_arena_alloc(
		drawing->arena, MAX_EXTENSIONS * sizeof(struct herald_cloudevent_extension));

	if (draw(drawing, 2))
		event.subject = draw_text(drawing, false);
	if (draw(drawing, 2))
		event.dataschema = draw_text(drawing, false);
	if ((event.has_time = draw(drawing, 2)))
		event.time = (struct herald_time){
			.seconds = (int64_t)draw(drawing, 1u << 31) - 1000000000,
			.nanoseconds = (int32_t)draw(drawing, 3) * 250000000,
			.offset_minutes = (int16_t)(draw(drawing, 2879) - 1439)};
	event.extensions_count = draw(drawing, MAX_EXTENSIONS + 1);
	for (size_t i = 0; i < event.extensions_count; i++)
		extensions[i] = draw_extension(drawing, i);
	event.extensions = event.extensions_count > 0 ? extensions : NULL;
	draw_data(drawing, &event);
	return event;
}

static void
check_same(const struct herald_cloudevent *event, const char *expected, const char *form)
{
	char rendered[RENDERED_BYTES];

	render_event(event, rendered);
	if (strcmp(rendered, expected) != 0)
		fail_msg("%s: %s, not %s", form, rendered, expected);
}

/* A JSON text under construction. */
struct text {
	char data[8192];
	size_t bytes;
};

static void
append(struct text *text, const char *data, size_t bytes)
{
	assert_true(text->bytes + bytes < sizeof(text->data));
	memcpy(text->data + text->bytes, data, bytes);
	text->bytes += bytes;
}

static void
append_blank(struct drawing *drawing, struct text *text)
{
	if (draw(drawing, 4) == 0)
		append(text, &" \t\r\n"[draw(drawing, 4)], 1);
}

/* A character as a JSON string may have it: as it is if that is allowed, or as an escape. */
static void
append_escaped(struct drawing *drawing, struct text *text, const char *at, size_t bytes)
{
	const unsigned char *byte = (const unsigned char *)at;
	unsigned code = *byte;
	char escape[16];

	if (draw(drawing, 4) > 0 && *at != '"' && *at != '\\') {
		append(text, at, bytes);
		return;
	}
	if (bytes == 2)
		code = (byte[0] & 31u) << 6 | (byte[1] & 63u);
	if (bytes == 3)
		code = (byte[0] & 15u) << 12 | (byte[1] & 63u) << 6 | (byte[2] & 63u);
	if (bytes == 4) {
		code = (byte[0] & 7u) << 18 | (byte[1] & 63u) << 12 | (byte[2] & 63u) << 6 |
		       (byte[3] & 63u);
		code -= 0x10000;
		append(text, escape,
		       (size_t)sprintf(escape, "\\u%04x\\u%04X", 0xD800 + (code >> 10),
				       0xDC00 + (code & 0x3FF)));
		return;
	}
	append(text, escape,
	       (size_t)sprintf(escape, draw(drawing, 2) ? "\\u%04x" : "\\u%04X", code));
}

static void
append_string(struct drawing *drawing, struct text *text, const char *at, size_t bytes)
{
	append(text, "\"", 1);
	for (size_t i = 0; i < bytes;) {
		unsigned char first = (unsigned char)at[i];
		size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;

		append_escaped(drawing, text, at + i, length);
		i += length;
	}
	append(text, "\"", 1);
}

/* A member of an object; strings have quotes, others are raw. */
struct member {
	const char *name;
	struct herald_text value;
	bool raw;
};

static void
append_object(struct drawing *drawing, struct text *text, struct member *members, size_t count)
{
	append_blank(drawing, text);
	append(text, "{", 1);
	for (; count > 0; count--) {
		size_t index = draw(drawing, count);
		struct member member = members[index];

		if (!member.name)
			abort();
		members[index] = members[count - 1];
		append_blank(drawing, text);
		append_string(drawing, text, member.name, strlen(member.name));
		append_blank(drawing, text);
		append(text, ":", 1);
		append_blank(drawing, text);
		if (member.raw)
			append(text, member.value.data, member.value.bytes);
		else
			append_string(drawing, text, member.value.data, member.value.bytes);
		append_blank(drawing, text);
		append(text, ",", count > 1);
	}
	append(text, "}", 1);
	append_blank(drawing, text);
}

/* An event in any order, with any escapes. Binary data is encoded by Herald. */
static void
append_event(struct drawing *drawing, struct text *text, const struct herald_cloudevent *event)
{
	struct member members[11 + MAX_EXTENSIONS] = {
		{"specversion", text_of("1.0"), false},
		{"id", event->id, false},
		{"source", event->source, false},
		{"type", event->type, false},
	};
	char time[HERALD_TIME_TEXT_BYTES], base64[16];
	size_t count = 4;

	if (event->subject.data)
		members[count++] = (struct member){"subject", event->subject, false};
	if (event->dataschema.data)
		members[count++] = (struct member){"dataschema", event->dataschema, false};
	if (event->datacontenttype.data)
		members[count++] =
			(struct member){"datacontenttype", event->datacontenttype, false};
	else if (draw(drawing, 4) == 0)
		members[count++] = (struct member){"datacontenttype", text_of("null"), true};
	if (event->has_time) {
		assert_true(herald_time_format(&event->time, time) > 0);
		members[count++] = (struct member){"time", text_of(time), false};
	}
	for (size_t i = 0; i < event->extensions_count; i++)
		members[count++] =
			(struct member){event->extensions[i].name, event->extensions[i].text,
					event->extensions[i].kind != HERALD_CLOUDEVENT_STRING};
	if (event->data_kind == HERALD_CLOUDEVENT_DATA_BYTES) {
		encode_base64(event->data.data, event->data.bytes, base64);
		members[count++] = (struct member){"data_base64", text_of(base64), false};
	} else if (event->data.data) {
		members[count++] = (struct member){"data", event->data,
						   event->data_kind == HERALD_CLOUDEVENT_DATA_JSON};
	}
	append_object(drawing, text, members, count);
}

/* The extensions sorted by their names, as the order that they were written in is not theirs. */
static int
name_order(const void *a, const void *b)
{
	const struct herald_cloudevent_extension *one = a, *other = b;

	return strcmp(one->name, other->name);
}

static void
sort_extensions(struct herald_cloudevent *event)
{
	if (event->extensions_count > 0)
		qsort((void *)(uintptr_t)event->extensions, event->extensions_count,
		      sizeof(*event->extensions), name_order);
}

static void
set_type(struct request *request, const char *type)
{
	request_add(request, "Content-Type", 12, type, strlen(type));
}

static void
check_decoded(struct request *request, const struct herald_cloudevent_options *options)
{
	request_decode(request, options);
	if (request->status != HERALD_OK)
		fail_msg("%s: %s", request->error.path, request->error.message);
}

/* As Herald writes it. */
static void
check_structured(const struct herald_cloudevent *event, const char *expected)
{
	struct request request;
	struct herald_buffer out;

	herald_buffer_init(&out, NULL, 0);
	request_init(&request);
	assert_int_equal(herald_cloudevent_encode_structured(event, &out, NULL), HERALD_OK);
	set_type(&request, HERALD_CLOUDEVENT_CONTENT_TYPE);
	request_set_body(&request, out.data, out.bytes);
	check_decoded(&request, NULL);
	check_same(&request.events[0], expected, "structured");
	herald_buffer_finish(&out);
	request_finish(&request);
}

/* What an event is when it came in binary mode: attributes are strings, and data is a body. */
static void
render_binary(const struct herald_cloudevent *event, char *expected)
{
	struct herald_cloudevent_extension extensions[MAX_EXTENSIONS];
	struct herald_cloudevent binary = *event;

	for (size_t i = 0; i < event->extensions_count; i++) {
		extensions[i] = event->extensions[i];
		extensions[i].kind = HERALD_CLOUDEVENT_STRING;
	}
	binary.extensions = event->extensions_count > 0 ? extensions : NULL;
	if (binary.data_kind == HERALD_CLOUDEVENT_DATA_TEXT)
		binary.data_kind = HERALD_CLOUDEVENT_DATA_BYTES;
	if (binary.data_kind == HERALD_CLOUDEVENT_DATA_JSON && !binary.datacontenttype.data)
		binary.datacontenttype = text_of("application/json");
	if (binary.data.bytes == 0) {
		binary.data_kind = HERALD_CLOUDEVENT_NO_DATA;
		binary.data.data = NULL;
	}
	render_event(&binary, expected);
}

/* By a service. Half of the events have a type with a route. */

static struct herald_endpoint *endpoint;
static struct {
	char text[RENDERED_BYTES]; /* without the data */
	char data[1024];
	size_t bytes;
} seen[MAX_EVENTS];
static size_t seen_count;

static void
render_without_data(struct herald_cloudevent event, bool is_binary, char *out)
{
	event.data_kind = HERALD_CLOUDEVENT_NO_DATA;
	event.data = (struct herald_text){NULL, 0};
	if (is_binary)
		render_binary(&event, out);
	else
		render_event(&event, out);
}

static enum herald_verdict
on_data(struct herald_context *ctx, const struct herald_data *data)
{
	struct herald_cloudevent event;
	struct herald_error error;

	if (herald_context_cloudevent(ctx, &event, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	assert_int_equal(data->bytes, event.data.bytes);
	assert_true(data->bytes <= sizeof(seen[0].data));
	sort_extensions(&event);
	render_without_data(event, false, seen[seen_count].text);
	if (data->bytes > 0)
		memcpy(seen[seen_count].data, data->data, data->bytes);
	seen[seen_count++].bytes = data->bytes;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_data, herald_data);

static struct herald_service *
begin_service(void)
{
	static const struct herald_format *const formats[] = {&herald_format_cloudevents};
	const struct herald_route routes[] = {HERALD_ROUTE("data", herald_data, on_data, NULL)};
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_FORMATS(formats)));

	endpoint = create_endpoint(service, &HERALD_ENDPOINT_OPTIONS(.takes_batches = true));
	return service;
}

static bool
has_route(const struct herald_cloudevent *event)
{
	return event->type.bytes == 4 && memcmp(event->type.data, "data", 4) == 0;
}

/* Post a request that has not been decoded. */
static void
post_request(const struct request *request)
{
	const char *headers[2 * MAX_HEADERS + 1] = {NULL};

	for (size_t i = 0; i < request->headers.headers_count; i++) {
		headers[2 * i] = request->list[i].name;
		headers[2 * i + 1] = request->list[i].value;
	}
	seen_count = 0;
	const struct herald_http_head head = {
		.method = "POST",
		.content_type = request->content_type,
		.content_length = request->body_bytes,
		.headers_visit = posting_visit,
		.state = headers,
	};
	struct posted_answer answer;
	struct herald_http_request *posted = herald_http_request_create(endpoint, &head);
	assert_non_null(posted);
	herald_http_request_append(posted, request->body, request->body_bytes);
	posting_end(posted, &answer);
	if (answer.status != 204)
		fail_msg("%u %s", answer.status, answer.body);
}

static void
check_seen(size_t index, const struct herald_cloudevent *event, bool is_binary)
{
	char expected[RENDERED_BYTES];

	render_without_data(*event, is_binary, expected);
	if (strcmp(seen[index].text, expected) != 0)
		fail_msg("by a service: %s, not %s", seen[index].text, expected);
	assert_int_equal(seen[index].bytes, event->data.bytes);
	if (event->data.bytes > 0)
		assert_memory_equal(seen[index].data, event->data.data, event->data.bytes);
}

static void
check_posted(const struct request *request, const struct herald_cloudevent *event, bool is_binary)
{
	if (!has_route(event))
		return;
	post_request(request);
	assert_int_equal(seen_count, 1);
	check_seen(0, event, is_binary);
}

/* As others may write it. */
static void
check_any_form(struct drawing *drawing, const struct herald_cloudevent *event, const char *expected)
{
	struct text text = {.bytes = 0};
	struct request request;

	append_event(drawing, &text, event);
	request_init(&request);
	set_type(&request, HERALD_CLOUDEVENT_CONTENT_TYPE);
	request_set_body(&request, text.data, text.bytes);
	check_posted(&request, event, false);
	check_decoded(&request, NULL);
	sort_extensions(&request.events[0]);
	check_same(&request.events[0], expected, text.data);
	request_finish(&request);
}

static void
check_binary(const struct herald_cloudevent *event)
{
	struct herald_cloudevent_headers headers;
	char expected[RENDERED_BYTES];
	struct request request;

	render_binary(event, expected);
	request_init(&request);
	assert_int_equal(herald_cloudevent_encode_binary(event, request.arena, &headers, NULL),
			 HERALD_OK);
	for (size_t i = 0; i < headers.headers_count; i++)
		request_add(&request, headers.headers[i].name, strlen(headers.headers[i].name),
			    headers.headers[i].value, strlen(headers.headers[i].value));
	request_set_body(&request, event->data.data, event->data.bytes);
	check_decoded(&request, &(struct herald_cloudevent_options){.strict = true});
	check_same(&request.events[0], expected, "binary");
	request_finish(&request);
}

/* A header's value as others may write it: quoted or not, and with any escapes. */
static void
append_value(struct drawing *drawing, struct text *out, struct herald_text value)
{
	bool quoted = draw(drawing, 2);

	append(out, "\"", quoted);
	for (size_t i = 0; i < value.bytes; i++) {
		char byte = value.data[i], escape[4];
		/* Outside quotes, a quote at the beginning could be read as one. */
		bool must = byte == '%' || byte == '"' || byte == ' ';

		if (must || draw(drawing, 4) == 0) {
			append(out, escape,
			       (size_t)sprintf(escape, draw(drawing, 2) ? "%%%02X" : "%%%02x",
					       (unsigned char)byte));
		} else {
			append(out, "\\", quoted && (byte == '\\' || draw(drawing, 4) == 0));
			append(out, &byte, 1);
		}
	}
	append(out, "\"", quoted);
}

static void
add_drawn(struct drawing *drawing, struct request *request, const char *name,
	  struct herald_text value)
{
	struct text out = {.bytes = 0};
	char header[64];
	size_t bytes = (size_t)snprintf(header, sizeof(header), "%s-%s",
					draw(drawing, 2) ? "ce" : "Ce", name);

	for (size_t i = 3; i < bytes; i++)
		if (draw(drawing, 4) == 0 && header[i] >= 'a' && header[i] <= 'z')
			header[i] = (char)(header[i] - 'a' + 'A');
	append_value(drawing, &out, value);
	request_add(request, header, bytes, out.data, out.bytes);
}

static void
check_any_headers(struct drawing *drawing, const struct herald_cloudevent *event)
{
	char expected[RENDERED_BYTES], time[HERALD_TIME_TEXT_BYTES];
	struct request request;

	/* Without a type, a body is not known to be JSON. */
	if (event->data_kind == HERALD_CLOUDEVENT_DATA_JSON && !event->datacontenttype.data)
		return;
	render_binary(event, expected);
	request_init(&request);
	if (event->datacontenttype.data)
		set_type(&request, event->datacontenttype.data);
	for (size_t i = 0; i < event->extensions_count; i++)
		add_drawn(drawing, &request, event->extensions[i].name, event->extensions[i].text);
	add_drawn(drawing, &request, "id", event->id);
	add_drawn(drawing, &request, "source", event->source);
	add_drawn(drawing, &request, "specversion", text_of("1.0"));
	add_drawn(drawing, &request, "type", event->type);
	if (event->subject.data)
		add_drawn(drawing, &request, "subject", event->subject);
	if (event->dataschema.data)
		add_drawn(drawing, &request, "dataschema", event->dataschema);
	if (event->has_time) {
		herald_time_format(&event->time, time);
		add_drawn(drawing, &request, "time", text_of(time));
	}
	request_set_body(&request, event->data.data, event->data.bytes);
	check_posted(&request, event, true);
	check_decoded(&request, NULL);
	check_same(&request.events[0], expected, "headers");
	request_finish(&request);
}

static void
check_batch(const struct herald_cloudevent *events, size_t count)
{
	const struct herald_cloudevent *pointers[MAX_EVENTS];
	struct herald_buffer out;
	struct request request;
	size_t routed = 0;

	for (size_t i = 0; i < count; i++) {
		pointers[i] = &events[i];
		routed += has_route(&events[i]);
	}
	herald_buffer_init(&out, NULL, 0);
	request_init(&request);
	assert_int_equal(herald_cloudevent_encode_batch(pointers, count, &out, NULL), HERALD_OK);
	set_type(&request, HERALD_CLOUDEVENT_BATCH_CONTENT_TYPE);
	request_set_body(&request, out.data, out.bytes);
	if (routed == count) {
		post_request(&request);
		assert_int_equal(seen_count, count);
	}
	check_decoded(&request, NULL);
	assert_int_equal(request.events_count, count);
	for (size_t i = 0; i < count; i++) {
		char expected[RENDERED_BYTES];

		check_same(&request.events[i], render_event(&events[i], expected), "batch");
		if (routed == count)
			check_seen(i, &events[i], false);
	}
	herald_buffer_finish(&out);
	request_finish(&request);
}

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void
test_drawn(void **state)
{
	struct drawing drawing = {.random = draw_seed()};
	uint64_t end = now_ms() + draw_time_ms();
	size_t rounds = 0;

	(void)state;
	printf("# HERALD_TEST_SEED=%llu\n", (unsigned long long)drawing.random);
	assert_int_equal(herald_arena_create(NULL, 0, &drawing.arena), HERALD_OK);
	struct herald_service *service = begin_service();
	do {
		struct herald_cloudevent events[5];
		size_t count = draw(&drawing, 6);

		for (size_t i = 0; i < count; i++) {
			char expected[RENDERED_BYTES];

			events[i] = draw_event(&drawing);
			render_event(&events[i], expected);
			check_structured(&events[i], expected);
			check_any_form(&drawing, &events[i], expected);
			check_binary(&events[i]);
			check_any_headers(&drawing, &events[i]);
		}
		check_batch(events, count);
		herald_arena_reset(drawing.arena);
	} while (++rounds < 20 || now_ms() < end);
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
	herald_arena_destroy(drawing.arena);
}

/* Decode a changed event. If it is accepted, it can be sent, and is then the same. */
static void
check_changed(const char *body, size_t bytes, size_t *accepted)
{
	char expected[RENDERED_BYTES];
	struct request request;

	request_init(&request);
	set_type(&request, HERALD_CLOUDEVENT_CONTENT_TYPE);
	request_set_body(&request, body, bytes);
	request_decode(&request, NULL);
	if (request.status == HERALD_OK) {
		++*accepted;
		check_structured(&request.events[0], render_event(&request.events[0], expected));
	} else {
		assert_true(request.error.message[0] != '\0');
		assert_true(request.error.offset <= bytes);
	}
	request_finish(&request);
}

static const char whole[] =
	"{\"specversion\":\"1.0\",\"id\":\"1\\u00e4\",\"source\":\"/s\",\"type\":\"t\","
	"\"time\":\"2018-04-05T17:31:00.5Z\",\"subject\":\"\xE2\x82\xAC\",\"dataschema\":\"#\","
	"\"datacontenttype\":\"text/plain\",\"i\":-10,\"b\":true,\"n\":null,\"s\":\"x\\n\"";

/* Each byte of an event is replaced by each other byte, left out, and doubled; and each end of it
 * is left out. */
static void
test_each_byte(void **state)
{
	static const char *const ends[] = {",\"data\":\"a\\\"\\u20ac\"}",
					   ",\"data_base64\":\"AAB+/w==\"}",
					   ",\"data\":null,\"datacontenttyp\":{}}"};

	(void)state;
	for (size_t i = 0; i < COUNT(ends); i++) {
		char text[1024], changed[1024];
		size_t bytes = (size_t)snprintf(text, sizeof(text), "%s%s", whole, ends[i]);
		size_t accepted = 0;

		/* Its string must not have a control character. */
		memcpy(strstr(text, "x\\n"), "x\\/", 3);
		for (size_t at = 0; at < bytes; at++) {
			memcpy(changed, text, bytes);
			for (unsigned value = 0; value < 256; value++) {
				changed[at] = (char)value;
				check_changed(changed, bytes, &accepted);
			}
			memcpy(changed, text, at);
			memcpy(changed + at, text + at + 1, bytes - at - 1);
			check_changed(changed, bytes - 1, &accepted);
			memcpy(changed, text, at + 1);
			memcpy(changed + at + 1, text + at, bytes - at);
			check_changed(changed, bytes + 1, &accepted);
			check_changed(text, at, &accepted);
		}
		/* Texts may be others; but nothing is accepted that is cut. */
		assert_true(i == 2 || accepted > bytes);
	}
}

/* Each byte of each header's value is replaced by each other byte. */
static void
test_each_header(void **state)
{
	static const char lines[] =
		"@|ce-time: 2018-04-05T17:31:00.5Z|ce-subject: a%20%C3%BC\"\xC3\xBC|"
		"ce-x: \"a\\\"%41\"";
	struct request original;
	size_t accepted = 0;

	(void)state;
	request_init(&original);
	add_header_lines(&original, lines);
	for (size_t i = 0; i < original.headers.headers_count; i++) {
		char *value = (char *)(uintptr_t)original.list[i].value;

		for (size_t at = 0; value[at] != '\0'; at++) {
			char byte = value[at];

			for (unsigned other = 1; other < 256; other++) {
				struct herald_cloudevent event;
				struct herald_error error;

				value[at] = (char)other;
				if (herald_cloudevent_decode_binary(
					    herald_cloudevent_headers_visit_array,
					    &original.headers, NULL, NULL, 0, NULL, original.arena,
					    &event, &error) == HERALD_OK) {
					accepted++;
					check_binary(&event);
				} else {
					assert_string_equal(error.path, original.list[i].name);
				}
				herald_arena_reset(original.arena);
			}
			value[at] = byte;
		}
	}
	assert_true(accepted > 1000);
	request_finish(&original);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drawn),
		cmocka_unit_test(test_each_byte),
		cmocka_unit_test(test_each_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
