/*
 * Writes a model as a header with structs and a source with tables. Which structs there are is
 * decided elsewhere.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "c_model.h"
#include "c_text.h"
#include "json_tree.h"
#include "text.h"

/* The doc and the notes of something, as paragraphs of a comment. */
static struct memory_list
paragraphs(struct c_model *model, const char *doc, const struct memory_list *notes)
{
	struct memory_list out = {0};

	if (doc && *doc != '\0')
		memory_list_add(model->arena, &out, doc);
	for (size_t i = 0; notes && i < notes->count; i++)
		memory_list_add(model->arena, &out, notes->items[i]);
	return out;
}

/* The type of a single value, with a blank or a star after it. */
static const char *
type_text(struct c_model *model, const struct c_type *type)
{
	switch (type->kind) {
	case C_BOOL:
		return "bool ";
	case C_NUMBER:
		return memory_print(model->arena, "%s ", type->number);
	case C_STRING:
		return "const char *";
	case C_TEXT:
		return "struct herald_text ";
	case C_TIME:
		return "struct herald_time ";
	case C_STRING_MAP:
		return "struct herald_map ";
	case C_JSON_MAP:
		return "struct herald_json_map ";
	case C_ENUM:
		return memory_print(model->arena, "enum %s ", type->names->name);
	case C_STRUCT:
	case C_MAP:
		return memory_print(model->arena, "struct %s ", type->target->name);
	default:
		return "struct herald_json ";
	}
}

static void
put_union(struct herald_buffer *out, const struct c_member *member)
{
	c_put(out, "\tunion {\n");
	for (size_t i = 0; i < member->type.cases.count; i++) {
		const struct c_case *one = member->type.cases.items[i];

		c_put(out, "\t\t%sstruct %s %s%s;\n", one->is_pointer ? "const " : "",
		      one->target->name, one->is_pointer ? "*" : "", one->name);
	}
	c_put(out, "\t} %s;\n", member->name);
}

static void
put_member(struct c_model *model, struct herald_buffer *out, const struct c_member *member)
{
	const struct c_type *type = &member->type;
	const struct c_type *element = type->element;
	struct memory_list comment = paragraphs(model, member->doc, &type->notes);

	c_put_comment(out, 1, &comment);
	if (type->kind == C_UNION)
		put_union(out, member);
	else if (type->kind == C_LIST && element->kind == C_STRING)
		c_put(out, "\tconst char *const *%s;\n", member->name);
	else if (type->kind == C_LIST)
		c_put(out, "\tconst %s*%s;\n", type_text(model, element), member->name);
	else if (type->kind == C_ARRAY)
		c_put(out, "\t%s%s[%zu];\n", type_text(model, element), member->name, type->count);
	else if (type->kind == C_MAP || (type->kind == C_STRUCT && member->is_pointer))
		c_put(out, "\tconst %s*%s;\n", type_text(model, type), member->name);
	else
		c_put(out, "\t%s%s;\n", type_text(model, type), member->name);
	if (type->kind == C_LIST || type->kind == C_MAP)
		c_put(out, "\tsize_t %s_count;\n", member->name);
	if (c_member_has_flag(member))
		c_put(out, "\tbool has_%s;\n", member->name);
}

static void
put_struct(struct c_model *model, struct herald_buffer *out, const struct c_struct *source)
{
	struct memory_list comment = paragraphs(model, source->doc, &source->notes);

	c_put(out, "\n");
	c_put_comment(out, 0, &comment);
	c_put(out, "struct %s {\n", source->name);
	for (size_t i = 0; i < source->members.count; i++)
		put_member(model, out, source->members.items[i]);
	c_put(out, "};\n");
}

static void
put_enum(struct c_model *model, struct herald_buffer *out, const struct c_enum *source)
{
	struct memory_list comment = paragraphs(model, source->doc, NULL);

	c_put(out, "\n");
	c_put_comment(out, 0, &comment);
	c_put(out, "enum %s {\n", source->name);
	for (size_t i = 0; i < source->values.count; i++) {
		const struct c_value *value = source->values.items[i];

		c_put(out, source->is_numeric ? "\t%s = %s,\n" : "\t%s,\n", value->name,
		      value->json.data);
	}
	c_put(out, "};\n");
}

static const struct c_member *
find_member(const struct c_struct *source, const char *key)
{
	for (size_t i = 0; source && i < source->members.count; i++) {
		const struct c_member *member = source->members.items[i];

		if (json_text_equal(member->key, key))
			return member;
	}
	return NULL;
}

/* Whether a message is a whole event in Herald's envelope, as a service's own document has it. */
static bool
is_envelope(const struct c_struct *message)
{
	return find_member(message, "event_type") && find_member(message, "timestamp") &&
	       find_member(message, "payload");
}

/* The struct that a route takes; NULL: any JSON. */
static const struct c_struct *
payload_of(const struct c_struct *message)
{
	const struct c_member *payload;

	if (!is_envelope(message))
		return message;
	payload = find_member(message, "payload");
	return payload->type.kind == C_STRUCT ? payload->type.target : NULL;
}

/* Lines for the user's program, of AsyncAPI's messages. */
static void
put_routes(struct c_model *model, struct herald_buffer *out)
{
	struct memory_list comment = {0};
	bool has_envelopes = false;

	if (model->routes.count == 0)
		return;
	for (size_t i = 0; i < model->routes.count; i++) {
		const struct c_route *route = model->routes.items[i];

		has_envelopes |= is_envelope(route->payload);
		for (size_t j = 0; j < route->notes.count; j++)
			memory_list_add(model->arena, &comment, route->notes.items[j]);
	}
	if (has_envelopes)
		memory_list_add(model->arena, &comment,
				"Messages with event_type, timestamp and payload are whole events, "
				"as senders write them. A route takes the payload alone, and the "
				"version of `metadata` as its .version.");
	if (comment.count > 0)
		c_put(out, "\n");
	c_put_comment(out, 0, &comment);
	c_put(out, "\n/*\n * Routes for these events; the functions are yours:\n *\n");
	for (size_t i = 0; i < model->routes.count; i++) {
		const struct c_route *route = model->routes.items[i];
		const struct c_struct *payload = payload_of(route->payload);

		c_put(out, " *\tHERALD_ROUTE(%s, %s, %s, NULL),\n",
		      c_string_in_comment(model->arena, text_of(route->type)),
		      payload ? payload->name : "herald_json", route->function);
	}
	c_put(out, " */\n");
}

/* The file's first comment. */
static void
put_head(struct c_model *model, struct herald_buffer *out, const char *what)
{
	const char *sources = "";
	struct memory_list comment = {0};

	for (size_t i = 0; i < model->sources.count && i < 3; i++)
		sources = memory_print(model->arena, "%s%s%s", sources, i > 0 ? ", " : "",
				       (const char *)model->sources.items[i]);
	if (model->sources.count > 3)
		sources = memory_print(model->arena, "%s and %zu more", sources,
				       model->sources.count - 3);
	memory_list_add(
		model->arena, &comment,
		memory_print(model->arena, "%s, made by `herald generate` from the %s%s %s.", what,
			     model->source_kind, model->sources.count > 1 ? "s" : "", sources));
	if (model->doc)
		memory_list_add(model->arena, &comment, model->doc);
	for (size_t i = 0; i < model->notes.count; i++)
		memory_list_add(model->arena, &comment, model->notes.items[i]);
	c_put_comment(out, 0, &comment);
}

void
c_write_header(struct c_model *model, struct herald_buffer *out)
{
	char *guard = memory_print(model->arena, "%s_H", model->name);

	for (char *at = guard; *at != '\0'; at++)
		if (*at >= 'a' && *at <= 'z')
			*at = (char)(*at - 'a' + 'A');
	put_head(model, out, "Payloads of events");
	c_put(out, "#ifndef %s\n#define %s\n\n#include <herald/schema.h>\n", guard, guard);
	c_put(out, "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
	for (size_t i = 0; i < model->enums.count; i++)
		put_enum(model, out, model->enums.items[i]);
	for (size_t i = 0; i < model->structs.count; i++)
		put_struct(model, out, model->structs.items[i]);
	c_put(out, "\n");
	for (size_t i = 0; i < model->structs.count; i++)
		c_put(out, "HERALD_SCHEMA_DECLARE(%s);\n",
		      ((const struct c_struct *)model->structs.items[i])->name);
	put_routes(model, out);
	c_put(out, "\n#ifdef __cplusplus\n}\n#endif\n#endif\n");
}

/* Tables. */

struct line {
	struct c_model *model;
	struct memory_list words;
};

HERALD_PRINTF(2, 3) static void add(struct line *line, const char *format, ...)
{
	va_list arguments, again;

	va_start(arguments, format);
	va_copy(again, arguments);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it was begun two lines above. */
	size_t bytes = (size_t)vsnprintf(NULL, 0, format, again);
	va_end(again);
	char *text = memory_take(line->model->arena, bytes + 1);
	vsnprintf(text, bytes + 1, format, arguments);
	va_end(arguments);
	memory_list_add(line->model->arena, &line->words, text);
}

static const char *
macro_of(const struct c_member *member)
{
	const struct c_type *type = &member->type;

	assert(type->element || type->kind != C_LIST);
	switch (type->kind) {
	case C_ENUM:
		return c_member_has_flag(member) ? "HERALD_OPTIONAL_ENUM" : "HERALD_ENUM";
	case C_STRUCT:
		return member->is_pointer ? "HERALD_POINTER" : "HERALD_STRUCT";
	case C_LIST:
		return type->element->kind == C_STRUCT ? "HERALD_LIST"
		       : type->element->kind == C_ENUM ? "HERALD_ENUMS"
						       : "HERALD_VALUES";
	case C_ARRAY:
		return c_member_has_flag(member) ? "HERALD_OPTIONAL_ARRAY" : "HERALD_ARRAY";
	case C_MAP:
		return "HERALD_MAP";
	default:
		return member->is_key              ? "HERALD_KEY"
		       : c_member_has_flag(member) ? "HERALD_OPTIONAL"
						   : "HERALD_FIELD";
	}
}

/* A word such as ".min_count = 5", unless the number is 0. */
static void
add_size(struct line *line, const char *name, size_t number)
{
	/* A decimal constant that no signed type holds needs a suffix (C11 6.4.4.1). */
	if (number > 0)
		add(line, ".%s = %zu%s", name, number, (uint64_t)number > INT64_MAX ? "u" : "");
}

/* Words for the bounds of a value. */
static void
add_bounds(struct line *line, const struct c_type *type)
{
	if (type->min && type->max)
		add(line, "HERALD_RANGE(%s, %s)", type->min, type->max);
	else if (type->min)
		add(line, "HERALD_MIN(%s)", type->min);
	else if (type->max)
		add(line, "HERALD_MAX(%s)", type->max);
	add_size(line, "min_bytes", type->min_bytes);
	add_size(line, "max_bytes", type->max_bytes);
	if (type->only)
		memory_list_add(line->model->arena, &line->words,
				memory_print(line->model->arena, "HERALD_ONE_OF(%s)", type->only));
}

static void
add_doc(struct line *line, const char *doc)
{
	if (!doc || *doc == '\0')
		return;
	const char *sentence = c_sentence(line->model->arena, doc);
	memory_list_add(line->model->arena, &line->words,
			memory_print(line->model->arena, ".doc = %s",
				     c_string(line->model->arena,
					      (struct herald_text){sentence, strlen(sentence)})));
}

/* The options of a union that is a member of its own. */
static struct memory_list
variant_options(struct c_model *model, const struct c_member *member)
{
	struct line line = {.model = model};

	if (member->key.bytes != strlen(member->name) ||
	    memcmp(member->key.data, member->name, member->key.bytes) != 0)
		memory_list_add(model->arena, &line.words,
				memory_print(model->arena, ".key = %s",
					     c_string(model->arena, member->key)));
	if (member->is_required)
		add(&line, ".required = true");
	return line.words;
}

/* A case for each value of the tag, on a line each. */
static void
put_cases(struct c_model *model, struct herald_buffer *out, const struct c_case *source,
	  bool is_last)
{
	for (size_t i = 0; i < source->values.count; i++) {
		const struct herald_text *value = source->values.items[i];
		bool is_end = is_last && i + 1 == source->values.count;
		struct memory_list words = {0};

		memory_list_add(model->arena, &words, c_string(model->arena, *value));
		memory_list_add(model->arena, &words, source->name);
		if (strcmp(source->name, source->target->name) != 0)
			memory_list_add(model->arena, &words, source->target->name);
		c_put_call(out, 2, "HERALD_CASE", &words, is_end ? ")" : ",\n");
	}
}

static void
put_variant(struct c_model *model, struct herald_buffer *out, const struct c_struct *source,
	    const struct c_member *member, const char *after)
{
	const struct memory_list *cases = &member->type.cases;
	struct memory_list options = {0};

	if (!member->type.is_flat)
		options = variant_options(model, member);
	c_put(out, "\t%s(%s, %s, %s,\n",
	      member->type.is_flat ? "HERALD_FLAT_VARIANT"
	      : options.count > 0  ? "HERALD_VARIANT_WITH"
				   : "HERALD_VARIANT",
	      source->name, member->name, member->type.tag);
	if (options.count > 0)
		c_put_call(out, 2, "", &options, ",\n");
	for (size_t i = 0; i < cases->count; i++)
		put_cases(model, out, cases->items[i], i + 1 == cases->count);
	c_put(out, "%s", after);
}

static void
put_line(struct c_model *model, struct herald_buffer *out, const struct c_struct *source,
	 const struct c_member *member, const char *after)
{
	const struct c_type *type = &member->type;
	struct line line = {.model = model};

	add(&line, "%s", source->name);
	add(&line, "%s", member->name);
	if (type->target)
		add(&line, "%s", type->target->name);
	else if (type->element && type->element->target)
		add(&line, "%s", type->element->target->name);
	if (type->names)
		add(&line, "%s_names", type->names->name);
	else if (type->element && type->element->names)
		add(&line, "%s_names", type->element->names->name);
	if (!member->is_key && !source->is_transparent &&
	    (member->key.bytes != strlen(member->name) ||
	     memcmp(member->key.data, member->name, member->key.bytes) != 0))
		memory_list_add(model->arena, &line.words,
				memory_print(model->arena, ".key = %s",
					     c_string(model->arena, member->key)));
	if ((type->names && type->names->is_numeric) ||
	    (type->element && type->element->names && type->element->names->is_numeric))
		add(&line, ".numeric = true");
	if (member->is_required && !type->is_nullable)
		add(&line, ".required = true");
	add_bounds(&line, type);
	if (type->element)
		add_bounds(&line, type->element);
	if (type->element && type->element->is_nullable && type->element->kind == C_STRING)
		add(&line, ".nullable = true");
	add_size(&line, "min_count", type->min_count);
	add_size(&line, "max_count", type->max_count);
	add_doc(&line, member->doc);
	c_put_call(out, 1, macro_of(member), &line.words, after);
}

static void
put_table(struct c_model *model, struct herald_buffer *out, const struct c_struct *source)
{
	struct line options = {.model = model};

	if (source->is_transparent)
		add(&options, ".transparent = true");
	if (source->rejects_unknown)
		add(&options, ".reject_unknown = true");
	add_doc(&options, source->doc);
	if (options.words.count > 0) {
		c_put(out, "\nHERALD_SCHEMA_DEFINE_WITH(%s,\n", source->name);
		c_put_call(out, 1, "", &options.words, ",\n");
	} else {
		c_put(out, "\nHERALD_SCHEMA_DEFINE(%s,\n", source->name);
	}
	for (size_t i = 0; i < source->members.count; i++)
		(((const struct c_member *)source->members.items[i])->type.kind == C_UNION
			 ? put_variant
			 : put_line)(model, out, source, source->members.items[i],
				     i + 1 < source->members.count ? ",\n" : ");\n");
}

static void
put_names(struct c_model *model, struct herald_buffer *out, const struct c_enum *source)
{
	c_put(out, "\nstatic const struct herald_name %s_names[] = {\n", source->name);
	for (size_t i = 0; i < source->values.count; i++) {
		const struct c_value *value = source->values.items[i];

		c_put(out, "\t{%s, %s},\n", c_string(model->arena, value->json), value->name);
	}
	c_put(out, "};\n");
}

void
c_write_source(struct c_model *model, struct herald_buffer *out)
{
	put_head(model, out, "Schemas of payloads");
	c_put(out, "#include \"%s.h\"\n", model->name);
	for (size_t i = 0; i < model->enums.count; i++)
		put_names(model, out, model->enums.items[i]);
	for (size_t i = 0; i < model->structs.count; i++)
		put_table(model, out, model->structs.items[i]);
}
