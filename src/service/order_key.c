/*
 * The keys of events: the members that routes name, checked once, and their values as text. The
 * store orders the events by them.
 */
#include "service/order_key.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <herald/arena.h>

#include "base/options.h"
#include "codec/kind.h"
#include "service/service.h"

/* The largest text of a number, with its NUL. */
#define NUMBER_BYTES 24

/* Checking the routes. */

static bool
is_integer(enum herald_kind kind)
{
	return kind >= HERALD_KIND_INT8 && kind <= HERALD_KIND_UINT64;
}

static bool
is_string(enum herald_kind kind)
{
	return kind == HERALD_KIND_STRING || kind == HERALD_KIND_TEXT || kind == HERALD_KIND_CHARS;
}

/* What has a name in a schema's JSON. */
struct found {
	struct herald__key_step step; /* field NULL: nothing */
	bool is_in_case;              /* the line counts for some values of a tag only */
};

/* Members of flat structs are in the same object. The codec has checked how deep they are. */
static struct found
find_field(const struct herald_schema *schema, const struct herald_text *name)
{
	for (size_t i = 0; i < schema->fields_count; i++) {
		const struct herald_field *field = &schema->fields[i];
		const char *key = field->key ? field->key : field->name;
		struct found found = {.step.field = NULL};

		if (field->flat) {
			found = find_field(field->schema, name);
			found.step.shift += field->offset;
		} else if (field->kind != HERALD_KIND_NONE && strlen(key) == name->bytes &&
			   memcmp(key, name->data, name->bytes) == 0) {
			found.step = (struct herald__key_step){field, 0};
		}
		if (found.step.field) {
			found.is_in_case = found.is_in_case || field->tag;
			return found;
		}
	}
	return (struct found){.step.field = NULL};
}

/* Returns why a field cannot be a key, or, unless it is the last one, on the way to a key; NULL: it
 * can. */
static const char *
field_problem(const struct found *found, bool is_last)
{
	const struct herald_field *field = found->step.field;

	/* For other tags, its bytes hold another member. */
	if (found->is_in_case)
		return "is a member of a tagged union's case";
	if (is_last && !is_string(field->kind) && !is_integer(field->kind) &&
	    field->kind != HERALD_KIND_ENUM)
		return "is not a string, an integer or an enum";
	if (!is_last && field->kind != HERALD_KIND_STRUCT && field->kind != HERALD_KIND_POINTER)
		return "is not a struct or a pointer to one";
	if (is_last && field->unknown.is_set && !herald__enum_name(field, field->unknown.value))
		return "is an enum whose HERALD_UNKNOWN value has no name, and a key needs its "
		       "name";
	/* Otherwise all events without it would have the key 0. */
	if (!herald__kind_is_pointer(field->kind) && !field->required && !field->optional)
		return "must be required or optional, so that a missing one is not taken for zero";
	return NULL;
}

/* A key that is checked: the route's option, and the schema in which it is looked for. */
struct search {
	const char *key;
	struct herald__option option;
	const struct herald_schema *schema;
	const char *version; /* of the schema, if it is an old one; NULL: the route's own */
};

static enum herald_status
walk(const struct search *search, const struct herald__pointer *pointer,
     struct herald__key_path *out, struct herald_error *error)
{
	const struct herald_schema *schema = search->schema;

	for (size_t i = 0; i < pointer->tokens_count; i++) {
		const struct herald_text *name = &pointer->tokens[i];
		const struct found found = find_field(schema, name);
		const bool is_last = i + 1 == pointer->tokens_count;
		const char *problem =
			found.step.field ? field_problem(&found, is_last) : "does not exist";

		if (problem)
			return herald__option_error(error, HERALD_BAD_OPTION, search->option,
						    "the member \"%.*s\" of struct %s%s%s%s %s",
						    (int)name->bytes, name->data, schema->name,
						    search->version ? " (version " : "",
						    search->version ? search->version : "",
						    search->version ? ")" : "", problem);
		out->steps[out->count++] = found.step;
		schema = found.step.field->schema;
	}
	return HERALD_OK;
}

/* "order_id" or "/customer/id". */
static enum herald_status
parse_key(struct herald_service *service, const struct search *search, struct herald__pointer *out,
	  struct herald_error *error)
{
	const char *problem;

	if (*search->key != '/') {
		out->tokens = herald__arena_array(service->arena, 1, sizeof(*out->tokens));
		if (!out->tokens)
			return herald_out_of_memory(error);
		out->tokens[0] = (struct herald_text){search->key, strlen(search->key)};
		out->tokens_count = 1;
		return HERALD_OK;
	}
	enum herald_status status =
		herald__pointer_parse(search->key, service->arena, out, &problem);
	if (status == HERALD_BAD_VALUE)
		return herald__option_error(error, HERALD_BAD_OPTION, search->option, "%s",
					    problem);
	return status == HERALD_OK ? HERALD_OK : herald_out_of_memory(error);
}

static enum herald_status
find_key(struct herald_service *service, const struct search *search, struct herald__key_path *out,
	 struct herald_error *error)
{
	struct herald__pointer pointer = {0};
	enum herald_status status = parse_key(service, search, &pointer, error);

	if (status != HERALD_OK)
		return status;
	if (search->schema == &herald_json_schema) {
		out->pointer = pointer;
		return pointer.text ? HERALD_OK
				    : herald__option_error(
					      error, HERALD_BAD_OPTION, search->option,
					      "the payload is any JSON: expected a JSON Pointer, "
					      "such as \"/order_id\"");
	}
	out->steps = herald__arena_array(service->arena, pointer.tokens_count, sizeof(*out->steps));
	return out->steps ? walk(search, &pointer, out, error) : herald_out_of_memory(error);
}

enum herald_status
herald__order_keys_init(struct herald_service *service, struct herald_error *error)
{
	struct herald__route_table *table = &service->table;
	enum herald_status status = HERALD_OK;

	for (size_t i = 0; i < table->routes_count && status == HERALD_OK; i++) {
		struct herald__route *route = &table->routes[i];

		const struct search search = {
			.key = route->declared.key,
			.option = {"routes", i, "key"},
			.schema = route->declared.schema,
		};

		if (search.key)
			status = find_key(service, &search, &route->key, error);
	}
	/* An old version is stored as it came, and converted when it runs. */
	for (size_t i = 0; i < table->upcasts_count && status == HERALD_OK; i++) {
		struct herald__upcast *upcast = &table->upcasts[i];
		const struct search search = {
			.key = upcast->route->declared.key,
			.option = {"routes", (size_t)(upcast->route - table->routes), "key"},
			.schema = upcast->declared.from_schema,
			.version = upcast->declared.from,
		};

		if (search.key)
			status = find_key(service, &search, &upcast->key, error);
	}
	return status;
}

/* Reading a key. */

static int64_t
read_signed(const struct herald_field *field, const void *at)
{
	switch (field->kind) {
	case HERALD_KIND_INT8:
		return *(const int8_t *)at;
	case HERALD_KIND_INT16:
		return *(const int16_t *)at;
	case HERALD_KIND_INT32:
		return *(const int32_t *)at;
	default:
		return *(const int64_t *)at;
	}
}

static uint64_t
read_unsigned(const struct herald_field *field, const void *at)
{
	switch (field->kind) {
	case HERALD_KIND_UINT8:
		return *(const uint8_t *)at;
	case HERALD_KIND_UINT16:
		return *(const uint16_t *)at;
	case HERALD_KIND_UINT32:
		return *(const uint32_t *)at;
	default:
		return *(const uint64_t *)at;
	}
}

/* A decoded enum has one of the names: field_problem() has checked the value of HERALD_UNKNOWN. */
static struct herald_text
read_enum(const struct herald_field *field, const void *at)
{
	const char *name = herald__enum_name(field, *(const int *)at);

	return name ? (struct herald_text){name, strlen(name)} : (struct herald_text){0};
}

/* A string in the payload, which lives as long as the event. data NULL: missing. */
static struct herald_text
read_string(const struct herald_field *field, const void *at)
{
	const char *string = at;

	if (field->kind == HERALD_KIND_TEXT)
		return *(const struct herald_text *)at;
	if (field->kind == HERALD_KIND_STRING)
		string = *(const char *const *)at;
	return (struct herald_text){string, string ? strlen(string) : 0};
}

static enum herald_status
read_integer(struct herald_context *ctx, const struct herald_field *field, const void *at,
	     struct herald_text *out, struct herald_error *error)
{
	char *text = herald_context_alloc(ctx, NUMBER_BYTES);

	if (!text)
		return herald__context_arena_status(ctx, error);
	int bytes = herald__kind_is_unsigned(field->kind)
			    ? snprintf(text, NUMBER_BYTES, "%" PRIu64, read_unsigned(field, at))
			    : snprintf(text, NUMBER_BYTES, "%" PRId64, read_signed(field, at));
	*out = (struct herald_text){text, (size_t)bytes};
	return HERALD_OK;
}

/* The member at the end of the path, or NULL if it is missing. */
static const char *
find_member(const struct herald__key_path *path, const char *at)
{
	for (size_t i = 0; i < path->count; i++) {
		const struct herald_field *field = path->steps[i].field;

		at += path->steps[i].shift;
		if (field->optional && !*(const bool *)(at + field->has_offset))
			return NULL;
		at += field->offset;
		if (field->kind == HERALD_KIND_POINTER)
			at = *(const char *const *)(const void *)at;
		if (!at)
			return NULL;
	}
	return at;
}

/* A payload that is any JSON. */
static enum herald_status
read_json(struct herald_context *ctx, const struct herald__pointer *pointer,
	  struct herald_text *out, struct herald_error *error)
{
	const struct herald_json *json = ctx->payload;
	struct herald__pointed pointed;
	const char *text = NULL;

	if (!json->data)
		return HERALD_OK;
	herald__pointer_find(pointer, json->data, json->bytes, &pointed);
	if (herald__pointed_text(&pointed.json, ctx->arena, &text) != HERALD_OK)
		return herald__context_arena_status(ctx, error);
	if (text)
		*out = (struct herald_text){text, strlen(text)};
	return HERALD_OK;
}

enum herald_status
herald__order_key(struct herald_context *ctx, struct herald_text *out, struct herald_error *error)
{
	const struct herald__key_path *path = ctx->upcast ? &ctx->upcast->key : &ctx->route->key;

	*out = (struct herald_text){0};
	if (path->pointer.text)
		return read_json(ctx, &path->pointer, out, error);
	const char *at = path->count > 0 ? find_member(path, ctx->payload) : NULL;
	if (!at)
		return HERALD_OK;

	const struct herald_field *field = path->steps[path->count - 1].field;
	if (is_integer(field->kind))
		return read_integer(ctx, field, at, out, error);
	*out = field->kind == HERALD_KIND_ENUM ? read_enum(field, at) : read_string(field, at);
	return HERALD_OK;
}
