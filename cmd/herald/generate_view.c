/*
 * Collects what schemas say of a value: follows $ref and allOf, and resolves those anyOf and oneOf
 * that mean something simpler, such as "or null" or one of several strings.
 */
#include "generate_view.h"

#include <stdio.h>
#include <string.h>

#include <herald/array.h>

#include "decimal.h"

/* Alternatives within alternatives, and all of them for one value. */
#define MAX_DEPTH 16
#define MAX_LOOKS 1000
/* Schemas that are visited for one value. */
#define MAX_VISITED 1000

static void add_schema(struct view *view, const struct json_tree *schema, unsigned depth);
static void finish(struct view *view, unsigned depth);

static unsigned
type_of_name(const char *name)
{
	static const struct {
		const char *name;
		unsigned types;
	} types[] = {
		{"null", VIEW_NULL},       {"boolean", VIEW_BOOL},
		{"integer", VIEW_INTEGER}, {"number", VIEW_INTEGER | VIEW_NUMBER},
		{"string", VIEW_STRING},   {"array", VIEW_ARRAY},
		{"object", VIEW_OBJECT},
	};

	for (size_t i = 0; i < HERALD_COUNT(types); i++)
		if (strcmp(types[i].name, name) == 0)
			return types[i].types;
	return 0;
}

static unsigned
type_of_value(const struct json_tree *value)
{
	switch (value->type) {
	case HERALD_JSON_NULL:
		return VIEW_NULL;
	case HERALD_JSON_BOOL:
		return VIEW_BOOL;
	case HERALD_JSON_NUMBER:
		return decimal_is_whole(value->json) ? VIEW_INTEGER : VIEW_NUMBER | VIEW_INTEGER;
	case HERALD_JSON_STRING:
		return VIEW_STRING;
	case HERALD_JSON_ARRAY:
		return VIEW_ARRAY;
	default:
		return VIEW_OBJECT;
	}
}

/* Keywords that are for values of one type. */
static const struct {
	const char *name;
	unsigned types;
} hints[] = {
	{"properties", VIEW_OBJECT},
	{"additionalProperties", VIEW_OBJECT},
	{"patternProperties", VIEW_OBJECT},
	{"items", VIEW_ARRAY},
	{"prefixItems", VIEW_ARRAY},
	{"minItems", VIEW_ARRAY},
	{"pattern", VIEW_STRING},
	{"minLength", VIEW_STRING},
	{"maxLength", VIEW_STRING},
	{"contentEncoding", VIEW_STRING},
	{"multipleOf", VIEW_NUMBER | VIEW_INTEGER},
	{"minimum", VIEW_NUMBER | VIEW_INTEGER},
	{"maximum", VIEW_NUMBER | VIEW_INTEGER},
};

/* The types that one schema allows. Without "type", its other keywords tell what was meant. */
static unsigned
types_of(const struct json_tree *schema)
{
	const struct json_tree *type = json_tree_get(schema, "type");
	const struct json_tree *only = json_tree_get(schema, "const");
	const struct json_tree *values = json_tree_get(schema, "enum");
	unsigned types = 0, allowed = 0;

	if (type && type->type == HERALD_JSON_STRING)
		types = type_of_name(type->text.data);
	for (size_t i = 0; type && type->type == HERALD_JSON_ARRAY && i < type->count; i++)
		types |= type_of_name(type->items[i].text.data);
	if (only)
		allowed = type_of_value(only);
	for (size_t i = 0; !only && values && i < values->count; i++)
		allowed |= type_of_value(&values->items[i]);
	if (allowed != 0)
		return types != 0 ? types & allowed : allowed;
	for (size_t i = 0; types == 0 && i < HERALD_COUNT(hints); i++)
		if (json_tree_get(schema, hints[i].name))
			types = hints[i].types;
	return types != 0 ? types : VIEW_ANY;
}

/* How many of a schema's keywords say nothing of the value: they only refer, or describe. */
static size_t
count_silent(const struct json_tree *schema)
{
	static const char *const others[] = {
		"$ref",        "title",    "description", "default",       "examples", "$comment",
		"deprecated",  "readOnly", "writeOnly",   "$id",           "$schema",  "$defs",
		"definitions", "allOf",    "$anchor",     "$dynamicAnchor"};
	size_t count = 0;

	for (size_t i = 0; i < HERALD_COUNT(others); i++)
		count += json_tree_get(schema, others[i]) != NULL;
	return count;
}

static void
note(struct view *view, const char *text)
{
	for (size_t i = 0; i < view->notes.count; i++)
		if (strcmp(view->notes.items[i], text) == 0)
			return;
	memory_list_add(view->files->arena, &view->notes, text);
}

/* A name in a JSON Pointer, without its escapes. */
static const char *
unescape(struct herald_arena *arena, const char *name)
{
	char *out = memory_copy(arena, name, strlen(name)), *to = out;

	for (const char *from = out; *from != '\0'; from++) {
		bool is_escape = *from == '~' && (from[1] == '0' || from[1] == '1');

		from += is_escape;
		*to++ = !is_escape ? *from : *from == '0' ? '~' : '/';
	}
	*to = '\0';
	return out;
}

/* The name of a definition, from its pointer: "/$defs/line". */
static const char *
definition_name(struct herald_arena *arena, const struct json_tree *schema)
{
	static const char *const folders[] = {"$defs", "definitions", "schemas"};
	const char *pointer = schema_place_of(schema) ? schema_place_of(schema)->pointer : "";
	const char *slash = strrchr(pointer, '/');

	for (size_t i = 0; slash && i < HERALD_COUNT(folders); i++) {
		size_t bytes = strlen(folders[i]);

		if ((size_t)(slash - pointer) > bytes && slash[-(ptrdiff_t)bytes - 1] == '/' &&
		    strncmp(slash - bytes, folders[i], bytes) == 0)
			return unescape(arena, slash + 1);
	}
	return NULL;
}

static void
add_to_list(struct view *view, const struct json_tree *schema)
{
	if (count_silent(schema) == schema->count)
		return;
	if (view->count == VIEW_MAX_SCHEMAS)
		note(view, "Some of its schemas are left out: there are more than 64.");
	else
		view->schemas[view->count++] = schema;
}

/* Whether an alternative is a set of constraints only, without types or members. */
static bool
is_constraint(const struct json_tree *schema)
{
	for (size_t i = 0; i < schema->count; i++)
		if (!json_text_equal(schema->members[i].name, "required") &&
		    !json_text_equal(schema->members[i].name, "not") &&
		    !json_text_equal(schema->members[i].name, "description") &&
		    !json_text_equal(schema->members[i].name, "title"))
			return false;
	return schema->type == HERALD_JSON_OBJECT;
}

/* What all alternatives of a union have in common. */
struct alternatives {
	const struct json_tree *only; /* the one that is not null; NULL: none, or several */
	unsigned types;               /* of all */
	size_t count;                 /* of those that are not null */
	bool are_constraints, are_values, has_null;
};

/* Whether these are all numbers. */
static bool
are_numbers(unsigned types)
{
	return (types & ~(unsigned)(VIEW_INTEGER | VIEW_NUMBER)) == 0;
}

static void
look_at(struct view *view, const struct json_tree *schema, unsigned depth, struct alternatives *out)
{
	struct view *inner = memory_take(view->files->arena, sizeof(*inner));

	inner->files = view->files;
	inner->work = view->work;
	view->work->looks++;
	add_schema(inner, schema, depth + 1);
	finish(inner, depth + 1);
	out->has_null |= inner->is_nullable;
	if (inner->types == 0)
		return;
	out->count++;
	out->only = out->count == 1 ? schema : NULL;
	out->types |= inner->types;
	out->are_constraints &= is_constraint(schema);
	const struct json_tree *values = view_get(inner, "enum");
	const struct json_tree *value = view_get(inner, "const");
	out->are_values &= (inner->types == VIEW_STRING || are_numbers(inner->types)) &&
			   (values || value || inner->values.count);
	for (size_t i = 0; i < inner->values.count; i++)
		memory_list_add(view->files->arena, &view->values, inner->values.items[i]);
	for (size_t i = 0; values && i < values->count; i++)
		memory_list_add(view->files->arena, &view->values, &values->items[i]);
	if (value)
		memory_list_add(view->files->arena, &view->values, value);
}

/* Whether a value is among others, from `first` on. */
static bool
is_among(const struct memory_list *values, size_t first, const struct json_tree *value)
{
	for (size_t i = first; i < values->count; i++)
		if (json_tree_equal(values->items[i], value))
			return true;
	return false;
}

/* Keep the first values that are among the later ones, too: both unions must hold. */
static void
keep_common(struct view *view, size_t first)
{
	struct memory_map later = {0};
	size_t kept = 0;

	for (size_t i = first; i < view->values.count; i++) {
		const struct json_tree *value = view->values.items[i];

		if (value->type == HERALD_JSON_STRING)
			memory_map_set(view->files->arena, &later, value->text, value);
	}
	for (size_t i = 0; i < first; i++) {
		const struct json_tree *value = view->values.items[i];

		if (value->type == HERALD_JSON_STRING
			    ? memory_map_get(&later, value->text) != NULL
			    : view_work(view->work, (view->values.count - first) / 64) &&
				      is_among(&view->values, first, value))
			view->values.items[kept++] = value;
	}
	view->values.count = kept;
	if (kept == 0)
		note(view, "Not checked: alternatives that have no value in common.");
}

/* Forget a schema that says nothing but a union, of which one alternative is left: only the
 * alternative counts. finish() closes the gap. */
static void
forget(struct view *view, const struct json_tree *list, const char *name)
{
	for (size_t i = 0; i < view->count; i++)
		if (json_tree_get(view->schemas[i], name) == list &&
		    count_silent(view->schemas[i]) + 1 == view->schemas[i]->count)
			view->schemas[i] = NULL;
}

/* Resolve an anyOf or oneOf if it means something simple. Returns whether null is allowed. */
static bool
add_union(struct view *view, const struct json_tree *list, const char *name, unsigned depth)
{
	struct alternatives found = {.are_constraints = true, .are_values = true};
	size_t values = view->values.count;

	for (size_t i = 0; i < list->count && view_work(view->work, 1); i++)
		look_at(view, &list->items[i], depth, &found);
	found.are_values &= found.types == VIEW_STRING || are_numbers(found.types);
	if (!found.are_values)
		view->values.count = values;
	else if (values > 0)
		keep_common(view, values);
	if (found.are_constraints && found.count > 0) {
		note(view, memory_print(view->files->arena, "Not checked: %s.", name));
		return true;
	}
	if (found.only) {
		add_schema(view, found.only, depth + 1);
		forget(view, list, name);
	} else if (found.are_values) {
		view->types &= found.types;
	} else if (found.types == VIEW_STRING || found.types == VIEW_BOOL ||
		   are_numbers(found.types)) {
		view->types &= found.types;
		note(view, memory_print(view->files->arena,
					"Not checked: which alternative of %s it is.", name));
	} else {
		view->union_ = list;
		view->union_name = name;
		view->unions++;
		view->types &= found.types;
	}
	return found.has_null;
}

static void
add_schema(struct view *view, const struct json_tree *schema, unsigned depth)
{
	if (schema->type != HERALD_JSON_OBJECT) {
		view->is_never |= json_tree_is_false(schema);
		return;
	}
	const struct herald_text key = {(const char *)&schema->place, sizeof(schema->place)};
	if (!view_work(view->work, 1) || memory_map_get(&view->visited, key))
		return;
	if (depth > MAX_DEPTH * 4 || view->visited.count == MAX_VISITED) {
		note(view, "Some of its schemas are left out: they refer to each other too often.");
		return;
	}
	memory_map_set(view->files->arena, &view->visited, key, schema);
	const char *doc = json_tree_string(schema, "description");
	if (!view->doc)
		view->doc = doc;
	if (!view->name && !view->is_merged)
		view->name = definition_name(view->files->arena, schema);
	const struct json_tree *target = schema_ref(view->files, schema);
	const struct schema_place *place = schema_place_of(schema);
	bool is_7 = place && place->resource->draft == SCHEMA_DRAFT_7;
	if (!target || !is_7)
		add_to_list(view, schema);
	if (target)
		add_schema(view, target, depth + 1);
	const struct json_tree *dynamic_target =
		!place || is_7 ? NULL : schema_dynamic_ref(view->files, schema, NULL);
	if (dynamic_target)
		add_schema(view, dynamic_target, depth + 1);
	const struct json_tree *all = target && is_7 ? NULL : json_tree_get(schema, "allOf");
	view->is_merged |= all != NULL;
	for (size_t i = 0; all && i < all->count; i++)
		add_schema(view, &all->items[i], depth + 1);
}

/* Close the gaps of schemas that were forgotten. */
static void
close_gaps(struct view *view)
{
	size_t count = 0;

	for (size_t i = 0; i < view->count; i++)
		if (view->schemas[i])
			view->schemas[count++] = view->schemas[i];
	view->count = count;
}

static bool
is_skipped(const struct view *view, const struct json_tree *list)
{
	for (size_t i = 0; i < view->skipped.count; i++)
		if (view->skipped.items[i] == list)
			return true;
	return false;
}

/* Resolve unions, and find the types that remain. */
static void
finish(struct view *view, unsigned depth)
{
	static const char *const names[] = {"anyOf", "oneOf"};
	size_t own = view->count; /* a union adds schemas for values that are not null */
	bool allows_null = true;

	view->types = VIEW_ANY;
	for (size_t i = 0; i < view->count; i++) {
		unsigned types = types_of(view->schemas[i]);

		view->types &= types;
		allows_null &= i >= own || (types & VIEW_NULL) != 0;
		for (size_t j = 0; j < HERALD_COUNT(names); j++) {
			const struct json_tree *list = json_tree_get(view->schemas[i], names[j]);

			if (list && is_skipped(view, list))
				continue;
			if (list && (depth > MAX_DEPTH || view->work->looks > MAX_LOOKS))
				note(view, "Not checked: alternatives within alternatives.");
			else if (list && !add_union(view, list, names[j], depth) && i < own)
				allows_null = false;
		}
	}
	close_gaps(view);
	view->is_nullable = allows_null && !view->is_never;
	if (view->types != VIEW_ANY)
		view->types &= ~(unsigned)VIEW_NULL;
	if (view->is_never)
		view->types = 0;
}

bool
view_work(struct view_work *work, uint64_t steps)
{
	work->steps += steps;
	return work->steps <= work->max_steps;
}

static void
begin(struct view *view, struct schema_files *files, struct view_work *work)
{
	*view = (struct view){.files = files, .work = work};
	work->looks = 0;
}

void
view_init(struct view *view, struct schema_files *files, struct view_work *work,
	  const struct json_tree *schema)
{
	begin(view, files, work);
	add_schema(view, schema, 0);
	finish(view, 0);
}

void
view_init_all(struct view *view, struct schema_files *files, struct view_work *work,
	      const struct memory_list *schemas)
{
	begin(view, files, work);
	for (size_t i = 0; i < schemas->count; i++)
		add_schema(view, schemas->items[i], 0);
	finish(view, 0);
}

void
view_init_without(struct view *view, struct schema_files *files, struct view_work *work,
		  const struct memory_list *schemas, const struct memory_list *unions)
{
	begin(view, files, work);
	view->skipped = *unions;
	for (size_t i = 0; i < schemas->count; i++)
		add_schema(view, schemas->items[i], 0);
	finish(view, 0);
}

const struct json_tree *
view_get(const struct view *view, const char *keyword)
{
	for (size_t i = 0; i < view->count; i++) {
		const struct json_tree *value = json_tree_get(view->schemas[i], keyword);

		if (value)
			return value;
	}
	return NULL;
}

bool
view_requires(const struct view *view, struct herald_text name)
{
	for (size_t i = 0; i < view->count; i++) {
		const struct json_tree *names = json_tree_get(view->schemas[i], "required");

		view_work(view->work, names ? names->count / 256 : 0);
		for (size_t j = 0; names && j < names->count; j++)
			if (names->items[j].text.bytes == name.bytes &&
			    memcmp(names->items[j].text.data, name.data, name.bytes) == 0)
				return true;
	}
	return false;
}

struct memory_list
view_required(const struct view *view)
{
	struct memory_list out = {0};
	struct memory_map known = {0};

	for (size_t i = 0; i < view->count; i++) {
		const struct json_tree *names = json_tree_get(view->schemas[i], "required");

		view_work(view->work, names ? names->count / 256 : 0);
		for (size_t j = 0; names && j < names->count; j++) {
			const struct herald_text *name = &names->items[j].text;

			if (memory_map_get(&known, *name))
				continue;
			memory_map_set(view->files->arena, &known, *name, name);
			memory_list_add(view->files->arena, &out, name);
		}
	}
	return out;
}

struct memory_list
view_member(const struct view *view, struct herald_text name)
{
	struct memory_list out = {0};

	for (size_t i = 0; i < view->count; i++) {
		const struct json_tree *schema =
			json_tree_find(json_tree_get(view->schemas[i], "properties"), name);

		if (schema)
			memory_list_add(view->files->arena, &out, schema);
	}
	return out;
}

/* What a struct does with a member. */
enum member_use { MEMBER_KEPT, MEMBER_NEVER_VALID, MEMBER_HAS_NUL };

/* Whether a schema is false: itself, or one that it refers to or merges. */
static bool
is_never(const struct view *view, const struct json_tree *schema)
{
	if (schema->type != HERALD_JSON_OBJECT)
		return json_tree_is_false(schema);
	if (!json_tree_get(schema, "$ref") && !json_tree_get(schema, "$dynamicRef") &&
	    !json_tree_get(schema, "allOf"))
		return false;
	struct view inner = {.files = view->files, .work = view->work};
	add_schema(&inner, schema, 0);
	return inner.is_never;
}

static enum member_use
use_of(const struct view *view, struct herald_text name)
{
	if (memchr(name.data, '\0', name.bytes))
		return MEMBER_HAS_NUL;
	for (size_t i = 0; i < view->count; i++) {
		const struct json_tree *schema =
			json_tree_find(json_tree_get(view->schemas[i], "properties"), name);

		if (schema && is_never(view, schema))
			return MEMBER_NEVER_VALID;
	}
	return MEMBER_KEPT;
}

/* The names of the members that are used in this way, each once, in order. */
static struct memory_list
members_of_use(const struct view *view, enum member_use use)
{
	struct memory_list out = {0};

	for (size_t i = 0; i < view->count; i++) {
		const struct json_tree *properties = json_tree_get(view->schemas[i], "properties");

		for (size_t j = 0; properties && j < properties->count; j++) {
			const struct json_member *member = &properties->members[j];
			bool is_new = true;

			for (size_t k = 0; k < i && is_new; k++)
				is_new = !json_tree_find(
					json_tree_get(view->schemas[k], "properties"),
					member->name);
			if (is_new && use_of(view, member->name) == use)
				memory_list_add(view->files->arena, &out, &member->name);
		}
	}
	return out;
}

struct memory_list
view_members(const struct view *view)
{
	return members_of_use(view, MEMBER_KEPT);
}

struct memory_list
view_left_out(const struct view *view, bool have_nul)
{
	return members_of_use(view, have_nul ? MEMBER_HAS_NUL : MEMBER_NEVER_VALID);
}

struct herald_text
view_key(const struct view *view, unsigned as)
{
	size_t bytes = view->count * sizeof(view->schemas[0]);
	char *key = memory_take(view->files->arena, sizeof(as) + bytes);

	memcpy(key, &as, sizeof(as));
	memcpy(key + sizeof(as), view->schemas, bytes);
	return (struct herald_text){key, sizeof(as) + bytes};
}

#define NUMBERS (VIEW_INTEGER | VIEW_NUMBER)

/* Keywords that neither a type in C nor a table of Herald can say, for values of some types; and
 * those that only raw JSON does not say. */
static const struct {
	const char *name;
	unsigned types, raw_types;
} unchecked[] = {
	{"enum", VIEW_ARRAY | VIEW_OBJECT, VIEW_ANY},
	{"const", VIEW_ARRAY | VIEW_OBJECT, VIEW_ANY},
	{"minimum", 0, NUMBERS},
	{"maximum", 0, NUMBERS},
	{"exclusiveMinimum", 0, NUMBERS},
	{"exclusiveMaximum", 0, NUMBERS},
	{"multipleOf", NUMBERS, NUMBERS},
	{"minLength", 0, VIEW_STRING},
	{"maxLength", 0, VIEW_STRING},
	{"pattern", VIEW_STRING, VIEW_STRING},
	{"format", 0, VIEW_STRING},
	{"contentEncoding", 0, VIEW_STRING},
	{"contentMediaType", VIEW_STRING, VIEW_STRING},
	{"minItems", 0, VIEW_ARRAY},
	{"maxItems", 0, VIEW_ARRAY},
	{"prefixItems", 0, VIEW_ARRAY},
	{"items", 0, VIEW_ARRAY},
	{"additionalItems", 0, VIEW_ARRAY},
	{"uniqueItems", VIEW_ARRAY, VIEW_ARRAY},
	{"contains", VIEW_ARRAY, VIEW_ARRAY},
	{"unevaluatedItems", VIEW_ARRAY, VIEW_ARRAY},
	{"minProperties", 0, VIEW_OBJECT},
	{"maxProperties", 0, VIEW_OBJECT},
	{"required", 0, VIEW_OBJECT},
	{"properties", 0, VIEW_OBJECT},
	{"additionalProperties", 0, VIEW_OBJECT},
	{"patternProperties", VIEW_OBJECT, VIEW_OBJECT},
	{"propertyNames", VIEW_OBJECT, VIEW_OBJECT},
	{"dependencies", VIEW_OBJECT, VIEW_OBJECT},
	{"dependentRequired", VIEW_OBJECT, VIEW_OBJECT},
	{"dependentSchemas", VIEW_OBJECT, VIEW_OBJECT},
	{"unevaluatedProperties", VIEW_OBJECT, VIEW_OBJECT},
	{"not", VIEW_ANY, VIEW_ANY},
	{"if", VIEW_ANY, VIEW_ANY},
};

/* Whether a keyword has the value with which it allows everything. */
static bool
allows_all(const char *keyword, const struct json_tree *value)
{
	if (strcmp(keyword, "uniqueItems") == 0 || strcmp(keyword, "not") == 0)
		return json_tree_is_false(value);
	return json_tree_is_true(value) && strcmp(keyword, "const") != 0 &&
	       strcmp(keyword, "contains") != 0;
}

/* The value of a keyword as a comment shows it: "" if it is long, or a schema. */
static const char *
shown_value(struct herald_arena *arena, const char *keyword, const struct json_tree *value)
{
	if (value->json.bytes > 40 || value->type == HERALD_JSON_OBJECT ||
	    strcmp(keyword, "uniqueItems") == 0)
		return "";
	return memory_print(arena, " %.*s", (int)value->json.bytes, value->json.data);
}

void
view_note_unchecked(const struct view *view, struct herald_arena *arena, unsigned types,
		    bool is_raw, struct memory_list *notes)
{
	const char *list = "";

	for (size_t i = 0; i < HERALD_COUNT(unchecked); i++) {
		const char *name = unchecked[i].name;
		const struct json_tree *value = view_get(view, name);
		unsigned all = is_raw ? unchecked[i].raw_types : unchecked[i].types;

		if (value && (all & types) && !allows_all(name, value))
			list = memory_print(arena, "%s%s%s%s", list, *list != '\0' ? ", " : "",
					    name, shown_value(arena, name, value));
	}
	if (*list != '\0')
		memory_list_add(arena, notes, memory_print(arena, "Not checked: %s.", list));
	for (size_t i = 0; i < view->notes.count; i++)
		memory_list_add(arena, notes, view->notes.items[i]);
}
