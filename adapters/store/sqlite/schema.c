/*
 * The tables and their migrations.
 *
 * herald_event and herald_delivery have rows that are not finished: done rows are deleted. Each
 * index has only the rows that one kind of statement looks for, so a row that is stored and claimed
 * at once is in one index. herald_event_active is unique: of the events with one key, at most one
 * is ready or running.
 *
 * An event or a delivery that was due when it was stored has delayed = 0: its due_ms is its place
 * in the order, and is never compared with the clock, which may have been set back since. Others
 * have 1. retried_ms is when a retry was stored, and else 0.
 */
#include "schema.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>

#include <herald/adapter/options.h>
#include <herald/status.h>

/* States are 0 ready, 1 running, 2 blocked. Times are milliseconds since 1970. */
#define SQL_1                                                                                      \
	"CREATE TABLE herald_meta (\n"                                                             \
	"  one INTEGER PRIMARY KEY CHECK (one = 1),\n"                                             \
	"  version INTEGER NOT NULL,\n"                                                            \
	"  min_reader INTEGER NOT NULL,\n"                                                         \
	"  last_id INTEGER NOT NULL,\n"                                                            \
	"  last_node INTEGER NOT NULL,\n"                                                          \
	"  seen_current INTEGER NOT NULL,\n"                                                       \
	"  seen_since_ms INTEGER NOT NULL,\n"                                                      \
	"  secret BLOB NOT NULL\n"                                                                 \
	") STRICT;\n"                                                                              \
	"INSERT INTO herald_meta VALUES (1, 0, 0, 0, 0, 0, 0, zeroblob(16));\n"                    \
	"CREATE TABLE herald_node (\n"                                                             \
	"  id INTEGER PRIMARY KEY,\n"                                                              \
	"  slot INTEGER NOT NULL UNIQUE,\n"                                                        \
	"  host TEXT NOT NULL,\n"                                                                  \
	"  boot_id TEXT NOT NULL,\n"                                                               \
	"  pid INTEGER NOT NULL,\n"                                                                \
	"  joined_ms INTEGER NOT NULL,\n"                                                          \
	"  in_flight_path TEXT NOT NULL\n"                                                         \
	") STRICT;\n"                                                                              \
	"CREATE TABLE herald_event (\n"                                                            \
	"  id INTEGER PRIMARY KEY,\n"                                                              \
	"  queue TEXT NOT NULL,\n"                                                                 \
	"  state INTEGER NOT NULL,\n"                                                              \
	"  due_ms INTEGER NOT NULL,\n"                                                             \
	"  delayed INTEGER NOT NULL,\n"                                                            \
	"  retried_ms INTEGER NOT NULL,\n"                                                         \
	"  key_hash INTEGER NOT NULL,\n"                                                           \
	"  holds_key INTEGER NOT NULL,\n"                                                          \
	"  attempts INTEGER NOT NULL,\n"                                                           \
	"  interrupted INTEGER NOT NULL,\n"                                                        \
	"  replays INTEGER NOT NULL,\n"                                                            \
	"  owner INTEGER NOT NULL,\n"                                                              \
	"  event_type TEXT NOT NULL,\n"                                                            \
	"  source TEXT NOT NULL,\n"                                                                \
	"  event_id TEXT NOT NULL,\n"                                                              \
	"  created_ms INTEGER NOT NULL,\n"                                                         \
	"  content_type TEXT NOT NULL,\n"                                                          \
	"  last_error TEXT NOT NULL,\n"                                                            \
	"  attributes BLOB NOT NULL,\n"                                                            \
	"  data BLOB NOT NULL\n"                                                                   \
	") STRICT;\n"                                                                              \
	"CREATE INDEX herald_event_ready ON herald_event (queue, delayed, due_ms, id)\n"           \
	"  WHERE state = 0;\n"                                                                     \
	"CREATE INDEX herald_event_retried ON herald_event (queue, retried_ms)\n"                  \
	"  WHERE state = 0 AND retried_ms <> 0;\n"                                                 \
	"CREATE INDEX herald_event_running ON herald_event (owner) WHERE state = 1;\n"             \
	"CREATE UNIQUE INDEX herald_event_active ON herald_event (key_hash)\n"                     \
	"  WHERE key_hash <> 0 AND state <> 2;\n"                                                  \
	"CREATE INDEX herald_event_blocked ON herald_event (key_hash, id) WHERE state = 2;\n"      \
	"CREATE TABLE herald_delivery (\n"                                                         \
	"  id INTEGER PRIMARY KEY,\n"                                                              \
	"  state INTEGER NOT NULL,\n"                                                              \
	"  due_ms INTEGER NOT NULL,\n"                                                             \
	"  delayed INTEGER NOT NULL,\n"                                                            \
	"  attempts INTEGER NOT NULL,\n"                                                           \
	"  replays INTEGER NOT NULL,\n"                                                            \
	"  owner INTEGER NOT NULL,\n"                                                              \
	"  delivery_id TEXT NOT NULL,\n"                                                           \
	"  url TEXT NOT NULL,\n"                                                                   \
	"  origin TEXT NOT NULL,\n"                                                                \
	"  event_type TEXT NOT NULL,\n"                                                            \
	"  event_id TEXT NOT NULL,\n"                                                              \
	"  created_ms INTEGER NOT NULL,\n"                                                         \
	"  expires_ms INTEGER NOT NULL,\n"                                                         \
	"  last_http_status INTEGER NOT NULL,\n"                                                   \
	"  last_error TEXT NOT NULL,\n"                                                            \
	"  record BLOB NOT NULL\n"                                                                 \
	") STRICT;\n"                                                                              \
	"CREATE INDEX herald_delivery_ready ON herald_delivery (delayed, due_ms, id)\n"            \
	"  WHERE state = 0;\n"                                                                     \
	"CREATE INDEX herald_delivery_running ON herald_delivery (owner) WHERE state = 1;\n"       \
	"CREATE INDEX herald_delivery_active ON herald_delivery (origin) WHERE state <> 2;\n"      \
	"CREATE INDEX herald_delivery_blocked ON herald_delivery (origin, id) WHERE state = 2;\n"  \
	"CREATE TABLE herald_seen_0 (key BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;\n"               \
	"CREATE TABLE herald_seen_1 (key BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;\n"               \
	"CREATE TABLE herald_dead (\n"                                                             \
	"  id INTEGER PRIMARY KEY,\n"                                                              \
	"  kind INTEGER NOT NULL,\n" /* 0 an event, 1 a delivery */                                \
	"  queue TEXT NOT NULL,\n"                                                                 \
	"  event_type TEXT NOT NULL,\n"                                                            \
	"  source TEXT NOT NULL,\n"                                                                \
	"  event_id TEXT NOT NULL,\n"                                                              \
	"  why TEXT NOT NULL,\n"                                                                   \
	"  reason TEXT NOT NULL,\n"                                                                \
	"  path TEXT NOT NULL,\n"                                                                  \
	"  offset INTEGER NOT NULL,\n"                                                             \
	"  attempts INTEGER NOT NULL,\n"                                                           \
	"  interrupted INTEGER NOT NULL,\n"                                                        \
	"  replays INTEGER NOT NULL,\n"                                                            \
	"  key_hash INTEGER NOT NULL,\n"                                                           \
	"  holds_key INTEGER NOT NULL,\n"                                                          \
	"  is_held INTEGER NOT NULL,\n"                                                            \
	"  created_ms INTEGER NOT NULL,\n"                                                         \
	"  dead_ms INTEGER NOT NULL,\n"                                                            \
	"  delivery_id TEXT NOT NULL,\n"                                                           \
	"  url TEXT NOT NULL,\n"                                                                   \
	"  origin TEXT NOT NULL,\n"                                                                \
	"  expires_ms INTEGER NOT NULL,\n"                                                         \
	"  last_http_status INTEGER NOT NULL,\n"                                                   \
	"  content_type TEXT NOT NULL,\n"                                                          \
	"  attributes BLOB NOT NULL,\n"                                                            \
	"  data BLOB NOT NULL\n"                                                                   \
	") STRICT;\n"                                                                              \
	"CREATE INDEX herald_dead_time ON herald_dead (dead_ms, id);\n"                            \
	"CREATE INDEX herald_dead_held ON herald_dead (key_hash) WHERE is_held = 1;\n"

static const struct herald__sqlite_migration migrations[] = {
	{.min_reader = 1, .sql = SQL_1},
};

const struct herald__sqlite_schema herald__sqlite_schema = {
	.migrations = migrations,
	.version = sizeof(migrations) / sizeof(migrations[0]),
};

/* Whether the tables and indexes of SQL_1 are there; the tables by the number of their columns, as
 * a table of another program may have the same name. */
#define SQL_IS_MADE                                                                                \
	"(SELECT count(*) FROM sqlite_schema AS made, pragma_table_info(made.name)\n"              \
	"    WHERE made.type = 'table' AND made.name IN ('herald_meta', 'herald_node',\n"          \
	"    'herald_event', 'herald_delivery', 'herald_seen_0', 'herald_seen_1',\n"               \
	"    'herald_dead')) = 80 AND\n"                                                           \
	"  (SELECT count(*) FROM sqlite_schema\n"                                                  \
	"    WHERE type = 'index' AND instr(name, tbl_name || '_') = 1 AND name IN (\n"            \
	"    'herald_event_ready', 'herald_event_retried', 'herald_event_running',\n"              \
	"    'herald_event_active', 'herald_event_blocked', 'herald_delivery_ready',\n"            \
	"    'herald_delivery_running', 'herald_delivery_active', 'herald_delivery_blocked',\n"    \
	"    'herald_dead_time', 'herald_dead_held')) = 11"

/*
 * For people who create the tables themselves. Run again, it must not change the secret. The shell
 * of SQLite goes on after an error, unless it is told not to; so the end looks at what there is:
 * unless it is all, ROLLBACK undoes what has been made, because of the CHECK that a row violates.
 * The version is set on the same condition, as BEGIN itself may have failed.
 */
static const char sql_begin[] =
	"-- The tables of Herald. Run this with: sqlite3 -bail FILE < THIS\n"
	"-- After an error nothing is changed, and Herald refuses the file.\n"
	"BEGIN IMMEDIATE;\n";
static const char sql_end[] =
	"UPDATE herald_meta SET version = 1, min_reader = 1, secret = randomblob(16)\n"
	"  WHERE version = 0 AND\n  " SQL_IS_MADE ";\n"
	"CREATE TEMP TABLE herald_made (it_all INTEGER CHECK (it_all = 1));\n"
	"INSERT OR ROLLBACK INTO temp.herald_made SELECT\n  " SQL_IS_MADE ";\n"
	"DROP TABLE temp.herald_made;\n"
	"COMMIT;\n";

_Static_assert(sizeof(sql_begin) + sizeof(SQL_1) + sizeof(sql_end) <= SQLITE_SCHEMA_BYTES,
	       "the SQL has room");

void
herald__sqlite_schema_write(char out[SQLITE_SCHEMA_BYTES])
{
	snprintf(out, SQLITE_SCHEMA_BYTES, "%s%s%s", sql_begin, SQL_1, sql_end);
}

/* Read numbers of the one row of a query; 0 if there is none. */
static int
read_numbers(sqlite3 *db, const char *sql, int *numbers, int count)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_step(stmt);
	for (int i = 0; i < count; i++)
		numbers[i] = rc == SQLITE_ROW ? sqlite3_column_int(stmt, i) : 0;
	return sqlite3_finalize(stmt);
}

/* What a file has. */
struct made {
	int has_meta;
	int version; /* 0: there are no tables, or not all of them */
	int min_reader;
};

static int
read_made(sqlite3 *db, struct made *made)
{
	int numbers[2] = {0, 0};
	int rc = read_numbers(db,
			      "SELECT count(*) FROM main.sqlite_schema "
			      "WHERE type = 'table' AND name = 'herald_meta'",
			      &made->has_meta, 1);

	if (rc == SQLITE_OK && made->has_meta)
		rc = read_numbers(db, "SELECT version, min_reader FROM main.herald_meta", numbers,
				  2);
	made->version = numbers[0];
	made->min_reader = numbers[1];
	return rc;
}

/* Only SQL that a person has run makes a part of the tables. */
static enum herald_status
refuse_part(struct herald_error *error)
{
	return herald_option_refuse(error, "path",
				    "only a part of Herald's tables is there: the SQL that makes "
				    "them had an error. Delete Herald's tables, which hold "
				    "nothing yet, and run what `herald store sql` prints");
}

static enum herald_status
check_version(const struct herald__sqlite_schema *schema, const struct made *made, bool must_exist,
	      struct herald_error *error)
{
	const int version = made->version, min_reader = made->min_reader;

	if (made->has_meta && version == 0)
		return refuse_part(error);
	if (min_reader > schema->version)
		return herald_error_set(error, HERALD_BAD_SCHEMA, HERALD_NO_OFFSET,
					"a newer Herald made the tables: they have version %d, and "
					"need at least version %d, but this program knows version "
					"%d; use a newer Herald",
					version, min_reader, schema->version);
	if (must_exist && version == 0)
		return herald_option_refuse(error, "path",
					    "the file has no tables of Herald; a service with a "
					    "store creates them");
	if (must_exist && version < schema->version)
		return herald_option_refuse(error, "path",
					    "an older Herald made the tables: they have version "
					    "%d, expected %d; a service with a store migrates them",
					    version, schema->version);
	return HERALD_OK;
}

static int
set_secret(sqlite3 *db)
{
	unsigned char secret[16];
	sqlite3_stmt *stmt;

	/* 16 bytes come in one piece (getrandom(2)). */
	if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
		return SQLITE_IOERR;
	int rc = sqlite3_prepare_v2(db, "UPDATE main.herald_meta SET secret = ?1", -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_blob(stmt, 1, secret, sizeof(secret), SQLITE_TRANSIENT);
	if (rc == SQLITE_OK)
		sqlite3_step(stmt);
	int finalized = sqlite3_finalize(stmt);
	return rc != SQLITE_OK ? rc : finalized;
}

static int
run_migrations(sqlite3 *db, const struct herald__sqlite_schema *schema, int version)
{
	char update[128];
	int rc = SQLITE_OK;

	for (int i = version; rc == SQLITE_OK && i < schema->version; i++)
		rc = sqlite3_exec(db, schema->migrations[i].sql, NULL, NULL, NULL);
	if (rc == SQLITE_OK && version == 0)
		rc = set_secret(db);
	sqlite3_snprintf(sizeof(update), update,
			 "UPDATE main.herald_meta SET version = %d, min_reader = %d",
			 schema->version, schema->migrations[schema->version - 1].min_reader);
	return rc == SQLITE_OK ? sqlite3_exec(db, update, NULL, NULL, NULL) : rc;
}

/* A table or index of the user's has a name of Herald's. */
static enum herald_status
refuse_tables(sqlite3 *db, struct herald_error *error)
{
	return herald_option_refuse(error, "path",
				    "Herald's tables cannot be created: %s. Names that begin with "
				    "herald_ belong to Herald: rename yours, or name another file",
				    sqlite3_errmsg(db));
}

int
herald__sqlite_migrate(sqlite3 *db, const struct herald__sqlite_schema *schema, bool must_exist,
		       bool only_check, enum herald_status *status, struct herald_error *error)
{
	struct made made = {0};
	int rc = read_made(db, &made);

	/* Most often nothing is to be done; then no other connection has to wait. */
	*status = HERALD_OK;
	if (rc == SQLITE_ERROR && made.has_meta) { /* it has other columns */
		*status = refuse_tables(db, error);
		return SQLITE_OK;
	}
	if (rc == SQLITE_OK)
		*status = check_version(schema, &made, must_exist, error);
	if (rc != SQLITE_OK || *status != HERALD_OK || only_check ||
	    made.version >= schema->version)
		return rc;

	rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return rc;
	rc = read_made(db, &made); /* another process may have been faster */
	if (rc == SQLITE_OK)
		*status = check_version(schema, &made, must_exist, error);
	if (rc == SQLITE_OK && *status == HERALD_OK && made.version < schema->version)
		rc = run_migrations(db, schema, made.version);
	if (rc == SQLITE_ERROR && made.version == 0) {
		*status = refuse_tables(db, error);
		rc = SQLITE_OK;
	}
	if (rc == SQLITE_OK && *status == HERALD_OK)
		rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	if (rc == SQLITE_OK && *status != HERALD_OK)
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}
