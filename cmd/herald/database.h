/*
 * Which database a --store names.
 */
#ifndef HERALD_CMD_DATABASE_H
#define HERALD_CMD_DATABASE_H

#include <stdbool.h>

#include <herald/store.h>

/* Where a store is. */
struct store_place {
	const char *name;   /* sqlite:FILE, postgres://... or postgresql://... */
	const char *schema; /* of PostgreSQL; NULL: the default */
	bool is_pooled;     /* PostgreSQL is behind PgBouncer */
};

bool database_is_postgres(const char *name);

/*
 * Create a database; nothing connects.
 *
 * Errors  HERALD_BAD_OPTION: another name, a bad schema, or this tool was built without its
 *         adapter. The error's path is the option of the tool.
 */
enum herald_status database_create(const struct store_place *place, struct herald_database **out,
				   struct herald_error *error);

/* Open the store in a database, which the store takes. Errors as database_create(), and of
 * herald_store_create(). */
enum herald_status store_open(struct herald_database *database, bool must_exist,
			      struct herald_store **out, struct herald_error *error);

#endif
