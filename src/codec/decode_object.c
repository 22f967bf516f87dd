/*
 * The decoder: JSON into a struct, in one pass and in place, driven by a plan. Handles objects,
 * arrays and maps: finding the field of a member, missing members, and where a value is stored.
 * Scalars are in scalar.h, the bytes of strings in string_read.c, skipped values in skip.c, whole
 * documents in decode.c, and the plan's correctness in plan.c.
 *
 * Every function takes the place of the first byte and returns the place after the last one, or
 * NULL after recording an error. The callers then prepend their part of the path, so that the
 * success path records none. See reader.h for why the end is rarely checked.
 */
#include <string.h>

#include "base/arena.h"
#include "base/simd.h"
#include "base/words.h"
#include "codec/case_decode.h"
#include "codec/check.h"
#include "codec/constraints.h"
#include "codec/decode.h"
#include "codec/decode_list.h"
#include "codec/decode_object.h"
#include "codec/duplicate.h"
#include "codec/form_decode.h"
#include "codec/name_token.h"
#include "codec/plan.h"
#include "codec/scalar.h"
#include "json/reader/gap.h"
#include "json/reader/number_read.h"
#include "json/reader/scan.h"
#include "json/reader/skip.h"

static char *
decode_object(struct herald__reader *reader, char *at, const struct herald__plan *plan, char *out);

HERALD__NOT_INLINE static char *
decode_json(struct herald__reader *reader, char *at, const struct herald__field *field,
	    struct herald_json *out)
{
	struct herald__deferral *deferral = reader->deferral;
	char *after;

	/* Only in the root: a schema may contain itself, so the offset alone could match an inner
	 * object. */
	if (deferral && reader->depth == 1 && field->offset == deferral->offset &&
	    (*at == '{' || *at == '['))
		after = deferral->decode(deferral, reader, at, (const char *)out - field->offset);
	else
		after = herald__skip_unwanted(reader, at);

	if (after)
		*out = (struct herald_json){at, (size_t)(after - at)};
	return after;
}

/* Enter an array or an object. The caller leaves it with reader->depth--. */
static inline bool
enter(struct herald__reader *reader, const char *at)
{
	if (++reader->depth <= reader->limits->max_depth)
		return true;
	herald__fail(reader, at, HERALD_LIMIT, HERALD__TOO_DEEP, reader->limits->max_depth);
	return false;
}

/* Returns `after`, or NULL if there are too few or too many elements. */
static char *
check_count(struct herald__reader *reader, const char *at, char *after,
	    const struct herald__field *field, size_t count)
{
	if (count >= field->min_count && count <= field->max_count)
		return after;
	herald__check_count(&reader->trace, herald__offset(reader, at), field, count);
	return NULL;
}

static char *decode_any_value(struct herald__reader *reader, char *at,
			      const struct herald__field *field, enum herald_kind kind, char *out);
static char *decode_value(struct herald__reader *reader, char *at,
			  const struct herald__field *field, enum herald_kind kind, char *out);

/* Make room for an element of a list or an entry of a map. Its text begins at *at, or later. */
static HERALD__INLINE void *
begin_item(struct herald__reader *reader, char **at, const struct herald__field *field,
	   struct herald__list *list)
{
	*at = herald__skip_blank(reader, *at);
	if (list->count == field->max_count)
		return check_count(reader, *at, *at, field, list->count + 1);
	void *item = herald__list_add(reader->arena, list);
	return item ? item : herald__fail_memory(reader, *at);
}

/* The number of elements to decode one by one after one that was not of the usual form. */
#define UNUSUAL_COUNT 8

/* Decode the elements of an array. Returns the place after its closing bracket. */
static char *
decode_elements(struct herald__reader *reader, char *at, const struct herald__field *field,
		struct herald__list *list)
{
	bool structs = field->kind == HERALD_KIND_LIST, closed = false;
	size_t next = structs ? SIZE_MAX : 0; /* when to try the faster way */

	for (;; at++) {
		void *item;

		if (list->count >= next) {
			at = herald__skip_blank(reader, at);
			at = herald__decode_usual(reader, at, field, list, &closed);
			if (closed)
				return at;
			next = list->count + UNUSUAL_COUNT;
		}
		if (!(item = begin_item(reader, &at, field, list)))
			return NULL;
		if (structs)
			at = decode_object(reader, at, field->inner,
					   memset(item, 0, list->item_bytes));
		else
			at = decode_value(reader, at, field, (enum herald_kind)field->element,
					  item);
		if (!at) {
			herald__trace_index(&reader->trace, list->count - 1);
			return NULL;
		}
		/* The end is only possible after a closing bracket, so check here whether the
		 * element took the document's last one. */
		if (at == reader->end)
			return herald__fail_syntax(reader, at, "',' or ']'");
		at = herald__skip_blank(reader, at);
		if (*at == ']')
			return at + 1;
		if (*at != ',')
			return herald__fail_syntax(reader, at, "',' or ']'");
	}
}

/* Decodes what is between two brackets, at least one item. Returns the place after the closing
 * one. */
typedef char *decode_items(struct herald__reader *reader, char *at,
			   const struct herald__field *field, struct herald__list *list);

/*
 * Decode an array or a map from its bracket `open` on, and store where the items are and how many.
 * Returns the place after the closing bracket. Inline, so that `decode` is called directly.
 */
static HERALD__INLINE char *
decode_between(struct herald__reader *reader, char *at, const struct herald__field *field,
	       struct herald__list *list, char open, decode_items *decode, char *out, size_t *count)
{
	char *start = at, close = open == '[' ? ']' : '}';

	if (*at != open)
		return herald__fail_type(reader, at, open == '[' ? "an array" : "an object");
	if (!enter(reader, at))
		return NULL;
	at = herald__skip_blank(reader, at + 1);
	if (*at == close) {
		at++;
		if (!(list->items = herald__arena_take(reader->arena, 0)))
			return herald__fail_memory(reader, start);
	} else if (!(at = decode(reader, at, field, list))) {
		return NULL;
	}
	reader->depth--;
	*(void **)(void *)out = list->items;
	*count = list->count;
	return check_count(reader, start, at, field, list->count);
}

HERALD__NOT_INLINE static char *
decode_list(struct herald__reader *reader, char *at, const struct herald__field *field, char *out,
	    size_t *count)
{
	struct herald__list list = {.item_bytes = field->item_bytes};

	return decode_between(reader, at, field, &list, '[', decode_elements, out, count);
}

/* Decode the elements of a fixed array up to its closing bracket. Returns the place after it. */
static char *
decode_array_elements(struct herald__reader *reader, char *at, const char *start,
		      const struct herald__field *field, char *out)
{
	for (size_t i = 0;; i++, at++) {
		at = herald__skip_blank(reader, at);
		if (i == field->array_count) {
			herald__fail_array(&reader->trace, herald__offset(reader, at), field,
					   i + 1);
			return NULL;
		}
		at = decode_any_value(reader, at, field, (enum herald_kind)field->element,
				      out + i * field->item_bytes);
		if (!at) {
			herald__trace_index(&reader->trace, i);
			return NULL;
		}
		if (at == reader->end)
			return herald__fail_syntax(reader, at, "',' or ']'");
		at = herald__skip_blank(reader, at);
		if (*at == ']' && i + 1 == field->array_count)
			return at + 1;
		if (*at == ']') {
			herald__fail_array(&reader->trace, herald__offset(reader, start), field,
					   i + 1);
			return NULL;
		}
		if (*at != ',')
			return herald__fail_syntax(reader, at, "',' or ']'");
	}
}

HERALD__NOT_INLINE static char *
decode_array(struct herald__reader *reader, char *at, const struct herald__field *field, char *out)
{
	char *start = at;

	if (*at != '[')
		return herald__fail_type(reader, at, "an array");
	if (!enter(reader, at))
		return NULL;
	at = herald__skip_blank(reader, at + 1);
	if (*at == ']') {
		herald__fail_array(&reader->trace, herald__offset(reader, start), field, 0);
		return NULL;
	}
	at = decode_array_elements(reader, at, start, field, out);
	reader->depth--;
	return at;
}

/* Read a member's name at `at`. Returns the place after it. */
static HERALD__INLINE char *
read_key(struct herald__reader *reader, char *at, struct herald__string *key)
{
	if (*at != '"')
		return herald__fail_syntax(reader, at, "a member's name in quotes");
	return read_quoted(reader, at, HERALD__NAME, key);
}

/* Read the colon after a name. Returns the place of the value. */
static inline char *
read_colon(struct herald__reader *reader, char *at)
{
	at = herald__skip_blank(reader, at);
	if (*at != ':')
		return herald__fail_syntax(reader, at, "':'");
	return herald__skip_blank(reader, at + 1);
}

#include "codec/decode_maps.h"

HERALD__NOT_INLINE static char *
decode_pointer(struct herald__reader *reader, char *at, const struct herald__field *field,
	       char *out)
{
	char *target;

	if (*at != '{' && field->inner->special == 0)
		return herald__fail_type(reader, at, "an object");
	if (!(target = herald__arena_take(reader->arena, field->inner->element_bytes)))
		return herald__fail_memory(reader, at);
	memset(target, 0, field->inner->element_bytes);
	*(void **)(void *)out = target;
	return decode_object(reader, at, field->inner, target);
}

/* Decode a value of one of the kinds that are rare. */
HERALD__NOT_INLINE static char *
decode_rare(struct herald__reader *reader, char *at, const struct herald__field *field,
	    enum herald_kind kind, char *out)
{
	switch ((int)kind) {
	case HERALD_KIND_ARRAY:
		return decode_array(reader, at, field, out);
	case HERALD_KIND_STRUCT_MAP:
		return decode_struct_map(
			reader, at, field, out,
			(size_t *)(void *)(out - field->offset + field->count_offset));
	case HERALD__KIND_VALUE_IN:
		return decode_object(reader, at, field->inner, out);
	case HERALD__KIND_VALUE_AT:
		return decode_pointer(reader, at, field, out);
	case HERALD__KIND_NULLABLE:
		if (!herald__is_word(reader, at, "null", 4))
			return decode_any_value(reader, at, field, field->field->element, out);
		memset(out, 0, field->item_bytes);
		return at + 4;
	default:
		return herald__decode_form(reader, at, field, out);
	}
}

/* Decode a member's value, or an element of a list of values. */
static inline char *
decode_value(struct herald__reader *reader, char *at, const struct herald__field *field,
	     enum herald_kind kind, char *out)
{
	switch (kind) {
	case HERALD_KIND_STRING:
	case HERALD_KIND_TEXT:
	case HERALD_KIND_CHARS:
		return decode_string(reader, at, field, kind, out);
	case HERALD_KIND_TIME:
		return decode_time(reader, at, (struct herald_time *)(void *)out);
	case HERALD_KIND_BOOL:
		return decode_bool(reader, at, (bool *)(void *)out);
	case HERALD_KIND_ENUM:
		return decode_enum(reader, at, field, (int *)(void *)out);
	case HERALD_KIND_JSON:
		return decode_json(reader, at, field, (struct herald_json *)(void *)out);
	case HERALD_KIND_MAP:
	case HERALD_KIND_JSON_MAP:
		return decode_map(reader, at, field, out);
	case HERALD_KIND_STRUCT:
		return decode_object(reader, at, field->inner, out);
	case HERALD_KIND_POINTER:
		return decode_pointer(reader, at, field, out);
	case HERALD_KIND_LIST:
	case HERALD_KIND_VALUES:
		return decode_list(reader, at, field, out,
				   (size_t *)(void *)(out - field->offset + field->count_offset));
	case HERALD_KIND_DOUBLE:
		return decode_double(reader, at, field, (double *)(void *)out);
	case HERALD_KIND_FLOAT:
		return decode_float(reader, at, field, (float *)(void *)out);
	case HERALD_KIND_INT64:
		return decode_signed(reader, at, field, (int64_t *)(void *)out);
	case HERALD_KIND_INT8:
	case HERALD_KIND_INT16:
	case HERALD_KIND_INT32:
		return decode_narrow(reader, at, field, kind, out);
	case HERALD_KIND_UINT8:
	case HERALD_KIND_UINT16:
	case HERALD_KIND_UINT32:
	case HERALD_KIND_UINT64:
		return decode_natural(reader, at, field, kind, out);
	default:
		return decode_rare(reader, at, field, kind, out);
	}
}

/* decode_value() for those that are rare: the others have it inlined. */
HERALD__NOT_INLINE static char *
decode_any_value(struct herald__reader *reader, char *at, const struct herald__field *field,
		 enum herald_kind kind, char *out)
{
	return decode_value(reader, at, field, kind, out);
}

/* Decode a null. */
HERALD__NOT_INLINE static char *
decode_null(struct herald__reader *reader, char *at, const struct herald__field *field)
{
	if ((field->flags & HERALD__REQUIRED) == 0)
		return at + 4;
	return herald__fail(reader, at, HERALD_MISSING, "is required, but null");
}

/* Decode a member's value, which may be null. `out` is the struct; the member must be all zero. */
static inline char *
decode_member(struct herald__reader *reader, char *at, const struct herald__field *field, char *out)
{
	char *close;

	if ((field->flags & HERALD__PLAIN) != 0 &&
	    HERALD__LIKELY(*at == '"' && *(close = herald__next_special(reader, at + 1)) == '"' &&
			   (size_t)(close - (at + 1)) >= field->min_bytes &&
			   (size_t)(close - (at + 1)) <= field->plain_max_bytes)) {
		*close = '\0';
		*(const char **)(void *)(out + field->offset) = at + 1;
		return close + 1;
	}
	/* null means the zero value, which is already there. Raw JSON keeps null as a value, unless
	 * it is required. */
	if (*at == 'n' && herald__is_word(reader, at, "null", 4) &&
	    (field->flags & HERALD__NULL_IS_VALUE) == 0)
		return decode_null(reader, at, field);
	if ((field->flags & HERALD__OPTIONAL) != 0)
		*(bool *)(void *)(out + field->has_offset) = true;
	return decode_value(reader, at, field, (enum herald_kind)field->kind, out + field->offset);
}

/* Skip the value of an unknown member. */
static inline char *
skip_member(struct herald__reader *reader, char *at, const struct herald__plan *plan,
	    const char *name, size_t name_bytes)
{
	char *after;

	if (plan->reject_unknown)
		after = herald__fail(reader, name - 1, HERALD_UNKNOWN_MEMBER,
				     "is not a member of %s", plan->schema->name);
	/* Most values are strings without escapes. */
	else if (*at == '"' && *(after = herald__next_special(reader, at + 1)) == '"' &&
		 (size_t)(after - at) - 1 <= reader->limits->max_string_bytes)
		return after + 1;
	else
		after = herald__skip_unwanted(reader, at);
	if (!after)
		herald__trace_key(&reader->trace, name, name_bytes);
	return after;
}

/* The field of a member and the place of its value; or NULL and the place after the value. */
struct member {
	const struct herald__field *field;
	char *at; /* NULL after an error */
};

/* find_field() for any name. */
HERALD__NOT_INLINE static struct member
find_field_slowly(struct herald__reader *reader, char *at, const struct herald__plan *plan)
{
	struct member member = {NULL, NULL};
	struct herald__string name;

	if (!(at = read_key(reader, at, &name)) || !(at = read_colon(reader, at)))
		return member;
	member.field = herald__plan_find(plan, name.data, name.bytes);
	member.at = member.field ? at : skip_member(reader, at, plan, name.data, name.bytes);
	return member;
}

/* Find the field of a member other than the expected one. Skips the value of an unknown member. */
static inline struct member
find_field(struct herald__reader *reader, char *at, const struct herald__plan *plan)
{
	struct member member = {NULL, NULL};
	char *name = at + 1, *close;
	size_t left = (size_t)(reader->end - at), bytes;
	unsigned guess;

	/* The fast path: a name directly followed by its colon. */
	if (left < HERALD__NEAR_BYTES || *at != '"')
		return find_field_slowly(reader, at, plan);
	close = herald__next_special(reader, name);
	if (*close != '"' || close[1] != ':')
		return find_field_slowly(reader, at, plan);
	bytes = (size_t)(close - name);
	guess = herald__guess(&plan->guesses, name, bytes);
	member.at = herald__skip_blank(reader, close + 2);
	if (guess - 1 < HERALD__GUESS_SEVERAL - 1) {
		member.field = &plan->fields[guess - 1];
		if (HERALD__LIKELY(herald__is_token_near(at, left, member.field)))
			return member;
		member.field = NULL;
	} else if (guess != 0 && (member.field = herald__plan_find(plan, name, bytes))) {
		return member;
	}
	if (bytes > plan->max_key_bytes)
		return find_field_slowly(reader, at, plan);
	member.at = skip_member(reader, member.at, plan, name, bytes);
	return member;
}

/*
 * Decode one member, its name and its value. Tries the field after the previous one first, because
 * senders nearly always keep the order of the schema. Sets *field to the next one to expect.
 */
static inline char *
decode_pair(struct herald__reader *reader, char *at, const struct herald__plan *plan, char *out,
	    uint64_t *seen, const struct herald__field **field)
{
	struct member member;
	uint64_t before;
	char *after;

	if (HERALD__LIKELY(herald__is_token(reader, at, *field))) {
		member.field = *field;
		member.at = herald__skip_blank(reader, at + member.field->token_bytes);
	} else {
		member = find_field(reader, at, plan);
		if (!member.field)
			return member.at;
	}
	*field = member.field + 1;
	seen += member.field->seen_word;
	before = *seen;
	*seen = before | member.field->seen_bit;
	if (!HERALD__LIKELY((before & member.field->seen_bit) == 0))
		after = herald__fail(reader, at, HERALD_DUPLICATE, "is a duplicate member");
	else
		after = decode_member(reader, member.at, member.field, out);
	if (!after)
		herald__trace_key(&reader->trace, member.field->name, member.field->name_bytes);
	return after;
}

static char *
fail_missing(struct herald__reader *reader, const char *start, const struct herald__plan *plan,
	     size_t index)
{
	const struct herald__field *field = &plan->fields[index];

	herald__fail(reader, start, HERALD_MISSING, "is required, but missing");
	herald__trace_key(&reader->trace, field->name, field->name_bytes);
	return NULL;
}

/* Decode all members. Returns the place after the closing brace. */
static HERALD__INLINE char *
decode_members(struct herald__reader *reader, char *at, const struct herald__plan *plan, char *out,
	       uint64_t *seen)
{
	const struct herald__field *field = plan->fields;

	for (;; at = herald__skip_gap(reader, at + 1, reader->depth)) {
		if (!(at = decode_pair(reader, at, plan, out, seen, &field)))
			return NULL;
		if (at == reader->end)
			return herald__fail_syntax(reader, at, "',' or '}'");
		if (HERALD__LIKELY(*at == ','))
			continue;
		at = herald__skip_gap(reader, at, reader->depth - 1);
		if (*at == '}')
			return at + 1;
		if (*at != ',')
			return herald__fail_syntax(reader, at, "',' or '}'");
	}
}

/* Decode the value of a transparent schema, which may be null as a member may be. */
HERALD__NOT_INLINE static char *
decode_transparent(struct herald__reader *reader, char *at, const struct herald__field *field,
		   char *out)
{
	if (herald__is_word(reader, at, "null", 4) && (field->flags & HERALD__NULL_IS_VALUE) == 0)
		return decode_null(reader, at, field);
	if ((field->flags & HERALD__OPTIONAL) != 0)
		*(bool *)(void *)(out + field->has_offset) = true;
	return decode_any_value(reader, at, field, (enum herald_kind)field->kind,
				out + field->offset);
}

/* Decode an object with a tag by the plan of its case. */
HERALD__NOT_INLINE static char *
decode_tagged(struct herald__reader *reader, char *at, const struct herald__plan *plan, char *out)
{
	const struct herald__plan *chosen = herald__choose_to_decode(reader, at, plan);

	return chosen ? decode_object(reader, at, chosen, out) : NULL;
}

/* Decode by a plan that has something special about it. */
HERALD__NOT_INLINE static char *
decode_special(struct herald__reader *reader, char *at, const struct herald__plan *plan, char *out)
{
	char *start = at;

	if (plan->special == HERALD__TAGGED)
		return decode_tagged(reader, at, plan, out);
	if ((plan->special & HERALD__TRANSPARENT) != 0)
		at = decode_transparent(reader, at, &plan->fields[0], out);
	else if ((plan->special & HERALD__TAGGED) != 0)
		at = decode_tagged(reader, at, plan, out);
	else
		at = decode_object(reader, at, plan->usual, out);
	if (!at || (plan->special & HERALD__CHECKED) == 0 ||
	    herald__run_checks(&reader->trace, herald__offset(reader, start), plan, out))
		return at;
	return NULL;
}

static char *
decode_object(struct herald__reader *reader, char *at, const struct herald__plan *plan, char *out)
{
	uint64_t small = 0, *seen = &small;
	char *start = at;

	if (plan->special != 0)
		return decode_special(reader, at, plan, out);
	if (*at != '{')
		return herald__fail_type(reader, at, "an object");
	if (!enter(reader, at))
		return NULL;
	if (plan->words_count > 1) {
		size_t bytes = plan->words_count * sizeof(*seen);

		if (!(seen = herald__arena_take(reader->arena, bytes)))
			return herald__fail_memory(reader, at);
		memset(seen, 0, bytes);
	}
	at = herald__skip_gap(reader, at + 1, reader->depth);
	if (*at == '}')
		at++;
	else if (!(at = decode_members(reader, at, plan, out, seen)))
		return NULL;
	for (size_t i = 0; i < plan->words_count; i++) {
		uint64_t missing = plan->required[i] & ~seen[i];

		if (missing != 0)
			return fail_missing(reader, start, plan,
					    i * 64 + (size_t)__builtin_ctzll(missing));
	}
	reader->depth--;
	return at;
}

char *
herald__decode_object(struct herald__reader *reader, char *at, const struct herald__plan *plan,
		      char *out)
{
	return decode_object(reader, at, plan, out);
}
