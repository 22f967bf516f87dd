/*
 * Fuzzes herald_service_handle_many(), by lines and by arrays. Each event that it finds is handled
 * again, alone and in memory of its own: result and function are the same. The lines are split here
 * once more, in the simplest way. Between the events of an array is only what an array has there,
 * and if the text is valid JSON, the events are its elements.
 *
 * The input: a byte that chooses the form and the greatest number of events, then the text.
 */
#include <stdlib.h>
#include <string.h>

#include <herald/herald.h>

#include "../tests/support/every_kind.h"
#include "target.h"

#define CHECK(CONDITION) ((CONDITION) ? (void)0 : abort())

/* An event as handle_many() told it. */
struct found {
	size_t line, offset, bytes;
	struct herald_result result;
	size_t got_end; /* what its function got ends here in `got` */
};

/* A call of handle_many(). */
struct run {
	struct found *events;
	size_t count;
	struct herald_many_counts counts;
	enum herald_status status;
	struct herald_error error;
};

static struct herald_service *service;
static struct herald_codec *codec;
static struct herald_buffer got; /* what functions got */

static enum herald_verdict
on_every_kind(struct herald_context *ctx, const void *payload, void *state)
{
	struct herald_error error;

	(void)ctx;
	(void)state;
	/* A member that is not there may have no text: then its path is what is compared. */
	if (herald_codec_encode(codec, payload, &got, &error) != HERALD_OK)
		CHECK(herald_buffer_append(&got, error.path, strlen(error.path)) == HERALD_OK);
	return HERALD_DONE;
}

static enum herald_verdict
on_json(struct herald_context *ctx, const void *payload, void *state)
{
	const struct herald_json *json = payload;

	(void)state;
	CHECK(herald_buffer_append(&got, json->data, json->bytes) == HERALD_OK);
	return json->bytes > 0 && json->data[0] == '1' ? herald_retry(ctx, "a one") : HERALD_DONE;
}

static void
create(void)
{
	const struct herald_route routes[] = {
		{.event_type = "every", .schema = every_kind_table, .function = on_every_kind},
		{.event_type = "json", .schema = &herald_json_schema, .function = on_json},
	};

	CHECK(herald_codec_create(every_kind_table, NULL, NULL, &codec, NULL) == HERALD_OK);
	CHECK(herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)), &service,
				    NULL) == HERALD_OK);
	herald_buffer_init(&got, NULL, 0);
	CHECK(herald_buffer_reserve(&got, 1) == HERALD_OK);
}

/* A copy of exactly this size, so that what is read or written beyond it is found. */
static char *
copy_of(const char *data, size_t bytes)
{
	char *copy = malloc(bytes + (bytes == 0));

	CHECK(copy != NULL);
	if (bytes > 0)
		memcpy(copy, data, bytes);
	return copy;
}

/* The herald_many_options.handled callback. */
static void
keep(const struct herald_handled *event, void *state)
{
	struct run *run = state;

	CHECK(event->index == run->count);
	run->events[run->count++] = (struct found){
		event->line, event->offset, event->bytes, *event->result, got.bytes,
	};
}

static void
handle_all(const char *text, size_t bytes, enum herald_many_form form, size_t max_events,
	   struct run *run)
{
	char *copy = copy_of(text, bytes);
	size_t done = 0, retry = 0;

	/* There are no more events than bytes. */
	CHECK((run->events = malloc((bytes + 1) * sizeof(*run->events))) != NULL);
	run->count = 0;
	got.bytes = 0;
	run->status = herald_service_handle_many(
		service, copy, bytes,
		&HERALD_MANY_OPTIONS(.form = form, .max_events = max_events, .handled = keep,
				     .state = run),
		&run->counts, &run->error);
	free(copy);
	for (size_t i = 0; i < run->count; i++) {
		done += run->events[i].result.verdict == HERALD_DONE;
		retry += run->events[i].result.verdict == HERALD_RETRY;
	}
	CHECK(run->counts.events == run->count && run->counts.done == done);
	CHECK(run->counts.retry == retry && run->counts.fail == run->count - done - retry);
}

/* Handle an event alone; `before` is where what its function got begins. */
static void
check_alone(const char *text, const struct found *event, size_t before)
{
	char *copy = copy_of(text + event->offset, event->bytes);
	const struct herald_error *error = &event->result.error;
	struct herald_result alone;
	size_t end = got.bytes;

	herald_service_handle(service, copy, event->bytes, &alone);
	free(copy);
	CHECK(alone.verdict == event->result.verdict && alone.status == event->result.status);
	CHECK(alone.http_status == event->result.http_status);
	if (alone.verdict != HERALD_DONE) {
		CHECK(alone.error.status == error->status && alone.error.offset == error->offset);
		CHECK(strcmp(alone.error.path, error->path) == 0);
		CHECK(strcmp(alone.error.message, error->message) == 0);
	}
	CHECK(got.bytes - end == event->got_end - before);
	CHECK(got.bytes == end || memcmp(got.data + end, got.data + before, got.bytes - end) == 0);
	got.bytes = end;
}

static bool
is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static size_t
skip_spaces(const char *text, size_t at, size_t end)
{
	while (at < end && is_space(text[at]))
		at++;
	return at;
}

/* The line from `begin` to `end`, without the white space around it. Returns false if it should be
 * the first event too many. */
static bool
check_line(size_t begin, size_t end, size_t line, size_t index, const struct run *run)
{
	const struct found *event = &run->events[index];

	if (index == run->count) {
		CHECK(run->status == HERALD_LIMIT && run->error.offset == begin);
		return false;
	}
	CHECK(event->line == line && event->offset == begin && event->bytes == end - begin);
	return true;
}

static void
check_lines(const char *text, size_t bytes, size_t max_events, const struct run *run)
{
	size_t line = 0, index = 0;

	for (size_t at = 0, end; at < bytes; at = end + 1) {
		end = at;
		while (end < bytes && text[end] != '\n')
			end++;
		line++;

		size_t begin = skip_spaces(text, at, end), last = end;
		while (last > begin && is_space(text[last - 1]))
			last--;
		if (begin == last)
			continue;
		if (!check_line(begin, last, line, index, run)) {
			CHECK(index == max_events);
			return;
		}
		index++;
	}
	CHECK(index == run->count && run->status == HERALD_OK);
}

/* The elements of a valid array are the events. */
static void
check_elements(const char *text, const struct herald_json *array, size_t max_events,
	       const struct run *run)
{
	struct herald_json_walk walk;
	size_t count = 0;

	herald_json_walk_init(&walk, array);
	for (; herald_json_walk_next(&walk); count++) {
		if (count == run->count) {
			CHECK(run->status == HERALD_LIMIT && count == max_events);
			CHECK(text + run->error.offset == walk.value.data);
			return;
		}
		CHECK(text + run->events[count].offset == walk.value.data);
		CHECK(run->events[count].bytes == walk.value.bytes);
	}
	CHECK(count == run->count && run->status == HERALD_OK);
}

static void
check_array(const char *text, size_t bytes, size_t max_events, const struct run *run)
{
	size_t at = skip_spaces(text, 0, bytes);
	struct herald_json array;

	for (size_t i = 0; i < run->count; i++) {
		const struct found *event = &run->events[i];

		CHECK(at < bytes && text[at] == (i == 0 ? '[' : ','));
		at = skip_spaces(text, at + 1, bytes);
		CHECK(event->offset == at && event->bytes > 0 && event->bytes <= bytes - at);
		CHECK(event->line == 0);
		at = skip_spaces(text, at + event->bytes, bytes);
	}
	if (run->status == HERALD_OK) {
		if (run->count == 0) {
			CHECK(at < bytes && text[at] == '[');
			at = skip_spaces(text, at + 1, bytes);
		}
		CHECK(at < bytes && text[at] == ']');
		CHECK(skip_spaces(text, at + 1, bytes) == bytes);
	} else {
		CHECK(run->error.offset <= bytes && run->error.message[0] != '\0');
	}
	if (herald_json_check(text, bytes, NULL, &array, NULL) != HERALD_OK)
		return;
	if (herald_json_type_of(&array) == HERALD_JSON_ARRAY)
		check_elements(text, &array, max_events, run);
	else
		CHECK(run->status == HERALD_BAD_TYPE && run->count == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t choice = size > 0 ? data[0] : 0;
	const char *text = size > 0 ? (const char *)data + 1 : "";
	size_t bytes = size > 0 ? size - 1 : 0, max_events = choice / 2 % 8;
	bool is_array = (choice & 1) != 0;
	struct run run;

	if (codec == NULL)
		create();
	handle_all(text, bytes, is_array ? HERALD_MANY_ARRAY : HERALD_MANY_LINES, max_events, &run);
	if (is_array)
		check_array(text, bytes, max_events, &run);
	else
		check_lines(text, bytes, max_events, &run);
	for (size_t i = 0; i < run.count; i++)
		check_alone(text, &run.events[i], i > 0 ? run.events[i - 1].got_end : 0);
	free(run.events);
	return 0;
}
