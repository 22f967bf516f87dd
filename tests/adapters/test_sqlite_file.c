/*
 * The database on SQLite: what is its own. The contract of all databases is in
 * tests/contract/store/.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cmocka.h>

#include <herald/adapter/database.h>
#include <herald/sqlite.h>

#include "../../adapters/store/sqlite/check_file.h"
#include "../../adapters/store/sqlite/schema.h"
#include "support/option_error.h"
#include "support/sqlite_file.h"

static const struct herald_database_ops *
ops(const struct sqlite_file *file)
{
	return file->database->ops;
}

/* Options. */

#define OPTIONS(...)                                                                               \
	{                                                                                          \
		.struct_size = sizeof(struct herald_sqlite_options), __VA_ARGS__                   \
	}

static void
options_are_checked(void **unused)
{
	static const struct {
		struct herald_sqlite_options options;
		const char *path;
		const char *message;
	} cases[] = {
		{OPTIONS(.path = NULL), "path", "must name a file"},
		{OPTIONS(.path = ""), "path", "must name a file"},
		{OPTIONS(.path = ":memory:"), "path",
		 "must name a file: \":memory:\" would keep nothing"},
		{OPTIONS(.path = "a.db", .busy_timeout_ms = 600001), "busy_timeout_ms",
		 "must be at most 600000, not 600001"},
		{OPTIONS(.path = "a.db", .cache_bytes = 65535), "cache_bytes",
		 "must be at least 65536, not 65535"},
		{OPTIONS(.path = "a.db", .cache_bytes = (1 << 30) + 1), "cache_bytes",
		 "must be at most 1073741824, not 1073741825"},
		{OPTIONS(.path = "a.db", .checkpoint_bytes = 1), "checkpoint_bytes",
		 "must be at least 65536, not 1"},
		{OPTIONS(.path = "a.db", .max_ready_per_origin = 100001), "max_ready_per_origin",
		 "must be at most 100000, not 100001"},
		{OPTIONS(.path = "a.db", .vfs = "nothing"), "vfs", "SQLite has no VFS \"nothing\""},
		{{.path = "a.db"}, "struct_size", "use HERALD_SQLITE_OPTIONS, which sets it"},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct herald_database *database = NULL;
		struct herald_error error;

		assert_int_equal(herald_sqlite_create(&cases[i].options, &database, &error),
				 HERALD_BAD_OPTION);
		assert_null(database);
		assert_option_error(&error, cases[i].path, cases[i].message);
	}
}

/* An event goes all its way. */

struct seen_events {
	struct herald_stored_event events[8];
	char data[8][32];
	size_t count;
};

static bool
keep_event(const struct herald_stored_event *event, void *state)
{
	struct seen_events *seen = state;

	seen->events[seen->count] = *event;
	snprintf(seen->data[seen->count], sizeof(seen->data[0]), "%.*s", (int)event->data.bytes,
		 event->data.data);
	seen->count++;
	return true;
}

static void
an_event_is_accepted_claimed_and_done(void **unused)
{
	struct sqlite_file file;
	struct herald_session *session;
	struct herald_error error;
	struct seen_events seen = {.count = 0};
	struct herald_stored_event events[2] = {sqlite_file_event("a"), sqlite_file_event("b")};
	int64_t next_ms = 0;

	(void)unused;
	sqlite_file_open(&file);
	session = sqlite_file_session(&file, HERALD_SESSION_COMMIT);
	uint64_t node = sqlite_file_join(&file, session);
	assert_int_equal(ops(&file)->begin(session, &error), HERALD_OK);
	events[1].owner = node;
	assert_int_equal(ops(&file)->accept(session, events, 2, &error), HERALD_OK);
	assert_true(events[1].id > events[0].id);
	assert_int_equal(events[1].owner, node);
	assert_int_equal(ops(&file)->claim(session,
					   &(struct herald_claim){.queue = "q",
								  .owner = node,
								  .now_ms = SQLITE_FILE_NOW,
								  .max_events = 10,
								  .max_bytes = 1000},
					   keep_event, &seen, &next_ms, &error),
			 HERALD_OK);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.events[0].id, events[0].id);
	assert_int_equal(seen.events[0].attempts, 1);
	assert_string_equal(seen.data[0], "a");
	assert_true(next_ms == INT64_MAX);
	struct herald_completion done[2] = {
		{.id = events[0].id, .owner = node, .attempts = 1, .kind = HERALD_COMPLETE_DONE},
		{.id = events[1].id, .owner = node, .attempts = 2, .kind = HERALD_COMPLETE_DONE},
	};
	assert_int_equal(ops(&file)->complete(session, done, 2, &error), HERALD_OK);
	assert_false(done[0].is_lost);
	assert_true(done[1].is_lost); /* another attempt's */
	assert_int_equal(ops(&file)->commit(session, &error), HERALD_OK);
	assert_int_equal(sqlite_file_number(&file, "SELECT count(*) FROM herald_event"), 1);
	ops(&file)->session_close(session);
	sqlite_file_close(&file);
}

/* Deliveries of one origin. */

static void
push(struct sqlite_file *file, struct herald_session *session, size_t count)
{
	struct herald_stored_delivery deliveries[8];
	struct herald_error error = {.message = ""};

	assert_true(count <= 8);
	for (size_t i = 0; i < count; i++)
		deliveries[i] = (struct herald_stored_delivery){.delivery_id = "d",
								.url = "http://a.example/",
								.origin = "http://a.example:80",
								.event_type = "t",
								.event_id = "",
								.record = {"r", 1},
								.created_ms = SQLITE_FILE_NOW,
								.due_ms = SQLITE_FILE_NOW,
								.last_error = ""};
	assert_int_equal(ops(file)->begin(session, &error), HERALD_OK);
	assert_int_equal(ops(file)->delivery_push(session, deliveries, count, &error), HERALD_OK);
	assert_int_equal(ops(file)->commit(session, &error), HERALD_OK);
}

static void
purge_deliveries(struct sqlite_file *file, struct herald_session *session, size_t max)
{
	const struct herald_purge_filter filter = {.deliveries = true};
	struct herald_error error = {.message = ""};
	uint64_t count = 0, ids[10];
	size_t ids_count = 0;

	assert_true(max <= 10);
	assert_int_equal(ops(file)->purge_find(session, &filter, 0, max, ids, &ids_count, &error),
			 HERALD_OK);
	assert_int_equal(ops(file)->begin(session, &error), HERALD_OK);
	assert_int_equal(ops(file)->purge(session, &filter, ids, ids_count, &count, &error),
			 HERALD_OK);
	assert_int_equal(count, max);
	assert_int_equal(ops(file)->commit(session, &error), HERALD_OK);
}

/* As many as the option says are active, also if it was larger or smaller before. */
static void
an_origin_has_a_width(void **unused)
{
	static const char active[] = "SELECT count(*) FROM herald_delivery WHERE state = 0";
	static const struct {
		unsigned width;
		size_t pushed;
		size_t purged;
		int64_t active;
	} steps[] = {
		{3, 8, 0, 3}, /* 8 there */
		{3, 0, 1, 3}, /* 7: one is promoted */
		{1, 0, 1, 2}, /* 6: the width is smaller, and none is promoted */
		{1, 0, 1, 1}, /* 5 */
		{1, 0, 1, 1}, /* 4 */
		{2, 1, 0, 1}, /* 5: behind those that are blocked */
		{2, 0, 1, 2}, /* 4 */
		{9, 0, 1, 3}, /* 3: there is room for all */
		{9, 2, 0, 5},
	};
	struct sqlite_file file;
	struct herald_error error = {.message = ""};

	(void)unused;
	sqlite_file_init(&file);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		assert_int_equal(sqlite_file_try(&file,
						 &HERALD_SQLITE_OPTIONS(.max_ready_per_origin =
										steps[i].width),
						 NULL, &error),
				 HERALD_OK);
		struct herald_session *session = sqlite_file_session(&file, HERALD_SESSION_COMMIT);
		push(&file, session, steps[i].pushed);
		purge_deliveries(&file, session, steps[i].purged);
		assert_int_equal(sqlite_file_number(&file, active), steps[i].active);
		ops(&file)->session_close(session);
		sqlite_file_destroy(&file);
	}
	sqlite_file_close(&file);
}

/* What can be wrong with a file. */

static void
write_file(const char *path, const char *text, size_t bytes)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, bytes, file), bytes);
	assert_int_equal(fclose(file), 0);
}

static void
prepare_nothing(struct sqlite_file *file)
{
	(void)file;
}

static void
prepare_folder(struct sqlite_file *file)
{
	assert_int_equal(mkdir(file->path, 0755), 0);
}

static void
prepare_pipe(struct sqlite_file *file)
{
	assert_int_equal(mkfifo(file->path, 0644), 0);
}

static void
prepare_text(struct sqlite_file *file)
{
	write_file(file->path, "these are notes, not a database\n", 32);
}

/* An encrypted file has no header that can be read. */
static void
prepare_noise(struct sqlite_file *file)
{
	char noise[8192];

	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (char)(i * 2654435761U >> 13);
	write_file(file->path, noise, sizeof(noise));
}

/* A good header, and nothing good after it. */
static void
prepare_damaged(struct sqlite_file *file)
{
	int fd;

	sqlite_file_run(file, "CREATE TABLE a (b)");
	fd = open(file->path, O_WRONLY);
	assert_true(fd >= 0);
	for (off_t at = 100; at < 8192; at++)
		assert_int_equal(pwrite(fd, "\377", 1, at), 1);
	close(fd);
}

static void
prepare_tables(struct sqlite_file *file)
{
	struct herald_error error = {.message = ""};

	if (sqlite_file_try(file, NULL, NULL, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	sqlite_file_destroy(file);
}

static void
prepare_newer(struct sqlite_file *file)
{
	prepare_tables(file);
	sqlite_file_run(file, "UPDATE herald_meta SET version = 9, min_reader = 7");
}

static void
prepare_read_only(struct sqlite_file *file)
{
	prepare_tables(file);
	assert_int_equal(chmod(file->path, 0444), 0);
}

static void
prepare_read_only_folder(struct sqlite_file *file)
{
	prepare_tables(file);
	assert_int_equal(chmod(file->folder, 0555), 0);
}

static void
prepare_other_tables(struct sqlite_file *file)
{
	sqlite_file_run(file, "CREATE TABLE orders (id INTEGER PRIMARY KEY)");
}

static void
prepare_table_of_herald(struct sqlite_file *file)
{
	sqlite_file_run(file, "CREATE TABLE herald_event (id INTEGER PRIMARY KEY)");
}

static void
prepare_index_of_herald(struct sqlite_file *file)
{
	sqlite_file_run(file, "CREATE TABLE a (b); CREATE INDEX herald_event_ready ON a (b)");
}

static void
prepare_other_meta(struct sqlite_file *file)
{
	sqlite_file_run(file, "CREATE TABLE herald_meta (a); INSERT INTO herald_meta VALUES (1)");
}

/* What the printed SQL has made when it ends with an error. */
static void
prepare_part(struct sqlite_file *file)
{
	sqlite_file_run(file, herald__sqlite_schema.migrations[0].sql);
	sqlite_file_run(file, "DROP TABLE herald_dead");
}

static void
prepare_hard_link(struct sqlite_file *file)
{
	char other[128];

	prepare_tables(file);
	snprintf(other, sizeof(other), "%s/other.db", file->folder);
	assert_int_equal(link(file->path, other), 0);
}

/* As root leaves it. */
static void
prepare_foreign(struct sqlite_file *file, const char *suffix)
{
	char path[128];

	prepare_tables(file);
	snprintf(path, sizeof(path), "%s%s", file->path, suffix);
	write_file(path, "", 0);
	assert_int_equal(chmod(path, 0444), 0);
}

static void
prepare_foreign_wal(struct sqlite_file *file)
{
	prepare_foreign(file, "-wal");
}

static void
prepare_foreign_shm(struct sqlite_file *file)
{
	prepare_foreign(file, "-shm");
}

static void
prepare_foreign_lock(struct sqlite_file *file)
{
	prepare_foreign(file, "-herald.lock");
}

static void
prepare_locked(struct sqlite_file *file)
{
	file->user = sqlite_file_connect(file);
	assert_int_equal(
		sqlite3_exec(file->user, "BEGIN EXCLUSIVE; CREATE TABLE a (b)", NULL, NULL, NULL),
		SQLITE_OK);
}

#define PART_IS_MADE                                                                               \
	"only a part of Herald's tables is there: the SQL that makes them had an error. Delete "   \
	"Herald's tables, which hold nothing yet, and run what `herald store sql` prints"

static const struct bad_file {
	const char *name;
	void (*prepare)(struct sqlite_file *file);
	const char *path; /* NULL: the file's */
	bool must_exist;
	enum herald_status status;
	const char *message; /* a part of it */
} bad_files[] = {
	{"no folder", prepare_nothing, "/nowhere/at/all/a.db", false, HERALD_BAD_OPTION,
	 "the folder /nowhere/at/all: No such file or directory; create it"},
	{"a folder", prepare_folder, NULL, false, HERALD_BAD_OPTION,
	 "a.db is a folder; name a file in it"},
	{"a pipe", prepare_pipe, NULL, false, HERALD_BAD_OPTION, "a.db is not a regular file"},
	{"text", prepare_text, NULL, false, HERALD_BAD_OPTION,
	 "a.db is not a database of SQLite, or it is encrypted: name another file"},
	{"noise", prepare_noise, NULL, false, HERALD_BAD_OPTION,
	 "a.db is not a database of SQLite, or it is encrypted: name another file"},
	{"damaged", prepare_damaged, NULL, false, HERALD_BAD_OPTION,
	 "a.db is damaged (database disk image is malformed): restore a backup, or save what "
	 "`sqlite3 FILE .recover` finds"},
	{"newer tables", prepare_newer, NULL, false, HERALD_BAD_SCHEMA,
	 "a newer Herald made the tables: they have version 9, and need at least version 7, but "
	 "this program knows version 1; use a newer Herald"},
	{"read-only file", prepare_read_only, NULL, false, HERALD_BAD_OPTION,
	 ": Permission denied; SQLite writes the file, and others next to it"},
	{"read-only folder", prepare_read_only_folder, NULL, false, HERALD_BAD_OPTION,
	 ": Permission denied; SQLite writes the file, and others next to it"},
	{"missing", prepare_nothing, NULL, true, HERALD_BAD_OPTION,
	 "a.db does not exist; a service with a store creates it"},
	{"no tables", prepare_other_tables, NULL, true, HERALD_BAD_OPTION,
	 "the file has no tables of Herald; a service with a store creates them"},
	{"a table of Herald's", prepare_table_of_herald, NULL, false, HERALD_BAD_OPTION,
	 "Herald's tables cannot be created: table herald_event already exists. Names that begin "
	 "with herald_ belong to Herald: rename yours, or name another file"},
	{"an index of Herald's", prepare_index_of_herald, NULL, false, HERALD_BAD_OPTION,
	 "Herald's tables cannot be created: index herald_event_ready already exists. Names"},
	{"a table herald_meta", prepare_other_meta, NULL, false, HERALD_BAD_OPTION,
	 "Herald's tables cannot be created: no such column: version. Names that begin"},
	{"a part of the tables", prepare_part, NULL, false, HERALD_BAD_OPTION, PART_IS_MADE},
	{"a part of the tables for a tool", prepare_part, NULL, true, HERALD_BAD_OPTION,
	 PART_IS_MADE},
	{"a hard link", prepare_hard_link, NULL, false, HERALD_BAD_OPTION,
	 "a.db has 2 names (hard links): a process that uses another one has another WAL, which "
	 "damages the file. Find them with `find FOLDER -samefile FILE`, and keep one"},
	{"a hard link for a tool", prepare_hard_link, NULL, true, HERALD_BAD_OPTION,
	 "a.db has 2 names (hard links)"},
	{"a WAL of another user", prepare_foreign_wal, NULL, false, HERALD_BAD_OPTION,
	 "a.db-wal, of user "},
	{"an index of another user", prepare_foreign_shm, NULL, true, HERALD_BAD_OPTION,
	 "a.db-shm, of user "},
	{"a lock file of another user", prepare_foreign_lock, NULL, false, HERALD_BAD_OPTION,
	 ": Permission denied; change its owner (chown), but do not delete it"},
	{"locked", prepare_locked, NULL, false, HERALD_UNAVAILABLE,
	 "a.db is locked by another connection for longer than busy_timeout_ms (100)"},
};

/* As another user than root, who may write everywhere. */
static void
open_bad_file(const struct bad_file *bad)
{
	struct sqlite_file file;
	struct herald_error error = {.message = ""};
	bool is_root = geteuid() == 0;

	sqlite_file_init(&file);
	if (is_root) {
		assert_int_equal(chown(file.folder, 65534, (gid_t)-1), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	bad->prepare(&file);
	enum herald_status status = sqlite_file_try(
		&file, &HERALD_SQLITE_OPTIONS(.path = bad->path, .busy_timeout_ms = 100),
		&(struct herald_database_settings){.must_exist = bad->must_exist}, &error);
	if (is_root)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(status, bad->status);
	if (!strstr(error.message, bad->message))
		fail_msg("%s: expected \"%s\", found \"%s\"", bad->name, bad->message,
			 error.message);
	if (status == HERALD_BAD_OPTION)
		assert_string_equal(error.path, "path");
	assert_int_equal(chmod(file.folder, 0755), 0);
	sqlite_file_close(&file);
}

static void
bad_files_are_refused(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof(bad_files) / sizeof(bad_files[0]); i++)
		open_bad_file(&bad_files[i]);
}

/* The linker puts this in the place of faccessat(): see meson.build. */
static const char *vanishing; /* the file goes away just before it is looked at */

int __real_faccessat(int folder, const char *path, int mode, int flags);
int __wrap_faccessat(int folder, const char *path, int mode, int flags);

int
__wrap_faccessat(int folder, const char *path, int mode, int flags)
{
	if (vanishing && strcmp(path, vanishing) == 0)
		assert_int_equal(unlink(path), 0);
	return __real_faccessat(folder, path, mode, flags);
}

/* SQLite of another process deletes its files with its last connection, whenever that is. */
static void
files_may_go_away_while_they_are_checked(void **unused)
{
	static const char *const suffixes[] = {"-wal", "-shm", "-herald.lock"};

	(void)unused;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		struct herald_error error = {.message = ""};
		struct sqlite_file file;
		char path[128];

		sqlite_file_init(&file);
		prepare_tables(&file);
		snprintf(path, sizeof(path), "%s%s", file.path, suffixes[i]);
		write_file(path, "", 0);
		vanishing = path;
		enum herald_status status = sqlite_file_try(&file, NULL, NULL, &error);
		vanishing = NULL;
		if (status != HERALD_OK)
			fail_msg("%s: %s", suffixes[i], error.message);
		sqlite_file_close(&file);
	}
}

/* A file that was moved away, or emptied: its commits are in the WAL, which SQLite would drop. */
static void
the_wal_of_a_missing_file_is_kept(void **unused)
{
	struct herald_error error = {.message = ""};
	struct sqlite_file file;
	char wal[128], kept[128];

	(void)unused;
	sqlite_file_init(&file);
	prepare_tables(&file);
	snprintf(wal, sizeof(wal), "%s-wal", file.path);
	snprintf(kept, sizeof(kept), "%s-kept", file.path);
	write_file(wal, "commits", 7);
	assert_int_equal(rename(file.path, kept), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sqlite_file_try(&file, NULL, NULL, &error), HERALD_BAD_OPTION);
		assert_string_equal(error.path, "path");
		if (!strstr(error.message, "a.db is missing or empty, but ") ||
		    !strstr(error.message, "a.db-wal has 7 bytes of commits"))
			fail_msg("%s", error.message);
		assert_int_equal(access(wal, F_OK), 0);
		write_file(file.path, "", 0);
	}
	assert_int_equal(rename(kept, file.path), 0);
	if (sqlite_file_try(&file, NULL, NULL, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	sqlite_file_close(&file);
}

/* The version of SQLite that the program has loaded: the adapter asks this function. */
static int library_version = SQLITE_VERSION_NUMBER;

int
sqlite3_libversion_number(void)
{
	return library_version;
}

/* It would take STRICT tables for errors of syntax, and a file with them for damaged. */
static void
an_old_library_is_refused(void **unused)
{
	struct herald_error error = {.message = ""};
	struct sqlite_file file;

	(void)unused;
	sqlite_file_init(&file);
	library_version = 3036000;
	assert_int_equal(sqlite_file_try(&file, NULL, NULL, &error), HERALD_SYSTEM);
	assert_non_null(strstr(error.message, "the program has loaded SQLite "));
	assert_non_null(strstr(error.message, ", expected 3.37.0 or newer"));
	assert_int_equal(access(file.path, F_OK), -1);
	library_version = 3037000;
	if (sqlite_file_try(&file, NULL, NULL, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	library_version = SQLITE_VERSION_NUMBER;
	sqlite_file_close(&file);
}

static void
network_file_systems_have_names(void **unused)
{
	static const struct {
		uint64_t magic;
		const char *type;
		const char *name;
	} cases[] = {
		{0x6969, NULL, "NFS"},
		{0xff534d42, NULL, "CIFS"},
		{0x00c36400, "ceph", "Ceph"},
		{0x65735546, "fuse.sshfs", "sshfs"},
		{0x65735546, "fuse.glusterfs", "glusterfs"},
		{0x65735546, "fuse.fuse-overlayfs", NULL},
		{0x65735546, NULL, NULL},
		{0xef53, "ext4", NULL},
		{0x01021994, "tmpfs", NULL},
		{0xef53, "fuse.sshfs", NULL},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *name = herald__sqlite_network_name(cases[i].magic, cases[i].type);

		if (cases[i].name)
			assert_string_equal(name, cases[i].name);
		else
			assert_null(name);
	}
}

/* The linker puts this in the place of statfs(), which is statfs64() in glibc: see meson.build. */
static long network_magic;

int __real_statfs64(const char *path, struct statfs *out);
int __wrap_statfs64(const char *path, struct statfs *out);

int
__wrap_statfs64(const char *path, struct statfs *out)
{
	int result = __real_statfs64(path, out);

	if (network_magic)
		out->f_type = network_magic;
	return result;
}

static void
network_file_systems_are_refused(void **unused)
{
	struct sqlite_file file;
	struct herald_error error;

	(void)unused;
	sqlite_file_init(&file);
	network_magic = 0x6969;
	assert_int_equal(sqlite_file_try(&file, NULL, NULL, &error), HERALD_BAD_OPTION);
	network_magic = 0;
	assert_string_equal(error.path, "path");
	assert_non_null(strstr(error.message,
			       "is on a network file system (NFS), where locks and shared memory "
			       "do not work: use a local disk, or PostgreSQL"));
	assert_int_equal(sqlite_file_try(&file, NULL, NULL, &error), HERALD_OK);
	sqlite_file_close(&file);
}

/* A file that is a link is the file that it leads to: so both names have one WAL. */
static void
links_are_followed(void **unused)
{
	struct sqlite_file file;
	struct herald_error error = {.message = ""};
	char link[128];

	(void)unused;
	sqlite_file_open(&file);
	sqlite_file_destroy(&file);
	snprintf(link, sizeof(link), "%s/link.db", file.folder);
	assert_int_equal(symlink("a.db", link), 0);
	assert_int_equal(sqlite_file_try(&file, &HERALD_SQLITE_OPTIONS(.path = link), NULL, &error),
			 HERALD_OK);
	struct herald_session *session = sqlite_file_session(&file, HERALD_SESSION_COMMIT);
	assert_string_equal(strrchr(sqlite3_db_filename(ops(&file)->handle(session), "main"), '/'),
			    "/a.db");
	ops(&file)->session_close(session);
	sqlite_file_close(&file);
}

/* Settings of every connection. */
static void
connections_are_safe(void **unused)
{
	static const struct {
		const char *sql;
		int value;
	} settings[] = {
		{"PRAGMA synchronous", 2},
		{"PRAGMA wal_autocheckpoint", 0},
		{"PRAGMA secure_delete", 2},
		{"PRAGMA cache_size", -8192},
	};
	struct sqlite_file file;

	(void)unused;
	sqlite_file_open(&file);
	for (int use = HERALD_SESSION_COMMIT; use <= HERALD_SESSION_ADMIN; use++) {
		struct herald_session *session =
			sqlite_file_session(&file, (enum herald_session_use)use);
		sqlite3 *db = ops(&file)->handle(session);

		for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
			assert_int_equal(sqlite_file_number_on(db, settings[i].sql),
					 settings[i].value);
		int has_no_checkpoint = 0;
		sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, -1, &has_no_checkpoint);
		assert_int_equal(has_no_checkpoint, 1);
		ops(&file)->session_close(session);
	}
	sqlite_file_close(&file);
}

/* Setup. */

struct setup {
	int calls;
	bool result;
};

static bool
set_up(sqlite3 *db, void *state)
{
	struct setup *setup = state;

	setup->calls++;
	return setup->result &&
	       sqlite3_exec(db, "PRAGMA foreign_keys=ON", NULL, NULL, NULL) == SQLITE_OK;
}

static void
setup_is_for_joins(void **unused)
{
	struct setup setup = {.result = true};
	struct sqlite_file file;
	struct herald_error error = {.message = ""};
	struct herald_session *session = NULL;

	(void)unused;
	sqlite_file_init(&file);
	assert_int_equal(sqlite_file_try(&file,
					 &HERALD_SQLITE_OPTIONS(.setup = set_up, .state = &setup),
					 NULL, &error),
			 HERALD_OK);
	ops(&file)->session_close(sqlite_file_session(&file, HERALD_SESSION_COMMIT));
	assert_int_equal(setup.calls, 0);
	session = sqlite_file_session(&file, HERALD_SESSION_JOIN);
	assert_int_equal(setup.calls, 1);
	assert_int_equal(sqlite_file_number_on(ops(&file)->handle(session), "PRAGMA foreign_keys"),
			 1);
	ops(&file)->session_close(session);
	setup.result = false;
	session = NULL;
	assert_int_equal(
		ops(&file)->session_open(file.database, HERALD_SESSION_JOIN, &session, &error),
		HERALD_BAD_OPTION);
	assert_null(session);
	assert_string_equal(error.path, "setup");
	sqlite_file_close(&file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_checked),
		cmocka_unit_test(an_event_is_accepted_claimed_and_done),
		cmocka_unit_test(an_origin_has_a_width),
		cmocka_unit_test(bad_files_are_refused),
		cmocka_unit_test(files_may_go_away_while_they_are_checked),
		cmocka_unit_test(the_wal_of_a_missing_file_is_kept),
		cmocka_unit_test(an_old_library_is_refused),
		cmocka_unit_test(network_file_systems_have_names),
		cmocka_unit_test(network_file_systems_are_refused),
		cmocka_unit_test(links_are_followed),
		cmocka_unit_test(connections_are_safe),
		cmocka_unit_test(setup_is_for_joins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
