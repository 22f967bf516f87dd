/*
 * Finds the adapter for the name of a store, and opens it. The only file of the tool that knows
 * adapters.
 */
#include "database.h"

#include <stdio.h>
#include <string.h>

#ifdef HAVE_POSTGRES
#include <herald/postgres.h>
#endif
#ifdef HAVE_SQLITE
#include <herald/sqlite.h>
#endif

static enum herald_status
create_sqlite(const char *path, struct herald_database **out, struct herald_error *error)
{
#ifdef HAVE_SQLITE
	return herald_sqlite_create(&HERALD_SQLITE_OPTIONS(.path = path), out, error);
#else
	(void)path;
	(void)out;
	return herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET,
				"this tool was built without SQLite");
#endif
}

static enum herald_status
create_postgres(const char *url, struct herald_database **out, struct herald_error *error)
{
#ifdef HAVE_POSTGRES
	return herald_postgres_create(&HERALD_POSTGRES_OPTIONS(.dsn = url), out, error);
#else
	(void)url;
	(void)out;
	return herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET,
				"this tool was built without PostgreSQL");
#endif
}

static bool
begins_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

enum herald_status
database_create(const char *name, struct herald_database **out, struct herald_error *error)
{
	static const char sqlite[] = "sqlite:";

	if (begins_with(name, sqlite))
		return create_sqlite(name + sizeof(sqlite) - 1, out, error);
	if (begins_with(name, "postgres://") || begins_with(name, "postgresql://"))
		return create_postgres(name, out, error);
	return herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET,
				"--store: expected sqlite:FILE or postgres://..., found \"%s\"",
				name);
}

enum herald_status
store_open(const char *name, bool must_exist, struct herald_store **out, struct herald_error *error)
{
	struct herald_store_options options =
		HERALD_STORE_OPTIONS(.must_exist = must_exist,
				     .log = {herald_log_logfmt, stderr, HERALD_LOG_WARNING});
	enum herald_status status = database_create(name, &options.database, error);

	return status == HERALD_OK ? herald_store_create(&options, out, error) : status;
}
