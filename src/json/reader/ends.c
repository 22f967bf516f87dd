/*
 * The ends of objects and arrays, in the order of their beginnings. skip.c decides when they are
 * recorded and used; here is where they are kept. They take the event's memory, within its limit.
 */
#include "json/reader/ends.h"

#include <string.h>

#include "base/arena.h"

#define FIRST_CAPACITY 32

struct herald__ends *
herald__ends_create(struct herald_arena *arena)
{
	struct herald__ends *ends = herald__arena_take(arena, sizeof(*ends));

	if (ends)
		memset(ends, 0, sizeof(*ends));
	return ends;
}

/* Make room for more items. */
static bool
grow(struct herald__ends *ends, struct herald_arena *arena)
{
	size_t bytes = ends->capacity * sizeof(*ends->items);
	size_t capacity = ends->capacity == 0 ? FIRST_CAPACITY : 2 * ends->capacity;
	struct herald__end *items;

	if (!ends->items ||
	    !herald__arena_extend(arena, ends->items, bytes, capacity * sizeof(*ends->items))) {
		if (!(items = herald__arena_take(arena, capacity * sizeof(*items))))
			return false;
		if (ends->items)
			memcpy(items, ends->items, bytes);
		ends->items = items;
	}
	ends->capacity = capacity;
	return true;
}

bool
herald__ends_open(struct herald__ends *ends, struct herald_arena *arena, const char *begin)
{
	if (ends->count == ends->capacity && !grow(ends, arena))
		return false;
	ends->items[ends->count++] = (struct herald__end){begin, NULL};
	return true;
}

void
herald__ends_close(struct herald__ends *ends, size_t index, char *end)
{
	/* What is in a short value is short, too. */
	if (end - ends->items[index].begin < HERALD__ENDS_MIN_BYTES)
		ends->count = index;
	else
		ends->items[index].end = end;
}

const struct herald__end *
herald__ends_find(const struct herald__ends *ends, const char *begin)
{
	size_t low = 0, high = ends->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ends->items[middle].begin < begin)
			low = middle + 1;
		else
			high = middle;
	}
	return low < ends->count && ends->items[low].begin == begin ? &ends->items[low] : NULL;
}
