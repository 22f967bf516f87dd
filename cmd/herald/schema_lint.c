/*
 * Checks schemas before they are used: the types of keywords, references, patterns. Names keywords
 * that nobody knows, which are ignored.
 */
#include <stdio.h>
#include <string.h>

#include <herald/array.h>

#include "decimal.h"
#include "pattern.h"
#include "schema_file.h"
#include "text.h"

struct lint {
	struct schema_files *files;
	struct memory_list schemas; /* struct json_tree: to be checked */
	struct memory_list unknown; /* names that were printed */
};

static char
initial(const struct json_tree *value)
{
	static const char initials[] = {
		[HERALD_JSON_NULL] = '0',   [HERALD_JSON_BOOL] = 'b',  [HERALD_JSON_NUMBER] = 'n',
		[HERALD_JSON_STRING] = 's', [HERALD_JSON_ARRAY] = 'a', [HERALD_JSON_OBJECT] = 'o',
	};

	return initials[value->type];
}

static const char *
name_of(char type)
{
	return type == 'b'   ? "true or false"
	       : type == 'n' ? "a number"
	       : type == 's' ? "a string"
	       : type == 'a' ? "an array"
			     : "an object";
}

/* An unknown keyword is an annotation (2020-12, section 6.5). Each is named once. */
static void
note_unknown(struct lint *lint, const struct json_tree *schema, const struct json_member *member)
{
	const char *name = member->name.data;

	if (strncmp(name, "x-", 2) == 0)
		return;
	for (size_t i = 0; i < lint->unknown.count; i++)
		if (strcmp(lint->unknown.items[i], name) == 0)
			return;
	memory_list_add(lint->files->arena, &lint->unknown, name);
	schema_fail(schema_place_of(schema), NULL,
		    "the keyword \"%s\" is ignored: it is not a "
		    "keyword of the schema's draft%s",
		    name,
		    lint->files->is_guessed && schema == lint->schemas.items[0]
			    ? "; if the file is a sample, use --samples"
			    : "");
}

static bool
check_type_name(const struct json_tree *value)
{
	static const char *const names[] = {"null",   "boolean", "integer", "number",
					    "string", "array",   "object",  NULL};

	for (const char *const *name = names; *name; name++)
		if (value->type == HERALD_JSON_STRING && json_text_equal(value->text, *name))
			return true;
	return false;
}

static bool
check_strings(const struct json_tree *list)
{
	for (size_t i = 0; list->type == HERALD_JSON_ARRAY && i < list->count; i++)
		if (list->items[i].type != HERALD_JSON_STRING)
			return false;
	return list->type == HERALD_JSON_ARRAY;
}

/* Whether no two elements are equal. */
static bool
are_unique(struct lint *lint, const struct json_tree *list)
{
	struct memory_map known = {0};

	for (size_t i = 0; list->type == HERALD_JSON_ARRAY && i < list->count; i++) {
		if (memory_map_get(&known, list->items[i].text))
			return false;
		memory_map_set(lint->files->arena, &known, list->items[i].text, &list->items[i]);
	}
	return true;
}

/* What is wrong with a list of names of members; NULL: nothing. */
static const char *
check_names(struct lint *lint, const struct json_tree *list)
{
	if (!check_strings(list))
		return "expected names of members";
	return are_unique(lint, list) ? NULL : "expected each name once";
}

/* What is wrong with the names of types; NULL: nothing. */
static const char *
check_types(struct lint *lint, const struct json_tree *types)
{
	for (size_t i = 0; i < types->count; i++)
		if (!check_type_name(&types->items[i]))
			return "expected the name of a type";
	if (types->type == HERALD_JSON_STRING)
		return check_type_name(types) ? NULL : "expected the name of a type";
	if (types->count == 0)
		return "expected the name of a type, found []";
	return are_unique(lint, types) ? NULL : "expected each type once";
}

/* Whether the value of a keyword counts something. */
static bool
is_count(const char *keyword)
{
	static const char *const names[] = {"maxContains",   "maxItems",     "maxLength",
					    "maxProperties", "minContains",  "minItems",
					    "minLength",     "minProperties"};

	for (size_t i = 0; i < HERALD_COUNT(names); i++)
		if (strcmp(names[i], keyword) == 0)
			return true;
	return false;
}

/* Whether a number is whole, and 0 or more. */
static bool
is_natural(struct herald_json number)
{
	return decimal_is_whole(number) &&
	       decimal_compare(number, (struct herald_json){"0", 1}) >= 0;
}

/* What is wrong with the members' values, which are lists of names, or schemas; NULL: nothing. */
static const char *
check_dependencies_of(struct lint *lint, const struct json_tree *map, bool are_schemas_allowed)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct json_tree *value = &map->members[i].value;

		if (are_schemas_allowed && strchr("bo", initial(value)))
			continue;
		if (!check_strings(value))
			return are_schemas_allowed ? "expected schemas or lists of names"
						   : "expected lists of names";
		if (!are_unique(lint, value))
			return "expected each name once";
	}
	return NULL;
}

/* Schemas are objects, true or false. */
static bool
are_schemas(const struct json_tree *value, enum schema_inside inside)
{
	if (inside == SCHEMA_INSIDE_MAP) {
		for (size_t i = 0; i < value->count; i++)
			if (!strchr("bo", initial(&value->members[i].value)))
				return false;
	} else if (value->type == HERALD_JSON_ARRAY) {
		for (size_t i = 0; i < value->count; i++)
			if (!strchr("bo", initial(&value->items[i])))
				return false;
	}
	return true;
}

/* What is wrong with a pattern; NULL: nothing. */
static const char *
check_pattern_text(struct lint *lint, struct herald_text text)
{
	const char *reason;

	return pattern_compile(lint->files->arena, text, &reason) ? NULL : reason;
}

static const char *
check_patterns(struct lint *lint, const struct json_tree *map)
{
	const char *reason = NULL;

	for (size_t i = 0; i < map->count && !reason; i++)
		reason = check_pattern_text(lint, map->members[i].name);
	return reason;
}

/* What $dynamicRef refers to before its dynamic scope is known; NULL: nothing, or it has none. */
static const struct json_tree *
dynamic_ref(struct lint *lint, const struct json_tree *schema)
{
	if (schema_place_of(schema)->resource->draft == SCHEMA_DRAFT_7)
		return NULL;
	return schema_dynamic_ref(lint->files, schema, NULL);
}

/* What is wrong with the target of a reference; NULL: nothing. */
static const char *
check_target(struct lint *lint, const struct json_tree *target, const struct json_tree *reference)
{
	struct herald_arena *arena = lint->files->arena;

	if (!target)
		return memory_print(arena,
				    "nothing in the files given is %s; give the file that has it "
				    "with another --schema or --from",
				    reference->text.data);
	if (!schema_is_schema(target))
		return memory_print(arena, "%s is not a schema, which is an object, true or false",
				    reference->text.data);
	return NULL;
}

/* What is wrong with the value of a keyword besides its type; NULL: nothing. */
static const char *
check_value(struct lint *lint, const struct json_tree *schema, const char *name,
	    const struct json_tree *value)
{
	if (strcmp(name, "$ref") == 0)
		return check_target(lint, schema_ref(lint->files, schema), value);
	if (strcmp(name, "$dynamicRef") == 0)
		return check_target(lint, dynamic_ref(lint, schema), value);
	if (strcmp(name, "type") == 0)
		return check_types(lint, value);
	if (is_count(name) && !is_natural(value->json))
		return "expected a whole number from 0";
	if (strcmp(name, "pattern") == 0)
		return check_pattern_text(lint, value->text);
	if (strcmp(name, "patternProperties") == 0)
		return check_patterns(lint, value);
	if (strcmp(name, "required") == 0)
		return check_names(lint, value);
	if (strcmp(name, "dependentRequired") == 0)
		return check_dependencies_of(lint, value, false);
	if (strcmp(name, "dependencies") == 0)
		return check_dependencies_of(lint, value, true);
	if (strcmp(name, "multipleOf") == 0 && !decimal_is_divisor(value->json))
		return "expected a number above 0 of up to 18 digits";
	return NULL;
}

static bool
check_keyword_value(struct lint *lint, const struct json_tree *schema,
		    const struct json_member *member)
{
	const struct schema_place *place = schema_place_of(schema);
	const struct schema_keyword *keyword = schema_keyword_find(member->name);

	if (!keyword || !(keyword->drafts & place->resource->draft)) {
		note_unknown(lint, schema, member);
		return true;
	}
	if (keyword->expected && !strchr(keyword->expected, initial(&member->value)))
		return schema_fail(place, keyword->name, "expected %s",
				   name_of(*keyword->expected));
	const char *reason = check_value(lint, schema, keyword->name, &member->value);
	if (reason)
		return schema_fail(place, keyword->name, "%s", reason);
	bool is_list =
		keyword->inside == SCHEMA_INSIDE_LIST ||
		(keyword->inside == SCHEMA_INSIDE_ONE && member->value.type == HERALD_JSON_ARRAY);
	if (is_list && member->value.count == 0)
		return schema_fail(place, keyword->name, "expected one schema or more, found []");
	if (keyword->inside != SCHEMA_INSIDE_NONE && strcmp(keyword->name, "dependencies") != 0 &&
	    !are_schemas(&member->value, keyword->inside))
		return schema_fail(place, keyword->name,
				   "expected schemas, which are objects, true or false");
	return true;
}

/* Whether a keyword means something in a schema: in draft-07, $ref hides its siblings. */
static bool
is_hidden(const struct json_tree *schema, const struct json_member *member)
{
	return schema_place_of(schema)->resource->draft == SCHEMA_DRAFT_7 &&
	       json_tree_get(schema, "$ref") && !json_text_equal(member->name, "$ref") &&
	       !json_text_equal(member->name, "definitions");
}

/* Remember a schema that is to be checked. */
static void
add(struct lint *lint, const struct json_tree *schema)
{
	if (!schema || !schema_place_of(schema) || schema_place_of(schema)->is_checked)
		return;
	(*schema->place)->is_checked = true;
	memory_list_add(lint->files->arena, &lint->schemas, schema);
}

/* Remember the schemas in the value of a keyword, whose type was checked. */
static void
add_inside(struct lint *lint, const struct json_tree *schema, const struct json_member *member)
{
	const struct schema_keyword *keyword = schema_keyword_find(member->name);
	const struct json_tree *value = &member->value;

	if (!keyword || !(keyword->drafts & schema_place_of(schema)->resource->draft))
		return;
	if (keyword->inside == SCHEMA_INSIDE_ONE)
		add(lint, value);
	if (keyword->inside == SCHEMA_INSIDE_NONE)
		return;
	for (size_t i = 0; value->type == HERALD_JSON_ARRAY && i < value->count; i++)
		add(lint, &value->items[i]);
	for (size_t i = 0; keyword->inside == SCHEMA_INSIDE_MAP && i < value->count; i++)
		add(lint, &value->members[i].value);
}

static bool
check_one(struct lint *lint, const struct json_tree *schema)
{
	for (size_t i = 0; i < schema->count; i++) {
		const struct json_member *member = &schema->members[i];

		if (is_hidden(schema, member))
			continue;
		if (!check_keyword_value(lint, schema, member))
			return false;
		add_inside(lint, schema, member);
	}
	add(lint, schema_ref(lint->files, schema));
	add(lint, dynamic_ref(lint, schema));
	return true;
}

bool
schema_check(struct schema_files *files, const struct json_tree *schema)
{
	struct lint lint = {.files = files};

	add(&lint, schema);
	for (size_t i = 0; i < lint.schemas.count; i++)
		if (!check_one(&lint, lint.schemas.items[i]))
			return false;
	return true;
}
