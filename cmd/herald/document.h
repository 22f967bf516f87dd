/*
 * Files with a JSON document, or with YAML.
 */
#ifndef HERALD_CMD_DOCUMENT_H
#define HERALD_CMD_DOCUMENT_H

#include <stdbool.h>

#include "json_tree.h"

struct document {
	const char *path;
	const char *text; /* JSON, also of YAML; offsets count from here */
	const struct json_tree *root;
};

/*
 * Read a file, "-" for standard input.
 *
 * error    set if the file could be read, but is not valid.
 * Returns  false on failure. If the file cannot be read, why is printed to stderr, and
 *          error->status is HERALD_SYSTEM.
 */
bool document_read(struct herald_arena *arena, const char *path, struct document *out,
		   struct herald_error *error);

/* The same; all that is wrong is printed to stderr. */
bool document_read_or_print(struct herald_arena *arena, const char *path, struct document *out);

#endif
