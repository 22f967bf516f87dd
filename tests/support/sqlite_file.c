/*
 * Makes and deletes the folder, and opens databases, sessions and connections in it. It owns what
 * it opens until the file is closed.
 */
#include "support/sqlite_file.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../adapters/store/sqlite/shared.h"

void
sqlite_file_init(struct sqlite_file *file)
{
	const char *tmp = getenv("TMPDIR");

	/* In memory, if possible: there fsync takes no time. */
	if (!tmp)
		tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	*file = (struct sqlite_file){.database = NULL};
	snprintf(file->folder, sizeof(file->folder), "%s/herald-XXXXXX", tmp);
	assert_non_null(mkdtemp(file->folder));
	snprintf(file->path, sizeof(file->path), "%s/a.db", file->folder);
}

enum herald_status
sqlite_file_try(struct sqlite_file *file, const struct herald_sqlite_options *options,
		const struct herald_database_settings *settings, struct herald_error *error)
{
	static const struct herald_database_settings none;
	struct herald_sqlite_options own = options ? *options : HERALD_SQLITE_OPTIONS(.path = NULL);

	if (!own.path)
		own.path = file->path;
	file->database = NULL;
	enum herald_status status = herald_sqlite_create(&own, &file->database, error);
	if (status != HERALD_OK)
		return status;
	status = file->database->ops->open(file->database, settings ? settings : &none, error);
	if (status != HERALD_OK)
		sqlite_file_destroy(file);
	return status;
}

void
sqlite_file_open(struct sqlite_file *file)
{
	struct herald_error error = {.message = ""};

	sqlite_file_init(file);
	if (sqlite_file_try(file, NULL, NULL, &error) != HERALD_OK)
		fail_msg("%s", error.message);
}

void
sqlite_file_destroy(struct sqlite_file *file)
{
	herald_sqlite_destroy(file->database);
	file->database = NULL;
}

void
sqlite_file_close(struct sqlite_file *file)
{
	DIR *folder = opendir(file->folder);
	struct dirent *entry;
	char path[512];

	sqlite_file_destroy(file);
	sqlite3_close(file->user);
	assert_non_null(folder);
	while ((entry = readdir(folder))) {
		snprintf(path, sizeof(path), "%s/%s", file->folder, entry->d_name);
		if (unlink(path) != 0)
			rmdir(path);
	}
	closedir(folder);
	assert_int_equal(rmdir(file->folder), 0);
}

struct herald_session *
sqlite_file_session(struct sqlite_file *file, enum herald_session_use use)
{
	struct herald_session *session = NULL;
	struct herald_error error = {.message = ""};

	if (file->database->ops->session_open(file->database, use, &session, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	return session;
}

uint64_t
sqlite_file_join(struct sqlite_file *file, struct herald_session *session)
{
	struct herald_node node = {.host = "here", .boot_id = "boot", .pid = (long)getpid()};
	struct herald_error error = {.message = ""};

	if (file->database->ops->node_join(session, &node, SQLITE_FILE_NOW, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	return node.id;
}

struct herald_stored_event
sqlite_file_event(const char *data)
{
	return (struct herald_stored_event){
		.queue = "q",
		.event_type = "order_created",
		.source = "shop",
		.event_id = data,
		.content_type = "application/json",
		.attributes = {.data = "", .bytes = 0},
		.data = {.data = data, .bytes = strlen(data)},
		.created_ms = SQLITE_FILE_NOW,
		.due_ms = SQLITE_FILE_NOW,
		.last_error = "",
	};
}

enum herald_status
sqlite_file_accept(struct sqlite_file *file, struct herald_session *session, const char *data,
		   size_t bytes, struct herald_error *error)
{
	const struct herald_database_ops *ops = file->database->ops;
	struct herald_stored_event event = sqlite_file_event("");
	enum herald_status status = ops->begin(session, error);

	event.data = (struct herald_text){.data = data, .bytes = bytes};
	if (status != HERALD_OK)
		return status;
	status = ops->accept(session, &event, 1, error);
	if (status == HERALD_OK)
		status = ops->commit(session, error);
	ops->rollback(session);
	return status;
}

size_t
sqlite_file_waiters(const struct sqlite_file *file)
{
	struct herald__fair_lock *lock = &((struct sqlite_database *)file->database)->writer;

	pthread_mutex_lock(&lock->mutex);
	size_t count = lock->waiters_count;
	pthread_mutex_unlock(&lock->mutex);
	return count;
}

sqlite3 *
sqlite_file_connect(const struct sqlite_file *file)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(file->path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 10000);
	sqlite3_wal_autocheckpoint(db, 0);
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	return db;
}

int64_t
sqlite_file_number_on(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	int64_t number = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return number;
}

int64_t
sqlite_file_number(const struct sqlite_file *file, const char *sql)
{
	sqlite3 *db = sqlite_file_connect(file);
	int64_t number = sqlite_file_number_on(db, sql);

	sqlite3_close(db);
	return number;
}

char *
sqlite_file_text(const struct sqlite_file *file, const char *sql)
{
	sqlite3 *db = sqlite_file_connect(file);
	sqlite3_stmt *stmt;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	const char *found = (const char *)sqlite3_column_text(stmt, 0);
	char *text = strdup(found ? found : "");
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return text;
}

void
sqlite_file_run(const struct sqlite_file *file, const char *sql)
{
	sqlite3 *db = sqlite_file_connect(file);

	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
}
