/*
 * Which database a --store names.
 */
#ifndef HERALD_CMD_DATABASE_H
#define HERALD_CMD_DATABASE_H

#include <herald/store.h>

/*
 * Create a database of a name: sqlite:FILE, postgres://... or postgresql://...
 *
 * Errors  HERALD_BAD_OPTION: another name, or this tool was built without its adapter.
 */
enum herald_status
database_create(const char *name, struct herald_database **out, struct herald_error *error);

/* Open the store of a name, which must exist. Errors also of herald_store_create(). */
enum herald_status store_open(const char *name, bool must_exist, struct herald_store **out,
			      struct herald_error *error);

#endif
