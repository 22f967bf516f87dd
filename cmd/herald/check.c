/*
 * Applies schemas to values: the order of the keywords, what was evaluated, the first failure, and
 * the limits of steps and depth. check_*.c knows what each keyword means.
 */
#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/text.h>
#include <herald/array.h>

/* In the order of evaluation: keywords that depend on what others have evaluated are last. */
static const struct {
	const char *name;
	unsigned drafts;
	check_keyword *check;
} keywords[] = {
	{"$ref", SCHEMA_ALL, check_ref},
	{"$dynamicRef", SCHEMA_2020_12, check_dynamic_ref},
	{"type", SCHEMA_ALL, check_type},
	{"enum", SCHEMA_ALL, check_enum},
	{"const", SCHEMA_ALL, check_const},
	{"multipleOf", SCHEMA_ALL, check_multiple_of},
	{"minimum", SCHEMA_ALL, check_minimum},
	{"maximum", SCHEMA_ALL, check_maximum},
	{"exclusiveMinimum", SCHEMA_ALL, check_exclusive_minimum},
	{"exclusiveMaximum", SCHEMA_ALL, check_exclusive_maximum},
	{"minLength", SCHEMA_ALL, check_min_length},
	{"maxLength", SCHEMA_ALL, check_max_length},
	{"pattern", SCHEMA_ALL, check_pattern},
	{"format", SCHEMA_ALL, check_format},
	{"required", SCHEMA_ALL, check_required},
	{"minProperties", SCHEMA_ALL, check_min_properties},
	{"maxProperties", SCHEMA_ALL, check_max_properties},
	{"dependentRequired", SCHEMA_2020_12, check_dependent_required},
	{"dependencies", SCHEMA_DRAFT_7, check_dependencies},
	{"minItems", SCHEMA_ALL, check_min_items},
	{"maxItems", SCHEMA_ALL, check_max_items},
	{"uniqueItems", SCHEMA_ALL, check_unique_items},
	{"propertyNames", SCHEMA_ALL, check_property_names},
	{"properties", SCHEMA_ALL, check_properties},
	{"patternProperties", SCHEMA_ALL, check_pattern_properties},
	{"additionalProperties", SCHEMA_ALL, check_additional_properties},
	{"prefixItems", SCHEMA_2020_12, check_prefix_items},
	{"items", SCHEMA_ALL, check_items},
	{"additionalItems", SCHEMA_DRAFT_7, check_additional_items},
	{"contains", SCHEMA_ALL, check_contains},
	{"allOf", SCHEMA_ALL, check_all_of},
	{"anyOf", SCHEMA_ALL, check_any_of},
	{"oneOf", SCHEMA_ALL, check_one_of},
	{"not", SCHEMA_ALL, check_not},
	{"if", SCHEMA_ALL, check_if},
	{"dependentSchemas", SCHEMA_2020_12, check_dependent_schemas},
	{"unevaluatedProperties", SCHEMA_2020_12, check_unevaluated_properties},
	{"unevaluatedItems", SCHEMA_2020_12, check_unevaluated_items},
};

/* The bytes of a value that a message shows. */
#define SHOWN_BYTES 60

/* Bytes that are compared, copied or counted in one step. */
#define STEP_BYTES 64

/* Whether a value is inside another one, or is it. */
static bool
contains(const struct json_tree *outer, const struct json_tree *value)
{
	return value->json.data >= outer->json.data &&
	       value->json.data < outer->json.data + outer->json.bytes;
}

const char *
check_path(struct herald_arena *arena, const struct json_tree *document,
	   const struct json_tree *value)
{
	const char *path = "";

	while (document->json.data != value->json.data) {
		bool is_object = document->type == HERALD_JSON_OBJECT;
		size_t i = 0;

		while (i + 1 < document->count &&
		       !contains(is_object ? &document->members[i].value : &document->items[i],
				 value))
			i++;
		path = is_object ? json_pointer_add(arena, path, document->members[i].name)
				 : memory_print(arena, "%s/%zu", path, i);
		document = is_object ? &document->members[i].value : &document->items[i];
	}
	return path;
}

bool
check_spend(const struct check_call *call, uint64_t steps)
{
	struct checker *checker = call->checker;

	if (checker->stopped)
		return false;
	checker->steps += steps;
	if (checker->steps > checker->max_steps)
		checker->stopped = "the check takes too many steps";
	return !checker->stopped;
}

bool
check_equal(const struct check_call *call, const struct json_tree *a, const struct json_tree *b)
{
	size_t bytes = a->json.bytes < b->json.bytes ? a->json.bytes : b->json.bytes;

	return check_spend(call, bytes / STEP_BYTES) && json_tree_equal(a, b);
}

bool
check_fail(const struct check_call *call, const char *format, ...)
{
	struct check_failure *failure = call->failure;
	char reason[1024];
	va_list arguments;

	if (!failure || failure->value)
		return false;
	va_start(arguments, format);
	herald_text_write_list(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	*failure = (struct check_failure){
		.value = call->value,
		.reason = memory_copy(call->checker->arena, reason, strlen(reason)),
		.depth = call->depth,
	};
	check_spend(call, strlen(reason) / STEP_BYTES);
	return false;
}

/* The bytes of a text without a character at its end that was cut. */
static size_t
whole_bytes(const char *text, size_t bytes)
{
	size_t begin = bytes;

	while (begin > 0 && ((unsigned char)text[begin - 1] & 0xC0) == 0x80)
		begin--;
	begin -= begin > 0;
	return herald_utf8_sequence_bytes(text + begin, bytes - begin) > 0 ? bytes : begin;
}

const char *
check_show(const struct check_call *call, const struct json_tree *value)
{
	size_t bytes = 0;

	if (!call->failure)
		return "";
	if (value->type == HERALD_JSON_OBJECT)
		return value->count > 0 ? "an object" : "{}";
	if (value->type == HERALD_JSON_ARRAY)
		return value->count > 0 ? "an array" : "[]";
	if (value->json.bytes <= SHOWN_BYTES)
		return memory_copy(call->checker->arena, value->json.data, value->json.bytes);
	while (bytes < SHOWN_BYTES) {
		size_t next = herald_utf8_sequence_bytes(value->json.data + bytes,
							 value->json.bytes - bytes);

		bytes += next > 0 ? next : 1;
	}
	return memory_print(call->checker->arena, "%.*s...", (int)bytes, value->json.data);
}

const char *
check_show_json(const struct check_call *call, const struct json_tree *value)
{
	const size_t most = (size_t)SHOWN_BYTES * STEP_BYTES;
	char text[SHOWN_BYTES + 4];
	bool is_string = false;
	size_t bytes = 0;

	if (!call->failure ||
	    (value->type != HERALD_JSON_OBJECT && value->type != HERALD_JSON_ARRAY))
		return check_show(call, value);
	for (size_t i = 0; i < value->json.bytes; i++) {
		char c = value->json.data[i];

		if (i < most && !is_string && strchr(" \t\r\n", c))
			continue;
		if (bytes == SHOWN_BYTES || i >= most)
			return memory_print(call->checker->arena, "%.*s...",
					    (int)whole_bytes(text, bytes), text);
		text[bytes++] = c;
		/* An escape is two bytes, or a 'u' and digits, which end no string. */
		if (is_string && c == '\\' && bytes < SHOWN_BYTES && ++i < value->json.bytes)
			text[bytes++] = value->json.data[i];
		else
			is_string ^= c == '"';
	}
	return memory_copy(call->checker->arena, text, bytes);
}

/* Whether the check must end: too many steps, or too deep. Keywords look at all of a string or a
 * number, and at all members. */
static bool
is_stopped(const struct check_call *call)
{
	struct checker *checker = call->checker;
	const struct json_tree *value = call->value;
	bool is_single = value->type != HERALD_JSON_OBJECT && value->type != HERALD_JSON_ARRAY;

	if (!check_spend(call, 1 + (is_single ? value->json.bytes / STEP_BYTES : value->count / 8)))
		return true;
	if (call->scope->depth > CHECK_MAX_DEPTH)
		checker->stopped = "schemas refer to each other without end";
	return checker->stopped;
}

static bool
apply_keywords(const struct check_call *call, const struct schema_place *place)
{
	if (place->resource->draft == SCHEMA_DRAFT_7) {
		const struct json_tree *ref = json_tree_get(call->schema, "$ref");

		if (ref)
			return check_ref(call, ref);
	}
	for (size_t i = 0; i < HERALD_COUNT(keywords); i++) {
		if (!(keywords[i].drafts & place->resource->draft))
			continue;
		const struct json_tree *keyword = json_tree_get(call->schema, keywords[i].name);
		if (keyword && !keywords[i].check(call, keyword))
			return false;
	}
	return true;
}

/* Apply call->schema. What it evaluates is added to call->seen if it is valid. */
static bool
apply(const struct check_call *call)
{
	const struct schema_place *place = schema_place_of(call->schema);
	size_t count = call->value->count;

	if (is_stopped(call))
		return false;
	if (!place)
		return !json_tree_is_false(call->schema) ||
		       check_fail(call, "expected nothing here, found %s",
				  check_show(call, call->value));
	const struct check_scope scope = {call->scope, place->resource, call->scope->depth + 1};
	struct check_call inner = *call;
	inner.scope = &scope;
	inner.seen = call->checker->files->has_unevaluated
			     ? memory_take_array(call->checker->arena, count, sizeof(bool))
			     : NULL;
	if (!apply_keywords(&inner, place))
		return false;
	for (size_t i = 0; call->seen && inner.seen && i < count; i++)
		call->seen[i] |= inner.seen[i];
	return true;
}

bool
check_document(struct checker *checker, const struct json_tree *schema,
	       const struct json_tree *document, struct check_failure *out)
{
	const struct check_scope scope = {0};
	const struct check_call call = {checker, schema, document, 0, &scope, NULL, out};

	*out = (struct check_failure){0};
	checker->steps = 0;
	checker->stopped = NULL;
	return apply(&call) && !checker->stopped;
}

bool
check_same_quietly(const struct check_call *call, const struct json_tree *schema,
		   struct check_failure *failure)
{
	struct check_call inner = *call;

	inner.schema = schema;
	inner.failure = failure;
	return apply(&inner);
}

bool
check_same(const struct check_call *call, const struct json_tree *schema)
{
	return check_same_quietly(call, schema, call->failure);
}

static bool
check_child(const struct check_call *call, const struct json_tree *schema,
	    const struct json_tree *value, size_t index, struct check_failure *failure)
{
	if (call->seen)
		call->seen[index] = true;
	return apply(&(struct check_call){call->checker, schema, value, call->depth + 1,
					  call->scope, NULL, failure});
}

bool
check_member(const struct check_call *call, const struct json_tree *schema, size_t index)
{
	return check_child(call, schema, &call->value->members[index].value, index, call->failure);
}

bool
check_item(const struct check_call *call, const struct json_tree *schema, size_t index)
{
	return check_child(call, schema, &call->value->items[index], index, call->failure);
}

bool
check_item_quietly(const struct check_call *call, const struct json_tree *schema, size_t index)
{
	struct check_call inner = *call;

	inner.seen = NULL;
	return check_child(&inner, schema, &call->value->items[index], index, NULL);
}

/* A compiled pattern, which is kept. */
struct known_pattern {
	const char *text;
	const struct pattern *pattern;
};

static const struct pattern *
find_pattern(struct checker *checker, const struct herald_text *text)
{
	struct memory_list *list =
		&checker->patterns[((uintptr_t)text->data >> 4) % HERALD_COUNT(checker->patterns)];
	const char *reason;

	for (size_t i = 0; i < list->count; i++) {
		const struct known_pattern *known = list->items[i];

		if (known->text == text->data)
			return known->pattern;
	}
	struct known_pattern *known = memory_take(checker->files->arena, sizeof(*known));
	*known = (struct known_pattern){text->data,
					pattern_compile(checker->files->arena, *text, &reason)};
	memory_list_add(checker->files->arena, list, known);
	return known->pattern;
}

bool
check_matches(const struct check_call *call, const struct herald_text *text,
	      struct herald_text subject)
{
	const struct pattern *pattern = find_pattern(call->checker, text);
	uint64_t steps = 0;
	enum pattern_result result =
		pattern ? pattern_match(pattern, subject, &steps) : PATTERN_FAILED;

	check_spend(call, steps);
	if (result == PATTERN_FAILED)
		call->checker->stopped = memory_print(
			call->checker->arena, "the pattern %s takes too many steps", text->data);
	return result == PATTERN_MATCHES;
}
