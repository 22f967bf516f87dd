/*
 * Lists and maps while they are decoded, and a faster way for elements of the usual form. Private.
 */
#ifndef HERALD_SRC_CODEC_DECODE_LIST_H
#define HERALD_SRC_CODEC_DECODE_LIST_H

#include "base/arena.h"
#include "base/attributes.h"
#include "codec/plan.h"
#include "json/reader/reader.h"

/* A list under construction, whose length is not known yet. */
struct herald__list {
	char *items;
	size_t count, capacity, item_bytes;
};

/* Make room for twice as many items: at the arena's end if the list is there, otherwise elsewhere.
 * Returns false when out of memory. */
bool herald__list_grow(struct herald_arena *arena, struct herald__list *list);

/* Returns a place for one more item, or NULL when out of memory. */
static HERALD__INLINE char *
herald__list_add(struct herald_arena *arena, struct herald__list *list)
{
	if (list->count == list->capacity && !herald__list_grow(arena, list))
		return NULL;
	return list->items + list->count++ * list->item_bytes;
}

/*
 * Decode elements of a list of values as long as they are of the usual form. `at` is the first byte
 * of an element. Records no error: whatever is unusual is left to the decoder of single elements.
 *
 * Returns the place of the first element that was not decoded, or of white space before it; or,
 * after setting *closed, the place after the closing bracket.
 */
char *
herald__decode_usual(struct herald__reader *reader, char *at, const struct herald__field *field,
		     struct herald__list *list, bool *closed);

#endif
