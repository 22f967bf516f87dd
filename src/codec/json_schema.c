/*
 * Writing schemas as JSON Schema: documents and objects. Works on plans, so that what is exported
 * is what the decoder checks. Values of members, and references, are in json_schema_value.c.
 */
#include "codec/json_schema.h"

#include <herald/adapter/options.h>

#include "codec/cases.h"

static void
write_properties(struct herald__schema_writer *writer, const struct herald__plan *plan)
{
	struct herald__indented *json = &writer->json;

	if (plan->fields_count == 0)
		return;
	herald__indented_key(json, "properties");
	herald__indented_begin(json, '{');
	for (size_t i = 0; i < plan->fields_count; i++) {
		const struct herald__field *field = &plan->fields[i];

		herald__indented_key(json, field->name);
		herald__indented_begin(json, '{');
		herald__indented_member(json, "description", field->field->doc);
		herald__schema_write_value(writer, field, (field->flags & HERALD__REQUIRED) == 0);
		herald__indented_end(json, '}');
	}
	herald__indented_end(json, '}');
}

static void
write_required(struct herald__schema_writer *writer, const struct herald__plan *plan)
{
	struct herald__indented *json = &writer->json;
	bool has_any = false;

	for (size_t i = 0; i < plan->fields_count; i++) {
		if ((plan->fields[i].flags & HERALD__REQUIRED) == 0)
			continue;
		if (!has_any) {
			herald__indented_key(json, "required");
			herald__indented_begin_line(json, '[');
		}
		herald__indented_text(json, plan->fields[i].name);
		has_any = true;
	}
	if (has_any)
		herald__indented_end(json, ']');
}

/* Write the value of a transparent schema's only field. A reference has siblings at the root, and
 * may have a description or a comment elsewhere: in draft-07 it would hide them. */
static void
write_transparent(struct herald__schema_writer *writer, const struct herald__plan *plan)
{
	const struct herald__field *field = &plan->fields[0];
	bool takes_null = herald__schema_accepts_null(plan);

	if (field->field->kind == HERALD_KIND_POINTER || field->field->kind == HERALD_KIND_STRUCT)
		herald__schema_write_ref(writer, field->inner, takes_null, false);
	else
		herald__schema_write_value(writer, field, takes_null);
}

/* Write the schema of an object with the members of a plan. */
static void
write_object(struct herald__schema_writer *writer, const struct herald__plan *plan)
{
	struct herald__indented *json = &writer->json;

	herald__indented_member(json, "type", "object");
	write_properties(writer, plan);
	write_required(writer, plan);
	if (plan->reject_unknown) {
		herald__indented_key(json, "additionalProperties");
		herald__indented_word(json, "false");
	}
}

/* Write that the tag has, or does not have, one of the listed values with, or without, a plan. */
static void
write_tags(struct herald__indented *json, const struct herald__cases *cases,
	   const struct herald__plan *plan, bool with)
{
	herald__indented_key(json, "properties");
	herald__indented_begin(json, '{');
	herald__indented_key(json, cases->field->name);
	herald__indented_begin(json, '{');
	herald__indented_key(json, "enum");
	herald__indented_begin_line(json, '[');
	for (size_t i = 0; i < cases->count; i++) {
		if ((cases->items[i].plan == plan) != with)
			continue;
		if (cases->tag.numeric)
			herald__indented_integer(json, cases->items[i].value);
		else
			herald__indented_text(json, cases->items[i].text);
	}
	herald__indented_end(json, ']');
	herald__indented_end(json, '}');
	herald__indented_end(json, '}');
}

/* Write that the tag has one of the values of a case. */
static void
write_own_tags(struct herald__indented *json, const struct herald__cases *cases,
	       const struct herald__plan *plan)
{
	herald__indented_key(json, "allOf");
	herald__indented_begin(json, '[');
	herald__indented_begin(json, '{');
	write_tags(json, cases, plan, true);
	herald__indented_end(json, '}');
	herald__indented_end(json, ']');
}

/* Write that the tag has none of the values of other cases, if there are any: `enum` may not be
 * empty. */
static void
write_other_tags(struct herald__indented *json, const struct herald__cases *cases)
{
	size_t first = 0;

	while (first < cases->count && cases->items[first].plan == cases->rest)
		first++;
	if (first == cases->count)
		return;
	herald__indented_key(json, "not");
	herald__indented_begin(json, '{');
	write_tags(json, cases, cases->rest, false);
	herald__indented_key(json, "required");
	herald__indented_begin_line(json, '[');
	herald__indented_text(json, cases->field->name);
	herald__indented_end(json, ']');
	herald__indented_end(json, '}');
}

/* Write that functions of the user check a struct. A transparent one may have the comment of its
 * value. */
static void
write_check(struct herald__indented *json, const struct herald__plan *plan)
{
	if ((plan->special & (HERALD__CHECKED | HERALD__TRANSPARENT)) == HERALD__CHECKED)
		herald__indented_member(json, "$comment",
					"The receiver also checks the value as a whole.");
}

/* Write the schema of a case: the values of its tag, and its members. */
static void
write_case(struct herald__schema_writer *writer, const struct herald__cases *cases,
	   const struct herald__plan *plan)
{
	herald__indented_begin(&writer->json, '{');
	if (plan == cases->rest)
		write_other_tags(&writer->json, cases);
	else
		write_own_tags(&writer->json, cases, plan);
	write_check(&writer->json, plan);
	write_object(writer, plan);
	herald__indented_end(&writer->json, '}');
}

/* Write the schema of a tagged union: one of its cases. */
static void
write_cases(struct herald__schema_writer *writer, const struct herald__cases *cases)
{
	struct herald__indented *json = &writer->json;

	herald__indented_key(json, "anyOf");
	herald__indented_begin(json, '[');
	for (size_t i = 0; i < cases->count; i++) {
		size_t first = 0;

		while (cases->items[first].plan != cases->items[i].plan)
			first++;
		if (first == i && cases->items[i].plan != cases->rest)
			write_case(writer, cases, cases->items[i].plan);
	}
	if (cases->rest)
		write_case(writer, cases, cases->rest);
	herald__indented_end(json, ']');
}

void
herald__schema_write(struct herald__schema_writer *writer, const struct herald__plan *plan)
{
	herald__indented_member(&writer->json, "description", plan->schema->doc);
	write_check(&writer->json, plan);
	if ((plan->special & HERALD__TRANSPARENT) != 0)
		write_transparent(writer, plan);
	else if (plan->cases)
		write_cases(writer, plan->cases);
	else
		write_object(writer, plan);
}

/* Write the schemas that the root refers to. */
static void
write_definitions(struct herald__schema_writer *writer, const char *name)
{
	struct herald__indented *json = &writer->json;
	const struct herald__definitions *definitions = &writer->definitions;

	if (definitions->count < 2)
		return;
	herald__indented_key(json, name);
	herald__indented_begin(json, '{');
	for (size_t i = 0; i < definitions->count; i++) {
		if (definitions->all[i].plan == writer->root)
			continue;
		herald__indented_key(json, definitions->all[i].name);
		herald__indented_begin(json, '{');
		herald__schema_write(writer, definitions->all[i].plan);
		herald__indented_end(json, '}');
	}
	herald__indented_end(json, '}');
}

static void
write_document(struct herald__schema_writer *writer, const struct herald_schema *schema,
	       const struct herald_json_schema_options *options)
{
	struct herald__indented *json = &writer->json;
	bool is_07 = options->draft == HERALD_JSON_SCHEMA_DRAFT_07;

	writer->refs_are_alone = is_07;
	writer->prefix = is_07 ? "#/definitions/" : "#/$defs/";
	herald__indented_begin(json, '{');
	herald__indented_member(json, "$schema",
				is_07 ? "http://json-schema.org/draft-07/schema#"
				      : "https://json-schema.org/draft/2020-12/schema");
	herald__indented_member(json, "$id", options->id);
	herald__indented_member(json, "title", schema->name);
	if (writer->root) {
		herald__schema_write(writer, writer->root);
		write_definitions(writer, is_07 ? "definitions" : "$defs");
	} else {
		herald__indented_member(json, "description", schema->doc);
	}
	herald__indented_end(json, '}');
}

static enum herald_status
check_options(const struct herald_json_schema_options *options, struct herald_error *error)
{
	const struct herald_option_range ranges[] = {
		{"indent", options->indent, 0, HERALD__MAX_INDENT},
	};

	if (options->draft != HERALD_JSON_SCHEMA_2020_12 &&
	    options->draft != HERALD_JSON_SCHEMA_DRAFT_07)
		return herald_option_refuse(error, "draft", "not a valid draft: %d",
					    (int)options->draft);
	return herald_option_ranges_check(ranges, 1, error);
}

/* Write the document of a codec; NULL accepts everything. */
static enum herald_status
write_codec(const struct herald_schema *schema, const struct herald_codec *codec,
	    const struct herald_json_schema_options *options, struct herald_arena *arena,
	    struct herald_buffer *out)
{
	struct herald__schema_writer writer = {
		.json = {.out = out, .indent = options->indent},
		.definitions = {.arena = arena},
	};
	size_t bytes = out->bytes;

	if (codec && codec->root) {
		if (!herald__definitions_add(&writer.definitions, codec))
			return HERALD_NO_MEMORY;
		writer.root = codec->root;
	}
	write_document(&writer, schema, options);
	if (writer.json.status != HERALD_OK)
		out->bytes = bytes;
	return writer.json.status;
}

enum herald_status
herald__document_fail(enum herald_status status, struct herald_error *error)
{
	return herald_error_set(error, status, HERALD_NO_OFFSET, "%s",
				status == HERALD_TOO_LARGE
					? "the document exceeds the limit of the buffer"
					: "out of memory");
}

enum herald_status
herald_schema_json(const struct herald_schema *schema,
		   const struct herald_json_schema_options *options, struct herald_buffer *out,
		   struct herald_error *error)
{
	struct herald_json_schema_options all;
	struct herald_codec *codec = NULL;
	struct herald_arena *arena = NULL;
	enum herald_status status = herald_options_read(options, &all, sizeof(all),
							"HERALD_JSON_SCHEMA_OPTIONS", error);

	if (status != HERALD_OK || (status = check_options(&all, error)) != HERALD_OK)
		return status;
	if (schema != &herald_data_schema)
		status = herald_codec_create(schema, NULL, &out->allocator, &codec, error);
	if (status != HERALD_OK)
		return status;
	status = herald_arena_create(&out->allocator, 0, &arena);
	if (status == HERALD_OK)
		status = write_codec(schema, codec, &all, arena, out);
	herald_arena_destroy(arena);
	herald_codec_destroy(codec);
	return status == HERALD_OK ? HERALD_OK : herald__document_fail(status, error);
}
