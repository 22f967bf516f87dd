/*
 * The database on PostgreSQL when connections are lost, and when the server crashes: what was
 * reported is true, and nothing needs a restart of the process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "contract/store/probe.h"
#include "support/cutting_proxy.h"
#include "support/postgres_place.h"

static struct postgres_server server;
static struct cutting_proxy proxy;

static int64_t
clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
pause_ms(long ms)
{
	struct timespec pause = {.tv_nsec = ms * 1000000};

	nanosleep(&pause, NULL);
}

/* A commit is cut. */

static struct process *
start_behind_proxy(char dsn[128], uint32_t outcome_timeout_ms)
{
	snprintf(dsn, 128,
		 "host=127.0.0.1 port=%u user=herald dbname=postgres sslmode=disable "
		 "gssencmode=disable",
		 proxy.port);
	postgres_places = (struct postgres_places){
		.server = &server, .dsn = dsn, .outcome_timeout_ms = outcome_timeout_ms};
	return start(&postgres_contract);
}

static long
rows_of(const struct process *p, const char *type)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s.herald_event WHERE event_type = '%s'",
		 (const char *)p->place, type);
	return postgres_server_number(&server, sql);
}

static enum herald_status
accept_and_commit(struct process *p, const char *type, struct herald_error *error)
{
	begin(p);
	assert_works(p->ops->accept(p->session, EVENT(.event_type = type), 1, error), error);
	return p->ops->commit(p->session, error);
}

static void
a_commit_that_is_cut_is_looked_up(void **unused)
{
	static const struct {
		enum proxy_cut cut;
		const char *type;
		enum herald_status expected;
	} cases[] = {
		{PROXY_PASSES, "passes", HERALD_OK},
		{PROXY_CUTS_REQUEST, "request", HERALD_UNAVAILABLE},
		{PROXY_CUTS_ANSWER, "answer", HERALD_OK},
		{PROXY_CUTS_ANSWER, "again", HERALD_OK},
		{PROXY_CUTS_REQUEST, "request_again", HERALD_UNAVAILABLE},
	};
	char dsn[128];
	struct process *p = start_behind_proxy(dsn, 0);
	struct herald_error error;

	(void)unused;
	for (size_t i = 0; i < COUNT(cases); i++) {
		unsigned cuts = atomic_load(&proxy.cuts);

		begin(p);
		assert_works(
			p->ops->accept(p->session, EVENT(.event_type = cases[i].type), 1, &error),
			&error);
		atomic_store(&proxy.cut, cases[i].cut);
		assert_status(p->ops->commit(p->session, &error), cases[i].expected, &error);
		assert_int_equal(atomic_load(&proxy.cuts) - cuts, cases[i].cut != PROXY_PASSES);
		assert_int_equal(rows_of(p, cases[i].type), cases[i].expected == HERALD_OK);
		p->ops->rollback(p->session);
	}
	assert_works(accept_and_commit(p, "after", &error), &error);
	stop(p);
}

/* Nothing answers any more: the outcome is unknown, and nothing else. Then it goes on. */
static void
without_an_answer_the_outcome_is_unknown(void **unused)
{
	char dsn[128];
	struct process *p = start_behind_proxy(dsn, 300);
	struct herald_error error;

	(void)unused;
	begin(p);
	assert_works(p->ops->accept(p->session, EVENT(.event_type = "a"), 1, &error), &error);
	atomic_store(&proxy.refuses, true);
	atomic_store(&proxy.cut, PROXY_CUTS_ANSWER);
	assert_status(p->ops->commit(p->session, &error), HERALD_UNKNOWN_OUTCOME, &error);
	p->ops->rollback(p->session);
	assert_status(p->ops->begin(p->session, &error), HERALD_UNAVAILABLE, &error);
	atomic_store(&proxy.refuses, false);
	int64_t end_ms = clock_ms() + 10000;
	while (p->ops->begin(p->session, &error) != HERALD_OK && clock_ms() < end_ms)
		pause_ms(5);
	assert_works(p->ops->commit(p->session, &error), &error);
	assert_int_equal(rows_of(p, "a"), 1);
	stop(p);
}

/* As after a failover that has lost the last transactions: the mark is not there. */
static void *
lose_marks(void *state)
{
	const struct process *p = state;
	char sql[96];

	while (atomic_load(&proxy.cuts) == 0)
		pause_ms(1);
	snprintf(sql, sizeof(sql), "DELETE FROM %s.herald_mark", (const char *)p->place);
	postgres_server_run(&server, sql);
	atomic_store(&proxy.refuses, false);
	return NULL;
}

static void
a_mark_that_is_gone_proves_nothing(void **unused)
{
	char dsn[128];
	struct process *p = start_behind_proxy(dsn, 0);
	struct herald_error error;
	pthread_t thread;

	(void)unused;
	begin(p);
	assert_works(p->ops->accept(p->session, EVENT(), 1, &error), &error);
	atomic_store(&proxy.cuts, 0);
	atomic_store(&proxy.refuses, true);
	atomic_store(&proxy.cut, PROXY_CUTS_ANSWER);
	assert_int_equal(pthread_create(&thread, NULL, lose_marks, p), 0);
	assert_status(p->ops->commit(p->session, &error), HERALD_UNKNOWN_OUTCOME, &error);
	pthread_join(thread, NULL);
	p->ops->rollback(p->session);
	assert_works(accept_and_commit(p, "after", &error), &error);
	stop(p);
}

/* Everything is disturbed, all the time. */

#define NUMBERS 20000

/* What a process knows of the events that it has stored, by their number. */
enum knowledge {
	UNKNOWN,
	STORED,
	NOT_STORED,
};

struct load {
	struct process *process;
	atomic_uint next; /* number */
	unsigned char known[NUMBERS];
	unsigned runs[NUMBERS]; /* ends that were committed */
	struct herald_completion ends[64];
	unsigned numbers[64];
	size_t ends_count;
	atomic_uint commits, failures;
	atomic_bool stops;
};

static bool
note_claim(const struct herald_stored_event *event, void *state)
{
	struct load *load = state;

	load->numbers[load->ends_count] = (unsigned)strtoul(event->event_id, NULL, 10);
	load->ends[load->ends_count++] = (struct herald_completion){
		.id = event->id,
		.owner = load->process->node,
		.attempts = event->attempts,
		.kind = HERALD_COMPLETE_DONE,
		.path = "",
	};
	return load->ends_count < COUNT(load->ends);
}

/* Only the id and the attempts are known, so they are given back. */
static bool
note_owned(const struct herald_stored_event *event, void *state)
{
	struct load *load = state;
	bool goes_on = note_claim(event, state);

	load->ends[load->ends_count - 1].kind = HERALD_COMPLETE_RELEASE;
	return goes_on;
}

/* One transaction: an event more, and the ends of those that were claimed. */
static void
change(struct load *load)
{
	struct process *p = load->process;
	const struct herald_database_ops *ops = p->ops;
	unsigned number = load->next;
	char id[16];
	struct herald_error error;

	snprintf(id, sizeof(id), "%u", number);
	/* Nothing is tried while there is no server: that would use up the numbers. */
	enum herald_status status = ops->begin(p->session, &error);
	if (status != HERALD_OK) {
		ops->rollback(p->session);
		load->failures++;
		pause_ms(1);
		return;
	}
	status = ops->accept(p->session, EVENT(.event_id = id, .key_hash = number % 7), 1, &error);
	if (status == HERALD_OK && load->ends_count > 0)
		status = ops->complete(p->session, load->ends, load->ends_count, &error);
	if (status == HERALD_OK)
		status = ops->commit(p->session, &error);
	if (status != HERALD_OK)
		ops->rollback(p->session);
	load->next++;
	load->known[number] = status == HERALD_OK                ? STORED
			      : status == HERALD_UNKNOWN_OUTCOME ? UNKNOWN
								 : NOT_STORED;
	if (status != HERALD_OK) {
		load->failures++;
		for (size_t i = 0; status == HERALD_UNKNOWN_OUTCOME && i < load->ends_count; i++)
			load->known[load->numbers[i]] = UNKNOWN;
		return;
	}
	load->commits++;
	for (size_t i = 0; i < load->ends_count; i++)
		if (load->ends[i].kind == HERALD_COMPLETE_DONE && !load->ends[i].is_lost)
			load->runs[load->numbers[i]]++;
	load->ends_count = 0;
}

static void
take(struct load *load)
{
	struct process *p = load->process;
	struct herald_error error;
	int64_t next_ms;
	struct herald_claim claim = {.queue = "q",
				     .owner = p->node,
				     .now_ms = T0,
				     .max_events = COUNT(load->ends),
				     .max_bytes = 1 << 20};

	if (p->ops->claim(p->session, &claim, note_claim, load, &next_ms, &error) == HERALD_OK)
		return;
	/* They may have been claimed. */
	load->ends_count = 0;
	if (p->ops->begin(p->session, &error) == HERALD_OK &&
	    p->ops->owned(p->session, p->node, note_owned, load, &error) != HERALD_OK)
		load->ends_count = 0;
	p->ops->rollback(p->session);
}

static void *
run_load(void *state)
{
	struct load *load = state;

	while (!atomic_load(&load->stops) && load->next < NUMBERS) {
		change(load);
		if (load->ends_count == 0)
			take(load);
	}
	return NULL;
}

static void
terminate_everything(void)
{
	postgres_server_run(&server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
				     "backend_type = 'client backend' AND pid <> pg_backend_pid()");
	pause_ms(20);
}

static void
crash_and_restart(void)
{
	postgres_server_crash(&server);
	postgres_server_restart(&server);
}

/* Each event that was stored and has not run is there, and no other. */
static void
check_rows(struct load *load)
{
	static unsigned char rows[NUMBERS];
	PGconn *conn = PQconnectdb(server.dsn);
	char sql[96];

	snprintf(sql, sizeof(sql), "SELECT encode(event_id, 'escape') FROM %s.herald_event",
		 (const char *)load->process->place);
	PGresult *result = PQexec(conn, sql);
	assert_int_equal(PQresultStatus(result), PGRES_TUPLES_OK);
	memset(rows, 0, sizeof(rows));
	for (int i = 0; i < PQntuples(result); i++)
		rows[strtoul(PQgetvalue(result, i, 0), NULL, 10)]++;
	PQclear(result);
	PQfinish(conn);
	for (unsigned number = 0; number < load->next; number++) {
		unsigned expected = load->known[number] == STORED && load->runs[number] == 0;

		assert_true(load->runs[number] <= 1);
		if (load->known[number] != UNKNOWN && rows[number] != expected)
			fail_msg("event %u: %u rows instead of %u", number, rows[number], expected);
	}
}

/* Until a few transactions were committed since the last disturbance. */
static void
wait_for_commits(struct load *load)
{
	unsigned first = load->commits;

	for (int i = 0; load->commits < first + 5 && load->next < NUMBERS; i++) {
		assert_true(i < 60000);
		pause_ms(1);
	}
}

/* At least `times` times, and until a transaction has failed. */
static void
disturb(void (*disturbance)(void), unsigned times)
{
	static struct load load;
	struct process *p = start(&postgres_contract);
	pthread_t thread;

	memset(&load, 0, sizeof(load));
	load.process = p;
	assert_int_equal(pthread_create(&thread, NULL, run_load, &load), 0);
	for (unsigned i = 0; i < times || load.failures == 0; i++) {
		assert_true(i < times + 100);
		wait_for_commits(&load);
		disturbance();
	}
	/* It is connected again. */
	wait_for_commits(&load);
	atomic_store(&load.stops, true);
	pthread_join(thread, NULL);
	check_rows(&load);
	stop(p);
}

static void
every_session_is_terminated(void **unused)
{
	(void)unused;
	postgres_places = (struct postgres_places){.server = &server, .dsn = server.dsn};
	disturb(terminate_everything, 60);
}

static void
the_server_crashes(void **unused)
{
	(void)unused;
	postgres_places = (struct postgres_places){.server = &server, .dsn = server.dsn};
	disturb(crash_and_restart, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_commit_that_is_cut_is_looked_up),
		cmocka_unit_test(without_an_answer_the_outcome_is_unknown),
		cmocka_unit_test(a_mark_that_is_gone_proves_nothing),
		cmocka_unit_test(every_session_is_terminated),
		cmocka_unit_test(the_server_crashes),
	};

	if (!postgres_server_exists())
		return postgres_server_left_out("postgres_faults");
	postgres_server_start(&server);
	cutting_proxy_start(&proxy, server.port);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	cutting_proxy_stop(&proxy);
	postgres_server_stop(&server);
	return failed;
}
