/*
 * The encoder: a struct as JSON, driven by a plan: objects, lists and maps. Decides which members
 * are left out, and refuses whatever the decoder would refuse. Scalars are in encode_scalar.h, the
 * buffer and its growth in buffer.c, numbers in number_write.c.
 */
#include <string.h>

#include <herald/adapter/memory.h>

#include "base/attributes.h"
#include "codec/cases.h"
#include "codec/check.h"
#include "codec/constraints.h"
#include "codec/duplicate.h"
#include "codec/encode_scalar.h"
#include "codec/plan.h"
#include "json/writer/integer_list.h"

static char *
encode_members(struct writer *writer, char *at, const struct herald__plan *plan, const char *in);
static char *
encode_by_special(struct writer *writer, char *at, const struct herald__plan *plan, const char *in);
static char *
encode_list(struct writer *writer, char *at, const struct herald__field *field, const char *member);
static char *encode_array(struct writer *writer, char *at, const struct herald__field *field,
			  const char *member);
static char *encode_struct_map(struct writer *writer, char *at, const struct herald__field *field,
			       const char *member);
static char *encode_value_struct(struct writer *writer, char *at, const struct herald__field *field,
				 const char *in);
static char *encode_transparent(struct writer *writer, char *at, const struct herald__field *field,
				const char *in);

static HERALD__INLINE char *
encode_object(struct writer *writer, char *at, const struct herald__plan *plan, const char *in)
{
	return plan->special == 0 ? encode_members(writer, at, plan, in)
				  : encode_by_special(writer, at, plan, in);
}

/* Write an entry of either kind of map. In a map of any values, `json` takes precedence over
 * `text`. */
static HERALD__INLINE char *
encode_entry(struct writer *writer, char *at, const char *key, const char *text,
	     const struct herald_json *json)
{
	if (!key)
		return FAIL(writer, HERALD_MISSING, "expected keys, found a NULL");
	at = encode_text(writer, at, key, strlen(key), writer->limits->max_key_bytes);
	if (!at || !(at = put_byte(writer, at, ':')))
		return NULL;
	if (json && json->data)
		return encode_json(writer, at, NULL, json);
	if (text)
		return encode_text(writer, at, text, strlen(text),
				   writer->limits->max_string_bytes);
	return FAIL(writer, HERALD_MISSING, "expected a value, found NULL");
}

static HERALD__INLINE bool
check_keys(struct writer *writer, const char *entries, size_t entry_bytes, size_t count)
{
	const struct herald_allocator *allocator = &writer->out->allocator;
	size_t bytes = herald__duplicate_scratch(count);
	void *scratch = NULL;
	const char *twice;

	if (bytes > 0 && !(scratch = herald_memory_allocate(allocator, bytes)))
		return herald__trace_fail(&writer->trace, HERALD_NO_OFFSET, HERALD_NO_MEMORY,
					  "out of memory");
	twice = herald__find_duplicate(entries, entry_bytes, count, scratch);
	if (scratch)
		herald_memory_release(allocator, scratch, bytes);
	if (!twice)
		return true;
	herald__trace_fail(&writer->trace, HERALD_NO_OFFSET, HERALD_DUPLICATE,
			   "is a duplicate member");
	herald__trace_key(&writer->trace, twice, strlen(twice));
	return false;
}

/* Write either kind of map. Both have the same layout (see decode_object.c), with entries of
 * `entry_bytes` each. */
HERALD__NOT_INLINE static char *
encode_map(struct writer *writer, char *at, const struct herald__field *field,
	   const struct herald_map *map)
{
	bool of_strings = field->kind == HERALD_KIND_MAP;
	size_t entry_bytes =
		of_strings ? sizeof(struct herald_pair) : sizeof(struct herald_json_pair);
	const char *entry = (const char *)map->pairs;
	char *after;

	if (!herald__check_count(&writer->trace, HERALD_NO_OFFSET, field, map->count) ||
	    !enter(writer) || !(at = put_byte(writer, at, '{')))
		return NULL;
	for (size_t i = 0; i < map->count; i++, entry += entry_bytes) {
		/* Both kinds begin with the key and the text. */
		const char *const *words = (const void *)entry;
		const struct herald_json_pair *pair = of_strings ? NULL : (const void *)entry;

		if (i > 0 && !(at = put_byte(writer, at, ',')))
			return NULL;
		after = encode_entry(writer, at, words[0], words[1], pair ? &pair->json : NULL);
		if (!after) {
			if (words[0])
				herald__trace_key(&writer->trace, words[0], strlen(words[0]));
			return NULL;
		}
		at = after;
	}
	writer->depth--;
	at = put_byte(writer, at, '}');
	return at && check_keys(writer, (const char *)map->pairs, entry_bytes, map->count) ? at
											   : NULL;
}

static HERALD__INLINE char *
encode_number(struct writer *writer, char *at, const struct herald__field *field,
	      enum herald_kind kind, const void *in)
{
	switch (kind) {
	case HERALD_KIND_INT8:
		return encode_signed(writer, at, field, *(const int8_t *)in);
	case HERALD_KIND_INT16:
		return encode_signed(writer, at, field, *(const int16_t *)in);
	case HERALD_KIND_INT32:
		return encode_signed(writer, at, field, *(const int32_t *)in);
	case HERALD_KIND_INT64:
		return encode_signed(writer, at, field, *(const int64_t *)in);
	case HERALD_KIND_UINT8:
		return encode_unsigned(writer, at, field, *(const uint8_t *)in);
	case HERALD_KIND_UINT16:
		return encode_unsigned(writer, at, field, *(const uint16_t *)in);
	case HERALD_KIND_UINT32:
		return encode_unsigned(writer, at, field, *(const uint32_t *)in);
	case HERALD_KIND_UINT64:
		return encode_unsigned(writer, at, field, *(const uint64_t *)in);
	case HERALD_KIND_FLOAT:
		return encode_real(writer, at, field, (double)*(const float *)in, true);
	default:
		return encode_real(writer, at, field, *(const double *)in, false);
	}
}

_Static_assert(offsetof(struct herald_text, data) == 0, "the pointer first");
_Static_assert(offsetof(struct herald_json, data) == 0, "the pointer first");
_Static_assert(offsetof(struct herald_map, pairs) == 0, "the pointer first");
_Static_assert(offsetof(struct herald_json_map, pairs) == 0, "the pointer first");

static inline bool
is_absent(enum herald_kind kind, const void *in)
{
	return herald__kind_is_pointer(kind) && !*(const void *const *)in;
}

/* Write a member's value, or an element of a list of values. */
static HERALD__INLINE char *
encode_value(struct writer *writer, char *at, const struct herald__field *field,
	     enum herald_kind kind, const void *in)
{
	const char *string;

	switch ((int)kind) {
	case HERALD_KIND_BOOL:
		return encode_bool(writer, at, *(const bool *)in);
	case HERALD_KIND_STRING:
		string = *(const char *const *)in;
		return encode_string(writer, at, field, string, strlen(string));
	case HERALD_KIND_TEXT:
		return encode_string(writer, at, field, ((const struct herald_text *)in)->data,
				     ((const struct herald_text *)in)->bytes);
	case HERALD_KIND_CHARS:
		return encode_chars(writer, at, field, in);
	case HERALD_KIND_TIME:
		return encode_time(writer, at, in);
	case HERALD_KIND_JSON:
		return encode_json(writer, at, field, in);
	case HERALD_KIND_MAP:
	case HERALD_KIND_JSON_MAP:
		return encode_map(writer, at, field, in);
	case HERALD_KIND_ENUM:
		return encode_enum(writer, at, field, *(const int *)in);
	case HERALD_KIND_STRUCT:
		return encode_object(writer, at, field->inner, in);
	case HERALD_KIND_POINTER:
		return encode_object(writer, at, field->inner, *(const char *const *)in);
	case HERALD_KIND_LIST:
	case HERALD_KIND_VALUES:
		return encode_list(writer, at, field, in);
	case HERALD__KIND_FORM:
		return encode_form(writer, at, field, in);
	case HERALD_KIND_ARRAY:
		return encode_array(writer, at, field, in);
	case HERALD_KIND_STRUCT_MAP:
		return encode_struct_map(writer, at, field, in);
	case HERALD__KIND_VALUE_IN:
		return encode_value_struct(writer, at, field, in);
	case HERALD__KIND_VALUE_AT:
		return encode_value_struct(writer, at, field, *(const char *const *)in);
	default:
		return encode_number(writer, at, field, kind, in);
	}
}

/* An integer of any kind; those above INT64_MAX are negative. */
static HERALD__INLINE int64_t
load_integer(const void *in, enum herald_kind kind)
{
	switch (kind) {
	case HERALD_KIND_INT8:
		return *(const int8_t *)in;
	case HERALD_KIND_INT16:
		return *(const int16_t *)in;
	case HERALD_KIND_INT32:
		return *(const int32_t *)in;
	case HERALD_KIND_UINT8:
		return *(const uint8_t *)in;
	case HERALD_KIND_UINT16:
		return *(const uint16_t *)in;
	case HERALD_KIND_UINT32:
		return *(const uint32_t *)in;
	default:
		return *(const int64_t *)in;
	}
}

/*
 * Write integers, each followed by a comma, as long as they are in range and there is room for any
 * number. Returns the place after the last one, and sets *written to how many there are. Inlined,
 * so that the kind can be a constant.
 */
static HERALD__INLINE char *
write_integers(const struct writer *writer, char *at, enum herald_kind kind, size_t bytes,
	       const char *items, size_t count, int64_t min, int64_t max, size_t *written)
{
	size_t i = 0;

	for (; i < count && room(writer, at) > HERALD__NUMBER_BYTES; i++) {
		int64_t value = load_integer(items + i * bytes, kind);

		if (value < min || value > max)
			break;
		at = herald__append_integer(value, at);
		*at++ = ',';
	}
	*written = i;
	return at;
}

HERALD__COLD static char *
fail_absent(struct writer *writer)
{
	return FAIL(writer, HERALD_MISSING, "expected an element, found NULL");
}

/* Write a number, and a comma after it. */
static inline char *
encode_one_number(struct writer *writer, char *at, const struct herald__field *field,
		  enum herald_kind kind, const char *item, size_t index)
{
	if (!(at = encode_number(writer, at, field, kind, item))) {
		herald__trace_index(&writer->trace, index);
		return NULL;
	}
	return put_byte(writer, at, ',');
}

/* Write the elements of a list of integers, each followed by a comma. */
HERALD__NOT_INLINE static char *
encode_integers(struct writer *writer, char *at, const struct herald__field *field,
		const char *items, size_t count)
{
	enum herald_kind kind = (enum herald_kind)field->element;
	size_t bytes = field->item_bytes, written;
	bool is_signed = !herald__kind_is_unsigned(kind);
	int64_t min, max;

	herald__integer_range(field, &min, &max);
	for (size_t i = 0; at && i < count;) {
		i += herald__write_integer_list(&at, writer->end, items + i * bytes, bytes,
						is_signed, count - i, field->range.natural.min,
						field->range.natural.max);
		/* The most common kind as a constant. */
		if (kind == HERALD_KIND_INT64)
			at = write_integers(writer, at, HERALD_KIND_INT64, sizeof(int64_t),
					    items + i * bytes, count - i, min, max, &written);
		else
			at = write_integers(writer, at, kind, bytes, items + i * bytes, count - i,
					    min, max, &written);
		i += written;
		/* It is out of range, or the buffer may have to grow. */
		if (written == 0 && i < count) {
			at = encode_one_number(writer, at, field, kind, items + i * bytes, i);
			i++;
		}
	}
	return at;
}

/* The same for other numbers. */
static inline char *
encode_reals(struct writer *writer, char *at, const struct herald__field *field,
	     enum herald_kind kind, size_t bytes, const char *items, size_t count)
{
	for (size_t i = 0; at && i < count; i++)
		at = encode_one_number(writer, at, field, kind, items + i * bytes, i);
	return at;
}

/* The same for strings. */
HERALD__NOT_INLINE static char *
encode_strings(struct writer *writer, char *at, const struct herald__field *field,
	       const char *const *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		at = items[i] ? encode_string(writer, at, field, items[i], strlen(items[i]))
			      : fail_absent(writer);
		if (!at) {
			herald__trace_index(&writer->trace, i);
			return NULL;
		}
		if (!(at = put_byte(writer, at, ',')))
			return NULL;
	}
	return at;
}

static inline char *
encode_element(struct writer *writer, char *at, const struct herald__field *field, const char *in)
{
	enum herald_kind kind = (enum herald_kind)field->element;

	if (field->kind == HERALD_KIND_LIST)
		return encode_object(writer, at, field->inner, in);
	if ((int)kind == HERALD__KIND_NULLABLE) {
		if (!*(const char *const *)(const void *)in)
			return put(writer, at, "null", 4);
		kind = field->field->element;
	}
	if (is_absent(kind, in))
		return fail_absent(writer);
	return encode_value(writer, at, field, kind, in);
}

static char *
encode_elements(struct writer *writer, char *at, const struct herald__field *field, size_t bytes,
		const char *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!(at = encode_element(writer, at, field, items + i * bytes))) {
			herald__trace_index(&writer->trace, i);
			return NULL;
		}
		if (!(at = put_byte(writer, at, ',')))
			return NULL;
	}
	return at;
}

HERALD__NOT_INLINE static char *
encode_list(struct writer *writer, char *at, const struct herald__field *field, const char *member)
{
	const char *items = *(const char *const *)(const void *)member;
	size_t count =
		*(const size_t *)(const void *)(member - field->offset + field->count_offset);
	enum herald_kind kind = (enum herald_kind)field->element;
	size_t bytes = field->item_bytes;

	if (!herald__check_count(&writer->trace, HERALD_NO_OFFSET, field, count) ||
	    !enter(writer) || !(at = put_byte(writer, at, '[')))
		return NULL;
	if (count == 0) {
		writer->depth--;
		return put_byte(writer, at, ']');
	}
	/* The usual kinds need fewer checks than other elements, and so have faster loops. */
	if (kind == HERALD_KIND_DOUBLE)
		at = encode_reals(writer, at, field, HERALD_KIND_DOUBLE, sizeof(double), items,
				  count);
	else if (kind == HERALD_KIND_FLOAT)
		at = encode_reals(writer, at, field, HERALD_KIND_FLOAT, sizeof(float), items,
				  count);
	else if (herald__kind_is_number(kind))
		at = encode_integers(writer, at, field, items, count);
	else if (kind == HERALD_KIND_STRING)
		at = encode_strings(writer, at, field, (const char *const *)(const void *)items,
				    count);
	else
		at = encode_elements(writer, at, field, bytes, items, count);
	if (!at)
		return NULL;
	writer->depth--;
	at[-1] = ']';
	return at;
}

HERALD__NOT_INLINE static char *
encode_array(struct writer *writer, char *at, const struct herald__field *field, const char *member)
{
	if (!enter(writer) || !(at = put_byte(writer, at, '[')) ||
	    !(at = encode_elements(writer, at, field, field->item_bytes, member,
				   field->array_count)))
		return NULL;
	writer->depth--;
	at[-1] = ']';
	return at;
}

/* Whether the structs of a map are numbers: such a transparent schema needs none of the checks of
 * other values. */
static bool
is_number(const struct herald__plan *plan)
{
	const struct herald__field *field = &plan->fields[0];

	return plan->special == HERALD__TRANSPARENT &&
	       herald__kind_is_number((enum herald_kind)field->kind) &&
	       (field->flags & HERALD__MAY_LACK) == 0;
}

/* Write a member of a map of structs. */
static HERALD__INLINE char *
encode_keyed(struct writer *writer, char *at, const struct herald__plan *plan, bool of_numbers,
	     const char *in)
{
	const struct herald__field *field = &plan->fields[0];
	const char *key = *(const char *const *)(const void *)(in + plan->key_offset);

	if (!key)
		return FAIL(writer, HERALD_MISSING, "expected keys, found a NULL");
	at = encode_text_here(writer, at, key, strlen(key), writer->limits->max_key_bytes);
	if (at)
		at = put_byte(writer, at, ':');
	if (at)
		at = of_numbers ? encode_number(writer, at, field, (enum herald_kind)field->kind,
						in + field->offset)
				: encode_object(writer, at, plan, in);
	if (!at)
		herald__trace_key(&writer->trace, key, strlen(key));
	return at;
}

HERALD__NOT_INLINE static char *
encode_struct_map(struct writer *writer, char *at, const struct herald__field *field,
		  const char *member)
{
	const struct herald__plan *plan = field->inner;
	const char *items = *(const char *const *)(const void *)member;
	size_t count =
		*(const size_t *)(const void *)(member - field->offset + field->count_offset);
	const bool of_numbers = is_number(plan);

	if (!herald__check_count(&writer->trace, HERALD_NO_OFFSET, field, count) ||
	    !enter(writer) || !(at = put_byte(writer, at, '{')))
		return NULL;
	for (size_t i = 0; i < count; i++)
		if ((i > 0 && !(at = put_byte(writer, at, ','))) ||
		    !(at = encode_keyed(writer, at, plan, of_numbers,
					items + i * field->item_bytes)))
			return NULL;
	writer->depth--;
	if (!(at = put_byte(writer, at, '}')) ||
	    !check_keys(writer, items + plan->key_offset, field->item_bytes, count))
		return NULL;
	return at;
}

/* The line of the struct or the array for which a transparent struct's null was written: it has a
 * check, or its elements have, and is all zero. NULL: it was another null. */
static const struct herald__field *
find_zero_value(const struct herald__field *field, const char **in)
{
	while (field->kind == HERALD__KIND_VALUE_IN || field->kind == HERALD__KIND_VALUE_AT) {
		field = &field->inner->fields[0];
		if ((field->flags & HERALD__OPTIONAL) != 0 || field->kind == HERALD__KIND_VALUE_AT)
			return NULL;
		*in += field->offset;
	}
	return field->kind == HERALD_KIND_STRUCT || field->kind == HERALD_KIND_ARRAY ? field : NULL;
}

/*
 * Write a struct whose schema is transparent. Elements of lists may be null; but the null of a
 * member would not come back as the member's value: it is missing if it is required, and NULL if it
 * is a pointer.
 */
HERALD__NOT_INLINE static char *
encode_value_struct(struct writer *writer, char *at, const struct herald__field *field,
		    const char *in)
{
	const char *why = (field->flags & HERALD__REQUIRED) != 0
				  ? "is required, but null"
				  : "is null, but a pointer to it is set";
	size_t start = (size_t)(at - writer->out->data);

	if (!(at = encode_object(writer, at, field->inner, in)))
		return NULL;
	if (field->element != HERALD_KIND_NONE || (field->flags & HERALD__NULL_IS_VALUE) != 0 ||
	    (size_t)(at - writer->out->data) - start != 4 || memcmp(at - 4, "null", 4) != 0)
		return at;
	if ((field = find_zero_value(field, &in)))
		return encode_value(writer, writer->out->data + start, field,
				    (enum herald_kind)field->kind, in);
	return FAIL(writer, HERALD_MISSING, "%s", why);
}

HERALD__NOT_INLINE static bool
is_zero(const char *member, size_t bytes)
{
	while (bytes > 0 && *member == '\0') {
		member++;
		bytes--;
	}
	return bytes == 0;
}

/* Whether to leave a member out of the JSON. */
static inline bool
is_left_out(const struct herald__field *field, const char *in)
{
	enum herald_kind kind = (enum herald_kind)field->kind;
	const void *member = in + field->offset;

	if ((field->flags & HERALD__MAY_LACK) == 0)
		return false;
	if ((field->flags & HERALD__OPTIONAL) != 0 &&
	    !*(const bool *)(const void *)(in + field->has_offset))
		return true;
	if (herald__kind_is_pointer(kind))
		return !*(const void *const *)member;
	return (field->flags & HERALD__OPTIONAL) == 0 && is_zero(member, field->field->bytes);
}

/* Whether leaving out a member is an error: it is required, or its has_ member is set. */
static bool
is_lost(const struct herald__field *field, const char *in)
{
	if ((field->flags & HERALD__REQUIRED) != 0)
		return true;
	if ((field->flags & HERALD__OPTIONAL) != 0)
		return *(const bool *)(const void *)(in + field->has_offset);
	if (herald__kind_has_count((enum herald_kind)field->kind))
		return *(const size_t *)(const void *)(in + field->count_offset) != 0;
	return herald__kind_is_map((enum herald_kind)field->kind) &&
	       ((const struct herald_map *)(const void *)(in + field->offset))->count != 0;
}

HERALD__COLD static char *
fail_lost(struct writer *writer, const struct herald__field *field)
{
	return FAIL(writer, HERALD_MISSING, "%s",
		    (field->flags & HERALD__REQUIRED) != 0 ? "is required, but NULL"
							   : "is NULL, but said to be there");
}

/* Write the value of a transparent schema's only field. */
HERALD__NOT_INLINE static char *
encode_transparent(struct writer *writer, char *at, const struct herald__field *field,
		   const char *in)
{
	/* The value of a transparent struct in it says itself whether it is null. */
	bool delegates =
		field->kind == HERALD__KIND_VALUE_IN && (field->flags & HERALD__OPTIONAL) == 0;

	if (delegates || !is_left_out(field, in))
		return encode_value(writer, at, field, (enum herald_kind)field->kind,
				    in + field->offset);
	if (is_lost(field, in))
		return fail_lost(writer, field);
	return put(writer, at, "null", 4);
}

/* Write a comma, a member's name and its colon. Nearly always a fixed-size copy without a loop. */
static inline char *
put_token(struct writer *writer, char *at, const struct herald__field *field)
{
	size_t bytes = field->token_bytes + 1;

	if (bytes > HERALD__TOKEN_PADDING || room(writer, at) < HERALD__TOKEN_PADDING)
		return put(writer, at, field->token - 1, bytes);
	memcpy(at, field->token - 1, HERALD__TOKEN_PADDING);
	return at + bytes;
}

/* Write by a plan that has something special about it. */
HERALD__NOT_INLINE static char *
encode_by_special(struct writer *writer, char *at, const struct herald__plan *plan, const char *in)
{
	if (plan->special == HERALD__TAGGED)
		return encode_object(writer, at, herald__choose_to_encode(plan, in), in);
	if ((plan->special & HERALD__TRANSPARENT) != 0)
		at = encode_transparent(writer, at, &plan->fields[0], in);
	else if ((plan->special & HERALD__TAGGED) != 0)
		at = encode_object(writer, at, herald__choose_to_encode(plan, in), in);
	else
		at = encode_object(writer, at, plan->usual, in);
	if (!at || (plan->special & HERALD__CHECKED) == 0 ||
	    herald__run_checks(&writer->trace, HERALD_NO_OFFSET, plan, in))
		return at;
	return NULL;
}

/* The same as encode_value(), with the most frequent kind in place. */
static HERALD__INLINE char *
encode_member(struct writer *writer, char *at, const struct herald__field *field, const void *in)
{
	const char *text;
	size_t bytes;

	if (field->kind != HERALD_KIND_STRING)
		return encode_value(writer, at, field, (enum herald_kind)field->kind, in);
	text = *(const char *const *)in;
	bytes = strlen(text);
	if (!check_text(writer, field, text, bytes))
		return NULL;
	return encode_text_here(writer, at, text, bytes, writer->limits->max_string_bytes);
}

/* Write an object whose plan has nothing special about it. */
HERALD__NOT_INLINE static char *
encode_members(struct writer *writer, char *at, const struct herald__plan *plan, const char *in)
{
	size_t start = (size_t)(at - writer->out->data);
	const struct herald__field *field = plan->fields, *end = field + plan->fields_count;

	if (!enter(writer))
		return NULL;
	for (; field < end; field++) {
		if (!is_left_out(field, in)) {
			at = put_token(writer, at, field);
			if (at)
				at = encode_member(writer, at, field, in + field->offset);
		} else if (is_lost(field, in)) {
			at = fail_lost(writer, field);
		}
		if (!at) {
			herald__trace_key(&writer->trace, field->name, field->name_bytes);
			return NULL;
		}
	}
	writer->depth--;
	if ((size_t)(at - writer->out->data) == start)
		return put(writer, at, "{}", 2);
	/* Replace the comma of the first member. */
	writer->out->data[start] = '{';
	return put_byte(writer, at, '}');
}

enum herald_status
herald_codec_encode(const struct herald_codec *codec, const void *in, struct herald_buffer *out,
		    struct herald_error *error)
{
	struct writer writer;
	size_t before = out->bytes;
	char *at;

	/* Set the members one by one: an initialiser would also clear the error struct, which is
	 * large and needed only after an error. */
	writer.out = out;
	writer.limits = &codec->limits;
	writer.depth = 0;
	if ((at = open_buffer(&writer)))
		at = codec->root ? encode_object(&writer, at, codec->root, in)
				 : encode_json(&writer, at, NULL, in);
	if (at) {
		flush(&writer, at);
		return HERALD_OK;
	}
	out->bytes = before;
	return herald__trace_finish(&writer.trace, "", error);
}
