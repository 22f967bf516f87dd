/*
 * Fast skipping of members that no field of a schema has as its key, and of members before the tag
 * of a union. They are checked to be valid all the same. ends.c remembers where values end.
 *
 * The fast way handles valid values and is five times as fast. On anything else it gives up without
 * an error; herald__skip_value() in scan.c then starts again at the beginning of the value, and
 * reports the error if there is one.
 *
 * How it works. Most of what is skipped are objects whose members are strings, so those are skipped
 * in a loop of their own. Strings are found by a cursor (special_cursor.h): where the next one
 * begins and ends does not depend on what is between them, which is checked meanwhile. Open
 * brackets are bits of a word, not calls.
 */
#include "json/reader/skip.h"

#include "base/attributes.h"
#include "json/reader/ends.h"
#include "json/reader/gap.h"
#include "json/reader/number_scan.h"
#include "json/reader/scan.h"
#include "json/reader/special_cursor.h"
#include "json/reader/string_read.h"
#include "json/reader/string_scan.h"

/* Relies on the invariant of reader.h. */
static inline char *
skip_number(char *at)
{
	char *unused;

	return herald__scan_number(at, NULL, &unused);
}

/* Skip a value without brackets and quotes. */
static inline char *
skip_unquoted(struct herald__reader *reader, char *at)
{
	switch (*at) {
	case 't':
		return herald__is_word(reader, at, "true", 4) ? at + 4 : NULL;
	case 'f':
		return herald__is_word(reader, at, "false", 5) ? at + 5 : NULL;
	case 'n':
		return herald__is_word(reader, at, "null", 4) ? at + 4 : NULL;
	default:
		return skip_number(at);
	}
}

/* Skip numbers of an array, as long as there is only a comma between them. The first element may be
 * a word. Returns the place after the last one. */
static HERALD__INLINE char *
skip_unquoted_elements(struct herald__reader *reader, char *at)
{
	while ((at = skip_unquoted(reader, at)) && *at == ',' && at[1] >= '-' && at[1] <= '9')
		at++;
	return at;
}

/* Skip the colon at `at`, and white space around it. */
HERALD__NOT_INLINE static char *
skip_other_colon(struct herald__reader *reader, char *at)
{
	at = herald__skip_blank(reader, at);
	return *at == ':' ? herald__skip_blank(reader, at + 1) : NULL;
}

/* Skip the string at `at`, which has an escape or non-ASCII bytes, or is too long. */
HERALD__NOT_INLINE static char *
skip_other_string(struct herald__reader *reader, char *at, enum herald__string_role role)
{
	reader->window = NULL; /* the cursor has gone on */
	return herald__skip_string(reader, at + 1, role);
}

/* A function such as herald__skip_gap(). */
typedef char *skip_gap(struct herald__reader *reader, char *at, size_t depth);

/* A function that skips an object or an array; `at` is its opening bracket, `depth` the depth of
 * what is in it. */
typedef char *skip_brackets(struct herald__reader *reader, char *at, size_t depth);

/* The variants of skip_between(), which is inlined into each of them. */
struct variant {
	skip_brackets *skip; /* the function into which it is inlined */
	skip_gap *gap;
	bool record; /* in reader->ends where everything ends */
	bool near;   /* strings of NEAR_BYTES are within the limits */
};

/* A string has fewer bytes if its closing quote is in the window of its opening quote. */
#define NEAR_BYTES 64

/* The levels that skip_between() can enter. */
#define LEVELS 64

/* The brackets that are open within the value that skip_between() skips. */
struct levels {
	size_t count;
	size_t outer;     /* the depth of the value itself */
	uint64_t objects; /* a bit for each: whether it is '{'; the last one's is the lowest */
	size_t indexes[LEVELS]; /* of their ends, if they are recorded */
};

/* Skip the rest of the string at `at`, whose opening quote the cursor has passed. */
static HERALD__INLINE char *
skip_rest(struct herald__reader *reader, struct herald__cursor *cursor, char *at,
	  enum herald__string_role role, bool near)
{
	bool is_near = near && cursor->special != 0;
	char *close = herald__cursor_next(reader, cursor);

	if (HERALD__LIKELY(*close == '"' && (is_near || (size_t)(close - (at + 1)) <=
								herald__max_bytes(reader, role))))
		return close + 1;
	if ((at = skip_other_string(reader, at, role)) && at < reader->end)
		*cursor = herald__cursor_begin(reader, at);
	return at;
}

/* Skip white space. */
static HERALD__INLINE char *
skip_space(struct herald__reader *reader, struct herald__cursor *cursor, char *at, size_t depth,
	   skip_gap *gap)
{
	if ((unsigned char)*at <= ' ') {
		at = gap(reader, at, depth);
		herald__cursor_pass(reader, cursor, at);
	}
	return at;
}

/* Skip a member's name, its colon, and the white space around them. */
static HERALD__INLINE char *
skip_name(struct herald__reader *reader, struct herald__cursor *cursor, char *at, size_t depth,
	  const struct variant *variant)
{
	/* The opening quote is passed together with the white space. */
	if ((unsigned char)*at > ' ') {
		herald__cursor_next(reader, cursor);
	} else {
		at = variant->gap(reader, at, depth);
		herald__cursor_pass(reader, cursor, at + 1);
	}
	if (*at != '"' || !(at = skip_rest(reader, cursor, at, HERALD__NAME, variant->near)))
		return NULL;
	if (HERALD__LIKELY(*at == ':')) {
		char *value = at + 1 + (at[1] == ' ');

		if (HERALD__LIKELY((unsigned char)*value > ' '))
			return value;
	}
	if ((at = skip_other_colon(reader, at)))
		herald__cursor_pass(reader, cursor, at);
	return at;
}

/*
 * Skip members, from the white space before a name on, as long as their values are strings. Returns
 * the place of the first other value after setting *found, or the place after the last value.
 */
static HERALD__INLINE char *
skip_members(struct herald__reader *reader, struct herald__cursor *cursor, char *at, size_t depth,
	     const struct variant *variant, bool *found)
{
	for (;; at++) {
		if (!(at = skip_name(reader, cursor, at, depth, variant)))
			return NULL;
		if (!HERALD__LIKELY(*at == '"')) {
			*found = true;
			return at;
		}
		herald__cursor_next(reader, cursor);
		if (!(at = skip_rest(reader, cursor, at, HERALD__VALUE, variant->near)) ||
		    !HERALD__LIKELY(*at == ','))
			return at;
	}
}

/* The same for an element. */
static HERALD__INLINE char *
skip_element(struct herald__reader *reader, struct herald__cursor *cursor, char *at, size_t depth,
	     const struct variant *variant, bool *found)
{
	at = skip_space(reader, cursor, at, depth, variant->gap);
	if (*at != '"') {
		*found = true;
		return at;
	}
	herald__cursor_next(reader, cursor);
	return skip_rest(reader, cursor, at, HERALD__VALUE, variant->near);
}

/* Leave the object or the array whose closing bracket is at `at`. */
static HERALD__INLINE char *
leave(struct herald__reader *reader, struct levels *levels, char *at, bool record)
{
	levels->objects >>= 1;
	levels->count--;
	if (record)
		herald__ends_close(reader->ends, levels->indexes[levels->count], at + 1);
	return at + 1;
}

/* Enter the object or the array at `at`, or skip it if it is empty. Sets *entered to which. */
static HERALD__INLINE char *
enter(struct herald__reader *reader, struct herald__cursor *cursor, struct levels *levels, char *at,
      const struct variant *variant, bool *entered)
{
	char close = (char)(*at + 2), *after;

	if (levels->outer + levels->count == reader->limits->max_depth)
		return NULL;
	if (variant->record) {
		levels->indexes[levels->count] = reader->ends->count;
		if (!herald__ends_open(reader->ends, reader->arena, at)) {
			reader->out_of_memory = true;
			return NULL;
		}
	}
	levels->objects = levels->objects << 1 | (*at == '{');
	levels->count++;
	after = herald__skip_blank(reader, at + 1);
	*entered = *after != close;
	if (*entered)
		return at;
	herald__cursor_pass(reader, cursor, after);
	return leave(reader, levels, after, variant->record);
}

/* Skip the closing brackets after a value that ends at `at`. Returns the place of the comma after
 * them, or the place after the last one that is open. */
static HERALD__INLINE char *
skip_closing(struct herald__reader *reader, struct herald__cursor *cursor, struct levels *levels,
	     char *at, const struct variant *variant)
{
	while (levels->count > 0) {
		if (at >= reader->end)
			return NULL;
		if (*at == ',')
			break;
		at = skip_space(reader, cursor, at, levels->outer + levels->count - 1,
				variant->gap);
		if (*at == ',')
			break;
		if (*at != ((levels->objects & 1) != 0 ? '}' : ']'))
			return NULL;
		at = leave(reader, levels, at, variant->record);
	}
	return at;
}

/* Skip the object or the array at `at`. Returns the place after it, or NULL. */
static HERALD__INLINE char *
skip_between(struct herald__reader *reader, char *at, size_t depth, const struct variant variant)
{
	struct herald__cursor cursor = herald__cursor_begin(reader, at);
	struct levels levels;

	levels.count = 0;
	levels.outer = depth - 1;
	levels.objects = 0;
	for (;;) {
		bool entered = false, found;

		if (*at != '{' && *at != '[') {
			at = (levels.objects & 1) != 0 ? skip_unquoted(reader, at)
						       : skip_unquoted_elements(reader, at);
		} else if (levels.count < LEVELS) {
			at = enter(reader, &cursor, &levels, at, &variant, &entered);
		} else if ((at = variant.skip(reader, at, levels.outer + LEVELS + 1)) &&
			   at < reader->end) {
			cursor = herald__cursor_begin(reader, at);
		}
		if (!at)
			return NULL;
		for (found = false; !found; entered = false) {
			if (!entered) {
				at = skip_closing(reader, &cursor, &levels, at, &variant);
				if (!at)
					return NULL;
				if (levels.count == 0) {
					herald__cursor_end(reader, &cursor);
					return at;
				}
			}
			depth = levels.outer + levels.count;
			at = (levels.objects & 1) != 0 ? skip_members(reader, &cursor, at + 1,
								      depth, &variant, &found)
						       : skip_element(reader, &cursor, at + 1,
								      depth, &variant, &found);
			if (!at)
				return NULL;
		}
	}
}

static char *
skip_brackets_by_16(struct herald__reader *reader, char *at, size_t depth)
{
	return skip_between(reader, at, depth,
			    (struct variant){.skip = skip_brackets_by_16, .gap = herald__skip_gap});
}

/* The same, recording the ends. */
static char *
record_brackets(struct herald__reader *reader, char *at, size_t depth)
{
	return skip_between(
		reader, at, depth,
		(struct variant){.skip = record_brackets, .gap = herald__skip_gap, .record = true});
}

#ifdef HERALD__AVX2
HERALD__AVX2 static char *
skip_brackets_by_32(struct herald__reader *reader, char *at, size_t depth)
{
	return skip_between(reader, at, depth,
			    (struct variant){.skip = skip_brackets_by_32,
					     .gap = herald__skip_gap_by_32,
					     .near = true});
}
#endif

static char *
skip_usual_brackets(struct herald__reader *reader, char *at)
{
#ifdef HERALD__AVX2
	if (reader->avx2 && reader->limits->max_key_bytes >= NEAR_BYTES &&
	    reader->limits->max_string_bytes >= NEAR_BYTES)
		return skip_brackets_by_32(reader, at, reader->depth + 1);
#endif
	return skip_brackets_by_16(reader, at, reader->depth + 1);
}

/* Skip a value again that could not be skipped the fast way. */
HERALD__NOT_INLINE static char *
skip_slowly(struct herald__reader *reader, char *at)
{
	reader->window = NULL; /* a cursor may have gone on */
	return herald__skip_value(reader, at);
}

HERALD__NOT_INLINE static char *
skip_any_brackets(struct herald__reader *reader, char *at)
{
	char *after = skip_usual_brackets(reader, at);

	return after ? after : skip_slowly(reader, at);
}

HERALD__NOT_INLINE static char *
skip_any_string(struct herald__reader *reader, char *at)
{
	char *close = herald__next_special(reader, at + 1);

	char *after = NULL;

	if (*close != '"')
		after = herald__skip_string(reader, at + 1, HERALD__VALUE);
	else if ((size_t)(close - at) - 1 <= reader->limits->max_string_bytes)
		after = close + 1;
	return after ? after : skip_slowly(reader, at);
}

/* What is not a number or a word has a function of its own, so that those save no registers. */
char *
herald__skip_unwanted(struct herald__reader *reader, char *at)
{
	char *after;

	if (*at == '{' || *at == '[')
		return skip_any_brackets(reader, at);
	if (*at == '"')
		return skip_any_string(reader, at);
	after = skip_unquoted(reader, at);
	return after ? after : skip_slowly(reader, at);
}

/* Whether ends can be recorded. */
static bool
prepare_ends(struct herald__reader *reader)
{
	if (!reader->ends)
		reader->ends = herald__ends_create(reader->arena);
	reader->out_of_memory = !reader->ends;
	return reader->ends;
}

/* Skip brackets, and record where everything in them ends. */
static char *
skip_recording(struct herald__reader *reader, char *at)
{
	char *after = record_brackets(reader, at, reader->depth + 1);

	/* After an error, decoding will not get further. What contains the error has no end. */
	reader->ends->recorded = after ? after : reader->end;
	if (!after)
		reader->window = NULL;
	return after;
}

char *
herald__skip_again(struct herald__reader *reader, char *at)
{
	const struct herald__end *found;

	if (*at != '{' && *at != '[')
		return herald__skip_unwanted(reader, at);
	if (!prepare_ends(reader))
		return NULL;
	if (at >= reader->ends->recorded)
		return skip_recording(reader, at);
	found = herald__ends_find(reader->ends, at);
	return found ? found->end : herald__skip_unwanted(reader, at);
}
