/*
 * herald_codec_encode(): buffers that are too small by every amount, allocations that fail, and
 * none in the steady state.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <herald/codec.h>

#include "codec/encode_thing.h"
#include "support/decoding.h"
#include "support/every_kind.h"
#include "support/failing_allocator.h"

/* Buffers whose limit is less than needed, by every amount, or exactly as needed. */
static void
test_buffers_that_are_too_small(void **state)
{
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	struct herald_buffer whole;
	struct every_kind in;

	(void)state;
	decode_good(codec, every_kind_document, &in, sizeof(in));
	herald_buffer_init(&whole, NULL, 0);
	assert_int_equal(herald_codec_encode(codec, &in, &whole, NULL), HERALD_OK);
	for (size_t max = 1; max <= whole.bytes; max++) {
		struct failing_allocator memory;
		struct herald_buffer buffer;
		struct herald_error error;
		enum herald_status status;

		failing_allocator_init(&memory, FAIL_NEVER, 0);
		herald_buffer_init(&buffer, &memory.allocator, max);
		status = herald_codec_encode(codec, &in, &buffer, &error);
		assert_int_equal(status, max < whole.bytes ? HERALD_TOO_LARGE : HERALD_OK);
		assert_int_equal(buffer.bytes, max < whole.bytes ? 0 : whole.bytes);
		if (status == HERALD_OK)
			assert_memory_equal(buffer.data, whole.data, whole.bytes);
		else
			assert_int_equal(error.status, HERALD_TOO_LARGE);
		assert_true(memory.peak_bytes <= 3 * max + 64);
		herald_buffer_finish(&buffer);
		assert_all_released(&memory);
	}
	herald_buffer_finish(&whole);
	herald_codec_destroy(codec);
}

/* The memory for finding duplicates does not count for the buffer's limit. */
static void
test_a_buffer_that_just_holds_a_map(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	static struct herald_pair pairs[300];
	static char keys[300][8];
	struct thing in = {.map = {pairs, 300}};
	struct herald_buffer whole, buffer;

	(void)state;
	for (size_t i = 0; i < 300; i++) {
		snprintf(keys[i], sizeof(keys[i]), "%zu", i);
		pairs[i] = (struct herald_pair){keys[i], ""};
	}
	herald_buffer_init(&whole, NULL, 0);
	assert_int_equal(herald_codec_encode(codec, &in, &whole, NULL), HERALD_OK);
	herald_buffer_init(&buffer, NULL, whole.bytes);
	assert_int_equal(herald_codec_encode(codec, &in, &buffer, NULL), HERALD_OK);
	assert_int_equal(buffer.bytes, whole.bytes);
	herald_buffer_finish(&buffer);
	herald_buffer_finish(&whole);
	herald_codec_destroy(codec);
}

/* Every allocation fails, one at a time; what was in the buffer stays. */
static void
test_every_allocation_fails(void **state)
{
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	struct every_kind in;

	(void)state;
	decode_good(codec, every_kind_document, &in, sizeof(in));
	for (size_t n = 1;; n++) {
		struct failing_allocator memory;
		struct herald_buffer buffer;
		struct herald_error error;
		enum herald_status status;
		size_t bytes = 0;

		failing_allocator_init(&memory, FAIL_ONLY, n);
		herald_buffer_init(&buffer, &memory.allocator, 0);
		status = herald_buffer_append(&buffer, BEFORE, strlen(BEFORE));
		bytes = buffer.bytes;
		if (status == HERALD_OK) {
			status = herald_codec_encode(codec, &in, &buffer, &error);
			if (status != HERALD_OK) {
				assert_int_equal(error.status, HERALD_NO_MEMORY);
				assert_int_equal(buffer.bytes, bytes);
				assert_memory_equal(buffer.data, BEFORE, bytes);
			}
		}
		herald_buffer_finish(&buffer);
		assert_all_released(&memory);
		if (memory.failures == 0) {
			assert_int_equal(status, HERALD_OK);
			break;
		}
		assert_int_equal(status, HERALD_NO_MEMORY);
	}
	herald_codec_destroy(codec);
}

/* A buffer that is used again needs no memory. */
static void
test_no_allocation_in_the_steady_state(void **state)
{
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	struct failing_allocator memory;
	struct herald_buffer buffer;
	struct every_kind in;
	size_t calls = 0;

	(void)state;
	decode_good(codec, every_kind_document, &in, sizeof(in));
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	herald_buffer_init(&buffer, &memory.allocator, 0);
	for (int round = 0; round < 5; round++) {
		buffer.bytes = 0;
		assert_int_equal(herald_codec_encode(codec, &in, &buffer, NULL), HERALD_OK);
		if (round == 0)
			calls = memory.calls;
	}
	assert_int_equal(memory.calls, calls);
	herald_buffer_finish(&buffer);
	assert_all_released(&memory);
	herald_codec_destroy(codec);
}

struct lists {
	const int8_t *bytes;
	size_t bytes_count;
	const double *reals;
	size_t reals_count;
	const bool *flags;
	size_t flags_count;
};
HERALD_SCHEMA(lists, HERALD_VALUES(lists, bytes), HERALD_VALUES(lists, reals),
	      HERALD_VALUES(lists, flags));

/* The room ends at each byte of a list once, its commas included. */
static void
test_lists_that_do_not_fit(void **state)
{
	static const char text[] =
		"{\"bytes\":[1,-23,100],\"reals\":[1.5,2,-1e300],\"flags\":[true,false,true]}";
	const struct lists in = {(const int8_t[]){1, -23, 100},     3,
				 (const double[]){1.5, 2, -1e300},  3,
				 (const bool[]){true, false, true}, 3};
	struct herald_codec *codec = decoding_codec(&lists_schema, NULL);

	(void)state;
	expect_text(codec, &in, text);
	for (size_t bytes = 1; bytes < sizeof(text) - 1; bytes++) {
		struct herald_buffer buffer;
		struct herald_error error;

		herald_buffer_init(&buffer, NULL, bytes);
		assert_int_equal(herald_codec_encode(codec, &in, &buffer, &error),
				 HERALD_TOO_LARGE);
		assert_int_equal(error.status, HERALD_TOO_LARGE);
		assert_int_equal(buffer.bytes, 0);
		herald_buffer_finish(&buffer);
	}
	herald_codec_destroy(codec);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists_that_do_not_fit),
		cmocka_unit_test(test_buffers_that_are_too_small),
		cmocka_unit_test(test_a_buffer_that_just_holds_a_map),
		cmocka_unit_test(test_every_allocation_fails),
		cmocka_unit_test(test_no_allocation_in_the_steady_state),
	};

	return cmocka_run_group_tests_name("encode_memory", tests, NULL, decoding_finish);
}
