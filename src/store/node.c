/*
 * Joins this process to the others that use the database, and takes over what dead ones have left.
 * Where a node is alive as long as it renews a lease, it fences itself before the lease ends: no
 * event begins any more. If the lease was lost, it joins again as a new node.
 */
#include "store/node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <herald/adapter/log.h>
#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>

#include "store/dispatch_arrive.h"
#include "store/former.h"
#include "store/state.h"

/* Nothing begins so long before the lease ends. */
#define MARGIN_MS 2000
#define MAX_RECOVER_MS 1000
#define RECOVER_MS 500
#define MAX_DEAD 16
/* A file that its process has left behind. If the process runs on another copy of this database,
 * its own recovery reads the file first. */
#define LEFT_FILE_MS (UINT64_C(3600) * 1000)

/* Who this process is. */

static void
read_boot_id(char *out, size_t bytes)
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	out[0] = '\0';
	if (!file)
		return;
	if (!fgets(out, (int)bytes, file))
		out[0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	fclose(file);
}

static void
identify(struct herald__node *node)
{
	if (gethostname(node->host, sizeof(node->host)) != 0)
		node->host[0] = '\0';
	node->host[sizeof(node->host) - 1] = '\0';
	read_boot_id(node->boot_id, sizeof(node->boot_id));
}

/* Files that are left behind. */

static uint64_t
now_ms(const struct herald_store *store)
{
	return herald__clock_now_ms(&store->settings.clock);
}

struct herald__left_file {
	struct herald__left_file *next;
	uint64_t node;
	uint64_t free_since_ms; /* 0: its process lives */
	char path[4096];
};

/* Returns whether it need not be looked at any more. */
static bool
clean_up(const struct herald_store *store, struct herald__left_file *file)
{
	const uint64_t time_ms = now_ms(store);

	if (herald__in_flight_is_held(file->path))
		file->free_since_ms = 0;
	else if (file->free_since_ms == 0)
		file->free_since_ms = time_ms;
	else if (time_ms - file->free_since_ms >= LEFT_FILE_MS) {
		herald__in_flight_remove(file->path, file->node);
		return true;
	}
	return false;
}

/* All, or those whose time has come. */
static void
forget_files(struct herald_store *store, bool all)
{
	struct herald__left_file **at = &store->node.left_files;

	while (*at) {
		struct herald__left_file *file = *at;

		if (!all && !clean_up(store, file)) {
			at = &file->next;
			continue;
		}
		*at = file->next;
		herald_memory_release(&store->settings.allocator, file, sizeof(*file));
	}
}

/* Joining. */

static uint64_t
fence_ms(const struct herald_store *store, uint64_t renewed_ms)
{
	const uint64_t lease_ms = store->settings.options.lease_ms;
	const uint64_t margin_ms = lease_ms / 3 < MARGIN_MS ? lease_ms / 3 : MARGIN_MS;

	return store->database->ops->has_leases ? renewed_ms + lease_ms - margin_ms : UINT64_MAX;
}

static enum herald_status
join(struct herald_store *store, struct herald_error *error)
{
	struct herald__node *node = &store->node;
	const struct herald_store_options *options = &store->settings.options;
	const uint64_t since_ms = now_ms(store);
	struct herald_node joined = {
		.host = node->host,
		.boot_id = node->boot_id,
		.pid = (long)getpid(),
		.in_flight_path = options->in_flight_folder,
	};
	enum herald_status status = store->database->ops->node_join(
		node->session, &joined, herald__clock_wall_ms(&store->settings.clock), error);

	if (status != HERALD_OK)
		return status;
	node->id = joined.id;
	node->joined_ms = since_ms;
	node->renew_at_ms = since_ms + options->lease_ms / 3;
	snprintf(node->path, sizeof(node->path), "%s", joined.in_flight_path);
	return HERALD_OK;
}

/* Let events begin, after the node has its in-flight file. */
static void
enter(struct herald_store *store)
{
	const struct herald__node *node = &store->node;

	herald__dispatch_node(store, node->id, fence_ms(store, node->joined_ms));
}

static enum herald_status
create_in_flight(struct herald_store *store, struct herald_error *error)
{
	struct herald__node *node = &store->node;

	if (*node->path == '\0')
		return HERALD_OK;
	return herald__in_flight_create(&node->in_flight, node->path, node->id,
					store->settings.options.workers, error);
}

enum herald_status
herald__node_open(struct herald_store *store, struct herald_error *error)
{
	const struct herald_database_ops *ops = store->database->ops;
	struct herald__node *node = &store->node;
	enum herald_status status = HERALD_OK;

	identify(node);
	if (!node->session)
		status = ops->session_open(store->database, HERALD_SESSION_NODE, &node->session,
					   error);
	if (status == HERALD_OK)
		status = join(store, error);
	if (status == HERALD_OK)
		status = create_in_flight(store, error);
	if (status == HERALD_OK)
		enter(store);
	return status;
}

/* Whether all that has come into memory is finished or given back, for certain. */
static bool
has_nothing(const struct herald_store *store)
{
	return !herald__health_has_failed(store) && store->committer.memory.count == 0 &&
	       !store->committer.leaves_rows && !store->outbox.leaves_rows;
}

/* The same of all that was claimed. */
static bool
owns_nothing(const struct herald_store *store)
{
	return has_nothing(store) && !store->committer.claims.must_reconcile;
}

void
herald__node_close(struct herald_store *store)
{
	const struct herald_database_ops *ops = store->database->ops;
	struct herald__node *node = &store->node;
	struct herald_error error;

	if (node->id != 0)
		herald__in_flight_acquit(&node->in_flight);
	/* Before it leaves: then another node may take over its name. */
	herald__in_flight_close(&node->in_flight);
	herald__former_close(store, has_nothing(store));
	/* Otherwise the others find out that it is dead, and recover what it has. */
	if (node->id != 0 && owns_nothing(store) &&
	    ops->node_leave(node->session, node->id, &error) == HERALD_OK)
		herald__in_flight_remove(node->path, node->id);
	ops->session_close(node->session);
	node->session = NULL;
	node->id = 0;
	forget_files(store, true);
	herald__dispatch_node(store, 0, 0);
}

/* Renewing. */

static void
log_node(const struct herald_store *store, enum herald_log_level level, const char *message,
	 uint64_t node, const struct herald_error *error)
{
	const struct herald_log_field fields[] = {
		{"node", NULL, (int64_t)node},
		{"error", error ? error->message : "", 0},
	};

	herald_log_write(&store->settings.log, level, message, fields, error ? 2 : 1);
}

static void
log_failure(struct herald_store *store, const char *message, enum herald_status status,
	    const struct herald_error *error)
{
	log_node(store, HERALD_LOG_WARNING, message, store->node.id, error);
	herald__dispatch_fails(store, status, error);
}

static void
lose(struct herald_store *store, const struct herald_error *error)
{
	struct herald__node *node = &store->node;
	const uint64_t lost = node->id;

	node->id = 0;
	/* Its file would name what runs now, also after that has ended. */
	herald__in_flight_discard(&node->in_flight, node->path);
	herald__dispatch_node(store, 0, 0);
	log_node(store, HERALD_LOG_WARNING,
		 herald__former_add(store, lost)
			 ? "the node gets nothing new; what runs now goes on under its lease"
			 : "lease is lost; the outcomes of what runs now are thrown away",
		 lost, error);
}

static void
renew(struct herald_store *store)
{
	struct herald__node *node = &store->node;
	const uint64_t lease_ms = store->settings.options.lease_ms;
	const uint64_t since_ms = now_ms(store);
	struct herald_error error;
	enum herald_status status = store->database->ops->node_renew(
		node->session, node->id, herald__clock_wall_ms(&store->settings.clock), &error);

	if (status == HERALD_OK) {
		node->renew_at_ms = since_ms + lease_ms / 3;
		herald__dispatch_node(store, node->id, fence_ms(store, since_ms));
	} else if (status == HERALD_LEASE_LOST) {
		lose(store, &error);
	} else {
		/* Soon again, as the lease goes on running. */
		node->renew_at_ms = since_ms + lease_ms / 15 + 1;
		log_failure(store, "lease could not be renewed", status, &error);
	}
}

/* Keys of deduplication and of order are made with the secret. Tables with another one are new, or
 * another store's: this store was not opened on them. */
static enum herald_status
check_secret(const struct herald_store *store, struct herald_error *error)
{
	unsigned char secret[sizeof(store->secret)];
	enum herald_status status =
		store->database->ops->secret(store->node.session, secret, error);

	if (status != HERALD_OK || memcmp(secret, store->secret, sizeof(secret)) == 0)
		return status;
	return herald_error_set(error, HERALD_STORE_FAILED, HERALD_NO_OFFSET,
				"the tables belong to another store now: restart the "
				"process");
}

static void
stay_joined(struct herald_store *store)
{
	struct herald__node *node = &store->node;
	struct herald_error error;

	const bool has_leases = store->database->ops->has_leases;
	const bool is_doubted = node->id != 0 && herald__dispatch_is_doubted(store);
	if (is_doubted && !has_leases)
		lose(store, NULL);
	/* A doubt may be wrong: what other connections ask for while a renewal takes place is
	 * compared with the lease before it. So the database is asked once more. */
	if (node->id != 0 && has_leases && (is_doubted || now_ms(store) >= node->renew_at_ms))
		renew(store);
	if (node->id != 0)
		return;
	enum herald_status status = check_secret(store, &error);
	if (status == HERALD_OK)
		status = join(store, &error);
	if (status != HERALD_OK) {
		log_failure(store, "cannot join", status, &error);
		return;
	}
	log_node(store, HERALD_LOG_INFO, "joined again", node->id, NULL);
	/* Without the file events run; only a crash could not be blamed on one of them. */
	if (create_in_flight(store, &error) != HERALD_OK)
		log_node(store, HERALD_LOG_WARNING, "no in-flight file", node->id, &error);
	enter(store);
}

/* Recovering. */

/* A dead node, copied from the database. */
struct dead_node {
	uint64_t id;
	long pid;
	char host[256];
	char boot_id[64];
	char path[4096];
	bool is_alive; /* its file is locked */
};

struct dead_nodes {
	struct dead_node nodes[MAX_DEAD];
	size_t count;
	struct herald__in_flight_ids suspects; /* of the one that is recovered */
};

static bool
keep_dead(const struct herald_node *node, void *state)
{
	struct dead_nodes *dead = state;
	struct dead_node *copy = &dead->nodes[dead->count++];

	*copy = (struct dead_node){.id = node->id, .pid = node->pid};
	snprintf(copy->host, sizeof(copy->host), "%s", node->host);
	snprintf(copy->boot_id, sizeof(copy->boot_id), "%s", node->boot_id);
	snprintf(copy->path, sizeof(copy->path), "%s",
		 node->in_flight_path ? node->in_flight_path : "");
	return dead->count < MAX_DEAD;
}

/*
 * Which events ran when the node died.
 *
 * - It lives, as its file is locked: it was paused; or this database was restored from a backup,
 *   and it runs on the original. No event is blamed, and every attempt counts.
 * - The machine was restarted: no event is blamed, and no attempt counts.
 * - Otherwise its in-flight file knows, if it is on this machine.
 */
static void
find_suspects(const struct herald_store *store, const struct dead_node *dead,
	      struct dead_nodes *all, struct herald_recovery *recovery)
{
	const struct herald__node *node = &store->node;
	const bool same_host = strcmp(dead->host, node->host) == 0;
	const bool same_boot = strcmp(dead->boot_id, node->boot_id) == 0;
	struct herald_error error;

	if (!same_boot) {
		recovery->is_known = same_host;
		return;
	}
	if (dead->is_alive)
		return;
	recovery->is_known =
		herald__in_flight_read(dead->path, dead->id, &store->settings.allocator,
				       &all->suspects, &error) == HERALD_OK;
	recovery->suspects = all->suspects.ids;
	recovery->suspects_count = all->suspects.count;
}

static void
log_recovery(const struct herald_store *store, const struct dead_node *dead,
	     const struct herald_recovery *recovery)
{
	const struct herald_log_field fields[] = {
		{"node", NULL, (int64_t)dead->id},
		{"host", dead->host, 0},
		{"pid", NULL, dead->pid},
		{"ready", NULL, (int64_t)recovery->ready},
		{"dead", NULL, (int64_t)recovery->dead},
		{"suspects", NULL, (int64_t)recovery->suspects_count},
		{"running_known", recovery->is_known ? "true" : "false", 0},
	};

	herald_log_write(&store->settings.log,
			 recovery->dead > 0 ? HERALD_LOG_WARNING : HERALD_LOG_INFO,
			 "recovered the events of a dead process", fields,
			 sizeof(fields) / sizeof(fields[0]));
}

/* Without memory it stays, like the file of the last process on a machine. */
static void
remember_file(struct herald_store *store, const struct dead_node *dead)
{
	struct herald__left_file *file =
		herald_memory_allocate_zeroed(&store->settings.allocator, 1, sizeof(*file));

	if (!file)
		return;
	file->next = store->node.left_files;
	file->node = dead->id;
	memcpy(file->path, dead->path, sizeof(file->path));
	store->node.left_files = file;
}

/* A process that is killed again and again, soon after each start, would blame an innocent event if
 * that were the first to run each time. */
#define SUSPECT_PAUSE_MS 300

static enum herald_status
recover(struct herald_store *store, struct dead_node *dead, struct dead_nodes *all,
	struct herald_error *error)
{
	struct herald_recovery recovery = {
		.node = dead->id,
		.now_ms = herald__clock_wall_ms(&store->settings.clock),
		.suspects_due_ms = herald__clock_wall_ms(&store->settings.clock) + SUSPECT_PAUSE_MS,
		/* At its limits an event is claimed once more, so that its handlers are told; if
		 * that kills the process too, it is a dead letter at once. */
		.max_interrupted = store->settings.options.max_interrupted + 1,
		.max_attempts = store->settings.options.max_attempts + 1,
	};

	dead->is_alive = herald__in_flight_is_held(dead->path);
	find_suspects(store, dead, all, &recovery);
	enum herald_status status =
		store->database->ops->node_recover(store->node.session, &recovery, error);
	herald__in_flight_ids_free(&all->suspects, &store->settings.allocator);
	if (status != HERALD_OK || !recovery.is_taken)
		return status;
	/* Who lives still needs it, and deletes it itself, unless it is killed. */
	if (dead->is_alive)
		remember_file(store, dead);
	else
		herald__in_flight_remove(dead->path, dead->id);
	store->counts.interrupted += recovery.ready + recovery.dead;
	store->counts.dead += recovery.dead;
	log_recovery(store, dead, &recovery);
	herald__dispatch_wake(store);
	return HERALD_OK;
}

static void
recover_all(struct herald_store *store)
{
	const struct herald_database_ops *ops = store->database->ops;
	const struct herald_allocator *allocator = &store->settings.allocator;
	struct dead_nodes *dead = herald_memory_allocate_zeroed(allocator, 1, sizeof(*dead));
	struct herald_error error;

	if (!dead)
		return;
	enum herald_status status =
		ops->node_dead(store->node.session, herald__clock_wall_ms(&store->settings.clock),
			       keep_dead, dead, &error);
	for (size_t i = 0; i < dead->count && status == HERALD_OK; i++)
		status = recover(store, &dead->nodes[i], dead, &error);
	if (status != HERALD_OK)
		log_failure(store, "cannot recover dead processes", status, &error);
	herald_memory_release(allocator, dead, sizeof(*dead));
}

uint64_t
herald__node_step(struct herald_store *store)
{
	struct herald__node *node = &store->node;
	const bool has_leases = store->database->ops->has_leases;
	const uint64_t lease_ms = store->settings.options.lease_ms;
	uint64_t pause_ms = RECOVER_MS;

	if (herald__health_has_failed(store))
		return UINT64_MAX;
	if (has_leases)
		pause_ms = lease_ms / 3 < MAX_RECOVER_MS ? lease_ms / 3 : MAX_RECOVER_MS;
	stay_joined(store);
	const uint64_t keep_at_ms = herald__former_step(store);
	if (now_ms(store) >= node->recover_at_ms) {
		recover_all(store);
		forget_files(store, false);
		node->recover_at_ms = now_ms(store) + pause_ms;
	}
	uint64_t next_ms = keep_at_ms < node->recover_at_ms ? keep_at_ms : node->recover_at_ms;
	if (node->id != 0 && has_leases && node->renew_at_ms < next_ms)
		next_ms = node->renew_at_ms;
	return next_ms;
}
