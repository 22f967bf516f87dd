/*
 * Files with JSON Schemas: their drafts, their $id and anchors, and what a $ref refers to.
 */
#ifndef HERALD_CMD_SCHEMA_FILE_H
#define HERALD_CMD_SCHEMA_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/export.h>

#include "document.h"
#include "memory_map.h"

/* Bits, so that a keyword can have several. */
enum schema_draft {
	SCHEMA_DRAFT_7 = 1 << 0, /* also draft-06, which has nothing that draft-07 has not */
	SCHEMA_2020_12 = 1 << 1,
	SCHEMA_ALL = SCHEMA_DRAFT_7 | SCHEMA_2020_12,
};

/* A schema that has a URI: a file, or a part of one with an $id. */
struct schema_resource {
	const char *uri; /* without a fragment */
	const struct json_tree *root;
	enum schema_draft draft;
	const char *file;          /* its name */
	struct memory_map anchors; /* struct schema_anchor, by its name */
};

struct schema_anchor {
	const char *name;
	const struct json_tree *schema;
	bool is_dynamic;
};

/* What is known of a schema in a file. */
struct schema_place {
	const struct schema_resource *resource;
	const char *pointer;                 /* in its file, for messages */
	const struct json_tree *ref;         /* what its $ref refers to; NULL: not looked up yet */
	const struct json_tree *dynamic_ref; /* the same of $dynamicRef */
	const struct schema_anchor *dynamic; /* the $dynamicAnchor there; NULL: another anchor */
	bool is_checked;                     /* by schema_check() */
};

struct schema_files {
	struct herald_arena *arena;
	enum schema_draft draft; /* of --draft; 0: the one that $schema says */
	struct memory_list resources;
	struct memory_map by_uri; /* the first struct schema_resource of each URI */
	bool has_unevaluated;     /* unevaluatedProperties or unevaluatedItems is used */
	bool is_guessed;          /* nobody said that the first file is a schema, not a sample */
};

/* Which schemas a keyword holds. */
enum schema_inside {
	SCHEMA_INSIDE_NONE,
	SCHEMA_INSIDE_ONE,
	SCHEMA_INSIDE_LIST,
	SCHEMA_INSIDE_MAP,
};

struct schema_keyword {
	const char *name;
	unsigned drafts;
	enum schema_inside inside;
	const char
		*expected; /* types of its value: initials of bool, number, string, array, object */
};

/* A keyword of any draft; NULL if it is unknown. */
const struct schema_keyword *schema_keyword_find(struct herald_text name);

/* Read the value of --draft: 7 or 2020-12. */
bool schema_draft_read(const char *text, enum schema_draft *out);

/*
 * Register the schemas of a file, so that others can refer to them. Prints to stderr why it failed.
 *
 * missing  the draft if there is no $schema.
 */
bool schema_files_add(struct schema_files *files, const struct document *document,
		      enum schema_draft missing);

/* Register a document that is not a schema itself. Schemas in it are registered when they are
 * referred to. */
void schema_files_add_document(struct schema_files *files, const struct document *document,
			       enum schema_draft draft);

/* The schema at a JSON Pointer in a document of schema_files_add_document(), the last one. */
const struct json_tree *schema_files_find(struct schema_files *files, const char *pointer);

/*
 * Check a schema, those in it, and those that they refer to: that references lead to something, and
 * the values of keywords. Prints to stderr what is wrong, and which keywords are unknown.
 */
bool schema_check(struct schema_files *files, const struct json_tree *schema);

/* The place of a schema that was registered; NULL of others, and of true and false. */
const struct schema_place *schema_place_of(const struct json_tree *schema);

/* Whether a value can be a schema: an object, true or false. */
bool schema_is_schema(const struct json_tree *value);

/*
 * What the $ref of a schema refers to; NULL if there is none, or it is in none of the files.
 * schema_check() refuses a reference to something else than a schema.
 */
const struct json_tree *schema_ref(struct schema_files *files, const struct json_tree *schema);

/*
 * The same of $dynamicRef.
 *
 * dynamic  may be NULL; set to the $dynamicAnchor that the reference names, or to NULL.
 */
const struct json_tree *
schema_dynamic_ref(struct schema_files *files, const struct json_tree *schema,
		   const struct schema_anchor **dynamic);

/* An anchor of a resource; NULL if it has no such. */
const struct schema_anchor *
schema_anchor_find(const struct schema_resource *resource, const char *name);

/* Print "herald: FILE: POINTER: REASON" to stderr. Returns false. */
HERALD_PRINTF(3, 4)
bool schema_fail(const struct schema_place *place, const char *keyword, const char *format, ...);

#endif
