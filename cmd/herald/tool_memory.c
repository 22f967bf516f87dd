/*
 * Memory of a command, from an arena. A command has nothing to save, so it ends if there is no
 * memory left.
 */
#include "tool_memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
need(void *memory)
{
	if (!memory) {
		fprintf(stderr, "herald: out of memory\n");
		exit(1);
	}
	return memory;
}

struct herald_arena *
memory_create(void)
{
	struct herald_arena *arena = NULL;

	if (herald_arena_create(NULL, MEMORY_MAX_BYTES, &arena) != HERALD_OK)
		arena = NULL;
	return need(arena);
}

void *
memory_take(struct herald_arena *arena, size_t bytes)
{
	return memset(need(herald_arena_alloc(arena, bytes)), 0, bytes);
}

void *
memory_take_array(struct herald_arena *arena, size_t count, size_t bytes)
{
	if (count > MEMORY_MAX_BYTES / bytes)
		need(NULL);
	return memory_take(arena, count * bytes);
}

char *
memory_copy(struct herald_arena *arena, const char *text, size_t bytes)
{
	return need(herald_arena_copy(arena, text, bytes));
}

char *
memory_print(struct herald_arena *arena, const char *format, ...)
{
	va_list arguments, again;

	va_start(arguments, format);
	va_copy(again, arguments);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it was begun two lines above. */
	int bytes = vsnprintf(NULL, 0, format, again);
	va_end(again);
	char *text = memory_take(arena, (size_t)(bytes > 0 ? bytes : 0) + 1);
	if (bytes > 0)
		vsnprintf(text, (size_t)bytes + 1, format, arguments);
	va_end(arguments);
	return text;
}

void
memory_list_add(struct herald_arena *arena, struct memory_list *list, const void *item)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity > 0 ? 2 * list->capacity : 8;
		const void **items = memory_take_array(arena, capacity, sizeof(*items));

		if (list->count > 0)
			memcpy(items, list->items, list->count * sizeof(*items));
		list->items = items;
		list->capacity = capacity;
	}
	list->items[list->count++] = item;
}
