/*
 * Nodes on SQLite in several processes: who is alive, who may join, who takes over; and what one
 * process notices of another.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <herald/adapter/database.h>
#include <herald/sqlite.h>

#include "../../adapters/store/sqlite/fair_lock.h"
#include "../../adapters/store/sqlite/node.h"
#include "support/option_error.h"
#include "support/sqlite_file.h"

#define NOW SQLITE_FILE_NOW

static const struct herald_database_ops *
ops(const struct sqlite_file *file)
{
	return file->database->ops;
}

#define assert_works(CALL, ERROR)                                                                  \
	do {                                                                                       \
		if ((CALL) != HERALD_OK)                                                           \
			fail_msg("%s: %s", #CALL, (ERROR)->message);                               \
	} while (0)

/* A process that joins, owns an event, and waits to be killed. */

struct child {
	pid_t pid;
	uint64_t node;
	uint64_t event;
};

/* In the child: no cmocka. */
static void
be_a_node(const struct sqlite_file *parent, int out)
{
	struct sqlite_file file = *parent;
	struct herald_session *session;
	struct herald_error error;
	struct herald_node node = {.host = "elsewhere", .boot_id = "boot", .pid = getpid()};
	struct herald_stored_event event = sqlite_file_event("{}");
	uint64_t ids[2];

	if (sqlite_file_try(&file, &HERALD_SQLITE_OPTIONS(.assume_wal_fixed = true), NULL,
			    &error) != HERALD_OK)
		_exit(1);
	const struct herald_database_ops *op = ops(&file);
	if (op->session_open(file.database, HERALD_SESSION_COMMIT, &session, &error) != HERALD_OK ||
	    op->node_join(session, &node, NOW, &error) != HERALD_OK)
		_exit(2);
	event.owner = node.id;
	if (op->begin(session, &error) != HERALD_OK ||
	    op->accept(session, &event, 1, &error) != HERALD_OK ||
	    op->commit(session, &error) != HERALD_OK)
		_exit(3);
	ids[0] = node.id;
	ids[1] = event.id;
	if (write(out, ids, sizeof(ids)) != sizeof(ids))
		_exit(4);
	alarm(120); /* if the test fails and does not end it */
	for (;;)
		pause();
}

static struct child
start_child(const struct sqlite_file *file)
{
	struct child child;
	uint64_t ids[2];
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (child.pid == 0)
		be_a_node(file, ends[1]);
	close(ends[1]);
	if (read(ends[0], ids, sizeof(ids)) != sizeof(ids))
		fail_msg("the child failed");
	close(ends[0]);
	child.node = ids[0];
	child.event = ids[1];
	return child;
}

static void
kill_child(const struct child *child)
{
	assert_int_equal(kill(child->pid, SIGKILL), 0);
	assert_int_equal(waitpid(child->pid, NULL, 0), child->pid);
}

struct dead_nodes {
	size_t count;
	struct herald_node last;
	char path[1100];
};

static bool
note_dead(const struct herald_node *node, void *state)
{
	struct dead_nodes *dead = state;

	dead->count++;
	dead->last = *node;
	assert_string_equal(node->host, "elsewhere");
	assert_string_equal(node->boot_id, "boot");
	snprintf(dead->path, sizeof(dead->path), "%s", node->in_flight_path);
	return true;
}

static struct dead_nodes
find_dead(struct sqlite_file *file, struct herald_session *session)
{
	struct dead_nodes dead = {.count = 0};
	struct herald_error error;

	assert_works(ops(file)->node_dead(session, NOW, note_dead, &dead, &error), &error);
	return dead;
}

static void
a_killed_process_is_dead_at_once(void **unused)
{
	struct sqlite_file file;
	struct herald_error error;
	char expected[160];

	(void)unused;
	sqlite_file_init(&file);
	struct child child = start_child(&file);
	assert_works(sqlite_file_try(&file, &HERALD_SQLITE_OPTIONS(.assume_wal_fixed = true), NULL,
				     &error),
		     &error);
	struct herald_session *session = sqlite_file_session(&file, HERALD_SESSION_NODE);
	assert_int_equal(find_dead(&file, session).count, 0);
	uint64_t own = sqlite_file_join(&file, session);
	assert_true(own > child.node);

	/* Alive, and also when it is stopped: it is left alone. */
	struct herald_recovery recovery = {.node = child.node,
					   .now_ms = NOW,
					   .is_known = true,
					   .max_attempts = 20,
					   .max_interrupted = 3};
	assert_int_equal(kill(child.pid, SIGSTOP), 0);
	assert_int_equal(find_dead(&file, session).count, 0);
	assert_works(ops(&file)->node_recover(session, &recovery, &error), &error);
	assert_false(recovery.is_taken);

	kill_child(&child);
	struct dead_nodes dead = find_dead(&file, session);
	assert_int_equal(dead.count, 1);
	assert_int_equal(dead.last.id, child.node);
	assert_int_equal(dead.last.pid, child.pid);
	snprintf(expected, sizeof(expected), "%s-herald.inflight-0", file.path);
	assert_string_equal(dead.path, expected);
	assert_works(ops(&file)->node_recover(session, &recovery, &error), &error);
	assert_true(recovery.is_taken);
	assert_int_equal(recovery.ready, 1);
	assert_int_equal(find_dead(&file, session).count, 0);
	assert_int_equal(sqlite_file_number(&file, "SELECT count(*) FROM herald_event WHERE state "
						   "= 0 AND attempts = 0 AND owner = 0"),
			 1);
	assert_works(ops(&file)->node_recover(session, &recovery, &error), &error);
	assert_false(recovery.is_taken);
	assert_works(ops(&file)->node_leave(session, own, &error), &error);
	ops(&file)->session_close(session);
	sqlite_file_close(&file);
}

static void
each_node_has_a_slot(void **unused)
{
	struct sqlite_file file;
	struct herald_error error;
	struct herald_node nodes[3];
	char expected[160];

	(void)unused;
	sqlite_file_init(&file);
	assert_works(sqlite_file_try(&file, &HERALD_SQLITE_OPTIONS(.assume_wal_fixed = true), NULL,
				     &error),
		     &error);
	struct herald_session *session = sqlite_file_session(&file, HERALD_SESSION_NODE);
	for (int i = 0; i < 3; i++) {
		nodes[i] = (struct herald_node){.host = "h", .boot_id = "b"};
		assert_works(ops(&file)->node_join(session, &nodes[i], NOW, &error), &error);
		snprintf(expected, sizeof(expected), "%s-herald.inflight-%d", file.path, i);
		assert_string_equal(nodes[i].in_flight_path, expected);
	}
	/* A slot that has become free is used again, with a new id. */
	assert_works(ops(&file)->node_leave(session, nodes[1].id, &error), &error);
	nodes[1] = (struct herald_node){.host = "h", .boot_id = "b"};
	assert_works(ops(&file)->node_join(session, &nodes[1], NOW, &error), &error);
	assert_true(nodes[1].id > nodes[2].id);
	snprintf(expected, sizeof(expected), "%s-herald.inflight-1", file.path);
	assert_string_equal(nodes[1].in_flight_path, expected);
	ops(&file)->session_close(session);
	sqlite_file_close(&file);
}

/* A store and a copy of it, or any two files of the same name. */
static void
two_files_have_the_same_folder(void **unused)
{
	struct sqlite_file files[2];
	struct herald_error error;
	char paths[2][128];
	unsigned long long hash;
	int slot = -1, end = 0;

	(void)unused;
	for (int i = 0; i < 2; i++) {
		struct herald_node node = {
			.host = "h", .boot_id = "b", .in_flight_path = "/somewhere"};

		sqlite_file_init(&files[i]);
		assert_works(sqlite_file_try(&files[i], NULL, NULL, &error), &error);
		struct herald_session *session =
			sqlite_file_session(&files[i], HERALD_SESSION_NODE);
		assert_works(ops(&files[i])->node_join(session, &node, NOW, &error), &error);
		snprintf(paths[i], sizeof(paths[i]), "%s", node.in_flight_path);
		assert_int_equal(sscanf(paths[i], "/somewhere/a.db-%16llx-herald.inflight-%d%n",
					&hash, &slot, &end),
				 2);
		assert_int_equal(slot, 0);
		assert_int_equal(paths[i][end], '\0');
		ops(&files[i])->session_close(session);
	}
	assert_string_not_equal(paths[0], paths[1]);
	for (int i = 0; i < 2; i++)
		sqlite_file_close(&files[i]);
}

/* The WAL-reset bug (litestream#1432). */

static void
versions_with_the_wal_bug_are_known(void **unused)
{
	static const struct {
		int version;
		bool has_bug;
	} cases[] = {
		{3006023, false}, {3007000, true},  {3040001, true}, {3044005, true},
		{3044006, false}, {3044007, false}, {3045000, true}, {3050006, true},
		{3050007, false}, {3051000, true},  {3051002, true}, {3051003, false},
		{3052000, false},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(herald__sqlite_has_wal_bug(cases[i].version), cases[i].has_bug);
}

/* Another process may use the file, as the tool does, but not run events; unless the version is
 * good, or is said to be. */
static void
a_second_process_is_refused_with_the_wal_bug(void **unused)
{
	struct sqlite_file file;
	struct herald_error error;
	struct herald_node node = {.host = "h", .boot_id = "b"};
	bool has_bug = herald__sqlite_has_wal_bug(sqlite3_libversion_number());
	char expected[256];

	(void)unused;
	sqlite_file_init(&file);
	struct child child = start_child(&file);
	for (int assumes = 0; assumes < 2; assumes++) {
		assert_works(sqlite_file_try(&file,
					     &HERALD_SQLITE_OPTIONS(.assume_wal_fixed = assumes),
					     NULL, &error),
			     &error);
		struct herald_session *session = sqlite_file_session(&file, HERALD_SESSION_ADMIN);
		assert_works(ops(&file)->begin(session, &error), &error);
		assert_works(ops(&file)->commit(session, &error), &error);
		enum herald_status status = ops(&file)->node_join(session, &node, NOW, &error);
		assert_int_equal(status, has_bug && !assumes ? HERALD_BAD_OPTION : HERALD_OK);
		if (status != HERALD_OK) {
			snprintf(expected, sizeof(expected),
				 "another process runs events of %s, and SQLite %s can damage a "
				 "file that two processes use: stop one, or use SQLite 3.51.3, "
				 "3.50.7, 3.44.6 or newer",
				 file.path, sqlite3_libversion());
			assert_option_error(&error, "path", expected);
		}
		ops(&file)->session_close(session);
		sqlite_file_destroy(&file);
	}
	/* A dead process does not keep others out, although it has not been recovered. */
	kill_child(&child);
	assert_works(sqlite_file_try(&file, NULL, NULL, &error), &error);
	struct herald_session *session = sqlite_file_session(&file, HERALD_SESSION_ADMIN);
	sqlite_file_join(&file, session);
	ops(&file)->session_close(session);
	sqlite_file_close(&file);
}

/* Watching. */

struct watcher {
	struct sqlite_file *file;
	struct herald_session *session;
	enum herald_status status;
	struct herald_error error;
};

static void *
watch_long(void *state)
{
	struct watcher *watcher = state;

	watcher->status = ops(watcher->file)->watch(watcher->session, 60000, &watcher->error);
	return NULL;
}

static void
a_watch_ends_with_a_commit_of_others(void **unused)
{
	struct sqlite_file file;
	struct herald_error error;
	struct watcher watcher = {.file = &file};
	pthread_t thread;
	struct timespec begin, end;

	(void)unused;
	sqlite_file_open(&file);
	watcher.session = sqlite_file_session(&file, HERALD_SESSION_NODE);
	assert_works(ops(&file)->watch(watcher.session, 0, &error), &error);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pthread_create(&thread, NULL, watch_long, &watcher), 0);
		if (i < 2)
			sqlite_file_run(&file, "CREATE TABLE IF NOT EXISTS a (b); "
					       "INSERT INTO a VALUES (1)");
		else
			ops(&file)->watch_end(watcher.session);
		pthread_join(thread, NULL);
		assert_works(watcher.status, &watcher.error);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_true(end.tv_sec - begin.tv_sec < 30);
	ops(&file)->session_close(watcher.session);
	sqlite_file_close(&file);
}

/* The fair lock. */

#define WAITERS 8

struct waiter {
	struct herald__fair_lock *lock;
	int *turns; /* of all */
	int turn;
};

static void *
wait_for_lock(void *state)
{
	struct waiter *waiter = state;

	if (herald__fair_lock_take(waiter->lock, 60000, NULL)) {
		waiter->turn = ++*waiter->turns; /* the lock protects it */
		if (herald__fair_lock_take(waiter->lock, 0, NULL))
			waiter->turn = -1; /* two have it */
		herald__fair_lock_give(waiter->lock);
	}
	return NULL;
}

static size_t
count_waiters(struct herald__fair_lock *lock)
{
	pthread_mutex_lock(&lock->mutex);
	size_t count = lock->waiters_count;
	pthread_mutex_unlock(&lock->mutex);
	return count;
}

static void
the_lock_is_given_in_order(void **unused)
{
	struct herald__fair_lock lock;
	struct waiter waiters[WAITERS];
	pthread_t threads[WAITERS];
	int turns = 0;

	(void)unused;
	assert_true(herald__fair_lock_init(&lock));
	assert_true(herald__fair_lock_take(&lock, 0, NULL));
	for (size_t i = 0; i < WAITERS; i++) {
		waiters[i] = (struct waiter){.lock = &lock, .turns = &turns};
		assert_int_equal(pthread_create(&threads[i], NULL, wait_for_lock, &waiters[i]), 0);
		while (count_waiters(&lock) < i + 1)
			sched_yield();
	}
	assert_false(herald__fair_lock_take(&lock, 0, NULL)); /* the last in the queue leaves it */
	assert_false(herald__fair_lock_take(&lock, 20, NULL));
	assert_int_equal(count_waiters(&lock), WAITERS);
	herald__fair_lock_give(&lock);
	for (size_t i = 0; i < WAITERS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(waiters[i].turn, i + 1);
	}
	assert_true(herald__fair_lock_take(&lock, 0, NULL));
	herald__fair_lock_give(&lock);
	herald__fair_lock_finish(&lock);
}

/* The check. */

struct findings {
	size_t problems;
	char text[4096];
};

static bool
keep_finding(const struct herald_finding *finding, void *state)
{
	struct findings *findings = state;
	size_t used = strlen(findings->text);

	findings->problems += finding->is_problem;
	snprintf(findings->text + used, sizeof(findings->text) - used, "%s%s: %s\n",
		 finding->is_problem ? "! " : "", finding->name, finding->text);
	return true;
}

static struct findings
check(struct sqlite_file *file)
{
	struct findings findings = {.problems = 0};
	struct herald_session *session = sqlite_file_session(file, HERALD_SESSION_ADMIN);
	struct herald_error error;

	assert_works(ops(file)->check(session, NOW, keep_finding, &findings, &error), &error);
	ops(file)->session_close(session);
	return findings;
}

static void
assert_finding(struct sqlite_file *file, const char *line)
{
	struct findings findings = check(file);

	if (!strstr(findings.text, line))
		fail_msg("expected \"%s\", found:\n%s", line, findings.text);
}

static void
the_check_finds_what_is_wrong(void **unused)
{
	struct sqlite_file file;
	struct herald_error error;

	(void)unused;
	sqlite_file_init(&file);
	struct child child = start_child(&file);
	assert_works(sqlite_file_try(&file, NULL, NULL, &error), &error);
	assert_int_equal(check(&file).problems, 0);
	assert_finding(&file, "integrity: ok\n");
	assert_finding(&file, "owners: 0 events and deliveries are running");
	assert_finding(&file, "database_bytes: ");
	assert_finding(&file, "wal_bytes: ");
	kill_child(&child);
	assert_finding(&file, "on elsewhere has died, and its events wait for a process that runs "
			      "events\n");
	sqlite_file_run(&file, "DELETE FROM herald_node");
	assert_finding(&file, "! owners: 1 events and deliveries are running, but their process "
			      "has left\n");
	sqlite_file_run(&file, "UPDATE herald_event SET state = 2, owner = 0, key_hash = 5");
	assert_finding(&file, "! keys: 1 keys have blocked events, but none that they wait for\n");
	sqlite_file_close(&file);
}

/* A table with a long name has NULL where its schema says that there is none. */
static void
a_finding_that_is_cut_says_so(void **unused)
{
	struct sqlite_file file;
	struct herald_error error;
	char name[1101], sql[3600];

	(void)unused;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	sqlite_file_init(&file);
	assert_works(sqlite_file_try(&file, NULL, NULL, &error), &error);
	snprintf(sql, sizeof(sql),
		 "CREATE TABLE %s (a); INSERT INTO %s VALUES (NULL); "
		 "PRAGMA writable_schema = ON; "
		 "UPDATE sqlite_schema SET sql = 'CREATE TABLE %s (a NOT NULL)' WHERE name LIKE "
		 "'nnn%%'; "
		 "PRAGMA writable_schema = OFF",
		 name, name, name);
	sqlite_file_run(&file, sql);
	assert_finding(&file, "! integrity: NULL value in nnn");
	assert_finding(&file, "nnn...\n");
	sqlite_file_close(&file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_killed_process_is_dead_at_once),
		cmocka_unit_test(each_node_has_a_slot),
		cmocka_unit_test(two_files_have_the_same_folder),
		cmocka_unit_test(versions_with_the_wal_bug_are_known),
		cmocka_unit_test(a_second_process_is_refused_with_the_wal_bug),
		cmocka_unit_test(a_watch_ends_with_a_commit_of_others),
		cmocka_unit_test(the_lock_is_given_in_order),
		cmocka_unit_test(the_check_finds_what_is_wrong),
		cmocka_unit_test(a_finding_that_is_cut_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
