/*
 * Processes, connections, transactions, and faults of the model. The other files model_*.c have the
 * functions that work in transactions.
 */
#include "model_database.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <herald/adapter/options.h>

#include "model_internal.h"

#define MUST(CONDITION)                                                                            \
	do {                                                                                       \
		if (!(CONDITION)) {                                                                \
			fprintf(stderr, "model: %s: %s\n", __func__, #CONDITION);                  \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

const char *
model_op_name(enum model_op op)
{
	static const char *const names[] = {
		[MODEL_BEGIN] = "begin",
		[MODEL_COMMIT] = "commit",
		[MODEL_SAVEPOINT] = "savepoint",
		[MODEL_SAVEPOINT_RELEASE] = "savepoint_release",
		[MODEL_SAVEPOINT_ROLLBACK] = "savepoint_rollback",
		[MODEL_ACCEPT] = "accept",
		[MODEL_CLAIM] = "claim",
		[MODEL_COMPLETE] = "complete",
		[MODEL_OWNED] = "owned",
		[MODEL_SEEN] = "seen",
		[MODEL_SEEN_ROTATE] = "seen_rotate",
		[MODEL_SECRET] = "secret",
		[MODEL_NODE_JOIN] = "node_join",
		[MODEL_NODE_RENEW] = "node_renew",
		[MODEL_NODE_KEEP] = "node_keep",
		[MODEL_NODE_LEAVE] = "node_leave",
		[MODEL_NODE_DEAD] = "node_dead",
		[MODEL_NODE_RECOVER] = "node_recover",
		[MODEL_DELIVERY_PUSH] = "delivery_push",
		[MODEL_DELIVERY_CLAIM] = "delivery_claim",
		[MODEL_DELIVERY_OWNED] = "delivery_owned",
		[MODEL_DELIVERY_COMPLETE] = "delivery_complete",
		[MODEL_DEAD_VISIT] = "dead_visit",
		[MODEL_DEAD_SINCE] = "dead_since",
		[MODEL_DEAD_REPLAY] = "dead_replay",
		[MODEL_DEAD_DROP] = "dead_drop",
		[MODEL_DEAD_SURPLUS] = "dead_surplus",
		[MODEL_DEAD_TRIM] = "dead_trim",
		[MODEL_PURGE_FIND] = "purge_find",
		[MODEL_PURGE] = "purge",
		[MODEL_PENDING] = "pending",
		[MODEL_COUNTS] = "counts",
		[MODEL_CHECK] = "check",
	};

	return op < MODEL_OPS ? names[op] : "?";
}

static int64_t
system_now_ms(void *state)
{
	struct timespec now;

	(void)state;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Transactions. The mutex is held. */

static bool
has_transaction(const struct model_connection *connection)
{
	return connection->process->model->writer == connection;
}

static void
savepoint_end(struct model_connection *connection)
{
	if (connection->has_savepoint)
		model_tables_finish(&connection->saved);
	connection->has_savepoint = false;
}

static void
transaction_begin(struct model_connection *connection)
{
	struct model *model = connection->process->model;

	model_tables_copy(&connection->draft, &model->tables);
	connection->is_broken = false;
	model->writer = connection;
}

static void
transaction_end(struct model_connection *connection, bool commits)
{
	struct model *model = connection->process->model;

	if (!has_transaction(connection))
		return;
	savepoint_end(connection);
	if (commits) {
		model_tables_finish(&model->tables);
		model->tables = connection->draft;
		connection->draft = (struct model_tables){0};
		model->version++;
	} else {
		model_tables_finish(&connection->draft);
	}
	model->writer = NULL;
	pthread_cond_broadcast(&model->is_alone);
}

/* Wait until no connection has a transaction. */
static bool
wait_alone(struct model *model, struct herald_session *session)
{
	struct timespec until;
	int error = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 10;
	while (model->writer && error == 0) {
		if (model->options.wait) {
			bool goes_on;

			pthread_mutex_unlock(&model->mutex);
			goes_on = model->options.wait(session, model->options.state);
			pthread_mutex_lock(&model->mutex);
			if (!goes_on)
				return false;
		} else {
			error = pthread_cond_timedwait(&model->is_alone, &model->mutex, &until);
		}
	}
	return !model->writer;
}

/* Sessions and calls. */

static struct model_session *
session_of(struct herald_session *session)
{
	return (struct model_session *)session;
}

struct model *
model_of(struct herald_session *session)
{
	return session_of(session)->connection->process->model;
}

struct model_tables *
model_tables_of(struct herald_session *session)
{
	struct model_connection *connection = session_of(session)->connection;

	return has_transaction(connection) ? &connection->draft
					   : &connection->process->model->tables;
}

static enum herald_status
take_fault(struct model *model, struct model_call *call)
{
	enum herald_status status = HERALD_OK;

	pthread_mutex_lock(&model->mutex);
	if (model->fault.in_calls > 0 && model->fault.op == call->op &&
	    --model->fault.in_calls == 0) {
		status = model->fault.status;
		call->takes_place = model->fault.takes_place;
	}
	pthread_mutex_unlock(&model->mutex);
	return status;
}

/* The result of the call that the test wants; HERALD_OK: as usual. */
static enum herald_status
ask_test(struct herald_session *session, struct model_call *call)
{
	struct model *model = model_of(session);
	enum herald_status status = HERALD_OK;

	if (model->options.hook)
		status = model->options.hook(call, model->options.state);
	return status == HERALD_OK ? take_fault(model, call) : status;
}

bool
model_is_interrupted(const struct herald_session *session)
{
	const struct model_session *own = (const struct model_session *)session;

	return own->use == HERALD_SESSION_ADMIN &&
	       atomic_load(&own->connection->process->is_interrupted);
}

static enum herald_status
unavailable(struct herald_error *error, const char *why)
{
	return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET, "model: %s", why);
}

static void
check_use(struct model_connection *connection, enum model_op op, enum model_needs needs)
{
	bool has = has_transaction(connection);
	/* A process that is dead or disconnected has lost its transaction without a call. */
	bool may_have_lost_it = connection->process->is_dead || connection->is_lost;

	if ((needs == MODEL_NEEDS_TRANSACTION && !has && !may_have_lost_it) ||
	    (needs == MODEL_NEEDS_TO_BE_ALONE && has)) {
		fprintf(stderr, "model: %s %s a transaction\n", model_op_name(op),
			has ? "within" : "without");
		abort();
	}
}

/* Whether the call can be made at all; the lock is held. */
static enum herald_status
can_go_on(struct herald_session *session, enum model_op op, enum model_needs needs,
	  struct herald_error *error)
{
	struct model_connection *connection = session_of(session)->connection;

	check_use(connection, op, needs);
	if (connection->process->is_dead)
		return unavailable(error, "the process is dead");
	if (op != MODEL_COMMIT && model_is_interrupted(session))
		return unavailable(error, "interrupted: the store is being destroyed");
	/* It connects again. A node's session has no transactions. */
	if (needs == MODEL_NEEDS_TO_BE_ALONE || session_of(session)->use == HERALD_SESSION_NODE)
		connection->is_lost = false;
	if (connection->is_lost)
		return unavailable(error, "the connection was lost");
	if (has_transaction(connection) && connection->is_broken)
		return unavailable(error, "a call of this transaction has failed before");
	if (needs == MODEL_NEEDS_TO_BE_ALONE && !wait_alone(connection->process->model, session))
		return unavailable(error, "another transaction takes too long");
	/* It may have been killed while it waited. */
	return connection->process->is_dead ? unavailable(error, "the process is dead") : HERALD_OK;
}

enum herald_status
model_enter(struct herald_session *session, enum model_op op, enum model_needs needs,
	    struct herald_error *error)
{
	struct model *model = model_of(session);
	struct model_call call = {.op = op, .database = session->database, .session = session};
	enum herald_status status;

	MUST(!session_of(session)->is_in_call); /* one thread at a time */
	session_of(session)->is_in_call = true;
	status = ask_test(session, &call);
	session_of(session)->forced = call.takes_place ? status : HERALD_OK;
	pthread_mutex_lock(&model->mutex);
	if (status == HERALD_OK || call.takes_place)
		status = can_go_on(session, op, needs, error);
	else
		herald_error_set(error, status, HERALD_NO_OFFSET, "model: %s fails by order",
				 model_op_name(op));
	return status == HERALD_OK ? HERALD_OK : model_leave(session, status, error);
}

enum herald_status
model_leave(struct herald_session *session, enum herald_status status, struct herald_error *error)
{
	struct model_connection *connection = session_of(session)->connection;

	if (status == HERALD_OK && session_of(session)->forced != HERALD_OK)
		status = herald_error_set(error, session_of(session)->forced, HERALD_NO_OFFSET,
					  "model: the connection is lost by order");
	if (status == HERALD_LEASE_LOST)
		herald_error_set(error, status, HERALD_NO_OFFSET, "model: the node is dead");
	if (status != HERALD_OK)
		connection->is_broken = true;
	session_of(session)->is_in_call = false;
	pthread_mutex_unlock(&connection->process->model->mutex);
	return status;
}

/* Ops of transactions. */

static enum herald_status
op_begin(struct herald_session *session, struct herald_error *error)
{
	enum herald_status status =
		model_enter(session, MODEL_BEGIN, MODEL_NEEDS_TO_BE_ALONE, error);

	if (status != HERALD_OK)
		return status;
	transaction_begin(session_of(session)->connection);
	return model_leave(session, HERALD_OK, error);
}

static enum herald_status
op_commit(struct herald_session *session, struct herald_error *error)
{
	struct model_connection *connection = session_of(session)->connection;
	struct model *model = connection->process->model;
	struct model_call call = {
		.op = MODEL_COMMIT, .database = session->database, .session = session};
	enum herald_status forced = ask_test(session, &call);
	enum herald_status status;
	bool took_place = false;

	pthread_mutex_lock(&model->mutex);
	status = can_go_on(session, MODEL_COMMIT, MODEL_NEEDS_TRANSACTION, error);
	if (status == HERALD_OK && forced != HERALD_OK) {
		took_place = call.takes_place;
		status = herald_error_set(error, forced, HERALD_NO_OFFSET, "%s",
					  took_place ? MODEL_TOOK_PLACE
						     : "model: commit fails by order");
	}
	transaction_end(connection, status == HERALD_OK || took_place);
	if (forced == HERALD_UNKNOWN_OUTCOME)
		connection->is_lost = true;
	pthread_mutex_unlock(&model->mutex);
	if (took_place && model->options.after)
		model->options.after(&call, model->options.state);
	return status;
}

static void
op_rollback(struct herald_session *session)
{
	struct model *model = model_of(session);

	pthread_mutex_lock(&model->mutex);
	transaction_end(session_of(session)->connection, false);
	pthread_mutex_unlock(&model->mutex);
}

/* A savepoint's call: `wants` is whether there has to be one. */
static enum herald_status
enter_savepoint(struct herald_session *session, enum model_op op, bool wants,
		struct herald_error *error)
{
	struct model_connection *connection = session_of(session)->connection;
	enum herald_status status;

	/* The user's function may have ended the transaction. */
	if (wants && !has_transaction(connection) && !connection->is_lost &&
	    !connection->process->is_dead)
		return herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
					"model: the transaction has ended");
	status = model_enter(session, op, MODEL_NEEDS_TRANSACTION, error);
	if (status == HERALD_OK)
		MUST(connection->has_savepoint == wants);
	return status;
}

static enum herald_status
op_savepoint(struct herald_session *session, struct herald_error *error)
{
	struct model_connection *connection = session_of(session)->connection;
	enum herald_status status = enter_savepoint(session, MODEL_SAVEPOINT, false, error);

	if (status != HERALD_OK)
		return status;
	model_tables_copy(&connection->saved, &connection->draft);
	connection->has_savepoint = true;
	return model_leave(session, HERALD_OK, error);
}

static enum herald_status
op_savepoint_release(struct herald_session *session, struct herald_error *error)
{
	enum herald_status status = enter_savepoint(session, MODEL_SAVEPOINT_RELEASE, true, error);

	if (status != HERALD_OK)
		return status;
	savepoint_end(session_of(session)->connection);
	return model_leave(session, HERALD_OK, error);
}

static enum herald_status
op_savepoint_rollback(struct herald_session *session, struct herald_error *error)
{
	struct model_connection *connection = session_of(session)->connection;
	enum herald_status status = enter_savepoint(session, MODEL_SAVEPOINT_ROLLBACK, true, error);

	if (status != HERALD_OK)
		return status;
	model_tables_finish(&connection->draft);
	connection->draft = connection->saved;
	connection->has_savepoint = false;
	return model_leave(session, HERALD_OK, error);
}

/* Processes and sessions. */

static struct model_connection *
connection_create(struct model_process *process)
{
	struct model_connection *connection = model_alloc(sizeof(*connection));

	connection->process = process;
	connection->next = process->connections;
	process->connections = connection;
	return connection;
}

static void
connection_destroy(struct model_connection *connection)
{
	struct model_connection **place = &connection->process->connections;

	transaction_end(connection, false);
	while (*place != connection)
		place = &(*place)->next;
	*place = connection->next;
	free(connection);
}

static enum herald_status
op_open(struct herald_database *database, const struct herald_database_settings *settings,
	struct herald_error *error)
{
	struct model_process *process = (struct model_process *)database;
	struct model *model = process->model;

	process->lease_ms = settings->lease_ms;
	pthread_mutex_lock(&model->mutex);
	const bool is_refused = settings->must_exist && !model->exists;
	model->exists |= !settings->must_exist;
	pthread_mutex_unlock(&model->mutex);
	return is_refused ? herald_option_refuse(error, "model",
						 "no process has opened it yet; a service "
						 "with a store creates it")
			  : HERALD_OK;
}

static struct herald_session *
session_create(struct model_process *process, struct model_connection *connection, bool is_wrapped)
{
	struct model_session *session = model_alloc(sizeof(*session));

	session->base.database = &process->base;
	session->connection = connection;
	session->is_wrapped = is_wrapped;
	session->next = process->sessions;
	process->sessions = session;
	return &session->base;
}

static enum herald_status
op_session_open(struct herald_database *database, enum herald_session_use use,
		struct herald_session **out, struct herald_error *error)
{
	struct model_process *process = (struct model_process *)database;

	(void)error;
	pthread_mutex_lock(&process->model->mutex);
	*out = session_create(process, connection_create(process), false);
	session_of(*out)->use = use;
	pthread_mutex_unlock(&process->model->mutex);
	return HERALD_OK;
}

static enum herald_status
op_session_wrap(struct herald_database *database, void *handle, struct herald_session **out,
		struct herald_error *error)
{
	struct model_process *process = (struct model_process *)database;
	struct model_connection *connection = handle;
	enum herald_status status = HERALD_OK;

	pthread_mutex_lock(&process->model->mutex);
	if (has_transaction(connection))
		*out = session_create(process, connection, true);
	else
		status = herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
					  "model: there is no transaction");
	pthread_mutex_unlock(&process->model->mutex);
	return status;
}

static void
session_destroy(struct model_session *session)
{
	struct model_session **place = &session->connection->process->sessions;

	while (*place != session)
		place = &(*place)->next;
	*place = session->next;
	if (!session->is_wrapped)
		connection_destroy(session->connection);
	free(session);
}

static void
op_session_close(struct herald_session *session)
{
	struct model *model;

	if (!session)
		return;
	model = model_of(session);
	pthread_mutex_lock(&model->mutex);
	session_destroy(session_of(session));
	pthread_mutex_unlock(&model->mutex);
}

static void *
op_handle(struct herald_session *session)
{
	return session_of(session)->connection;
}

/* Without the mutex: a visitor may call it. */
static void
op_interrupt(struct herald_database *database)
{
	atomic_store(&((struct model_process *)database)->is_interrupted, true);
}

static void
op_tend(struct herald_session *session, int64_t now_ms)
{
	struct model *model = model_of(session);

	(void)now_ms;
	pthread_mutex_lock(&model->mutex);
	MUST(!has_transaction(session_of(session)->connection));
	pthread_mutex_unlock(&model->mutex);
}

static const char *
op_sql(const struct herald_database *database)
{
	(void)database;
	return "-- The model keeps its rows in memory.\n";
}

/* The locks that tell that a process is alive are released. The mutex is held. */
static void
process_end(struct model_process *process)
{
	process->is_dead = true;
	for (struct model_connection *c = process->connections; c; c = c->next)
		transaction_end(c, false);
}

static void
process_free(struct model_process *process)
{
	struct model_process **place = &process->model->processes;

	process_end(process);
	while (process->sessions)
		session_destroy(process->sessions);
	while (process->connections)
		connection_destroy(process->connections);
	for (struct model_node *node = process->model->nodes; node; node = node->next)
		if (node->process == process)
			node->process = NULL;
	while (*place != process)
		place = &(*place)->next;
	*place = process->next;
	free(process);
}

static void
op_destroy(struct herald_database *database)
{
	struct model_process *process = (struct model_process *)database;
	struct model *model = process->model;

	pthread_mutex_lock(&model->mutex);
	MUST(!process->sessions || process->is_dead);
	process_free(process);
	pthread_mutex_unlock(&model->mutex);
}

struct model *
model_create(const struct model_options *options)
{
	struct model *model = model_alloc(sizeof(*model));

	model->options = *options;
	if (!options->now_ms)
		model->options.now_ms = system_now_ms;
	model->ops = (struct herald_database_ops){
		.name = "model",
		.claims_apart = options->claims_apart,
		.has_leases = options->has_leases,
		.has_one_writer = !options->has_many_writers,
		.join_batch = 64,
		.open = op_open,
		.destroy = op_destroy,
		.session_open = op_session_open,
		.session_wrap = op_session_wrap,
		.session_close = op_session_close,
		.handle = op_handle,
		.begin = op_begin,
		.commit = op_commit,
		.rollback = op_rollback,
		.savepoint = op_savepoint,
		.savepoint_release = op_savepoint_release,
		.savepoint_rollback = op_savepoint_rollback,
		.tend = op_tend,
		.interrupt = op_interrupt,
		.sql = op_sql,
	};
	model_add_event_ops(&model->ops);
	model_add_node_ops(&model->ops);
	model_add_delivery_ops(&model->ops);
	model_add_operation_ops(&model->ops);
	if (!options->has_leases)
		model->ops.node_renew = NULL, model->ops.node_keep = NULL;
	pthread_mutex_init(&model->mutex, NULL);
	pthread_cond_init(&model->is_alone, NULL);
	memcpy(model->secret, &options->secret, sizeof(options->secret));
	return model;
}

void
model_destroy(struct model *model)
{
	while (model->processes)
		process_free(model->processes);
	while (model->nodes) {
		struct model_node *node = model->nodes;

		model->nodes = node->next;
		model_node_free(node);
	}
	model_tables_finish(&model->tables);
	pthread_cond_destroy(&model->is_alone);
	pthread_mutex_destroy(&model->mutex);
	free(model);
}

struct herald_database *
model_open(struct model *model)
{
	struct model_process *process = model_alloc(sizeof(*process));

	process->base.ops = &model->ops;
	process->model = model;
	process->lease_ms = 15000;
	pthread_mutex_lock(&model->mutex);
	process->next = model->processes;
	model->processes = process;
	pthread_mutex_unlock(&model->mutex);
	return &process->base;
}

void
model_kill(struct herald_database *database)
{
	struct model_process *process = (struct model_process *)database;

	pthread_mutex_lock(&process->model->mutex);
	process_end(process);
	pthread_mutex_unlock(&process->model->mutex);
}

void
model_crash_machine(struct herald_database *database)
{
	((struct model_process *)database)->is_machine_dead = true;
	model_kill(database);
}

void
model_disconnect(struct herald_session *session)
{
	struct model *model = model_of(session);

	pthread_mutex_lock(&model->mutex);
	transaction_end(session_of(session)->connection, false);
	session_of(session)->connection->is_lost = true;
	pthread_mutex_unlock(&model->mutex);
}

void
model_disconnect_all(struct herald_database *database)
{
	struct model_process *process = (struct model_process *)database;

	pthread_mutex_lock(&process->model->mutex);
	for (struct model_connection *c = process->connections; c; c = c->next) {
		c->is_lost |= has_transaction(c);
		transaction_end(c, false);
	}
	pthread_mutex_unlock(&process->model->mutex);
}

void
model_fail(struct model *model, enum model_op op, unsigned n, enum herald_status status,
	   bool takes_place)
{
	pthread_mutex_lock(&model->mutex);
	model->fault.op = op;
	model->fault.in_calls = op == MODEL_OPS ? 0 : n;
	model->fault.status = status;
	model->fault.takes_place = takes_place;
	pthread_mutex_unlock(&model->mutex);
}

bool
model_has_failed(struct model *model)
{
	bool has;

	pthread_mutex_lock(&model->mutex);
	has = model->fault.in_calls == 0;
	pthread_mutex_unlock(&model->mutex);
	return has;
}

/* A user's connection. */

struct model_connection *
model_connect(struct herald_database *database)
{
	struct model_process *process = (struct model_process *)database;
	struct model_connection *connection;

	pthread_mutex_lock(&process->model->mutex);
	connection = connection_create(process);
	pthread_mutex_unlock(&process->model->mutex);
	return connection;
}

void
model_connection_close(struct model_connection *connection)
{
	struct model *model = connection->process->model;

	pthread_mutex_lock(&model->mutex);
	connection_destroy(connection);
	pthread_mutex_unlock(&model->mutex);
}

void
model_connection_begin(struct model_connection *connection)
{
	struct model *model = connection->process->model;

	pthread_mutex_lock(&model->mutex);
	MUST(wait_alone(model, NULL));
	transaction_begin(connection);
	pthread_mutex_unlock(&model->mutex);
}

static void
connection_end(struct model_connection *connection, bool commits)
{
	struct model *model = connection->process->model;

	pthread_mutex_lock(&model->mutex);
	transaction_end(connection, commits);
	pthread_mutex_unlock(&model->mutex);
}

void
model_connection_commit(struct model_connection *connection)
{
	connection_end(connection, true);
}

void
model_connection_rollback(struct model_connection *connection)
{
	connection_end(connection, false);
}

bool
model_write_effect(struct model_connection *connection, uint64_t number)
{
	struct model *model = connection->process->model;
	bool works;

	pthread_mutex_lock(&model->mutex);
	works = !connection->process->is_dead && !connection->is_lost;
	if (works && has_transaction(connection)) {
		model_tables_add_effect(&connection->draft, number);
	} else if (works && wait_alone(model, NULL)) {
		model_tables_add_effect(&model->tables, number);
		model->version++;
	}
	pthread_mutex_unlock(&model->mutex);
	return works;
}

const struct model_tables *
model_committed(const struct model *model)
{
	return &model->tables;
}

const struct model_tables *
model_in_transaction(const struct herald_session *session)
{
	const struct model_connection *connection =
		((const struct model_session *)session)->connection;

	return has_transaction(connection) ? &connection->draft : NULL;
}

uint64_t
model_version(const struct model *model)
{
	return model->version;
}

struct herald_database *
model_node_database(const struct model *model, uint64_t id)
{
	for (const struct model_node *node = model->nodes; node; node = node->next)
		if (node->id == id && node->process)
			return &node->process->base;
	return NULL;
}

size_t
model_nodes_count(const struct model *model)
{
	size_t count = 0;

	for (const struct model_node *node = model->nodes; node; node = node->next)
		count++;
	return count;
}

bool
model_has_node(const struct model *model, uint64_t id)
{
	for (const struct model_node *node = model->nodes; node; node = node->next)
		if (node->id == id)
			return true;
	return false;
}
