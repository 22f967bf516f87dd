/*
 * The tables, and how tables of an older version are migrated.
 */
#ifndef HERALD_SQLITE_SCHEMA_H
#define HERALD_SQLITE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include <sqlite3.h>

#include <herald/status.h>

/*
 * A step from version N - 1 to N. It adds what version N needs, and leaves what version N - 1 uses
 * as long as both may run at the same time, during a deployment; a later step removes that, and
 * raises min_reader.
 */
struct herald__sqlite_migration {
	int min_reader; /* the oldest version that can work with these tables */
	const char *sql;
};

struct herald__sqlite_schema {
	const struct herald__sqlite_migration *migrations; /* of the versions 1, 2, ... */
	int version;                                       /* their number */
};

extern const struct herald__sqlite_schema herald__sqlite_schema;

/* Write SQL that creates the tables of this version. */
#define SQLITE_SCHEMA_BYTES 8192
void herald__sqlite_schema_write(char out[SQLITE_SCHEMA_BYTES]);

/*
 * Create the tables, or bring them to the schema's version, in one transaction.
 *
 * must_exist  refuse tables that are missing or older
 * only_check  refuse what would be refused, and change nothing
 * status      the refusal, with `error`; HERALD_OK if there is none
 * Returns     an error of SQLite, or SQLITE_OK. After an error the transaction may still be open,
 *             as ROLLBACK would replace the error's text; close the connection.
 */
int herald__sqlite_migrate(sqlite3 *db, const struct herald__sqlite_schema *schema, bool must_exist,
			   bool only_check, enum herald_status *status, struct herald_error *error);

#endif
