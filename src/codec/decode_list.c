/*
 * Lists of integers, doubles and strings: a loop for each, which decodes elements of the usual form
 * one after the other without a choice by their kind. All other elements, all other kinds and all
 * errors are in decode_object.c.
 *
 * How it works. A loop reads an element and the comma or bracket after it, and only then adds it to
 * the list. So whenever something is not as expected, it returns the place where that element
 * begins, nothing has happened yet, and the decoder of single elements reads the element again.
 * With AVX2, numbers are found 64 bytes at a time by number_block.h. Where a block is not as
 * expected, and near the ends of a document, numbers are read one by one, with eight digits at a
 * time. Strings end where the scan of string_scan.h says.
 */
#include "codec/decode_list.h"

#include <string.h>

#include "base/words.h"
#include "codec/constraints.h"
#include "codec/kind.h"
#include "json/float.h"
#include "json/reader/digits.h"
#include "json/reader/number_block.h"
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

/*
 * The white space before the last element. Elements of a list have the same one, so it is compared
 * before it is measured, as in json/reader/gap.h; here it is in registers, and needs no vectors.
 * All zero at the beginning.
 */
struct gap {
	size_t bytes;
	uint64_t text[4], mask[4]; /* its bytes in memory order; the mask is set for them */
};

#define GAP_BYTES 32 /* the longest one that is remembered */

/* Whether sixteen bytes are equal to the bytes of the gap from this word on. */
static inline bool
gap_is_at(const struct gap *gap, const char *at, unsigned word)
{
	uint64_t first = herald__load64(at) ^ gap->text[word];
	uint64_t second = herald__load64(at + 8) ^ gap->text[word + 1];

	return ((first & gap->mask[word]) | (second & gap->mask[word + 1])) == 0;
}

/* Skip white space other than the last one, and remember it. */
HERALD__NOT_INLINE static char *
skip_other_gap(const struct herald__reader *reader, char *at, struct gap *gap)
{
	char *after = herald__skip_spaces(reader, at);
	size_t bytes = (size_t)(after - at);

	if (bytes > GAP_BYTES)
		return after;
	*gap = (struct gap){.bytes = bytes};
	memcpy(gap->text, at, bytes);
	memset(gap->mask, 0xFF, bytes);
	return after;
}

/* As herald__skip_blank(), before an element. */
static inline char *
skip_gap(const struct herald__reader *reader, char *at, struct gap *gap)
{
	if ((unsigned char)*at > ' ')
		return at;
	if (reader->end - at > GAP_BYTES && gap_is_at(gap, at, 0) &&
	    (gap->bytes <= 16 || gap_is_at(gap, at + 16, 2)) && (unsigned char)at[gap->bytes] > ' ')
		return at + gap->bytes;
	return skip_other_gap(reader, at, gap);
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

/* Whether numbers can be found in blocks. */
static inline bool
finds_blocks(void)
{
#ifdef HERALD__AVX2
	return herald__has_avx2();
#else
	return false;
#endif
}

/*
 * The bytes to decode one by one before blocks are tried again: more each time that they did not
 * help, as for numbers with exponents. `moved`: they did.
 */
static inline size_t
bytes_apart(size_t last, bool moved)
{
	return moved || last == 0 ? 64 : last * 2;
}

/* The place up to which elements are decoded one by one. */
static inline char *
find_until(const struct herald__reader *reader, char *at, size_t apart)
{
	return finds_blocks() && (size_t)(reader->end - at) > apart ? at + apart : reader->end;
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

#ifdef HERALD__AVX2
/* What the numbers of a list may be. */
struct expected {
	uint64_t min, span; /* the range of integers */
	size_t bytes;       /* of an item */
	bool reals;         /* doubles: the range is not used */
};

/*
 * Read the numbers of a block to room->item, and move it. Returns false at one that cannot be read
 * here or that there is no room for: then it is the next one of the block. Like its caller, inlined
 * so that the members of `expected` are constants where they can be.
 */
HERALD__AVX2 static HERALD__INLINE bool
read_integers(struct herald__number_block *block, const char *at, struct room *room,
	      struct expected expected)
{
	uint64_t firsts = block->firsts, ends = block->ends, value, negative;
	char *item = room->item;

	while (ends != 0 && item != room->end) {
		unsigned first = (unsigned)__builtin_ctzll(firsts);
		unsigned end = (unsigned)__builtin_ctzll(ends);

		if (!herald__join_integer(at + end, end - first, &value))
			break;
		negative = -(uint64_t)(at[(ptrdiff_t)first - 1] == '-');
		value = (value ^ negative) - negative;
		if (value - expected.min > expected.span)
			break;
		store_integer(item, (int64_t)value, expected.bytes);
		item += expected.bytes;
		firsts &= firsts - 1;
		ends &= ends - 1;
	}
	room->item = item;
	block->firsts = firsts;
	block->ends = ends;
	return ends == 0;
}

/* The same for doubles. */
HERALD__AVX2 static HERALD__INLINE bool
read_doubles(struct herald__number_block *block, const char *at, struct room *room)
{
	uint64_t firsts = block->firsts, ends = block->ends, points = block->points;
	char *item = room->item;

	while (ends != 0 && item != room->end) {
		unsigned first = (unsigned)__builtin_ctzll(firsts);
		unsigned end = (unsigned)__builtin_ctzll(ends);
		unsigned point = (unsigned)_tzcnt_u64(points), fraction_digits;
		uint64_t digits;
		double value;

		if (!herald__join_real(at, first, point, end, &digits, &fraction_digits) ||
		    !herald__scale_down(digits, fraction_digits, &value))
			break;
		value = at[(ptrdiff_t)first - 1] == '-' ? -value : value;
		memcpy(item, &value, sizeof(value));
		item += sizeof(value);
		firsts &= firsts - 1;
		ends &= ends - 1;
		points = point < end ? points & (points - 1) : points;
	}
	room->item = item;
	block->firsts = firsts;
	block->ends = ends;
	block->points = points;
	return ends == 0;
}

/* Decode numbers, a block at a time, up to the last whole block or to one that is not of the usual
 * form. Inlined, for each kind. */
HERALD__AVX2 static HERALD__INLINE char *
decode_blocks(struct herald__reader *reader, char *at, const struct herald__field *field,
	      struct herald__list *list, bool *closed, struct expected expected)
{
	struct room room = find_room(field, list);
	bool is_closed = false;

	while (!is_closed && reader->end - at >= HERALD__NUMBERS_AFTER &&
	       at - reader->begin >= HERALD__NUMBERS_BEFORE) {
		struct herald__number_block block = herald__find_numbers(at, expected.reals);

		if (block.next == 0)
			break;
		while (expected.reals ? !read_doubles(&block, at, &room)
				      : !read_integers(&block, at, &room, expected)) {
			if (room.item != room.end || !add_room(reader->arena, field, list, &room)) {
				set_count(list, room.item);
				return herald__next_number(&block, at);
			}
		}
		at += block.next;
		is_closed = block.closed;
	}
	*closed = is_closed;
	set_count(list, room.item);
	return at;
}

HERALD__AVX2 static char *
decode_integer_blocks(struct herald__reader *reader, char *at, const struct herald__field *field,
		      struct herald__list *list, bool *closed)
{
	struct expected expected;
	int64_t min, max;

	herald__integer_range(field, &min, &max);
	if (min > max)
		return at;
	expected.min = (uint64_t)min;
	expected.span = (uint64_t)max - (uint64_t)min;
	expected.bytes = list->item_bytes;
	expected.reals = false;
	if (expected.bytes == sizeof(int64_t)) {
		expected.bytes = sizeof(int64_t);
		return decode_blocks(reader, at, field, list, closed, expected);
	}
	return decode_blocks(reader, at, field, list, closed, expected);
}

HERALD__AVX2 static char *
decode_double_blocks(struct herald__reader *reader, char *at, const struct herald__field *field,
		     struct herald__list *list, bool *closed)
{
	struct expected expected = {.bytes = sizeof(double), .reals = true};

	if (!herald__divides_to_nearest())
		return at;
	return decode_blocks(reader, at, field, list, closed, expected);
}
#endif

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

/* Decode integers one by one, up to `until`. Inlined, so that `bytes`, the size of an item, is a
 * constant. */
static HERALD__INLINE char *
decode_each_integer(struct herald__reader *reader, char *at, char *until,
		    const struct herald__field *field, struct herald__list *list, bool *closed,
		    size_t bytes)
{
	struct room room = find_room(field, list);
	struct gap gap = {0};
	int64_t min, max, value = 0;

	herald__integer_range(field, &min, &max);
	while (at < until && reader->end - at >= INTEGER_BYTES) {
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
		at = skip_gap(reader, at, &gap);
	}
	set_count(list, room.item);
	return at;
}

static char *
decode_integers(struct herald__reader *reader, char *at, const struct herald__field *field,
		struct herald__list *list, bool *closed)
{
	size_t bytes = list->item_bytes, apart = 0;
	char *start, *until;

	do {
		start = at;
#ifdef HERALD__AVX2
		if (finds_blocks())
			at = decode_integer_blocks(reader, at, field, list, closed);
		if (*closed)
			break;
#endif
		apart = bytes_apart(apart, at != start);
		until = find_until(reader, at, apart);
		if (bytes == sizeof(int64_t))
			at = decode_each_integer(reader, at, until, field, list, closed,
						 sizeof(int64_t));
		else if (bytes == sizeof(int32_t))
			at = decode_each_integer(reader, at, until, field, list, closed,
						 sizeof(int32_t));
		else
			at = decode_each_integer(reader, at, until, field, list, closed, bytes);
	} while (!*closed && at >= until);
	return at;
}
#endif

/* Decode doubles one by one, up to `until`. */
static char *
decode_each_double(struct herald__reader *reader, char *at, const char *until,
		   const struct herald__field *field, struct herald__list *list, bool *closed)
{
	struct room room = find_room(field, list);
	struct gap gap = {0};
	double value = 0;

	while (at < until) {
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
		at = skip_gap(reader, at, &gap);
	}
	set_count(list, room.item);
	return at;
}

static char *
decode_doubles(struct herald__reader *reader, char *at, const struct herald__field *field,
	       struct herald__list *list, bool *closed)
{
	size_t apart = 0;
	char *start, *until;

	do {
		start = at;
#ifdef HERALD__AVX2
		if (finds_blocks())
			at = decode_double_blocks(reader, at, field, list, closed);
		if (*closed)
			break;
#endif
		apart = bytes_apart(apart, at != start);
		until = find_until(reader, at, apart);
		at = decode_each_double(reader, at, until, field, list, closed);
	} while (!*closed && at >= until);
	return at;
}

/* Strings without escapes. The NUL after a string takes the place of its closing quote. */
static char *
decode_strings(struct herald__reader *reader, char *at, const struct herald__field *field,
	       struct herald__list *list, bool *closed)
{
	struct room room = find_room(field, list);
	struct gap gap = {0};
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
		at = skip_gap(reader, at, &gap);
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
		return decode_integers(reader, at, field, list, closed);
#endif
	return at;
}
