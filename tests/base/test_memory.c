/*
 * herald/allocator.h, the helpers that call an allocator, and herald/buffer.h: sizes, limits, and
 * the state when out of memory. The failing allocator is tested first, because all other tests use
 * it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/allocator.h>
#include <herald/buffer.h>

#include "support/failing_allocator.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

static void
test_failing_allocator_fails_when_told(void **state)
{
	static const struct {
		enum failing_mode mode;
		size_t fail_at;
		bool works[5];
	} cases[] = {
		{FAIL_NEVER, 3, {true, true, true, true, true}},
		{FAIL_ONLY, 3, {true, true, false, true, true}},
		{FAIL_FROM, 3, {true, true, false, false, false}},
		{FAIL_FROM, 1, {false, false, false, false, false}},
		{FAIL_ONLY, 9, {true, true, true, true, true}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct failing_allocator memory;
		void *blocks[5];
		size_t failures = 0;

		failing_allocator_init(&memory, cases[i].mode, cases[i].fail_at);
		for (size_t j = 0; j < 5; j++) {
			blocks[j] = memory.allocator.allocate(10 + j, memory.allocator.state);
			assert_int_equal(blocks[j] != NULL, cases[i].works[j]);
			failures += !blocks[j];
		}
		assert_int_equal(memory.calls, 5);
		assert_int_equal(memory.failures, failures);
		assert_int_equal(memory.blocks, 5 - failures);
		for (size_t j = 0; j < 5; j++)
			herald_memory_release(&memory.allocator, blocks[j], 10 + j);
		assert_all_released(&memory);
	}
}

static void
test_failing_allocator_sees_misuse(void **state)
{
	struct failing_allocator memory, other;
	const struct herald_allocator *allocator = &memory.allocator;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	void *block = allocator->allocate(8, allocator->state);
	assert_string_equal(failing_allocator_problem(&memory), "a block was not released");
	block = allocator->reallocate(block, 8, 16, allocator->state);
	assert_int_equal(memory.peak_bytes, 24);
	allocator->release(block, 16, allocator->state);
	assert_null(failing_allocator_problem(&memory));

	block = allocator->allocate(8, allocator->state);
	allocator->release(block, 9, allocator->state);
	assert_non_null(failing_allocator_problem(&memory));

	failing_allocator_init(&memory, FAIL_NEVER, 0);
	allocator->release(NULL, 1, allocator->state);
	assert_non_null(failing_allocator_problem(&memory));

	failing_allocator_init(&memory, FAIL_NEVER, 0);
	failing_allocator_init(&other, FAIL_NEVER, 0);
	block = other.allocator.allocate(8, other.allocator.state);
	allocator->release(block, 8, allocator->state);
	assert_non_null(failing_allocator_problem(&memory));
	other.allocator.release(block, 8, other.allocator.state);
	assert_all_released(&other);
}

static void
test_null_and_zeroed_allocators_are_libcs(void **state)
{
	struct herald_allocator zeroed = {.allocate = NULL};
	struct failing_allocator memory;
	struct herald_allocator own;

	(void)state;
	own = herald_allocator_or_libc(NULL);
	assert_ptr_equal(own.allocate, herald_allocator_libc.allocate);
	own = herald_allocator_or_libc(&zeroed);
	assert_ptr_equal(own.release, herald_allocator_libc.release);
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	own = herald_allocator_or_libc(&memory.allocator);
	assert_ptr_equal(own.state, &memory);
}

static void
test_libc_allocator_works(void **state)
{
	const struct herald_allocator *libc = &herald_allocator_libc;
	char *block = libc->allocate(4, libc->state);

	(void)state;
	assert_non_null(block);
	memcpy(block, "abc", 4);
	block = libc->reallocate(block, 4, 4000, libc->state);
	assert_non_null(block);
	assert_string_equal(block, "abc");
	libc->release(block, 4000, libc->state);
}

static void
test_zeroed_arrays(void **state)
{
	struct failing_allocator memory;
	const struct herald_allocator *allocator = &memory.allocator;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	/* These would wrap around to small sizes. */
	assert_null(herald_memory_allocate_zeroed(allocator, SIZE_MAX / 2 + 1, 2));
	assert_null(herald_memory_allocate_zeroed(allocator, SIZE_MAX / 16 + 2, 16));
	assert_null(herald_memory_allocate_zeroed(allocator, 2, SIZE_MAX));
	assert_int_equal(memory.calls, 0);

	unsigned char *block = herald_memory_allocate_zeroed(allocator, 3, 7);
	assert_non_null(block);
	for (size_t i = 0; i < 21; i++)
		assert_int_equal(block[i], 0);
	herald_memory_release(allocator, block, 21);

	block = herald_memory_allocate_zeroed(allocator, 0, 7);
	assert_non_null(block);
	herald_memory_release(allocator, block, 0);
	block = herald_memory_allocate_zeroed(allocator, 7, 0);
	assert_non_null(block);
	herald_memory_release(allocator, block, 0);
	herald_memory_release(allocator, NULL, 99);
	assert_all_released(&memory);
}

static void
test_reallocating(void **state)
{
	struct failing_allocator memory;
	const struct herald_allocator *allocator = &memory.allocator;

	(void)state;
	failing_allocator_init(&memory, FAIL_ONLY, 4);
	char *block = herald_memory_reallocate(allocator, NULL, 0, 0);
	assert_non_null(block);
	block = herald_memory_reallocate(allocator, block, 0, 3);
	assert_non_null(block);
	memcpy(block, "ab", 3);
	block = herald_memory_reallocate(allocator, block, 3, 6);
	assert_string_equal(block, "ab");
	assert_null(herald_memory_reallocate(allocator, block, 6, 12));
	assert_string_equal(block, "ab");
	herald_memory_release(allocator, block, 6);
	assert_all_released(&memory);
}

static void
test_buffer_begins_empty(void **state)
{
	struct failing_allocator memory;
	struct herald_buffer buffer;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	memset(&buffer, '#', sizeof(buffer));
	herald_buffer_init(&buffer, &memory.allocator, 0);
	assert_null(buffer.data);
	assert_int_equal(buffer.bytes, 0);
	assert_int_equal(buffer.capacity, 0);
	assert_int_equal(herald_buffer_append(&buffer, NULL, 0), HERALD_OK);
	assert_int_equal(herald_buffer_reserve(&buffer, 0), HERALD_OK);
	assert_null(buffer.data);
	herald_buffer_finish(&buffer);
	assert_int_equal(memory.calls, 0);

	herald_buffer_init(&buffer, NULL, 0);
	assert_int_equal(herald_buffer_append(&buffer, "libc", 4), HERALD_OK);
	assert_memory_equal(buffer.data, "libc", 4);
	herald_buffer_finish(&buffer);
}

static void
test_buffer_grows_seldom(void **state)
{
	struct failing_allocator memory;
	struct herald_buffer buffer;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	herald_buffer_init(&buffer, &memory.allocator, 0);
	for (size_t i = 0; i < 1000000; i++) {
		char byte = (char)(i % 251);

		assert_int_equal(herald_buffer_append(&buffer, &byte, 1), HERALD_OK);
	}
	assert_int_equal(buffer.bytes, 1000000);
	assert_true(buffer.capacity >= buffer.bytes && buffer.capacity < 2 * buffer.bytes);
	assert_true(memory.calls <= 14);
	for (size_t i = 0; i < buffer.bytes; i++)
		assert_int_equal((unsigned char)buffer.data[i], i % 251);

	herald_buffer_finish(&buffer);
	assert_null(buffer.data);
	assert_int_equal(buffer.bytes, 0);
	assert_int_equal(buffer.capacity, 0);
	assert_int_equal(herald_buffer_append(&buffer, "again", 5), HERALD_OK);
	assert_memory_equal(buffer.data, "again", 5);
	herald_buffer_finish(&buffer);
	assert_all_released(&memory);
}

static void
test_buffer_keeps_its_limit(void **state)
{
	static const size_t limits[] = {1, 2, 255, 256, 257, 1000};

	(void)state;
	for (size_t i = 0; i < COUNT(limits); i++) {
		struct failing_allocator memory;
		struct herald_buffer buffer;
		char *data;

		failing_allocator_init(&memory, FAIL_NEVER, 0);
		herald_buffer_init(&buffer, &memory.allocator, limits[i]);
		assert_int_equal(herald_buffer_reserve(&buffer, limits[i] + 1), HERALD_TOO_LARGE);
		assert_null(buffer.data);
		for (size_t j = 0; j < limits[i]; j++)
			assert_int_equal(herald_buffer_append(&buffer, "x", 1), HERALD_OK);
		assert_true(buffer.capacity <= limits[i]);

		data = buffer.data;
		assert_int_equal(herald_buffer_append(&buffer, "y", 1), HERALD_TOO_LARGE);
		assert_int_equal(herald_buffer_append(&buffer, "y", SIZE_MAX), HERALD_TOO_LARGE);
		assert_int_equal(herald_buffer_reserve(&buffer, SIZE_MAX), HERALD_TOO_LARGE);
		assert_ptr_equal(buffer.data, data);
		assert_int_equal(buffer.bytes, limits[i]);
		assert_int_equal(data[limits[i] - 1], 'x');

		/* Taking bytes back makes room. */
		buffer.bytes--;
		assert_int_equal(herald_buffer_append(&buffer, "y", 1), HERALD_OK);
		assert_int_equal(data[limits[i] - 1], 'y');
		herald_buffer_finish(&buffer);
		assert_all_released(&memory);
	}
}

static void
test_buffer_without_limit_does_not_overflow(void **state)
{
	struct failing_allocator memory;
	struct herald_buffer buffer;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	herald_buffer_init(&buffer, &memory.allocator, 0);
	assert_int_equal(herald_buffer_append(&buffer, "ab", 2), HERALD_OK);
	assert_int_equal(herald_buffer_reserve(&buffer, SIZE_MAX), HERALD_TOO_LARGE);
	assert_int_equal(herald_buffer_reserve(&buffer, SIZE_MAX - 1), HERALD_TOO_LARGE);
	assert_int_equal(herald_buffer_reserve(&buffer, SIZE_MAX - 2), HERALD_NO_MEMORY);
	assert_int_equal(buffer.bytes, 2);
	assert_memory_equal(buffer.data, "ab", 2);
	herald_buffer_finish(&buffer);
	assert_all_released(&memory);
}

static void
test_buffer_reserve_is_room_to_write(void **state)
{
	struct failing_allocator memory;
	struct herald_buffer buffer;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	herald_buffer_init(&buffer, &memory.allocator, 0);
	assert_int_equal(herald_buffer_append(&buffer, "begin", 5), HERALD_OK);
	assert_int_equal(herald_buffer_reserve(&buffer, 5000), HERALD_OK);
	assert_true(buffer.capacity >= 5005);
	assert_int_equal(buffer.bytes, 5);
	assert_memory_equal(buffer.data, "begin", 5);

	size_t calls = memory.calls;
	memset(buffer.data + 5, 'x', 5000);
	buffer.bytes += 5000;
	buffer.bytes = 0;
	assert_int_equal(herald_buffer_reserve(&buffer, 5005), HERALD_OK);
	assert_int_equal(memory.calls, calls);
	herald_buffer_finish(&buffer);
	assert_all_released(&memory);
}

static void
test_buffer_without_memory_stays_as_it_was(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 4; n++) {
		struct failing_allocator memory;
		struct herald_buffer buffer;
		enum herald_status status = HERALD_OK;
		size_t appended = 0;

		failing_allocator_init(&memory, FAIL_ONLY, n);
		herald_buffer_init(&buffer, &memory.allocator, 0);
		while (status == HERALD_OK) {
			status = herald_buffer_append(&buffer, "0123456789", 10);
			appended += status == HERALD_OK;
		}
		assert_int_equal(status, HERALD_NO_MEMORY);
		assert_int_equal(memory.failures, 1);
		assert_int_equal(buffer.bytes, appended * 10);
		for (size_t i = 0; i < buffer.bytes; i++)
			assert_int_equal(buffer.data[i], '0' + (int)(i % 10));

		assert_int_equal(herald_buffer_append(&buffer, "0123456789", 10), HERALD_OK);
		assert_int_equal(buffer.bytes, appended * 10 + 10);
		herald_buffer_finish(&buffer);
		assert_all_released(&memory);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failing_allocator_fails_when_told),
		cmocka_unit_test(test_failing_allocator_sees_misuse),
		cmocka_unit_test(test_null_and_zeroed_allocators_are_libcs),
		cmocka_unit_test(test_libc_allocator_works),
		cmocka_unit_test(test_zeroed_arrays),
		cmocka_unit_test(test_reallocating),
		cmocka_unit_test(test_buffer_begins_empty),
		cmocka_unit_test(test_buffer_grows_seldom),
		cmocka_unit_test(test_buffer_keeps_its_limit),
		cmocka_unit_test(test_buffer_without_limit_does_not_overflow),
		cmocka_unit_test(test_buffer_reserve_is_room_to_write),
		cmocka_unit_test(test_buffer_without_memory_stays_as_it_was),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
