/*
 * Reads files with JSON or YAML as trees. Knows nothing of schemas.
 */
#include "document.h"

#include <stdio.h>

#include "input.h"
#include "tool_memory.h"
#include "yaml_json.h"

bool
document_read(struct herald_arena *arena, const char *path, struct document *out,
	      struct herald_error *error)
{
	struct herald_buffer text;

	herald_buffer_init(&text, NULL, 0);
	if (!input_read(path, &text)) {
		herald_buffer_finish(&text);
		herald_error_set(error, HERALD_SYSTEM, HERALD_NO_OFFSET, "cannot be read");
		return false;
	}
	char *data = memory_copy(arena, text.data, text.bytes);
	size_t bytes = text.bytes;
	herald_buffer_finish(&text);
	if (yaml_is(path) && !yaml_to_json(arena, &data, &bytes, error))
		return false;
	*out = (struct document){.path = path, .text = data};
	return json_tree_read(arena, data, bytes, &out->root, error);
}

bool
document_read_or_print(struct herald_arena *arena, const char *path, struct document *out)
{
	struct herald_error error;

	if (document_read(arena, path, out, &error))
		return true;
	if (error.status != HERALD_SYSTEM) {
		fprintf(stderr, "herald: ");
		herald_error_print(stderr, path, &error);
	}
	return false;
}
