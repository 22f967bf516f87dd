/*
 * Several processes that share the work of one PostgreSQL database. Any of them takes events; the
 * processes that have time run them. If one dies, the others run its events.
 *
 * Needs a database; set STORE to its URL, such as postgres://shop@localhost/shop. In two
 * terminals:
 *
 *	build/release/examples/workers --port 8081 --store "$STORE"
 *	build/release/examples/workers --port 8082 --store "$STORE"
 *
 * Then send events to one of them, and see in which terminals they run:
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8081/event -d '{
 *		"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"user_id": "1", "username": "johndoe"}, "metadata": {"id": "e-1"}}'
 *	=> 202 {"status":"accepted"}
 *
 * The function writes into the table `users` of the same database, in the event's transaction.
 * Events of one user run one after the other, in the order in which they came, whichever process
 * runs them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libpq-fe.h>

#include <herald/herald.h>
#include <herald/postgres.h>

struct user_created {
	const char *user_id;
	const char *username;
};

HERALD_SCHEMA(user_created,
	HERALD_FIELD(user_created, user_id, .required = true, .min_bytes = 1),
	HERALD_FIELD(user_created, username, .required = true, .min_bytes = 1));

static enum herald_verdict
on_user_created(struct herald_context *ctx, const struct user_created *user)
{
	PGconn *connection = herald_postgres_handle(ctx);
	const char *const values[] = {user->user_id, user->username};
	PGresult *result = PQexecParams(connection,
					"INSERT INTO users VALUES ($1, $2) "
					"ON CONFLICT (user_id) DO UPDATE SET username = $2",
					2, NULL, values, NULL, NULL, 0);
	bool is_stored = PQresultStatus(result) == PGRES_COMMAND_OK;

	PQclear(result);
	if (!is_stored)
		return herald_retry(ctx, "%s", PQerrorMessage(connection));
	printf("process %ld: %s is user %s\n", (long)getpid(), user->username, user->user_id);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_user_created, user_created);

/* The table of the business logic. Several processes may create it at once. */
static bool
create_table(const char *url)
{
	/* The URL may have another timeout, and several hosts: each one has as long. */
	PGconn *connection = PQconnectdbParams((const char *[]){"connect_timeout", "dbname", NULL},
					       (const char *[]){"5", url, NULL}, true);
	PGresult *result = PQexec(connection, "SET client_min_messages = error;"
					      "SELECT pg_advisory_xact_lock(1);"
					      "CREATE TABLE IF NOT EXISTS users"
					      "(user_id text PRIMARY KEY, username text NOT NULL)");
	bool is_ok = PQresultStatus(result) == PGRES_COMMAND_OK;

	if (!is_ok)
		fprintf(stderr, "workers: %s", PQerrorMessage(connection));
	PQclear(result);
	PQfinish(connection);
	return is_ok;
}

static enum herald_status
create_store(const char *url, struct herald_store **out, struct herald_error *error)
{
	struct herald_store_options options =
		HERALD_STORE_OPTIONS(.log = {herald_log_logfmt, stderr, HERALD_LOG_INFO});
	enum herald_status status = herald_postgres_create(&HERALD_POSTGRES_OPTIONS(.dsn = url),
							   &options.database, error);

	return status == HERALD_OK ? herald_store_create(&options, out, error) : status;
}

static enum herald_status
serve(uint16_t port, struct herald_store *store, struct herald_error *error)
{
	static const struct herald_route routes[] = {
		HERALD_ROUTE("user_created", user_created, on_user_created, NULL,
			     .transaction = HERALD_TRANSACTION_JOIN, .key = "user_id"),
	};
	struct herald_service *service;
	enum herald_status status = herald_service_create(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .store = store), &service, error);

	if (status != HERALD_OK)
		return status;
	status = herald_serve(service, &HERALD_SERVER_OPTIONS(.port = port, .any_port = port == 0),
			      error);
	herald_store_stop(store, 10000);
	herald_service_destroy(service);
	return status;
}

/* 0 lets the system choose. */
static bool
read_port(const char *text, uint16_t *port)
{
	const unsigned long number = strtoul(text, NULL, 10);

	*port = (uint16_t)number;
	return *text != '\0' && text[strspn(text, "0123456789")] == '\0' && number <= UINT16_MAX;
}

int
main(int argc, char **argv)
{
	struct herald_store *store = NULL;
	struct herald_error error;
	uint16_t port;

	if (argc != 5 || strcmp(argv[1], "--port") != 0 || !read_port(argv[2], &port) ||
	    strcmp(argv[3], "--store") != 0) {
		fprintf(stderr, "usage: workers --port N --store postgres://...\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	enum herald_status status = create_store(argv[4], &store, &error);
	bool is_ok = status == HERALD_OK && create_table(argv[4]);
	if (is_ok)
		status = serve(port, store, &error);
	if (status != HERALD_OK)
		herald_error_print(stderr, "workers", &error);
	herald_store_destroy(store);
	return is_ok && status == HERALD_OK ? 0 : 1;
}
