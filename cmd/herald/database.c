/*
 * Finds the adapter for the name of a store, and opens it. The only file of the tool that knows
 * adapters.
 */
#include "database.h"

#include <string.h>

#include <herald/array.h>

#ifdef HAVE_POSTGRES
#include <herald/postgres.h>
#endif
#ifdef HAVE_SQLITE
#include <herald/sqlite.h>
#endif

#include "options.h"

static enum herald_status
create_sqlite(const char *path, struct herald_database **out, struct herald_error *error)
{
#ifdef HAVE_SQLITE
	return herald_sqlite_create(&HERALD_SQLITE_OPTIONS(.path = path), out, error);
#else
	(void)path;
	(void)out;
	return herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET,
				"--store: this tool was built without SQLite");
#endif
}

static enum herald_status
create_postgres(const struct store_place *place, struct herald_database **out,
		struct herald_error *error)
{
#ifdef HAVE_POSTGRES
	return herald_postgres_create(&HERALD_POSTGRES_OPTIONS(.dsn = place->name,
							       .schema = place->schema,
							       .is_pooled = place->is_pooled),
				      out, error);
#else
	(void)place;
	(void)out;
	return herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET,
				"--store: this tool was built without PostgreSQL");
#endif
}

static bool
begins_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool
database_is_postgres(const char *name)
{
	return begins_with(name, "postgres://") || begins_with(name, "postgresql://");
}

/* The tool's name of an adapter's option. */
static void
name_option(struct herald_error *error)
{
	static const struct option_name names[] = {
		{"path", "--store", 0}, {"dsn", "--store", 0}, {"schema", "--schema", 0}};

	options_name_error(names, HERALD_COUNT(names), error);
}

enum herald_status
database_create(const struct store_place *place, struct herald_database **out,
		struct herald_error *error)
{
	static const char sqlite[] = "sqlite:";
	enum herald_status status;

	if (begins_with(place->name, sqlite))
		status = create_sqlite(place->name + sizeof(sqlite) - 1, out, error);
	else if (database_is_postgres(place->name))
		status = create_postgres(place, out, error);
	else
		return herald_error_set(
			error, HERALD_BAD_OPTION, HERALD_NO_OFFSET,
			"--store: expected sqlite:FILE or postgres://..., found \"%s\"",
			place->name);
	if (status != HERALD_OK)
		name_option(error);
	return status;
}

enum herald_status
store_open(struct herald_database *database, bool must_exist, struct herald_store **out,
	   struct herald_error *error)
{
	const struct herald_store_options options =
		HERALD_STORE_OPTIONS(.database = database, .must_exist = must_exist,
				     .log = {herald_log_logfmt, stderr, HERALD_LOG_WARNING});
	enum herald_status status = herald_store_create(&options, out, error);

	if (status != HERALD_OK)
		name_option(error);
	return status;
}
