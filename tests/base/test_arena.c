/*
 * herald/arena.h: blocks that do not overlap, the limit, what a reset retains, and the state when
 * out of memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <herald/arena.h>

#include "base/arena.h"
#include "support/failing_allocator.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))
#define KIB ((size_t)1024)
#define MIB ((size_t)1024 * 1024)
#define PADDING HERALD__ARENA_ALIGNMENT

/* What is kept for good after a giant round, with room for the heads of chunk and arena. */
#define KEPT (256 * KIB + 256)

static struct herald_arena *
make_arena(struct failing_allocator *memory, size_t max_bytes)
{
	struct herald_arena *arena = NULL;

	failing_allocator_init(memory, FAIL_NEVER, 0);
	assert_int_equal(herald_arena_create(&memory->allocator, max_bytes, &arena), HERALD_OK);
	return arena;
}

static void
drop_arena(struct herald_arena *arena, struct failing_allocator *memory)
{
	herald_arena_destroy(arena);
	assert_all_released(memory);
}

static void
test_create_and_destroy(void **state)
{
	struct failing_allocator memory;
	struct herald_arena *arena = make_arena(&memory, 0);
	struct herald_arena *const untouched = arena;

	(void)state;
	assert_int_equal(memory.calls, 1);
	assert_int_equal(herald_arena_used_bytes(arena), 0);
	drop_arena(arena, &memory);

	failing_allocator_init(&memory, FAIL_FROM, 1);
	assert_int_equal(herald_arena_create(&memory.allocator, 0, &arena), HERALD_NO_MEMORY);
	assert_ptr_equal(arena, untouched);
	assert_all_released(&memory);

	assert_int_equal(herald_arena_create(NULL, 0, &arena), HERALD_OK);
	assert_non_null(herald_arena_alloc(arena, 100000));
	herald_arena_destroy(arena);
	herald_arena_destroy(NULL);
}

static void
test_blocks_are_aligned_and_apart(void **state)
{
	struct failing_allocator memory;
	struct herald_arena *arena = make_arena(&memory, 0);
	unsigned char *blocks[3000];

	(void)state;
	for (size_t i = 0; i < COUNT(blocks); i++) {
		blocks[i] = herald_arena_alloc(arena, i % 97);
		assert_non_null(blocks[i]);
		assert_int_equal((uintptr_t)blocks[i] % PADDING, 0);
		memset(blocks[i], (int)(i % 251), i % 97);
	}
	for (size_t i = 0; i < COUNT(blocks); i++) {
		for (size_t j = 0; j < i % 97; j++)
			assert_int_equal(blocks[i][j], i % 251);
	}
	drop_arena(arena, &memory);
}

static void
test_used_bytes_count_padding(void **state)
{
	static const size_t sizes[] = {0, 1, 15, 16, 17, 4000, 100, 70000, 3};
	struct failing_allocator memory;
	struct herald_arena *arena = make_arena(&memory, 0);
	size_t expected = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		assert_non_null(herald_arena_alloc(arena, sizes[i]));
		expected += (sizes[i] + PADDING - 1) / PADDING * PADDING;
		assert_int_equal(herald_arena_used_bytes(arena), expected);
	}
	herald_arena_reset(arena);
	assert_int_equal(herald_arena_used_bytes(arena), 0);
	drop_arena(arena, &memory);
}

static void
test_zero_bytes_need_no_memory(void **state)
{
	struct failing_allocator memory;
	struct herald_arena *arena = make_arena(&memory, 64);

	(void)state;
	assert_non_null(herald_arena_alloc(arena, 0));
	assert_non_null(herald_arena_alloc(arena, 64));
	assert_non_null(herald_arena_alloc(arena, 0));
	assert_int_equal(memory.calls, 2);
	assert_null(herald_arena_alloc(arena, 1));
	drop_arena(arena, &memory);
}

static void
test_copies(void **state)
{
	struct failing_allocator memory;
	struct herald_arena *arena = make_arena(&memory, 64);
	char *copy = herald_arena_copy(arena, "with\0NUL behind", 8);

	(void)state;
	assert_memory_equal(copy, "with\0NUL", 9);
	assert_string_equal(herald_arena_copy(arena, NULL, 0), "");
	assert_null(herald_arena_copy(arena, "too long", SIZE_MAX));
	assert_true(herald__arena_over_limit(arena));
	/* 32 bytes are left; the NUL does not fit. */
	assert_null(herald_arena_copy(arena, "0123456789012345678901234567890", 32));
	assert_string_equal(herald_arena_copy(arena, "0123456789012345678901234567890", 31),
			    "0123456789012345678901234567890");
	drop_arena(arena, &memory);
}

static void
test_limit(void **state)
{
	static const size_t limits[] = {1, 15, 16, 100, 4096, 4097, 5000, 65536, 1000000};

	(void)state;
	for (size_t i = 0; i < COUNT(limits); i++) {
		struct failing_allocator memory;
		struct herald_arena *arena = make_arena(&memory, limits[i]);
		size_t blocks = 0;

		for (int round = 0; round < 3; round++) {
			for (blocks = 0; herald_arena_alloc(arena, 1); blocks++)
				;
			assert_int_equal(blocks, limits[i] / PADDING);
			assert_true(herald__arena_over_limit(arena));
			assert_int_equal(herald_arena_used_bytes(arena), blocks * PADDING);
			assert_non_null(herald_arena_alloc(arena, 0));
			herald_arena_reset(arena);
			assert_false(herald__arena_over_limit(arena));
		}
		assert_null(herald_arena_alloc(arena, blocks * PADDING + 1));
		if (blocks)
			assert_non_null(herald_arena_alloc(arena, blocks * PADDING));
		drop_arena(arena, &memory);
	}
}

static void
test_default_limit_and_none(void **state)
{
	static const size_t absurd[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 15, SIZE_MAX - 16,
					SIZE_MAX / 2 + 1};
	struct failing_allocator memory;
	struct herald_arena *arena = make_arena(&memory, 0);

	(void)state;
	assert_non_null(herald_arena_alloc(arena, 16 * MIB));
	assert_null(herald_arena_alloc(arena, 1));
	assert_true(herald__arena_over_limit(arena));
	drop_arena(arena, &memory);

	arena = make_arena(&memory, SIZE_MAX);
	assert_non_null(herald_arena_alloc(arena, 1));
	for (size_t i = 0; i < COUNT(absurd); i++) {
		assert_null(herald_arena_alloc(arena, absurd[i]));
		assert_true(herald__arena_over_limit(arena));
	}
	/* Within the limit, but more than the system has. */
	assert_null(herald_arena_alloc(arena, SIZE_MAX / 2 - 1024));
	assert_false(herald__arena_over_limit(arena));
	assert_non_null(herald_arena_alloc(arena, 1));
	drop_arena(arena, &memory);
}

static void
test_no_memory_is_not_the_limit(void **state)
{
	(void)state;
	for (size_t n = 2; n <= 6; n++) {
		struct failing_allocator memory;
		struct herald_arena *arena = make_arena(&memory, 0);
		unsigned char *block, *before = NULL;

		memory.mode = FAIL_ONLY;
		memory.fail_at = n;
		while ((block = herald_arena_alloc(arena, 1000)) != NULL) {
			memset(block, 1, 1000);
			before = block;
		}
		assert_int_equal(memory.failures, 1);
		assert_false(herald__arena_over_limit(arena));
		/* Earlier blocks are intact, and the arena still works. */
		if (before)
			assert_int_equal(before[999], 1);
		assert_non_null(herald_arena_alloc(arena, 1000));
		drop_arena(arena, &memory);
	}
}

static void
test_limit_after_no_memory_and_back(void **state)
{
	struct failing_allocator memory;
	struct herald_arena *arena = make_arena(&memory, MIB);

	(void)state;
	memory.mode = FAIL_FROM;
	memory.fail_at = 2;
	assert_null(herald_arena_alloc(arena, 2 * MIB));
	assert_true(herald__arena_over_limit(arena));
	assert_null(herald_arena_alloc(arena, 100));
	assert_false(herald__arena_over_limit(arena));
	assert_null(herald_arena_alloc(arena, 2 * MIB));
	assert_true(herald__arena_over_limit(arena));
	drop_arena(arena, &memory);
}

static void
test_extend_the_last_block(void **state)
{
	struct failing_allocator memory;
	struct herald_arena *arena = make_arena(&memory, 0);
	char *first = herald_arena_alloc(arena, 20);
	char *last = herald_arena_alloc(arena, 20);

	(void)state;
	memset(last, 'x', 20);
	assert_false(herald__arena_extend(arena, first, 20, 40));
	assert_int_equal(herald_arena_used_bytes(arena), 64);
	/* Within its padding, then beyond it. */
	assert_true(herald__arena_extend(arena, last, 20, 32));
	assert_int_equal(herald_arena_used_bytes(arena), 64);
	assert_true(herald__arena_extend(arena, last, 32, 1000));
	assert_int_equal(herald_arena_used_bytes(arena), 32 + 1008);
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(last[i], 'x');
	memset(last, 'y', 1000);

	char *next = herald_arena_alloc(arena, 1);
	assert_ptr_equal(next, last + 1008);
	assert_false(herald__arena_extend(arena, last, 1000, 1001));
	assert_true(herald__arena_extend(arena, next, 1, 2));

	/* Shrink it, down to 0 bytes: the freed bytes are allocated again. */
	assert_true(herald__arena_extend(arena, next, 2, 0));
	assert_true(herald__arena_extend(arena, last, 1000, 16));
	assert_ptr_equal(herald_arena_alloc(arena, 1), last + 16);
	drop_arena(arena, &memory);
}

static void
test_extend_stops_at_chunk_and_limit(void **state)
{
	struct failing_allocator memory;
	struct herald_arena *arena = make_arena(&memory, 5000);
	char *block = herald_arena_alloc(arena, 0);

	(void)state;
	/* No chunk at all yet. */
	assert_false(herald__arena_extend(arena, block, 0, 1));
	block = herald_arena_alloc(arena, 4000);
	assert_false(herald__arena_extend(arena, block, 4000, 4097));
	assert_false(herald__arena_extend(arena, block, 4000, SIZE_MAX));
	assert_true(herald__arena_extend(arena, block, 4000, 4096));

	/* The second chunk has only the bytes that the limit leaves. */
	char *second = herald_arena_alloc(arena, 16);
	assert_false(herald__arena_extend(arena, block, 4096, 4097));
	assert_false(herald__arena_extend(arena, second, 16, 897));
	assert_true(herald__arena_extend(arena, second, 16, 896));
	assert_null(herald_arena_alloc(arena, 1));
	assert_int_equal(memory.calls, 3);
	drop_arena(arena, &memory);
}

/* One round of an event: blocks of several sizes, some extended as a decoder's lists are. */
static void
run_round(struct herald_arena *arena, size_t bytes)
{
	size_t piece = 0;

	while (herald_arena_used_bytes(arena) < bytes) {
		size_t size = 1 + piece * 37 % 900;
		char *block = herald_arena_alloc(arena, size);

		assert_non_null(block);
		memset(block, 'x', size);
		if (piece % 5 == 0 && !herald__arena_extend(arena, block, size, size * 2)) {
			block = herald_arena_alloc(arena, size * 2);
			assert_non_null(block);
		}
		if (piece % 5 == 0)
			memset(block, 'y', size * 2);
		piece++;
	}
}

static void
test_same_round_again_allocates_nothing(void **state)
{
	static const size_t rounds[] = {1,        4 * KIB,   4 * KIB + 1, 5 * KIB,
					40 * KIB, 200 * KIB, 254 * KIB,   300 * KIB,
					MIB,      5 * MIB,   9 * MIB,     15 * MIB};

	(void)state;
	for (size_t i = 0; i < COUNT(rounds); i++) {
		struct failing_allocator memory;
		struct herald_arena *arena = make_arena(&memory, 0);

		for (int round = 1; round <= 2; round++) {
			run_round(arena, rounds[i]);
			herald_arena_reset(arena);
		}
		size_t calls = memory.calls;
		size_t blocks = memory.blocks;
		for (int round = 3; round <= 50; round++) {
			run_round(arena, rounds[i]);
			herald_arena_reset(arena);
		}
		assert_int_equal(memory.calls, calls);
		assert_int_equal(memory.blocks, blocks);
		drop_arena(arena, &memory);
	}
}

static void
test_rounds_of_changing_size_settle(void **state)
{
	struct failing_allocator memory;
	struct herald_arena *arena = make_arena(&memory, 0);

	(void)state;
	for (size_t round = 1; round <= 200; round++) {
		run_round(arena, round * KIB);
		herald_arena_reset(arena);
	}
	/* Doublings from 4 to 256 KiB, a few calls each, however many rounds. */
	assert_true(memory.calls <= 24);
	size_t calls = memory.calls;
	for (size_t round = 1; round <= 200; round++) {
		run_round(arena, round * 7919 % (200 * KIB));
		herald_arena_reset(arena);
	}
	assert_int_equal(memory.calls, calls);
	drop_arena(arena, &memory);
}

static void
test_one_giant_round_is_not_kept(void **state)
{
	static const size_t giants[] = {300 * KIB, MIB, 10 * MIB};

	(void)state;
	for (size_t i = 0; i < COUNT(giants); i++) {
		for (int single = 0; single < 2; single++) {
			struct failing_allocator memory;
			struct herald_arena *arena = make_arena(&memory, 0);

			run_round(arena, KIB);
			herald_arena_reset(arena);
			if (single)
				assert_non_null(herald_arena_alloc(arena, giants[i]));
			else
				run_round(arena, giants[i]);
			assert_true(memory.bytes >= giants[i]);
			herald_arena_reset(arena);
			assert_true(memory.bytes <= KEPT);
			drop_arena(arena, &memory);
		}
	}
}

static void
test_usual_giants_are_kept_for_a_while(void **state)
{
	struct failing_allocator memory;
	struct herald_arena *arena = make_arena(&memory, 0);
	int small_rounds = 0;

	(void)state;
	for (int round = 0; round < 2; round++) {
		run_round(arena, 2 * MIB);
		herald_arena_reset(arena);
	}
	assert_true(memory.bytes >= 2 * MIB);
	while (memory.bytes > KEPT) {
		run_round(arena, KIB);
		herald_arena_reset(arena);
		small_rounds++;
	}
	assert_int_equal(small_rounds, 17);

	/* One giant round in ten is enough to keep it. */
	for (int round = 0; round < 30; round++) {
		run_round(arena, round % 10 == 0 ? 2 * MIB : KIB);
		herald_arena_reset(arena);
	}
	assert_true(memory.bytes >= 2 * MIB);
	drop_arena(arena, &memory);
}

/* Rounds never use more than a small limit, so that it is what bounds the chunk. */
static void
test_small_limit_bounds_what_is_kept(void **state)
{
	struct failing_allocator memory;
	struct herald_arena *arena = make_arena(&memory, 10000);

	(void)state;
	for (int round = 0; round < 5; round++) {
		while (herald_arena_alloc(arena, 100))
			;
		assert_true(memory.bytes <= 10000 + 256);
		herald_arena_reset(arena);
		assert_true(memory.bytes <= 10000 + 256);
	}
	drop_arena(arena, &memory);
}

/* A block grown in steps of 100 bytes, as a list is; returns how many chunks that took. */
static size_t
grow_a_block(struct herald_arena *arena, struct failing_allocator *memory, size_t bytes)
{
	size_t calls = memory->calls, old = 0;
	char *block = NULL;

	for (size_t size = 100; size <= bytes; old = size, size += 100)
		if (!block || !herald__arena_extend(arena, block, old, size)) {
			block = herald_arena_alloc(arena, size);
			assert_non_null(block);
		}
	return memory->calls - calls;
}

/* The second chunk has the expected size. The first one, and what a reset retains, do not
 * change. */
static void
test_expected_bytes(void **state)
{
	static const struct {
		size_t expected, used, chunks, most_bytes;
	} rows[] = {
		{0, 90000, 6, 256 * KIB},          {100000, 90000, 2, 133 * KIB},
		{100000, 4000, 1, 5 * KIB},        {5000, 90000, 6, 256 * KIB},
		{8 * KIB + 1, 15000, 2, 21 * KIB}, {SIZE_MAX / 4, 200000, 2, MIB + KIB},
		{SIZE_MAX, 200000, 2, MIB + KIB},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct failing_allocator memory;
		struct herald_arena *arena = make_arena(&memory, MIB);

		herald__arena_expect(arena, rows[i].expected);
		assert_int_equal(memory.calls, 1);
		assert_int_equal(grow_a_block(arena, &memory, rows[i].used), rows[i].chunks);
		assert_true(memory.bytes <= rows[i].most_bytes);
		herald_arena_reset(arena);
		assert_true(memory.bytes <= 256 * KIB + 256);
		drop_arena(arena, &memory);
	}
}

/* The expectation holds until the reset, and not in the next round. */
static void
test_expected_bytes_end_with_the_round(void **state)
{
	struct failing_allocator memory;
	struct herald_arena *arena = make_arena(&memory, 0);

	(void)state;
	herald__arena_expect(arena, 100000);
	herald_arena_reset(arena);
	assert_int_equal(grow_a_block(arena, &memory, 90000), 6);
	drop_arena(arena, &memory);
}

/* Every allocation of three rounds fails once, including those in a reset. */
static void
test_every_allocation_fails(void **state)
{
	bool failed = true;

	(void)state;
	for (size_t n = 1; failed; n++) {
		struct failing_allocator memory;
		struct herald_arena *arena = NULL;

		failing_allocator_init(&memory, FAIL_ONLY, n);
		if (herald_arena_create(&memory.allocator, 0, &arena) != HERALD_OK)
			assert_null(arena);
		for (int round = 0; arena && round < 3; round++) {
			for (int i = 0; i < 700; i++) {
				char *block = herald_arena_alloc(arena, 1000);

				if (block)
					memset(block, 'x', 1000);
				else
					assert_false(herald__arena_over_limit(arena));
			}
			herald_arena_reset(arena);
			assert_int_equal(herald_arena_used_bytes(arena), 0);
		}
		failed = memory.failures > 0;
		drop_arena(arena, &memory);
	}
}

struct model_block {
	unsigned char *data;
	size_t bytes;
	unsigned char fill;
};

static void
assert_block_is_whole(const struct model_block *block)
{
	for (size_t i = 0; i < block->bytes; i++)
		assert_int_equal(block->data[i], block->fill);
}

/* Random calls, compared with a list of the blocks that were allocated. */
static void
test_random_work(void **state)
{
	struct failing_allocator memory;
	struct herald_arena *arena = make_arena(&memory, 400 * KIB);
	struct model_block blocks[400];
	size_t count = 0;

	(void)state;
	srand(20260102);
	for (int step = 0; step < 60000; step++) {
		size_t size = (size_t)rand() % (rand() % 50 ? 300 : 60000);

		if (count == COUNT(blocks) || rand() % 500 == 0) {
			for (size_t i = 0; i < count; i++)
				assert_block_is_whole(&blocks[i]);
			herald_arena_reset(arena);
			count = 0;
		} else if (count && rand() % 3 == 0) {
			struct model_block *last = &blocks[count - 1];

			if (herald__arena_extend(arena, last->data, last->bytes, size)) {
				size_t kept = size < last->bytes ? size : last->bytes;

				last->bytes = kept;
				assert_block_is_whole(last);
				last->bytes = size;
				memset(last->data, last->fill, size);
			}
		} else {
			struct model_block block = {herald_arena_alloc(arena, size), size,
						    (unsigned char)rand()};

			if (!block.data) {
				assert_true(herald__arena_over_limit(arena));
				continue;
			}
			memset(block.data, block.fill, size);
			blocks[count++] = block;
		}
		assert_true(herald_arena_used_bytes(arena) <= 400 * KIB);
	}
	drop_arena(arena, &memory);
}

#ifdef HERALD__ARENA_POISONS
static void
test_what_is_not_given_out_is_poisoned(void **state)
{
	struct failing_allocator memory;
	struct herald_arena *arena = make_arena(&memory, 0);
	char *block = herald_arena_alloc(arena, 21);

	assert_false(__asan_region_is_poisoned(block, 21));
	assert_true(__asan_address_is_poisoned(block + 21));
	assert_true(__asan_address_is_poisoned(block + 4000));
	assert_true(herald__arena_extend(arena, block, 21, 50));
	assert_false(__asan_region_is_poisoned(block, 50));
	assert_true(__asan_address_is_poisoned(block + 50));
	assert_true(herald__arena_extend(arena, block, 50, 3));
	assert_false(__asan_region_is_poisoned(block, 3));
	assert_true(__asan_address_is_poisoned(block + 3));
	assert_true(__asan_address_is_poisoned(block + 40));
	herald_arena_reset(arena);
	assert_true(__asan_address_is_poisoned(block));
	assert_true(__asan_address_is_poisoned(block + 20));
	(void)state;
	drop_arena(arena, &memory);
}
#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create_and_destroy),
		cmocka_unit_test(test_blocks_are_aligned_and_apart),
		cmocka_unit_test(test_used_bytes_count_padding),
		cmocka_unit_test(test_zero_bytes_need_no_memory),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_default_limit_and_none),
		cmocka_unit_test(test_no_memory_is_not_the_limit),
		cmocka_unit_test(test_limit_after_no_memory_and_back),
		cmocka_unit_test(test_extend_the_last_block),
		cmocka_unit_test(test_extend_stops_at_chunk_and_limit),
		cmocka_unit_test(test_same_round_again_allocates_nothing),
		cmocka_unit_test(test_rounds_of_changing_size_settle),
		cmocka_unit_test(test_one_giant_round_is_not_kept),
		cmocka_unit_test(test_usual_giants_are_kept_for_a_while),
		cmocka_unit_test(test_small_limit_bounds_what_is_kept),
		cmocka_unit_test(test_expected_bytes),
		cmocka_unit_test(test_expected_bytes_end_with_the_round),
		cmocka_unit_test(test_every_allocation_fails),
		cmocka_unit_test(test_random_work),
#ifdef HERALD__ARENA_POISONS
		cmocka_unit_test(test_what_is_not_given_out_is_poisoned),
#endif
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
