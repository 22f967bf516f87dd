/*
 * The database: its options, opening it, and the table of its functions. Owns the options and the
 * SQL; each session owns its connection.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <sys/eventfd.h>
#include <unistd.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/random.h>
#include <herald/adapter/text.h>

#include "accept.h"
#include "claim.h"
#include "complete.h"
#include "database.h"
#include "dead.h"
#include "delivery.h"
#include "node.h"
#include "operations.h"
#include "schema.h"
#include "seen.h"
#include "session.h"
#include "transaction.h"
#include "watch.h"

#define DEFAULT_SCHEMA "herald"
#define SCHEMA_BYTES_MAX 48

#define MAX_CONNECT_TIMEOUT_MS 600000

/* Events with HERALD_TRANSACTION_JOIN in one transaction. */
#define JOIN_BATCH 64

/* Options. */

static enum herald_status
check_schema(const char *schema, struct herald_error *error)
{
	size_t bytes = strlen(schema);

	if (bytes == 0 || bytes > SCHEMA_BYTES_MAX)
		return herald_option_refuse(error, "schema", "must have 1 to %d bytes, not %zu",
					    SCHEMA_BYTES_MAX, bytes);
	for (size_t i = 0; i < bytes; i++)
		if (!(schema[i] >= 'a' && schema[i] <= 'z') && schema[i] != '_' &&
		    !(i > 0 && herald_ascii_is_digit(schema[i])))
			return herald_option_refuse(error, "schema",
						    "must have lower-case letters, digits and '_', "
						    "and must not begin with a digit: \"%s\"",
						    schema);
	if (strncmp(schema, "pg_", 3) == 0)
		return herald_option_refuse(error, "schema",
					    "must not begin with \"pg_\", which PostgreSQL "
					    "reserves: \"%s\"",
					    schema);
	return HERALD_OK;
}

/* What the DSN says of `connect_timeout`, which has seconds there; 0: nothing. */
static uint32_t
timeout_of(const PQconninfoOption *options)
{
	uint64_t seconds = 0;

	for (; options->keyword; options++)
		if (strcmp(options->keyword, "connect_timeout") == 0 && options->val &&
		    !herald_ascii_number(options->val, MAX_CONNECT_TIMEOUT_MS / 1000, &seconds))
			seconds = 0;
	return (uint32_t)seconds * 1000;
}

/* libpq's opinion of the DSN; the message has no password. */
static enum herald_status
check_dsn(const char *dsn, uint32_t *connect_timeout_ms, struct herald_error *error)
{
	char *message = NULL;
	PQconninfoOption *parsed;

	if (!dsn)
		return herald_option_refuse(error, "dsn", "must be set");
	parsed = PQconninfoParse(dsn, &message);
	if (parsed) {
		if (*connect_timeout_ms == 0)
			*connect_timeout_ms = timeout_of(parsed);
		PQconninfoFree(parsed);
		return HERALD_OK;
	}
	if (message && message[0] != '\0' && message[strlen(message) - 1] == '\n')
		message[strlen(message) - 1] = '\0';
	enum herald_status status = message ? herald_option_refuse(error, "dsn", "%s", message)
					    : herald_out_of_memory(error);
	PQfreemem(message);
	return status;
}

/* A number's option: its default and its limit. */
struct number {
	const char *name;
	size_t member;
	uint32_t otherwise, max;
};

#define NUMBER(name, otherwise, max)                                                               \
	{                                                                                          \
#name, offsetof(struct herald_postgres_options, name), (otherwise), (max)          \
	}

static const struct number numbers[] = {
	NUMBER(connect_timeout_ms, 5000, MAX_CONNECT_TIMEOUT_MS),
	NUMBER(statement_timeout_ms, 30000, 3600000),
	NUMBER(outcome_timeout_ms, 10000, 600000),
	NUMBER(max_reconnect_delay_ms, 2000, 600000),
	NUMBER(max_ready_per_origin, 256, 1000000),
};

static enum herald_status
read_numbers(struct herald_postgres_options *options, struct herald_error *error)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		uint32_t *value = (uint32_t *)((char *)options + numbers[i].member);

		if (*value == 0)
			*value = numbers[i].otherwise;

		const struct herald_option_range range = {numbers[i].name, *value, 1,
							  numbers[i].max};
		enum herald_status status = herald_option_ranges_check(&range, 1, error);
		if (status != HERALD_OK)
			return status;
	}
	return HERALD_OK;
}

static enum herald_status
read_options(const struct herald_postgres_options *given, struct herald_postgres_options *out,
	     struct herald_error *error)
{
	enum herald_status status =
		herald_options_read(given, out, sizeof(*out), "HERALD_POSTGRES_OPTIONS", error);

	if (status == HERALD_OK)
		status = herald_allocator_check(&out->allocator, error);
	if (status == HERALD_OK)
		status = check_dsn(out->dsn, &out->connect_timeout_ms, error);
	if (!out->schema)
		out->schema = DEFAULT_SCHEMA;
	if (status == HERALD_OK)
		status = check_schema(out->schema, error);
	if (status == HERALD_OK)
		status = read_numbers(out, error);
	out->allocator = herald_allocator_or_libc(&out->allocator);
	return status;
}

/* Copy the texts of the options, and make the SQL. Returns false when out of memory. */
static bool
make_texts(struct postgres *database)
{
	struct herald_postgres_options *options = &database->options;

	if (herald_arena_create(&options->allocator, SIZE_MAX, &database->texts) != HERALD_OK)
		return false;
	options->dsn = herald_arena_copy(database->texts, options->dsn, strlen(options->dsn));
	options->schema =
		herald_arena_copy(database->texts, options->schema, strlen(options->schema));
	if (!options->dsn || !options->schema)
		return false;
	for (int i = 0; i < POSTGRES_STATEMENT_COUNT; i++) {
		database->statements[i] = herald__postgres_statement_sql(
			database->texts, options->schema, (enum postgres_statement)i);
		if (!database->statements[i])
			return false;
	}
	database->schema_sql = herald__postgres_schema_sql(database->texts, options->schema);
	return database->schema_sql;
}

/* Opening. */

static struct postgres *
postgres(struct herald_database *base)
{
	return (struct postgres *)base;
}

/* Marks of sessions that have ended without removing theirs. */
static enum herald_status
clean_marks(struct postgres_session *session, struct herald_error *error)
{
	herald__postgres_parameters(session);
	return herald__postgres_run_alone(session, POSTGRES_MARK_CLEAN, NULL, error);
}

static enum herald_status
open_database(struct herald_database *base, const struct herald_database_settings *settings,
	      struct herald_error *error)
{
	struct postgres *database = postgres(base);
	struct postgres_session *session;

	database->log = settings->log;
	database->lease_ms = settings->lease_ms;
	enum herald_status status =
		herald__postgres_session_open(database, HERALD_SESSION_ADMIN, &session, error);
	if (status != HERALD_OK)
		return status;
	status = herald__postgres_schema_open(session, settings->must_exist, error);
	if (status == HERALD_OK)
		status = clean_marks(session, error);
	herald__postgres_session_close(session);
	return status;
}

void
herald_postgres_destroy(struct herald_database *base)
{
	struct postgres *database = postgres(base);

	if (!database)
		return;
	struct herald_allocator allocator = database->options.allocator;
	herald__postgres_watermarks_finish(&database->watermarks);
	herald__postgres_leases_finish(&database->leases);
	pthread_mutex_destroy(&database->notify_mutex);
	close(database->interrupt_fd);
	herald_arena_destroy(database->texts);
	herald_memory_release(&allocator, database, sizeof(*database));
}

static enum herald_status
session_open(struct herald_database *base, enum herald_session_use use, struct herald_session **out,
	     struct herald_error *error)
{
	struct postgres_session *session;
	enum herald_status status =
		herald__postgres_session_open(postgres(base), use, &session, error);

	if (status == HERALD_OK)
		*out = &session->base;
	return status;
}

static enum herald_status
session_wrap(struct herald_database *base, void *handle, struct herald_session **out,
	     struct herald_error *error)
{
	struct postgres_session *session;
	enum herald_status status =
		herald__postgres_session_wrap(postgres(base), handle, &session, error);

	if (status == HERALD_OK)
		*out = &session->base;
	return status;
}

static void
session_close(struct herald_session *base)
{
	herald__postgres_session_close(postgres_session(base));
}

static void *
handle(struct herald_session *base)
{
	return postgres_session(base)->conn;
}

static const char *
sql(const struct herald_database *base)
{
	return ((const struct postgres *)base)->schema_sql;
}

#define COMMON_OPS                                                                                 \
	.name = "postgres", .claims_apart = true, .has_leases = true, .join_batch = JOIN_BATCH,    \
	.open = open_database, .destroy = herald_postgres_destroy, .session_open = session_open,   \
	.session_wrap = session_wrap, .session_close = session_close, .handle = handle,            \
	.begin = herald__postgres_begin, .commit = herald__postgres_commit,                        \
	.rollback = herald__postgres_rollback, .savepoint = herald__postgres_savepoint,            \
	.savepoint_release = herald__postgres_savepoint_release,                                   \
	.savepoint_rollback = herald__postgres_savepoint_rollback,                                 \
	.may_repeat = herald__postgres_repeats, .accept = herald__postgres_accept,                 \
	.claim = herald__postgres_claim, .complete = herald__postgres_complete,                    \
	.owned = herald__postgres_owned, .tend = herald__postgres_tend,                            \
	.seen = herald__postgres_seen, .seen_rotate = herald__postgres_seen_rotate,                \
	.secret = herald__postgres_secret, .node_join = herald__postgres_node_join,                \
	.node_renew = herald__postgres_node_renew, .node_keep = herald__postgres_node_keep,        \
	.node_leave = herald__postgres_node_leave, .node_dead = herald__postgres_node_dead,        \
	.node_recover = herald__postgres_node_recover,                                             \
	.delivery_push = herald__postgres_delivery_push,                                           \
	.delivery_claim = herald__postgres_delivery_claim,                                         \
	.delivery_owned = herald__postgres_delivery_owned,                                         \
	.delivery_complete = herald__postgres_delivery_complete,                                   \
	.dead_visit = herald__postgres_dead_visit, .dead_since = herald__postgres_dead_since,      \
	.dead_replay = herald__postgres_dead_replay, .dead_drop = herald__postgres_dead_drop,      \
	.dead_surplus = herald__postgres_dead_surplus, .dead_trim = herald__postgres_dead_trim,    \
	.purge_find = herald__postgres_purge_find, .purge = herald__postgres_purge,                \
	.pending = herald__postgres_pending, .pending_most = herald__postgres_pending_most,        \
	.counts = herald__postgres_counts, .check = herald__postgres_check,                        \
	.interrupt = herald__postgres_interrupt, .sql = sql

static const struct herald_database_ops ops = {
	COMMON_OPS,
	.watch = herald__postgres_watch,
	.watch_end = herald__postgres_watch_end,
	.notify = herald__postgres_notify,
};

/* A pool may give each transaction another connection, so none can listen: the store polls. */
static const struct herald_database_ops pooled_ops = {COMMON_OPS};

/* A number for advisory locks, so that stores with different schemas do not wait for each other
 * (FNV-1a). */
static uint32_t
hash(const char *text)
{
	uint32_t number = 2166136261;

	for (; *text != '\0'; text++)
		number = (number ^ (unsigned char)*text) * 16777619;
	return number;
}

/* Returns 0, or an errno. */
static int
init_mutexes(struct postgres *database)
{
	int number = pthread_mutex_init(&database->notify_mutex, NULL);

	if (number != 0)
		return number;
	number = herald__postgres_watermarks_init(&database->watermarks,
						  &database->options.allocator);
	if (number == 0) {
		number = herald__postgres_leases_init(&database->leases);
		if (number == 0)
			return 0;
		herald__postgres_watermarks_finish(&database->watermarks);
	}
	pthread_mutex_destroy(&database->notify_mutex);
	return number;
}

enum herald_status
herald_postgres_create(const struct herald_postgres_options *options, struct herald_database **out,
		       struct herald_error *error)
{
	struct herald_postgres_options read;
	enum herald_status status = read_options(options, &read, error);

	if (status != HERALD_OK)
		return status;
	struct postgres *database =
		herald_memory_allocate_zeroed(&read.allocator, 1, sizeof(*database));
	if (!database)
		return herald_out_of_memory(error);
	database->base.ops = read.is_pooled ? &pooled_ops : &ops;
	database->options = read;
	database->instance = (int64_t)herald_random_bits(herald_random_seed());
	database->lock_number = hash(read.schema);
	database->notify_from_ms = INT64_MAX;
	database->interrupt_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int number = database->interrupt_fd < 0 ? errno : init_mutexes(database);
	if (number != 0) {
		if (database->interrupt_fd >= 0)
			close(database->interrupt_fd);
		herald_memory_release(&read.allocator, database, sizeof(*database));
		return herald_system_error(error, "cannot create an eventfd or a mutex", number);
	}
	if (!make_texts(database)) {
		herald_postgres_destroy(&database->base);
		return herald_out_of_memory(error);
	}
	*out = &database->base;
	return HERALD_OK;
}
