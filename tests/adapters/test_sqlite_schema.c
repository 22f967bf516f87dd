/*
 * The tables of the database on SQLite: they are created, migrated, and made by the SQL that the
 * tool prints.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/database.h>
#include <herald/sqlite.h>

#include "../../adapters/store/sqlite/schema.h"
#include "support/option_error.h"
#include "support/sqlite_file.h"

static const struct herald_database_ops *
ops(const struct sqlite_file *file)
{
	return file->database->ops;
}

static const struct herald__sqlite_migration two_steps[] = {
	{.min_reader = 1, .sql = NULL}, /* the schema of version 1 */
	{.min_reader = 1,
	 .sql = "ALTER TABLE herald_event ADD COLUMN priority INTEGER NOT NULL "
		"DEFAULT 3;"},
	{.min_reader = 2, .sql = "CREATE TABLE herald_new (a INTEGER) STRICT;"},
	{.min_reader = 2, .sql = "CREATE TABLE herald_newer (a INTEGER) STRICT; not SQL"},
};

static struct herald__sqlite_schema
schema_of(int version, struct herald__sqlite_migration *migrations)
{
	memcpy(migrations, two_steps, sizeof(two_steps));
	migrations[0] = herald__sqlite_schema.migrations[0];
	return (struct herald__sqlite_schema){.migrations = migrations, .version = version};
}

/* The tables as Herald 0.1 made them, with rows. */
static void
create_version_1(sqlite3 *db)
{
	char sql[65536];
	FILE *file = fopen("tests/data/sqlite/schema_1.sql", "r");

	assert_non_null(file);
	size_t bytes = fread(sql, 1, sizeof(sql) - 1, file);
	fclose(file);
	sql[bytes] = '\0';
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
}

static void
old_tables_are_migrated(void **unused)
{
	struct herald__sqlite_migration migrations[4];
	struct herald__sqlite_schema schema;
	struct sqlite_file file;
	enum herald_status status;
	struct herald_error error;

	(void)unused;
	sqlite_file_init(&file);
	sqlite3 *db = sqlite_file_connect(&file);
	create_version_1(db);
	/* A tool does not migrate. */
	schema = schema_of(3, migrations);
	assert_int_equal(herald__sqlite_migrate(db, &schema, true, false, &status, &error),
			 SQLITE_OK);
	assert_int_equal(status, HERALD_BAD_OPTION);
	assert_option_error(&error, "path",
			    "an older Herald made the tables: they have version 1, "
			    "expected 3; a service with a store migrates them");
	/* A check changes nothing. */
	assert_int_equal(herald__sqlite_migrate(db, &schema, false, true, &status, &error),
			 SQLITE_OK);
	assert_int_equal(sqlite_file_number_on(db, "SELECT version FROM herald_meta"), 1);
	/* Two steps at once; rows stay, and so does the secret. */
	assert_int_equal(herald__sqlite_migrate(db, &schema, false, false, &status, &error),
			 SQLITE_OK);
	assert_int_equal(status, HERALD_OK);
	assert_int_equal(sqlite_file_number_on(db, "SELECT version * 10 + min_reader "
						   "FROM herald_meta"),
			 32);
	assert_int_equal(sqlite_file_number_on(db, "SELECT priority FROM herald_event"), 3);
	assert_int_equal(sqlite_file_number_on(db, "SELECT secret = "
						   "x'00112233445566778899aabbccddeeff' "
						   "FROM herald_meta"),
			 1);
	/* A step that fails changes nothing, not even what came before it. */
	schema = schema_of(4, migrations);
	assert_int_equal(herald__sqlite_migrate(db, &schema, false, false, &status, &error),
			 SQLITE_ERROR);
	/* The transaction is still open, so that the error's text is known. */
	assert_string_equal(sqlite3_errmsg(db), "near \"not\": syntax error");
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite_file_number_on(db, "SELECT version FROM herald_meta"), 3);
	assert_int_equal(sqlite_file_number_on(db, "SELECT count(*) FROM sqlite_schema "
						   "WHERE name = 'herald_newer'"),
			 0);
	assert_int_equal(sqlite3_get_autocommit(db), 1);
	/* This program knows version 1, which cannot work with these tables; version 2 could. */
	schema = schema_of(1, migrations);
	assert_int_equal(herald__sqlite_migrate(db, &schema, false, false, &status, &error),
			 SQLITE_OK);
	assert_int_equal(status, HERALD_BAD_SCHEMA);
	schema = schema_of(2, migrations);
	assert_int_equal(herald__sqlite_migrate(db, &schema, false, false, &status, &error),
			 SQLITE_OK);
	assert_int_equal(status, HERALD_OK);
	assert_int_equal(sqlite_file_number_on(db, "SELECT version FROM herald_meta"), 3);
	sqlite3_close(db);
	sqlite_file_close(&file);
}

/* The tables of version 1 are what this program makes of nothing and of old tables. */
static void
the_schema_is_as_it_was(void **unused)
{
	static const char sql[] = "SELECT group_concat(sql, ';') FROM (SELECT sql FROM "
				  "sqlite_schema WHERE sql IS NOT NULL ORDER BY name)";
	struct sqlite_file old;
	struct sqlite_file fresh;
	char *texts[2];

	(void)unused;
	sqlite_file_init(&old);
	sqlite3 *db = sqlite_file_connect(&old);
	create_version_1(db);
	sqlite3_close(db);
	struct herald_error error = {.message = ""};
	if (sqlite_file_try(&old, NULL, NULL, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	sqlite_file_open(&fresh);
	texts[0] = sqlite_file_text(&old, sql);
	texts[1] = sqlite_file_text(&fresh, sql);
	assert_string_equal(texts[0], texts[1]);
	assert_non_null(strstr(ops(&fresh)->sql(fresh.database), "CREATE TABLE herald_event"));
	free(texts[0]);
	free(texts[1]);
	sqlite_file_close(&old);
	sqlite_file_close(&fresh);
}

/* As the shell of SQLite does, which goes on after an error. Returns the number of errors. */
static int
run_as_shell(const struct sqlite_file *file, const char *sql)
{
	sqlite3 *db = sqlite_file_connect(file);
	char *statement = malloc(strlen(sql) + 1);
	size_t used = 0;
	int errors = 0;

	assert_non_null(statement);
	/* Lines, until they are a statement. */
	while (*sql) {
		const size_t bytes = strcspn(sql, "\n") + 1;

		memcpy(statement + used, sql, bytes);
		sql += bytes;
		used += bytes;
		statement[used] = '\0';
		if (!sqlite3_complete(statement))
			continue;
		errors += sqlite3_exec(db, statement, NULL, NULL, NULL) != SQLITE_OK;
		used = 0;
	}
	assert_int_equal(used, 0);
	free(statement);
	sqlite3_close(db);
	return errors;
}

/* Also a file whose tables were created with the SQL that the tool prints. */
static void
the_printed_sql_makes_a_store(void **unused)
{
	static const struct herald_database_settings must_exist = {.must_exist = true};
	struct herald_error error = {.message = ""};
	struct sqlite_file other;
	struct sqlite_file file;

	(void)unused;
	sqlite_file_open(&other);
	sqlite_file_init(&file);
	assert_int_equal(run_as_shell(&file, ops(&other)->sql(other.database)), 0);
	assert_int_equal(sqlite_file_number(&file, "SELECT length(secret) = 16 AND secret <> "
						   "zeroblob(16) FROM herald_meta"),
			 1);
	assert_int_equal(sqlite_file_number(&file, "SELECT version * 10 + min_reader "
						   "FROM herald_meta"),
			 sqlite_file_number(&other, "SELECT version * 10 + min_reader "
						    "FROM herald_meta"));
	if (sqlite_file_try(&file, NULL, &must_exist, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	ops(&file)->session_close(sqlite_file_session(&file, HERALD_SESSION_COMMIT));
	/* Run again, it keeps the secret. */
	char *secret = sqlite_file_text(&file, "SELECT hex(secret) FROM herald_meta");
	assert_true(run_as_shell(&file, ops(&other)->sql(other.database)) > 0);
	char *again = sqlite_file_text(&file, "SELECT hex(secret) FROM herald_meta");
	assert_string_equal(again, secret);
	free(secret);
	free(again);
	sqlite_file_destroy(&file);
	if (sqlite_file_try(&file, NULL, &must_exist, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	sqlite_file_close(&file);
	sqlite_file_close(&other);
}

/* What the file has before, and the error of a service that opens it. */
static const struct {
	const char *before;
	const char *message;
} obstacles[] = {
	{"CREATE TABLE herald_meta (a)", "no such column: version"},
	{"CREATE TABLE herald_node (a)", "table herald_node already exists"},
	{"CREATE TABLE herald_seen_1 (a, b)", "table herald_seen_1 already exists"},
	{"CREATE TABLE herald_dead (a)", "table herald_dead already exists"},
	{"CREATE VIEW herald_event AS SELECT 1", "herald_event already exists"},
	{"CREATE TABLE a (b); CREATE INDEX herald_event_ready ON a (b)",
	 "index herald_event_ready already exists"},
};

/* Returns the number of errors. */
static int
run_printed_sql(const struct sqlite_file *file)
{
	char sql[SQLITE_SCHEMA_BYTES];

	herald__sqlite_schema_write(sql);
	return run_as_shell(file, sql);
}

/* The shell goes on after an error, and yet nothing is made. */
static void
the_printed_sql_makes_all_or_nothing(void **unused)
{
	static const char count[] = "SELECT count(*) FROM sqlite_schema";

	(void)unused;
	for (size_t i = 0; i < sizeof(obstacles) / sizeof(obstacles[0]); i++) {
		struct herald_error error = {.message = ""};
		struct sqlite_file file;

		sqlite_file_init(&file);
		sqlite_file_run(&file, obstacles[i].before);
		int64_t before = sqlite_file_number(&file, count);
		assert_true(run_printed_sql(&file) > 0);
		assert_int_equal(sqlite_file_number(&file, count), before);
		assert_int_equal(sqlite_file_try(&file, NULL, NULL, &error), HERALD_BAD_OPTION);
		if (!strstr(error.message, obstacles[i].message) ||
		    !strstr(error.message, "rename yours"))
			fail_msg("%s: %s", obstacles[i].before, error.message);
		sqlite_file_close(&file);
	}
}

/* If BEGIN fails, as another connection is writing, the tables are made one by one. They are not
 * taken for complete if one of them is not made. */
static void
the_printed_sql_marks_no_part(void **unused)
{
	static const char begin[] = "BEGIN IMMEDIATE;\n";
	struct herald_error error = {.message = ""};
	char sql[SQLITE_SCHEMA_BYTES];
	struct sqlite_file file;

	(void)unused;
	sqlite_file_init(&file);
	sqlite_file_run(&file, "CREATE TABLE herald_dead (a)");
	herald__sqlite_schema_write(sql);
	assert_non_null(strstr(sql, begin));
	assert_true(run_as_shell(&file, strstr(sql, begin) + strlen(begin)) > 0);
	assert_int_equal(sqlite_file_number(&file, "SELECT version FROM herald_meta"), 0);
	assert_int_equal(sqlite_file_try(&file, NULL, NULL, &error), HERALD_BAD_OPTION);
	assert_non_null(strstr(error.message, "only a part of Herald's tables is there"));
	sqlite_file_close(&file);
}

/* The rest of tables that are there in part. */
static void
the_printed_sql_completes_a_part(void **unused)
{
	struct herald_error error = {.message = ""};
	struct sqlite_file file;

	(void)unused;
	sqlite_file_init(&file);
	sqlite_file_run(&file, herald__sqlite_schema.migrations[0].sql);
	sqlite_file_run(&file, "DROP TABLE herald_dead");
	assert_true(run_printed_sql(&file) > 0);
	if (sqlite_file_try(&file, NULL, NULL, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	sqlite_file_close(&file);
}

/* Secrets differ. */
static void
each_database_has_a_secret(void **unused)
{
	unsigned char secrets[3][16];

	(void)unused;
	for (int i = 0; i < 2; i++) {
		struct sqlite_file file;
		struct herald_error error;

		sqlite_file_open(&file);
		struct herald_session *session = sqlite_file_session(&file, HERALD_SESSION_COMMIT);
		assert_int_equal(ops(&file)->secret(session, secrets[i], &error), HERALD_OK);
		assert_int_equal(ops(&file)->secret(session, secrets[2], &error), HERALD_OK);
		assert_memory_equal(secrets[i], secrets[2], 16);
		ops(&file)->session_close(session);
		sqlite_file_close(&file);
	}
	assert_memory_not_equal(secrets[0], secrets[1], 16);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(old_tables_are_migrated),
		cmocka_unit_test(the_schema_is_as_it_was),
		cmocka_unit_test(the_printed_sql_makes_a_store),
		cmocka_unit_test(the_printed_sql_makes_all_or_nothing),
		cmocka_unit_test(the_printed_sql_marks_no_part),
		cmocka_unit_test(the_printed_sql_completes_a_part),
		cmocka_unit_test(each_database_has_a_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
