/*
 * Faults of the disk. A run of the database is repeated, and each time another call of its VFS
 * fails: the n-th read, write, sync, lock and so on, for every n, once or from then on. Whatever
 * fails, the status says how far the store may go on; after the fault the file is whole, what was
 * acknowledged is there, and what is done does not run again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/database.h>
#include <herald/sqlite.h>

#include "support/sqlite_file.h"
#include "support/sqlite_vfs.h"

#define BATCHES 6
#define EVENTS 4
#define DATA_BYTES 20000

/* Calls that allocate memory. */
#define ALLOCATING_CALLS (1U << VFS_OPEN | 1U << VFS_READ | 1U << VFS_WRITE | 1U << VFS_MAP)

/* An event of the run. */
struct life {
	uint64_t id;
	bool is_accepted; /* acknowledged */
	bool is_ending;   /* a transaction that may have been committed has ended it */
	bool is_done;     /* acknowledged */
};

struct run {
	struct sqlite_file file;
	const struct vfs_fault *fault;
	struct herald_session *session; /* NULL: it could not be opened */
	uint64_t node;
	struct life lives[BATCHES * EVENTS];
	size_t count;
	enum herald_status worst; /* HERALD_STORE_FAILED, once it was reported */
	bool was_refused;         /* a commit failed, but the store goes on */
	/* The checkpoint after creating the tables failed: the WAL stays, and nothing is lost. */
	bool has_failed_opening;
	char data[DATA_BYTES];
};

static const struct herald_database_ops *
ops(const struct run *run)
{
	return run->file.database->ops;
}

static void
fail_run(const struct run *run, const char *what, const struct herald_error *error)
{
	fail_msg("call %ld of kinds %x fails with %d%s: %s: %s", run->fault->n, run->fault->calls,
		 run->fault->code, run->fault->is_sticky ? ", as do later ones" : "", what,
		 error ? error->message : "");
}

/* A status of a function that may fail. */
static bool
works(struct run *run, enum herald_status status, const struct herald_error *error)
{
	if (run->worst == HERALD_STORE_FAILED && status == HERALD_OK)
		fail_run(run, "works after it has failed", NULL);
	if (status == HERALD_OK)
		return true;
	if (!sqlite_vfs_failed())
		fail_run(run, "fails without a reason", error);
	/* A file that is too short is not a database. */
	if (status == HERALD_BAD_OPTION && run->fault->code == SQLITE_OK && !run->session)
		return false;
	if (status != HERALD_UNAVAILABLE && status != HERALD_STORE_FAILED &&
	    status != HERALD_NO_MEMORY && status != HERALD_SYSTEM)
		fail_run(run, herald_status_name(status), error);
	if (error->message[0] == '\0')
		fail_run(run, "fails without a message", NULL);
	if (status == HERALD_STORE_FAILED)
		run->worst = status;
	return false;
}

/* One batch: what was accepted before is done, and others are accepted. */
static void
run_batch(struct run *run, size_t batch)
{
	struct herald_stored_event events[EVENTS];
	struct herald_completion done[EVENTS] = {{.id = 0}};
	struct herald_error error = {.message = ""};
	size_t first = run->count;
	size_t done_count = 0;
	enum herald_status status = ops(run)->begin(run->session, &error);

	for (size_t i = 0; i < EVENTS; i++) {
		events[i] = sqlite_file_event("");
		events[i].data = (struct herald_text){run->data, batch % 2 ? DATA_BYTES : 100};
		events[i].owner = run->node;
	}
	for (size_t i = 0; i < run->count && done_count < EVENTS; i++)
		if (run->lives[i].is_accepted && !run->lives[i].is_done && i % 3 != 2)
			done[done_count++] =
				(struct herald_completion){.id = run->lives[i].id,
							   .owner = run->node,
							   .attempts = 1,
							   .kind = HERALD_COMPLETE_DONE};
	if (status == HERALD_OK)
		status = ops(run)->complete(run->session, done, done_count, &error);
	if (status == HERALD_OK)
		status = ops(run)->accept(run->session, events, EVENTS, &error);
	if (status == HERALD_OK) {
		for (size_t i = 0; i < EVENTS; i++)
			run->lives[run->count++] = (struct life){.id = events[i].id};
		for (size_t i = 0; i < run->count; i++)
			for (size_t j = 0; j < done_count; j++)
				run->lives[i].is_ending |= run->lives[i].id == done[j].id;
		status = ops(run)->commit(run->session, &error);
	}
	if (!works(run, status, &error)) {
		ops(run)->rollback(run->session);
		run->was_refused |= status != HERALD_STORE_FAILED;
		return;
	}
	for (size_t i = first; i < run->count; i++)
		run->lives[i].is_accepted = true;
	for (size_t i = 0; i < first; i++)
		run->lives[i].is_done |= run->lives[i].is_ending;
	ops(run)->tend(run->session, SQLITE_FILE_NOW + (int64_t)batch * 100000);
}

/* With the fault. */
static void
run_all(struct run *run)
{
	struct herald_node node = {.host = "h", .boot_id = "b", .pid = 1};
	struct herald_error error = {.message = ""};
	const struct herald_sqlite_options options =
		HERALD_SQLITE_OPTIONS(.vfs = SQLITE_VFS, .checkpoint_bytes = 65536,
				      .cache_bytes = 65536, .busy_timeout_ms = 1);

	sqlite_vfs_fail(run->fault);
	if (!works(run, sqlite_file_try(&run->file, &options, NULL, &error), &error))
		return;
	run->has_failed_opening = sqlite_vfs_failed();
	if (!works(run,
		   ops(run)->session_open(run->file.database, HERALD_SESSION_COMMIT, &run->session,
					  &error),
		   &error)) {
		run->session = NULL;
		return;
	}
	if (!works(run, ops(run)->node_join(run->session, &node, SQLITE_FILE_NOW, &error), &error))
		return;
	run->node = node.id;
	for (size_t batch = 0; batch < BATCHES; batch++)
		run_batch(run, batch);
}

/* Without the fault: what is there? */
static void
check_file(struct run *run)
{
	sqlite3 *db = sqlite_file_connect(&run->file);
	sqlite3_stmt *stmt;
	char sql[96];

	if (!sqlite_file_number_on(db, "SELECT integrity_check = 'ok' FROM "
				       "pragma_integrity_check"))
		fail_run(run, "the file is damaged", NULL);
	for (size_t i = 0; i < run->count; i++) {
		const struct life *life = &run->lives[i];

		snprintf(sql, sizeof(sql), "SELECT 1 FROM herald_event WHERE id = %lld",
			 (long long)life->id);
		assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
		bool is_there = sqlite3_step(stmt) == SQLITE_ROW;
		sqlite3_finalize(stmt);
		if (life->is_accepted && !life->is_ending && !is_there)
			fail_run(run, "an event was acknowledged, and is lost", NULL);
		if (life->is_done && is_there)
			fail_run(run, "an event is done, and would run again", NULL);
		/* After a rollback it is not there; after a failure for good it may be. */
		if (!life->is_accepted && is_there && run->worst != HERALD_STORE_FAILED)
			fail_run(run, "an event was refused, and is there", NULL);
	}
	sqlite3_close(db);
}

/* The store goes on after what it calls UNAVAILABLE, and does not after STORE_FAILED. */
static void
check_session(struct run *run)
{
	struct herald_error error = {.message = ""};
	enum herald_status status;

	if (!run->session)
		return;
	/* tend() returns nothing, but a sync of a checkpoint is as final as one of a commit. */
	if (sqlite_vfs_failed() && sqlite_vfs_failed_call() == VFS_SYNC && !run->has_failed_opening)
		run->worst = HERALD_STORE_FAILED;
	status = ops(run)->begin(run->session, &error);
	if (status != (run->worst == HERALD_STORE_FAILED ? HERALD_STORE_FAILED : HERALD_OK))
		fail_run(run, "after the fault", &error);
	ops(run)->rollback(run->session);
}

/* Returns whether a call failed. */
static bool
run_with(const struct vfs_fault *fault, struct run *run)
{
	struct herald_error error = {.message = ""};

	memset(run, 0, sizeof(*run));
	run->fault = fault;
	sqlite_file_init(&run->file);
	run_all(run);
	bool has_failed = sqlite_vfs_failed();
	sqlite_vfs_stop_failing();
	check_session(run);
	if (run->session)
		ops(run)->session_close(run->session);
	sqlite_file_destroy(&run->file);
	/* After a restart all is well, whatever it was. */
	if (sqlite_file_try(&run->file, NULL, NULL, &error) != HERALD_OK)
		fail_run(run, "cannot be opened after it", &error);
	sqlite_file_destroy(&run->file);
	check_file(run);
	sqlite_file_close(&run->file);
	return has_failed;
}

struct kind_of_fault {
	const char *name;
	unsigned calls;
	int code;
	bool is_once; /* only one call fails: SQLite tries for ten seconds if all do */
};

static const struct kind_of_fault kinds[] = {
	{"read", 1U << VFS_READ, SQLITE_IOERR_READ, false},
	{"short read", 1U << VFS_READ, SQLITE_OK, false},
	{"write", 1U << VFS_WRITE, SQLITE_IOERR_WRITE, false},
	{"full", 1U << VFS_WRITE, SQLITE_FULL, false},
	{"truncate", 1U << VFS_TRUNCATE, SQLITE_IOERR_TRUNCATE, false},
	{"sync", 1U << VFS_SYNC, SQLITE_IOERR_FSYNC, false},
	{"lock", 1U << VFS_LOCK, SQLITE_IOERR_LOCK, false},
	{"busy", 1U << VFS_LOCK, SQLITE_BUSY, true},
	{"map", 1U << VFS_MAP, SQLITE_IOERR_SHMMAP, false},
	{"open", 1U << VFS_OPEN, SQLITE_CANTOPEN, false},
	{"no memory", ALLOCATING_CALLS, SQLITE_IOERR_NOMEM, false},
};

static void
every_call_fails(void **state)
{
	static struct run run;
	const struct kind_of_fault *kind = *state;

	sqlite_vfs_register();
	for (int is_sticky = 0; is_sticky < (kind->is_once ? 1 : 2); is_sticky++) {
		struct vfs_fault fault = {
			.calls = kind->calls, .code = kind->code, .is_sticky = is_sticky};

		for (fault.n = 1; run_with(&fault, &run); fault.n++)
			assert_true(fault.n < 100000);
		assert_true(fault.n > 2); /* something has failed */
	}
	sqlite_vfs_unregister();
}

/* What each failure at a commit means. */

struct commit_case {
	struct vfs_fault fault;
	enum herald_status status;
	const char *message;
};

static void
failures_of_a_commit_have_their_status(void **unused)
{
	static const struct commit_case cases[] = {
		{{.calls = 1U << VFS_SYNC, .n = 1, .code = SQLITE_IOERR_FSYNC},
		 HERALD_STORE_FAILED,
		 "fsync failed ("},
		{{.calls = 1U << VFS_WRITE, .n = 1, .code = SQLITE_IOERR_WRITE},
		 HERALD_STORE_FAILED,
		 "a commit failed ("},
		{{.calls = 1U << VFS_WRITE, .n = 1, .code = SQLITE_FULL},
		 HERALD_UNAVAILABLE,
		 "the disk is full"},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static struct run run;
		struct herald_error error = {.message = ""};
		struct herald_stored_event event = sqlite_file_event("{}");

		sqlite_vfs_register();
		memset(&run, 0, sizeof(run));
		sqlite_file_init(&run.file);
		assert_int_equal(sqlite_file_try(&run.file,
						 &HERALD_SQLITE_OPTIONS(.vfs = SQLITE_VFS), NULL,
						 &error),
				 HERALD_OK);
		run.session = sqlite_file_session(&run.file, HERALD_SESSION_COMMIT);
		assert_int_equal(ops(&run)->begin(run.session, &error), HERALD_OK);
		assert_int_equal(ops(&run)->accept(run.session, &event, 1, &error), HERALD_OK);
		sqlite_vfs_fail(&cases[i].fault);
		assert_int_equal(ops(&run)->commit(run.session, &error), cases[i].status);
		if (!strstr(error.message, cases[i].message))
			fail_msg("expected \"%s\", found \"%s\"", cases[i].message, error.message);
		sqlite_vfs_stop_failing();
		assert_int_equal(ops(&run)->begin(run.session, &error),
				 cases[i].status == HERALD_UNAVAILABLE ? HERALD_OK
								       : HERALD_STORE_FAILED);
		ops(&run)->session_close(run.session);
		sqlite_file_close(&run.file);
		sqlite_vfs_unregister();
	}
}

/* Several processes that create a file together are in each other's way for moments. */
static void
a_lock_that_is_busy_for_a_moment_is_waited_for(void **unused)
{
	struct vfs_fault fault = {.calls = 1U << VFS_LOCK, .n = 1, .code = SQLITE_BUSY};
	bool has_failed = true;

	(void)unused;
	sqlite_vfs_register();
	for (; has_failed; fault.n++) {
		struct herald_error error = {.message = ""};
		struct sqlite_file file;

		sqlite_file_init(&file);
		sqlite_vfs_fail(&fault);
		if (sqlite_file_try(&file, &HERALD_SQLITE_OPTIONS(.vfs = SQLITE_VFS), NULL,
				    &error) != HERALD_OK)
			fail_msg("lock %ld: %s", fault.n, error.message);
		has_failed = sqlite_vfs_failed();
		sqlite_vfs_stop_failing();
		sqlite_file_close(&file);
	}
	assert_true(fault.n > 10);
	sqlite_vfs_unregister();
}

/* The last checkpoint. */

static void
keep_last_message(const struct herald_log_record *record, void *state)
{
	snprintf(state, 256, "%s", record->message);
}

static void
a_last_checkpoint_that_fails_has_its_reason(void **unused)
{
	const struct vfs_fault fault = {
		.calls = 1U << VFS_TRUNCATE, .n = 1, .code = SQLITE_IOERR_TRUNCATE};
	char message[256] = "";
	const struct herald_database_settings settings = {
		.log = {.write = keep_last_message, .state = message, .level = HERALD_LOG_INFO}};
	struct herald_stored_event event = sqlite_file_event("{}");
	struct herald_error error = {.message = ""};
	static struct run run;

	(void)unused;
	sqlite_vfs_register();
	memset(&run, 0, sizeof(run));
	sqlite_file_init(&run.file);
	assert_int_equal(sqlite_file_try(&run.file, &HERALD_SQLITE_OPTIONS(.vfs = SQLITE_VFS),
					 &settings, &error),
			 HERALD_OK);
	run.session = sqlite_file_session(&run.file, HERALD_SESSION_COMMIT);
	assert_int_equal(ops(&run)->begin(run.session, &error), HERALD_OK);
	assert_int_equal(ops(&run)->accept(run.session, &event, 1, &error), HERALD_OK);
	assert_int_equal(ops(&run)->commit(run.session, &error), HERALD_OK);
	sqlite_vfs_fail(&fault);
	ops(&run)->session_close(run.session);
	assert_true(sqlite_vfs_failed());
	sqlite_vfs_stop_failing();
	assert_string_equal(message, "the WAL could not be emptied: the file is complete only "
				     "together with it");
	sqlite_file_close(&run.file);
	sqlite_vfs_unregister();
}

int
main(void)
{
	struct CMUnitTest tests[sizeof(kinds) / sizeof(kinds[0]) + 3];
	size_t count = sizeof(kinds) / sizeof(kinds[0]);

	for (size_t i = 0; i < count; i++)
		tests[i] = (struct CMUnitTest){.name = kinds[i].name,
					       .test_func = every_call_fails,
					       .initial_state = (void *)&kinds[i]};
	tests[count] = (struct CMUnitTest)cmocka_unit_test(failures_of_a_commit_have_their_status);
	tests[count + 1] =
		(struct CMUnitTest)cmocka_unit_test(a_lock_that_is_busy_for_a_moment_is_waited_for);
	tests[count + 2] =
		(struct CMUnitTest)cmocka_unit_test(a_last_checkpoint_that_fails_has_its_reason);
	return _cmocka_run_group_tests("sqlite_faults", tests, count + 3, NULL, NULL);
}
