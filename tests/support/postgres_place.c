/*
 * Places on PostgreSQL. Owns their schemas, and one table of users, as places are used one after
 * the other.
 */
#include "postgres_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include <herald/postgres.h>

struct postgres_places postgres_places;

static void *
place_create(void)
{
	static unsigned number;
	char *schema = malloc(32);

	assert_non_null(schema);
	snprintf(schema, 32, "place_%u", number++);
	return schema;
}

static void
place_destroy(void *place)
{
	char sql[160];

	snprintf(sql, sizeof(sql),
		 "SET client_min_messages = error; DROP SCHEMA IF EXISTS %s CASCADE;"
		 "DROP TABLE IF EXISTS users",
		 (const char *)place);
	postgres_server_run(postgres_places.server, sql);
	free(place);
}

static struct herald_database *
create(void *place)
{
	struct herald_database *database;
	struct herald_error error;

	if (herald_postgres_create(
		    &HERALD_POSTGRES_OPTIONS(.dsn = postgres_places.dsn, .schema = place,
					     .is_pooled = postgres_places.is_pooled,
					     .outcome_timeout_ms =
						     postgres_places.outcome_timeout_ms),
		    &database, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	return database;
}

static void
ignore_notice(void *state, const PGresult *result)
{
	(void)state;
	(void)result;
}

static void *
open_connection(void *place, struct herald_database *database)
{
	PGconn *conn = PQconnectdb(postgres_places.dsn);

	(void)place;
	(void)database;
	assert_int_equal(PQstatus(conn), CONNECTION_OK);
	PQsetNoticeReceiver(conn, ignore_notice, NULL);
	return conn;
}

static void
close_connection(void *handle)
{
	PQfinish(handle);
}

static void
execute(void *handle, const char *sql)
{
	PGresult *result = PQexec(handle, sql);
	ExecStatusType status = PQresultStatus(result);

	PQclear(result);
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(handle));
}

static void
begin(void *handle)
{
	execute(handle, "BEGIN");
}

static void
commit(void *handle)
{
	execute(handle, "COMMIT");
}

static void
rollback(void *handle)
{
	execute(handle, "ROLLBACK");
}

static void
write_number(void *handle, unsigned number)
{
	char sql[128];

	execute(handle, "CREATE TABLE IF NOT EXISTS users (number bigint)");
	snprintf(sql, sizeof(sql), "INSERT INTO users VALUES (%u)", number);
	execute(handle, sql);
}

static unsigned
count_numbers(void *place, unsigned number)
{
	const struct postgres_server *server = postgres_places.server;
	char sql[128];

	(void)place;
	if (postgres_server_number(server, "SELECT (to_regclass('users') IS NOT NULL)::int") == 0)
		return 0;
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM users WHERE number = %u", number);
	return (unsigned)postgres_server_number(server, sql);
}

/* Entries of indexes and rows of whole tables. The plans are what a server makes once it has looked
 * at what is in the tables, as autovacuum does sooner or later. Before version 15 a server does not
 * tell at once, and a pool may pass the question to another connection. */
static uint64_t
count_reads(void *place, void *handle)
{
	char sql[256];

	if (postgres_places.is_pooled || PQserverVersion(handle) < 150000)
		return 0;
	postgres_server_run(postgres_places.server, "ANALYZE");
	execute(handle, "SELECT pg_stat_force_next_flush()");
	snprintf(sql, sizeof(sql),
		 "SELECT sum(pg_stat_get_tuples_returned(oid)) FROM pg_class "
		 "WHERE relnamespace = '%s'::regnamespace",
		 (const char *)place);
	return (uint64_t)postgres_server_number(postgres_places.server, sql);
}

const struct contract_store postgres_contract = {
	.name = "postgres",
	.place_create = place_create,
	.place_destroy = place_destroy,
	.create = create,
	.connect = open_connection,
	.disconnect = close_connection,
	.begin = begin,
	.commit = commit,
	.rollback = rollback,
	.write = write_number,
	.count = count_numbers,
	.reads = count_reads,
};
