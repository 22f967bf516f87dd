/*
 * What several schemas say of one value: a schema with its $ref and allOf, as one list.
 */
#ifndef HERALD_CMD_GENERATE_VIEW_H
#define HERALD_CMD_GENERATE_VIEW_H

#include "memory_map.h"
#include "schema_file.h"

/* Bits of the types that a value can have. */
enum view_type {
	VIEW_NULL = 1 << 0,
	VIEW_BOOL = 1 << 1,
	VIEW_INTEGER = 1 << 2,
	VIEW_NUMBER = 1 << 3, /* with VIEW_INTEGER */
	VIEW_STRING = 1 << 4,
	VIEW_ARRAY = 1 << 5,
	VIEW_OBJECT = 1 << 6,
	VIEW_ANY = (1 << 7) - 1,
};

#define VIEW_MAX_SCHEMAS 64

/* How much work views have been, for all of them: schemas can refer to each other in more ways than
 * there is time for. */
struct view_work {
	uint64_t steps, max_steps; /* schemas that were visited, members and alternatives */
	size_t looks;              /* alternatives that were looked at, for the value at hand */
};

struct view {
	struct schema_files *files;
	struct view_work *work;
	const struct json_tree *schemas[VIEW_MAX_SCHEMAS]; /* all must hold */
	size_t count;
	struct memory_list skipped;     /* anyOf and oneOf that are looked at elsewhere */
	const struct json_tree *union_; /* the anyOf or oneOf that is not resolved; NULL: none */
	const char *union_name;
	unsigned unions;           /* how many of them there are */
	struct memory_map visited; /* also those that say nothing themselves, by their `place` */
	struct memory_list values; /* of anyOf and oneOf: their const and enum, struct json_tree */
	const char *doc, *name;    /* the name of a definition; both may be NULL */
	bool is_merged;            /* of several schemas, whose names are not its name */
	bool is_nullable, is_never;
	unsigned types; /* bits of view_type, without VIEW_NULL */
	struct memory_list notes;
};

/* Count work. Returns false if there was too much: then what views say is not complete. */
bool view_work(struct view_work *work, uint64_t steps);

/* Collect what a schema says of a value. */
void view_init(struct view *view, struct schema_files *files, struct view_work *work,
	       const struct json_tree *schema);

/* The same, for a value that several schemas describe (struct json_tree). */
void view_init_all(struct view *view, struct schema_files *files, struct view_work *work,
		   const struct memory_list *schemas);

/* The same, without some anyOf and oneOf (struct json_tree). */
void view_init_without(struct view *view, struct schema_files *files, struct view_work *work,
		       const struct memory_list *schemas, const struct memory_list *unions);

/* The value of the first schema that has a keyword; NULL if none has. */
const struct json_tree *view_get(const struct view *view, const char *keyword);

/* Whether any schema requires the member. */
bool view_requires(const struct view *view, struct herald_text name);

/* The names of all members that any schema requires (struct herald_text), each once, in order. */
struct memory_list view_required(const struct view *view);

/* The schemas (struct json_tree) for a member of `properties`. */
struct memory_list view_member(const struct view *view, struct herald_text name);

/* The names of the members of `properties` (struct herald_text), in order. Without those that a
 * struct cannot have: see view_left_out(). */
struct memory_list view_members(const struct view *view);

/* The names of the other members: those that are never valid, as their schema is false, or those
 * with a NUL in their name. */
struct memory_list view_left_out(const struct view *view, bool have_nul);

/* Bytes that are the same for views of the same schemas, and `as`. */
struct herald_text view_key(const struct view *view, unsigned as);

/*
 * Add sentences about the keywords that nothing in C checks.
 *
 * types   that the value can have in C.
 * is_raw  it is raw JSON, of which nothing is checked.
 */
void view_note_unchecked(const struct view *view, struct herald_arena *arena, unsigned types,
			 bool is_raw, struct memory_list *notes);

#endif
