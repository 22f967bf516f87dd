/*
 * Files with schemas: registers every schema with the resource that it belongs to, and resolves
 * references. Only files that were named are read; nothing is fetched. What keywords mean is
 * elsewhere.
 */
#include "schema_file.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/text.h>

#include "text.h"
#include "uri.h"

/* Where a schema is, while schemas are registered. */
struct spot {
	struct schema_files *files;
	struct schema_resource *resource;
	const char *pointer;
};

static bool add_schema(const struct spot *spot, const struct json_tree *schema);

bool
schema_fail(const struct schema_place *place, const char *keyword, const char *format, ...)
{
	va_list arguments;
	char reason[512];

	va_start(arguments, format);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it was begun a line above. */
	herald_text_write_list(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	fprintf(stderr, "herald: %s: ", place->resource->file);
	text_print_safe(stderr, text_of(place->pointer));
	if (keyword)
		fprintf(stderr, "/%s", keyword);
	if (keyword || *place->pointer != '\0')
		fprintf(stderr, ": ");
	text_print_safe(stderr, text_of(reason));
	fprintf(stderr, "\n");
	return false;
}

bool
schema_draft_read(const char *text, enum schema_draft *out)
{
	bool is_7 = strcmp(text, "7") == 0;

	*out = is_7 ? SCHEMA_DRAFT_7 : SCHEMA_2020_12;
	return is_7 || strcmp(text, "2020-12") == 0;
}

const struct schema_place *
schema_place_of(const struct json_tree *schema)
{
	return schema && schema->place ? *schema->place : NULL;
}

/* The draft of a resource; 0 if it is not supported. */
static unsigned
draft_of(const char *schema, enum schema_draft missing)
{
	static const struct {
		const char *name;
		enum schema_draft draft;
	} known[] = {
		{"json-schema.org/draft/2020-12/schema", SCHEMA_2020_12},
		{"json-schema.org/draft-07/schema", SCHEMA_DRAFT_7},
		{"json-schema.org/draft-06/schema", SCHEMA_DRAFT_7},
		{"json-schema.org/schema", SCHEMA_2020_12},
	};

	if (!schema)
		return missing;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const char *found = strstr(schema, known[i].name);
		const char *end = found ? found + strlen(known[i].name) : "x";

		if (found && (*end == '\0' || strcmp(end, "#") == 0))
			return known[i].draft;
	}
	return 0;
}

/* The first resource of a URI wins. */
static void
set_uri(struct schema_files *files, struct schema_resource *resource, const char *uri)
{
	resource->uri = uri;
	if (!memory_map_get(&files->by_uri, text_of(uri)))
		memory_map_set(files->arena, &files->by_uri, text_of(uri), resource);
}

static struct schema_resource *
add_resource(const struct spot *spot, const struct json_tree *root, const char *uri,
	     const char *file, enum schema_draft draft)
{
	struct schema_resource *resource = memory_take(spot->files->arena, sizeof(*resource));

	*resource = (struct schema_resource){.root = root, .draft = draft, .file = file};
	set_uri(spot->files, resource, uri);
	memory_list_add(spot->files->arena, &spot->files->resources, resource);
	return resource;
}

static bool
set_draft(const struct schema_files *files, struct schema_resource *resource, const char *pointer,
	  enum schema_draft missing)
{
	const char *schema = json_tree_string(resource->root, "$schema");
	unsigned draft = files->draft ? files->draft : draft_of(schema, missing);

	if (draft == 0)
		return schema_fail(&(struct schema_place){.resource = resource, .pointer = pointer},
				   "$schema",
				   "expected draft-07 or 2020-12, found \"%s\"; --draft says which "
				   "one to use instead",
				   schema);
	resource->draft = draft;
	return true;
}

static void
add_anchor(const struct spot *spot, const struct json_tree *schema, const char *name,
	   bool is_dynamic)
{
	struct schema_anchor *anchor = memory_take(spot->files->arena, sizeof(*anchor));

	*anchor = (struct schema_anchor){name, schema, is_dynamic};
	if (!schema_anchor_find(spot->resource, name))
		memory_map_set(spot->files->arena, &spot->resource->anchors, text_of(name), anchor);
}

/* Begin a resource where a schema has an $id. In draft-07, "#name" is an anchor. */
static bool
enter_resource(struct spot *spot, const struct json_tree *schema)
{
	const char *id = json_tree_string(schema, "$id");
	bool is_7 = spot->resource->draft == SCHEMA_DRAFT_7;

	if (!id || (is_7 && json_tree_get(schema, "$ref")))
		return true;
	char *uri = uri_resolve(spot->files->arena, spot->resource->uri, id);
	const char *fragment = uri_cut_fragment(uri);
	if (*id != '#') {
		enum schema_draft draft = spot->resource->draft;

		spot->resource = add_resource(spot, schema, uri, spot->resource->file, draft);
		if (!set_draft(spot->files, spot->resource, spot->pointer, draft))
			return false;
	}
	if (*fragment != '\0')
		add_anchor(spot, schema, fragment, false);
	return true;
}

bool
schema_is_schema(const struct json_tree *value)
{
	return value->type == HERALD_JSON_OBJECT || value->type == HERALD_JSON_BOOL;
}

static struct spot
spot_in(const struct spot *spot, struct herald_text name)
{
	return (struct spot){spot->files, spot->resource,
			     json_pointer_add(spot->files->arena, spot->pointer, name)};
}

/* Files are registered before they are checked: what is not a list has no schemas yet. */
static bool
add_items(const struct spot *spot, const struct json_tree *list)
{
	for (size_t i = 0; list->type == HERALD_JSON_ARRAY && i < list->count; i++) {
		char index[24];
		struct spot inner = spot_in(
			spot, (struct herald_text){
				      index, (size_t)snprintf(index, sizeof(index), "%zu", i)});

		if (!add_schema(&inner, &list->items[i]))
			return false;
	}
	return true;
}

static bool
add_members(const struct spot *spot, const struct json_tree *map)
{
	for (size_t i = 0; map->type == HERALD_JSON_OBJECT && i < map->count; i++) {
		struct spot inner = spot_in(spot, map->members[i].name);

		if (!add_schema(&inner, &map->members[i].value))
			return false;
	}
	return true;
}

/* Register the schemas in the value of a keyword. */
static bool
add_inside(const struct spot *spot, const struct json_member *member)
{
	const struct schema_keyword *keyword = schema_keyword_find(member->name);
	struct spot inner = spot_in(spot, member->name);

	if (!keyword || !(keyword->drafts & spot->resource->draft))
		return true;
	if (strncmp(keyword->name, "unevaluated", 11) == 0)
		spot->files->has_unevaluated = true;
	switch (keyword->inside) {
	case SCHEMA_INSIDE_ONE:
		if (member->value.type != HERALD_JSON_ARRAY)
			return add_schema(&inner, &member->value);
		return add_items(&inner, &member->value);
	case SCHEMA_INSIDE_LIST:
		return add_items(&inner, &member->value);
	case SCHEMA_INSIDE_MAP:
		return add_members(&inner, &member->value);
	default:
		return true;
	}
}

static bool
add_schema(const struct spot *outer, const struct json_tree *schema)
{
	struct spot spot = *outer;

	assert(spot.resource);
	if (schema->type != HERALD_JSON_OBJECT || *schema->place)
		return true;
	/* The $id of the file itself was read by schema_files_add(). */
	if (schema != spot.resource->root && !enter_resource(&spot, schema))
		return false;
	struct schema_place *place = memory_take(spot.files->arena, sizeof(*place));
	*place = (struct schema_place){.resource = spot.resource, .pointer = spot.pointer};
	*schema->place = place;
	if (spot.resource->draft == SCHEMA_DRAFT_7 && json_tree_get(schema, "$ref")) {
		/* Its siblings are ignored, but definitions among them can be referred to. */
		const struct json_tree *definitions = json_tree_get(schema, "definitions");
		struct spot inner = spot_in(&spot, text_of("definitions"));

		return !definitions || add_members(&inner, definitions);
	}
	if (spot.resource->draft == SCHEMA_2020_12) {
		const char *anchor = json_tree_string(schema, "$anchor");
		const char *dynamic = json_tree_string(schema, "$dynamicAnchor");

		if (anchor)
			add_anchor(&spot, schema, anchor, false);
		if (dynamic)
			add_anchor(&spot, schema, dynamic, true);
	}
	for (size_t i = 0; i < schema->count; i++)
		if (!add_inside(&spot, &schema->members[i]))
			return false;
	return true;
}

void
schema_files_add_document(struct schema_files *files, const struct document *document,
			  enum schema_draft draft)
{
	add_resource(&(struct spot){.files = files}, document->root,
		     uri_of_file(files->arena, document->path), document->path, draft);
}

bool
schema_files_add(struct schema_files *files, const struct document *document,
		 enum schema_draft missing)
{
	struct spot spot = {files, NULL, ""};
	const struct json_tree *root = document->root;
	const char *uri = uri_of_file(files->arena, document->path);

	spot.resource = add_resource(&spot, root, uri, document->path, missing);
	if (!schema_is_schema(root))
		return schema_fail(&(struct schema_place){.resource = spot.resource, .pointer = ""},
				   NULL, "expected a schema, which is an object, true or false");
	if (!set_draft(files, spot.resource, "", missing))
		return false;
	/* A file has the URI of its $id, and the one of its path. */
	const char *id = json_tree_string(root, "$id");
	if (id && *id != '#' &&
	    !(spot.resource->draft == SCHEMA_DRAFT_7 && json_tree_get(root, "$ref"))) {
		char *own = uri_resolve(files->arena, uri, id);

		uri_cut_fragment(own);
		set_uri(files, spot.resource, own);
		add_resource(&spot, root, uri, document->path, spot.resource->draft);
	} else if (id && *id == '#') {
		add_anchor(&spot, root, id + 1, false);
	}
	return add_schema(&spot, root);
}

/* A resource by its URI. */
static const struct schema_resource *
find_resource(const struct schema_files *files, const char *uri)
{
	const struct schema_resource *resource = memory_map_get(&files->by_uri, text_of(uri));

	/* By the path of its file it is another one, without anchors. */
	return resource && schema_place_of(resource->root)
		       ? schema_place_of(resource->root)->resource
		       : resource;
}

const struct schema_anchor *
schema_anchor_find(const struct schema_resource *resource, const char *name)
{
	return memory_map_get(&resource->anchors, text_of(name));
}

/* The element of an array with this number; NULL if there is none. */
static const struct json_tree *
item_at(const struct json_tree *array, struct herald_text name)
{
	size_t index = 0;

	if (name.bytes == 0 || name.bytes > 9 || (name.bytes > 1 && name.data[0] == '0'))
		return NULL;
	for (size_t i = 0; i < name.bytes; i++) {
		if (name.data[i] < '0' || name.data[i] > '9')
			return NULL;
		index = index * 10 + (size_t)(name.data[i] - '0');
	}
	return index < array->count ? &array->items[index] : NULL;
}

/* Follow a JSON Pointer from the root of a resource. What is found is registered as a schema. */
static const struct json_tree *
follow(struct schema_files *files, const struct schema_resource *resource, const char *pointer)
{
	const struct json_tree *at = resource->root;
	char *rest = memory_copy(files->arena, pointer, strlen(pointer));
	struct herald_text name;

	while (at && uri_pointer_next(&rest, &name)) {
		at = at->type == HERALD_JSON_ARRAY ? item_at(at, name) : json_tree_find(at, name);
		if (schema_place_of(at))
			resource = schema_place_of(at)->resource;
	}
	if (!at || *rest != '\0')
		return NULL;
	struct spot spot = {files, (struct schema_resource *)resource, pointer};
	return add_schema(&spot, at) ? at : NULL;
}

const struct json_tree *
schema_files_find(struct schema_files *files, const char *pointer)
{
	return follow(files, files->resources.items[files->resources.count - 1], pointer);
}

/*
 * What a reference in a schema refers to; NULL if it is in none of the files.
 *
 * dynamic  may be NULL; set to the $dynamicAnchor that the reference names, or to NULL.
 */
static const struct json_tree *
resolve(struct schema_files *files, const struct json_tree *schema, const char *reference,
	const struct schema_anchor **dynamic)
{
	const struct schema_place *place = schema_place_of(schema);
	char *uri = uri_resolve(files->arena, place->resource->uri, reference);
	const char *fragment = uri_cut_fragment(uri);
	const struct schema_resource *resource = strcmp(uri, place->resource->uri) == 0
							 ? place->resource
							 : find_resource(files, uri);

	if (!resource) {
		/* What its $id says is elsewhere may be the file next to it. */
		uri = uri_resolve(files->arena, uri_of_file(files->arena, place->resource->file),
				  reference);
		fragment = uri_cut_fragment(uri);
		resource = find_resource(files, uri);
	}

	if (dynamic)
		*dynamic = NULL;
	if (!resource)
		return NULL;
	if (*fragment == '\0' || *fragment == '/')
		return follow(files, resource, fragment);
	const struct schema_anchor *anchor = schema_anchor_find(resource, fragment);
	if (dynamic && anchor && anchor->is_dynamic)
		*dynamic = anchor;
	return anchor ? anchor->schema : NULL;
}

const struct json_tree *
schema_ref(struct schema_files *files, const struct json_tree *schema)
{
	const char *reference = json_tree_string(schema, "$ref");

	if (!reference || !schema_place_of(schema))
		return NULL;
	if (!(*schema->place)->ref)
		(*schema->place)->ref = resolve(files, schema, reference, NULL);
	return (*schema->place)->ref;
}

const struct json_tree *
schema_dynamic_ref(struct schema_files *files, const struct json_tree *schema,
		   const struct schema_anchor **dynamic)
{
	const char *reference = json_tree_string(schema, "$dynamicRef");

	if (!reference || !schema_place_of(schema))
		return NULL;
	struct schema_place *place = *schema->place;
	if (!place->dynamic_ref)
		place->dynamic_ref = resolve(files, schema, reference, &place->dynamic);
	if (dynamic)
		*dynamic = place->dynamic;
	return place->dynamic_ref;
}
