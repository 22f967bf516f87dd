/*
 * Checkpoints. Only the committer makes them, when the WAL has grown, and with the lock of writers:
 * a FULL checkpoint that does not get SQLite's lock falls back to a PASSIVE one, and in versions
 * with the WAL-reset bug a PASSIVE one that meets a writer can damage the file. TRUNCATE also waits
 * until no reader needs the WAL, and makes the file short again; so it is for a WAL that has grown
 * far. On a disk with little space a checkpoint comes sooner, also after commits that have failed:
 * a WAL that fills the disk could never be written back. While a reader keeps the WAL, attempts
 * wait for it only shortly, and become rare.
 *
 * The last one is made when the committer's session is closed: then everything is in the file
 * itself, and a copy of it is a backup.
 */
#include "checkpoint.h"

#include <stdio.h>
#include <sys/statvfs.h>

#include <herald/adapter/log.h>

#include "busy.h"
#include "problem.h"
#include "readers.h"
#include "statement.h"

/* How long writers may be kept waiting for readers to end. */
#define WAIT_MS 500
/* After an attempt without success. */
#define FIRST_DELAY_MS 1000
#define MAX_DELAY_MS 60000
/* A WAL of so many times checkpoint_bytes is cut. */
#define TRUNCATE_FACTOR 4
/* A checkpoint waits for its turn when the WAL has grown by so many times checkpoint_bytes. */
#define LATE_FACTOR 2

/* The space of the disk is looked at when the WAL has grown by so many bytes. */
#define SPACE_BYTES UINT64_C(262144)

/* Each page has a header in the WAL. */
#define FRAME_HEADER_BYTES 24

static uint64_t
wal_bytes(struct sqlite_session *session, enum herald_status *status, struct herald_error *error)
{
	static const struct sqlite_sql sql = {SLOT_PAGE_SIZE, "PRAGMA page_size"};
	struct sqlite_database *database = herald__sqlite_database(session);

	if (database->page_bytes == 0)
		*status = herald__sqlite_number(session, &sql, &database->page_bytes, error);
	return atomic_load_explicit(&database->wal_pages, memory_order_relaxed) *
	       (uint64_t)(database->page_bytes + FRAME_HEADER_BYTES);
}

/* Warn when the WAL passes the limit, and each time that it has doubled since. */
static void
warn(struct sqlite_database *database, uint64_t bytes)
{
	char readers[SQLITE_READERS_BYTES];

	if (bytes <= database->wal_warning_bytes) {
		database->warned_bytes = 0;
		return;
	}
	if (database->wal_warning_bytes == 0 || bytes < 2 * database->warned_bytes)
		return;
	database->warned_bytes = bytes;
	if (!herald_log_takes(&database->log, HERALD_LOG_WARNING))
		return;
	herald__sqlite_readers(database->shm_path, readers);
	const struct herald_log_field fields[] = {
		{.key = "path", .text = database->path},
		{.key = "wal_bytes", .number = (int64_t)bytes},
		{.key = "readers", .text = readers},
	};
	herald_log_write(&database->log, HERALD_LOG_WARNING,
			 "the WAL is large: a read transaction that stays open keeps it from being "
			 "reused",
			 fields, sizeof(fields) / sizeof(fields[0]));
}

/* Returns SQLite's code. */
static int
run_checkpoint(struct sqlite_session *session, int mode, uint64_t bytes)
{
	struct sqlite_database *database = herald__sqlite_database(session);
	uint32_t timeout_ms = database->options.busy_timeout_ms;

	sqlite3_busy_timeout(session->db, (int)(timeout_ms < WAIT_MS ? timeout_ms : WAIT_MS));
	int rc = sqlite3_wal_checkpoint_v2(session->db, "main", mode, NULL, NULL);
	herald__sqlite_busy_set(session->db, &session->wait);
	/* The next writer begins the WAL anew, unless a reader needs it. */
	if (rc == SQLITE_OK)
		database->checkpointed_bytes = mode == SQLITE_CHECKPOINT_TRUNCATE ? 0 : bytes;
	return rc;
}

static bool
is_busy(int rc)
{
	return (rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED;
}

/* An error of fsync makes the database fail; others are tried again. */
static void
report(struct sqlite_session *session, int rc)
{
	struct sqlite_database *database = herald__sqlite_database(session);
	struct herald_error error;

	if (!is_busy(rc) && herald__sqlite_problem(session, rc, &error) != HERALD_OK)
		herald_log_write(&database->log, HERALD_LOG_ERROR, "a checkpoint failed",
				 &(struct herald_log_field){.key = "error", .text = error.message},
				 1);
}

void
herald__sqlite_checkpoint_last(struct sqlite_session *session)
{
	struct sqlite_database *database = herald__sqlite_database(session);
	int rc = SQLITE_BUSY;

	if (database->has_failed)
		return;
	if (herald__fair_lock_take(&database->writer, WAIT_MS, NULL)) {
		rc = run_checkpoint(session, SQLITE_CHECKPOINT_TRUNCATE, 0);
		herald__fair_lock_give(&database->writer);
	}
	if (rc == SQLITE_OK)
		return;
	report(session, rc);
	herald_log_write(&database->log, HERALD_LOG_INFO,
			 is_busy(rc) ? "the WAL could not be emptied, because another connection "
				       "uses it: the file is complete only together with it"
				     : "the WAL could not be emptied: the file is complete only "
				       "together with it",
			 &(struct herald_log_field){.key = "path", .text = database->path}, 1);
}

/* A transaction of this process goes first, as there will be another commit after it; but workers
 * that always have one do not put off for ever what is late. */
static void
checkpoint(struct sqlite_session *session, uint64_t bytes, bool is_late, int64_t now_ms)
{
	struct sqlite_database *database = herald__sqlite_database(session);
	bool is_large = bytes / TRUNCATE_FACTOR >= database->options.checkpoint_bytes;

	if (!herald__fair_lock_take(&database->writer,
				    is_late ? database->options.busy_timeout_ms : 0, NULL))
		return;
	int rc = run_checkpoint(
		session, is_large ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_FULL, bytes);
	herald__fair_lock_give(&database->writer);
	if (rc == SQLITE_OK) {
		database->checkpoint_delay_ms = 0;
		return;
	}
	report(session, rc);
	database->checkpoint_delay_ms = database->checkpoint_delay_ms == 0 ? FIRST_DELAY_MS
					: database->checkpoint_delay_ms < MAX_DELAY_MS / 2
						? database->checkpoint_delay_ms * 2
						: MAX_DELAY_MS;
	database->next_checkpoint_ms = now_ms + database->checkpoint_delay_ms;
}

/* Whether the file may soon have no room for what the WAL has grown by. */
static bool
is_short_of_space(const struct sqlite_database *database, uint64_t grown_bytes)
{
	struct statvfs disk;

	return grown_bytes >= SPACE_BYTES && statvfs(database->path, &disk) == 0 &&
	       (uint64_t)disk.f_bavail * disk.f_frsize < 2 * grown_bytes;
}

void
herald__sqlite_tend(struct herald_session *base, int64_t now_ms)
{
	struct sqlite_session *session = herald__sqlite_session(base);
	struct sqlite_database *database = herald__sqlite_database(session);
	enum herald_status status = HERALD_OK;
	struct herald_error error;
	uint64_t bytes = wal_bytes(session, &status, &error);

	if (status != HERALD_OK || database->has_failed)
		return;
	warn(database, bytes);
	if (bytes < database->checkpointed_bytes) /* it began anew */
		database->checkpointed_bytes = 0;
	/* The second condition fails when the clock was set back. */
	bool must_wait = database->checkpoint_delay_ms > 0 &&
			 now_ms < database->next_checkpoint_ms &&
			 now_ms >= database->next_checkpoint_ms - database->checkpoint_delay_ms;
	if (must_wait)
		return;
	const uint64_t grown_bytes = bytes - database->checkpointed_bytes;
	const uint64_t limit_bytes = database->options.checkpoint_bytes;
	const bool is_late = grown_bytes / LATE_FACTOR >= limit_bytes ||
			     is_short_of_space(database, grown_bytes);
	if (is_late || grown_bytes >= limit_bytes)
		checkpoint(session, bytes, is_late, now_ms);
}
