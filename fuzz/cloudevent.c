/*
 * Fuzzes structured CloudEvents and batches. What is accepted can be sent again and is then the
 * same. Without the check of data, an event is accepted too, and is the same. A member of a batch
 * is what it would be alone.
 *
 * The input is a byte of options, then the JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/cloudevent.h>

#include "target.h"

#define CHECK(CONDITION) ((CONDITION) ? (void)0 : abort())

/* Bits of the first byte. */
enum { BATCH = 1, STRICT = 2, IGNORE_BAD_NAMES = 4, JSON_EXTENSIONS = 8, SMALL_LIMITS = 16 };

static struct herald_arena *arena;

/* A block that ends where a byte more would be an error. */
static char *
copy(const char *data, size_t bytes)
{
	char *block = malloc(bytes + (bytes == 0));

	CHECK(block);
	if (bytes > 0)
		memcpy(block, data, bytes);
	return block;
}

static void
encode(const struct herald_cloudevent *event, struct herald_buffer *out)
{
	struct herald_error error;

	herald_buffer_init(out, NULL, 0);
	CHECK(herald_cloudevent_encode_structured(event, out, &error) == HERALD_OK);
}

static bool
is_same(const struct herald_buffer *a, const struct herald_buffer *b)
{
	return a->bytes == b->bytes && memcmp(a->data, b->data, a->bytes) == 0;
}

/* Send an event, and read it. */
static void
check_sent(const struct herald_cloudevent *event)
{
	static const struct herald_cloudevent_options options = {
		.json_extensions = true, .max_extensions_count = 1024, .limits.max_depth = 1024};
	struct herald_cloudevent again;
	struct herald_buffer first, second;
	char *block;

	encode(event, &first);
	block = copy(first.data, first.bytes);
	CHECK(herald_cloudevent_decode_structured(block, first.bytes, &options, arena, &again,
						  NULL) == HERALD_OK);
	encode(&again, &second);
	CHECK(is_same(&first, &second));
	herald_buffer_finish(&first);
	herald_buffer_finish(&second);
	free(block);
}

/* Decode without the check of the data, as `checked` was decoded. */
static void
check_unchecked(const char *data, size_t bytes, const struct herald_cloudevent_options *options,
		const struct herald_cloudevent *checked)
{
	struct herald_cloudevent_options unchecked = *options;
	struct herald_cloudevent event;
	struct herald_buffer first, second;
	char *block = copy(data, bytes);
	enum herald_status status;

	unchecked.data_unchecked = true;
	status = herald_cloudevent_decode_structured(block, bytes, &unchecked, arena, &event, NULL);
	if (checked) {
		CHECK(status == HERALD_OK);
		encode(checked, &first);
		encode(&event, &second);
		CHECK(is_same(&first, &second));
		herald_buffer_finish(&first);
		herald_buffer_finish(&second);
	}
	free(block);
}

static void
run_structured(const char *data, size_t bytes, const struct herald_cloudevent_options *options)
{
	struct herald_cloudevent event;
	struct herald_error error = {.offset = 0};
	char *block = copy(data, bytes);
	enum herald_status status =
		herald_cloudevent_decode_structured(block, bytes, options, arena, &event, &error);

	if (status == HERALD_OK) {
		check_sent(&event);
		check_unchecked(data, bytes, options, &event);
	} else {
		CHECK(error.status == status && error.message[0] != '\0' && error.offset <= bytes);
		check_unchecked(data, bytes, options, NULL);
	}
	free(block);
}

/* Compare with the member alone, whose depth is one less: it may be within a limit. */
static void
check_member(struct herald_cloudevent_batch *batch, const char *data,
	     const struct herald_cloudevent_options *options)
{
	size_t offset = (size_t)(batch->member - data), bytes = batch->member_bytes;
	char *alone = copy(batch->member, bytes), path[300];
	struct herald_cloudevent event, other;
	struct herald_error error, other_error;
	enum herald_status status = herald_cloudevent_batch_decode(batch, arena, &event, &error);
	enum herald_status other_status = herald_cloudevent_decode_structured(
		alone, bytes, options, arena, &other, &other_error);

	if (status != HERALD_LIMIT)
		CHECK(status == other_status);
	if (status == HERALD_OK) {
		check_sent(&event);
	} else if (status == other_status) {
		CHECK(error.offset == other_error.offset + offset);
		snprintf(path, sizeof(path), "/%zu%s", batch->index, other_error.path);
		if (strlen(path) < sizeof(error.path) && strncmp(error.path, "...", 3) != 0)
			CHECK(strcmp(error.path, path) == 0);
	}
	free(alone);
}

static void
run_batch(const char *data, size_t bytes, const struct herald_cloudevent_options *options)
{
	struct herald_cloudevent_batch batch;
	struct herald_error error = {.offset = 0};
	char *block = copy(data, bytes);
	enum herald_status status =
		herald_cloudevent_batch_begin(&batch, block, bytes, options, &error);
	size_t count = 0;

	if (status == HERALD_OK) {
		for (; herald_cloudevent_batch_next(&batch); count++)
			check_member(&batch, block, options);
		CHECK(count == batch.members_count);
	} else {
		CHECK(error.status == status && error.message[0] != '\0' && error.offset <= bytes);
	}
	free(block);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct herald_cloudevent_options options = {0};
	const char *text = (const char *)data + 1;

	if (size == 0)
		return 0;
	if (!arena)
		CHECK(herald_arena_create(NULL, 0, &arena) == HERALD_OK);
	options.strict = (data[0] & STRICT) != 0;
	options.ignore_bad_names = (data[0] & IGNORE_BAD_NAMES) != 0;
	options.json_extensions = (data[0] & JSON_EXTENSIONS) != 0;
	if ((data[0] & SMALL_LIMITS) != 0) {
		options.limits = (struct herald_limits){
			.max_depth = 3, .max_key_bytes = 16, .max_string_bytes = 32};
		options.max_attribute_bytes = 16;
		options.max_extensions_count = 3;
		options.max_members_count = 3;
	}
	if ((data[0] & BATCH) != 0)
		run_batch(text, size - 1, &options);
	else
		run_structured(text, size - 1, &options);
	herald_arena_reset(arena);
	return 0;
}
