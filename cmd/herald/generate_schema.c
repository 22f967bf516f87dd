/*
 * Makes C of a schema, whatever its value is: the payload of a schema file, or the payloads of an
 * AsyncAPI document. Alternatives that no tag tells apart, and values of several types, remain raw
 * JSON. Objects are in generate_object.c and generate_cases.c, lists and maps in
 * generate_collection.c, single values in generate_value.c; generate_view.c reads several schemas
 * as one.
 */
#include "generate_schema.h"

#include <stdio.h>
#include <string.h>

#include <herald/array.h>

#include "generate.h"
#include "text.h"

/* Structs within structs; deeper ones are raw JSON. */
#define MAX_DEPTH 100
/* Names of structs in a comment. */
#define MAX_LISTED 16

void
generate_note(struct generation *generation, struct c_type *type, const char *text)
{
	memory_list_add(generation->model->arena, &type->notes, text);
}

struct c_struct *
generate_find_made(const struct generation *generation, const struct view *view, enum made_as as)
{
	if (view->count == 0)
		return NULL;
	return (struct c_struct *)memory_map_get(&generation->made, view_key(view, as));
}

struct c_struct *
generate_begin_made(struct generation *generation, const struct view *view, enum made_as as,
		    const char *hint)
{
	const char *name = generation->root_name;

	generation->root_name = NULL;
	if (!name)
		name = c_name_take(generation->model, hint);
	struct c_struct *out = c_struct_begin(generation->model, name);
	memory_map_set(generation->model->arena, &generation->made, view_key(view, as), out);
	return out;
}

const char *
generate_name_of(struct generation *generation, const struct view *view, const char *hint)
{
	if (!view->name)
		return hint;
	return c_name_of(generation->model->arena, text_of(view->name), hint);
}

bool
generate_is_struct(const struct view *view)
{
	const struct json_tree *properties = view_get(view, "properties");

	return view->types == VIEW_OBJECT && properties && view_members(view).count > 0 &&
	       view_members(view).count <= GENERATE_MAX_MEMBERS;
}

/* Alternatives. */

/* The structs of alternatives, for who wants to decode them: "struct a, struct b". */
static const char *
list_alternatives(struct generation *generation, const struct view *view, const char *hint)
{
	struct herald_arena *arena = generation->model->arena;
	const char *out = "";
	size_t count = 0;

	for (size_t i = 0; i < view->union_->count && view_work(view->work, 1); i++) {
		struct view *inner = memory_take(arena, sizeof(*inner));

		view_init(inner, view->files, view->work, &view->union_->items[i]);
		if (!generate_is_struct(inner))
			continue;
		const char *title = json_tree_string(&view->union_->items[i], "title");
		const char *name = title && strlen(title) < 40
					   ? c_name_of(arena, text_of(title), hint)
					   : memory_print(arena, "%s_%zu", hint, i + 1);
		name = generate_object(generation, inner, name)->name;
		if (++count <= MAX_LISTED)
			out = memory_print(arena, "%s%sstruct %s", out, count > 1 ? ", " : "",
					   name);
	}
	if (count > MAX_LISTED)
		out = memory_print(arena, "%s and %zu more", out, count - MAX_LISTED);
	return out;
}

static struct c_type
convert_union(struct generation *generation, const struct view *view, const char *hint)
{
	struct herald_arena *arena = generation->model->arena;
	struct c_type type = {.kind = C_JSON, .is_nullable = view->is_nullable};
	const char *structs = list_alternatives(generation, view, hint);
	struct tagged tagged;

	if (*structs == '\0') {
		generate_note(
			generation, &type,
			memory_print(arena, "One of the alternatives of %s.", view->union_name));
		view_note_unchecked(view, arena, view->types, true, &type.notes);
		return type;
	}
	generate_note(
		generation, &type,
		memory_print(arena, "One of %s: decode it with herald_context_decode().", structs));
	const char *why = generate_tagged(generation, view, &tagged);
	generate_note(generation, &type,
		      memory_print(arena, "Not a union: %s.", why ? why : "it is nested too deep"));
	view_note_unchecked(view, arena, view->types, true, &type.notes);
	return type;
}

/* "string or integer" */
static const char *
list_types(struct herald_arena *arena, unsigned types)
{
	static const struct {
		const char *name;
		unsigned type;
	} names[] = {
		{"a boolean", VIEW_BOOL},
		{"a string", VIEW_STRING},
		{"an array", VIEW_ARRAY},
		{"an object", VIEW_OBJECT},
	};
	const char *out = types & VIEW_NUMBER    ? "a number"
			  : types & VIEW_INTEGER ? "an integer"
						 : "";

	for (size_t i = 0; i < HERALD_COUNT(names); i++)
		if (types & names[i].type)
			out = memory_print(arena, "%s%s%s", out, *out != '\0' ? " or " : "",
					   names[i].name);
	return out;
}

static struct c_type
convert_any(struct generation *generation, const struct view *view)
{
	struct c_type type = {.kind = C_JSON, .is_nullable = view->is_nullable};

	if (view->types == 0)
		generate_note(generation, &type,
			      view->is_nullable ? "Always null." : "Never valid.");
	else if (view->types != VIEW_ANY)
		generate_note(generation, &type,
			      memory_print(generation->model->arena, "Raw JSON: %s%s.",
					   list_types(generation->model->arena, view->types),
					   view->is_nullable ? " or null" : ""));
	if (view->types != 0)
		view_note_unchecked(view, generation->model->arena, view->types, true, &type.notes);
	return type;
}

static struct c_type
convert_now(struct generation *generation, const struct view *view, const char *hint)
{
	struct c_type type = {.kind = C_STRUCT, .is_nullable = view->is_nullable};

	type.target = generate_object(generation, view, hint);
	if (type.target)
		return type;
	if (view->union_ && view->types != 0)
		return convert_union(generation, view, hint);
	if (view->types == VIEW_OBJECT)
		return generate_map(generation, view, hint);
	if (view->types == VIEW_ARRAY)
		return generate_array(generation, view, hint);
	return convert_any(generation, view);
}

struct c_type
generate_type(struct generation *generation, const struct view *view, const char *hint)
{
	struct c_type type = {.kind = C_JSON, .is_nullable = view->is_nullable};

	if (generate_value(generation, view, hint, &type))
		return type;
	if (generation->depth == MAX_DEPTH)
		generate_note(
			generation, &type,
			"Raw JSON, none of which is checked: it is nested deeper than 100 levels.");
	if (generation->depth == MAX_DEPTH || !view_work(&generation->work, 1))
		return type;
	generation->depth++;
	type = convert_now(generation, view, hint);
	generation->depth--;
	return type;
}

/* Whether values have one type only. "number" is integers, too. */
static bool
is_one_type(unsigned types)
{
	return types == (VIEW_INTEGER | VIEW_NUMBER) || (types & (types - 1)) == 0;
}

/*
 * The struct of a payload; NULL if it is raw JSON, which *notes says.
 *
 * name  of the struct; NULL: the one of the definition that the schema refers to, or `hint`.
 */
static const struct c_struct *
convert_payload(struct generation *generation, const struct json_tree *schema, const char *name,
		const char *hint, struct memory_list *notes)
{
	struct view *view = memory_take(generation->model->arena, sizeof(*view));
	struct c_struct *out;

	view_init(view, generation->files, &generation->work, schema);
	generation->root_name = name;
	out = generate_object(generation, view, hint);
	if (out) {
		if (view->is_nullable)
			memory_list_add(generation->model->arena, &out->notes,
					"Refused: a payload that is null.");
	} else if (view->union_ || view->types == 0 || !is_one_type(view->types)) {
		generation->root_name = NULL;
		struct c_type type = generate_type(generation, view, hint);

		*notes = type.notes;
		return NULL;
	} else {
		out = generate_wrapper(generation, view, hint);
	}
	generation->root_name = NULL;
	return out;
}

/* The views of the definitions in a folder that are structs or tagged unions. */
static void
add_definitions(struct generation *generation, const struct json_tree *map,
		struct memory_list *structs, struct memory_list *unions)
{
	struct herald_arena *arena = generation->model->arena;

	for (size_t i = 0; map && map->type == HERALD_JSON_OBJECT && i < map->count; i++) {
		const struct json_tree *definition = &map->members[i].value;

		/* In draft-07, $defs is not a keyword: nobody checked what is in it. */
		if (!schema_place_of(definition) || !schema_place_of(definition)->is_checked)
			continue;
		struct view *view = memory_take(arena, sizeof(*view));
		view_init(view, generation->files, &generation->work, definition);
		if (view->union_ || generate_is_struct(view))
			memory_list_add(arena, view->union_ ? unions : structs, view);
	}
}

/* Structs of all definitions, for a file that is a collection of them. Unions are last: their cases
 * do not take the names of other definitions. */
static void
convert_definitions(struct generation *generation, const struct json_tree *schema)
{
	struct memory_list structs = {0}, unions = {0};

	add_definitions(generation, json_tree_get(schema, "$defs"), &structs, &unions);
	add_definitions(generation, json_tree_get(schema, "definitions"), &structs, &unions);
	for (size_t i = 0; i < structs.count; i++)
		generate_object(generation, structs.items[i], "definition");
	for (size_t i = 0; i < unions.count; i++)
		generate_object(generation, unions.items[i], "definition");
}

bool
generate_schema(struct c_model *model, struct schema_files *files, uint64_t max_steps,
		const struct json_tree *schema)
{
	struct generation generation = {
		.model = model, .files = files, .work = {.max_steps = max_steps}};
	struct memory_list notes = {0};

	c_name_use(model->arena, &model->used, model->name);
	model->doc = json_tree_string(schema, "title");
	if (convert_payload(&generation, schema, model->name, "payload", &notes))
		return view_work(&generation.work, 0);
	convert_definitions(&generation, schema);
	memory_list_add(model->arena, &model->notes,
			"The payload is raw JSON, struct herald_json: use herald_json_schema.");
	for (size_t i = 0; i < notes.count; i++)
		memory_list_add(model->arena, &model->notes, notes.items[i]);
	return view_work(&generation.work, 0);
}

/* The route of an event type that was added; NULL: none. */
static struct c_route *
find_route(const struct c_model *model, const char *type)
{
	for (size_t i = 0; i < model->routes.count; i++) {
		struct c_route *route = (struct c_route *)model->routes.items[i];

		if (strcmp(route->type, type) == 0)
			return route;
	}
	return NULL;
}

/*
 * Add the route of a message. A service has one for each event type.
 *
 * notes  about a payload that is raw JSON.
 */
static void
add_route(struct c_model *model, const struct asyncapi_message *message,
	  const struct c_struct *payload, const struct memory_list *notes,
	  struct memory_map *functions)
{
	struct herald_arena *arena = model->arena;
	struct c_route *route = find_route(model, message->type);

	if (!route) {
		route = memory_take(arena, sizeof(*route));
		route->type = message->type;
		route->payload = payload;
		route->function = c_name_take_free(
			arena, functions,
			memory_print(arena, "on_%s",
				     c_name_of(arena, text_of(message->type), "event")));
		memory_list_add(arena, &model->routes, route);
	} else if (route->payload != payload) {
		memory_list_add(arena, &route->notes,
				memory_print(arena, "Another message of the type \"%s\" is %s%s.",
					     message->type, payload ? "a struct " : "raw JSON",
					     payload ? payload->name : ""));
	}
	for (size_t i = 0; i < notes->count; i++)
		memory_list_add(arena, &route->notes,
				memory_print(arena, "Payloads of \"%s\": %s", message->type,
					     (const char *)notes->items[i]));
	if (message->format)
		memory_list_add(
			arena, &route->notes,
			memory_print(arena,
				     "Raw JSON: \"%s\", whose schemaFormat is %s: only JSON "
				     "Schema is supported.",
				     message->type, message->format));
}

bool
generate_messages(struct c_model *model, struct schema_files *files, uint64_t max_steps,
		  const struct memory_list *messages)
{
	struct generation generation = {
		.model = model, .files = files, .work = {.max_steps = max_steps}};
	struct memory_map functions = {0};

	for (size_t i = 0; i < messages->count; i++) {
		const struct asyncapi_message *message = messages->items[i];
		const struct c_struct *payload = NULL;
		struct memory_list notes = {0};

		if (message->payload)
			payload = convert_payload(
				&generation, message->payload, NULL,
				c_name_of(model->arena, text_of(message->name), "event"), &notes);
		add_route(model, message, payload, &notes, &functions);
	}
	return view_work(&generation.work, 0);
}
