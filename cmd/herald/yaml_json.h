/*
 * YAML files, which are read as JSON.
 */
#ifndef HERALD_CMD_YAML_JSON_H
#define HERALD_CMD_YAML_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/arena.h>
#include <herald/status.h>

/* Whether a file is YAML: by its name, .yaml or .yml. */
bool yaml_is(const char *path);

/*
 * Convert YAML to JSON. Scalars are read by YAML's core schema: null, true, false, numbers; others
 * are strings. Keys become strings.
 *
 * data, bytes  the YAML; then the JSON, in the arena.
 * error        set on failure.
 */
bool
yaml_to_json(struct herald_arena *arena, char **data, size_t *bytes, struct herald_error *error);

#endif
