/*
 * The database on SQLite when the disk, the file or another connection is in the way: what is
 * refused for now, what for good, and how long the WAL becomes.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <herald/adapter/database.h>
#include <herald/sqlite.h>

#include "../../adapters/store/sqlite/shared.h"
#include "support/sqlite_file.h"

#define NOW SQLITE_FILE_NOW

static const struct herald_database_ops *
ops(const struct sqlite_file *file)
{
	return file->database->ops;
}

static enum herald_status
accept_one(struct sqlite_file *file, struct herald_session *session, struct herald_error *error)
{
	return sqlite_file_accept(file, session, "{}", 2, error);
}

#define assert_works(CALL, ERROR)                                                                  \
	do {                                                                                       \
		if ((CALL) != HERALD_OK)                                                           \
			fail_msg("%s: %s", #CALL, (ERROR)->message);                               \
	} while (0)

static void
assert_message(const struct herald_error *error, const char *part)
{
	if (!strstr(error->message, part))
		fail_msg("expected \"%s\", found \"%s\"", part, error->message);
}

/* The file goes away. */

static void
delete_file(const struct sqlite_file *file)
{
	assert_int_equal(unlink(file->path), 0);
}

static void
replace(const struct sqlite_file *file, const char *suffix)
{
	char path[128];
	char other[128];

	snprintf(path, sizeof(path), "%s%s", file->path, suffix);
	snprintf(other, sizeof(other), "%s/other", file->folder);
	int fd = open(other, O_WRONLY | O_CREAT, 0644);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(rename(other, path), 0);
}

static void
replace_file(const struct sqlite_file *file)
{
	replace(file, "");
}

static void
delete_next_to(const struct sqlite_file *file, const char *suffix)
{
	char path[128];

	snprintf(path, sizeof(path), "%s%s", file->path, suffix);
	assert_int_equal(unlink(path), 0);
}

static void
delete_lock_file(const struct sqlite_file *file)
{
	delete_next_to(file, "-herald.lock");
}

static void
delete_wal(const struct sqlite_file *file)
{
	delete_next_to(file, "-wal");
}

static void
replace_wal(const struct sqlite_file *file)
{
	replace(file, "-wal");
}

static void
delete_shm(const struct sqlite_file *file)
{
	delete_next_to(file, "-shm");
}

#define WAL_IS_GONE                                                                                \
	"its -wal file was deleted, moved or replaced while in use, and the last commits were "    \
	"only there; put it back if it was moved, and restart the process"

static void
a_file_that_goes_away_is_noticed(void **unused)
{
	static const struct {
		void (*make)(const struct sqlite_file *file);
		const char *message;
	} cases[] = {
		{delete_file, "the file was deleted, moved or replaced while in use; put it back "
			      "and restart the process"},
		{replace_file, "the file was deleted, moved or replaced while in use; put it back "
			       "and restart the process"},
		{delete_lock_file,
		 "its -herald.lock file was deleted or replaced while in use, so that "
		 "other processes take this one for dead; restart the process"},
		{delete_wal, WAL_IS_GONE},
		{replace_wal, WAL_IS_GONE},
		{delete_shm,
		 "its -shm file was deleted, moved or replaced while in use, so that other "
		 "processes do not see the locks of this one; restart the process"},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sqlite_file file;
		struct herald_error error;

		sqlite_file_open(&file);
		struct herald_session *session = sqlite_file_session(&file, HERALD_SESSION_COMMIT);
		sqlite_file_join(&file, session);
		assert_works(accept_one(&file, session, &error), &error);
		cases[i].make(&file);
		for (int again = 0; again < 2; again++) {
			assert_int_equal(accept_one(&file, session, &error), HERALD_STORE_FAILED);
			assert_message(&error, cases[i].message);
		}
		ops(&file)->session_close(session);
		sqlite_file_close(&file);
	}
}

/* In the middle of a transaction: what COMMIT has written is lost, so it must not succeed. */
static void
a_file_that_goes_away_before_a_commit_is_noticed(void **unused)
{
	static void (*const cases[])(const struct sqlite_file *file) = {
		delete_file, replace_file, delete_lock_file, delete_wal, replace_wal, delete_shm,
	};
	static const enum herald_session_use uses[] = {HERALD_SESSION_COMMIT, HERALD_SESSION_JOIN};

	(void)unused;
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		struct herald_stored_event event = sqlite_file_event("{}");
		struct sqlite_file file;
		struct herald_error error;

		sqlite_file_open(&file);
		struct herald_session *session = sqlite_file_session(&file, uses[i % 2]);
		sqlite_file_join(&file, session);
		assert_works(ops(&file)->begin(session, &error), &error);
		assert_works(ops(&file)->accept(session, &event, 1, &error), &error);
		cases[i / 2](&file);
		assert_int_equal(ops(&file)->commit(session, &error), HERALD_STORE_FAILED);
		assert_message(&error, "while in use");
		ops(&file)->rollback(session);
		assert_int_equal(accept_one(&file, session, &error), HERALD_STORE_FAILED);
		ops(&file)->session_close(session);
		sqlite_file_close(&file);
	}
}

/* In a transaction of the user's, what is published would be lost, or not be seen by others. Once
 * the store has failed, it is refused whatever the files are. */
static void
a_file_that_goes_away_refuses_what_the_user_publishes(void **unused)
{
	static void (*const cases[])(const struct sqlite_file *file) = {
		delete_file, replace_file, delete_lock_file, delete_wal, replace_wal, delete_shm,
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct herald_session *wrapped = NULL;
		struct sqlite_file file;
		struct herald_error error;
		char first[sizeof(error.message)];

		sqlite_file_open(&file);
		struct herald_session *session = sqlite_file_session(&file, HERALD_SESSION_COMMIT);
		sqlite_file_join(&file, session);
		file.user = sqlite_file_connect(&file);
		assert_int_equal(sqlite3_exec(file.user, "BEGIN IMMEDIATE", NULL, NULL, NULL),
				 SQLITE_OK);
		assert_works(ops(&file)->session_wrap(file.database, file.user, &wrapped, &error),
			     &error);
		ops(&file)->session_close(wrapped);
		cases[i](&file);
		wrapped = NULL;
		assert_int_equal(
			ops(&file)->session_wrap(file.database, file.user, &wrapped, &error),
			HERALD_STORE_FAILED);
		assert_null(wrapped);
		assert_message(&error, "while in use");
		snprintf(first, sizeof(first), "%s", error.message);
		/* The last session has ended: the WAL may be another one, but not this store. */
		ops(&file)->session_close(session);
		assert_int_equal(
			ops(&file)->session_wrap(file.database, file.user, &wrapped, &error),
			HERALD_STORE_FAILED);
		assert_string_equal(error.message, first);
		sqlite_file_close(&file);
	}
}

/* A session that is opened later would write another WAL than those that are open. */
static void
a_session_on_another_wal_is_refused(void **unused)
{
	struct sqlite_file file;
	struct herald_session *other = NULL;
	struct herald_error error;

	(void)unused;
	sqlite_file_open(&file);
	struct herald_session *session = sqlite_file_session(&file, HERALD_SESSION_COMMIT);
	assert_works(accept_one(&file, session, &error), &error);
	delete_wal(&file);
	assert_int_equal(
		ops(&file)->session_open(file.database, HERALD_SESSION_JOIN, &other, &error),
		HERALD_STORE_FAILED);
	assert_message(&error, WAL_IS_GONE);
	ops(&file)->session_close(session);
	sqlite_file_close(&file);
}

/* SQLite itself deletes the WAL with the last connection, whichever process has it. */
static void
files_that_sqlite_makes_anew_are_accepted(void **unused)
{
	struct sqlite_file file;
	char path[128];
	struct herald_error error;

	(void)unused;
	sqlite_file_open(&file);
	for (int i = 0; i < 3; i++) {
		struct herald_session *session = sqlite_file_session(&file, HERALD_SESSION_COMMIT);
		assert_works(accept_one(&file, session, &error), &error);
		/* A tool that comes and goes. */
		sqlite_file_run(&file, "PRAGMA wal_checkpoint(TRUNCATE)");
		assert_works(accept_one(&file, session, &error), &error);
		assert_int_equal(sqlite_file_number(&file, "SELECT count(*) FROM herald_event"),
				 2 * (i + 1));
		ops(&file)->session_close(session);
		snprintf(path, sizeof(path), "%s-wal", file.path);
		assert_int_equal(access(path, F_OK), -1);
	}
	sqlite_file_close(&file);
}

/* While this process has no connection, another one may change the mode. Nothing is lost by that,
 * so it is said, and when it is undone, the store goes on. */
static void
a_file_that_is_no_longer_in_wal_mode_is_refused(void **unused)
{
	struct sqlite_file file;
	struct herald_session *session = NULL;
	struct herald_error error;

	(void)unused;
	sqlite_file_open(&file);
	sqlite_file_run(&file, "PRAGMA journal_mode=DELETE");
	for (int again = 0; again < 2; again++) {
		assert_int_equal(ops(&file)->session_open(file.database, HERALD_SESSION_COMMIT,
							  &session, &error),
				 HERALD_UNAVAILABLE);
		assert_null(session);
		assert_message(&error, "a.db is in journal mode \"delete\", no longer in WAL mode: "
				       "another connection has changed it; run PRAGMA "
				       "journal_mode=WAL, or restart the process");
	}
	sqlite_file_run(&file, "PRAGMA journal_mode=WAL");
	session = sqlite_file_session(&file, HERALD_SESSION_COMMIT);
	assert_works(accept_one(&file, session, &error), &error);
	ops(&file)->session_close(session);
	sqlite_file_close(&file);
}

/* A VFS of the user's may make the files later: as if this one had. The first ones count. */
static void
files_that_a_vfs_makes_later_are_accepted(void **unused)
{
	static void (*const cases[])(const struct sqlite_file *file) = {
		replace_wal,
		delete_wal,
		delete_shm,
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sqlite_file file;
		struct herald_error error;

		sqlite_file_init(&file);
		assert_works(sqlite_file_try(
				     &file,
				     &HERALD_SQLITE_OPTIONS(.vfs = sqlite3_vfs_find(NULL)->zName),
				     NULL, &error),
			     &error);
		struct herald_session *session = sqlite_file_session(&file, HERALD_SESSION_COMMIT);
		struct sqlite_database *database = (struct sqlite_database *)file.database;
		database->wal = database->shm = (struct sqlite_identity){.inode = 0};
		for (int again = 0; again < 2; again++)
			assert_works(accept_one(&file, session, &error), &error);
		cases[i](&file);
		assert_int_equal(accept_one(&file, session, &error), HERALD_STORE_FAILED);
		assert_message(&error, "while in use");
		ops(&file)->session_close(session);
		sqlite_file_close(&file);
	}
}

static bool
ignore_finding(const struct herald_finding *finding, void *state)
{
	(void)finding;
	(void)state;
	return true;
}

/* What a tool leaves behind belongs to its user, and the service could perhaps not write it. */
static void
a_session_that_only_reads_leaves_no_files(void **unused)
{
	static const char *const suffixes[] = {"-wal", "-shm", "-herald.lock"};
	static const struct herald_database_settings must_exist = {.must_exist = true};
	struct sqlite_file file;
	struct herald_error error;
	uint64_t count;
	char path[128];

	(void)unused;
	sqlite_file_open(&file);
	sqlite_file_destroy(&file);
	assert_works(sqlite_file_try(&file, NULL, &must_exist, &error), &error);
	struct herald_session *session = sqlite_file_session(&file, HERALD_SESSION_ADMIN);
	assert_works(ops(&file)->pending(session, NULL, &count, &error), &error);
	assert_works(ops(&file)->check(session, NOW, ignore_finding, NULL, &error), &error);
	ops(&file)->session_close(session);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", file.path, suffixes[i]);
		if (access(path, F_OK) == 0)
			fail_msg("%s is left", path);
	}
	sqlite_file_close(&file);
}

/* A full disk. */

/* Files may not grow: SQLite gets EFBIG, and EDQUOT would be the same. */
static void
limit_files(uint64_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes ? bytes : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	signal(SIGXFSZ, SIG_IGN);
}

static void
a_full_disk_refuses_for_now(void **unused)
{
	static char large[300000];
	struct sqlite_file file;
	struct herald_error error;
	struct herald_node node = {.host = "h", .boot_id = "b", .pid = 1};

	(void)unused;
	sqlite_file_open(&file);
	struct herald_session *session = sqlite_file_session(&file, HERALD_SESSION_COMMIT);
	assert_works(accept_one(&file, session, &error), &error);
	limit_files(200000);
	assert_int_equal(sqlite_file_accept(&file, session, large, sizeof(large), &error),
			 HERALD_UNAVAILABLE);
	assert_message(&error, "a.db: the disk is full, or the quota or the largest size of a file "
			       "is reached; the transaction was rolled back");
	while (accept_one(&file, session, &error) == HERALD_OK)
		; /* until there is no room for small ones either */
	if (error.status != HERALD_UNAVAILABLE)
		fail_msg("%s", error.message);
	int64_t count = sqlite_file_number(&file, "SELECT count(*) FROM herald_event");
	assert_int_equal(ops(&file)->node_join(session, &node, NOW, &error), HERALD_UNAVAILABLE);
	limit_files(0);
	assert_works(sqlite_file_accept(&file, session, large, sizeof(large), &error), &error);
	assert_int_equal(sqlite_file_number(&file, "SELECT count(*) FROM herald_event"), count + 1);
	ops(&file)->session_close(session);
	sqlite_file_close(&file);
}

static void
a_full_disk_refuses_to_create(void **unused)
{
	struct sqlite_file file;
	struct herald_error error;

	(void)unused;
	/* Where the room ends: in the file, in its WAL, in what SQLite maps. */
	for (uint64_t bytes = 100; bytes < 60000; bytes += 5000) {
		sqlite_file_init(&file);
		limit_files(bytes);
		enum herald_status status = sqlite_file_try(&file, NULL, NULL, &error);
		limit_files(0);
		assert_int_equal(status, HERALD_UNAVAILABLE);
		assert_message(&error, "a.db: the disk is full, or the quota or the largest size "
				       "of a file is reached");
		assert_works(sqlite_file_try(&file, NULL, NULL, &error), &error);
		sqlite_file_close(&file);
	}
}

/* Connections of the user. */

static int
count_hook(void *state, sqlite3 *db, const char *name, int pages)
{
	(void)db;
	(void)name;
	(void)pages;
	++*(int *)state;
	return SQLITE_OK;
}

/* Its own hook stays; SQLite's hook, which makes checkpoints, goes. */
static void
the_users_connection_keeps_its_hooks(void **unused)
{
	struct sqlite_file file;
	struct herald_session *session = NULL;
	struct herald_error error;
	bool is_new = false;
	int calls = 0;

	(void)unused;
	sqlite_file_open(&file);
	for (int has_hook = 0; has_hook < 2; has_hook++) {
		sqlite3 *user;

		assert_int_equal(sqlite3_open(file.path, &user), SQLITE_OK);
		if (has_hook)
			sqlite3_wal_hook(user, count_hook, &calls);
		assert_int_equal(sqlite3_exec(user, "BEGIN IMMEDIATE", NULL, NULL, NULL),
				 SQLITE_OK);
		assert_works(ops(&file)->session_wrap(file.database, user, &session, &error),
			     &error);
		assert_works(ops(&file)->seen(session,
					      has_hook ? (const unsigned char *)"0123456789abcdef"
						       : (const unsigned char *)"0123456789ABCDEF",
					      &is_new, &error),
			     &error);
		assert_true(is_new);
		ops(&file)->session_close(session);
		assert_int_equal(sqlite3_exec(user, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
		assert_int_equal(calls, has_hook);
		assert_int_equal(sqlite_file_number_on(user, "PRAGMA wal_autocheckpoint"), 0);
		assert_int_equal(sqlite3_close(user), SQLITE_OK); /* no statement is left */
	}
	sqlite_file_close(&file);
}

static void
a_connection_to_another_file_is_refused(void **unused)
{
	struct sqlite_file file;
	struct sqlite_file other;
	struct herald_session *session = NULL;
	struct herald_error error;
	sqlite3 *memory;

	(void)unused;
	sqlite_file_open(&file);
	sqlite_file_open(&other);
	sqlite3 *user = sqlite_file_connect(&other);
	assert_int_equal(sqlite3_exec(user, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(ops(&file)->session_wrap(file.database, user, &session, &error),
			 HERALD_BAD_VALUE);
	assert_message(&error, "the connection is to \"");
	sqlite3_close(user);
	assert_int_equal(sqlite3_open(":memory:", &memory), SQLITE_OK);
	assert_int_equal(sqlite3_exec(memory, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(ops(&file)->session_wrap(file.database, memory, &session, &error),
			 HERALD_BAD_VALUE);
	assert_message(&error, "the connection is to \"\", but the store is in \"");
	sqlite3_close(memory);
	assert_null(session);
	sqlite_file_close(&other);
	sqlite_file_close(&file);
}

/* A function with JOIN must not end the transaction, whatever it begins after it. */
static void
a_function_that_ends_the_transaction_is_found(void **unused)
{
	static const char *const cases[] = {"COMMIT", "ROLLBACK", "COMMIT; BEGIN IMMEDIATE",
					    "RELEASE herald_event"};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sqlite_file file;
		struct herald_error error;

		sqlite_file_open(&file);
		struct herald_session *session = sqlite_file_session(&file, HERALD_SESSION_JOIN);
		assert_works(ops(&file)->begin(session, &error), &error);
		assert_works(ops(&file)->savepoint(session, &error), &error);
		assert_int_equal(
			sqlite3_exec(ops(&file)->handle(session), cases[i], NULL, NULL, NULL),
			SQLITE_OK);
		assert_int_equal(ops(&file)->savepoint_release(session, &error), HERALD_BAD_VALUE);
		assert_string_equal(error.message,
				    "the function has ended the transaction of the store: it must "
				    "not run BEGIN, COMMIT or ROLLBACK");
		assert_int_equal(ops(&file)->savepoint_rollback(session, &error), HERALD_BAD_VALUE);
		ops(&file)->rollback(session);
		/* The session is as new. */
		assert_works(ops(&file)->begin(session, &error), &error);
		assert_works(ops(&file)->savepoint(session, &error), &error);
		assert_works(ops(&file)->savepoint_release(session, &error), &error);
		assert_works(ops(&file)->commit(session, &error), &error);
		ops(&file)->session_close(session);
		sqlite_file_close(&file);
	}
}

/* When the disk is full, SQLite itself may end the transaction, in the middle of a function. That
 * is not the function's fault: its event is to run again. */
static void
a_transaction_that_sqlite_ends_is_not_blamed_on_the_function(void **unused)
{
	struct sqlite_file file;
	struct herald_error error;

	(void)unused;
	sqlite_file_open(&file);
	struct herald_session *session = sqlite_file_session(&file, HERALD_SESSION_JOIN);
	sqlite3 *db = ops(&file)->handle(session);
	assert_int_equal(
		sqlite3_exec(db, "CREATE TABLE a (b); PRAGMA max_page_count = 1", NULL, NULL, NULL),
		SQLITE_OK);
	for (int i = 0; i < 2; i++) {
		assert_works(ops(&file)->begin(session, &error), &error);
		assert_works(ops(&file)->savepoint(session, &error), &error);
		assert_int_equal(sqlite3_exec(db, "INSERT INTO a VALUES (zeroblob(100000))", NULL,
					      NULL, NULL),
				 SQLITE_FULL);
		assert_true(sqlite3_get_autocommit(db));
		assert_int_equal((i == 0 ? ops(&file)->savepoint_rollback
					 : ops(&file)->savepoint_release)(session, &error),
				 HERALD_UNAVAILABLE);
		assert_message(&error, "a.db: the disk is full");
		ops(&file)->rollback(session);
	}
	ops(&file)->session_close(session);
	sqlite_file_close(&file);
}

/* A statement that a function has left open would keep a snapshot for ever. */
static void
statements_that_are_left_open_end_with_the_transaction(void **unused)
{
	struct sqlite_file file;
	struct herald_error error;
	sqlite3_stmt *stmt;

	(void)unused;
	sqlite_file_open(&file);
	struct herald_session *session = sqlite_file_session(&file, HERALD_SESSION_JOIN);
	sqlite3 *db = ops(&file)->handle(session);
	assert_works(ops(&file)->begin(session, &error), &error);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE a (b); INSERT INTO a VALUES (1), (2)", NULL,
				      NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "INSERT INTO a VALUES (3), (4) RETURNING b", -1,
					    &stmt, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	assert_works(ops(&file)->commit(session, &error), &error);
	assert_int_equal(sqlite3_txn_state(db, "main"), SQLITE_TXN_NONE);
	assert_int_equal(sqlite_file_number(&file, "SELECT count(*) FROM a"), 4);
	ops(&file)->session_close(session); /* also with a statement that is not finalized */
	sqlite3_finalize(stmt);
	sqlite_file_close(&file);
}

/* The WAL. */

struct log {
	int warnings;
	int64_t bytes;
	char readers[256];
};

static void
keep_record(const struct herald_log_record *record, void *state)
{
	struct log *log = state;

	log->warnings += record->level == HERALD_LOG_WARNING;
	for (size_t i = 0; i < record->fields_count; i++) {
		if (strcmp(record->fields[i].key, "wal_bytes") == 0)
			log->bytes = record->fields[i].number;
		if (strcmp(record->fields[i].key, "readers") == 0)
			snprintf(log->readers, sizeof(log->readers), "%s", record->fields[i].text);
	}
}

static off_t
wal_bytes(const struct sqlite_file *file)
{
	char path[128];
	struct stat at;

	snprintf(path, sizeof(path), "%s-wal", file->path);
	return stat(path, &at) == 0 ? at.st_size : 0;
}

/* The space of the disk: the adapter asks this function instead of the system's. */
static uint64_t free_bytes = UINT64_MAX;

int
statvfs(const char *path, struct statvfs *out)
{
	(void)path;
	*out = (struct statvfs){.f_frsize = 4096, .f_bavail = free_bytes / 4096};
	return 0;
}

struct wal_test {
	struct sqlite_file file;
	struct herald_session *session;
	struct log log;
	int64_t now_ms;
	char data[20000];
};

static void
start_wal_of(struct wal_test *test, uint64_t checkpoint_bytes)
{
	struct herald_error error = {.message = ""};

	memset(test, 0, sizeof(*test));
	test->now_ms = NOW;
	sqlite_file_init(&test->file);
	assert_works(sqlite_file_try(&test->file,
				     &HERALD_SQLITE_OPTIONS(.checkpoint_bytes = checkpoint_bytes),
				     &(struct herald_database_settings){
					     .wal_warning_bytes = 1000000,
					     .log = {.write = keep_record, .state = &test->log}},
				     &error),
		     &error);
	test->session = sqlite_file_session(&test->file, HERALD_SESSION_COMMIT);
}

static void
start_wal(struct wal_test *test)
{
	start_wal_of(test, 100000);
}

static void
stop_wal(struct wal_test *test)
{
	ops(&test->file)->session_close(test->session);
	sqlite_file_close(&test->file);
}

/* Commits of 20 KB and more, with what the committer does after each. */
static void
write_wal(struct wal_test *test, int commits)
{
	struct herald_error error = {.message = ""};

	for (int i = 0; i < commits; i++) {
		assert_works(sqlite_file_accept(&test->file, test->session, test->data,
						sizeof(test->data), &error),
			     &error);
		ops(&test->file)->tend(test->session, test->now_ms);
	}
}

static void
the_wal_is_written_back(void **unused)
{
	struct wal_test test;

	(void)unused;
	start_wal(&test);
	write_wal(&test, 100);
	assert_true(wal_bytes(&test.file) < 200000);
	assert_int_equal(test.log.warnings, 0);
	stop_wal(&test);
}

/* A worker that always has a transaction: it ends one only when another session waits, and
 * begins the next one at once. */
struct busy_worker {
	struct sqlite_file *file;
	struct herald_session *session;
	pthread_t thread;
	atomic_bool has_begun, ends;
};

static void *
run_busy_worker(void *state)
{
	struct busy_worker *worker = state;
	struct herald_error error = {.message = ""};

	while (!worker->ends) {
		assert_works(ops(worker->file)->begin(worker->session, &error), &error);
		worker->has_begun = true;
		while (!worker->ends && sqlite_file_waiters(worker->file) == 0)
			sched_yield();
		worker->has_begun = false;
		assert_works(ops(worker->file)->commit(worker->session, &error), &error);
	}
	return NULL;
}

static void
start_busy_worker(struct busy_worker *worker, struct sqlite_file *file)
{
	*worker = (struct busy_worker){.file = file,
				       .session = sqlite_file_session(file, HERALD_SESSION_JOIN)};
	assert_int_equal(pthread_create(&worker->thread, NULL, run_busy_worker, worker), 0);
}

static void
stop_busy_worker(struct busy_worker *worker)
{
	worker->ends = true;
	assert_int_equal(pthread_join(worker->thread, NULL), 0);
	ops(worker->file)->session_close(worker->session);
}

/* A WAL that fills the disk could not be written back, and nothing would ever make room. */
static void
a_disk_with_little_space_has_a_short_wal(void **unused)
{
	struct wal_test test;

	(void)unused;
	start_wal_of(&test, 0);
	write_wal(&test, 100);
	assert_true(wal_bytes(&test.file) > 2000000);
	/* Written back to the last page, so that it is begun anew. */
	free_bytes = 4000000;
	write_wal(&test, 1);
	off_t bytes = wal_bytes(&test.file);
	write_wal(&test, 50);
	assert_int_equal(wal_bytes(&test.file), bytes);
	stop_wal(&test);

	start_wal_of(&test, 0);
	free_bytes = 1000000;
	write_wal(&test, 100);
	assert_in_range(wal_bytes(&test.file), 500000, 600000);
	free_bytes = 0;
	write_wal(&test, 100);
	assert_in_range(wal_bytes(&test.file), 500000, 600000);
	stop_wal(&test);
	free_bytes = UINT64_MAX;
}

/* Not even if there is always a transaction of a worker. */
static void
a_busy_worker_does_not_put_off_the_space(void **unused)
{
	struct wal_test test;
	struct busy_worker worker;
	struct herald_error error = {.message = ""};

	(void)unused;
	start_wal_of(&test, 0);
	start_busy_worker(&worker, &test.file);
	free_bytes = 1000000;
	for (int i = 0; i < 100; i++) {
		assert_works(sqlite_file_accept(&test.file, test.session, test.data,
						sizeof(test.data), &error),
			     &error);
		while (!worker.has_begun)
			sched_yield();
		ops(&test.file)->tend(test.session, test.now_ms);
	}
	assert_in_range(wal_bytes(&test.file), 500000, 600000);
	free_bytes = UINT64_MAX;
	stop_busy_worker(&worker);
	stop_wal(&test);
}

static void *
tend_once(void *state)
{
	struct wal_test *test = state;

	ops(&test->file)->tend(test->session, test->now_ms);
	return NULL;
}

/* Workers that always have a transaction do not put a checkpoint off for ever: when the WAL has
 * grown to twice its size, the checkpoint waits for its turn. */
static void
a_late_checkpoint_waits(void **unused)
{
	struct wal_test test;
	struct herald_error error = {.message = ""};
	struct timespec soon;
	pthread_t thread;

	(void)unused;
	start_wal(&test);
	for (int i = 0; i < 30; i++)
		assert_works(sqlite_file_accept(&test.file, test.session, test.data,
						sizeof(test.data), &error),
			     &error);
	assert_true(wal_bytes(&test.file) > 500000);
	struct herald_session *worker = sqlite_file_session(&test.file, HERALD_SESSION_JOIN);
	assert_works(ops(&test.file)->begin(worker, &error), &error);
	assert_int_equal(pthread_create(&thread, NULL, tend_once, &test), 0);
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_sec++;
	assert_int_equal(pthread_timedjoin_np(thread, NULL, &soon), ETIMEDOUT);
	assert_works(ops(&test.file)->commit(worker, &error), &error);
	pthread_join(thread, NULL);
	assert_int_equal(wal_bytes(&test.file), 0);
	ops(&test.file)->session_close(worker);
	stop_wal(&test);
}

/* A reader keeps the WAL: it grows, and this is said once for each doubling. When the reader is
 * gone, the WAL becomes short. */
static void
a_reader_pins_the_wal(void **unused)
{
	struct wal_test test;
	char expected[64];

	(void)unused;
	start_wal(&test);
	write_wal(&test, 1);
	sqlite3 *reader = sqlite_file_connect(&test.file);
	assert_int_equal(
		sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM herald_event", NULL, NULL, NULL),
		SQLITE_OK);
	write_wal(&test, 45);
	assert_true(wal_bytes(&test.file) > 1000000);
	assert_int_equal(test.log.warnings, 1);
	assert_true(test.log.bytes > 1000000 && test.log.bytes < 1200000);
	snprintf(expected, sizeof(expected), "process %ld (", (long)getpid());
	if (!strstr(test.log.readers, expected))
		fail_msg("expected %s, found %s", expected, test.log.readers);
	write_wal(&test, 55);
	assert_int_equal(test.log.warnings, 2);
	sqlite3_close(reader);
	test.now_ms += 60000;
	write_wal(&test, 1);
	assert_int_equal(wal_bytes(&test.file), 0);
	write_wal(&test, 100);
	assert_true(wal_bytes(&test.file) < 200000);
	assert_int_equal(test.log.warnings, 2);
	stop_wal(&test);
}

/* Closing makes no checkpoint: what is committed is in the WAL, and the next one finds it. */
/* The end. */

static uint64_t
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec;
}

/* What uses the file while the process ends, and whether the WAL has to stay. */
enum other {
	NOBODY,
	IDLE_CONNECTION,
	READ_TRANSACTION,
	WRITE_TRANSACTION,
};

static const struct {
	enum other other;
	bool is_complete; /* the file without the WAL */
} ends[] = {
	{NOBODY, true},
	{IDLE_CONNECTION, true},
	{READ_TRANSACTION, false},
	{WRITE_TRANSACTION, false},
};

static sqlite3 *
begin_other(const struct sqlite_file *file, bool is_reading)
{
	sqlite3 *db = sqlite_file_connect(file);

	assert_int_equal(sqlite3_exec(db, is_reading ? "BEGIN" : "", NULL, NULL, NULL), SQLITE_OK);
	sqlite_file_number_on(db, "SELECT count(*) FROM herald_event");
	return db;
}

/* The number of events in a copy of the file alone. */
static int64_t
events_in_a_copy(const struct sqlite_file *file)
{
	char command[512];
	struct sqlite_file copy = *file;
	sqlite3 *db;

	snprintf(copy.path, sizeof(copy.path), "%s/copy.db", file->folder);
	snprintf(command, sizeof(command), "rm -f %s* && cp %s %s", copy.path, file->path,
		 copy.path);
	assert_int_equal(system(command), 0);
	db = sqlite_file_connect(&copy);
	int64_t count = sqlite_file_number_on(db, "SELECT count(*) FROM herald_event");
	sqlite3_close(db);
	return count;
}

static void
after_the_end_the_file_alone_is_complete(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct sqlite_file file;
		struct herald_error error;

		sqlite_file_open(&file);
		struct herald_session *session = sqlite_file_session(&file, HERALD_SESSION_COMMIT);
		assert_works(accept_one(&file, session, &error), &error);
		/* The snapshot of a reader is older than the last commit. */
		sqlite3 *other = begin_other(&file, ends[i].other == READ_TRANSACTION);
		assert_works(accept_one(&file, session, &error), &error);
		if (ends[i].other == NOBODY) {
			sqlite3_close(other);
			other = NULL;
		} else if (ends[i].other == WRITE_TRANSACTION) {
			assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL),
					 SQLITE_OK);
		}
		uint64_t began_s = seconds();
		ops(&file)->session_close(session);
		sqlite_file_destroy(&file);
		assert_true(seconds() - began_s < 8);

		int64_t events = events_in_a_copy(&file);
		if (ends[i].is_complete && (events != 2 || wal_bytes(&file) != 0))
			fail_msg("row %zu: %d events, and a WAL of %d bytes", i, (int)events,
				 (int)wal_bytes(&file));
		if (!ends[i].is_complete)
			assert_true(wal_bytes(&file) > 0);
		sqlite3_close(other);
		/* With the WAL nothing is lost. */
		assert_works(sqlite_file_try(&file, NULL, NULL, &error), &error);
		assert_int_equal(sqlite_file_number(&file, "SELECT count(*) FROM herald_event"), 2);
		sqlite_file_close(&file);
	}
}

/* As `herald store` does: operations while no service runs. A command that only looks changes no
 * file. */
static void
after_an_operation_the_file_alone_is_complete(void **unused)
{
	const struct herald_purge_filter all = {0};
	struct sqlite_file file;
	struct herald_error error;
	uint64_t count, ids[10];
	size_t ids_count;

	(void)unused;
	sqlite_file_open(&file);
	assert_int_equal(events_in_a_copy(&file), 0); /* what created the tables has ended */
	struct herald_session *session = sqlite_file_session(&file, HERALD_SESSION_COMMIT);
	assert_works(accept_one(&file, session, &error), &error);
	struct herald_session *admin = sqlite_file_session(&file, HERALD_SESSION_ADMIN);
	ops(&file)->session_close(session);
	sqlite_file_run(&file, "INSERT INTO herald_seen_0 VALUES (x'00')");
	const off_t before = wal_bytes(&file);
	assert_true(before > 0);
	assert_works(ops(&file)->pending(admin, NULL, &count, &error), &error);
	ops(&file)->session_close(admin);
	assert_int_equal(wal_bytes(&file), before);

	admin = sqlite_file_session(&file, HERALD_SESSION_ADMIN);
	assert_works(ops(&file)->purge_find(admin, &all, 0, 10, ids, &ids_count, &error), &error);
	assert_works(ops(&file)->begin(admin, &error), &error);
	assert_works(ops(&file)->purge(admin, &all, ids, ids_count, &count, &error), &error);
	assert_works(ops(&file)->commit(admin, &error), &error);
	assert_int_equal(count, 1);
	assert_int_equal(events_in_a_copy(&file), 1);
	ops(&file)->session_close(admin);
	assert_int_equal(wal_bytes(&file), 0);
	assert_int_equal(events_in_a_copy(&file), 0);
	sqlite_file_close(&file);
}

/* Ids grow, although rows are deleted, the process restarts and the clock is set back. */
static void
ids_are_never_used_again(void **unused)
{
	struct sqlite_file file;
	struct herald_error error;
	uint64_t last = 0;

	(void)unused;
	sqlite_file_open(&file);
	for (int i = 0; i < 20; i++) {
		struct herald_session *session = sqlite_file_session(&file, HERALD_SESSION_COMMIT);
		struct herald_stored_event event = sqlite_file_event("{}");

		event.created_ms = i < 3 ? NOW : i < 10 ? NOW - 86400000 : NOW + i;
		assert_works(ops(&file)->begin(session, &error), &error);
		assert_works(ops(&file)->accept(session, &event, 1, &error), &error);
		assert_true(event.id > last);
		if (i >= 10)
			assert_int_equal(event.id >> 20, NOW + i);
		last = event.id;
		assert_works(ops(&file)->commit(session, &error), &error);
		ops(&file)->session_close(session);
		sqlite_file_run(&file, "DELETE FROM herald_event");
		if (i % 2 == 0) {
			sqlite_file_destroy(&file);
			assert_works(sqlite_file_try(&file, NULL, NULL, &error), &error);
		}
	}
	sqlite_file_close(&file);
}

/* A damaged file. */

static void
damage_is_final(void **unused)
{
	struct sqlite_file file;
	struct herald_error error;
	char zeros[4096] = "";
	static char data[100000];

	(void)unused;
	sqlite_file_open(&file);
	struct herald_session *session = sqlite_file_session(&file, HERALD_SESSION_COMMIT);
	for (int i = 0; i < 5; i++)
		assert_works(sqlite_file_accept(&file, session, data, sizeof(data), &error),
			     &error);
	/* Into the file, and out of the cache of this session. */
	sqlite_file_run(&file, "PRAGMA wal_checkpoint(TRUNCATE)");
	int64_t root = sqlite_file_number(
		&file, "SELECT rootpage FROM sqlite_schema WHERE name = 'herald_event'");
	ops(&file)->session_close(session);
	session = sqlite_file_session(&file, HERALD_SESSION_COMMIT);
	int fd = open(file.path, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, zeros, sizeof(zeros), (root - 1) * 4096), sizeof(zeros));
	close(fd);
	assert_int_equal(accept_one(&file, session, &error), HERALD_STORE_FAILED);
	assert_message(&error, "a.db: the file is damaged (database disk image is malformed): "
			       "restore a backup, or save what `sqlite3 FILE .recover` finds");
	assert_int_equal(accept_one(&file, session, &error), HERALD_STORE_FAILED);
	ops(&file)->session_close(session);
	sqlite_file_close(&file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_that_goes_away_is_noticed),
		cmocka_unit_test(a_file_that_goes_away_before_a_commit_is_noticed),
		cmocka_unit_test(a_file_that_goes_away_refuses_what_the_user_publishes),
		cmocka_unit_test(a_session_on_another_wal_is_refused),
		cmocka_unit_test(files_that_sqlite_makes_anew_are_accepted),
		cmocka_unit_test(a_file_that_is_no_longer_in_wal_mode_is_refused),
		cmocka_unit_test(files_that_a_vfs_makes_later_are_accepted),
		cmocka_unit_test(a_session_that_only_reads_leaves_no_files),
		cmocka_unit_test(a_full_disk_refuses_for_now),
		cmocka_unit_test(a_full_disk_refuses_to_create),
		cmocka_unit_test(the_users_connection_keeps_its_hooks),
		cmocka_unit_test(a_connection_to_another_file_is_refused),
		cmocka_unit_test(a_function_that_ends_the_transaction_is_found),
		cmocka_unit_test(a_transaction_that_sqlite_ends_is_not_blamed_on_the_function),
		cmocka_unit_test(statements_that_are_left_open_end_with_the_transaction),
		cmocka_unit_test(the_wal_is_written_back),
		cmocka_unit_test(a_disk_with_little_space_has_a_short_wal),
		cmocka_unit_test(a_busy_worker_does_not_put_off_the_space),
		cmocka_unit_test(a_late_checkpoint_waits),
		cmocka_unit_test(a_reader_pins_the_wal),
		cmocka_unit_test(after_the_end_the_file_alone_is_complete),
		cmocka_unit_test(after_an_operation_the_file_alone_is_complete),
		cmocka_unit_test(ids_are_never_used_again),
		cmocka_unit_test(damage_is_final),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
