/*
 * herald_codec_decode(): no allocation in the steady state, lists that move once, and every
 * allocation that fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <herald/codec.h>

#include "support/decoding.h"
#include "support/every_kind.h"
#include "support/failing_allocator.h"

/* In the steady state neither codec nor arena calls the allocator. */
static void
test_no_allocation_in_the_steady_state(void **state)
{
	struct failing_allocator memory;
	struct herald_codec *codec = NULL;
	struct herald_arena *arena = NULL;
	struct every_kind out;
	size_t calls = 0;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	assert_int_equal(
		herald_codec_create(every_kind_table, NULL, &memory.allocator, &codec, NULL),
		HERALD_OK);
	assert_int_equal(herald_arena_create(&memory.allocator, 0, &arena), HERALD_OK);
	for (int round = 0; round < 10; round++) {
		char *text = decoding_place(every_kind_document, every_kind_document_bytes, false);

		assert_int_equal(herald_codec_decode(codec, text, every_kind_document_bytes, arena,
						     &out, NULL),
				 HERALD_OK);
		herald_arena_reset(arena);
		if (round == 0)
			calls = memory.calls;
	}
	assert_int_equal(memory.calls, calls);
	herald_arena_destroy(arena);
	herald_codec_destroy(codec);
	assert_all_released(&memory);
}

struct numbers {
	const int64_t *list;
	size_t list_count;
};
HERALD_SCHEMA(numbers, HERALD_VALUES(numbers, list));

/* The length of a document tells what its lists will need: they move once, not at each doubling. */
static void
test_long_lists_move_once(void **state)
{
	char text[16 + 10000 * sizeof("12345678")];
	int bytes = sprintf(text, "{\"list\": [0");
	struct failing_allocator memory;
	struct herald_codec *codec = NULL;
	struct herald_arena *arena = NULL;
	struct numbers out;

	(void)state;
	for (int i = 1; i < 10000; i++)
		bytes += sprintf(text + bytes, ",%d", 10000000 + i);
	bytes += sprintf(text + bytes, "]}");
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	assert_int_equal(
		herald_codec_create(&numbers_schema, NULL, &memory.allocator, &codec, NULL),
		HERALD_OK);
	assert_int_equal(herald_arena_create(&memory.allocator, 0, &arena), HERALD_OK);
	size_t calls = memory.calls;
	assert_int_equal(herald_codec_decode(codec, text, (size_t)bytes, arena, &out, NULL),
			 HERALD_OK);
	assert_int_equal(memory.calls - calls, 2);
	assert_int_equal(out.list_count, 10000);
	for (int i = 1; i < 10000; i++)
		assert_int_equal(out.list[i], 10000000 + i);
	herald_arena_destroy(arena);
	herald_codec_destroy(codec);
	assert_all_released(&memory);
}

/* Every allocation fails, one at a time: an error each time, the output untouched, nothing
 * leaks. */
static void
test_every_allocation_fails(void **state)
{
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	struct herald_error error;

	(void)state;
	for (int mode = FAIL_ONLY; mode <= FAIL_FROM; mode++)
		for (size_t n = 1;; n++) {
			struct failing_allocator memory;
			struct herald_arena *arena = NULL;
			struct every_kind out, before;
			enum herald_status status;
			char *text = decoding_place(every_kind_document, every_kind_document_bytes,
						    true);

			failing_allocator_init(&memory, (enum failing_mode)mode, n);
			memset(&before, 0x3C, sizeof(before));
			memcpy(&out, &before, sizeof(out));
			status = herald_arena_create(&memory.allocator, 0, &arena);
			if (status == HERALD_OK) {
				status = herald_codec_decode(codec, text, every_kind_document_bytes,
							     arena, &out, &error);
				if (status != HERALD_OK)
					assert_int_equal(error.status, HERALD_NO_MEMORY);
			}
			herald_arena_destroy(arena);
			assert_all_released(&memory);
			if (memory.failures == 0) {
				assert_int_equal(status, HERALD_OK);
				break;
			}
			assert_int_equal(status, HERALD_NO_MEMORY);
			assert_memory_equal(&out, &before, sizeof(out));
		}
	herald_codec_destroy(codec);
}

/* The limit of the arena is less than needed, by every amount. */
static void
test_arena_limit(void **state)
{
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	size_t limit = 1;

	(void)state;
	for (bool done = false; !done; limit += 16) {
		struct herald_arena *arena = NULL;
		struct herald_error error;
		struct every_kind out, before;
		enum herald_status status;
		char *text = decoding_place(every_kind_document, every_kind_document_bytes, false);

		assert_int_equal(herald_arena_create(NULL, limit, &arena), HERALD_OK);
		memset(&before, 0x3C, sizeof(before));
		memcpy(&out, &before, sizeof(out));
		status = herald_codec_decode(codec, text, every_kind_document_bytes, arena, &out,
					     &error);
		if (status == HERALD_OK) {
			done = true;
		} else {
			assert_int_equal(status, HERALD_LIMIT);
			assert_int_equal(error.status, HERALD_LIMIT);
			assert_memory_equal(&out, &before, sizeof(out));
		}
		assert_true(herald_arena_used_bytes(arena) <= limit);
		herald_arena_destroy(arena);
	}
	/* It needed about the size of the struct and the document. */
	assert_in_range(limit, sizeof(struct every_kind), 100000);
	herald_codec_destroy(codec);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_allocation_in_the_steady_state),
		cmocka_unit_test(test_long_lists_move_once),
		cmocka_unit_test(test_every_allocation_fails),
		cmocka_unit_test(test_arena_limit),
	};

	return cmocka_run_group_tests_name("decode_memory", tests, NULL, decoding_finish);
}
