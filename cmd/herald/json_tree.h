/*
 * A JSON document as a tree, whose members are found by name.
 */
#ifndef HERALD_CMD_JSON_TREE_H
#define HERALD_CMD_JSON_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/arena.h>
#include <herald/json.h>

/* How deep arrays and objects may be nested in documents that the tool reads. */
#define JSON_TREE_MAX_DEPTH 256

struct schema_place; /* schema_file.h */

/* A value. */
struct json_tree {
	enum herald_json_type type;
	struct herald_json json;           /* its text in the document */
	struct herald_text text;           /* of a string: its content, NUL-terminated */
	size_t count;                      /* of members or elements */
	const struct json_member *members; /* of an object, in input order */
	const struct json_tree *items;     /* of an array */
	const struct json_member **sorted; /* the members by name */
	struct schema_place **place;       /* of an object: where schema_file.c keeps its notes */
};

struct json_member {
	struct herald_text name;
	struct json_tree value;
};

/*
 * Read a document, which must be kept. Duplicate members are errors.
 *
 * out    in the arena; set only on success.
 * error  set only on failure.
 */
bool json_tree_read(struct herald_arena *arena, const char *data, size_t bytes,
		    const struct json_tree **out, struct herald_error *error);

/* The value of a member; NULL if there is none, or `tree` is NULL or not an object. */
const struct json_tree *json_tree_get(const struct json_tree *tree, const char *name);
const struct json_tree *json_tree_find(const struct json_tree *tree, struct herald_text name);

/* The content of a member that is a string; NULL if there is none. */
const char *json_tree_string(const struct json_tree *tree, const char *name);

/* The value of a member that is a whole number from 0; `missing` if there is none, and SIZE_MAX if
 * it is larger. */
size_t json_tree_count(const struct json_tree *tree, const char *name, size_t missing);

bool json_tree_is_true(const struct json_tree *tree);
bool json_tree_is_false(const struct json_tree *tree);

/* Whether two values are the same JSON: numbers by value, objects in any order. */
bool json_tree_equal(const struct json_tree *a, const struct json_tree *b);

bool json_texts_equal(struct herald_text a, struct herald_text b);
bool json_text_equal(struct herald_text text, const char *string);

/* Append a name to a JSON Pointer. */
char *json_pointer_add(struct herald_arena *arena, const char *pointer, struct herald_text name);

#endif
