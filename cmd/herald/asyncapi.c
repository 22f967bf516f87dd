/*
 * Finds the messages of AsyncAPI documents. Their payloads are schemas, of which others take care.
 */
#include "asyncapi.h"

#include <stdio.h>
#include <string.h>

#include "text.h"
#include "uri.h"

struct reading {
	struct schema_files *files;
	const char *path;
	const struct json_tree *root;
	struct memory_list *out;
	struct memory_list found; /* messages that were collected (struct json_tree) */
	bool has_message_ids;     /* version 2 */
};

/* A value and its JSON Pointer. */
struct place {
	const struct json_tree *value;
	const char *pointer;
};

static bool
fail(const struct reading *reading, const char *pointer, const char *reason, const char *detail)
{
	fprintf(stderr, "herald: %s: ", reading->path);
	text_print_safe(stderr, text_of(pointer));
	fprintf(stderr, ": %s", reason);
	text_print_safe(stderr, text_of(detail));
	fprintf(stderr, "\n");
	return false;
}

bool
asyncapi_is(const struct json_tree *document)
{
	return json_tree_string(document, "asyncapi") != NULL;
}

static struct place
place_in(const struct reading *reading, struct place outer, const char *name)
{
	return (struct place){
		json_tree_get(outer.value, name),
		json_pointer_add(reading->files->arena, outer.pointer, text_of(name)),
	};
}

/* A place whose members are looked at is empty, or an object. */
static bool
check_object(const struct reading *reading, struct place place)
{
	return !place.value || place.value->type == HERALD_JSON_OBJECT ||
	       fail(reading, place.pointer, "expected an object", "");
}

/* Follow references within the document, up to 16 in a row. */
static bool
dereference(const struct reading *reading, struct place *place)
{
	for (int i = 0; i < 16; i++) {
		const char *ref = json_tree_string(place->value, "$ref");
		struct herald_text name;

		if (!ref)
			return true;
		if (strncmp(ref, "#/", 2) != 0)
			return fail(reading, place->pointer,
				    "expected a reference within the document, found ", ref);
		char *uri = memory_copy(reading->files->arena, ref, strlen(ref));
		char *rest = uri_cut_fragment(uri);
		place->pointer = memory_copy(reading->files->arena, rest, strlen(rest));
		place->value = reading->root;
		while (uri_pointer_next(&rest, &name))
			place->value = json_tree_find(place->value, name);
		if (!place->value)
			return fail(reading, place->pointer, "nothing is there, for ", ref);
	}
	return fail(reading, place->pointer, "references go round in a circle", "");
}

/* Whether a payload is JSON Schema, by its schemaFormat. */
static bool
is_json_schema(const char *format)
{
	return !format || strncmp(format, "application/vnd.aai.asyncapi", 28) == 0 ||
	       strncmp(format, "application/schema+", 19) == 0;
}

/* Set the payload of a message, or the format of what is not JSON Schema. */
static bool
find_payload(const struct reading *reading, struct place message, struct asyncapi_message *out)
{
	struct place payload = place_in(reading, message, "payload");
	const char *format = json_tree_string(message.value, "schemaFormat");

	if (!payload.value)
		return true;
	if (json_tree_get(payload.value, "schemaFormat") &&
	    json_tree_get(payload.value, "schema")) {
		format = json_tree_string(payload.value, "schemaFormat");
		payload = place_in(reading, payload, "schema");
	}
	if (!is_json_schema(format)) {
		out->format = format;
		return true;
	}
	out->payload = schema_files_find(reading->files, payload.pointer);
	if (!out->payload)
		return fail(reading, payload.pointer, "the payload cannot be read", "");
	return schema_is_schema(out->payload) ||
	       fail(reading, payload.pointer,
		    "expected a schema, which is an object, true or false", "");
}

/* The name of a message in /components/messages; NULL if it is elsewhere. */
static const char *
component_name(const struct reading *reading, const char *pointer)
{
	static const char folder[] = "/components/messages";
	struct herald_text name;

	if (strncmp(pointer, folder, sizeof(folder) - 1) != 0)
		return NULL;
	char *rest = memory_copy(reading->files->arena, pointer, strlen(pointer));
	rest += sizeof(folder) - 1;
	return uri_pointer_next(&rest, &name) && *rest == '\0'
		       ? memory_copy(reading->files->arena, name.data, name.bytes)
		       : NULL;
}

/* Collect one message, unless it was collected before. */
static bool
add_message(struct reading *reading, struct place message, const char *key)
{
	if (!dereference(reading, &message) || !check_object(reading, message))
		return false;
	for (size_t i = 0; i < reading->found.count; i++)
		if (reading->found.items[i] == message.value)
			return true;
	memory_list_add(reading->files->arena, &reading->found, message.value);
	struct asyncapi_message *out = memory_take(reading->files->arena, sizeof(*out));
	if (!find_payload(reading, message, out))
		return false;
	const char *name = json_tree_string(message.value, "name");
	const char *id =
		reading->has_message_ids ? json_tree_string(message.value, "messageId") : NULL;
	const char *doc = json_tree_string(message.value, "description");
	const char *summary = json_tree_string(message.value, "summary");
	const char *component = component_name(reading, message.pointer);
	/* The key in components is a name; the key in a channel is, in version 3. */
	if (component)
		key = component;
	out->type = name ? name : id ? id : key;
	out->name = component ? component : out->type;
	out->doc = doc ? doc : summary;
	memory_list_add(reading->files->arena, reading->out, out);
	return true;
}

static bool
add_map(struct reading *reading, struct place messages)
{
	if (!check_object(reading, messages))
		return false;
	for (size_t i = 0; messages.value && i < messages.value->count; i++) {
		const struct json_member *member = &messages.value->members[i];
		struct place message = {
			&member->value,
			json_pointer_add(reading->files->arena, messages.pointer, member->name),
		};

		if (!add_message(reading, message, member->name.data))
			return false;
	}
	return true;
}

/* Version 2: "publish" and "subscribe" of a channel, with one message or "oneOf" several. */
static bool
add_operation(struct reading *reading, struct place operation, const char *channel)
{
	struct place message = place_in(reading, operation, "message");
	struct place list = place_in(reading, message, "oneOf");

	if (!check_object(reading, operation))
		return false;
	if (!message.value)
		return true;
	if (!list.value)
		return add_message(reading, message, channel);
	if (list.value->type != HERALD_JSON_ARRAY)
		return fail(reading, list.pointer, "expected an array", "");
	for (size_t i = 0; i < list.value->count; i++) {
		struct place item = {
			&list.value->items[i],
			memory_print(reading->files->arena, "%s/%zu", list.pointer, i),
		};

		if (!add_message(reading, item, channel))
			return false;
	}
	return true;
}

static bool
add_channel(struct reading *reading, struct place channel, const char *name)
{
	return dereference(reading, &channel) && check_object(reading, channel) &&
	       add_map(reading, place_in(reading, channel, "messages")) &&
	       add_operation(reading, place_in(reading, channel, "publish"), name) &&
	       add_operation(reading, place_in(reading, channel, "subscribe"), name);
}

bool
asyncapi_read(struct schema_files *files, const struct document *document, struct memory_list *out)
{
	const struct json_tree *root = document->root;
	struct reading reading = {.files = files, .path = document->path, .root = root, .out = out};
	const struct place whole = {root, ""};
	const char *version = json_tree_string(root, "asyncapi");

	if (strncmp(version, "2.", 2) != 0 && strncmp(version, "3.", 2) != 0)
		return fail(&reading, "/asyncapi", "expected version 2 or 3, found ", version);
	reading.has_message_ids = *version == '2';
	schema_files_add_document(files, document, files->draft ? files->draft : SCHEMA_DRAFT_7);
	struct place channels = place_in(&reading, whole, "channels");
	if (!check_object(&reading, channels))
		return false;
	for (size_t i = 0; channels.value && i < channels.value->count; i++) {
		const struct json_member *member = &channels.value->members[i];
		struct place channel = {
			&member->value,
			json_pointer_add(files->arena, channels.pointer, member->name),
		};

		if (!add_channel(&reading, channel, member->name.data))
			return false;
	}
	struct place components = place_in(&reading, whole, "components");
	return check_object(&reading, components) &&
	       add_map(&reading, place_in(&reading, components, "messages"));
}
