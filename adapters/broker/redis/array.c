/*
 * Arrays that grow. Owns their memory, not what the items point to.
 */
#include "array.h"

#include <stdbool.h>
#include <string.h>

#include <herald/adapter/memory.h>

/* Make room for one more at the end: items that are gone have left some, or else it grows. */
static bool
make_room(struct redis_array *array, size_t bytes, const struct herald_allocator *allocator)
{
	if (array->first <= array->count) {
		const size_t capacity = array->capacity ? 2 * array->capacity : 64;
		void *items = herald_memory_reallocate(allocator, array->items,
						       array->capacity * bytes, capacity * bytes);

		if (!items)
			return false;
		array->items = items;
		array->capacity = capacity;
	}
	memmove(array->items, (char *)array->items + array->first * bytes, array->count * bytes);
	array->first = 0;
	return true;
}

void *
herald__redis_array_add(struct redis_array *array, size_t bytes,
			const struct herald_allocator *allocator)
{
	if (array->first + array->count == array->capacity && !make_room(array, bytes, allocator))
		return NULL;
	return (char *)array->items + (array->first + array->count++) * bytes;
}

void
herald__redis_array_drop(struct redis_array *array, size_t count)
{
	array->count -= count;
	array->first = array->count > 0 ? array->first + count : 0;
}

void
herald__redis_array_finish(struct redis_array *array, size_t bytes,
			   const struct herald_allocator *allocator)
{
	herald_memory_release(allocator, array->items, array->capacity * bytes);
	*array = (struct redis_array){0};
}
