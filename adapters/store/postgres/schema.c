/*
 * The tables, and their migrations. Owns the SQL that creates them; statements.c has the SQL that
 * uses them.
 *
 * Migrations go forward only. A migration first adds what new versions need, in a way that old ones
 * can live with, and a later one removes what is not used any more and raises min_reader: so two
 * versions can run during a deployment.
 */
#include "schema.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/options.h>

#include "failure.h"
#include "rows.h"

/* The version of the tables that this code makes, and uses. */
#define VERSION 1

/* The oldest server: MATERIALIZED is of 12, gen_random_uuid() of 13. */
#define MIN_SERVER 130000

/* Own attempts after a conflict. */
#define ATTEMPTS 5

/* Rows live for milliseconds, and are never read by range: free space is used again soon, if
 * autovacuum comes often. The keys of deduplication are only inserted, and dropped all at once. */
#define HOT                                                                                        \
	" WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01,"                           \
	" autovacuum_vacuum_threshold = 1000, autovacuum_analyze_scale_factor = 0.1)"
#define SMALL_HOT                                                                                  \
	" WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01,"                           \
	" autovacuum_vacuum_threshold = 500)"

static const char create_events[] =
	"CREATE SEQUENCE @row_id;\n"
	"CREATE TABLE @meta (\n"
	"	single boolean PRIMARY KEY DEFAULT true CHECK (single),\n"
	"	version integer NOT NULL,\n"
	"	min_reader integer NOT NULL,\n"
	"	secret bytea NOT NULL,\n"
	"	seen_current integer NOT NULL DEFAULT 0,\n"
	"	seen_rotated timestamptz\n"
	");\n"
	"CREATE TABLE @event (\n"
	"	id bigint PRIMARY KEY DEFAULT nextval('@row_id'),\n"
	"	due timestamptz NOT NULL,\n"
	"	created timestamptz NOT NULL,\n"
	"	key_hash bigint,\n"
	"	owner bigint,\n"
	"	attempts integer NOT NULL,\n"
	"	interrupted integer NOT NULL DEFAULT 0,\n"
	"	replays integer NOT NULL DEFAULT 0,\n"
	"	state smallint NOT NULL, -- 0 ready, 1 blocked, 2 running\n"
	"	holds_key boolean NOT NULL,\n"
	"	delayed boolean NOT NULL, -- false: due is its place, and not compared with the "
	"clock\n"
	"	retried timestamptz, -- when the retry was stored that it waits for\n"
	"	queue bytea NOT NULL,\n"
	"	event_type bytea NOT NULL,\n"
	"	source bytea NOT NULL,\n"
	"	event_id bytea NOT NULL,\n"
	"	content_type bytea NOT NULL,\n"
	"	last_error bytea,\n"
	"	attributes bytea NOT NULL,\n"
	"	data bytea NOT NULL\n"
	")" HOT ";\n"
	"CREATE INDEX herald_event_ready ON @event (queue, delayed, due, id) WHERE state = 0;\n"
	"CREATE INDEX herald_event_retried ON @event (queue, retried)\n"
	"	WHERE state = 0 AND retried IS NOT NULL;\n"
	"CREATE INDEX herald_event_blocked ON @event (key_hash, id) WHERE state = 1;\n"
	"CREATE INDEX herald_event_running ON @event (owner) WHERE state = 2;\n"
	"CREATE TABLE @key (\n"
	"	key_hash bigint PRIMARY KEY,\n"
	"	depth bigint NOT NULL -- unfinished events, and dead letters that are held\n"
	")" SMALL_HOT ";\n";

static const char create_deliveries[] =
	"CREATE TABLE @delivery (\n"
	"	id bigint PRIMARY KEY DEFAULT nextval('@row_id'),\n"
	"	due timestamptz NOT NULL,\n"
	"	created timestamptz NOT NULL,\n"
	"	expires timestamptz NOT NULL,\n"
	"	owner bigint,\n"
	"	attempts integer NOT NULL,\n"
	"	replays integer NOT NULL DEFAULT 0,\n"
	"	http_status integer NOT NULL DEFAULT 0,\n"
	"	state smallint NOT NULL, -- 0 ready, 1 blocked, 2 running\n"
	"	delayed boolean NOT NULL, -- it was not due when it was stored\n"
	"	delivery_id bytea NOT NULL,\n"
	"	url bytea NOT NULL,\n"
	"	origin bytea NOT NULL,\n"
	"	event_type bytea NOT NULL,\n"
	"	event_id bytea NOT NULL,\n"
	"	last_error bytea,\n"
	"	record bytea NOT NULL\n"
	")" HOT ";\n"
	"CREATE INDEX herald_delivery_ready ON @delivery (delayed, due, id) WHERE state = 0;\n"
	"CREATE INDEX herald_delivery_blocked ON @delivery (origin, id) WHERE state = 1;\n"
	"CREATE INDEX herald_delivery_running ON @delivery (owner) WHERE state = 2;\n"
	"CREATE TABLE @origin (\n"
	"	origin bytea PRIMARY KEY,\n"
	"	depth bigint NOT NULL -- unfinished deliveries\n"
	")" SMALL_HOT ";\n"
	"CREATE TABLE @dead (\n"
	"	id bigint PRIMARY KEY, -- of the event or the delivery\n"
	"	kind integer NOT NULL, -- 0 event, 1 delivery\n"
	"	died timestamptz NOT NULL,\n"
	"	created timestamptz NOT NULL,\n"
	"	expires timestamptz NOT NULL DEFAULT 'infinity',\n"
	"	key_hash bigint,\n"
	"	at bigint NOT NULL DEFAULT -1,\n"
	"	attempts integer NOT NULL,\n"
	"	interrupted integer NOT NULL DEFAULT 0,\n"
	"	replays integer NOT NULL,\n"
	"	http_status integer NOT NULL DEFAULT 0,\n"
	"	is_held boolean NOT NULL DEFAULT false,\n"
	"	holds_key boolean NOT NULL DEFAULT false,\n"
	"	queue bytea NOT NULL DEFAULT '',\n"
	"	event_type bytea NOT NULL,\n"
	"	source bytea NOT NULL DEFAULT '',\n"
	"	event_id bytea NOT NULL,\n"
	"	content_type bytea NOT NULL DEFAULT '',\n"
	"	delivery_id bytea NOT NULL DEFAULT '',\n"
	"	url bytea NOT NULL DEFAULT '',\n"
	"	origin bytea NOT NULL DEFAULT '',\n"
	"	why bytea NOT NULL,\n"
	"	reason bytea NOT NULL,\n"
	"	path bytea NOT NULL DEFAULT '',\n"
	"	attributes bytea NOT NULL DEFAULT '',\n"
	"	data bytea NOT NULL\n"
	");\n"
	"CREATE INDEX herald_dead_died ON @dead (died, id);\n";

static const char create_rest[] =
	"CREATE TABLE @seen_0 (key uuid PRIMARY KEY) WITH (autovacuum_enabled = off);\n"
	"CREATE TABLE @seen_1 (key uuid PRIMARY KEY) WITH (autovacuum_enabled = off);\n"
	"CREATE TABLE @node (\n"
	"	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n"
	"	instance bigint NOT NULL,\n"
	"	expires_at timestamptz NOT NULL,\n"
	"	pid bigint NOT NULL,\n"
	"	host bytea NOT NULL,\n"
	"	boot_id bytea NOT NULL,\n"
	"	in_flight_path bytea NOT NULL\n"
	")" SMALL_HOT ";\n"
	"CREATE TABLE @mark (\n"
	"	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n"
	"	instance bigint NOT NULL,\n"
	"	batch bigint NOT NULL DEFAULT 0,\n"
	"	touched timestamptz NOT NULL DEFAULT now(),\n"
	"	pid integer,\n"
	"	backend_start timestamptz\n"
	")" SMALL_HOT ";\n"
	"INSERT INTO @meta (version, min_reader, secret) VALUES (1, 1, substring(sha256(\n"
	"	uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) FOR 16));\n";

/* migrations[n] makes version n + 1 of version n, in up to PARTS scripts. */
#define PARTS 3
static const char *const migrations[VERSION][PARTS] = {
	{create_events, create_deliveries, create_rest},
};

static const char prologue[] = "-- Herald's tables. Run it in one transaction: psql -1 -f FILE\n"
			       "CREATE SCHEMA IF NOT EXISTS \"%s\";\n";

const char *
herald__postgres_schema_sql(struct herald_arena *arena, const char *schema)
{
	struct herald_buffer text;
	char head[sizeof(prologue) + 64];
	enum herald_status status;

	herald_buffer_init(&text, NULL, 0);
	snprintf(head, sizeof(head), prologue, schema);
	status = herald_buffer_append(&text, head, strlen(head));
	for (int i = 0; i < VERSION * PARTS && status == HERALD_OK; i++) {
		const char *part = migrations[i / PARTS][i % PARTS];
		const char *sql = part ? herald__postgres_qualify(arena, schema, part) : "";

		status = sql ? herald_buffer_append(&text, sql, strlen(sql)) : HERALD_NO_MEMORY;
	}
	const char *copy =
		status == HERALD_OK ? herald_arena_copy(arena, text.data, text.bytes) : NULL;
	herald_buffer_finish(&text);
	return copy;
}

/* The server. */

static enum herald_status
check_server(const struct postgres_session *session, struct herald_error *error)
{
	int version = PQserverVersion(session->conn);

	if (version < MIN_SERVER)
		return herald_option_refuse(error, "dsn",
					    "the server is PostgreSQL %d.%d: version 13 or later "
					    "is needed",
					    version / 10000, version / 100 % 100);
	return HERALD_OK;
}

/* Versions. */

/* 0: there are no tables. */
static enum herald_status
read_version(struct postgres_session *session, int *version, int *min_reader,
	     struct herald_error *error)
{
	const char *schema = session->database->options.schema;
	PGresult *result;
	enum herald_status status;

	*version = *min_reader = 0;
	herald__postgres_text(herald__postgres_parameters(session), schema);
	status = herald__postgres_run(session, POSTGRES_META_FIND, &result, error);
	if (status != HERALD_OK)
		return status;
	int found = herald__postgres_row_int4(result, 0, 0);
	PQclear(result);
	if (found > 1)
		return herald_option_refuse(error, "dsn",
					    "role %s may not use the tables: GRANT %s%s TO it",
					    PQuser(session->conn),
					    found == 2 ? "USAGE ON SCHEMA "
						       : "SELECT, INSERT, UPDATE, DELETE ON ALL "
							 "TABLES IN SCHEMA ",
					    schema);
	if (found == 0)
		return HERALD_OK;
	status = herald__postgres_run(session, POSTGRES_META_READ, &result, error);
	if (status != HERALD_OK)
		return status;
	if (PQntuples(result) == 1) {
		*version = herald__postgres_row_int4(result, 0, 0);
		*min_reader = herald__postgres_row_int4(result, 0, 1);
	}
	PQclear(result);
	return HERALD_OK;
}

static enum herald_status
refuse_newer(const struct postgres_session *session, int version, struct herald_error *error)
{
	return herald_error_set(error, HERALD_BAD_SCHEMA, HERALD_NO_OFFSET,
				"the tables in schema %s have version %d, from a newer Herald; "
				"this one knows version %d: update it, or use another schema",
				session->database->options.schema, version, VERSION);
}

/* Whether tables of this version can be used without creating or migrating anything. */
static enum herald_status
refuse_missing(const struct postgres_session *session, int version, struct herald_error *error)
{
	const char *schema = session->database->options.schema;

	if (version == 0)
		return herald_option_refuse(error, "schema",
					    "the database %s has no tables of Herald in schema %s; "
					    "a service with a store creates them",
					    PQdb(session->conn), schema);
	return herald_option_refuse(error, "schema",
				    "an older Herald made the tables in schema %s: they have "
				    "version %d, expected %d; a service with a store migrates them",
				    schema, version, VERSION);
}

/* Creating. */

/* The right that is missing is named by the server. */
static enum herald_status
refuse_creation(struct postgres_session *session, const PGresult *result,
		struct herald_error *error)
{
	if (herald__postgres_is_state(result, "42501"))
		return herald_option_refuse(
			error, "dsn",
			"role %s may not create the tables (%s): GRANT CREATE ON DATABASE %s, or "
			"let another role run the SQL of `herald store sql`",
			PQuser(session->conn), PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY),
			PQdb(session->conn));
	return herald__postgres_fail(error, "create its tables", session->conn, result);
}

static enum herald_status
run_script(struct postgres_session *session, const char *sql, struct herald_error *error)
{
	PGresult *result = PQexec(session->conn, sql);
	enum herald_status status = HERALD_OK;

	if (PQresultStatus(result) != PGRES_COMMAND_OK &&
	    PQresultStatus(result) != PGRES_TUPLES_OK &&
	    PQresultStatus(result) != PGRES_EMPTY_QUERY)
		status = refuse_creation(session, result, error);
	session->may_repeat = herald__postgres_may_repeat(result);
	PQclear(result);
	return status;
}

/* An older schema may be there, made by another role; creating it anew needs a right. */
static enum herald_status
create_schema(struct postgres_session *session, struct herald_error *error)
{
	const char *schema = session->database->options.schema;
	char sql[320];

	snprintf(sql, sizeof(sql),
		 "DO $$BEGIN IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = '%s') THEN "
		 "CREATE SCHEMA \"%s\"; END IF; END$$",
		 schema, schema);
	return run_script(session, sql, error);
}

static enum herald_status
migrate(struct postgres_session *session, int from, struct herald_error *error)
{
	struct postgres *database = session->database;
	enum herald_status status = from == 0 ? create_schema(session, error) : HERALD_OK;

	for (int i = from * PARTS; i < VERSION * PARTS && status == HERALD_OK; i++) {
		const char *part = migrations[i / PARTS][i % PARTS];
		const char *sql = part ? herald__postgres_qualify(database->texts,
								  database->options.schema, part)
				       : "";

		status = sql ? run_script(session, sql, error) : herald_out_of_memory(error);
	}
	return status;
}

/* The lock is held until the transaction ends, so one process at a time is here. */
static enum herald_status
lock_and_migrate(struct postgres_session *session, struct herald_error *error)
{
	int version, min_reader;
	char sql[160];

	snprintf(sql, sizeof(sql),
		 "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;"
		 "SELECT pg_advisory_xact_lock(%d, %d)",
		 POSTGRES_LOCK_SCHEMA, (int)session->database->lock_number);
	enum herald_status status = run_script(session, sql, error);
	if (status == HERALD_OK)
		status = read_version(session, &version, &min_reader, error);
	if (status == HERALD_OK && version < VERSION)
		status = migrate(session, version, error);
	if (status == HERALD_OK)
		status = herald__postgres_command(session, "COMMIT", "create its tables", NULL,
						  error);
	if (status != HERALD_OK && session->conn)
		PQclear(PQexec(session->conn, "ROLLBACK"));
	return status;
}

/* Rights. */

static enum herald_status
check_rights(struct postgres_session *session, struct herald_error *error)
{
	PGresult *result;

	enum herald_status status = herald__postgres_run(session, POSTGRES_RIGHTS, &result, error);
	if (status != HERALD_OK)
		return status;
	if (PQntuples(result) > 0)
		status = herald_option_refuse(error, "dsn",
					      "role %s lacks a right on the tables: GRANT %s TO it",
					      PQuser(session->conn), PQgetvalue(result, 0, 0));
	PQclear(result);
	return status;
}

static enum herald_status
try_open(struct postgres_session *session, bool must_exist, struct herald_error *error)
{
	int version = 0, min_reader = 0;
	enum herald_status status = check_server(session, error);

	if (status == HERALD_OK)
		status = read_version(session, &version, &min_reader, error);
	if (status == HERALD_OK && version < VERSION && must_exist)
		status = refuse_missing(session, version, error);
	if (status == HERALD_OK && version < VERSION) {
		status = lock_and_migrate(session, error);
		if (status == HERALD_OK)
			status = read_version(session, &version, &min_reader, error);
	}
	if (status == HERALD_OK && min_reader > VERSION)
		status = refuse_newer(session, version, error);
	return status == HERALD_OK ? check_rights(session, error) : status;
}

/* What it has done is undone after a conflict, such as a deadlock with a program that locks several
 * of the tables. */
enum herald_status
herald__postgres_schema_open(struct postgres_session *session, bool must_exist,
			     struct herald_error *error)
{
	enum herald_status status = HERALD_UNAVAILABLE;

	for (int i = 0; i < ATTEMPTS && status == HERALD_UNAVAILABLE; i++) {
		session->may_repeat = false;
		status = try_open(session, must_exist, error);
		if (!session->conn || !session->may_repeat)
			break;
	}
	return status;
}
