/*
 * Checks values by JSON Schemas, draft-07 and 2020-12: all keywords, format by option.
 */
#ifndef HERALD_CMD_CHECK_H
#define HERALD_CMD_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/export.h>

#include "pattern.h"
#include "schema_file.h"

/* Schemas that are applied to values, for one document; large values count as several. */
#define CHECK_DEFAULT_STEPS 20000000
/* Schemas within schemas: some may refer to each other without end. */
#define CHECK_MAX_DEPTH 1000

/* What was found first in a document. */
struct check_failure {
	const struct json_tree *value; /* NULL: nothing */
	const char *reason;
	size_t depth;
	bool is_nearest; /* of several schemas, which the reason says */
};

/* How well a value fits the constants of a schema: `const` and `enum` of its members. */
struct check_fit {
	bool is_excluded; /* by its type, or by `not` */
	size_t misfits, fits;
	size_t depth; /* of the failure */
};

/* For one schema and many documents. */
struct checker {
	struct schema_files *files;
	struct herald_arena *arena; /* for one document */
	bool asserts_formats;
	uint64_t steps, max_steps;
	const char *stopped;              /* why the check was given up; NULL: it was not */
	struct memory_list patterns[256]; /* compiled, by the address of the text */
	struct memory_map enums;          /* struct check_names, by the address of the enum */
};

/* The resources of the schemas that are being applied, innermost first (2020-12, 7.1). */
struct check_scope {
	const struct check_scope *outer;
	const struct schema_resource *resource;
	size_t depth;
};

/* A schema that is applied to a value. */
struct check_call {
	struct checker *checker;
	const struct json_tree *schema, *value;
	size_t depth; /* of the value in the document */
	const struct check_scope *scope;
	bool *seen;                    /* evaluated members or elements; NULL: not needed */
	struct check_failure *failure; /* NULL: nobody wants to know */
};

/* A keyword: its value in the schema. Returns whether call->value is valid. */
typedef bool check_keyword(const struct check_call *call, const struct json_tree *keyword);

/*
 * Check a document.
 *
 * out      set if it is not valid.
 * Returns  whether it is valid. False also if checker->stopped is set.
 */
bool check_document(struct checker *checker, const struct json_tree *schema,
		    const struct json_tree *document, struct check_failure *out);

/* The JSON Pointer to a value in a document. */
const char *check_path(struct herald_arena *arena, const struct json_tree *document,
		       const struct json_tree *value);

/* Count work that grows with the schema or the document. Returns false if the check must end. */
bool check_spend(const struct check_call *call, uint64_t steps);

/* Whether two values are equal. */
bool
check_equal(const struct check_call *call, const struct json_tree *a, const struct json_tree *b);

/* Apply a schema to the same value. Members that it evaluates count for the caller. */
bool check_same(const struct check_call *call, const struct json_tree *schema);
/* The same, for a schema that need not be valid: `failure` may be NULL. */
bool check_same_quietly(const struct check_call *call, const struct json_tree *schema,
			struct check_failure *failure);

/* Apply a schema to a member or an element, which is then evaluated. */
bool check_member(const struct check_call *call, const struct json_tree *schema, size_t index);
bool check_item(const struct check_call *call, const struct json_tree *schema, size_t index);
bool
check_item_quietly(const struct check_call *call, const struct json_tree *schema, size_t index);

/* Set the reason, unless one is set already. Returns false. */
HERALD_PRINTF(2, 3) bool check_fail(const struct check_call *call, const char *format, ...);

/* The same, for a value that is not one of those allowed. */
bool check_fail_values(const struct check_call *call, const struct json_tree *values);

/*
 * Check a count by a keyword such as minItems.
 *
 * keyword, other  "minItems" and "maxItems", or the other way round.
 * noun            "element", for the message; "s" is added if needed.
 */
bool check_bounded(const struct check_call *call, const char *keyword, const char *other,
		   const char *noun, size_t count);

/* A value for messages: its text, cut; or what it is. */
const char *check_show(const struct check_call *call, const struct json_tree *value);

/* The same with the text of arrays and objects, where what they are does not say what is wrong. */
const char *check_show_json(const struct check_call *call, const struct json_tree *value);

/* Whether `subject` matches the pattern `text` of the schema. */
bool check_matches(const struct check_call *call, const struct herald_text *text,
		   struct herald_text subject);

/* How well call->value fits a schema, without `depth` (check_nearest.c). */
struct check_fit check_fit(const struct check_call *call, const struct json_tree *schema);
/* Whether the schema of `a` was meant rather than the one of `b`. */
bool check_fits_better(const struct check_fit *a, const struct check_fit *b);
/* If a member of call->value has a value that no alternative allows, which is often the tag of a
 * union, set it as the reason and return true. */
bool check_fail_tag(const struct check_call *call, const struct json_tree *alternatives);

/* Keywords that apply schemas to the same value (check_logic.c). */
check_keyword check_ref, check_dynamic_ref, check_all_of, check_any_of, check_one_of, check_not,
	check_if, check_dependent_schemas;

/* Keywords of any value, of numbers and of strings (check_value.c). */
check_keyword check_type, check_enum, check_const, check_multiple_of, check_minimum, check_maximum,
	check_exclusive_minimum, check_exclusive_maximum, check_min_length, check_max_length,
	check_pattern;

/* Formats (check_format.c). */
check_keyword check_format;

/* Keywords of objects (check_object.c). */
check_keyword check_required, check_min_properties, check_max_properties, check_property_names,
	check_dependent_required, check_dependencies, check_properties, check_pattern_properties,
	check_additional_properties, check_unevaluated_properties;

/* Keywords of arrays (check_array.c). */
check_keyword check_min_items, check_max_items, check_unique_items, check_prefix_items, check_items,
	check_additional_items, check_contains, check_unevaluated_items;

#endif
