/*
 * Schemas prepared: creates and destroys codecs, whose plans the decoder and
 * the encoder trust, because schema.c has checked what they were made from.
 * Does not read or write JSON.
 */
#include "codec.h"

#include <fenv.h>
#include <float.h>
#include <stdio.h>
#include <string.h>

#include "../memory.h"
#include "check.h"
#include "key.h"
#include "scan.h"
#include "schema.h"
#include "text.h"

#define DEFAULT_DEPTH 64
#define DEFAULT_LIST_COUNT 65536
#define DEFAULT_KEY_BYTES 1024

const struct herald_schema herald_json_schema = {
	.name = "herald_json",
	.bytes = sizeof(struct herald_json),
	.alignment = _Alignof(struct herald_json),
	.doc = "Any JSON value, as it is.",
};

/* A bound without its fraction; only for values that a 64-bit integer holds. */
static long double
whole(long double value)
{
	return value < 0 ? (long double)(int64_t)value : (long double)(uint64_t)value;
}

/*
 * The range of an integer kind, cut to the bounds, of which a fraction counts inwards. Returns false
 * when no value is left.
 */
static bool
set_integer_range(struct herald__field *out, const struct herald_field *field, size_t bytes)
{
	int64_t greatest = INT64_MAX >> (64 - 8 * bytes), least = -greatest - 1;
	const struct herald_bound *lower = &field->lower_bound, *upper = &field->upper_bound;
	long double min = lower->value, max = upper->value;

	out->range.integer.min = least;
	out->range.integer.max = greatest;
	if ((lower->is_set && min > (long double)greatest) ||
	    (upper->is_set && max < (long double)least))
		return false;
	if (lower->is_set && min > (long double)least)
		out->range.integer.min = (int64_t)min + (whole(min) < min);
	if (upper->is_set && max < (long double)greatest)
		out->range.integer.max = (int64_t)max - (whole(max) > max);
	return out->range.integer.min <= out->range.integer.max;
}

static bool
set_natural_range(struct herald__field *out, const struct herald_field *field, size_t bytes)
{
	uint64_t greatest = UINT64_MAX >> (64 - 8 * bytes);
	const struct herald_bound *lower = &field->lower_bound, *upper = &field->upper_bound;
	long double min = lower->value, max = upper->value;

	out->range.natural.min = 0;
	out->range.natural.max = greatest;
	if ((lower->is_set && min > (long double)greatest) || (upper->is_set && max < 0))
		return false;
	if (lower->is_set && min > 0)
		out->range.natural.min = (uint64_t)min + (whole(min) < min);
	if (upper->is_set && max < (long double)greatest)
		out->range.natural.max = (uint64_t)max;
	return out->range.natural.min <= out->range.natural.max;
}

/* The bounds of a float are rounded as its values are, so that "at most 0.1"
 * takes 0.1. */
static bool
set_real_range(struct herald__field *out, const struct herald_field *field, bool single)
{
	const struct herald_bound *lower = &field->lower_bound, *upper = &field->upper_bound;
	double min = lower->is_set ? (double)lower->value : -DBL_MAX;
	double max = upper->is_set ? (double)upper->value : DBL_MAX;

	out->range.real.min = single && lower->is_set ? (double)(float)min : min;
	out->range.real.max = single && upper->is_set ? (double)(float)max : max;
	if (lower->is_set || upper->is_set)
		out->flags |= HERALD__BOUNDED;
	return out->range.real.min <= (single ? (double)FLT_MAX : DBL_MAX) &&
	       out->range.real.max >= (single ? (double)-FLT_MAX : -DBL_MAX);
}

/* Returns false when the bounds leave no value of the kind. */
static bool
set_range(struct herald__field *out, const struct herald_field *field)
{
	enum herald_kind kind = herald__value_kind(field);
	size_t bytes = herald__kind_bytes(kind);

	if (kind >= HERALD_KIND_INT8 && kind <= HERALD_KIND_INT64)
		return set_integer_range(out, field, bytes);
	if (herald__kind_is_unsigned(kind))
		return set_natural_range(out, field, bytes);
	if (kind == HERALD_KIND_FLOAT || kind == HERALD_KIND_DOUBLE)
		return set_real_range(out, field, kind == HERALD_KIND_FLOAT);
	return true;
}

static bool
allows_empty(const struct herald_field *field)
{
	if (field->min_bytes > 0)
		return false;
	if (field->one_of == NULL)
		return true;
	for (const char *const *value = field->one_of; *value != NULL; value++)
		if (**value == '\0')
			return true;
	return false;
}

static bool
has_name_for_zero(const struct herald_field *field)
{
	for (size_t i = 0; i < field->names_count; i++)
		if (field->names[i].value == 0)
			return true;
	return false;
}

/*
 * Whether a member may be zero: whether that can be written, and then be read. Structs are looked into
 * `levels` deep: one that a schema puts into itself has no end.
 */
static bool
may_be_zero(const struct herald_field *field, unsigned levels)
{
	switch (field->kind) {
	case HERALD_KIND_BOOL:
	case HERALD_KIND_TIME:
		return true;
	case HERALD_KIND_CHARS:
		return allows_empty(field);
	case HERALD_KIND_ENUM:
		return has_name_for_zero(field);
	case HERALD_KIND_STRUCT:
		for (size_t i = 0; levels > 0 && i < field->schema->fields_count; i++)
			if (field->schema->fields[i].required &&
			    !may_be_zero(&field->schema->fields[i], levels - 1))
				return false;
		return true;
	default:
		if (herald__kind_is_pointer(field->kind))
			return false;
		return (!field->lower_bound.is_set || field->lower_bound.value <= 0) &&
		       (!field->upper_bound.is_set || field->upper_bound.value >= 0);
	}
}

/* Whether encoding may leave a member out; or has to fail, as it is required. */
static bool
may_lack(const struct herald_field *field)
{
	if (field->optional)
		return true;
	if (may_be_zero(field, 32))
		return false;
	/* A required value is written, and refused for what it is; a required NULL is not there. */
	return !field->required || field->kind == HERALD_KIND_ENUM ||
	       herald__kind_is_pointer(field->kind);
}

static void
set_field(struct herald__field *out, const struct herald_field *field,
	  const struct herald_limits *limits)
{
	size_t max_count = limits->max_list_count;

	out->kind = (uint8_t)field->kind;
	out->element = (uint8_t)field->element;
	out->flags =
		(uint8_t)((field->required ? HERALD__REQUIRED : 0) |
			  (field->optional ? HERALD__OPTIONAL : 0) |
			  (field->min_bytes != 0 || field->max_bytes != 0 ? HERALD__LENGTH : 0) |
			  (field->one_of != NULL ? HERALD__ONE_OF : 0) |
			  (may_lack(field) ? HERALD__MAY_LACK : 0));
	out->offset = field->offset;
	out->has_offset = field->has_offset;
	out->count_offset = field->count_offset;
	out->min_bytes = field->min_bytes;
	out->max_bytes = field->max_bytes != 0 ? field->max_bytes : SIZE_MAX;
	out->min_count = field->min_count;
	out->max_count = field->max_count != 0 && field->max_count < max_count ? field->max_count
									       : max_count;
	out->plain_max_bytes = out->max_bytes < limits->max_string_bytes ? out->max_bytes
									 : limits->max_string_bytes;
	if (field->kind == HERALD_KIND_STRING && field->one_of == NULL && !field->optional)
		out->flags |= HERALD__PLAIN;
	out->field = field;
}

/* Returns whether the key found its place taken. */
static bool
insert_key(struct herald__plan *plan, const struct herald__field *field)
{
	struct herald__key key = herald__key_words(field->name, field->name_bytes);
	size_t first = herald__plan_slot(plan, key), at = first;

	while (plan->slots[at].field != NULL) {
		plan->slots[at].more = true;
		at = (at + 1) % plan->slots_count;
	}
	plan->slots[at].first = key.first;
	plan->slots[at].last = key.last;
	plan->slots[at].bytes = (uint32_t)key.bytes;
	plan->slots[at].near = key.bytes <= 16;
	plan->slots[at].field = field;
	return at != first;
}

/* Try multipliers until no two keys meet, or enough of them. */
static void
fill_slots(struct herald__plan *plan)
{
	bool taken = true;

	for (unsigned tries = 0; taken && tries < 64; tries++) {
		/* Odd, by the golden ratio: its bits look random. */
		plan->multiplier = UINT64_C(0x9E3779B97F4A7C15) * (2 * tries + 1);
		memset(plan->slots, 0, plan->slots_count * sizeof(*plan->slots));
		taken = false;
		for (size_t i = 0; i < plan->fields_count; i++)
			taken |= insert_key(plan, &plan->fields[i]);
	}
}

const struct herald__field *
herald__plan_find(const struct herald__plan *plan, const char *text, size_t bytes)
{
	struct herald__key key = herald__key_words(text, bytes);
	size_t at = herald__plan_slot(plan, key);

	for (;; at = (at + 1) % plan->slots_count) {
		const struct herald__slot *slot = &plan->slots[at];

		if (slot->first == key.first && slot->last == key.last && slot->bytes == bytes &&
		    slot->field != NULL &&
		    (slot->near || memcmp(slot->field->name, text, bytes) == 0))
			return slot->field;
		if (!slot->more)
			return NULL;
	}
}

/*
 * A member's name as the encoder writes it and most senders do: in quotes,
 * escaped where it must be, with its colon. Returns the length; writes nothing
 * when `out` is NULL.
 */
static size_t
write_token(const char *name, char *out)
{
	size_t left = strlen(name), bytes = 2;
	struct herald__json_piece piece;

	for (; left > 0; left -= piece.taken, name += piece.taken) {
		herald__json_text_next(name, left, &piece);
		if (out != NULL)
			memcpy(out + bytes, piece.data, piece.bytes);
		bytes += piece.bytes;
	}
	if (out != NULL) {
		memcpy(out, ",\"", 2);
		memcpy(out + bytes, "\":", 2);
	}
	return bytes + 2;
}

/* The sizes of a plan's arrays; they stand behind the struct in this order. */
struct layout {
	size_t fields_count, slots_count, words_count, tokens_bytes;
};

static struct layout
measure(const struct herald_schema *schema)
{
	struct layout layout = {.slots_count = 4};

	for (size_t i = 0; i < schema->fields_count; i++)
		if (schema->fields[i].kind != HERALD_KIND_NONE) {
			layout.fields_count++;
			layout.tokens_bytes +=
				write_token(herald__field_key(&schema->fields[i]), NULL);
		}
	/* At most a quarter full, so that nearly every search ends at its first place. */
	while (layout.slots_count < 4 * layout.fields_count)
		layout.slots_count *= 2;
	layout.tokens_bytes += HERALD__TOKEN_PADDING;
	layout.words_count = (layout.fields_count + 63) / 64;
	return layout;
}

static struct herald__plan *
allocate_plan(const struct herald_schema *schema, const struct herald_allocator *allocator,
	      char **tokens)
{
	struct layout layout = measure(schema);
	size_t fields_bytes = (layout.fields_count + 1) * sizeof(struct herald__field);
	size_t words_bytes = layout.words_count * sizeof(uint64_t);
	size_t slots_bytes = layout.slots_count * sizeof(struct herald__slot);
	size_t bytes = sizeof(struct herald__plan) + fields_bytes + words_bytes + slots_bytes +
		       layout.tokens_bytes;
	struct herald__plan *plan = herald__allocate_zeroed(allocator, 1, bytes);
	char *behind;

	if (plan == NULL)
		return NULL;
	behind = (char *)(plan + 1);
	plan->schema = schema;
	plan->allocated_bytes = bytes;
	plan->element_bytes = schema->bytes;
	plan->reject_unknown = schema->reject_unknown;
	plan->fields = (struct herald__field *)(void *)behind;
	plan->required = (uint64_t *)(void *)(behind += fields_bytes);
	plan->words_count = layout.words_count;
	plan->slots = (struct herald__slot *)(void *)(behind += words_bytes);
	plan->slots_count = layout.slots_count;
	plan->slots_shift = 64 - (unsigned)__builtin_ctzll(layout.slots_count);
	*tokens = behind + slots_bytes;
	return plan;
}

/* The words that the decoder compares a token by. */
static void
set_token(struct herald__field *out, const char *token, size_t bytes)
{
	char first[8] = {0}, mask[8] = {0}, last[8] = {0};

	out->token = token;
	out->token_bytes = bytes;
	memcpy(first, token, bytes < 8 ? bytes : 8);
	memset(mask, 0xFF, bytes < 8 ? bytes : 8);
	if (bytes > 8)
		memcpy(last, token + bytes - 8, 8);
	out->token_first = herald__load64(first);
	out->token_mask = herald__load64(mask);
	out->token_last = herald__load64(last);
}

static enum herald_status
refuse_key(const struct herald_schema *schema, const struct herald_field *field,
	   struct herald_error *error)
{
	const char *key = herald__field_key(field);
	struct herald__shown shown;
	char what[sizeof(shown.text) + 32];

	herald__show_string(&shown, key, strlen(key));
	snprintf(what, sizeof(what), "the key %s is another member's too", shown.text);
	return herald__schema_fail(schema, field, error, what);
}

static enum herald_status
fill_plan(struct herald__plan *plan, char *tokens, const struct herald_limits *limits,
	  struct herald_error *error)
{
	plan->near_key_bytes = limits->max_key_bytes < 16 ? limits->max_key_bytes : 16;
	plan->multiplier = 1;
	for (size_t i = 0; i < plan->schema->fields_count; i++) {
		const struct herald_field *field = &plan->schema->fields[i];
		struct herald__field *out = &plan->fields[plan->fields_count];
		size_t bytes;

		if (field->kind == HERALD_KIND_NONE)
			continue;
		out->name = herald__field_key(field);
		out->name_bytes = strlen(out->name);
		if (herald__plan_find(plan, out->name, out->name_bytes) != NULL)
			return refuse_key(plan->schema, field, error);
		bytes = write_token(out->name, tokens);
		set_token(out, tokens + 1, bytes - 1);
		tokens += bytes;
		out->seen_word = (uint32_t)(plan->fields_count / 64);
		out->seen_bit = (uint64_t)1 << plan->fields_count % 64;
		set_field(out, field, limits);
		if (!set_range(out, field))
			return herald__schema_fail(
				plan->schema, field, error,
				"the bounds leave no value of the member's type");
		if (bytes - 4 > limits->max_key_bytes)
			return herald__schema_fail(plan->schema, field, error,
						   "the key is longer than limits.max_key_bytes");
		if (field->required)
			plan->required[out->seen_word] |= out->seen_bit;
		insert_key(plan, out);
		plan->fields_count++;
	}
	plan->fields[plan->fields_count].token_bytes = SIZE_MAX;
	fill_slots(plan);
	return HERALD_OK;
}

static struct herald__plan *
find_plan(const struct herald_codec *codec, const struct herald_schema *schema)
{
	for (struct herald__plan *plan = codec->plans; plan != NULL; plan = plan->next)
		if (plan->schema == schema)
			return plan;
	return NULL;
}

/* Check a schema and add its plan at the end of the codec's, unless it is there
 * already. */
static enum herald_status
add_plan(struct herald_codec *codec, const struct herald_schema *schema, struct herald_error *error)
{
	struct herald__plan **last = &codec->plans;
	enum herald_status status;
	char *tokens;

	if (find_plan(codec, schema) != NULL)
		return HERALD_OK;
	if ((status = herald__schema_check(schema, &codec->allocator, error)) != HERALD_OK)
		return status;
	while (*last != NULL)
		last = &(*last)->next;
	*last = allocate_plan(schema, &codec->allocator, &tokens);
	if (*last == NULL)
		return herald_error_set(error, HERALD_NO_MEMORY, HERALD_NO_OFFSET, "out of memory");
	return fill_plan(*last, tokens, &codec->limits, error);
}

/* Plans of all schemas that the root leads to. The list grows while it is
 * walked. */
static enum herald_status
add_plans(struct herald_codec *codec, const struct herald_schema *root, struct herald_error *error)
{
	enum herald_status status = add_plan(codec, root, error);

	if (status != HERALD_OK)
		return status;
	for (struct herald__plan *plan = codec->plans; plan != NULL; plan = plan->next)
		for (size_t i = 0; i < plan->fields_count; i++) {
			const struct herald_schema *inner = plan->fields[i].field->schema;

			if (inner == NULL)
				continue;
			if ((status = add_plan(codec, inner, error)) != HERALD_OK)
				return status;
			plan->fields[i].inner = find_plan(codec, inner);
		}
	codec->root = codec->plans;
	return HERALD_OK;
}

static enum herald_status
set_limits(struct herald_codec *codec, const struct herald_limits *limits,
	   struct herald_error *error)
{
	struct herald_limits *out = &codec->limits;

	if (limits != NULL)
		*out = *limits;
	if (out->max_depth == 0)
		out->max_depth = DEFAULT_DEPTH;
	if (out->max_list_count == 0)
		out->max_list_count = DEFAULT_LIST_COUNT;
	if (out->max_key_bytes == 0)
		out->max_key_bytes = DEFAULT_KEY_BYTES;
	if (out->max_string_bytes == 0)
		out->max_string_bytes = SIZE_MAX;
	if (out->max_depth <= HERALD__MAX_DEPTH)
		return HERALD_OK;
	return herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET,
				"max_depth is %zu, but at most %d", out->max_depth,
				HERALD__MAX_DEPTH);
}

enum herald_status
herald_codec_create(const struct herald_schema *schema, const struct herald_limits *limits,
		    const struct herald_allocator *allocator, struct herald_codec **out,
		    struct herald_error *error)
{
	struct herald_allocator use = herald__allocator_or_libc(allocator);
	struct herald_codec *codec = herald__allocate_zeroed(&use, 1, sizeof(*codec));
	enum herald_status status;

	if (codec == NULL)
		return herald_error_set(error, HERALD_NO_MEMORY, HERALD_NO_OFFSET, "out of memory");
	codec->allocator = use;
	status = set_limits(codec, limits, error);
	if (status == HERALD_OK && schema != &herald_json_schema) {
		int rounding = fegetround();

		/* The bounds of reals are rounded. */
		fesetround(FE_TONEAREST);
		status = add_plans(codec, schema, error);
		fesetround(rounding);
	}
	if (status != HERALD_OK) {
		herald_codec_destroy(codec);
		return status;
	}
	*out = codec;
	return HERALD_OK;
}

void
herald_codec_destroy(struct herald_codec *codec)
{
	struct herald_allocator allocator;

	if (codec == NULL)
		return;
	allocator = codec->allocator;
	while (codec->plans != NULL) {
		struct herald__plan *plan = codec->plans;

		codec->plans = plan->next;
		herald__release(&allocator, plan, plan->allocated_bytes);
	}
	herald__release(&allocator, codec, sizeof(*codec));
}

void
herald__codec_defer(struct herald_codec *codec, size_t offset)
{
	struct herald__plan *root = codec->plans;

	for (size_t i = 0; i < root->fields_count; i++)
		if (root->fields[i].kind == HERALD_KIND_JSON && root->fields[i].offset == offset)
			root->fields[i].flags |= HERALD__DEFERRED;
}

void
herald__codec_relax(struct herald_codec *codec, size_t offset)
{
	struct herald__plan *root = codec->plans;

	for (size_t i = 0; i < root->fields_count; i++) {
		struct herald__field *field = &root->fields[i];

		if (field->kind != HERALD_KIND_STRING || field->offset != offset)
			continue;
		root->required[field->seen_word] &= ~field->seen_bit;
		field->flags &= (uint8_t)~HERALD__REQUIRED;
		field->min_bytes = 0;
	}
}
