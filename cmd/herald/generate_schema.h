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

/* Convert a string, a number or a boolean. Returns false if it is something else. */
bool generate_value(struct generation *generation, const struct view *view, const char *hint,
		    struct c_type *out);

#endif
