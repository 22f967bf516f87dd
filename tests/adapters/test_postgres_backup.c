/*
 * Backups of PostgreSQL by pg_dump, made while the store is in use, and restored to another
 * database of the same server. watermill#576: nothing is delivered after dump and restore.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libpq-fe.h>
#include <unistd.h>

#include <herald/postgres.h>

#include "support/postgres_server.h"
#include "support/stored_backup.h"

static struct postgres_server server;

/* A database of the server. */
struct place {
	char name[32];
	char dsn[160];
	PGconn *conn;
};

static void
place_create(struct place *place, const char *name)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "CREATE DATABASE %s", name);
	postgres_server_run(&server, sql);
	snprintf(place->name, sizeof(place->name), "%s", name);
	snprintf(place->dsn, sizeof(place->dsn), "host=%s port=%u user=herald dbname=%s",
		 server.directory, server.port, name);
	place->conn = PQconnectdb(place->dsn);
	assert_int_equal(PQstatus(place->conn), CONNECTION_OK);
}

static void
place_destroy(struct place *place)
{
	char sql[64];

	PQfinish(place->conn);
	snprintf(sql, sizeof(sql), "DROP DATABASE %s", place->name);
	postgres_server_run(&server, sql);
}

static struct herald_database *
create(void *place)
{
	struct herald_database *database;
	struct herald_error error;

	if (herald_postgres_create(&HERALD_POSTGRES_OPTIONS(.dsn = ((struct place *)place)->dsn),
				   &database, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	return database;
}

static bool
write_row(struct herald_context *ctx, unsigned number)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "INSERT INTO users VALUES (%u)", number);
	PGresult *result = PQexec(herald_postgres_handle(ctx), sql);
	bool is_written = PQresultStatus(result) == PGRES_COMMAND_OK;
	PQclear(result);
	return is_written;
}

static unsigned
count_rows(void *place, unsigned number)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM users WHERE number = %u", number);
	PGresult *result = PQexec(((struct place *)place)->conn, sql);
	assert_int_equal(PQresultStatus(result), PGRES_TUPLES_OK);
	unsigned count = (unsigned)strtoul(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return count;
}

static void
run_program(const char *format, const struct place *from, const struct place *to)
{
	char path[128], folder[128], command[1024];

	assert_true(postgres_server_program("pg_dump", path));
	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
	snprintf(command, sizeof(command), format, folder, from->dsn, folder, to->dsn);
	assert_int_equal(system(command), 0);
}

static void
dump_text(void *from, void *to)
{
	run_program("bash -o pipefail -c '%s/pg_dump \"%s\" | "
		    "%s/psql -q -v ON_ERROR_STOP=1 \"%s\" >/dev/null'",
		    from, to);
}

static void
dump_archive(void *from, void *to)
{
	run_program("bash -o pipefail -c '%s/pg_dump -Fc \"%s\" | "
		    "%s/pg_restore --exit-on-error -d \"%s\"'",
		    from, to);
}

static void
check(void (*copy)(void *from, void *to))
{
	const struct stored_backup kind = {.create = create,
					   .write = write_row,
					   .count = count_rows,
					   .copy = copy,
					   .has_many_writers = true};
	struct place original, restored;
	char folder[] = "/tmp/herald-backup-XXXXXX";

	assert_non_null(mkdtemp(folder));
	place_create(&original, "original");
	place_create(&restored, "restored");
	PQclear(PQexec(original.conn, "CREATE TABLE users (number bigint)"));
	PQclear(PQexec(original.conn, "CREATE INDEX users_number ON users (number)"));
	stored_backup_check(&kind, &original, &restored, folder);
	place_destroy(&original);
	place_destroy(&restored);
	assert_int_equal(rmdir(folder), 0);
}

static void
a_dump_goes_on(void **unused)
{
	(void)unused;
	check(dump_text);
}

static void
an_archive_goes_on(void **unused)
{
	(void)unused;
	check(dump_archive);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dump_goes_on),
		cmocka_unit_test(an_archive_goes_on),
	};

	if (!postgres_server_exists())
		return postgres_server_left_out("postgres_backup");
	postgres_server_start(&server);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	postgres_server_stop(&server);
	return failed;
}
