/*
 * Lists of integers, doubles and strings: a loop for each, which decodes elements of the usual form
 * one after the other without a choice by their kind. All other elements, all other kinds and all
 * errors are in decode_object.c.
 *
 * How it works. A loop reads an element and the comma or bracket after it, and only then adds it to
 * the list. So whenever something is not as expected, it returns the place where that element
 * begins, nothing has happened yet, and the decoder of single elements reads the element again.
 * Digits are read eight at a time, strings end where the scan of string_scan.h says.
 */
#include "codec/decode_list.h"

#include <string.h>

#include "codec/constraints.h"
#include "codec/kind.h"
#include "json/reader/digits.h"
#include "json/reader/number_read.h"
#include "json/reader/string_scan.h"

bool
herald__list_grow(struct herald_arena *arena, struct herald__list *list)
{
	size_t bytes = list->capacity * list->item_bytes;
	size_t capacity = list->capacity < 4 ? 4 : list->capacity * 2;
	char *items = list->items;

	if (!items || !herald__arena_extend(arena, items, bytes, capacity * list->item_bytes)) {
		if (!(items = herald__arena_take(arena, capacity * list->item_bytes)))
			return false;
		if (list->items)
			memcpy(items, list->items, bytes);
		list->items = items;
	}
	list->capacity = capacity;
	return true;
}

/* Find what follows an element that ends at `at`. Returns the place of a comma or a closing
 * bracket, or NULL. */
static inline char *
find_end(const struct herald__reader *reader, char *at)
{
	if (*at == ',')
		return at;
	at = herald__skip_blank(reader, at);
	return *at == ',' || *at == ']' ? at : NULL;
}

/* Where the next item goes, and where there is no room left. Both are NULL if there is none. */
struct room {
	char *item, *end;
};

static struct room
find_room(const struct herald__field *field, const struct herald__list *list)
{
	size_t most = list->capacity < field->max_count ? list->capacity : field->max_count;

	if (list->count >= most)
		return (struct room){NULL, NULL};
	return (struct room){list->items + list->count * list->item_bytes,
			     list->items + most * list->item_bytes};
}

/* Count the items before room->item, and make room for more. Returns false if there can be none. */
HERALD__NOT_INLINE static bool
add_room(struct herald_arena *arena, const struct herald__field *field, struct herald__list *list,
	 struct room *room)
{
	if (room->item)
		list->count = (size_t)(room->item - list->items) / list->item_bytes;
	if (list->count == field->max_count ||
	    (list->count == list->capacity && !herald__list_grow(arena, list)))
		return false;
	*room = find_room(field, list);
	return room->item != room->end;
}

/* Count the items before `item`. */
static inline void
set_count(struct herald__list *list, const char *item)
{
	if (item)
		list->count = (size_t)(item - list->items) / list->item_bytes;
}

#ifdef HERALD__DIGITS
/* What is readable at an integer: its sign and what herald__read_few_digits() may read. */
#define INTEGER_BYTES 20

/* Read an integer of up to eighteen digits. Returns the place after it, or NULL. */
static inline char *
read_integer(char *at, int64_t *out)
{
	bool negative = *at == '-';
	uint64_t value = 0;
	unsigned count;

	at += negative;
	count = herald__read_few_digits(at, &value);
	if (count - 1 > 17 || (*at == '0' && count > 1))
		return NULL;
	*out = negative ? -(int64_t)value : (int64_t)value;
	return at + count;
}

/* Store the lower bytes of a value. */
static HERALD__INLINE void
store_integer(char *out, int64_t value, size_t bytes)
{
	if (bytes == sizeof(int64_t))
		memcpy(out, &value, sizeof(int64_t));
	else if (bytes == sizeof(int32_t))
		memcpy(out, &value, sizeof(int32_t));
	else if (bytes == sizeof(int16_t))
		memcpy(out, &value, sizeof(int16_t));
	else
		memcpy(out, &value, sizeof(int8_t));
}

/* Inlined, so that `bytes`, the size of an item, is a constant. */
static HERALD__INLINE char *
decode_integers(struct herald__reader *reader, char *at, const struct herald__field *field,
		struct herald__list *list, bool *closed, size_t bytes)
{
	struct room room = find_room(field, list);
	int64_t min, max, value = 0;

	herald__integer_range(field, &min, &max);
	while (reader->end - at >= INTEGER_BYTES) {
		char *after = read_integer(at, &value);

		if (!after || value < min || value > max || !(after = find_end(reader, after)) ||
		    (room.item == room.end && !add_room(reader->arena, field, list, &room)))
			break;
		store_integer(room.item, value, bytes);
		room.item += bytes;
		at = after + 1;
		if (*after == ']') {
			*closed = true;
			break;
		}
		at = herald__skip_blank(reader, at);
	}
	set_count(list, room.item);
	return at;
}

static char *
decode_any_integers(struct herald__reader *reader, char *at, const struct herald__field *field,
		    struct herald__list *list, bool *closed)
{
	switch (list->item_bytes) {
	case sizeof(int64_t):
		return decode_integers(reader, at, field, list, closed, sizeof(int64_t));
	case sizeof(int32_t):
		return decode_integers(reader, at, field, list, closed, sizeof(int32_t));
	default:
		return decode_integers(reader, at, field, list, closed, list->item_bytes);
	}
}
#endif

static char *
decode_doubles(struct herald__reader *reader, char *at, const struct herald__field *field,
	       struct herald__list *list, bool *closed)
{
	struct room room = find_room(field, list);
	double value = 0;

	for (;;) {
		char *after = herald__read_usual_double(reader, at, &value);

		if (!after || !(after = find_end(reader, after)) ||
		    (room.item == room.end && !add_room(reader->arena, field, list, &room)))
			break;
		memcpy(room.item, &value, sizeof(value));
		room.item += sizeof(value);
		at = after + 1;
		if (*after == ']') {
			*closed = true;
			break;
		}
		at = herald__skip_blank(reader, at);
	}
	set_count(list, room.item);
	return at;
}

/* Strings without escapes. The NUL after a string takes the place of its closing quote. */
static char *
decode_strings(struct herald__reader *reader, char *at, const struct herald__field *field,
	       struct herald__list *list, bool *closed)
{
	struct room room = find_room(field, list);
	size_t max_bytes = reader->limits->max_string_bytes;

	while (*at == '"') {
		char *close = herald__next_special(reader, at + 1), *after;
		size_t bytes = (size_t)(close - at) - 1;

		if (*close != '"' || bytes > max_bytes || !herald__string_fits(field, bytes) ||
		    !(after = find_end(reader, close + 1)) ||
		    (room.item == room.end && !add_room(reader->arena, field, list, &room)))
			break;
		*close = '\0';
		if (field->element == HERALD_KIND_TEXT)
			*(struct herald_text *)(void *)room.item =
				(struct herald_text){at + 1, bytes};
		else
			*(const char **)(void *)room.item = at + 1;
		room.item += list->item_bytes;
		at = after + 1;
		if (*after == ']') {
			*closed = true;
			break;
		}
		at = herald__skip_blank(reader, at);
	}
	set_count(list, room.item);
	return at;
}

char *
herald__decode_usual(struct herald__reader *reader, char *at, const struct herald__field *field,
		     struct herald__list *list, bool *closed)
{
	enum herald_kind kind = (enum herald_kind)field->element;

	if (kind == HERALD_KIND_STRING || kind == HERALD_KIND_TEXT)
		return decode_strings(reader, at, field, list, closed);
	if (kind == HERALD_KIND_DOUBLE && (field->flags & HERALD__BOUNDED) == 0)
		return decode_doubles(reader, at, field, list, closed);
#ifdef HERALD__DIGITS
	if (herald__kind_is_number(kind) && kind < HERALD_KIND_FLOAT)
		return decode_any_integers(reader, at, field, list, closed);
#endif
	return at;
}
