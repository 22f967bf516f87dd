/*
 * SQLite, for the bench.
 */
#include "database.h"

#include <stdio.h>
#include <stdlib.h>

#include <herald/sqlite.h>
#include <sqlite3.h>

struct herald_database *
place_database(const struct place *place)
{
	struct herald_database *database = NULL;
	struct herald_error error;

	check(herald_sqlite_create(&HERALD_SQLITE_OPTIONS(.path = place->where), &database, &error),
	      &error);
	return database;
}

static void
check_sqlite(int status, sqlite3 *db)
{
	if (status == SQLITE_OK || status == SQLITE_ROW || status == SQLITE_DONE)
		return;
	fprintf(stderr, "queue_herald_sqlite: %s\n", sqlite3_errmsg(db));
	exit(1);
}

/* A connection that stays open. SQLite deletes the WAL with the last one, and a new WAL is slower
 * than one that is used again, as it is in a process that keeps its store. */
static sqlite3 *
connection(const struct place *place)
{
	static sqlite3 *db;

	if (!db) {
		check_sqlite(sqlite3_open(place->where, &db), db);
		/* Checkpoints are made by the store alone; see herald/sqlite.h. */
		sqlite3_wal_autocheckpoint(db, 0);
		sqlite3_busy_timeout(db, 5000);
	}
	return db;
}

/* Runs a statement. Returns the number that it selects, or 0. */
static uint64_t
query(const struct place *place, const char *sql)
{
	sqlite3 *db = connection(place);
	sqlite3_stmt *statement = NULL;
	uint64_t number = 0;

	check_sqlite(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), db);
	int status = sqlite3_step(statement);
	check_sqlite(status, db);
	if (status == SQLITE_ROW)
		number = (uint64_t)sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return number;
}

void
place_clear(const struct place *place)
{
	static const char *const tables[] = {"herald_event",  "herald_delivery", "herald_dead",
					     "herald_seen_0", "herald_seen_1",   "effects"};
	char sql[64];

	/* The store's tables. */
	place_fill(place, &(struct load){0});
	effects_create(place);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		snprintf(sql, sizeof(sql), "DELETE FROM %s", tables[i]);
		query(place, sql);
	}
}

uint64_t
place_watch(const struct place *place, double seconds)
{
	(void)place;
	(void)seconds;
	return 0;
}

void
effects_create(const struct place *place)
{
	query(place, "CREATE TABLE IF NOT EXISTS effects(username TEXT)");
}

uint64_t
effects_count(const struct place *place)
{
	return query(place, "SELECT count(*) FROM effects");
}

void
effects_write(struct herald_context *ctx, const char *username)
{
	struct herald_session *session = herald_context_session(ctx);
	sqlite3 *db = session->database->ops->handle(session);
	sqlite3_stmt *statement = NULL;

	check_sqlite(
		sqlite3_prepare_v2(db, "INSERT INTO effects VALUES (?1)", -1, &statement, NULL),
		db);
	sqlite3_bind_text(statement, 1, username, -1, SQLITE_STATIC);
	check_sqlite(sqlite3_step(statement), db);
	sqlite3_finalize(statement);
}
