/*
 * The database on PostgreSQL: its options, what it refuses to open, and connections of users.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include <herald/postgres.h>
#include <herald/store.h>

#include "contract/store/probe.h"
#include "support/option_error.h"
#include "support/postgres_place.h"

static struct postgres_server server;

/* Options. */

#define OPTIONS(...)                                                                               \
	{                                                                                          \
		.struct_size = sizeof(struct herald_postgres_options), __VA_ARGS__                 \
	}

#define LONG "abcdefghijklmnopqrstuvwxyz_0123456789_abcdefghij"

static void
options_are_checked(void **unused)
{
	static const struct {
		struct herald_postgres_options options;
		const char *path, *message;
	} cases[] = {
		{{.dsn = ""}, "struct_size", "use HERALD_POSTGRES_OPTIONS, which sets it"},
		{OPTIONS(.dsn = NULL), "dsn", "must be set"},
		{OPTIONS(.dsn = "host"), "dsn",
		 "missing \"=\" after \"host\" in connection info string"},
		{OPTIONS(.dsn = "postgres://[::1"), "dsn", NULL},
		{OPTIONS(.dsn = "hots=a"), "dsn", "invalid connection option \"hots\""},
		{OPTIONS(.dsn = "", .schema = ""), "schema", "must have 1 to 48 bytes, not 0"},
		{OPTIONS(.dsn = "", .schema = LONG "x"), "schema",
		 "must have 1 to 48 bytes, not 49"},
		{OPTIONS(.dsn = "", .schema = "Shop"), "schema", NULL},
		{OPTIONS(.dsn = "", .schema = "1a"), "schema", NULL},
		{OPTIONS(.dsn = "", .schema = "a\"b"), "schema", NULL},
		{OPTIONS(.dsn = "", .schema = "a@b"), "schema", NULL},
		{OPTIONS(.dsn = "", .schema = "pg_a"), "schema", NULL},
		{OPTIONS(.dsn = "", .connect_timeout_ms = 600001), "connect_timeout_ms",
		 "must be at most 600000, not 600001"},
		{OPTIONS(.dsn = "", .statement_timeout_ms = 3600001), "statement_timeout_ms",
		 "must be at most 3600000, not 3600001"},
		{OPTIONS(.dsn = "", .outcome_timeout_ms = 600001), "outcome_timeout_ms",
		 "must be at most 600000, not 600001"},
		{OPTIONS(.dsn = "", .max_reconnect_delay_ms = 600001), "max_reconnect_delay_ms",
		 "must be at most 600000, not 600001"},
		{OPTIONS(.dsn = "", .max_ready_per_origin = 1000001), "max_ready_per_origin",
		 "must be at most 1000000, not 1000001"},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct herald_database *database = NULL;
		struct herald_error error;

		assert_int_equal(herald_postgres_create(&cases[i].options, &database, &error),
				 HERALD_BAD_OPTION);
		assert_null(database);
		assert_string_equal(error.path, cases[i].path);
		if (cases[i].message)
			assert_option_error(&error, cases[i].path, cases[i].message);
		assert_null(strchr(error.message, '\n'));
	}
}

static void
the_longest_schema_works(void **unused)
{
	struct herald_database *database;
	struct herald_error error;

	(void)unused;
	assert_works(
		herald_postgres_create(&HERALD_POSTGRES_OPTIONS(.dsn = server.dsn, .schema = LONG),
				       &database, &error),
		&error);
	assert_works(database->ops->open(database,
					 &(struct herald_database_settings){.lease_ms = 1000},
					 &error),
		     &error);
	assert_non_null(strstr(database->ops->sql(database), LONG));
	herald_postgres_destroy(database);
	herald_postgres_destroy(NULL);
}

/* Opening. */

/* A user, with a few rights, and databases. */
static const char preparations[] =
	"CREATE ROLE secured LOGIN PASSWORD 'right'; CREATE ROLE poor LOGIN; CREATE ROLE half "
	"LOGIN;"
	"CREATE SCHEMA newer; CREATE TABLE newer.herald_meta (version int, min_reader int);"
	"INSERT INTO newer.herald_meta VALUES (9, 8);"
	"CREATE SCHEMA hidden; CREATE TABLE hidden.herald_meta (version int, min_reader int)";

static enum herald_status
open_as(const char *dsn, const char *schema, struct herald_error *error)
{
	struct herald_database *database;

	assert_works(herald_postgres_create(&HERALD_POSTGRES_OPTIONS(.dsn = dsn, .schema = schema,
								     .connect_timeout_ms = 2000),
					    &database, error),
		     error);
	enum herald_status status = database->ops->open(
		database, &(struct herald_database_settings){.lease_ms = 1000}, error);
	herald_postgres_destroy(database);
	return status;
}

static void
assert_refused(const char *dsn, const char *schema, enum herald_status expected, const char *path,
	       const char *part)
{
	struct herald_error error;

	assert_status(open_as(dsn, schema, &error), expected, &error);
	assert_string_equal(error.path, path);
	if (!strstr(error.message, part))
		fail_msg("\"%s\" is not in: %s", part, error.message);
	assert_null(strchr(error.message, '\n'));
	assert_null(strstr(error.message, "wrong_password"));
}

static void
what_cannot_work_is_refused(void **unused)
{
	char local[160], tcp[160], dsn[256];
	struct herald_error error;

	(void)unused;
	postgres_server_run(&server, preparations);
	snprintf(local, sizeof(local), "host=%s port=%u", server.directory, server.port);
	snprintf(tcp, sizeof(tcp), "host=127.0.0.1 port=%u", server.port);
#define DSN(...) (snprintf(dsn, sizeof(dsn), __VA_ARGS__), dsn)
	assert_refused(DSN("%s user=secured password=wrong_password dbname=postgres", tcp),
		       "herald", HERALD_BAD_OPTION, "dsn", "wrong user or password");
	assert_refused(DSN("%s user=stranger dbname=postgres", local), "herald", HERALD_BAD_OPTION,
		       "dsn", "does not let this user in");
	assert_refused(DSN("%s user=herald dbname=missing", local), "herald", HERALD_BAD_OPTION,
		       "dsn", "does not exist");
	assert_refused(DSN("%s user=poor dbname=postgres", local), "poor", HERALD_BAD_OPTION, "dsn",
		       "role poor may not create the tables");
	assert_refused(DSN("%s user=herald dbname=postgres", local), "newer", HERALD_BAD_SCHEMA, "",
		       "have version 9, from a newer Herald");
	assert_refused(DSN("%s user=poor dbname=postgres", local), "hidden", HERALD_BAD_OPTION,
		       "dsn", "GRANT USAGE ON SCHEMA hidden");
	assert_refused(DSN("host=127.0.0.1 port=1 user=herald"), "herald", HERALD_UNAVAILABLE, "",
		       "Connection refused");
	/* Right by right, until it works. */
	assert_works(open_as(DSN("%s user=herald dbname=postgres", local), "rights", &error),
		     &error);
	postgres_server_run(&server, "GRANT USAGE ON SCHEMA rights TO half");
	DSN("%s user=half dbname=postgres", local);
	assert_refused(dsn, "rights", HERALD_BAD_OPTION, "dsn", "GRANT SELECT");
	postgres_server_run(&server, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "
				     "rights TO half");
	assert_refused(dsn, "rights", HERALD_BAD_OPTION, "dsn", "GRANT TRUNCATE ON ");
	postgres_server_run(&server, "GRANT TRUNCATE ON rights.herald_seen_0, rights.herald_seen_1 "
				     "TO half");
	assert_refused(dsn, "rights", HERALD_BAD_OPTION, "dsn", "GRANT USAGE ON SEQUENCE ");
	postgres_server_run(&server, "GRANT USAGE ON ALL SEQUENCES IN SCHEMA rights TO half");
	assert_works(open_as(dsn, "rights", &error), &error);
}

static void
a_standby_is_refused(void **unused)
{
	char path[128];

	(void)unused;
	postgres_server_halt(&server);
	snprintf(path, sizeof(path), "%s/data/standby.signal", server.directory);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(chmod(path, 0644), 0);
	postgres_server_restart(&server);
	assert_refused(server.dsn, "herald", HERALD_BAD_OPTION, "dsn", "is a standby");
	postgres_server_halt(&server);
	assert_int_equal(remove(path), 0);
	postgres_server_restart(&server);
}

static void
ten_processes_create_the_tables_at_once(void **unused)
{
	pid_t pids[10];

	(void)unused;
	for (int i = 0; i < 10; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			struct herald_error error;

			if (open_as(server.dsn, "at_once", &error) == HERALD_OK)
				_exit(0);
			print_error("%s\n", error.message);
			_exit(1);
		}
	}
	for (int i = 0; i < 10; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(
		postgres_server_number(&server, "SELECT count(*) FROM at_once.herald_meta"), 1);
}

/* The SQL that is printed creates the same tables. */
static void
the_printed_sql_works(void **unused)
{
	struct herald_database *database;
	struct herald_error error;

	(void)unused;
	assert_works(herald_postgres_create(
			     &HERALD_POSTGRES_OPTIONS(.dsn = server.dsn, .schema = "printed"),
			     &database, &error),
		     &error);
	postgres_server_run(&server, database->ops->sql(database));
	herald_postgres_destroy(database);
	assert_works(open_as(server.dsn, "printed", &error), &error);
	assert_works(open_as(server.dsn, "made", &error), &error);
	assert_int_equal(
		postgres_server_number(
			&server,
			"SELECT count(*) FROM (SELECT table_name, column_name, data_type, "
			"column_default IS NULL FROM information_schema.columns WHERE "
			"table_schema = 'printed' EXCEPT SELECT table_name, column_name, "
			"data_type, column_default IS NULL FROM information_schema.columns "
			"WHERE table_schema = 'made') AS c"),
		0);
}

/* In a pool each transaction sets what else a connection has. */
static void
transactions_in_a_pool_are_bounded(void **unused)
{
	static const struct {
		enum herald_session_use use;
		const char *statement, *idle;
	} cases[] = {
		{HERALD_SESSION_COMMIT, "7s", "3s"},
		{HERALD_SESSION_NODE, "1s", "3s"},
		{HERALD_SESSION_ADMIN, "7s", "3s"},
		{HERALD_SESSION_JOIN, "7s", "0"},
	};
	struct herald_database *database;
	struct herald_error error;

	(void)unused;
	assert_works(herald_postgres_create(&HERALD_POSTGRES_OPTIONS(.dsn = server.dsn,
								     .statement_timeout_ms = 7000,
								     .is_pooled = true),
					    &database, &error),
		     &error);
	assert_works(database->ops->open(database,
					 &(struct herald_database_settings){.lease_ms = 3000},
					 &error),
		     &error);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct herald_session *session;

		assert_works(database->ops->session_open(database, cases[i].use, &session, &error),
			     &error);
		assert_works(database->ops->begin(session, &error), &error);
		PGresult *found = PQexec(database->ops->handle(session),
					 "SELECT current_setting('statement_timeout'), "
					 "current_setting('idle_in_transaction_session_timeout')");
		assert_string_equal(PQgetvalue(found, 0, 0), cases[i].statement);
		assert_string_equal(PQgetvalue(found, 0, 1), cases[i].idle);
		PQclear(found);
		database->ops->session_close(session);
	}
	herald_postgres_destroy(database);
}

/* Connections of users. */

/* que#110: so it works through PgBouncer. */
static void
a_users_connection_stays_as_it_is(void **unused)
{
	struct process *p = start(&postgres_contract);
	PGconn *conn = PQconnectdb(server.dsn);
	struct herald_session *session;
	struct herald_error error;
	bool is_new = false;

	(void)unused;
	PQclear(PQexec(conn, "SET search_path = nowhere; BEGIN"));
	assert_works(p->ops->session_wrap(p->database, conn, &session, &error), &error);
	assert_works(
		p->ops->seen(session, (const unsigned char *)"0123456789abcdef", &is_new, &error),
		&error);
	assert_true(is_new);
	assert_works(p->ops->delivery_push(session, DELIVERY(), 1, &error), &error);
	p->ops->session_close(session);
	assert_int_equal(PQtransactionStatus(conn), PQTRANS_INTRANS);
	PQclear(PQexec(conn, "COMMIT"));
	PGresult *left =
		PQexec(conn, "SELECT (SELECT count(*) FROM pg_prepared_statements)"
			     " + (SELECT count(*) FROM pg_listening_channels())"
			     " + (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
			     " AND pid = pg_backend_pid())");
	assert_string_equal(PQgetvalue(left, 0, 0), "0");
	PQclear(left);
	PQfinish(conn);
	assert_int_equal(count_of(p, true, "t", HERALD_COUNT_READY), 1);
	stop(p);
}

static void
a_users_connection_must_be_in_a_transaction(void **unused)
{
	static const struct {
		const char *sql;
		enum herald_status status;
		const char *part;
	} cases[] = {
		{"SELECT 1", HERALD_BAD_VALUE, "no transaction is open"},
		{"BEGIN; SELECT 1 / 0", HERALD_BAD_VALUE, "has failed"},
		{"BEGIN", HERALD_OK, ""},
	};
	struct process *p = start(&postgres_contract);

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		PGconn *conn = PQconnectdb(server.dsn);
		struct herald_session *session = NULL;
		struct herald_error error;

		PQclear(PQexec(conn, cases[i].sql));
		assert_status(p->ops->session_wrap(p->database, conn, &session, &error),
			      cases[i].status, &error);
		if (cases[i].status != HERALD_OK && !strstr(error.message, cases[i].part))
			fail_msg("%s", error.message);
		p->ops->session_close(session);
		PQfinish(conn);
	}
	stop(p);
}

static void
another_database_is_refused(void **unused)
{
	struct process *p = start(&postgres_contract);
	struct herald_session *session;
	struct herald_error error;
	char dsn[192];

	(void)unused;
	snprintf(dsn, sizeof(dsn), "%s dbname=template1", server.dsn);
	PGconn *conn = PQconnectdb(dsn);
	PQclear(PQexec(conn, "BEGIN"));
	assert_works(p->ops->session_wrap(p->database, conn, &session, &error), &error);
	assert_status(p->ops->delivery_push(session, DELIVERY(), 1, &error), HERALD_BAD_VALUE,
		      &error);
	p->ops->session_close(session);
	PQfinish(conn);
	stop(p);
}

/* The rotation of known ids does not wait for a transaction of a user's, nor does it fail. */
static void
a_rotation_waits_for_nobody(void **unused)
{
	struct process *p = start(&postgres_contract);
	PGconn *conn = PQconnectdb(server.dsn);
	const unsigned char *key = (const unsigned char *)"0123456789abcdef";
	struct herald_session *session;
	struct herald_error error;
	bool is_new;

	(void)unused;
	begin(p);
	assert_works(p->ops->seen_rotate(p->session, T0, 1000, &error), &error);
	commit(p);
	PQclear(PQexec(conn, "BEGIN"));
	assert_works(p->ops->session_wrap(p->database, conn, &session, &error), &error);
	assert_works(p->ops->seen(session, key, &is_new, &error), &error);
	for (int i = 1; i < 4; i++) {
		begin(p);
		assert_works(p->ops->seen_rotate(p->session, T0 + i * 1000, 1000, &error), &error);
		commit(p);
	}
	p->ops->session_close(session);
	PQclear(PQexec(conn, "COMMIT"));
	PQfinish(conn);
	begin(p);
	assert_works(p->ops->seen_rotate(p->session, T0 + 4000, 1000, &error), &error);
	assert_works(p->ops->seen(p->session, key, &is_new, &error), &error);
	assert_false(is_new); /* one window later it is still known */
	assert_works(p->ops->seen_rotate(p->session, T0 + 5000, 1000, &error), &error);
	commit(p);
	begin(p);
	assert_works(p->ops->seen(p->session, key, &is_new, &error), &error);
	assert_true(is_new);
	commit(p);
	stop(p);
}

/* What PostgreSQL says is cut if it is long, and marked; what follows it is still there. */
static void
a_long_reason_is_marked_as_cut(void **unused)
{
	struct process *p = start(&postgres_contract);
	struct herald_stored_event *event = EVENT();
	struct herald_error error;

	(void)unused;
	postgres_server_run(
		&server,
		"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE "
		"EXCEPTION '%', repeat('n', 300); END $$; "
		"DO $$ DECLARE name text; BEGIN FOR name IN SELECT oid::regclass FROM pg_class "
		"WHERE relname = 'herald_event' LOOP EXECUTE 'CREATE TRIGGER refuse BEFORE INSERT "
		"ON ' || name || ' EXECUTE FUNCTION refuse()'; END LOOP; END $$");
	begin(p);
	assert_int_equal(p->ops->accept(p->session, event, 1, &error), HERALD_UNAVAILABLE);
	p->ops->rollback(p->session);
	if (!strstr(error.message, "nnn... (SQLSTATE P0001)"))
		fail_msg("%s", error.message);
	postgres_server_run(&server,
			    "SET client_min_messages = warning; DROP FUNCTION refuse CASCADE");
	stop(p);
}

/* A statement that waits in the server. */

struct waiting_count {
	struct process *p;
	struct herald_session *session;
	pid_t backend;
	enum herald_status status;
	struct herald_error error;
};

static void *
run_count(void *state)
{
	struct waiting_count *count = state;
	uint64_t pending;

	count->status = count->p->ops->pending(count->session, NULL, &pending, &count->error);
	return NULL;
}

/* Begin a count on another thread, which waits for a lock that a connection of ours has. */
static PGconn *
begin_count_that_waits(struct waiting_count *count, pthread_t *thread)
{
	static const char waits[] = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type ="
				    " 'Lock' AND query LIKE 'SELECT count(*) FROM %herald_event%'";
	struct process *p = count->p;
	PGconn *other = postgres_contract.connect(p->place, p->database);
	char sql[128];

	assert_works(p->ops->session_open(p->database, HERALD_SESSION_ADMIN, &count->session,
					  &count->error),
		     &count->error);
	count->backend = PQbackendPID(p->ops->handle(count->session));
	snprintf(sql, sizeof(sql), "BEGIN; LOCK TABLE %s.herald_event", (char *)p->place);
	PQclear(PQexec(other, sql));
	assert_int_equal(PQtransactionStatus(other), PQTRANS_INTRANS);
	assert_int_equal(pthread_create(thread, NULL, run_count, count), 0);
	while (postgres_server_number(&server, waits) != 1)
		nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	return other;
}

/* The connection is closed: nothing waits for the server, which may hang. */
static void
a_statement_that_waits_is_interrupted(void **unused)
{
	struct process *p = start(&postgres_contract);
	struct waiting_count count = {.p = p};
	pthread_t thread;

	(void)unused;
	PGconn *other = begin_count_that_waits(&count, &thread);
	p->ops->interrupt(p->database);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(count.status, HERALD_UNAVAILABLE);
	assert_string_equal(count.error.message, "interrupted: the store is being destroyed");
	assert_null(p->ops->handle(count.session));
	p->ops->session_close(count.session);
	postgres_contract.disconnect(other);
	stop(p);
}

static void *
open_for_operations(void *state)
{
	struct waiting_count *count = state;

	count->status = count->p->ops->session_open(count->p->database, HERALD_SESSION_ADMIN,
						    &count->session, &count->error);
	return NULL;
}

static void
signal_server(pid_t backend, int number)
{
	assert_int_equal(kill(backend, number), 0);
	assert_int_equal(kill(server.pid, number), 0);
}

/* A server that hangs: it neither lets anybody in, nor goes on with a statement. */
static void
a_server_that_hangs_does_not_hold_up(void **unused)
{
	struct process *p = start(&postgres_contract);
	struct waiting_count counting = {.p = p}, opening = {.p = p};
	pthread_t threads[2];

	(void)unused;
	PGconn *other = begin_count_that_waits(&counting, &threads[0]);
	signal_server(counting.backend, SIGSTOP);
	assert_int_equal(pthread_create(&threads[1], NULL, open_for_operations, &opening), 0);
	p->ops->interrupt(p->database);
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	signal_server(counting.backend, SIGCONT);
	assert_string_equal(counting.error.message, "interrupted: the store is being destroyed");
	assert_string_equal(opening.error.message, "interrupted: the store is being destroyed");
	assert_null(opening.session);
	p->ops->session_close(counting.session);
	postgres_contract.disconnect(other);
	stop(p);
}

/* A session that has a mark ends in time although the server does not answer; so do all others. */
static void
sessions_end_on_a_server_that_hangs(void **unused)
{
	struct process *p = start(&postgres_contract);
	struct herald_session *sessions[5];
	struct herald_error error;
	pid_t backends[COUNT(sessions)];

	(void)unused;
	for (size_t i = 0; i < COUNT(sessions); i++) {
		assert_works(p->ops->session_open(p->database, HERALD_SESSION_JOIN, &sessions[i],
						  &error),
			     &error);
		assert_works(p->ops->begin(sessions[i], &error), &error);
		p->ops->rollback(sessions[i]);
		backends[i] = PQbackendPID(p->ops->handle(sessions[i]));
		assert_int_equal(kill(backends[i], SIGSTOP), 0);
	}
	const time_t began_s = time(NULL);
	for (size_t i = 0; i < COUNT(sessions); i++)
		p->ops->session_close(sessions[i]);
	/* Each one alone would wait for more than 30 s. */
	assert_true(time(NULL) - began_s < 25);
	for (size_t i = 0; i < COUNT(sessions); i++)
		assert_int_equal(kill(backends[i], SIGCONT), 0);
	stop(p);
}

/* A search may take long: arrivals, which need the lock of the lanes, do not wait for it. So a
 * search that finds nothing does not wait for them, either. */
static void
a_search_does_not_need_the_lanes(void **unused)
{
	const struct herald_purge_filter pending[] = {{.event_type = "x"},
						      {.event_type = "x", .deliveries = true}};
	const struct herald_dead_filter dead[] = {{.event_type = "x"}, {.to_ms = 1}};
	struct process *p = start(&postgres_contract), *other = start_tool(p);
	struct herald_error error;
	uint64_t count = 99;

	(void)unused;
	accept_event(p, EVENT(.event_type = "a"));
	begin(other);
	assert_works(other->ops->accept(other->session, EVENT(.key_hash = 1), 1, &error), &error);
	begin(p);
	PQclear(PQexec(p->ops->handle(p->session), "SET LOCAL lock_timeout = '10s'"));
	for (size_t i = 0; i < 2; i++) {
		assert_works(
			p->ops->purge(p->session, &pending[i], &(uint64_t){1}, 1, &count, &error),
			&error);
		assert_int_equal(count, 0);
		assert_works(p->ops->dead_replay(p->session, &dead[i], 10, T0, &count, &error),
			     &error);
		assert_int_equal(count, 0);
		assert_works(p->ops->dead_drop(p->session, &dead[i], 10, &count, &error), &error);
		assert_int_equal(count, 0);
	}
	commit(p);
	rollback(other);
	purge_all(p);
	stop(other);
	stop(p);
}

struct dropping {
	struct herald_store *store;
	enum herald_status status;
	uint64_t count;
};

static void *
drop_all(void *state)
{
	struct dropping *dropping = state;

	dropping->status = herald_store_dead_drop(dropping->store, &(struct herald_dead_filter){0},
						  NULL, &dropping->count, NULL);
	return NULL;
}

/* Another operator has dropped one of those that a batch has found: the rest is dropped as well. */
/* While a drop of all waits for the lanes, another one takes `taken` of the letters that it has
 * found. */
static void
check_drop(size_t taken)
{
	enum { LETTERS = 250 }; /* more than two batches */
	static const char waits[] =
		"SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
	struct process *p = start(&postgres_contract), *other = start_tool(p);
	struct dropping dropping = {.status = HERALD_UNAVAILABLE};
	struct herald_store_options options =
		HERALD_STORE_OPTIONS(.database = postgres_contract.create(p->place));
	struct herald_error error;
	uint64_t count;
	pthread_t thread;

	for (int i = 0; i < LETTERS; i++)
		kill_event(p, EVENT(.event_type = "a"), HERALD_DEAD_FAILED, 5);
	assert_works(herald_store_create(&options, &dropping.store, &error), &error);
	begin(other);
	assert_works(other->ops->dead_drop(other->session, &(struct herald_dead_filter){0}, taken,
					   &count, &error),
		     &error);
	assert_int_equal(count, taken);
	assert_int_equal(pthread_create(&thread, NULL, drop_all, &dropping), 0);
	while (postgres_server_number(&server, waits) == 0)
		nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	commit(other);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(dropping.status, HERALD_OK);
	assert_int_equal(dropping.count, LETTERS - taken);
	assert_int_equal(count_of(p, false, NULL, HERALD_COUNT_DEAD), 0);
	herald_store_destroy(dropping.store);
	stop(other);
	stop(p);
}

static void
letters_that_are_gone_do_not_end_a_drop(void **unused)
{
	(void)unused;
	check_drop(1);
	check_drop(100); /* a whole batch */
	check_drop(250);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_checked),
		cmocka_unit_test(the_longest_schema_works),
		cmocka_unit_test(what_cannot_work_is_refused),
		cmocka_unit_test(a_standby_is_refused),
		cmocka_unit_test(ten_processes_create_the_tables_at_once),
		cmocka_unit_test(the_printed_sql_works),
		cmocka_unit_test(transactions_in_a_pool_are_bounded),
		cmocka_unit_test(a_users_connection_stays_as_it_is),
		cmocka_unit_test(a_users_connection_must_be_in_a_transaction),
		cmocka_unit_test(another_database_is_refused),
		cmocka_unit_test(a_rotation_waits_for_nobody),
		cmocka_unit_test(a_long_reason_is_marked_as_cut),
		cmocka_unit_test(a_statement_that_waits_is_interrupted),
		cmocka_unit_test(a_server_that_hangs_does_not_hold_up),
		cmocka_unit_test(sessions_end_on_a_server_that_hangs),
		cmocka_unit_test(a_search_does_not_need_the_lanes),
		cmocka_unit_test(letters_that_are_gone_do_not_end_a_drop),
	};

	if (!postgres_server_exists())
		return postgres_server_left_out("postgres");
	postgres_server_start(&server);
	postgres_places = (struct postgres_places){.server = &server, .dsn = server.dsn};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	postgres_server_stop(&server);
	return failed;
}
