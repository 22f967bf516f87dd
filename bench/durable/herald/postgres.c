/*
 * PostgreSQL, for the bench. The tables are in the schema "herald".
 */
#include "database.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include <herald/postgres.h>
#include <libpq-fe.h>

struct herald_database *
place_database(const struct place *place)
{
	struct herald_database *database = NULL;
	struct herald_error error;

	check(herald_postgres_create(&HERALD_POSTGRES_OPTIONS(.dsn = place->where), &database,
				     &error),
	      &error);
	return database;
}

static void
fail(PGconn *connection)
{
	fprintf(stderr, "queue_herald_postgres: %s", PQerrorMessage(connection));
	exit(1);
}

/* Runs a statement. Returns the number that it selects, or 0. */
static uint64_t
query(PGconn *connection, const char *sql, const char *parameter)
{
	const char *const parameters[] = {parameter};
	PGresult *result =
		PQexecParams(connection, sql, parameter ? 1 : 0, NULL, parameters, NULL, NULL, 0);
	uint64_t number = 0;

	if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
		fail(connection);
	if (PQntuples(result) > 0)
		number = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return number;
}

/* A connection that stays open. */
static PGconn *
connection(const struct place *place)
{
	static PGconn *connection;

	if (connection)
		return connection;
	connection = PQconnectdb(place->where);
	if (PQstatus(connection) != CONNECTION_OK)
		fail(connection);
	query(connection, "SET client_min_messages = warning", NULL);
	return connection;
}

void
place_clear(const struct place *place)
{
	/* The store's tables. */
	place_fill(place, &(struct load){0});
	effects_create(place);
	query(connection(place),
	      "TRUNCATE herald.herald_event, herald.herald_key, herald.herald_delivery, "
	      "herald.herald_origin, herald.herald_dead, herald.herald_seen_0, "
	      "herald.herald_seen_1, effects",
	      NULL);
}

uint64_t
place_watch(const struct place *place, double seconds)
{
	PGconn *listener = connection(place);
	uint64_t count = 0;

	query(listener, "LISTEN herald_herald", NULL);
	for (double left = seconds, end = now_s() + seconds; left > 0; left = end - now_s()) {
		PGnotify *notify;

		poll(&(struct pollfd){.fd = PQsocket(listener), .events = POLLIN}, 1,
		     (int)(left * 1000) + 1);
		if (!PQconsumeInput(listener))
			fail(listener);
		for (; (notify = PQnotifies(listener)); count++)
			PQfreemem(notify);
	}
	query(listener, "UNLISTEN herald_herald", NULL);
	return count;
}

void
effects_create(const struct place *place)
{
	query(connection(place), "CREATE TABLE IF NOT EXISTS effects(username text)", NULL);
}

uint64_t
effects_count(const struct place *place)
{
	return query(connection(place), "SELECT count(*) FROM effects", NULL);
}

void
effects_write(struct herald_context *ctx, const char *username)
{
	struct herald_session *session = herald_context_session(ctx);

	query(session->database->ops->handle(session), "INSERT INTO effects VALUES ($1)", username);
}
