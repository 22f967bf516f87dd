/*
 * What only reads is repeated after a conflict (SQLSTATE 40001, 40P01). So are the creation of the
 * tables, and the rotation of known ids while a program locks tables. No trigger can make a read
 * fail, so the test is linked with --wrap: the n-th statement that is sent to the server is another
 * one, which fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>
#include <time.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include <herald/herald.h>
#include <herald/postgres.h>

#include "contract/store/probe.h"
#include "support/postgres_place.h"

static struct postgres_server server;

/* The fault, for statements of one thread. */

static struct {
	bool is_counting;
	long count; /* statements that may fail */
	long at;    /* the one that does; 0: none */
	const char *code;
	char sql[160]; /* that was replaced */
} fault;

/* Settings and the question to the server as such are in conflict with nobody. A mark that is left
 * when a session ends goes later. */
static bool
fails(const char *sql)
{
	if (!fault.is_counting || strncmp(sql, "SET ", 4) == 0 ||
	    strstr(sql, "pg_is_in_recovery") || strstr(sql, "pg_walfile_name") ||
	    strcmp(sql, "ROLLBACK") == 0 || strstr(sql, "herald_mark WHERE id"))
		return false;
	if (++fault.count != fault.at)
		return false;
	snprintf(fault.sql, sizeof(fault.sql), "%s", sql);
	return true;
}

static const char *
failing_sql(char out[96])
{
	snprintf(out, 96, "DO $$BEGIN RAISE 'a conflict' USING ERRCODE = '%s'; END$$", fault.code);
	return out;
}

int __real_PQsendQuery(PGconn *conn, const char *sql);
int __wrap_PQsendQuery(PGconn *conn, const char *sql);
int
__wrap_PQsendQuery(PGconn *conn, const char *sql)
{
	char other[96];

	return __real_PQsendQuery(conn, fails(sql) ? failing_sql(other) : sql);
}

int __real_PQsendQueryParams(PGconn *conn, const char *sql, int count, const Oid *types,
			     const char *const *values, const int *lengths, const int *formats,
			     int format);
int __wrap_PQsendQueryParams(PGconn *conn, const char *sql, int count, const Oid *types,
			     const char *const *values, const int *lengths, const int *formats,
			     int format);
int
__wrap_PQsendQueryParams(PGconn *conn, const char *sql, int count, const Oid *types,
			 const char *const *values, const int *lengths, const int *formats,
			 int format)
{
	char other[96];

	if (fails(sql))
		return __real_PQsendQuery(conn, failing_sql(other));
	return __real_PQsendQueryParams(conn, sql, count, types, values, lengths, formats, format);
}

int __real_PQsendQueryPrepared(PGconn *conn, const char *name, int count, const char *const *values,
			       const int *lengths, const int *formats, int format);
int __wrap_PQsendQueryPrepared(PGconn *conn, const char *name, int count, const char *const *values,
			       const int *lengths, const int *formats, int format);
int
__wrap_PQsendQueryPrepared(PGconn *conn, const char *name, int count, const char *const *values,
			   const int *lengths, const int *formats, int format)
{
	char other[96];

	if (fails(name))
		return __real_PQsendQuery(conn, failing_sql(other));
	return __real_PQsendQueryPrepared(conn, name, count, values, lengths, formats, format);
}

PGresult *__real_PQexec(PGconn *conn, const char *sql);
PGresult *__wrap_PQexec(PGconn *conn, const char *sql);
PGresult *
__wrap_PQexec(PGconn *conn, const char *sql)
{
	char other[96];

	return __real_PQexec(conn, fails(sql) ? failing_sql(other) : sql);
}

/* Run it once for each of its statements, which fails in that run. */
static void
fail_each(void (*run)(void *state), void *state)
{
	long count;

	fault.at = 0;
	fault.count = 0;
	fault.is_counting = true;
	run(state);
	fault.is_counting = false;
	count = fault.count;
	assert_true(count > 3);
	for (long n = 1; n <= count; n++) {
		fault.count = 0;
		fault.at = n;
		fault.code = n % 2 ? "40001" : "40P01";
		fault.is_counting = true;
		run(state);
		fault.is_counting = false;
		assert_true(fault.count > n); /* it was repeated */
	}
}

#define must(CALL)                                                                                 \
	do {                                                                                       \
		struct herald_error error = {.message = ""};                                       \
		if ((CALL) != HERALD_OK)                                                           \
			fail_msg("%s: %s, at \"%s\"", #CALL, error.message, fault.sql);            \
	} while (0)

/* What the tool does. */

static bool
add_count(const struct herald_count *count, void *state)
{
	*(uint64_t *)state += count->count;
	return true;
}

static bool
add_letter(const struct herald_dead_letter *letter, void *state)
{
	(void)letter;
	++*(unsigned *)state;
	return true;
}

static bool
add_finding(const struct herald_finding *finding, void *state)
{
	++*(unsigned *)state;
	if (finding->is_problem)
		fail_msg("%s: %s", finding->name, finding->text);
	return true;
}

static void
read_all(struct herald_store *store)
{
	const struct herald_bulk dry = {.is_dry_run = true};
	uint64_t rows = 0, count;
	unsigned letters = 0, findings = 0;

	must(herald_store_counts(store, add_count, &rows, &error));
	assert_int_equal(rows, 3);
	must(herald_store_dead_visit(store, &(struct herald_dead_filter){0}, add_letter, &letters,
				     &error));
	assert_int_equal(letters, 1);
	must(herald_store_check(store, add_finding, &findings, &error));
	assert_true(findings > 3);
	must(herald_store_dead_replay(store, &(struct herald_dead_filter){0}, &dry, &count,
				      &error));
	assert_int_equal(count, 1);
	must(herald_store_purge(store, &(struct herald_purge_filter){0}, &dry, &count, &error));
	assert_int_equal(count, 2);
}

static struct herald_store *
open_store(void *place, bool must_exist)
{
	struct herald_store_options options = HERALD_STORE_OPTIONS(.must_exist = must_exist);
	struct herald_store *store = NULL;

	options.database = postgres_contract.create(place);
	must(herald_store_create(&options, &store, &error));
	return store;
}

static void
look(void *place)
{
	struct herald_store *store = open_store(place, true);

	read_all(store);
	herald_store_destroy(store);
}

static void
what_the_tool_reads_is_repeated(void **unused)
{
	(void)unused;
	for (int is_pooled = 0; is_pooled < 2; is_pooled++) {
		postgres_places = (struct postgres_places){
			.server = &server, .dsn = server.dsn, .is_pooled = is_pooled};
		struct process *p = start(&postgres_contract);
		uint64_t id = accept_event(p, EVENT());

		claim_only(p, id, T0);
		assert_false(COMPLETE(p, id, 1, DEAD));
		accept_event(p, EVENT());
		accept_event(p, EVENT(.due_ms = T0 + 1000));
		fail_each(look, p->place);
		purge_all(p);
		stop(p);
	}
}

/* What a process does besides its transactions. */

static void
live(void *state)
{
	struct process *p = state;
	struct herald_recovery recovery = RECOVER_ALL;
	unsigned char secret[16];

	must(p->ops->node_renew(p->nodes, p->node, T0, &error));
	must(p->ops->secret(p->nodes, secret, &error));
	recovery.node = p->node; /* alive */
	must(p->ops->node_recover(p->nodes, &recovery, &error));
	assert_false(recovery.is_taken);
	assert_nothing_to_claim(p, T0);
}

static void
what_a_process_reads_is_repeated(void **unused)
{
	(void)unused;
	postgres_places = (struct postgres_places){.server = &server, .dsn = server.dsn};
	struct process *p = start(&postgres_contract);
	fail_each(live, p);
	stop(p);
}

/* The tables are created, by one transaction. */
static void
create(void *unused)
{
	void *place = postgres_contract.place_create();

	(void)unused;
	herald_store_destroy(open_store(place, false));
	fault.is_counting = false;
	postgres_contract.place_destroy(place);
}

static void
creating_is_repeated(void **unused)
{
	(void)unused;
	postgres_places = (struct postgres_places){.server = &server, .dsn = server.dsn};
	fail_each(create, NULL);
}

/*
 * A transaction of the store changes herald_mark first. A program that locks tables one after the
 * other, such as one that makes triggers, may lock herald_mark last: then both wait for each other.
 * The store looks for deadlocks first, so it is the one that gives way.
 */
struct rotation {
	struct process *p;
	pthread_t thread;
	unsigned conflicts;
};

static void *
rotate(void *state)
{
	struct rotation *rotation = state;
	struct process *p = rotation->p;
	struct herald_error error;
	enum herald_status status;

	do {
		status = p->ops->begin(p->session, &error);
		if (status == HERALD_OK)
			status = p->ops->seen_rotate(p->session, T0, 1000, &error);
		if (status == HERALD_OK)
			status = p->ops->commit(p->session, &error);
		if (status == HERALD_OK)
			break;
		assert_status(status, HERALD_UNAVAILABLE, &error);
		assert_non_null(strstr(error.message, "(SQLSTATE 40P01)"));
		assert_true(p->ops->may_repeat(p->session));
		rotation->conflicts++;
		p->ops->rollback(p->session);
	} while (rotation->conflicts < 10);
	return NULL;
}

static void
execute(PGconn *conn, const char *format, const char *place)
{
	char sql[160];

	snprintf(sql, sizeof(sql), format, place);
	PGresult *result = PQexec(conn, sql);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(conn));
	PQclear(result);
}

static void
the_first_rotation_goes_on_while_a_program_locks_tables(void **unused)
{
	PGconn *outsider = PQconnectdb(server.dsn);
	struct rotation rotation = {.conflicts = 0};
	char dsn[256];

	(void)unused;
	snprintf(dsn, sizeof(dsn), "%s options='-c deadlock_timeout=2s'", server.dsn);
	postgres_places = (struct postgres_places){.server = &server, .dsn = dsn};
	rotation.p = start(&postgres_contract);
	execute(outsider, "SET deadlock_timeout = '60s'", "");
	execute(outsider, "BEGIN", "");
	execute(outsider, "LOCK TABLE %s.herald_meta IN SHARE ROW EXCLUSIVE MODE",
		rotation.p->place);
	assert_int_equal(pthread_create(&rotation.thread, NULL, rotate, &rotation), 0);
	while (postgres_server_number(&server, "SELECT count(*) FROM pg_stat_activity"
					       " WHERE wait_event_type = 'Lock'") == 0)
		nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	execute(outsider, "LOCK TABLE %s.herald_mark IN SHARE ROW EXCLUSIVE MODE",
		rotation.p->place);
	execute(outsider, "COMMIT", "");
	pthread_join(rotation.thread, NULL);
	assert_true(rotation.conflicts > 0);
	assert_true(rotation.conflicts < 10);
	PQfinish(outsider);
	stop(rotation.p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_tool_reads_is_repeated),
		cmocka_unit_test(what_a_process_reads_is_repeated),
		cmocka_unit_test(creating_is_repeated),
		cmocka_unit_test(the_first_rotation_goes_on_while_a_program_locks_tables),
	};

	if (!postgres_server_exists())
		return postgres_server_left_out("postgres_repeats");
	postgres_server_start(&server);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	postgres_server_stop(&server);
	return failed;
}
