/*
 * The failing allocator: malloc() with a header before each block for its size and owner. Does not
 * call cmocka, because it may run on any thread; it counts errors, which the test reads.
 */
#include "failing_allocator.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { RUBBISH_NEW = 0xA5, RUBBISH_OLD = 0x5A };

/* Aligned as malloc's blocks, so that what follows it is too. */
struct head {
	_Alignas(max_align_t) size_t bytes;
	struct failing_allocator *owner;
};

static bool
is_to_fail(struct failing_allocator *memory)
{
	size_t number = atomic_fetch_add(&memory->calls, 1) + 1;
	bool fails = (memory->mode == FAIL_ONLY && number == memory->fail_at) ||
		     (memory->mode == FAIL_FROM && number >= memory->fail_at);

	if (fails)
		atomic_fetch_add(&memory->failures, 1);
	return fails;
}

static void
count_block(struct failing_allocator *memory, size_t bytes)
{
	size_t now = atomic_fetch_add(&memory->bytes, bytes) + bytes;
	size_t peak = atomic_load(&memory->peak_bytes);

	atomic_fetch_add(&memory->blocks, 1);
	while (now > peak && !atomic_compare_exchange_weak(&memory->peak_bytes, &peak, now))
		;
}

static void *
make_block(struct failing_allocator *memory, size_t bytes)
{
	if (!bytes)
		atomic_fetch_add(&memory->misuses, 1);
	/* A size that only an overflow or a missing check can have made. */
	if (bytes > SIZE_MAX / 4)
		return NULL;

	struct head *head = malloc(sizeof(*head) + bytes);
	if (!head)
		return NULL;
	head->bytes = bytes;
	head->owner = memory;
	memset(head + 1, RUBBISH_NEW, bytes);
	count_block(memory, bytes);
	return head + 1;
}

static void
drop_block(struct failing_allocator *memory, void *block, size_t bytes)
{
	struct head *head = (struct head *)block - 1;

	if (head->owner != memory) {
		atomic_fetch_add(&memory->misuses, 1);
		return;
	}
	if (head->bytes != bytes)
		atomic_fetch_add(&memory->misuses, 1);
	atomic_fetch_sub(&memory->blocks, 1);
	atomic_fetch_sub(&memory->bytes, head->bytes);
	memset(block, RUBBISH_OLD, head->bytes);
	head->owner = NULL;
	free(head);
}

static void *
failing_allocate(size_t bytes, void *state)
{
	struct failing_allocator *memory = state;

	return is_to_fail(memory) ? NULL : make_block(memory, bytes);
}

static void *
failing_reallocate(void *block, size_t old_bytes, size_t bytes, void *state)
{
	struct failing_allocator *memory = state;

	if (is_to_fail(memory))
		return NULL;

	void *moved = make_block(memory, bytes);
	if (!moved || !block)
		return moved;
	memcpy(moved, block, old_bytes < bytes ? old_bytes : bytes);
	drop_block(memory, block, old_bytes);
	return moved;
}

static void
failing_release(void *block, size_t bytes, void *state)
{
	struct failing_allocator *memory = state;

	if (block)
		drop_block(memory, block, bytes);
	else
		atomic_fetch_add(&memory->misuses, 1);
}

void
failing_allocator_init(struct failing_allocator *memory, enum failing_mode mode, size_t fail_at)
{
	memset(memory, 0, sizeof(*memory));
	memory->mode = mode;
	memory->fail_at = fail_at;
	memory->allocator = (struct herald_allocator){
		.allocate = failing_allocate,
		.reallocate = failing_reallocate,
		.release = failing_release,
		.state = memory,
	};
}

const char *
failing_allocator_problem(const struct failing_allocator *memory)
{
	if (atomic_load(&memory->misuses))
		return "a block was released or reallocated with a wrong size, or one of 0 bytes "
		       "asked for";
	if (atomic_load(&memory->blocks))
		return "a block was not released";
	return NULL;
}
