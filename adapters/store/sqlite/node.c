/*
 * Nodes. The table says which nodes there are and what they own; the lock file says which of them
 * live. Joining takes a byte of the lock file that no row names. Recovering first takes the byte of
 * the dead node, so that two processes do not recover it at once.
 */
#include "node.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>

#include "check_file.h"
#include "dead.h"
#include "key.h"
#include "lock_file.h"
#include "problem.h"
#include "session.h"
#include "statement.h"

/* Slots are tried one by one. */
#define MAX_SLOTS 1024

/* So many of the database's name are in the name of a file in another folder, which has a limit. */
#define NAME_BYTES "128"

/* The reason of an event that its process did not survive. */
#define REASON_BYTES 128

bool
herald__sqlite_has_wal_bug(int version)
{
	int branch = version / 1000;

	if (version >= 3051003 || version < 3007000)
		return false;
	return !(branch == 3050 && version >= 3050007) && !(branch == 3044 && version >= 3044006);
}

/* Joining. */

static enum herald_status
refuse_second(struct sqlite_database *database, int fd, int slot, struct herald_error *error)
{
	bool is_locked = false;
	enum herald_status status = herald__lock_file_test(fd, slot, &is_locked, error);

	if (status == HERALD_OK && is_locked)
		status = herald_option_refuse(
			error, "path",
			"another process runs events of %s, and SQLite %s can damage a file that "
			"two processes use: stop one, or use SQLite 3.51.3, 3.50.7, 3.44.6 or "
			"newer",
			database->path, sqlite3_libversion());
	return status;
}

/* With a version that has the bug, no other node may live. */
static enum herald_status
check_others(struct sqlite_session *session, int fd, struct herald_error *error)
{
	static const struct sqlite_sql sql = {SLOT_NODE_SLOTS, "SELECT slot FROM main.herald_node"};
	struct sqlite_database *database = herald__sqlite_database(session);
	struct sqlite_query row;
	enum herald_status status;
	bool has_row;

	if (database->options.assume_wal_fixed ||
	    !herald__sqlite_has_wal_bug(sqlite3_libversion_number()))
		return HERALD_OK;
	row = herald__sqlite_query(session, &sql);
	while ((status = herald__sqlite_step(&row, &has_row, error)) == HERALD_OK && has_row) {
		status = refuse_second(database, fd, (int)herald__sqlite_int(&row), error);
		if (status != HERALD_OK)
			break;
	}
	herald__sqlite_end(&row);
	return status;
}

static enum herald_status
slot_is_used(struct sqlite_session *session, int slot, bool *is_used, struct herald_error *error)
{
	static const struct sqlite_sql sql = {SLOT_NODE_SLOT,
					      "SELECT 1 FROM main.herald_node WHERE slot = ?1"};
	struct sqlite_query query = herald__sqlite_query(session, &sql);

	herald__sqlite_bind_int(&query, slot);
	enum herald_status status = herald__sqlite_step(&query, is_used, error);
	herald__sqlite_end(&query);
	return status;
}

static enum herald_status
take_slot(struct sqlite_session *session, int fd, int *slot, struct herald_error *error)
{
	enum herald_status status = HERALD_OK;
	bool is_used = true;
	bool is_locked = false;

	for (int i = 0; status == HERALD_OK && i < MAX_SLOTS; i++) {
		status = slot_is_used(session, i, &is_used, error);
		if (status == HERALD_OK && !is_used)
			status = herald__lock_file_lock(fd, i, &is_locked, error);
		*slot = i;
		if (is_locked)
			return status;
	}
	if (status == HERALD_OK)
		status = herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					  "%s has %d nodes, which is the limit",
					  herald__sqlite_database(session)->path, MAX_SLOTS);
	return status;
}

static enum herald_status
take_id(struct sqlite_session *session, uint64_t *id, struct herald_error *error)
{
	static const struct sqlite_sql sql = {
		SLOT_NODE_ID, "UPDATE main.herald_meta SET last_node = last_node + 1 "
			      "RETURNING last_node"};
	struct sqlite_query query = herald__sqlite_query(session, &sql);
	bool has_row;
	enum herald_status status = herald__sqlite_step(&query, &has_row, error);

	if (has_row)
		*id = (uint64_t)herald__sqlite_int(&query);
	herald__sqlite_end(&query);
	return status;
}

static enum herald_status
insert_node(struct sqlite_session *session, const struct herald_node *node, int slot,
	    int64_t now_ms, struct herald_error *error)
{
	static const struct sqlite_sql sql = {
		SLOT_NODE_INSERT, "INSERT INTO main.herald_node (id, slot, host, boot_id, pid, "
				  "joined_ms, in_flight_path) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"};
	struct sqlite_query query = herald__sqlite_query(session, &sql);

	herald__sqlite_bind_int(&query, (int64_t)node->id);
	herald__sqlite_bind_int(&query, slot);
	herald__sqlite_bind_text(&query, node->host ? node->host : "");
	herald__sqlite_bind_text(&query, node->boot_id ? node->boot_id : "");
	herald__sqlite_bind_int(&query, node->pid);
	herald__sqlite_bind_int(&query, now_ms);
	herald__sqlite_bind_text(&query, node->in_flight_path);
	return herald__sqlite_run(&query, error);
}

/* FNV-1a. */
static uint64_t
hash_path(const char *path)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *path; path++)
		hash = (hash ^ (unsigned char)*path) * UINT64_C(0x100000001b3);
	return hash;
}

/* In the store's folder if it names one, else next to the database. Databases of the same name,
 * such as a copy of this one, may have the same folder. */
static enum herald_status
name_in_flight(struct sqlite_database *database, const char *folder, int slot,
	       struct sqlite_node *own, struct herald_error *error)
{
	const char *name = strrchr(database->path, '/') + 1;
	size_t size = sizeof(own->in_flight_path);
	int bytes;

	if (folder)
		bytes = snprintf(own->in_flight_path, size,
				 "%s/%." NAME_BYTES "s-%016" PRIx64 "-herald.inflight-%d", folder,
				 name, hash_path(database->path), slot);
	else
		bytes = snprintf(own->in_flight_path, size, "%s-herald.inflight-%d", database->path,
				 slot);
	if (bytes < 0 || (size_t)bytes >= size)
		return herald_option_refuse(error, "in_flight_folder", "must be at most %d bytes",
					    SQLITE_PATH_BYTES);
	return HERALD_OK;
}

static enum herald_status
write_node(struct sqlite_session *session, struct sqlite_node *own, struct herald_node *node,
	   int64_t now_ms, struct herald_error *error)
{
	struct sqlite_database *database = herald__sqlite_database(session);
	struct herald_node joined = *node;
	int slot = 0;
	enum herald_status status = herald__sqlite_begin(&session->base, error);

	if (status != HERALD_OK)
		return status;
	status = check_others(session, own->fd, error);
	if (status == HERALD_OK)
		status = take_slot(session, own->fd, &slot, error);
	if (status == HERALD_OK)
		status = take_id(session, &joined.id, error);
	if (status == HERALD_OK)
		status = name_in_flight(database, node->in_flight_path, slot, own, error);
	joined.in_flight_path = own->in_flight_path;
	if (status == HERALD_OK)
		status = insert_node(session, &joined, slot, now_ms, error);
	if (status == HERALD_OK)
		status = herald__sqlite_commit(&session->base, error);
	else
		herald__sqlite_rollback(&session->base);
	if (status == HERALD_OK) {
		own->id = joined.id;
		*node = joined;
	}
	return status;
}

enum herald_status
herald__sqlite_node_join(struct herald_session *base, struct herald_node *node, int64_t now_ms,
			 struct herald_error *error)
{
	struct sqlite_session *session = herald__sqlite_session(base);
	struct sqlite_database *database = herald__sqlite_database(session);
	struct sqlite_node *own =
		herald_memory_allocate_zeroed(&database->allocator, 1, sizeof(*own));

	if (!own)
		return herald_out_of_memory(error);
	enum herald_status status = herald__lock_file_open(database->lock_path, &own->fd, error);
	if (status != HERALD_OK) {
		herald_memory_release(&database->allocator, own, sizeof(*own));
		return status;
	}
	if (!herald__sqlite_identify(database->lock_path, &own->lock_file))
		status = herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					  "%s was deleted just now", database->lock_path);
	if (status == HERALD_OK)
		status = write_node(session, own, node, now_ms, error);
	if (status != HERALD_OK) {
		close(own->fd);
		herald_memory_release(&database->allocator, own, sizeof(*own));
		return status;
	}
	herald__lock_file_join(database, own);
	return HERALD_OK;
}

/* Leaving. */

static enum herald_status
delete_node(struct sqlite_session *session, uint64_t id, bool *is_deleted,
	    struct herald_error *error)
{
	static const struct sqlite_sql sql = {SLOT_NODE_DELETE,
					      "DELETE FROM main.herald_node WHERE id = ?1"};
	struct sqlite_query query = herald__sqlite_query(session, &sql);

	herald__sqlite_bind_int(&query, (int64_t)id);
	enum herald_status status = herald__sqlite_run(&query, error);
	if (status == HERALD_OK)
		*is_deleted = herald__sqlite_changes(&query) > 0;
	return status;
}

static enum herald_status
check_owns_nothing(struct sqlite_session *session, uint64_t id, struct herald_error *error)
{
	static const struct sqlite_sql sql = {
		SLOT_NODE_OWNS,
		"SELECT EXISTS (SELECT 1 FROM main.herald_event INDEXED BY herald_event_running "
		"WHERE state = 1 AND owner = ?1) OR EXISTS (SELECT 1 FROM main.herald_delivery "
		"INDEXED BY herald_delivery_running WHERE state = 1 AND owner = ?1)"};
	struct sqlite_query row = herald__sqlite_query(session, &sql);
	bool is_found, owns = false;

	herald__sqlite_bind_int(&row, (int64_t)id);
	enum herald_status status = herald__sqlite_step(&row, &is_found, error);
	if (is_found) {
		owns = herald__sqlite_int(&row) != 0;
		herald__sqlite_end(&row);
	}
	return owns ? herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
				       "the node has RUNNING events or deliveries")
		    : status;
}

enum herald_status
herald__sqlite_node_leave(struct herald_session *base, uint64_t node, struct herald_error *error)
{
	struct sqlite_session *session = herald__sqlite_session(base);
	bool is_deleted;
	enum herald_status status = herald__sqlite_begin(base, error);

	if (status != HERALD_OK)
		return status;
	status = check_owns_nothing(session, node, error);
	if (status == HERALD_OK)
		status = delete_node(session, node, &is_deleted, error);
	if (status == HERALD_OK)
		status = herald__sqlite_commit(base, error);
	else
		herald__sqlite_rollback(base);
	if (status == HERALD_OK)
		herald__lock_file_leave(herald__sqlite_database(session), node);
	return status;
}

/* The dead. */

struct found_node {
	struct herald_node node;
	int slot;
	char host[256];
	char boot_id[128];
	char in_flight_path[SQLITE_PATH_BYTES * 2];
};

/* The node with the smallest id that is at least `least`. Its texts are copied, so that no
 * statement runs while the visitor does. */
static enum herald_status
find_node(struct sqlite_session *session, uint64_t least, bool *is_found, struct found_node *found,
	  struct herald_error *error)
{
	static const struct sqlite_sql sql = {
		SLOT_NODE_FIND, "SELECT id, slot, host, boot_id, pid, in_flight_path "
				"FROM main.herald_node WHERE id >= ?1 ORDER BY id LIMIT 1"};
	struct sqlite_query row = herald__sqlite_query(session, &sql);

	herald__sqlite_bind_int(&row, (int64_t)least);
	enum herald_status status = herald__sqlite_step(&row, is_found, error);
	if (!*is_found)
		return status;
	found->node.id = (uint64_t)herald__sqlite_int(&row);
	found->slot = (int)herald__sqlite_int(&row);
	snprintf(found->host, sizeof(found->host), "%s", herald__sqlite_text(&row));
	snprintf(found->boot_id, sizeof(found->boot_id), "%s", herald__sqlite_text(&row));
	found->node.pid = (long)herald__sqlite_int(&row);
	snprintf(found->in_flight_path, sizeof(found->in_flight_path), "%s",
		 herald__sqlite_text(&row));
	found->node.host = found->host;
	found->node.boot_id = found->boot_id;
	found->node.in_flight_path = found->in_flight_path;
	if (row.rc != SQLITE_OK)
		status = herald__sqlite_problem(session, row.rc, error);
	herald__sqlite_end(&row);
	return status;
}

enum herald_status
herald__sqlite_node_dead(struct herald_session *base, int64_t now_ms, herald_node_visitor *visit,
			 void *state, struct herald_error *error)
{
	struct sqlite_session *session = herald__sqlite_session(base);
	struct sqlite_database *database = herald__sqlite_database(session);
	struct found_node found = {.slot = 0};
	bool is_found = true;
	bool goes_on = true;
	int fd;

	(void)now_ms; /* the operating system knows */
	enum herald_status status = herald__lock_file_look(database->lock_path, &fd, error);
	if (status != HERALD_OK)
		return status;
	for (uint64_t least = 0; goes_on; least = found.node.id + 1) {
		bool is_alive = true;

		status = find_node(session, least, &is_found, &found, error);
		if (status == HERALD_OK && is_found)
			status = herald__lock_file_test(fd, found.slot, &is_alive, error);
		goes_on = status == HERALD_OK && is_found;
		if (goes_on && !is_alive)
			goes_on = visit(&found.node, state);
	}
	if (fd >= 0)
		close(fd);
	return status;
}

/* Recovering. */

struct owned_event {
	uint64_t id;
	unsigned attempts;
	unsigned interrupted;
	uint64_t key_hash;
	bool holds_key;
};

static enum herald_status
first_owned(struct sqlite_session *session, uint64_t node, bool *is_found,
	    struct owned_event *event, struct herald_error *error)
{
	static const struct sqlite_sql sql = {
		SLOT_NODE_EVENT,
		"SELECT id, attempts, interrupted, key_hash, holds_key FROM main.herald_event "
		"INDEXED BY herald_event_running WHERE state = 1 AND owner = ?1 ORDER BY id "
		"LIMIT 1"};
	struct sqlite_query row = herald__sqlite_query(session, &sql);

	herald__sqlite_bind_int(&row, (int64_t)node);
	enum herald_status status = herald__sqlite_step(&row, is_found, error);
	if (*is_found) {
		event->id = (uint64_t)herald__sqlite_int(&row);
		event->attempts = (unsigned)herald__sqlite_int(&row);
		event->interrupted = (unsigned)herald__sqlite_int(&row);
		event->key_hash = (uint64_t)herald__sqlite_int(&row);
		event->holds_key = herald__sqlite_int(&row) != 0;
		herald__sqlite_end(&row);
	}
	return status;
}

/* It is due at once, or later if that is later than now. */
static enum herald_status
make_ready(struct sqlite_session *session, const struct owned_event *event, int64_t due_ms,
	   int64_t now_ms, struct herald_error *error)
{
	static const struct sqlite_sql sql = {
		SLOT_NODE_EVENT_READY,
		"UPDATE main.herald_event SET state = 0, owner = 0, "
		"attempts = ?2, interrupted = ?3, "
		"due_ms = CASE WHEN ?4 > ?5 THEN ?4 ELSE due_ms END, "
		"delayed = ?4 > ?5, retried_ms = CASE WHEN ?4 > ?5 THEN ?5 ELSE 0 END "
		"WHERE id = ?1"};
	struct sqlite_query query = herald__sqlite_query(session, &sql);

	herald__sqlite_bind_int(&query, (int64_t)event->id);
	herald__sqlite_bind_int(&query, event->attempts);
	herald__sqlite_bind_int(&query, event->interrupted);
	herald__sqlite_bind_int(&query, due_ms);
	herald__sqlite_bind_int(&query, now_ms);
	return herald__sqlite_run(&query, error);
}

static enum herald_status
make_dead(struct sqlite_session *session, const struct owned_event *event,
	  const struct herald_recovery *recovery, bool is_suspect, struct herald_error *error)
{
	char reason[REASON_BYTES];
	struct sqlite_death death = {
		.id = event->id,
		.is_held = event->holds_key && event->key_hash != 0,
		.now_ms = recovery->now_ms,
		.why = is_suspect ? HERALD_DEAD_INTERRUPTED : HERALD_DEAD_ATTEMPTS,
		.reason = reason,
		.offset = -1,
	};

	if (is_suspect)
		snprintf(reason, sizeof(reason),
			 "the process died while it ran (%u times), in attempt %u",
			 event->interrupted, event->attempts);
	else
		snprintf(reason, sizeof(reason), "the process died in its last attempt, number %u",
			 event->attempts);
	enum herald_status status = herald__sqlite_event_die(session, &death, error);
	if (status == HERALD_OK)
		status = herald__sqlite_key_promote(session, event->key_hash, error);
	return status;
}

static int
compare_ids(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static enum herald_status
recover_event(struct sqlite_session *session, struct owned_event *event,
	      struct herald_recovery *recovery, struct herald_error *error)
{
	bool is_suspect = recovery->suspects_count > 0 &&
			  bsearch(&event->id, recovery->suspects, recovery->suspects_count,
				  sizeof(event->id), compare_ids);
	bool counts = is_suspect || !recovery->is_known;
	bool is_dead = counts && event->attempts >= recovery->max_attempts;

	if (is_suspect)
		is_dead = ++event->interrupted >= recovery->max_interrupted || is_dead;
	if (!counts)
		event->attempts--;
	enum herald_status status =
		make_ready(session, event, is_suspect ? recovery->suspects_due_ms : INT64_MIN,
			   recovery->now_ms, error);
	if (status == HERALD_OK && is_dead)
		status = make_dead(session, event, recovery, is_suspect, error);
	recovery->ready += !is_dead;
	recovery->dead += is_dead;
	return status;
}

/* If the attempt of a delivery had begun, it stays counted. */
static enum herald_status
recover_sent(struct sqlite_session *session, const struct herald_recovery *recovery,
	     struct herald_error *error)
{
	static const struct sqlite_sql sql = {
		SLOT_NODE_SENT, "UPDATE main.herald_delivery SET state = 0, owner = 0 "
				"WHERE id = ?2 AND state = 1 AND owner = ?1"};
	enum herald_status status = HERALD_OK;

	for (size_t i = 0; i < recovery->suspects_count && status == HERALD_OK; i++) {
		struct sqlite_query query = herald__sqlite_query(session, &sql);

		herald__sqlite_bind_int(&query, (int64_t)recovery->node);
		herald__sqlite_bind_int(&query, (int64_t)recovery->suspects[i]);
		status = herald__sqlite_run(&query, error);
	}
	return status;
}

static enum herald_status
recover_deliveries(struct sqlite_session *session, const struct herald_recovery *recovery,
		   struct herald_error *error)
{
	static const struct sqlite_sql sql = {
		SLOT_NODE_DELIVERIES, "UPDATE main.herald_delivery SET state = 0, owner = 0, "
				      "attempts = attempts - ?2 WHERE state = 1 AND owner = ?1"};
	enum herald_status status = recover_sent(session, recovery, error);

	if (status != HERALD_OK)
		return status;
	struct sqlite_query query = herald__sqlite_query(session, &sql);
	herald__sqlite_bind_int(&query, (int64_t)recovery->node);
	herald__sqlite_bind_int(&query, recovery->is_known);
	return herald__sqlite_run(&query, error);
}

/* With the lock of the dead node's byte. */
static enum herald_status
recover_rows(struct sqlite_session *session, struct herald_recovery *recovery,
	     struct herald_error *error)
{
	struct owned_event event = {.id = 0};
	bool is_found = true;
	enum herald_status status = herald__sqlite_begin(&session->base, error);

	if (status != HERALD_OK)
		return status;
	status = delete_node(session, recovery->node, &recovery->is_taken, error);
	while (status == HERALD_OK && recovery->is_taken && is_found) {
		status = first_owned(session, recovery->node, &is_found, &event, error);
		if (status == HERALD_OK && is_found)
			status = recover_event(session, &event, recovery, error);
	}
	if (status == HERALD_OK && recovery->is_taken)
		status = recover_deliveries(session, recovery, error);
	if (status == HERALD_OK && recovery->is_taken)
		return herald__sqlite_commit(&session->base, error);
	herald__sqlite_rollback(&session->base);
	return status;
}

enum herald_status
herald__sqlite_node_recover(struct herald_session *base, struct herald_recovery *recovery,
			    struct herald_error *error)
{
	struct sqlite_session *session = herald__sqlite_session(base);
	struct found_node found = {.slot = 0};
	bool is_found, is_locked = false;
	int fd;

	recovery->ready = recovery->dead = 0;
	recovery->is_taken = false;
	enum herald_status status = find_node(session, recovery->node, &is_found, &found, error);
	if (status != HERALD_OK || !is_found || found.node.id != recovery->node)
		return status;
	status = herald__lock_file_open(herald__sqlite_database(session)->lock_path, &fd, error);
	if (status != HERALD_OK)
		return status;
	status = herald__lock_file_lock(fd, found.slot, &is_locked, error);
	if (status == HERALD_OK && is_locked)
		status = recover_rows(session, recovery, error);
	close(fd);
	if (status != HERALD_OK)
		recovery->ready = recovery->dead = recovery->is_taken = 0;
	return status;
}
