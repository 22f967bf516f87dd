/*
 * Power cuts. A run of the database is recorded: what it writes, truncates and syncs. Then the
 * power is cut at each point, and files are made as they might be: all that was synced, and any
 * part of the rest, torn in sectors of 512 bytes. In each of them the database must be whole, what
 * was acknowledged must be there, and what is done must not run again.
 *
 * HERALD_TEST_CUTS says how many cuts; HERALD_TEST_SEED repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <herald/adapter/database.h>
#include <herald/sqlite.h>

#include "support/draw.h"
#include "support/sqlite_file.h"
#include "support/sqlite_vfs.h"

#define DEFAULT_CUTS 10000
#define SECTOR_BYTES 512
#define TRANSACTIONS 60
#define MAX_EVENTS 1024
#define NEVER SIZE_MAX
#define KEYS 3

/* Then there is another run. */
#define CUTS_PER_RUN 2500

/* Each so many cuts, Herald itself opens the file. */
#define CUTS_PER_RECOVERY 100

#define assert_works(CALL, ERROR)                                                                  \
	do {                                                                                       \
		if ((CALL) != HERALD_OK)                                                           \
			fail_msg("%s: %s", #CALL, (ERROR)->message);                               \
	} while (0)

/* The fate of an event, in numbers of records that were made before each step. */
struct life {
	uint64_t id;
	size_t accepted; /* its commit had returned */
	size_t ending;   /* the transaction that ends it began */
	size_t ended;    /* its commit had returned */
	bool dies;
};

struct run {
	struct sqlite_file file;
	struct herald_session *session;
	uint64_t node;
	uint64_t random;
	struct life lives[MAX_EVENTS];
	size_t lives_count;
	/* Events that are claimed. */
	struct herald_completion claimed[MAX_EVENTS];
	size_t claimed_count;
	char data[4096];
};

static const struct herald_database_ops *
ops(const struct run *run)
{
	return run->file.database->ops;
}

static size_t
recorded(void)
{
	const struct vfs_record *records;

	return sqlite_vfs_records(&records);
}

static struct life *
find_life(struct run *run, uint64_t id)
{
	size_t low = 0;
	size_t high = run->lives_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (run->lives[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < run->lives_count && run->lives[low].id == id ? &run->lives[low] : NULL;
}

/* The run. */

static void
start_run(struct run *run, uint64_t seed)
{
	struct herald_error error = {.message = ""};

	memset(run, 0, sizeof(*run));
	run->random = seed;
	memset(run->data, 'x', sizeof(run->data));
	sqlite_vfs_register();
	sqlite_file_init(&run->file);
	assert_works(sqlite_file_try(
			     &run->file,
			     &HERALD_SQLITE_OPTIONS(.vfs = SQLITE_VFS, .checkpoint_bytes = 65536),
			     NULL, &error),
		     &error);
	run->session = sqlite_file_session(&run->file, HERALD_SESSION_COMMIT);
	run->node = sqlite_file_join(&run->file, run->session);
	assert_int_equal(sqlite3_exec(ops(run)->handle(run->session),
				      "CREATE TABLE effects (id INTEGER PRIMARY KEY)", NULL, NULL,
				      NULL),
			 SQLITE_OK);
}

static void
stop_run(struct run *run)
{
	ops(run)->session_close(run->session);
	sqlite_file_close(&run->file);
	sqlite_vfs_unregister();
}

static void
accept_some(struct run *run)
{
	struct herald_stored_event events[8];
	unsigned char keys[8][HERALD_SEEN_KEY_BYTES];
	struct herald_error error = {.message = ""};
	size_t count = 1 + draw_below(&run->random, 8);

	for (size_t i = 0; i < count; i++) {
		events[i] = sqlite_file_event("");
		events[i].data.data = run->data;
		events[i].data.bytes = draw_below(&run->random, 3000);
		for (size_t j = 0; j < HERALD_SEEN_KEY_BYTES; j++)
			keys[i][j] = (unsigned char)draw_below(&run->random, 256);
		events[i].seen_key = keys[i];
		events[i].key_hash = draw_below(&run->random, KEYS + 1);
		events[i].owner = draw_one_in(&run->random, 3) ? run->node : 0;
	}
	assert_works(ops(run)->accept(run->session, events, count, &error), &error);
	for (size_t i = 0; i < count; i++) {
		assert_false(events[i].is_duplicate);
		run->lives[run->lives_count++] = (struct life){
			.id = events[i].id, .accepted = NEVER, .ending = NEVER, .ended = NEVER};
		if (events[i].owner)
			run->claimed[run->claimed_count++] =
				(struct herald_completion){.id = events[i].id,
							   .owner = run->node,
							   .attempts = 1,
							   .key_hash = events[i].key_hash};
	}
}

static bool
note_claimed(const struct herald_stored_event *event, void *state)
{
	struct run *run = state;

	run->claimed[run->claimed_count++] =
		(struct herald_completion){.id = event->id,
					   .owner = run->node,
					   .attempts = event->attempts,
					   .key_hash = event->key_hash};
	return true;
}

static void
claim_some(struct run *run)
{
	const struct herald_claim claim = {.queue = "q",
					   .owner = run->node,
					   .now_ms = SQLITE_FILE_NOW,
					   .max_events = 5,
					   .max_bytes = 5000};
	struct herald_error error = {.message = ""};
	int64_t next_ms;

	assert_works(ops(run)->claim(run->session, &claim, note_claimed, run, &next_ms, &error),
		     &error);
}

static void
write_effect(struct run *run, uint64_t id)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "INSERT INTO effects VALUES (%lld)", (long long)id);
	assert_int_equal(sqlite3_exec(ops(run)->handle(run->session), sql, NULL, NULL, NULL),
			 SQLITE_OK);
}

/* Half of what is claimed ends: mostly as done, with an effect in the same transaction. */
static void
complete_some(struct run *run)
{
	struct herald_error error = {.message = ""};
	size_t kept = 0;

	for (size_t i = 0; i < run->claimed_count; i++) {
		struct herald_completion *completion = &run->claimed[i];
		struct life *life = find_life(run, completion->id);

		if (draw_one_in(&run->random, 2)) {
			run->claimed[kept++] = *completion;
			continue;
		}
		completion->now_ms = completion->due_ms = SQLITE_FILE_NOW;
		completion->why = HERALD_DEAD_FAILED;
		completion->reason = "a reason";
		completion->offset = -1;
		completion->kind = draw_one_in(&run->random, 6)   ? HERALD_COMPLETE_RETRY
				   : draw_one_in(&run->random, 6) ? HERALD_COMPLETE_DEAD
								  : HERALD_COMPLETE_DONE;
		if (completion->kind == HERALD_COMPLETE_DONE)
			write_effect(run, completion->id);
		if (completion->kind != HERALD_COMPLETE_RETRY)
			life->ending = recorded();
		life->dies = completion->kind == HERALD_COMPLETE_DEAD;
		assert_works(ops(run)->complete(run->session, completion, 1, &error), &error);
		assert_false(completion->is_lost);
	}
	run->claimed_count = kept;
}

/* The commit has returned: what it has is acknowledged. */
static void
note_commit(struct run *run)
{
	size_t now = recorded();

	for (size_t i = 0; i < run->lives_count; i++) {
		struct life *life = &run->lives[i];

		if (life->accepted == NEVER)
			life->accepted = now;
		if (life->ending != NEVER && life->ended == NEVER)
			life->ended = now;
	}
}

static void
make_transactions(struct run *run)
{
	struct herald_error error = {.message = ""};

	for (int i = 0; i < TRANSACTIONS; i++) {
		assert_works(ops(run)->begin(run->session, &error), &error);
		complete_some(run);
		accept_some(run);
		claim_some(run);
		assert_works(ops(run)->commit(run->session, &error), &error);
		note_commit(run);
		ops(run)->tend(run->session, SQLITE_FILE_NOW + i);
	}
}

/* What is on the disk. */

struct disk {
	struct vfs_image synced[VFS_FILES];
	size_t first[VFS_FILES]; /* the first record after the last sync */
	struct vfs_image cut[VFS_FILES];
	char folder[80];
	char paths[VFS_FILES][128];
};

static void
disk_init(struct disk *disk, const struct run *run)
{
	memset(disk, 0, sizeof(*disk));
	snprintf(disk->folder, sizeof(disk->folder), "%s/cut", run->file.folder);
	snprintf(disk->paths[0], sizeof(disk->paths[0]), "%s-cut", run->file.path);
	snprintf(disk->paths[1], sizeof(disk->paths[1]), "%s-cut-wal", run->file.path);
}

/* All that was written before the run begins is on the disk. */
static void
disk_load(struct disk *disk, const struct run *run)
{
	char wal[128];

	snprintf(wal, sizeof(wal), "%s-wal", run->file.path);
	vfs_image_load(&disk->synced[0], run->file.path);
	vfs_image_load(&disk->synced[1], wal);
}

static void
disk_free(struct disk *disk)
{
	for (int i = 0; i < VFS_FILES; i++) {
		vfs_image_free(&disk->synced[i]);
		vfs_image_free(&disk->cut[i]);
	}
}

static void
apply_all(struct vfs_image *image, const struct vfs_record *record)
{
	if (record->change != VFS_CHANGE_SYNC)
		vfs_image_apply(image, record, 0, record->bytes);
}

/* A record is complete: after a sync, all changes of its file are on the disk. */
static void
disk_advance(struct disk *disk, const struct vfs_record *records, size_t at)
{
	int file = records[at].file;

	if (records[at].change != VFS_CHANGE_SYNC)
		return;
	for (size_t i = disk->first[file]; i < at; i++)
		if (records[i].file == file)
			apply_all(&disk->synced[file], &records[i]);
	disk->first[file] = at + 1;
}

/* How much of what was not synced is on the disk. */
enum loss {
	LOSE_ALL,
	LOSE_NOTHING,
	LOSE_THE_END,
	LOSE_CHANGES,
	LOSE_SECTORS,
	LOSS_COUNT,
};

static void
apply_sectors(struct vfs_image *image, const struct vfs_record *record, uint64_t *random)
{
	for (size_t from = 0; from < record->bytes;) {
		size_t offset = (size_t)record->offset + from;
		size_t bytes = SECTOR_BYTES - offset % SECTOR_BYTES;

		if (bytes > record->bytes - from)
			bytes = record->bytes - from;
		if (draw_one_in(random, 2))
			vfs_image_apply(image, record, from, bytes);
		from += bytes;
	}
}

static void
disk_cut(struct disk *disk, const struct vfs_record *records, size_t at, uint64_t *random)
{
	enum loss loss = (enum loss)draw_below(random, LOSS_COUNT);
	size_t first = disk->first[0] < disk->first[1] ? disk->first[0] : disk->first[1];
	size_t end = first + draw_below(random, at - first + 1);

	for (int i = 0; i < VFS_FILES; i++)
		vfs_image_copy(&disk->cut[i], &disk->synced[i]);
	for (size_t i = first; i < at; i++) {
		const struct vfs_record *record = &records[i];
		struct vfs_image *image = &disk->cut[record->file];
		bool is_whole = loss == LOSE_NOTHING || (loss == LOSE_THE_END && i < end) ||
				(loss == LOSE_CHANGES && draw_one_in(random, 2));

		if (i < disk->first[record->file] || record->change == VFS_CHANGE_SYNC)
			continue;
		if (is_whole || (loss == LOSE_SECTORS && record->change == VFS_CHANGE_TRUNCATE &&
				 draw_one_in(random, 2)))
			apply_all(image, record);
		else if (loss == LOSE_SECTORS && record->change == VFS_CHANGE_WRITE)
			apply_sectors(image, record, random);
	}
	for (int i = 0; i < VFS_FILES; i++)
		vfs_image_store(&disk->cut[i], disk->paths[i]);
}

/* What must hold. */

#define PROBLEM_BYTES 512

struct checking {
	struct run *run;
	size_t at; /* records before the cut */
	sqlite3 *db;
	unsigned char places[MAX_EVENTS]; /* bits of enum place, of each life */
	char problem[PROBLEM_BYTES];      /* "": none */
};

enum place {
	IS_EVENT = 1,
	IS_DEAD = 2,
	IS_EFFECT = 4,
};

static void
find_places(struct checking *checking, const char *sql, enum place place)
{
	sqlite3_stmt *stmt;

	if (checking->problem[0])
		return;
	int rc = sqlite3_prepare_v2(checking->db, sql, -1, &stmt, NULL);
	while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		uint64_t id = (uint64_t)sqlite3_column_int64(stmt, 0);
		struct life *life = find_life(checking->run, id);

		if (!life)
			snprintf(checking->problem, PROBLEM_BYTES, "event %llu is not ours",
				 (unsigned long long)id);
		else
			checking->places[life - checking->run->lives] |= place;
		rc = SQLITE_OK;
	}
	sqlite3_finalize(stmt);
	if (rc != SQLITE_DONE && !checking->problem[0])
		snprintf(checking->problem, PROBLEM_BYTES, "%s: %s", sql,
			 sqlite3_errmsg(checking->db));
}

static void
check_integrity(struct checking *checking)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(checking->db, "PRAGMA integrity_check", -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW)
		snprintf(checking->problem, PROBLEM_BYTES, "integrity_check: %s",
			 sqlite3_errmsg(checking->db));
	else if (strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") != 0)
		snprintf(checking->problem, PROBLEM_BYTES, "integrity_check: %s",
			 (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
}

static const char *
life_problem(const struct life *life, size_t at, unsigned place)
{
	if (place != 0 && place != IS_EVENT && place != IS_DEAD && place != IS_EFFECT)
		return "is in two places";
	if (life->accepted <= at && place == 0)
		return "was acknowledged, and is lost";
	if (life->ended <= at && place == IS_EVENT)
		return "was done, and would run again";
	if (life->ended <= at && life->dies != (place == IS_DEAD))
		return "did not end as it was told";
	if (life->ending > at && place != IS_EVENT && place != 0)
		return "ended before it did";
	return NULL;
}

static void
check_lives(struct checking *checking)
{
	int64_t there = 0;

	for (size_t i = 0; i < checking->run->lives_count && !checking->problem[0]; i++) {
		const struct life *life = &checking->run->lives[i];
		const char *what = life_problem(life, checking->at, checking->places[i]);

		there += checking->places[i] != 0;
		if (what)
			snprintf(checking->problem, PROBLEM_BYTES, "event %zu %s", i, what);
	}
	/* Each has its key for deduplication, and no other one has. */
	if (!checking->problem[0]) {
		int64_t keys = sqlite_file_number_on(
			checking->db, "SELECT (SELECT count(*) FROM herald_seen_0) + "
				      "(SELECT count(*) FROM herald_seen_1)");
		if (keys != there)
			snprintf(checking->problem, PROBLEM_BYTES, "%lld keys of %lld events",
				 (long long)keys, (long long)there);
	}
}

static void
check_cut(struct checking *checking, const char *path)
{
	int rc = sqlite3_open(path, &checking->db);

	sqlite3_wal_autocheckpoint(checking->db, 0);
	sqlite3_db_config(checking->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (rc != SQLITE_OK)
		snprintf(checking->problem, PROBLEM_BYTES, "%s", sqlite3_errmsg(checking->db));
	else
		check_integrity(checking);
	find_places(checking, "SELECT id FROM herald_event", IS_EVENT);
	find_places(checking, "SELECT id FROM herald_dead", IS_DEAD);
	find_places(checking, "SELECT id FROM effects", IS_EFFECT);
	check_lives(checking);
	sqlite3_close(checking->db);
}

/* Herald opens the file, takes over what the dead process had, and runs all that is there. */

struct recovery {
	struct checking *checking;
	struct herald_session *session;
	const struct herald_database_ops *ops;
	size_t count;
};

static bool
recover_node(const struct herald_node *node, void *state)
{
	struct recovery *recovery = state;
	struct herald_recovery rows = {.node = node->id,
				       .now_ms = SQLITE_FILE_NOW,
				       .is_known = true,
				       .max_attempts = 20,
				       .max_interrupted = 3};
	struct herald_error error = {.message = ""};

	assert_works(recovery->ops->node_recover(recovery->session, &rows, &error), &error);
	assert_true(rows.is_taken);
	return true;
}

static bool
run_event(const struct herald_stored_event *event, void *state)
{
	struct recovery *recovery = state;
	struct checking *checking = recovery->checking;
	struct life *life = find_life(checking->run, event->id);

	if (!life || checking->places[life - checking->run->lives] != IS_EVENT)
		snprintf(checking->problem, PROBLEM_BYTES, "event %llu runs, but was not there",
			 (unsigned long long)event->id);
	recovery->count++;
	return true;
}

static void
claim_and_complete(struct recovery *recovery, uint64_t node)
{
	const struct herald_claim claim = {.queue = "q",
					   .owner = node,
					   .now_ms = SQLITE_FILE_NOW,
					   .max_events = 100,
					   .max_bytes = 1 << 20};
	struct herald_error error = {.message = ""};
	int64_t next_ms = 0;

	while (next_ms != INT64_MAX) {
		assert_works(recovery->ops->begin(recovery->session, &error), &error);
		assert_works(recovery->ops->claim(recovery->session, &claim, run_event, recovery,
						  &next_ms, &error),
			     &error);
		assert_works(recovery->ops->commit(recovery->session, &error), &error);
	}
}

static void
check_recovery(struct checking *checking, const char *path)
{
	struct sqlite_file file = {.database = NULL};
	struct recovery recovery = {.checking = checking};
	struct herald_error error = {.message = ""};
	size_t expected = 0;

	/* Blocked events do not run until the one before them has ended. */
	assert_works(sqlite_file_try(&file, &HERALD_SQLITE_OPTIONS(.path = path), NULL, &error),
		     &error);
	recovery.ops = file.database->ops;
	recovery.session = sqlite_file_session(&file, HERALD_SESSION_COMMIT);
	uint64_t node = sqlite_file_join(&file, recovery.session);
	assert_works(recovery.ops->node_dead(recovery.session, SQLITE_FILE_NOW, recover_node,
					     &recovery, &error),
		     &error);
	expected =
		(size_t)sqlite_file_number_on(recovery.ops->handle(recovery.session),
					      "SELECT count(*) FROM herald_event WHERE state <> 2");
	claim_and_complete(&recovery, node);
	assert_int_equal(recovery.count, expected);
	recovery.ops->session_close(recovery.session);
	sqlite_file_destroy(&file);
}

/* Cuts. */

static size_t
cuts_wanted(void)
{
	const char *text = getenv("HERALD_TEST_CUTS");

	return text ? (size_t)strtoull(text, NULL, 10) : DEFAULT_CUTS;
}

/* Cut `cuts` times, about as often after each record. Returns the first problem; "": none. */
static void
cut_run(struct run *run, struct disk *disk, size_t cuts, char problem[PROBLEM_BYTES])
{
	static struct checking checking;
	const struct vfs_record *records;
	size_t count = sqlite_vfs_records(&records);
	size_t made = 0;

	problem[0] = '\0';
	for (size_t at = 0; at < count && !problem[0]; at++) {
		for (; made * count < (at + 1) * cuts && !problem[0]; made++) {
			memset(&checking, 0, sizeof(checking));
			checking.run = run;
			checking.at = at;
			disk_cut(disk, records, at, &run->random);
			check_cut(&checking, disk->paths[0]);
			if (made % CUTS_PER_RECOVERY == 0 && !checking.problem[0])
				check_recovery(&checking, disk->paths[0]);
			if (checking.problem[0])
				snprintf(problem, PROBLEM_BYTES,
					 "cut %zu, after %zu of %zu: %.300s", made, at, count,
					 checking.problem);
		}
		disk_advance(disk, records, at);
	}
}

static void
record_and_cut(uint64_t seed, bool is_safe, size_t cuts, char problem[PROBLEM_BYTES])
{
	static struct run run;
	struct disk disk;

	start_run(&run, seed);
	disk_init(&disk, &run);
	if (!is_safe)
		assert_int_equal(sqlite3_exec(ops(&run)->handle(run.session),
					      "PRAGMA synchronous=NORMAL", NULL, NULL, NULL),
				 SQLITE_OK);
	disk_load(&disk, &run);
	sqlite_vfs_record();
	make_transactions(&run);
	cut_run(&run, &disk, cuts, problem);
	disk_free(&disk);
	stop_run(&run);
}

static void
a_power_cut_loses_nothing(void **state)
{
	uint64_t seed = *(uint64_t *)*state;
	size_t wanted = cuts_wanted();
	char problem[PROBLEM_BYTES];

	for (size_t cuts = 0; cuts < wanted; cuts += CUTS_PER_RUN, seed++) {
		record_and_cut(seed, true,
			       wanted - cuts < CUTS_PER_RUN ? wanted - cuts : CUTS_PER_RUN,
			       problem);
		if (problem[0])
			fail_msg("HERALD_TEST_SEED=%llu: %s", (unsigned long long)seed, problem);
	}
}

/* The test can fail: without the sync of each commit, events are lost. */
static void
the_test_finds_what_is_lost(void **state)
{
	uint64_t *seed = *state;
	char problem[PROBLEM_BYTES];

	record_and_cut(*seed, false, 2000, problem);
	if (!strstr(problem, "was acknowledged, and is lost") &&
	    !strstr(problem, "was done, and would run again"))
		fail_msg("HERALD_TEST_SEED=%llu: expected a loss, found \"%s\"",
			 (unsigned long long)*seed, problem);
}

int
main(void)
{
	static uint64_t seed;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(a_power_cut_loses_nothing, &seed),
		cmocka_unit_test_prestate(the_test_finds_what_is_lost, &seed),
	};

	seed = draw_seed();
	fprintf(stderr, "HERALD_TEST_SEED=%llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
