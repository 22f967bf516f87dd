/*
 * The tables: creating and migrating them, and checking what a connection finds.
 */
#ifndef HERALD_POSTGRES_SCHEMA_H
#define HERALD_POSTGRES_SCHEMA_H

#include "session.h"

/* The SQL that creates everything, for the schema; NULL when out of memory. */
const char *herald__postgres_schema_sql(struct herald_arena *arena, const char *schema);

/*
 * Check the server, create or migrate the tables, and check the rights. Several processes may do it
 * at once. `session` has the use HERALD_SESSION_ADMIN.
 *
 * must_exist  create and migrate nothing: refuse tables that are missing or older
 *
 * Errors  HERALD_BAD_OPTION, HERALD_BAD_SCHEMA, HERALD_UNAVAILABLE, HERALD_NO_MEMORY.
 */
enum herald_status herald__postgres_schema_open(struct postgres_session *session, bool must_exist,
						struct herald_error *error);

#endif
