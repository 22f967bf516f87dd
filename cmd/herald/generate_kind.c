/*
 * Tells a JSON Schema from a sample of a payload: by the keywords at its root, and the types of
 * their values. What a schema says is read elsewhere.
 */
#include <string.h>

#include <herald/array.h>

#include "generate.h"

/* How much a member says of what the document is. */
enum evidence {
	EVIDENCE_AGAINST, /* no keyword, or one with a value of another type */
	EVIDENCE_NONE,    /* an annotation, such as "title", which payloads have, too */
	EVIDENCE_WEAK,    /* a schema, if all members are keywords, or there is a type */
	EVIDENCE_STRONG,  /* a schema, without a type or with type "object" */
};

static const struct {
	const char *name;
	enum evidence evidence;
} keywords[] = {
	{"$ref", EVIDENCE_STRONG},
	{"$defs", EVIDENCE_STRONG},
	{"definitions", EVIDENCE_STRONG},
	{"properties", EVIDENCE_STRONG},
	{"allOf", EVIDENCE_STRONG},
	{"anyOf", EVIDENCE_STRONG},
	{"oneOf", EVIDENCE_STRONG},
	{"patternProperties", EVIDENCE_STRONG},
	{"prefixItems", EVIDENCE_STRONG},
	{"additionalProperties", EVIDENCE_WEAK},
	{"const", EVIDENCE_WEAK},
	{"dependentRequired", EVIDENCE_WEAK},
	{"dependentSchemas", EVIDENCE_WEAK},
	{"enum", EVIDENCE_WEAK},
	{"if", EVIDENCE_WEAK},
	{"not", EVIDENCE_WEAK},
	{"propertyNames", EVIDENCE_WEAK},
	{"required", EVIDENCE_WEAK},
	{"unevaluatedProperties", EVIDENCE_WEAK},
	{"uniqueItems", EVIDENCE_WEAK},
};

/* Keywords that say something of a value only next to a type: payloads have such members, too. */
static const char *const annotations[] = {"$comment", "default",  "description", "examples",
					  "format",   "readOnly", "title",       "writeOnly"};

/* Whether a value has one of the types that a keyword expects, and holds schemas if it must. */
static bool
is_expected(const struct schema_keyword *keyword, const struct json_tree *value)
{
	static const char initials[] = {
		[HERALD_JSON_NULL] = '0',   [HERALD_JSON_BOOL] = 'b',  [HERALD_JSON_NUMBER] = 'n',
		[HERALD_JSON_STRING] = 's', [HERALD_JSON_ARRAY] = 'a', [HERALD_JSON_OBJECT] = 'o',
	};

	if (keyword->expected && !strchr(keyword->expected, initials[value->type]))
		return false;
	for (size_t i = 0; keyword->inside == SCHEMA_INSIDE_MAP && i < value->count; i++)
		if (!schema_is_schema(&value->members[i].value))
			return false;
	for (size_t i = 0; value->type == HERALD_JSON_ARRAY && i < value->count; i++) {
		bool is_name = value->items[i].type == HERALD_JSON_STRING;

		if ((keyword->inside == SCHEMA_INSIDE_LIST &&
		     !schema_is_schema(&value->items[i])) ||
		    (strcmp(keyword->name, "required") == 0 && !is_name))
			return false;
	}
	return true;
}

static enum evidence
evidence_of(const struct json_member *member)
{
	const struct schema_keyword *keyword = schema_keyword_find(member->name);

	if (!keyword || !is_expected(keyword, &member->value))
		return EVIDENCE_AGAINST;
	for (size_t i = 0; i < HERALD_COUNT(keywords); i++)
		if (strcmp(keyword->name, keywords[i].name) == 0)
			return keywords[i].evidence;
	return EVIDENCE_NONE;
}

static bool
is_annotation(struct herald_text name)
{
	for (size_t i = 0; i < HERALD_COUNT(annotations); i++)
		if (json_text_equal(name, annotations[i]))
			return true;
	return false;
}

static bool
is_type_name(const struct json_tree *value)
{
	static const char *const names[] = {"array",  "boolean", "integer", "null",
					    "number", "object",  "string"};

	for (size_t i = 0; value->type == HERALD_JSON_STRING && i < HERALD_COUNT(names); i++)
		if (json_text_equal(value->text, names[i]))
			return true;
	return false;
}

/* Whether the value of "type" is one of a schema. */
static bool
is_type(const struct json_tree *type)
{
	for (size_t i = 0; type->type == HERALD_JSON_ARRAY && i < type->count; i++)
		if (!is_type_name(&type->items[i]))
			return false;
	return is_type_name(type) || (type->type == HERALD_JSON_ARRAY && type->count > 0);
}

/* Whether the root says by itself that it is a schema. */
static bool
is_certain(const struct json_tree *root)
{
	const struct json_tree *definitions = json_tree_get(root, "$defs");

	return json_tree_string(root, "$schema") || json_tree_string(root, "$ref") ||
	       (definitions && definitions->type == HERALD_JSON_OBJECT);
}

/* Whether there is a member that is not a keyword. Extensions of schemas begin with "x-". */
static bool
has_unknown(const struct json_tree *root)
{
	for (size_t i = 0; i < root->count; i++) {
		struct herald_text name = root->members[i].name;

		if (!schema_keyword_find(name) && strncmp(name.data, "x-", 2) != 0)
			return true;
	}
	return false;
}

bool
generate_is_schema(const struct json_tree *root)
{
	const struct json_tree *type = json_tree_get(root, "type");
	size_t counts[EVIDENCE_STRONG + 1] = {0}, others = 0;

	if (root->type != HERALD_JSON_OBJECT)
		return root->type == HERALD_JSON_BOOL;
	if (json_tree_string(root, "$schema"))
		return true;
	if (type ? !is_type(type) : !is_certain(root) && has_unknown(root))
		return false;
	for (size_t i = 0; i < root->count; i++) {
		const struct json_member *member = &root->members[i];
		enum evidence evidence = evidence_of(member);

		counts[evidence]++;
		others += evidence == EVIDENCE_NONE && &member->value != type &&
			  !is_annotation(member->name);
	}
	if (counts[EVIDENCE_STRONG] > 0)
		return true;
	if (type)
		return counts[EVIDENCE_AGAINST] == 0 || counts[EVIDENCE_WEAK] + others > 0;
	return counts[EVIDENCE_AGAINST] == 0 && counts[EVIDENCE_WEAK] > 0;
}
