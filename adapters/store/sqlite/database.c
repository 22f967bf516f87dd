/*
 * The database: its options, and the table of its functions.
 */
#include <stdio.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/thread.h>

#include "busy.h"
#include "check.h"
#include "check_file.h"
#include "checkpoint.h"
#include "connection.h"
#include "counts.h"
#include "dead_letters.h"
#include "delivery.h"
#include "event.h"
#include "interrupt.h"
#include "lock_file.h"
#include "meta.h"
#include "node.h"
#include "operations.h"
#include "schema.h"
#include "seen.h"
#include "session.h"
#include "watch.h"

#define DEFAULT_BUSY_TIMEOUT_MS 10000
#define MAX_BUSY_TIMEOUT_MS 600000
#define MIB (UINT64_C(1) << 20)
#define DEFAULT_CACHE_BYTES (8 * MIB)
#define DEFAULT_CHECKPOINT_BYTES (16 * MIB)
#define LEAST_BYTES (64 * UINT64_C(1024))
#define MAX_BYTES (1024 * MIB)
#define DEFAULT_PER_ORIGIN 256
#define MAX_PER_ORIGIN 100000
#define MAX_NAME_BYTES 480

/* Events with JOIN in one transaction: the writer's lock is held as long as their functions run. */
#define JOIN_BATCH 64

/* Options. */

static enum herald_status
check_path(const char *path, struct herald_error *error)
{
	if (!path || path[0] == '\0')
		return herald_option_refuse(error, "path", "must name a file");
	if (strcmp(path, ":memory:") == 0)
		return herald_option_refuse(error, "path",
					    "must name a file: \":memory:\" would keep nothing");
	if (strlen(path) > MAX_NAME_BYTES)
		return herald_option_refuse(error, "path", "must be at most %d bytes",
					    MAX_NAME_BYTES);
	return HERALD_OK;
}

static enum herald_status
check_numbers(struct herald_sqlite_options *options, struct herald_error *error)
{
	if (options->busy_timeout_ms == 0)
		options->busy_timeout_ms = DEFAULT_BUSY_TIMEOUT_MS;
	if (options->max_ready_per_origin == 0)
		options->max_ready_per_origin = DEFAULT_PER_ORIGIN;
	if (options->cache_bytes == 0)
		options->cache_bytes = DEFAULT_CACHE_BYTES;
	if (options->checkpoint_bytes == 0)
		options->checkpoint_bytes = DEFAULT_CHECKPOINT_BYTES;

	const struct herald_option_range ranges[] = {
		{"busy_timeout_ms", options->busy_timeout_ms, 1, MAX_BUSY_TIMEOUT_MS},
		{"max_ready_per_origin", options->max_ready_per_origin, 1, MAX_PER_ORIGIN},
		{"cache_bytes", options->cache_bytes, LEAST_BYTES, MAX_BYTES},
		{"checkpoint_bytes", options->checkpoint_bytes, LEAST_BYTES, MAX_BYTES},
	};

	return herald_option_ranges_check(ranges, sizeof(ranges) / sizeof(ranges[0]), error);
}

static enum herald_status
read_options(const struct herald_sqlite_options *given, struct herald_sqlite_options *out,
	     struct herald_error *error)
{
	enum herald_status status =
		herald_options_read(given, out, sizeof(*out), "HERALD_SQLITE_OPTIONS", error);

	if (status == HERALD_OK)
		status = herald_allocator_check(&out->allocator, error);
	if (status == HERALD_OK)
		status = check_path(out->path, error);
	if (status == HERALD_OK)
		status = check_numbers(out, error);
	if (status == HERALD_OK && out->vfs && !sqlite3_vfs_find(out->vfs))
		status = herald_option_refuse(error, "vfs", "SQLite has no VFS \"%s\"", out->vfs);
	return status;
}

/* Creating and destroying. */

/* The texts of the options, one after the other. */
static bool
copy_texts(struct sqlite_database *database)
{
	struct herald_sqlite_options *options = &database->options;
	size_t path_bytes = strlen(options->path) + 1;
	size_t vfs_bytes = options->vfs ? strlen(options->vfs) + 1 : 0;
	char *texts = herald_memory_allocate(&database->allocator, path_bytes + vfs_bytes);

	if (!texts)
		return false;
	database->texts = texts;
	database->texts_bytes = path_bytes + vfs_bytes;
	options->path = memcpy(texts, options->path, path_bytes);
	if (options->vfs)
		options->vfs = memcpy(texts + path_bytes, options->vfs, vfs_bytes);
	return true;
}

static void
destroy(struct herald_database *base)
{
	struct sqlite_database *database = (struct sqlite_database *)base;
	struct herald_allocator allocator = database->allocator;

	herald__lock_file_leave_all(database);
	herald__fair_lock_finish(&database->writer);
	pthread_cond_destroy(&database->watch_end);
	pthread_mutex_destroy(&database->mutex);
	herald_memory_release(&allocator, database->texts, database->texts_bytes);
	herald_memory_release(&allocator, database, sizeof(*database));
}

static enum herald_status
open_database(struct herald_database *base, const struct herald_database_settings *settings,
	      struct herald_error *error)
{
	struct sqlite_database *database = (struct sqlite_database *)base;

	database->log = settings->log;
	database->wal_warning_bytes = settings->wal_warning_bytes;
	enum herald_status status =
		herald__sqlite_check_file(database, settings->must_exist, error);
	if (status == HERALD_OK)
		status = herald__sqlite_create_file(database, settings->must_exist, error);
	return status;
}

static const char *
schema_sql(const struct herald_database *database)
{
	return ((const struct sqlite_database *)database)->schema_sql;
}

static const struct herald_database_ops ops = {
	.name = "sqlite",
	.has_one_writer = true,
	.join_batch = JOIN_BATCH,
	.open = open_database,
	.destroy = destroy,
	.session_open = herald__sqlite_session_open,
	.session_wrap = herald__sqlite_session_wrap,
	.session_close = herald__sqlite_session_close,
	.handle = herald__sqlite_session_handle,
	.begin = herald__sqlite_begin,
	.commit = herald__sqlite_commit,
	.rollback = herald__sqlite_rollback,
	.savepoint = herald__sqlite_savepoint,
	.savepoint_release = herald__sqlite_savepoint_release,
	.savepoint_rollback = herald__sqlite_savepoint_rollback,
	.accept = herald__sqlite_accept,
	.claim = herald__sqlite_claim,
	.complete = herald__sqlite_complete,
	.owned = herald__sqlite_owned,
	.seen = herald__sqlite_seen,
	.seen_rotate = herald__sqlite_seen_rotate,
	.secret = herald__sqlite_secret,
	.node_join = herald__sqlite_node_join,
	.node_leave = herald__sqlite_node_leave,
	.node_dead = herald__sqlite_node_dead,
	.node_recover = herald__sqlite_node_recover,
	.watch = herald__sqlite_watch,
	.watch_end = herald__sqlite_watch_end,
	.tend = herald__sqlite_tend,
	.stopping = herald__sqlite_stopping,
	.interrupt = herald__sqlite_interrupt,
	.delivery_push = herald__sqlite_delivery_push,
	.delivery_claim = herald__sqlite_delivery_claim,
	.delivery_owned = herald__sqlite_delivery_owned,
	.delivery_complete = herald__sqlite_delivery_complete,
	.dead_visit = herald__sqlite_dead_visit,
	.dead_replay = herald__sqlite_dead_replay,
	.dead_drop = herald__sqlite_dead_drop,
	.dead_since = herald__sqlite_dead_since,
	.dead_surplus = herald__sqlite_dead_surplus,
	.dead_trim = herald__sqlite_dead_trim,
	.purge_find = herald__sqlite_purge_find,
	.purge = herald__sqlite_purge,
	.pending = herald__sqlite_pending,
	.counts = herald__sqlite_counts,
	.check = herald__sqlite_check,
	.sql = schema_sql,
};

static enum herald_status
create(struct sqlite_database *database, struct herald_error *error)
{
	database->base.ops = &ops;
	database->wait.database = database;
	herald__sqlite_schema_write(database->schema_sql);
	if (!copy_texts(database))
		return herald_out_of_memory(error);
	if (pthread_mutex_init(&database->mutex, NULL) != 0)
		goto no_mutex;
	if (herald_condition_init(&database->watch_end) != 0)
		goto no_condition;
	if (herald__fair_lock_init(&database->writer))
		return HERALD_OK;
	pthread_cond_destroy(&database->watch_end);
no_condition:
	pthread_mutex_destroy(&database->mutex);
no_mutex:
	herald_memory_release(&database->allocator, database->texts, database->texts_bytes);
	return herald_out_of_memory(error);
}

enum herald_status
herald_sqlite_create(const struct herald_sqlite_options *options, struct herald_database **out,
		     struct herald_error *error)
{
	struct herald_sqlite_options read;
	enum herald_status status = read_options(options, &read, error);

	if (status != HERALD_OK)
		return status;
	struct herald_allocator allocator = herald_allocator_or_libc(&read.allocator);
	struct sqlite_database *database =
		herald_memory_allocate_zeroed(&allocator, 1, sizeof(*database));
	if (!database)
		return herald_out_of_memory(error);
	database->options = read;
	database->allocator = allocator;
	status = create(database, error);
	if (status != HERALD_OK) {
		herald_memory_release(&allocator, database, sizeof(*database));
		return status;
	}
	*out = &database->base;
	return HERALD_OK;
}

void
herald_sqlite_destroy(struct herald_database *database)
{
	if (database)
		database->ops->destroy(database);
}
