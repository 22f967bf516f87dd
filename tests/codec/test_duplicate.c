/*
 * Duplicate keys of maps: among few entries and among many, keys of every length, keys that a
 * sender has chosen to collide in the hash table, and allocations that fail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <herald/codec.h>

#include "codec/duplicate.h"
#include "support/failing_allocator.h"

#define MAX_ENTRIES 2000
#define MANY 100000

static char keys[MAX_ENTRIES][48];
static struct herald_pair entries[MAX_ENTRIES];

/* The search in the first `count` entries, with exactly as much scratch memory as it asks for. */
static const char *
find(size_t count)
{
	size_t bytes = herald__duplicate_scratch(count);
	void *scratch = bytes > 0 ? malloc(bytes) : NULL;
	const char *twice;

	assert_true(bytes == 0 || scratch != NULL);
	for (size_t i = 0; i < count; i++)
		entries[i].key = keys[i];
	twice = herald__find_duplicate((const char *)entries, sizeof(entries[0]), count, scratch);
	free(scratch);
	return twice;
}

/* No duplicate; then a copy of each of some keys, at some places after it. */
static void
expect_duplicates_found(size_t count)
{
	assert_null(find(count));
	for (size_t first = 0; first < count; first += 1 + count / 7)
		for (size_t later = first + 1; later < count; later += 1 + count / 5) {
			char kept[sizeof(keys[0])];

			memcpy(kept, keys[later], sizeof(kept));
			memcpy(keys[later], keys[first], sizeof(kept));
			assert_ptr_equal(find(count), keys[later]);
			memcpy(keys[later], kept, sizeof(kept));
		}
}

static void
test_every_count(void **state)
{
	(void)state;
	for (size_t i = 0; i < MAX_ENTRIES; i++)
		snprintf(keys[i], sizeof(keys[i]), "SKU-%06zu", i * 7919 % 100003);
	for (size_t count = 0; count <= 600; count++)
		expect_duplicates_found(count);
	expect_duplicates_found(MAX_ENTRIES);
}

/* Keys of one length that differ in one byte only, at each place. */
static void
test_every_length(void **state)
{
	(void)state;
	for (size_t bytes = 1; bytes < sizeof(keys[0]); bytes++) {
		memset(keys, 0, sizeof(keys));
		for (size_t i = 0; i < bytes; i++) {
			memset(keys[i], 'k', bytes);
			keys[i][i] = (char)0xC3;
		}
		for (size_t i = bytes; i < bytes + 20; i++) {
			memset(keys[i], 'k', bytes);
			keys[i][bytes / 2] = (char)('A' + i - bytes);
		}
		expect_duplicates_found(bytes + 20);
	}
	/* Each a beginning of the next one, from the empty key on. */
	memset(keys, 0, sizeof(keys));
	for (size_t i = 0; i < sizeof(keys[0]); i++)
		memset(keys[i], 'k', i);
	expect_duplicates_found(sizeof(keys[0]));
}

/* Keys whose hashes begin with the same six bits: the table is given up. */
static void
make_colliding_keys(void)
{
	size_t number = 0;

	for (size_t i = 0; i < MAX_ENTRIES; i++)
		do
			snprintf(keys[i], sizeof(keys[i]), "%zu", number++);
		while (herald__key_hash(keys[i]) >> 58 != 0);
}

static void
test_keys_that_collide(void **state)
{
	(void)state;
	make_colliding_keys();
	expect_duplicates_found(17);
	expect_duplicates_found(HERALD__ENTRIES_WITHOUT_SCRATCH);
	expect_duplicates_found(HERALD__ENTRIES_WITHOUT_SCRATCH + 1);
	expect_duplicates_found(MAX_ENTRIES);
}

/* The processor time of a search among keys of eight bytes, which are all different. */
static clock_t
time_of_search(uint64_t *words, size_t count)
{
	static char texts[MANY][9];
	static struct herald_pair pairs[MANY];
	void *scratch = malloc(herald__duplicate_scratch(count));
	clock_t start;

	assert_non_null(scratch);
	for (size_t i = 0; i < count; i++) {
		memcpy(texts[i], &words[i], sizeof(words[i]));
		pairs[i].key = texts[i];
	}
	start = clock();
	assert_null(herald__find_duplicate((const char *)pairs, sizeof(pairs[0]), count, scratch));
	start = clock() - start;
	free(scratch);
	return start;
}

/* A word of eight bytes without a NUL, whose hash begins as `hash` does: herald__key_hash(), but
 * backwards. */
static uint64_t
word_of_hash(uint64_t hash)
{
	const uint64_t inverse = 0xF1DE83E19937733Du; /* of 0x9E3779B97F4A7C15, modulo 2^64 */
	uint64_t word;
	char text[9] = {0};

	do {
		word = hash++ * inverse;
		word = (word ^ word >> 32) * inverse;
		memcpy(text, &word, sizeof(word));
	} while (strlen(text) < 8);
	assert_int_equal(herald__key_hash(text), hash - 1);
	return word;
}

/* Chosen keys do not cost their number squared: that would be thousands of times as much. */
static void
test_the_cost_of_keys_that_collide(void **state)
{
	static uint64_t spread[MANY], chosen[MANY];
	clock_t usual, most;

	(void)state;
	for (uint64_t i = 0; i < MANY; i++) {
		spread[i] = word_of_hash(i << 47);
		chosen[i] = word_of_hash(i << 20);
	}
	usual = time_of_search(spread, MANY);
	most = time_of_search(chosen, MANY);
	if (most > 300 * (usual + CLOCKS_PER_SEC / 1000))
		fail_msg("%ld instead of %ld microseconds", (long)most, (long)usual);
}

/* If there are several duplicates, the first one in the map is found. */
static void
test_the_first_duplicate(void **state)
{
	(void)state;
	for (size_t i = 0; i < 100; i++)
		snprintf(keys[i], sizeof(keys[i]), "k%zu", i);
	strcpy(keys[40], "k30");
	strcpy(keys[50], "k1");
	strcpy(keys[60], "k30");
	assert_ptr_equal(find(100), keys[40]);
}

/* Also if the search sorts, as keys collide. */
static void
test_the_first_duplicate_of_keys_that_collide(void **state)
{
	static const size_t counts[] = {40, HERALD__ENTRIES_WITHOUT_SCRATCH + 1, MAX_ENTRIES};

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		char last[sizeof(keys[0])];

		make_colliding_keys();
		/* The first duplicate has the greatest key, and three entries have it. */
		size_t greatest = 0, least = 0;
		for (size_t j = 1; j < 20; j++) {
			greatest = strcmp(keys[j], keys[greatest]) > 0 ? j : greatest;
			least = strcmp(keys[j], keys[least]) < 0 ? j : least;
		}
		memcpy(last, keys[greatest], sizeof(last));
		memcpy(keys[20], last, sizeof(last));
		memcpy(keys[25], keys[least], sizeof(last));
		memcpy(keys[30], last, sizeof(last));
		assert_ptr_equal(find(counts[i]), keys[20]);
	}
}

struct holder {
	struct herald_map map;
};
HERALD_SCHEMA(holder, HERALD_FIELD(holder, map));

static void
make_document(char *text, size_t entries_count)
{
	text += sprintf(text, "{\"map\":{");
	for (size_t i = 0; i < entries_count; i++)
		text += sprintf(text, "%s\"%zu\":\"\"", i > 0 ? "," : "", i);
	strcpy(text, "}}");
}

/* Decode and encode a map. Each must work, or lack memory. */
static void
decode_and_encode(const struct herald_codec *codec, const char *text,
		  struct failing_allocator *memory)
{
	static char copy[4000];
	struct herald_buffer buffer;
	struct herald_arena *arena;
	struct holder holder;
	enum herald_status status = herald_arena_create(&memory->allocator, 0, &arena);

	if (status != HERALD_OK) {
		assert_int_equal(status, HERALD_NO_MEMORY);
		return;
	}
	herald_buffer_init(&buffer, &memory->allocator, 0);
	strcpy(copy, text);
	status = herald_codec_decode(codec, copy, strlen(copy), arena, &holder, NULL);
	if (status == HERALD_OK)
		status = herald_codec_encode(codec, &holder, &buffer, NULL);
	if (status == HERALD_OK)
		assert_memory_equal(buffer.data, text, strlen(text));
	else
		assert_int_equal(status, HERALD_NO_MEMORY);
	assert_true((status == HERALD_OK) == (memory->failures == 0));
	herald_buffer_finish(&buffer);
	herald_arena_destroy(arena);
}

/* A map that needs scratch memory. */
static void
test_every_allocation_fails(void **state)
{
	static char text[4000];
	struct herald_codec *codec;

	(void)state;
	make_document(text, HERALD__ENTRIES_WITHOUT_SCRATCH + 1);
	assert_int_equal(herald_codec_create(&holder_schema, NULL, NULL, &codec, NULL), HERALD_OK);
	for (size_t n = 1;; n++) {
		struct failing_allocator memory;

		failing_allocator_init(&memory, FAIL_ONLY, n);
		decode_and_encode(codec, text, &memory);
		assert_all_released(&memory);
		if (memory.failures == 0)
			break;
	}
	herald_codec_destroy(codec);
}

/* A map that needs none is encoded into a buffer with enough room without an allocation. */
static void
test_no_allocation_for_up_to_256_entries(void **state)
{
	struct herald_codec *codec;

	(void)state;
	assert_int_equal(herald_codec_create(&holder_schema, NULL, NULL, &codec, NULL), HERALD_OK);
	for (size_t count = 250; count <= 260; count++) {
		struct holder holder = {.map = {entries, count}};
		struct failing_allocator memory;
		struct herald_buffer buffer;
		size_t calls;

		for (size_t i = 0; i < count; i++) {
			snprintf(keys[i], sizeof(keys[i]), "%zu", i);
			entries[i] = (struct herald_pair){keys[i], ""};
		}
		failing_allocator_init(&memory, FAIL_NEVER, 0);
		herald_buffer_init(&buffer, &memory.allocator, 0);
		assert_int_equal(herald_codec_encode(codec, &holder, &buffer, NULL), HERALD_OK);
		buffer.bytes = 0;
		calls = memory.calls;
		assert_int_equal(herald_codec_encode(codec, &holder, &buffer, NULL), HERALD_OK);
		assert_int_equal(memory.calls - calls, count > 256);
		herald_buffer_finish(&buffer);
		assert_all_released(&memory);
	}
	herald_codec_destroy(codec);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_count),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_keys_that_collide),
		cmocka_unit_test(test_the_cost_of_keys_that_collide),
		cmocka_unit_test(test_the_first_duplicate),
		cmocka_unit_test(test_the_first_duplicate_of_keys_that_collide),
		cmocka_unit_test(test_every_allocation_fails),
		cmocka_unit_test(test_no_allocation_for_up_to_256_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
