/*
 * Schemas as JSON Schema, so that those who send events can check them, and generate code and
 * documentation.
 *
 *	struct herald_buffer out;
 *
 *	herald_buffer_init(&out, NULL, 0);
 *	status = herald_schema_json(&order_placed_schema,
 *				    &HERALD_JSON_SCHEMA_OPTIONS(.indent = 2), &out, &error);
 *	if (status == HERALD_OK)
 *		fwrite(out.data, 1, out.bytes, stdout);
 *	herald_buffer_finish(&out);
 *
 * A document is valid against the exported schema if and only if a codec decodes it, except for
 * rules that JSON Schema cannot express. If such a rule depends on a member, its "$comment" says
 * it. The exceptions:
 *
 * Syntax     Duplicate members, invalid UTF-8, lone surrogates, and the limits of struct
 *            herald_limits: these are errors of the text, which JSON Schema does not see.
 * Integers   10.0 and 1e1 are integers in JSON Schema; Herald refuses them, unless the field is
 *            `lenient`. Likewise a numeric or lenient bool, a numeric enum, and exponents of
 *            epochs.
 * Reals      Herald rounds a number to float or double before it compares it with the bounds: a
 *            float of 3.40282351e38 is accepted, though its "maximum" is 3.4028235e38.
 * Lengths    Herald counts bytes of UTF-8, JSON Schema code points. "maxLength" is the number of
 *            bytes, and "minLength" the least number of code points that has as many bytes.
 * Quoted     The pattern of a number in a string checks its syntax, not its range. If an integer is
 *            `lenient`, the pattern accepts "1.5" as well as "1.5e1".
 * Checks     What the `check` of a schema refuses, see herald/check.h. The "$comment" of the
 *            struct says that it has one, unless it is transparent.
 * Times      Only "format" says that February has no 30th day. Validators may ignore it. Lenient
 *            times have no "format", and the digits of an epoch after the nanosecond are not
 *            checked, unless it is quoted.
 */
#ifndef HERALD_JSON_SCHEMA_H
#define HERALD_JSON_SCHEMA_H

#include <stddef.h>

#include <herald/buffer.h>
#include <herald/export.h>
#include <herald/schema.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A version of JSON Schema. */
enum herald_json_schema_draft {
	HERALD_JSON_SCHEMA_2020_12,  /**< https://json-schema.org/draft/2020-12/schema */
	HERALD_JSON_SCHEMA_DRAFT_07, /**< http://json-schema.org/draft-07/schema# */
};

/** Options of herald_schema_json(). Zero means the default. */
struct herald_json_schema_options {
	size_t struct_size;                  /**< Set by HERALD_JSON_SCHEMA_OPTIONS. */
	enum herald_json_schema_draft draft; /**< Default HERALD_JSON_SCHEMA_2020_12. */
	const char *id;                      /**< "$id", a URI. Default: none. */
	/** Blanks for each level. Default 0: one line without blanks. Limit 16. */
	unsigned indent;
};

/** Options as a compound literal: &HERALD_JSON_SCHEMA_OPTIONS(.indent = 2). */
#define HERALD_JSON_SCHEMA_OPTIONS(...)                                                            \
	((struct herald_json_schema_options){                                                      \
		.struct_size = sizeof(struct herald_json_schema_options), __VA_ARGS__})

/**
 * Write a schema, and those that it refers to, as one JSON Schema document without a newline at its
 * end. The same schema always gives the same text: members are in the order of the table.
 *
 *	{"$schema": "https://json-schema.org/draft/2020-12/schema",
 *	 "title": "order_placed",
 *	 "description": "...",               the schema's `doc`, if it has one
 *	 "type": "object",
 *	 "properties": {
 *	   "order_id": {"description": "...", "type": "string", "minLength": 1, ...},
 *	   "lines": {"type": "array", "items": {"$ref": "#/$defs/order_line"}, "minItems": 1}},
 *	 "required": ["order_id"],
 *	 "$defs": {"order_line": {...}}}     "definitions" in draft-07
 *
 * A member that is not required may be null. "additionalProperties" is false if the schema has
 * `reject_unknown`. Of an enum with HERALD_UNKNOWN, which accepts all names, its own are
 * "examples".
 *
 * schema   herald_json_schema and herald_data_schema become a schema that accepts everything.
 * options  copied; NULL means the defaults.
 * out      the text is appended; unchanged after an error. Memory of the call is from its
 *          allocator.
 * error    may be NULL; its path is as of herald_codec_create().
 * Errors   HERALD_BAD_SCHEMA, HERALD_BAD_OPTION, HERALD_NO_MEMORY, HERALD_TOO_LARGE.
 * Threads  any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_schema_json(const struct herald_schema *schema,
		   const struct herald_json_schema_options *options, struct herald_buffer *out,
		   struct herald_error *error);

#ifdef __cplusplus
}
#endif
#endif
