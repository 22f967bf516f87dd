/*
 * A standby of PostgreSQL takes over, while the old primary goes on: connections to it are not used
 * any more when one connection has seen the new one.
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
#include <unistd.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "../../adapters/store/postgres/database.h"
#include "contract/store/probe.h"
#include "support/postgres_place.h"

/* What connections say of the timeline, in the order in which their answers come. */
static void
late_answers(void **unused)
{
	static const struct {
		uint64_t epoch; /* when the connection was begun */
		int64_t timeline;
		bool is_taken;
		uint64_t then; /* the epoch after that */
	} answers
		[] =
			{
				{0, 11, true, 0},  {0, 11, true, 0},
				{0, 12, true, 1},  /* a standby has taken over */
				{0, 11, false, 1}, /* late: an answer of the old primary */
				{0, 12, true, 1},  /* late, and right */
				{1, 12, true, 1},  {1, 13, true, 2},
				{1, 12, false, 2}, {0, 11, false, 2},
				{2, 11, false, 2}, /* an old primary is back */
			};
	const struct postgres_lease lease = {.node = 7, .expires = 1, .table = 1};
	struct postgres_leases leases;

	(void)unused;
	assert_int_equal(herald__postgres_leases_init(&leases), 0);
	for (size_t i = 0; i < COUNT(answers); i++) {
		const uint64_t before = herald__postgres_epoch(&leases);
		uint64_t epoch = answers[i].epoch;

		/* A node that has joined since the last change. */
		leases.all[0] = lease;
		assert_int_equal(
			herald__postgres_leases_check(&leases, answers[i].timeline, &epoch),
			answers[i].is_taken);
		assert_int_equal(herald__postgres_epoch(&leases), answers[i].then);
		assert_int_equal(epoch, answers[i].is_taken ? answers[i].then : answers[i].epoch);
		assert_int_equal(leases.all[0].table, answers[i].then == before);
	}
	herald__postgres_leases_finish(&leases);
}

/* A primary, and its standby, both at the address that a link names in turn. */
struct pair {
	struct postgres_server old, new;
	char link[80];
	char dsn[240];
};

static void
run(const char *format, const char *a, const char *b)
{
	char command[512];

	snprintf(command, sizeof(command), format, a, b);
	assert_int_equal(system(command), 0);
}

static void
point_to(const struct pair *pair, const struct postgres_server *server)
{
	run("ln -sfn '%s' '%s'", server->directory, pair->link);
}

/* The standby has everything that is committed now, and begins a timeline. */
static void
split(struct pair *pair)
{
	postgres_server_halt(&pair->old);
	pair->new = pair->old;
	snprintf(pair->new.directory, sizeof(pair->new.directory), "%.60s-2", pair->old.directory);
	snprintf(pair->new.dsn, sizeof(pair->new.dsn),
		 "host=%s port=%u user=herald dbname=postgres", pair->new.directory,
		 pair->new.port);
	run("cp -a '%s' '%s'", pair->old.directory, pair->new.directory);
	run("cd '%s' && rm -f data/postmaster.pid && touch data/recovery.signal &&"
	    " printf \"restore_command = '/bin/false'\\nlisten_addresses = ''\\n"
	    "unix_socket_directories = '%s'\\n\" >>data/postgresql.conf",
	    pair->new.directory, pair->new.directory);
	postgres_server_restart(&pair->old);
	postgres_server_restart(&pair->new);
	while (postgres_server_number(&pair->new, "SELECT pg_is_in_recovery()::int") != 0)
		nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

static long
stored_on(const struct postgres_server *server, const struct process *p, const char *type)
{
	char sql[160];

	snprintf(sql, sizeof(sql),
		 "SELECT count(*) FROM \"%s\".herald_event WHERE event_type = '%s'",
		 (const char *)p->place, type);
	return postgres_server_number(server, sql);
}

/* When the lease of the only node ends there. */
static long
expires_us(const struct postgres_server *server, const struct process *p)
{
	char sql[160];

	snprintf(sql, sizeof(sql),
		 "SELECT (extract(epoch FROM expires_at) * 1000000)::bigint FROM"
		 " \"%s\".herald_node",
		 (const char *)p->place);
	return postgres_server_number(server, sql);
}

static enum herald_status
store_on(struct process *p, struct herald_session *session, const char *type)
{
	struct herald_error error;
	enum herald_status status = p->ops->begin(session, &error);

	if (status == HERALD_OK)
		status = p->ops->accept(session, EVENT(.event_type = type), 1, &error);
	return status == HERALD_OK ? p->ops->commit(session, &error) : status;
}

/* A process of the old primary, whose standby has just taken over. */
static struct process *
start_on_pair(struct pair *pair)
{
	postgres_server_start(&pair->old);
	snprintf(pair->link, sizeof(pair->link), "%s-link", pair->old.directory);
	snprintf(pair->dsn, sizeof(pair->dsn), "host=%s port=%u user=herald dbname=postgres",
		 pair->link, pair->old.port);
	point_to(pair, &pair->old);
	postgres_places = (struct postgres_places){.server = &pair->old, .dsn = pair->dsn};
	struct process *p = start(&postgres_contract);
	split(pair);
	return p;
}

static void
stop_on_pair(struct process *p, struct pair *pair)
{
	stop(p);
	postgres_server_stop(&pair->new);
	postgres_server_stop(&pair->old);
	assert_int_equal(unlink(pair->link), 0);
}

/* A transaction that is open on the old primary is not committed there. All that follows is on the
 * new one. */
static void
check_session(enum herald_session_use use)
{
	struct herald_session *session, *another, *refused;
	struct herald_error error;
	struct pair pair;
	struct process *p = start_on_pair(&pair);

	assert_int_equal(p->ops->session_open(p->database, use, &session, &error), HERALD_OK);
	assert_int_equal(p->ops->node_renew(p->nodes, p->node, T0, &error), HERALD_OK);
	assert_int_equal(store_on(p, session, "before"), HERALD_OK);
	assert_int_equal(store_on(p, p->session, "idle"), HERALD_OK);
	const long expires = expires_us(&pair.old, p);
	assert_int_equal(stored_on(&pair.old, p, "before"), 1);

	assert_int_equal(p->ops->begin(session, &error), HERALD_OK);
	assert_int_equal(p->ops->accept(session, EVENT(.event_type = "meanwhile"), 1, &error),
			 HERALD_OK);
	point_to(&pair, &pair.new);
	assert_int_equal(p->ops->session_open(p->database, HERALD_SESSION_ADMIN, &another, &error),
			 HERALD_OK);
	assert_int_equal(p->ops->commit(session, &error), HERALD_UNAVAILABLE);
	assert_int_equal(store_on(p, session, "after"), HERALD_OK);
	assert_int_equal(store_on(p, p->session, "after"), HERALD_OK);
	assert_int_equal(p->ops->node_renew(p->nodes, p->node, T0, &error), HERALD_LEASE_LOST);
	assert_int_equal(p->ops->node_keep(p->nodes, p->node, &error), HERALD_OK);
	assert_int_equal(stored_on(&pair.old, p, "meanwhile"), 0);
	assert_int_equal(stored_on(&pair.old, p, "after"), 0);
	assert_int_equal(stored_on(&pair.new, p, "after"), 2);
	assert_int_equal(expires_us(&pair.old, p), expires);
	assert_true(expires_us(&pair.new, p) > expires);

	/* Its address leads to the old primary again: nothing goes back to it. */
	point_to(&pair, &pair.old);
	assert_int_equal(p->ops->session_open(p->database, HERALD_SESSION_ADMIN, &refused, &error),
			 HERALD_UNAVAILABLE);
	assert_int_equal(store_on(p, session, "later"), HERALD_OK);
	assert_int_equal(stored_on(&pair.old, p, "later"), 0);
	assert_int_equal(stored_on(&pair.new, p, "later"), 1);

	p->ops->session_close(another);
	p->ops->session_close(session);
	stop_on_pair(p, &pair);
}

static void
the_old_primary_goes_on(void **unused)
{
	(void)unused;
	check_session(HERALD_SESSION_COMMIT);
	check_session(HERALD_SESSION_JOIN);
}

/* A COMMIT of an event then waits, until another transaction gives back the lock. */
static void
make_commits_wait(const struct postgres_server *server, const struct process *p)
{
	char sql[480];

	snprintf(sql, sizeof(sql),
		 "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS"
		 " 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END';"
		 "CREATE CONSTRAINT TRIGGER waits AFTER INSERT ON \"%s\".herald_event"
		 " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait()",
		 (const char *)p->place);
	postgres_server_run(server, sql);
}

struct committing {
	struct process *p;
	struct herald_session *session;
	enum herald_status status;
};

static void *
store_one(void *state)
{
	struct committing *committing = state;

	committing->status = store_on(committing->p, committing->session, "meanwhile");
	return NULL;
}

/* Give the new server the mark of the connection that commits, as a standby has it that gets all
 * that is committed; `later`: with the transaction itself. */
static void
copy_mark(const struct pair *pair, const struct process *p, bool later)
{
	char sql[320];

	snprintf(sql, sizeof(sql),
		 "SELECT id FROM \"%s\".herald_mark ORDER BY touched DESC LIMIT 1",
		 (const char *)p->place);
	const long id = postgres_server_number(&pair->old, sql);
	snprintf(sql, sizeof(sql), "SELECT batch FROM \"%s\".herald_mark WHERE id = %ld",
		 (const char *)p->place, id);
	const long batch = postgres_server_number(&pair->old, sql);
	snprintf(sql, sizeof(sql),
		 "INSERT INTO \"%s\".herald_mark (id, instance, batch) OVERRIDING SYSTEM VALUE"
		 " VALUES (%ld, 0, %ld)",
		 (const char *)p->place, id, batch + later);
	postgres_server_run(&pair->new, sql);
}

enum mark {
	MARK_MISSING, /* the new server does not know this connection's transactions */
	MARK_BEFORE,
	MARK_AFTER,
};

/* A commit that succeeds on the old primary counts only if the new one has it. */
static void
check_commit(enum mark mark, enum herald_status expected)
{
	static const char waits[] =
		"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
	struct herald_session *another;
	struct herald_error error;
	struct pair pair;
	struct process *p = start_on_pair(&pair);
	struct committing committing = {.p = p, .session = p->session};
	pthread_t thread;

	assert_int_equal(store_on(p, p->session, "before"), HERALD_OK);
	make_commits_wait(&pair.old, p);
	PGconn *lock = PQconnectdb(pair.old.dsn);
	PQclear(PQexec(lock, "SELECT pg_advisory_lock(1)"));
	assert_int_equal(PQstatus(lock), CONNECTION_OK);
	if (mark != MARK_MISSING)
		copy_mark(&pair, p, mark == MARK_AFTER);
	assert_int_equal(pthread_create(&thread, NULL, store_one, &committing), 0);
	while (postgres_server_number(&pair.old, waits) != 1)
		nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	point_to(&pair, &pair.new);
	assert_int_equal(p->ops->session_open(p->database, HERALD_SESSION_ADMIN, &another, &error),
			 HERALD_OK);
	PQfinish(lock);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(committing.status, expected);
	assert_int_equal(stored_on(&pair.old, p, "meanwhile"), 1);
	assert_int_equal(stored_on(&pair.new, p, "meanwhile"), 0);
	assert_int_equal(store_on(p, p->session, "after"), HERALD_OK);
	assert_int_equal(stored_on(&pair.new, p, "after"), 1);
	p->ops->session_close(another);
	stop_on_pair(p, &pair);
}

static void
the_old_primary_commits_meanwhile(void **unused)
{
	(void)unused;
	check_commit(MARK_MISSING, HERALD_UNKNOWN_OUTCOME);
	check_commit(MARK_BEFORE, HERALD_UNAVAILABLE);
	check_commit(MARK_AFTER, HERALD_OK);
}

/* Both are in the DSN, and the old one is the first that is tried: it is passed over. */
static void
the_old_primary_is_passed_over(void **unused)
{
	struct herald_session *session;
	struct herald_error error;
	struct pair pair;

	(void)unused;
	postgres_server_start(&pair.old);
	snprintf(pair.link, sizeof(pair.link), "%s-link", pair.old.directory);
	snprintf(pair.dsn, sizeof(pair.dsn), "host=%s,%s-2 port=%u user=herald dbname=postgres",
		 pair.old.directory, pair.old.directory, pair.old.port);
	postgres_places = (struct postgres_places){.server = &pair.old, .dsn = pair.dsn};
	struct process *p = start(&postgres_contract);
	split(&pair);
	postgres_server_halt(&pair.old);
	assert_int_equal(store_on(p, p->session, "after"), HERALD_OK);
	assert_int_equal(stored_on(&pair.new, p, "after"), 1);
	postgres_server_restart(&pair.old);
	((struct postgres *)p->database)->first_address = 0;
	assert_int_equal(p->ops->session_open(p->database, HERALD_SESSION_COMMIT, &session, &error),
			 HERALD_OK);
	assert_int_equal(store_on(p, session, "later"), HERALD_OK);
	assert_int_equal(stored_on(&pair.old, p, "later"), 0);
	assert_int_equal(stored_on(&pair.new, p, "later"), 1);
	p->ops->session_close(session);
	stop(p);
	postgres_server_stop(&pair.new);
	postgres_server_stop(&pair.old);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(late_answers),
		cmocka_unit_test(the_old_primary_goes_on),
		cmocka_unit_test(the_old_primary_commits_meanwhile),
		cmocka_unit_test(the_old_primary_is_passed_over),
	};

	if (!postgres_server_exists())
		return postgres_server_left_out("postgres_takeover");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
