/*
 * Batches: an array of events. The whole array is checked before its first member is decoded: that
 * it is valid JSON, its length, and that its members have one version. Then each member is decoded
 * alone, by json_event.c.
 */
#include <string.h>

#include <herald/cloudevent.h>

#include "base/attributes.h"
#include "formats/cloudevents/attributes.h"
#include "formats/cloudevents/batch.h"
#include "formats/cloudevents/json_event.h"
#include "json/reader/scan.h"
#include "json/reader/skip.h"
#include "json/reader/string_read.h"
#include "json/reader/string_scan.h"

/* What is known of the members so far. */
struct frame {
	struct herald__reader *reader;
	size_t max_count;
	size_t count;
	bool has_current, has_other; /* members with version 1.0, and with others */
};

/* The longest text of a JSON string that can mean "specversion": each of 11 bytes is an
 * escape of 6. */
#define MAX_RAW_BYTES ((size_t)66)

/* Whether a string with an escape means `expected`. Reads a copy, since nothing is changed yet. */
HERALD__COLD static bool
is_escaped(const char *raw, size_t bytes, const char *expected)
{
	static const struct herald_limits limits = {
		.max_depth = 1, .max_key_bytes = MAX_RAW_BYTES, .max_string_bytes = MAX_RAW_BYTES};
	char copy[MAX_RAW_BYTES + 1];
	struct herald__string string;
	struct herald__reader reader;

	if (bytes > MAX_RAW_BYTES)
		return false;
	memcpy(copy, raw, bytes);
	copy[bytes] = '"';
	herald__reader_begin(&reader, copy, bytes + 1, &limits);
	return herald__read_string(&reader, copy, HERALD__VALUE, &string) &&
	       string.bytes == strlen(expected) && memcmp(string.data, expected, string.bytes) == 0;
}

/* Whether the raw text of a valid string, without its quotes, means `expected`. */
static bool
is_string(const char *raw, size_t bytes, const char *expected)
{
	if (bytes == strlen(expected) && memcmp(raw, expected, bytes) == 0)
		return true;
	return memchr(raw, '\\', bytes) && is_escaped(raw, bytes, expected);
}

/* Prepend the member's name to the path of an error. Undoes its escapes in place, since the
 * contents are undefined after an error. */
HERALD__COLD static char *
fail_in(struct herald__reader *reader, char *name)
{
	struct herald__string string;

	if (herald__read_string(reader, name, HERALD__NAME, &string))
		herald__trace_key(&reader->trace, string.data, string.bytes);
	return NULL;
}

/* Note the version of a member. Other values than strings are errors of that member alone. */
static char *
note_version(struct frame *frame, char *at, char *after)
{
	if (*at != '"')
		return after;
	if (is_string(at + 1, (size_t)(after - at) - 2, "1.0"))
		frame->has_current = true;
	else
		frame->has_other = true;
	if (!frame->has_current || !frame->has_other)
		return after;
	return herald__fail(frame->reader, at, HERALD_BAD_VALUE,
			    "expected the same version in all events of the batch");
}

/*
 * The functions below check what is at `at` and leave it as it is. They return the place after it,
 * or NULL after recording an error.
 */

static char *
check_attribute(struct frame *frame, char *at)
{
	struct herald__reader *reader = frame->reader;
	char *name = at + 1, *after, *value;
	size_t name_bytes;

	if (*at != '"')
		return herald__fail_syntax(reader, at, "a member's name in quotes");
	if (!(at = herald__skip_string(reader, name, HERALD__NAME)))
		return NULL;
	name_bytes = (size_t)(at - name) - 1;
	at = herald__skip_space(reader, at);
	if (at == reader->end || *at != ':')
		return herald__fail_syntax(reader, at, "':'");
	value = herald__skip_space(reader, at + 1);
	if (value == reader->end)
		return herald__fail_syntax(reader, value, "a value");
	after = herald__skip_unwanted(reader, value);
	if (after && is_string(name, name_bytes, "specversion"))
		after = note_version(frame, value, after);
	return after ? after : fail_in(reader, name);
}

static char *
check_object(struct frame *frame, char *at)
{
	struct herald__reader *reader = frame->reader;

	if (++reader->depth > reader->limits->max_depth)
		return herald__fail(reader, at, HERALD_LIMIT, HERALD__TOO_DEEP,
				    reader->limits->max_depth);
	at = herald__skip_space(reader, at + 1);
	if (at < reader->end && *at == '}') {
		reader->depth--;
		return at + 1;
	}
	for (;; at = herald__skip_space(reader, at + 1)) {
		if (at == reader->end)
			return herald__fail_syntax(reader, at, "a member's name in quotes");
		if (!(at = check_attribute(frame, at)))
			return NULL;
		at = herald__skip_space(reader, at);
		if (at == reader->end || (*at != ',' && *at != '}'))
			return herald__fail_syntax(reader, at, "',' or '}'");
		if (*at == '}')
			break;
	}
	reader->depth--;
	return at + 1;
}

static char *
check_member(struct frame *frame, char *at)
{
	struct herald__reader *reader = frame->reader;

	if (frame->count == frame->max_count)
		return herald__fail(reader, at, HERALD_LIMIT,
				    "expected at most %zu events (max_members_count), found more",
				    frame->max_count);
	if (at < reader->end && *at == '{')
		at = check_object(frame, at);
	else
		at = herald__skip_value(reader, at);
	if (!at)
		herald__trace_index(&reader->trace, frame->count);
	frame->count++;
	return at;
}

static char *
check_array(struct frame *frame, char *at)
{
	struct herald__reader *reader = frame->reader;

	reader->depth = 1;
	at = herald__skip_space(reader, at + 1);
	if (at < reader->end && *at == ']')
		return at + 1;
	for (;; at = herald__skip_space(reader, at + 1)) {
		if (!(at = check_member(frame, at)))
			return NULL;
		at = herald__skip_space(reader, at);
		if (at == reader->end || (*at != ',' && *at != ']'))
			return herald__fail_syntax(reader, at, "',' or ']'");
		if (*at == ']')
			return at + 1;
	}
}

static char *
check_document(struct frame *frame)
{
	/* The decoder needs '}' at the end, but any byte that stops a scan will do for values that
	 * are skipped. */
	char *at = herald__document_begin(frame->reader, "[]");

	return at && (at = check_array(frame, at)) ? herald__document_end(frame->reader, at) : NULL;
}

enum herald_status
herald_cloudevent_batch_begin(struct herald_cloudevent_batch *batch, char *data, size_t bytes,
			      const struct herald_cloudevent_options *options,
			      struct herald_error *error)
{
	struct herald_cloudevent_options set;
	struct herald__reader reader;
	struct frame frame = {.reader = &reader};
	enum herald_status status;
	char nothing;

	if ((status = herald__cloudevent_options(options, &set, error)) != HERALD_OK)
		return status;
	frame.max_count = set.max_members_count;
	herald__reader_begin(&reader, bytes > 0 ? data : &nothing, bytes, &set.limits);
	if (!check_document(&frame))
		return herald__trace_finish(&reader.trace, "", error);
	*batch = (struct herald_cloudevent_batch){
		.members_count = frame.count,
		.data_ = data,
		.next_ = herald__skip_space(&reader, data) + 1,
		.bytes_ = bytes,
		.options_ = set,
	};
	return HERALD_OK;
}

enum herald_status
herald__cloudevent_batch_check(size_t count, size_t most, const char *option,
			       struct herald_error *error)
{
	if (count <= most)
		return HERALD_OK;
	return herald_error_set(error, HERALD_TOO_LARGE, HERALD_NO_OFFSET,
				"expected at most %zu events (%s), found %zu", most, option, count);
}

bool
herald_cloudevent_batch_next(struct herald_cloudevent_batch *batch)
{
	char *at = batch->next_, *end = batch->data_ + batch->bytes_;

	if (batch->next_index_ == batch->members_count)
		return false;
	while (herald__is_space(*at) || *at == ',')
		at++;
	batch->member = at;
	batch->next_ = herald__skip_balanced(at, end);
	batch->member_bytes = (size_t)(batch->next_ - at);
	batch->index = batch->next_index_++;
	return true;
}

enum herald_status
herald_cloudevent_batch_decode(const struct herald_cloudevent_batch *batch,
			       struct herald_arena *arena, struct herald_cloudevent *out,
			       struct herald_error *error)
{
	struct herald_cloudevent event;
	struct herald__reader reader;
	char *end = batch->member + batch->member_bytes, *after;

	herald__reader_begin(&reader, batch->data_, (size_t)(end - batch->data_),
			     &batch->options_.limits);
	reader.arena = arena;
	reader.depth = 1;
	if (*batch->member == '{')
		after = herald__decode_json_event(&reader, batch->member, &batch->options_, &event);
	else
		after = herald__fail_type(&reader, batch->member, "an object");
	if (!after) {
		herald__trace_index(&reader.trace, batch->index);
		return herald__trace_finish(&reader.trace, "", error);
	}
	event.mode = HERALD_CLOUDEVENT_BATCH;
	*out = event;
	return HERALD_OK;
}
