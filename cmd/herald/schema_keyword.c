/*
 * The keywords of JSON Schema draft-07 and 2020-12: which drafts have them, which schemas they
 * hold, and which types their values have. check*.c and generate*.c know what they mean.
 */
#include <string.h>

#include <herald/array.h>

#include "schema_file.h"

#define D7 SCHEMA_DRAFT_7
#define D2020 SCHEMA_2020_12
#define ALL SCHEMA_ALL
#define NONE SCHEMA_INSIDE_NONE
#define ONE SCHEMA_INSIDE_ONE
#define LIST SCHEMA_INSIDE_LIST
#define MAP SCHEMA_INSIDE_MAP

static const struct schema_keyword keywords[] = {
	{"$anchor", D2020, NONE, "s"},
	{"$comment", ALL, NONE, "s"},
	{"$defs", D2020, MAP, "o"},
	{"$dynamicAnchor", D2020, NONE, "s"},
	{"$dynamicRef", D2020, NONE, "s"},
	{"$id", ALL, NONE, "s"},
	{"$ref", ALL, NONE, "s"},
	{"$schema", ALL, NONE, "s"},
	{"$vocabulary", D2020, NONE, "o"},
	{"additionalItems", D7, ONE, "bo"},
	{"additionalProperties", ALL, ONE, "bo"},
	{"allOf", ALL, LIST, "a"},
	{"anyOf", ALL, LIST, "a"},
	{"const", ALL, NONE, NULL},
	{"contains", ALL, ONE, "bo"},
	{"contentEncoding", ALL, NONE, "s"},
	{"contentMediaType", ALL, NONE, "s"},
	{"contentSchema", D2020, ONE, "bo"},
	{"default", ALL, NONE, NULL},
	{"definitions", ALL, MAP, "o"},
	{"dependencies", D7, MAP, "o"},
	{"dependentRequired", D2020, NONE, "o"},
	{"dependentSchemas", D2020, MAP, "o"},
	{"deprecated", D2020, NONE, "b"},
	{"description", ALL, NONE, "s"},
	{"discriminator", ALL, NONE, NULL}, /* of OpenAPI and AsyncAPI: an annotation */
	{"else", ALL, ONE, "bo"},
	{"enum", ALL, NONE, "a"},
	{"examples", ALL, NONE, NULL},
	{"exclusiveMaximum", ALL, NONE, "n"},
	{"exclusiveMinimum", ALL, NONE, "n"},
	{"format", ALL, NONE, "s"},
	{"if", ALL, ONE, "bo"},
	{"items", ALL, ONE, "boa"},
	{"maxContains", D2020, NONE, "n"},
	{"maxItems", ALL, NONE, "n"},
	{"maxLength", ALL, NONE, "n"},
	{"maxProperties", ALL, NONE, "n"},
	{"maximum", ALL, NONE, "n"},
	{"minContains", D2020, NONE, "n"},
	{"minItems", ALL, NONE, "n"},
	{"minLength", ALL, NONE, "n"},
	{"minProperties", ALL, NONE, "n"},
	{"minimum", ALL, NONE, "n"},
	{"multipleOf", ALL, NONE, "n"},
	{"not", ALL, ONE, "bo"},
	{"oneOf", ALL, LIST, "a"},
	{"pattern", ALL, NONE, "s"},
	{"patternProperties", ALL, MAP, "o"},
	{"prefixItems", D2020, LIST, "a"},
	{"properties", ALL, MAP, "o"},
	{"propertyNames", ALL, ONE, "bo"},
	{"readOnly", ALL, NONE, "b"},
	{"required", ALL, NONE, "a"},
	{"then", ALL, ONE, "bo"},
	{"title", ALL, NONE, "s"},
	{"type", ALL, NONE, "sa"},
	{"unevaluatedItems", D2020, ONE, "bo"},
	{"unevaluatedProperties", D2020, ONE, "bo"},
	{"uniqueItems", ALL, NONE, "b"},
	{"writeOnly", ALL, NONE, "b"},
};

const struct schema_keyword *
schema_keyword_find(struct herald_text name)
{
	for (size_t i = 0; i < HERALD_COUNT(keywords); i++)
		if (json_text_equal(name, keywords[i].name))
			return &keywords[i];
	return NULL;
}
