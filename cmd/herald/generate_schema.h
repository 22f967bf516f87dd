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

/* A larger object is a map. */
#define GENERATE_MAX_MEMBERS 1000

/* What a struct was made for: the same schemas can need several. */
enum made_as { MADE_STRUCT, MADE_WRAPPER, MADE_NULLABLE_WRAPPER, MADE_ENTRY, MADE_TAGGED };

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

/* The type of any value. `hint` is for the names of what is made for it. */
struct c_type
generate_type(struct generation *generation, const struct view *view, const char *hint);

/* Add a sentence to the comment of a type. */
void generate_note(struct generation *generation, struct c_type *type, const char *text);

/* The struct that was made of the same schemas, or NULL. */
struct c_struct *
generate_find_made(const struct generation *generation, const struct view *view, enum made_as as);

/* Begin a struct, so that what is in it can refer to it. */
struct c_struct *generate_begin_made(struct generation *generation, const struct view *view,
				     enum made_as as, const char *hint);

/* The name of a definition, or of the member. */
const char *
generate_name_of(struct generation *generation, const struct view *view, const char *hint);

/* Whether an object without alternatives becomes a struct. */
bool generate_is_struct(const struct view *view);

/* Objects (generate_object.c). */

struct c_struct *
generate_struct(struct generation *generation, const struct view *view, const char *hint);

/*
 * Add the members of a view.
 *
 * outer  the view of the same object with the alternatives, one of which this is; NULL: none.
 * tag    a member that is left out: it was added, or is elsewhere.
 */
void generate_members(struct generation *generation, const struct view *view,
		      const struct view *outer, struct herald_text tag, struct c_struct *out);

/* Whether a schema of a view allows no members but its own, all of which the struct has. Members of
 * the other schemas are never valid then, but may be in the struct. */
bool generate_is_closed(const struct view *view);

/* Whether there are values that a view does not allow. */
bool generate_says_something(const struct view *view, struct herald_arena *arena);

/* Add what a struct does not say of its object. */
void generate_note_object(struct generation *generation, const struct view *view,
			  struct memory_list *notes);

/* Name the members that are not in the struct, as they are never valid or have a NUL in their name.
 */
void generate_note_left_out(struct generation *generation, const struct view *view,
			    struct memory_list *notes);

/*
 * Name required members that no schema describes: they are not in the struct.
 *
 * outer   as in generate_members().
 * tagged  the cases of the view, which may describe them; NULL: none.
 */
void generate_note_required(struct generation *generation, const struct view *view,
			    const struct view *outer, const struct tagged *tagged,
			    struct memory_list *notes);

/* An object, with or without alternatives; NULL if it is not a struct (generate_cases.c). */
struct c_struct *
generate_object(struct generation *generation, const struct view *view, const char *hint);

/* Lists, arrays and maps, or raw JSON (generate_collection.c). */
struct c_type
generate_array(struct generation *generation, const struct view *view, const char *hint);
struct c_type
generate_map(struct generation *generation, const struct view *view, const char *hint);

/* A struct whose JSON is the value of its only member (generate_collection.c). */
struct c_struct *
generate_wrapper(struct generation *generation, const struct view *view, const char *hint);

/* What tells the alternatives of view->union_ apart (generate_union.c). Returns NULL, or why there
 * is nothing. */
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
