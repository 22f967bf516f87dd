/*
 * The decoder: JSON into a struct, in one pass and in place, as a plan says.
 * Owns objects, arrays and maps: which member is whose, what is missing, where a
 * value goes. What a value without brackets must be is scalar.h's, the bytes of strings
 * are string.c's, skipped values skip.c's, a document as a whole is document.c's, the
 * plan's own correctness plan.c's.
 *
 * Every function takes the place of its first byte and returns the place after
 * its last one, or NULL after it has recorded a failure; the callers then put
 * their part of the path before it, so that the way that succeeds keeps no
 * path. See scan.h for why the end is rarely asked for.
 */
#include <string.h>

#include "../arena.h"
#include "check.h"
#include "codec.h"
#include "decode.h"
#include "key.h"
#include "number.h"
#include "scalar.h"
#include "scan.h"
#include "simd.h"

/* From a member's name on, so many bytes can nearly always be read: a name of 16, its quotes and its colon. */
#define NEAR_BYTES 19

static char *
decode_object(struct herald__reader *reader, char *at, const struct herald__plan *plan, char *out);

static char *
fail_memory(struct herald__reader *reader, const char *at)
{
	if (herald__arena_over_limit(reader->arena))
		return herald__fail(reader, at, HERALD_LIMIT,
				    "the value needs more memory than an event may have");
	return herald__fail(reader, at, HERALD_NO_MEMORY, "out of memory");
}

/* An object of which `codec` says what it is. */
static char *
decode_resolved(struct herald__reader *reader, char *at, const struct herald_codec *codec,
		void *out)
{
	char *after;

	if (codec->root != NULL)
		return decode_object(reader, at, codec->root,
				     memset(out, 0, codec->root->element_bytes));
	if ((after = herald__skip_unwanted(reader, at)) != NULL)
		*(struct herald_json *)out = (struct herald_json){at, (size_t)(after - at)};
	return after;
}

/* A member that is decoded at once, or later by whoever wants it. `envelope` is the root's struct. */
static char *
decode_deferred(struct herald__reader *reader, char *at, const char *envelope)
{
	const struct herald__resolver *resolver = reader->resolver;
	const struct herald_codec *codec = NULL;
	void *out;
	char *after;

	if (resolver != NULL && *at == '{')
		codec = resolver->resolve(resolver->state, envelope, &out);
	if (codec != NULL)
		return decode_resolved(reader, at, codec, out);
	if ((after = herald__skip_brackets(at, reader->end)) == NULL)
		return herald__skip_value(reader, at);
	reader->deferred = at;
	return after;
}

NOT_INLINE static char *
decode_json(struct herald__reader *reader, char *at, const struct herald__field *field,
	    struct herald_json *out)
{
	char *after;

	/* The root's own: a schema may name itself, and be the one of an object further in. */
	if ((field->flags & HERALD__DEFERRED) != 0 && reader->depth == 1 &&
	    (*at == '{' || *at == '['))
		after = decode_deferred(reader, at, (const char *)out - field->offset);
	else
		after = herald__skip_value(reader, at);

	if (after != NULL)
		*out = (struct herald_json){at, (size_t)(after - at)};
	return after;
}

/* Enter an array or an object. The caller leaves it by reader->depth--. */
static inline bool
enter(struct herald__reader *reader, const char *at)
{
	if (++reader->depth <= reader->limits->max_depth)
		return true;
	herald__fail(reader, at, HERALD_LIMIT, HERALD__TOO_DEEP, reader->limits->max_depth);
	return false;
}

/* Elements that are read before their number is known. */
struct growing {
	char *items;
	size_t count, capacity, item_bytes;
};

/* A place for one more; NULL when memory is out. The list moves when it cannot grow in place. */
static char *
add_item(struct herald__reader *reader, struct growing *list)
{
	size_t bytes = list->capacity * list->item_bytes;

	if (list->count == list->capacity) {
		size_t capacity = list->capacity < 4 ? 4 : list->capacity * 2;

		if (list->items == NULL || !herald__arena_extend(reader->arena, list->items, bytes,
								 capacity * list->item_bytes)) {
			char *items =
				herald__arena_take(reader->arena, capacity * list->item_bytes);

			if (items == NULL)
				return NULL;
			if (list->items != NULL)
				memcpy(items, list->items, bytes);
			list->items = items;
		}
		list->capacity = capacity;
	}
	return list->items + list->count++ * list->item_bytes;
}

/* `after`, or NULL when there are too few or too many. */
static char *
check_count(struct herald__reader *reader, const char *at, char *after,
	    const struct herald__field *field, size_t count)
{
	if (count >= field->min_count && count <= field->max_count)
		return after;
	herald__check_count(&reader->trace, herald__offset(reader, at), field, count);
	return NULL;
}

static char *decode_value(struct herald__reader *reader, char *at,
			  const struct herald__field *field, enum herald_kind kind, char *out);

/* The elements of an array, from the first one on, to after its closing
 * bracket. */
static char *
decode_elements(struct herald__reader *reader, char *at, const struct herald__field *field,
		struct growing *list)
{
	bool structs = field->kind == HERALD_KIND_LIST;

	for (;; at++) {
		char *item, *after;

		at = herald__skip_blank(at);
		if (list->count == field->max_count)
			return check_count(reader, at, at, field, list->count + 1);
		if ((item = add_item(reader, list)) == NULL)
			return fail_memory(reader, at);
		if (structs)
			after = decode_object(reader, at, field->inner,
					      memset(item, 0, list->item_bytes));
		else
			after = decode_value(reader, at, field, (enum herald_kind)field->element,
					     item);
		if (after == NULL) {
			herald__trace_index(&reader->trace, list->count - 1);
			return NULL;
		}
		/* Only after a closing bracket can the end have come; but any element may end with one. */
		at = after < reader->end ? herald__skip_blank(after) : after;
		if (at == reader->end || (*at != ',' && *at != ']'))
			return herald__fail_syntax(reader, at, "',' or ']'");
		if (*at == ']')
			return at + 1;
	}
}

NOT_INLINE static char *
decode_list(struct herald__reader *reader, char *at, const struct herald__field *field, char *out,
	    size_t *count)
{
	struct growing list = {
		.item_bytes = field->kind == HERALD_KIND_LIST
				      ? field->inner->element_bytes
				      : herald__kind_bytes((enum herald_kind)field->element)};
	char *start = at;

	if (*at != '[')
		return herald__fail_type(reader, at, "an array");
	if (!enter(reader, at))
		return NULL;
	at = herald__skip_blank(at + 1);
	if (*at == ']') {
		at++;
		if ((list.items = herald__arena_take(reader->arena, 0)) == NULL)
			return fail_memory(reader, start);
	} else if ((at = decode_elements(reader, at, field, &list)) == NULL) {
		return NULL;
	}
	reader->depth--;
	*(void **)(void *)out = list.items;
	*count = list.count;
	return check_count(reader, start, at, field, list.count);
}

/* A member's name at `at`: its text and the place after it. */
static char *
read_key(struct herald__reader *reader, char *at, struct herald__string *key)
{
	if (*at != '"')
		return herald__fail_syntax(reader, at, "a member's name in quotes");
	return read_quoted(reader, at, HERALD__NAME, key);
}

/* The colon after a name, and the place of the value. */
static inline char *
read_colon(struct herald__reader *reader, char *at)
{
	at = herald__skip_blank(at);
	if (*at != ':')
		return herald__fail_syntax(reader, at, "':'");
	return herald__skip_blank(at + 1);
}

/* What an entry of either kind of map begins with. */
struct __attribute__((may_alias)) entry {
	const char *key;
	const char *text;
};

_Static_assert(offsetof(struct herald_pair, key) == offsetof(struct entry, key) &&
		       offsetof(struct herald_pair, value) == offsetof(struct entry, text) &&
		       offsetof(struct herald_json_pair, key) == offsetof(struct entry, key) &&
		       offsetof(struct herald_json_pair, text) == offsetof(struct entry, text),
	       "the same layout");

static char *
decode_entry_string(struct herald__reader *reader, char *at, struct entry *entry)
{
	struct herald__string value;

	at = read_string(reader, at, "a string", &value);
	if (at != NULL && value.nul != NULL)
		return fail_nul(reader, value.nul);
	entry->text = value.data;
	return at;
}

/* A value that is not a string, of a map of any values. */
static char *
decode_entry_json(struct herald__reader *reader, char *at, struct herald_json_pair *pair)
{
	char *after = herald__skip_unwanted(reader, at);

	if (after == NULL)
		return NULL;
	pair->json = (struct herald_json){at, (size_t)(after - at)};
	if (*at == 'n')
		pair->text = "";
	else if (*at == '{' || *at == '[')
		pair->text = NULL;
	/* Its own text has no room for a NUL after it. */
	else if ((pair->text = herald_arena_copy(reader->arena, at, pair->json.bytes)) == NULL)
		return fail_memory(reader, at);
	return after;
}

/* The value of an entry of either kind of map. */
static inline char *
decode_entry_value(struct herald__reader *reader, char *at, enum herald_kind kind,
		   struct entry *entry)
{
	if (kind == HERALD_KIND_JSON_MAP) {
		struct herald_json_pair *pair = (struct herald_json_pair *)(void *)entry;

		if (*at != '"')
			return decode_entry_json(reader, at, pair);
		pair->json = (struct herald_json){NULL, 0};
	} else if (herald__is_word(reader, at, "null", 4)) {
		entry->text = "";
		return at + 4;
	}
	return decode_entry_string(reader, at, entry);
}

/* An entry of either kind of map. */
static char *
decode_entry(struct herald__reader *reader, char *at, enum herald_kind kind, struct entry *entry)
{
	struct herald__string key;

	if ((at = read_key(reader, at, &key)) == NULL)
		return NULL;
	if (key.nul != NULL)
		return fail_nul(reader, key.nul);
	entry->key = key.data;
	if ((at = read_colon(reader, at)) == NULL)
		return NULL;
	if ((at = decode_entry_value(reader, at, kind, entry)) == NULL)
		herald__trace_key(&reader->trace, key.data, key.bytes);
	return at;
}

/* `after`, or NULL when a key stands twice. */
static char *
check_keys(struct herald__reader *reader, const struct growing *list, char *after)
{
	const void **scratch = NULL;
	const char *twice;

	if (after == NULL)
		return NULL;
	if (list->count > HERALD__FEW_ENTRIES) {
		scratch = herald__arena_take(reader->arena, list->count * sizeof(*scratch));
		if (scratch == NULL)
			return fail_memory(reader, after - 1);
	}
	twice = herald__find_duplicate(list->items, list->item_bytes, list->count, scratch);
	if (twice == NULL)
		return after;
	herald__fail(reader, twice - 1, HERALD_DUPLICATE, "is a duplicate member");
	herald__trace_key(&reader->trace, twice, strlen(twice));
	return NULL;
}

static char *
decode_entries(struct herald__reader *reader, char *at, const struct herald__field *field,
	       struct growing *list)
{
	for (;; at++) {
		struct entry *entry;

		at = herald__skip_blank(at);
		if (list->count == field->max_count)
			return check_count(reader, at, at, field, list->count + 1);
		if ((entry = (struct entry *)(void *)add_item(reader, list)) == NULL)
			return fail_memory(reader, at);
		if ((at = decode_entry(reader, at, (enum herald_kind)field->kind, entry)) == NULL)
			return NULL;
		if (at < reader->end)
			at = herald__skip_blank(at);
		if (at < reader->end && *at == '}')
			return at + 1;
		if (at == reader->end || *at != ',')
			return herald__fail_syntax(reader, at, "',' or '}'");
	}
}

_Static_assert(sizeof(struct herald_json_map) == sizeof(struct herald_map) &&
		       offsetof(struct herald_json_map, pairs) ==
			       offsetof(struct herald_map, pairs) &&
		       offsetof(struct herald_json_map, count) ==
			       offsetof(struct herald_map, count),
	       "the same layout");

/* Either kind of map. */
NOT_INLINE static char *
decode_map(struct herald__reader *reader, char *at, const struct herald__field *field, char *out)
{
	bool of_strings = field->kind == HERALD_KIND_MAP;
	struct growing list = {.item_bytes = of_strings ? sizeof(struct herald_pair)
							: sizeof(struct herald_json_pair)};
	char *start = at;

	if (*at != '{')
		return herald__fail_type(reader, at,
					 of_strings ? "an object of strings" : "an object");
	if (!enter(reader, at))
		return NULL;
	at = herald__skip_blank(at + 1);
	if (*at == '}') {
		at++;
		if ((list.items = herald__arena_take(reader->arena, 0)) == NULL)
			return fail_memory(reader, start);
	} else if ((at = decode_entries(reader, at, field, &list)) == NULL) {
		return NULL;
	}
	reader->depth--;
	*(void **)(void *)out = list.items;
	*(size_t *)(void *)(out + offsetof(struct herald_map, count)) = list.count;
	return check_keys(reader, &list, check_count(reader, start, at, field, list.count));
}

NOT_INLINE static char *
decode_pointer(struct herald__reader *reader, char *at, const struct herald__field *field,
	       char *out)
{
	char *target;

	if (*at != '{')
		return herald__fail_type(reader, at, "an object");
	if ((target = herald__arena_take(reader->arena, field->inner->element_bytes)) == NULL)
		return fail_memory(reader, at);
	memset(target, 0, field->inner->element_bytes);
	*(void **)(void *)out = target;
	return decode_object(reader, at, field->inner, target);
}

/* A member's value, or an element's of a list of values. */
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
	default:
		return decode_natural(reader, at, field, kind, out);
	}
}

/* A member's null. */
NOT_INLINE static char *
decode_null(struct herald__reader *reader, char *at, const struct herald__field *field)
{
	if ((field->flags & HERALD__REQUIRED) == 0)
		return at + 4;
	return herald__fail(reader, at, HERALD_MISSING, "is required, but null");
}

/* A member's value, or its null. `out` is the struct, all zero where this
 * member is. */
static inline char *
decode_member(struct herald__reader *reader, char *at, const struct herald__field *field, char *out)
{
	char *close;

	if ((field->flags & HERALD__PLAIN) != 0 && *at == '"' &&
	    *(close = herald__next_stop(reader, at + 1)) == '"' &&
	    (size_t)(close - at) - 1 >= field->min_bytes &&
	    (size_t)(close - at) - 1 <= field->plain_max_bytes) {
		*close = '\0';
		*(const char **)(void *)(out + field->offset) = at + 1;
		return close + 1;
	}
	/* null is the zero value, which is there already; raw JSON keeps it as a
	 * value of its own. */
	if (*at == 'n' && herald__is_word(reader, at, "null", 4) &&
	    (field->kind != HERALD_KIND_JSON || (field->flags & HERALD__REQUIRED) != 0))
		return decode_null(reader, at, field);
	if ((field->flags & HERALD__OPTIONAL) != 0)
		*(bool *)(void *)(out + field->has_offset) = true;
	return decode_value(reader, at, field, (enum herald_kind)field->kind, out + field->offset);
}

/* Whether the text at `at` is the field's name, its quotes and its colon. */
static inline bool
is_token(const struct herald__reader *reader, const char *at, const struct herald__field *field)
{
	size_t bytes = field->token_bytes, left = (size_t)(reader->end - at);

	if ((left < NEAR_BYTES && left < (bytes < 8 ? 8 : bytes)) ||
	    ((herald__load64(at) ^ field->token_first) & field->token_mask) != 0)
		return false;
	if (bytes <= 8)
		return true;
	if (bytes > 16 && (left < bytes || memcmp(at + 8, field->token + 8, bytes - 16) != 0))
		return false;
	return herald__load64(at + bytes - 8) == field->token_last;
}

/* Skip the value of a member that no field has. */
static inline char *
skip_member(struct herald__reader *reader, char *at, const struct herald__plan *plan,
	    const char *name, size_t name_bytes)
{
	char *after;

	if (plan->reject_unknown)
		after = herald__fail(reader, name - 1, HERALD_UNKNOWN_MEMBER,
				     "is not a member of %s", plan->schema->name);
	else
		after = herald__skip_unwanted(reader, at);
	if (after == NULL)
		herald__trace_key(&reader->trace, name, name_bytes);
	return after;
}

/* A member's field, and the place of its value; or NULL, and the place after the value. */
struct member {
	const struct herald__field *field;
	char *at; /* NULL after a failure */
};

/* find_field() for any name. */
NOT_INLINE static struct member
find_field_slowly(struct herald__reader *reader, char *at, const struct herald__plan *plan)
{
	struct member member = {NULL, NULL};
	struct herald__string name;

	if ((at = read_key(reader, at, &name)) == NULL || (at = read_colon(reader, at)) == NULL)
		return member;
	member.field = herald__plan_find(plan, name.data, name.bytes);
	member.at =
		member.field != NULL ? at : skip_member(reader, at, plan, name.data, name.bytes);
	return member;
}

/* Find the field of a member that is not the expected one. The value of a member that no field has is skipped. */
static inline struct member
find_field(struct herald__reader *reader, char *at, const struct herald__plan *plan)
{
	struct member member;
	char *name = at + 1, *close;
	size_t bytes;

	/* A short name with its colon right behind it. */
	if ((size_t)(reader->end - at) < NEAR_BYTES || *at != '"')
		return find_field_slowly(reader, at, plan);
	close = herald__next_stop(reader, name);
	bytes = (size_t)(close - name);
	if (bytes > plan->near_key_bytes || memcmp(close, "\":", 2) != 0)
		return find_field_slowly(reader, at, plan);
	member.field = herald__plan_find_near(plan, name, bytes);
	member.at = herald__skip_blank(close + 2);
	if (member.field == NULL)
		member.at = skip_member(reader, member.at, plan, name, bytes);
	return member;
}

/*
 * One member, name and value. The field after the one that was there last is
 * tried first: senders keep an order, and it is nearly always the schema's.
 * *field becomes the next one to expect.
 */
static inline char *
decode_pair(struct herald__reader *reader, char *at, const struct herald__plan *plan, char *out,
	    uint64_t *seen, const struct herald__field **field)
{
	struct member member;
	char *after;

	if (is_token(reader, at, *field)) {
		member.field = *field;
		member.at = herald__skip_blank(at + member.field->token_bytes);
	} else {
		member = find_field(reader, at, plan);
		if (member.field == NULL)
			return member.at;
	}
	*field = member.field + 1;
	if ((seen[member.field->seen_word] & member.field->seen_bit) != 0)
		after = herald__fail(reader, at, HERALD_DUPLICATE, "is a duplicate member");
	else
		after = decode_member(reader, member.at, member.field, out);
	seen[member.field->seen_word] |= member.field->seen_bit;
	if (after == NULL)
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

/* All members from the first one on, to after the closing brace. */
static char *
decode_members(struct herald__reader *reader, char *at, const struct herald__plan *plan, char *out,
	       uint64_t *seen)
{
	const struct herald__field *field = plan->fields;

	for (;; at = herald__skip_blank(at + 1)) {
		if ((at = decode_pair(reader, at, plan, out, seen, &field)) == NULL)
			return NULL;
		if (at == reader->end)
			return herald__fail_syntax(reader, at, "',' or '}'");
		if (*at == ',')
			continue;
		at = herald__skip_blank(at);
		if (*at == '}')
			return at + 1;
		if (*at != ',')
			return herald__fail_syntax(reader, at, "',' or '}'");
	}
}

static char *
decode_object(struct herald__reader *reader, char *at, const struct herald__plan *plan, char *out)
{
	uint64_t small = 0, *seen = &small;
	char *start = at;

	if (*at != '{')
		return herald__fail_type(reader, at, "an object");
	if (!enter(reader, at))
		return NULL;
	if (plan->words_count > 1) {
		size_t bytes = plan->words_count * sizeof(*seen);

		if ((seen = herald__arena_take(reader->arena, bytes)) == NULL)
			return fail_memory(reader, at);
		memset(seen, 0, bytes);
	}
	at = herald__skip_blank(at + 1);
	if (*at == '}')
		at++;
	else if ((at = decode_members(reader, at, plan, out, seen)) == NULL)
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
