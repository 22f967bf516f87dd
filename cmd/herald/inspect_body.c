/*
 * JSON of any shape: the members of a body, and the texts in it. Prints nothing.
 */
#include <stdint.h>
#include <string.h>

#include "reading.h"

/* A JSON object becomes a map by decoding it as a member of this. */
struct wrapper {
	struct herald_json_map members;
};

HERALD_SCHEMA(wrapper, HERALD_FIELD(wrapper, members));

enum herald_status
body_codecs_create(struct inspector *inspector, struct herald_error *error)
{
	enum herald_status status =
		herald_codec_create(&wrapper_schema, NULL, NULL, &inspector->wrapper, error);

	if (status == HERALD_OK)
		status = herald_codec_create(&herald_json_schema, NULL, NULL, &inspector->json,
					     error);
	return status;
}

/* Decode a JSON object, which must be valid JSON: then nothing in it can end the wrapper. The text
 * is not modified. HERALD_BAD_TYPE: it is not an object. */
static enum herald_status
decode_members(struct inspector *inspector, struct herald_text json, struct herald_json_map *out,
	       struct herald_error *error)
{
	static const char key[] = "{\"members\":", path[] = "/members";
	const size_t before = sizeof(key) - 1, bytes = before + json.bytes + 1;
	char *text = herald_arena_alloc(inspector->arena, bytes);
	struct wrapper wrapper = {.members = {NULL, 0}};

	if (!text)
		return herald_error_set(error, HERALD_NO_MEMORY, HERALD_NO_OFFSET, "out of memory");
	memcpy(text, key, before);
	memcpy(text + before, json.data, json.bytes);
	text[bytes - 1] = '}';
	enum herald_status status = herald_codec_decode(inspector->wrapper, text, bytes,
							inspector->arena, &wrapper, error);
	if (status == HERALD_OK) {
		*out = wrapper.members;
		return status;
	}
	if (error->offset != HERALD_NO_OFFSET)
		error->offset -= error->offset > before ? before : error->offset;
	if (strncmp(error->path, path, sizeof(path) - 1) == 0)
		memmove(error->path, error->path + sizeof(path) - 1,
			strlen(error->path) - (sizeof(path) - 1) + 1);
	return status;
}

enum herald_status
body_check_json(struct inspector *inspector, struct herald_text json, struct herald_error *error)
{
	struct herald_json value;

	/* Raw JSON is not changed. */
	return herald_codec_decode(inspector->json, (char *)(uintptr_t)json.data, json.bytes,
				   inspector->arena, &value, error);
}

struct herald_text
reading_body(const struct reading *reading)
{
	return (struct herald_text){reading->request->body, reading->request->body_bytes};
}

const struct herald_json_map *
reading_members(struct reading *reading)
{
	struct body *body = &reading->body;

	if (!body->is_read) {
		body->is_read = true;
		body->status =
			body_check_json(reading->inspector, reading_body(reading), &body->error);
		if (body->status == HERALD_OK)
			body->status = decode_members(reading->inspector, reading_body(reading),
						      &body->members, &body->error);
		if (body->status == HERALD_OK && !body->members.pairs)
			body->status = herald_error_set(&body->error, HERALD_BAD_TYPE, 0,
							"expected an object, found null");
	}
	return body->status == HERALD_OK ? &body->members : NULL;
}

/* The key that a part of a JSON Pointer is: "~1" is '/', "~0" is '~' (RFC 6901 section 4). */
static char *
pointer_key(struct inspector *inspector, const char *part, size_t bytes)
{
	char *key = herald_arena_copy(inspector->arena, part, bytes);
	char *to = key;

	for (const char *from = key; from && *from != '\0'; from++)
		*to++ = *from != '~' ? *from : *++from == '1' ? '/' : '~';
	if (to)
		*to = '\0';
	return key;
}

const char *
reading_text_at(struct reading *reading, const char *pointer)
{
	const struct herald_json_map *members = reading_members(reading);
	struct herald_json_map inner;

	while (members && *pointer == '/') {
		size_t bytes = strcspn(pointer + 1, "/");
		char *key = pointer_key(reading->inspector, pointer + 1, bytes);
		const struct herald_json_pair *pair =
			key ? herald_json_map_find(members, key) : NULL;
		struct herald_error error;

		pointer += 1 + bytes;
		if (!pair || *pointer == '\0')
			return pair && pair->text && *pair->text != '\0' ? pair->text : NULL;
		if (!pair->json.data)
			return NULL;
		const struct herald_text json = {pair->json.data, pair->json.bytes};
		members = decode_members(reading->inspector, json, &inner, &error) == HERALD_OK
				  ? &inner
				  : NULL;
	}
	return NULL;
}
