/*
 * Shared by the files that make structs of schemas.
 */
#ifndef HERALD_CMD_GENERATE_SCHEMA_H
#define HERALD_CMD_GENERATE_SCHEMA_H

#include "c_model.h"
#include "generate_view.h"

struct generation {
	struct c_model *model;
	struct schema_files *files;
	struct view_work work;
	struct memory_map made;  /* struct c_struct, by the schemas that it was made of */
	struct memory_map enums; /* struct c_enum, by its names */
	const char *root_name;   /* of the next struct; NULL: by its hint */
	unsigned depth;
};

/* An alternative of a tagged union. */
struct tagged_case {
	const struct json_tree *schema;
	struct view view;
	struct memory_list values; /* of the tag, struct herald_text */
};

struct tagged {
	struct herald_text tag;   /* the member that tells them apart */
	bool is_numeric;          /* its values are integers, as C writes them */
	struct memory_list cases; /* struct tagged_case */
};

/* What tells the alternatives of view->union_ apart. Returns NULL, or why there is nothing. */
const char *
generate_tagged(struct generation *generation, const struct view *view, struct tagged *out);

/* The strings (struct herald_text) that every enum, const and union allows. Returns whether there
 * is any of these. */
bool
generate_names(struct generation *generation, const struct view *view, struct memory_list *out);

/* The integers (struct herald_text), as C writes them, that every enum, const and union allows.
 * Returns false if there is none of these, or one of them is not an int. */
bool
generate_integers(struct generation *generation, const struct view *view, struct memory_list *out);

/* An enum with these names, or numbers as JSON writes them, which others may share. */
const struct c_enum *
generate_enum(struct generation *generation, const struct view *view,
	      const struct memory_list *names, bool are_numbers, const char *hint);

/* Convert a number (generate_number.c). */
void generate_integer(struct generation *generation, const struct view *view, const char *hint,
		      struct c_type *out);
void generate_real(struct generation *generation, const struct view *view, struct c_type *out);

/* Convert a string, a number or a boolean. Returns false if it is something else. */
bool generate_value(struct generation *generation, const struct view *view, const char *hint,
		    struct c_type *out);

#endif
