/*
 * The contract of databases (tests/contract/store/) on SQLite.
 */
#include <stdio.h>
#include <stdlib.h>

#include <herald/sqlite.h>

#include "contract/store/suite.h"
#include "support/sqlite_file.h"

/* A place is a folder for the file. */

static void *
place_create(void)
{
	struct sqlite_file *place = malloc(sizeof(*place));

	assert_non_null(place);
	sqlite_file_init(place);
	return place;
}

static void
place_destroy(void *place)
{
	sqlite_file_close(place);
	free(place);
}

static struct herald_database *
create(void *place)
{
	struct sqlite_file *file = place;
	struct herald_database *database = NULL;
	struct herald_error error = {.message = ""};

	/* Whatever the version is: the contract's processes do not run checkpoints at once. */
	if (herald_sqlite_create(
		    &HERALD_SQLITE_OPTIONS(.path = file->path, .assume_wal_fixed = true), &database,
		    &error) != HERALD_OK)
		fail_msg("%s", error.message);
	return database;
}

/* The user's connection. */

static void *
connect_user(void *place, struct herald_database *database)
{
	(void)database;
	return sqlite_file_connect(place);
}

static void
disconnect_user(void *handle)
{
	assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

static void
run_sql(void *handle, const char *sql)
{
	if (sqlite3_exec(handle, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
}

static void
begin_user(void *handle)
{
	run_sql(handle, "BEGIN IMMEDIATE");
}

static void
commit_user(void *handle)
{
	run_sql(handle, "COMMIT");
}

static void
rollback_user(void *handle)
{
	run_sql(handle, "ROLLBACK");
}

static void
write_number(void *handle, unsigned number)
{
	char sql[64];

	run_sql(handle, "CREATE TABLE IF NOT EXISTS numbers (number INTEGER)");
	snprintf(sql, sizeof(sql), "INSERT INTO numbers VALUES (%u)", number);
	run_sql(handle, sql);
}

static unsigned
count_number(void *place, unsigned number)
{
	char sql[64];

	if (sqlite_file_number(place,
			       "SELECT count(*) FROM sqlite_schema WHERE name = 'numbers'") == 0)
		return 0;
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM numbers WHERE number = %u", number);
	return (unsigned)sqlite_file_number(place, sql);
}

/* Pages of the cache. */
static uint64_t
count_reads(void *place, void *handle)
{
	static const int kinds[] = {SQLITE_DBSTATUS_CACHE_HIT, SQLITE_DBSTATUS_CACHE_MISS};
	uint64_t sum = 0;

	(void)place;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int count = 0, unused;

		assert_int_equal(sqlite3_db_status(handle, kinds[i], &count, &unused, 0),
				 SQLITE_OK);
		sum += (uint64_t)count;
	}
	return sum;
}

int
main(void)
{
	static const struct contract_store kind = {
		.name = "sqlite",
		.place_create = place_create,
		.place_destroy = place_destroy,
		.create = create,
		.connect = connect_user,
		.disconnect = disconnect_user,
		.begin = begin_user,
		.commit = commit_user,
		.rollback = rollback_user,
		.write = write_number,
		.count = count_number,
		.reads = count_reads,
	};

	return contract_store_main(&kind);
}
