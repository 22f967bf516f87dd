/*
 * Prepares schemas: creates and destroys codecs. The decoder and the encoder trust the plans,
 * because schema_check.c and schema_coverage.c have checked the schemas. plan_field.c prepares each
 * line. Does not read or write JSON.
 */
#include "codec/plan.h"

#include <assert.h>
#include <fenv.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>

#include "base/safe_text.h"
#include "base/words.h"
#include "codec/cases.h"
#include "codec/plan_field.h"
#include "codec/schema_check.h"
#include "codec/schema_coverage.h"
#include "json/reader/limits.h"

/* How deep flat structs may be in each other. */
#define MAX_FLAT 32

/* A line of a schema, or of a flat struct in it, which begins at `shift`. */
struct line {
	const struct herald_field *field;
	size_t shift;
};

/* The lines of a plan: all that count always, and the lines of the case of `pick`, if any. */
struct lines {
	struct line *items;
	size_t count;
	const struct herald__cases *cases; /* NULL: no line has a tag */
	const struct herald_field *pick;
};

/* Append the lines of a schema that count, and in place of flat structs their lines. */
static void
collect_lines(struct lines *lines, const struct herald_schema *schema, size_t shift)
{
	const struct herald__cases *cases = lines->cases;

	for (size_t i = 0; i < schema->fields_count; i++) {
		const struct herald_field *field = &schema->fields[i];

		if (!herald__kind_is_in_json(field->kind) ||
		    (field->tag && (!cases || !lines->pick ||
				    !herald__is_same_case(cases->line, field, lines->pick))))
			continue;
		if (field->flat)
			collect_lines(lines, field->schema, shift + field->offset);
		else
			lines->items[lines->count++] = (struct line){
				cases && field == cases->line ? &cases->tag : field, shift};
	}
}

/* The number of lines in JSON, of all cases, and of flat structs. */
static size_t
count_lines(const struct herald_schema *schema)
{
	size_t count = 0;

	for (size_t i = 0; i < schema->fields_count; i++) {
		const struct herald_field *field = &schema->fields[i];

		if (field->flat)
			count += count_lines(field->schema);
		else
			count += herald__kind_is_in_json(field->kind);
	}
	return count;
}

/* The number of checks of a schema, and of the flat structs in it. */
static size_t
count_checks(const struct herald_schema *schema)
{
	size_t count = schema->check ? 1 : 0;

	for (size_t i = 0; i < schema->fields_count; i++)
		if (schema->fields[i].flat)
			count += count_checks(schema->fields[i].schema);
	return count;
}

/* Append the checks of a schema that begins at `shift`, and of the flat structs in it. */
static void
add_checks(struct herald__plan *plan, const struct herald_schema *schema, size_t shift)
{
	for (size_t i = 0; i < schema->fields_count; i++) {
		const struct herald_field *field = &schema->fields[i];

		if (field->flat && !field->tag)
			add_checks(plan, field->schema, shift + field->offset);
	}
	if (schema->check)
		plan->checks[plan->checks_count++] = (struct herald__checked){schema, shift};
}

/* Set the checks of a plan. A case has the checks of its flat structs only; the plan that has
 * chosen it has the others. */
static void
set_checks(struct herald__plan *plan, const struct lines *lines, bool is_case)
{
	const struct herald_schema *schema = plan->schema;

	if (!is_case)
		add_checks(plan, schema, 0);
	for (size_t i = 0; is_case && lines->pick && i < schema->fields_count; i++) {
		const struct herald_field *field = &schema->fields[i];

		if (field->flat && field->tag &&
		    herald__is_same_case(lines->cases->line, field, lines->pick))
			add_checks(plan, field->schema, field->offset);
	}
	if (plan->checks_count > 0)
		plan->special |= HERALD__CHECKED;
}

/* Returns whether the key's first slot was taken. */
static bool
insert_key(struct herald__plan *plan, const struct herald__field *field)
{
	struct herald__key key = herald__key_words(field->name, field->name_bytes);
	size_t first = herald__plan_slot(plan, key), at = first;

	while (plan->slots[at].field) {
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

/* Try multipliers until there are no collisions, or up to 64 times. */
static void
fill_slots(struct herald__plan *plan)
{
	bool taken = true;

	for (unsigned tries = 0; taken && tries < 64; tries++) {
		/* Odd multiples of the golden ratio, whose bits look random. */
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
		    slot->field && (slot->near || memcmp(slot->field->name, text, bytes) == 0))
			return slot->field;
		if (!slot->more)
			return NULL;
	}
}

/*
 * Write a member's name as the encoder writes it and most senders do: in quotes, escaped if
 * necessary, with its colon. Returns the length. If `out` is NULL, writes nothing.
 */
static size_t
write_token(const char *name, char *out)
{
	size_t left = strlen(name), bytes = 2;
	struct herald__json_piece piece;

	for (; left > 0; left -= piece.taken, name += piece.taken) {
		herald__json_text_next(name, left, &piece);
		if (out)
			memcpy(out + bytes, piece.data, piece.bytes);
		bytes += piece.bytes;
	}
	if (out) {
		memcpy(out, ",\"", 2);
		memcpy(out + bytes, "\":", 2);
	}
	return bytes + 2;
}

/* The sizes of a plan's arrays, which follow the struct in this order. */
struct layout {
	size_t fields_count, slots_count, words_count, tokens_bytes;
};

static struct layout
measure(const struct lines *lines)
{
	struct layout layout = {.slots_count = 4, .fields_count = lines->count};

	for (size_t i = 0; i < lines->count; i++)
		layout.tokens_bytes += write_token(herald__field_key(lines->items[i].field), NULL);
	/* At most a quarter full, so that nearly every search ends at the first slot. */
	while (layout.slots_count < 4 * layout.fields_count)
		layout.slots_count *= 2;
	layout.tokens_bytes += HERALD__TOKEN_PADDING;
	layout.words_count = (layout.fields_count + 63) / 64;
	return layout;
}

static struct herald__plan *
allocate_plan(const struct herald_schema *schema, const struct lines *lines,
	      const struct herald_allocator *allocator, char **tokens)
{
	struct layout layout = measure(lines);
	size_t fields_bytes = (layout.fields_count + 1) * sizeof(struct herald__field);
	size_t words_bytes = layout.words_count * sizeof(uint64_t);
	size_t slots_bytes = layout.slots_count * sizeof(struct herald__slot);
	size_t checks_bytes = count_checks(schema) * sizeof(struct herald__checked);
	size_t bytes = 2 * sizeof(struct herald__plan) + checks_bytes + fields_bytes + words_bytes +
		       slots_bytes + layout.tokens_bytes;
	struct herald__plan *plan = herald_memory_allocate_zeroed(allocator, 1, bytes);
	char *behind;

	if (!plan)
		return NULL;
	plan->usual = plan + 1;
	plan->checks = (struct herald__checked *)(void *)(plan + 2);
	behind = (char *)(plan + 2) + checks_bytes;
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

/* Set the words with which the decoder compares a token. */
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
	snprintf(what, sizeof(what), "duplicate key %s", shown.text);
	return herald__schema_fail(schema, field, error, what);
}

static void
set_key_offset(struct herald__plan *plan)
{
	for (size_t i = 0; i < plan->schema->fields_count; i++)
		if (plan->schema->fields[i].kind == HERALD_KIND_KEY)
			plan->key_offset = plan->schema->fields[i].offset;
}

static enum herald_status
fill_plan(struct herald__plan *plan, const struct lines *lines, char *tokens,
	  const struct herald_limits *limits, struct herald_error *error)
{
	plan->max_key_bytes = limits->max_key_bytes;
	plan->multiplier = 1;
	set_key_offset(plan);
	for (size_t i = 0; i < lines->count; i++) {
		const struct herald_field *field = lines->items[i].field;
		struct herald__field *out = &plan->fields[plan->fields_count];
		size_t bytes;

		out->name = herald__field_key(field);
		out->name_bytes = strlen(out->name);
		if (herald__plan_find(plan, out->name, out->name_bytes))
			return refuse_key(plan->schema, field, error);
		bytes = write_token(out->name, tokens);
		set_token(out, tokens + 1, bytes - 1);
		tokens += bytes;
		out->seen_word = (uint32_t)(plan->fields_count / 64);
		out->seen_bit = (uint64_t)1 << plan->fields_count % 64;
		herald__plan_field_set(out, field, lines->items[i].shift, limits);
		if (!herald__plan_field_set_range(out, field))
			return herald__schema_fail(
				plan->schema, field, error,
				"no value of the member's type is within the bounds");
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
	herald__guesses_fill(&plan->guesses, plan->fields, plan->fields_count);
	return HERALD_OK;
}

static struct herald__plan *
find_plan(const struct herald_codec *codec, const struct herald_schema *schema)
{
	for (struct herald__plan *plan = codec->plans; plan; plan = plan->next)
		if (plan->schema == schema)
			return plan;
	return NULL;
}

/* Append a plan of the lines that count: of a case, or of the schema. */
static enum herald_status
append_plan(struct herald_codec *codec, const struct herald_schema *schema, struct lines *lines,
	    bool is_case, struct herald__plan **out, struct herald_error *error)
{
	struct herald__plan **last = &codec->plans;
	enum herald_status status;
	char *tokens;

	lines->count = 0;
	collect_lines(lines, schema, 0);
	while (*last)
		last = &(*last)->next;
	*last = allocate_plan(schema, lines, &codec->allocator, &tokens);
	if (!*last)
		return herald_out_of_memory(error);
	*out = *last;
	status = fill_plan(*last, lines, tokens, &codec->limits, error);
	*(*out)->usual = **out;
	set_checks(*out, lines, is_case);
	return status;
}

/* Use a plan for the tags of its line. */
static void
set_case(struct herald__cases *cases, const struct herald_field *line,
	 const struct herald__plan *plan)
{
	if (!line->when)
		cases->other = plan;
	for (size_t i = 0; line->when && i < cases->count; i++) {
		struct herald_field item = {.when = cases->items[i].text};

		if (herald__is_same_case(cases->line, &item, line))
			cases->items[i].plan = plan;
	}
}

/* Set the plans of the tags that have no lines. */
static void
set_other_cases(struct herald__cases *cases)
{
	const struct herald_field *tag = &cases->tag;

	if (tag->kind == HERALD_KIND_ENUM ? tag->unknown.is_set : !tag->one_of)
		cases->rest = cases->other;
	for (size_t i = 0; i < cases->count; i++) {
		struct herald__case *item = &cases->items[i];

		if (!item->plan)
			item->plan = cases->other;
		if (tag->unknown.is_set && item->value == tag->unknown.value)
			cases->rest = item->plan;
	}
}

/* Append the plans of the cases. */
static enum herald_status
append_cases(struct herald_codec *codec, const struct herald_schema *schema, struct lines *lines,
	     struct herald__cases *cases, struct herald_error *error)
{
	enum herald_status status = HERALD_OK;
	struct herald__plan *plan;

	for (size_t i = 0; status == HERALD_OK && i < schema->fields_count; i++) {
		lines->pick = &schema->fields[i];
		if (!herald__is_first_of_case(schema, cases->line, lines->pick))
			continue;
		status = append_plan(codec, schema, lines, true, &plan, error);
		if (status == HERALD_OK)
			set_case(cases, lines->pick, plan);
	}
	lines->pick = NULL;
	if (status == HERALD_OK && !cases->other) {
		status = append_plan(codec, schema, lines, true, &plan, error);
		cases->other = plan;
	}
	if (status == HERALD_OK)
		set_other_cases(cases);
	return status;
}

/* Let the first plan of a schema choose one of its cases. */
static enum herald_status
add_cases(struct herald_codec *codec, struct herald__plan *plan, struct lines *lines,
	  struct herald__cases *cases, struct herald_error *error)
{
	plan->special |= HERALD__TAGGED;
	plan->cases = cases;
	plan->usual->reject_unknown = false;
	for (size_t i = 0; i < plan->fields_count; i++)
		if (plan->fields[i].field == &cases->tag)
			cases->field = &plan->fields[i];
	return append_cases(codec, plan->schema, lines, cases, error);
}

static enum herald_status
append_plans(struct herald_codec *codec, const struct herald_schema *schema, struct lines *lines,
	     struct herald_error *error)
{
	bool tagged = !!herald__tag_of(schema);
	struct herald__cases *cases = NULL;
	struct herald__plan *plan = NULL;
	enum herald_status status;

	if (tagged) {
		if (!(cases = herald__cases_create(schema, &codec->allocator)))
			return herald_out_of_memory(error);
		cases->next = codec->cases;
		lines->cases = codec->cases = cases;
	}
	status = append_plan(codec, schema, lines, false, &plan, error);
	if (status != HERALD_OK)
		return status;
	assert(plan);
	if (schema->transparent)
		plan->special |= HERALD__TRANSPARENT;
	return tagged ? add_cases(codec, plan, lines, cases, error) : HERALD_OK;
}

/* Check a schema, and the schemas of flat structs in it, whose lines become its own. */
static enum herald_status
check_schema(const struct herald_codec *codec, const struct herald_schema *schema, unsigned levels,
	     struct herald_error *error)
{
	enum herald_status status = herald__schema_check(schema, error);

	if (status == HERALD_OK)
		status = herald__schema_coverage_check(schema, &codec->allocator, error);
	for (size_t i = 0; status == HERALD_OK && i < schema->fields_count; i++) {
		const struct herald_field *field = &schema->fields[i];

		if (!field->flat)
			continue;
		if (levels == 0)
			return herald__schema_fail(schema, field, error,
						   "flat structs are nested too deeply");
		status = check_schema(codec, field->schema, levels - 1, error);
	}
	return status;
}

/* Check a schema and append its plans to the codec's plans, unless they are already there. */
static enum herald_status
add_plan(struct herald_codec *codec, const struct herald_schema *schema, struct herald_error *error)
{
	struct lines lines = {NULL, 0, NULL, NULL};
	enum herald_status status;
	size_t bytes;

	if (find_plan(codec, schema))
		return HERALD_OK;
	if ((status = check_schema(codec, schema, MAX_FLAT, error)) != HERALD_OK)
		return status;
	bytes = (count_lines(schema) + 1) * sizeof(*lines.items);
	if (!(lines.items = herald_memory_allocate(&codec->allocator, bytes)))
		return herald_out_of_memory(error);
	status = append_plans(codec, schema, &lines, error);
	herald_memory_release(&codec->allocator, lines.items, bytes);
	return status;
}

/* Whether a transparent schema is the value of itself, so that it never ends. */
static bool
is_endless(const struct herald_codec *codec, const struct herald__plan *plan)
{
	size_t left = 1;

	for (const struct herald__plan *other = codec->plans; other; other = other->next)
		left++;
	for (; plan && (plan->special & HERALD__TRANSPARENT) != 0; left--) {
		const struct herald__field *field = &plan->fields[0];

		if (left == 0)
			return true;
		plan = field->kind == HERALD__KIND_VALUE_IN || field->kind == HERALD__KIND_VALUE_AT
			       ? field->inner
			       : NULL;
	}
	return false;
}

/* Add the plans of all schemas that the root refers to. The list grows during the loop. */
static enum herald_status
add_plans(struct herald_codec *codec, const struct herald_schema *root, struct herald_error *error)
{
	enum herald_status status = add_plan(codec, root, error);

	if (status != HERALD_OK)
		return status;
	for (struct herald__plan *plan = codec->plans; plan; plan = plan->next)
		for (size_t i = 0; i < plan->fields_count; i++) {
			const struct herald_schema *inner = plan->fields[i].field->schema;

			if (!inner)
				continue;
			if ((status = add_plan(codec, inner, error)) != HERALD_OK)
				return status;
			plan->fields[i].inner = find_plan(codec, inner);
		}
	for (struct herald__plan *plan = codec->plans; plan; plan = plan->next)
		if (is_endless(codec, plan))
			return herald__schema_fail(
				plan->schema, plan->fields[0].field, error,
				"the schema is transparent, and its value itself");
	for (size_t i = 0; i < root->fields_count; i++)
		if (root->fields[i].kind == HERALD_KIND_KEY)
			return herald__schema_fail(root, &root->fields[i], error,
						   "a schema with a HERALD_KEY is for HERALD_MAP "
						   "only");
	codec->root = codec->plans;
	return HERALD_OK;
}

enum herald_status
herald_codec_create(const struct herald_schema *schema, const struct herald_limits *limits,
		    const struct herald_allocator *allocator, struct herald_codec **out,
		    struct herald_error *error)
{
	struct herald_allocator use = herald_allocator_or_libc(allocator);
	struct herald_codec *codec = herald_memory_allocate_zeroed(&use, 1, sizeof(*codec));
	enum herald_status status;

	if (!codec)
		return herald_out_of_memory(error);
	codec->allocator = use;
	status = herald__limits_fill(limits, &codec->limits, error);
	if (status == HERALD_OK && schema != &herald_json_schema) {
		int rounding = fegetround();

		/* For rounding the bounds of floating-point fields. */
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

	if (!codec)
		return;
	allocator = codec->allocator;
	while (codec->cases) {
		struct herald__cases *cases = codec->cases;

		codec->cases = cases->next;
		herald_memory_release(&allocator, cases, cases->allocated_bytes);
	}
	while (codec->plans) {
		struct herald__plan *plan = codec->plans;

		codec->plans = plan->next;
		herald_memory_release(&allocator, plan, plan->allocated_bytes);
	}
	herald_memory_release(&allocator, codec, sizeof(*codec));
}

static void
relax_plan(struct herald__plan *plan, size_t offset)
{
	for (size_t i = 0; i < plan->fields_count; i++) {
		struct herald__field *field = &plan->fields[i];

		if (field->kind != HERALD_KIND_STRING || field->offset != offset)
			continue;
		plan->required[field->seen_word] &= ~field->seen_bit;
		field->flags &= (uint8_t)~HERALD__REQUIRED;
		field->min_bytes = 0;
	}
}

void
herald__codec_relax(struct herald_codec *codec, size_t offset)
{
	/* Of a schema with a tag, there is a plan for each case. */
	for (struct herald__plan *plan = codec->plans; plan; plan = plan->next)
		if (plan->schema == codec->plans->schema)
			relax_plan(plan, offset);
}
