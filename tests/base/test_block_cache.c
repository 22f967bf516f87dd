/*
 * src/base/block_cache.h: which blocks are cached, their total size, which are reused, and that all
 * are released. The effect on events is tested in test_idle_memory.c.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/block_cache.h"
#include "support/failing_allocator.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))
#define LARGE HERALD__LARGE_BYTES
#define MAX_BYTES (4 * LARGE)

struct fixture {
	struct failing_allocator memory;
	struct herald__block_cache cache;
	struct herald_allocator cached;
};

static void
open_cache(struct fixture *fixture, size_t max_bytes)
{
	failing_allocator_init(&fixture->memory, FAIL_NEVER, 0);
	assert_true(
		herald__block_cache_init(&fixture->cache, &fixture->memory.allocator, max_bytes));
	fixture->cached = herald__block_cache_allocator(&fixture->cache);
}

static void
close_cache(struct fixture *fixture)
{
	herald__block_cache_finish(&fixture->cache);
	assert_all_released(&fixture->memory);
}

static char *
take(struct fixture *fixture, size_t bytes)
{
	char *block = fixture->cached.allocate(bytes, fixture->cached.state);

	assert_non_null(block);
	memset(block, 'x', bytes);
	return block;
}

static void
give(struct fixture *fixture, void *block, size_t bytes)
{
	fixture->cached.release(block, bytes, fixture->cached.state);
}

static void
test_which_blocks_are_kept(void **state)
{
	static const struct {
		size_t bytes;
		bool kept;
	} rows[] = {
		{1, false},        {LARGE - 1, false}, {LARGE, true},
		{LARGE + 1, true}, {MAX_BYTES, true},  {MAX_BYTES + 1, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture fixture;

		open_cache(&fixture, MAX_BYTES);
		char *block = take(&fixture, rows[i].bytes);
		give(&fixture, block, rows[i].bytes);
		assert_int_equal(fixture.memory.bytes, rows[i].kept ? rows[i].bytes : 0);
		assert_int_equal(fixture.cache.bytes, rows[i].kept ? rows[i].bytes : 0);
		if (rows[i].kept) {
			/* Only for exactly its size. */
			char *larger = take(&fixture, rows[i].bytes + 1);
			assert_ptr_not_equal(larger, block);
			assert_ptr_equal(take(&fixture, rows[i].bytes), block);
			assert_int_equal(fixture.cache.bytes, 0);
			assert_int_equal(fixture.memory.calls, 2);
			give(&fixture, larger, rows[i].bytes + 1);
			give(&fixture, block, rows[i].bytes);
		}
		close_cache(&fixture);
	}
}

static void
test_the_newest_of_a_size_first(void **state)
{
	struct fixture fixture;

	(void)state;
	open_cache(&fixture, MAX_BYTES);
	char *first = take(&fixture, LARGE), *second = take(&fixture, LARGE);
	char *other = take(&fixture, LARGE + 16);
	give(&fixture, first, LARGE);
	give(&fixture, second, LARGE);
	give(&fixture, other, LARGE + 16);
	assert_ptr_equal(take(&fixture, LARGE), second);
	assert_ptr_equal(take(&fixture, LARGE), first);
	assert_ptr_equal(take(&fixture, LARGE + 16), other);
	give(&fixture, first, LARGE);
	give(&fixture, second, LARGE);
	give(&fixture, other, LARGE + 16);
	close_cache(&fixture);
}

/* Blocks of sizes that are no longer requested do not fill the cache for ever. */
static void
test_the_oldest_makes_room(void **state)
{
	struct fixture fixture;
	char *blocks[5];

	(void)state;
	open_cache(&fixture, MAX_BYTES);
	for (size_t i = 0; i < COUNT(blocks); i++)
		blocks[i] = take(&fixture, LARGE + i);
	/* Three fit, with a few bytes of a fourth left. */
	for (size_t i = 0; i < COUNT(blocks); i++)
		give(&fixture, blocks[i], LARGE + i);
	assert_int_equal(fixture.memory.blocks, 3);
	assert_int_equal(fixture.cache.bytes, 3 * LARGE + 2 + 3 + 4);
	assert_ptr_equal(take(&fixture, LARGE + 2), blocks[2]);
	give(&fixture, blocks[2], LARGE + 2);
	/* A block as large as the whole cache is kept alone. */
	give(&fixture, take(&fixture, MAX_BYTES), MAX_BYTES);
	assert_int_equal(fixture.memory.blocks, 1);
	assert_int_equal(fixture.cache.bytes, MAX_BYTES);
	give(&fixture, take(&fixture, LARGE), LARGE);
	assert_int_equal(fixture.cache.bytes, LARGE);
	/* Blocks that fit exactly stay. */
	for (size_t i = 0; i < 4; i++)
		blocks[i] = take(&fixture, LARGE);
	for (size_t i = 0; i < 4; i++)
		give(&fixture, blocks[i], LARGE);
	assert_int_equal(fixture.cache.bytes, MAX_BYTES);
	close_cache(&fixture);
}

static void
test_nothing_kept(void **state)
{
	struct fixture fixture;

	(void)state;
	open_cache(&fixture, 1);
	give(&fixture, take(&fixture, LARGE), LARGE);
	assert_int_equal(fixture.memory.blocks, 0);
	close_cache(&fixture);
}

static void
test_reallocating(void **state)
{
	static const size_t sizes[] = {1, 100, LARGE - 1, LARGE, LARGE + 1, 2 * LARGE};
	struct fixture fixture;

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++)
		for (size_t j = 0; j < COUNT(sizes); j++) {
			size_t both = sizes[i] < sizes[j] ? sizes[i] : sizes[j];

			open_cache(&fixture, MAX_BYTES);
			const struct herald_allocator *cached = &fixture.cached;
			char *block = take(&fixture, sizes[i]);
			fixture.memory.mode = FAIL_FROM;
			fixture.memory.fail_at = 1;
			assert_null(cached->reallocate(block, sizes[i], sizes[j], cached->state));
			fixture.memory.mode = FAIL_NEVER;
			block = cached->reallocate(block, sizes[i], sizes[j], cached->state);
			assert_non_null(block);
			for (size_t k = 0; k < both; k++)
				assert_int_equal(block[k], 'x');
			memset(block, 'y', sizes[j]);
			give(&fixture, block, sizes[j]);
			close_cache(&fixture);
		}
}

/* Blocks of random sizes, of which each holds its own bytes. */
static void
test_random_work(void **state)
{
	struct fixture fixture;
	struct {
		char *block;
		size_t bytes;
	} held[12] = {{NULL, 0}};
	unsigned seed = 11;

	(void)state;
	open_cache(&fixture, MAX_BYTES);
	for (int i = 0; i < 20000; i++) {
		seed = seed * 1103515245 + 12345;
		size_t at = seed >> 16 & 7, most = 0;

		if (held[at].block) {
			assert_int_equal(held[at].block[0], (char)at);
			assert_int_equal(held[at].block[held[at].bytes - 1], (char)at);
			give(&fixture, held[at].block, held[at].bytes);
			held[at].block = NULL;
		} else {
			held[at].bytes = (LARGE >> 1) << (seed >> 20 & 3);
			held[at].block = take(&fixture, held[at].bytes);
			held[at].block[0] = held[at].block[held[at].bytes - 1] = (char)at;
		}
		for (size_t j = 0; j < COUNT(held); j++)
			most += held[j].block ? held[j].bytes : 0;
		assert_true(fixture.memory.bytes == most + fixture.cache.bytes);
		assert_true(fixture.cache.bytes <= MAX_BYTES);
	}
	for (size_t i = 0; i < COUNT(held); i++)
		if (held[i].block)
			give(&fixture, held[i].block, held[i].bytes);
	close_cache(&fixture);
}

/* Threads share a cache: no thread gets a block that another one has. */

#define THREADS 4
#define HELD 3

struct worker {
	struct herald_allocator cached;
	unsigned number, wrong;
};

static void *
work(void *state)
{
	struct worker *worker = state;
	struct herald_allocator *cached = &worker->cached;
	unsigned *held[HELD] = {NULL}, seed = worker->number;

	for (unsigned i = 0; i < 20000 + HELD; i++) {
		unsigned **block = &held[i % HELD];
		size_t bytes = LARGE * (1 + i % HELD);

		if (*block) {
			worker->wrong += **block != worker->number;
			cached->release(*block, bytes, cached->state);
			*block = NULL;
		}
		seed = seed * 1103515245 + 12345;
		if (i < 20000 && seed >> 30 != 0) {
			*block = cached->allocate(bytes, cached->state);
			**block = worker->number;
		}
	}
	return NULL;
}

static void
test_threads(void **state)
{
	struct herald__block_cache cache;
	struct worker workers[THREADS];
	pthread_t threads[THREADS];

	(void)state;
	assert_true(herald__block_cache_init(&cache, &herald_allocator_libc, 8 * LARGE));
	struct herald_allocator cached = herald__block_cache_allocator(&cache);
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.cached = cached, .number = i + 1};
		assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(workers[i].wrong, 0);
	}
	assert_in_range(cache.bytes, 1, 8 * LARGE);
	herald__block_cache_finish(&cache);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which_blocks_are_kept),
		cmocka_unit_test(test_the_newest_of_a_size_first),
		cmocka_unit_test(test_the_oldest_makes_room),
		cmocka_unit_test(test_nothing_kept),
		cmocka_unit_test(test_reallocating),
		cmocka_unit_test(test_random_work),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
