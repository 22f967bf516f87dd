/*
 * Backups of SQLite, as docs/durable.md recommends them, made while the store is in use.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <unistd.h>

#include <herald/sqlite.h>

#include "support/sqlite_file.h"
#include "support/stored_backup.h"

static struct herald_database *
create(void *place)
{
	const struct sqlite_file *file = place;
	struct herald_database *database;
	struct herald_error error;

	if (herald_sqlite_create(&HERALD_SQLITE_OPTIONS(.path = file->path), &database, &error) !=
	    HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	return database;
}

static bool
write_row(struct herald_context *ctx, unsigned number)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "INSERT INTO users VALUES (%u)", number);
	return sqlite3_exec(herald_sqlite_handle(ctx), sql, NULL, NULL, NULL) == SQLITE_OK;
}

static unsigned
count_rows(void *place, unsigned number)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM users WHERE number = %u", number);
	return (unsigned)sqlite_file_number(place, sql);
}

/* What `.backup` of the shell does. */
static void
copy_pages(void *from, void *to)
{
	const struct sqlite_file *source = from, *target = to;
	sqlite3 *db, *copy;
	int rc;

	assert_int_equal(sqlite3_open(source->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_open(target->path, &copy), SQLITE_OK);
	sqlite3_backup *backup = sqlite3_backup_init(copy, "main", db, "main");
	assert_non_null(backup);
	do
		rc = sqlite3_backup_step(backup, 100);
	while (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED);
	assert_int_equal(rc, SQLITE_DONE);
	assert_int_equal(sqlite3_backup_finish(backup), SQLITE_OK);
	sqlite3_close(copy);
	sqlite3_close(db);
}

static void
vacuum_into(void *from, void *to)
{
	const struct sqlite_file *target = to;
	char sql[160];

	snprintf(sql, sizeof(sql), "VACUUM INTO '%s'", target->path);
	sqlite_file_run(from, sql);
}

static void
check(void (*copy)(void *from, void *to))
{
	const struct stored_backup kind = {
		.create = create, .write = write_row, .count = count_rows, .copy = copy};
	struct sqlite_file original, restored, folder;

	sqlite_file_init(&original);
	sqlite_file_init(&restored);
	sqlite_file_init(&folder);
	sqlite_file_run(&original, "CREATE TABLE users (number INTEGER);"
				   "CREATE INDEX users_number ON users (number)");
	stored_backup_check(&kind, &original, &restored, folder.folder);
	sqlite_file_close(&original);
	sqlite_file_close(&restored);
	sqlite_file_close(&folder);
}

static void
a_copy_of_the_pages_goes_on(void **unused)
{
	(void)unused;
	check(copy_pages);
}

static void
a_vacuumed_copy_goes_on(void **unused)
{
	(void)unused;
	check(vacuum_into);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_of_the_pages_goes_on),
		cmocka_unit_test(a_vacuumed_copy_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
