/*
 * The schemas of a document and their names. Structs of several source files may have the same
 * name, and C++ names have colons, so names are made unique, and harmless in a JSON Pointer and in
 * a URI.
 */
#include "codec/definitions.h"

#include <stdio.h>
#include <string.h>

static bool
is_name_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || byte == '.' || byte == '_' || byte == '-';
}

/* More than the digits of the number, '_' and a NUL. */
#define NUMBER_ROOM 24

const char *
herald__unique_name(struct herald_arena *arena, const char *text,
		    bool (*is_taken)(const char *name, const void *state), const void *state)
{
	size_t bytes = strlen(text);
	char *name = herald_arena_alloc(arena, bytes + NUMBER_ROOM);

	if (!name)
		return NULL;
	memcpy(name, text, bytes + 1);
	for (char *at = name; *at; at++)
		if (!is_name_byte(*at))
			*at = '_';
	for (unsigned number = 2; is_taken(name, state); number++)
		snprintf(name + bytes, NUMBER_ROOM, "_%u", number);
	return name;
}

static bool
is_defined(const char *name, const void *state)
{
	const struct herald__definitions *definitions = state;

	for (size_t i = 0; i < definitions->count; i++)
		if (strcmp(definitions->all[i].name, name) == 0)
			return true;
	return false;
}

static bool
reserve(struct herald__definitions *definitions)
{
	size_t capacity = definitions->capacity * 2 + 8;
	struct herald__definition *all;

	if (definitions->count < definitions->capacity)
		return true;
	if (!(all = herald_arena_alloc(definitions->arena, capacity * sizeof(*all))))
		return false;
	if (definitions->count > 0)
		memcpy(all, definitions->all, definitions->count * sizeof(*all));
	definitions->all = all;
	definitions->capacity = capacity;
	return true;
}

bool
herald__definitions_add(struct herald__definitions *definitions, const struct herald_codec *codec)
{
	for (const struct herald__plan *plan = codec->plans; plan; plan = plan->next) {
		const char *name;

		if (herald__definitions_find(definitions, plan->schema))
			continue;
		if (!reserve(definitions) ||
		    !(name = herald__unique_name(definitions->arena, plan->schema->name, is_defined,
						 definitions)))
			return false;
		definitions->all[definitions->count++] = (struct herald__definition){plan, name};
	}
	return true;
}

const struct herald__definition *
herald__definitions_find(const struct herald__definitions *definitions,
			 const struct herald_schema *schema)
{
	for (size_t i = 0; i < definitions->count; i++)
		if (definitions->all[i].plan->schema == schema)
			return &definitions->all[i];
	return NULL;
}
