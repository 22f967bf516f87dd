/*
 * Finds two entries of a map with the same key, among many: with a hash table, or by sorting. A
 * sender can choose keys that collide in the table, but sorting is O(n log n) in any case, so the
 * table is given up when it has too many collisions.
 */
#include "codec/duplicate.h"

#include <stdbool.h>

#include "base/sort.h"

/* Collisions allowed per entry. Keys that are not chosen to collide have less than half a one. */
#define MAX_COLLISIONS 4

/* Entries are counted by 32 bits in the table. */
#define MAX_TABLE_ENTRIES (UINT32_MAX / 4)

/* The logarithm of the table's size, which is at least twice the number of entries. */
static unsigned
table_bits(size_t count)
{
	return 64 - (unsigned)__builtin_clzll((unsigned long long)count * 2 - 1);
}

size_t
herald__duplicate_scratch_of_many(size_t count)
{
	/* Room for the pointers that are sorted is in the table. */
	return count <= MAX_TABLE_ENTRIES ? sizeof(uint32_t) << table_bits(count)
					  : count * sizeof(void *);
}

/*
 * Search with a hash table of the entries' numbers, counted from 1. Sets *twice to the key of the
 * first entry that is a duplicate, or NULL. False if there are too many collisions.
 */
static bool
search_table(const char *entries, size_t bytes, size_t count, uint32_t *table, const char **twice)
{
	unsigned bits = table_bits(count);
	size_t collisions = 0, mask = ((size_t)1 << bits) - 1;

	*twice = NULL;
	memset(table, 0, sizeof(*table) << bits);
	for (size_t i = 0; i < count; i++) {
		const char *key = herald__entry_key(entries + i * bytes);
		size_t slot = (size_t)(herald__key_hash(key) >> (64 - bits));

		for (; table[slot] != 0; slot = (slot + 1) & mask) {
			const char *other = herald__entry_key(entries + (table[slot] - 1) * bytes);

			if (strcmp(key, other) == 0) {
				*twice = key;
				return true;
			}
			if (++collisions > count * MAX_COLLISIONS)
				return false;
		}
		table[slot] = (uint32_t)(i + 1);
	}
	return true;
}

/* A herald__order of entries by their keys, and then by their places. */
static int
entry_order(const void *a, const void *b)
{
	int order = strcmp(herald__entry_key(a), herald__entry_key(b));

	return order != 0 ? order : (uintptr_t)a < (uintptr_t)b ? -1 : (uintptr_t)a > (uintptr_t)b;
}

/* Search by sorting. Returns the same key as search_table() does. */
static const char *
search_sorted(const char *entries, size_t bytes, size_t count, const void **sorted)
{
	for (size_t i = 0; i < count; i++)
		sorted[i] = entries + i * bytes;
	herald__sort(sorted, count, entry_order);
	const void *first = NULL; /* of those that have a key which an earlier one has */
	for (size_t i = 1; i < count; i++)
		if (strcmp(herald__entry_key(sorted[i - 1]), herald__entry_key(sorted[i])) == 0 &&
		    (!first || (uintptr_t)sorted[i] < (uintptr_t)first))
			first = sorted[i];
	return first ? herald__entry_key(first) : NULL;
}

const char *
herald__find_duplicate_of_many(const char *entries, size_t bytes, size_t count, void *scratch)
{
	union {
		uint32_t table[2 * HERALD__ENTRIES_WITHOUT_SCRATCH];
		const void *sorted[HERALD__ENTRIES_WITHOUT_SCRATCH];
	} small;
	const char *twice;

	if (count <= HERALD__ENTRIES_WITHOUT_SCRATCH)
		scratch = &small;
	if (count <= MAX_TABLE_ENTRIES && search_table(entries, bytes, count, scratch, &twice))
		return twice;
	return search_sorted(entries, bytes, count, scratch);
}
