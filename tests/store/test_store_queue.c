/*
 * The outbox of a store keeps the contract of queues. Each queue has a store of its own, as another
 * process would have; all of them have one database, a model.
 */
#include "contract/queue/suite.h"

#include <stdlib.h>

#include <herald/store.h>

#include "store/outbox.h"
#include "store/state.h"
#include "support/model_database.h"

#define MAX_PROCESSES 8

struct process {
	struct herald_delivery_queue *queue;
	struct herald_store *store; /* NULL: a free place */
	struct herald_database *database;
};

struct shared {
	struct model *model;
	struct process processes[MAX_PROCESSES];
};

static struct shared *current; /* for cut_off(), which gets the queue only */

static void *
store_create(void)
{
	struct shared *shared = calloc(1, sizeof(*shared));

	assert_non_null(shared);
	/* In turns. */
	static bool claims_apart;
	claims_apart = !claims_apart;
	shared->model =
		model_create(&(struct model_options){.secret = 1, .claims_apart = claims_apart});
	current = shared;
	return shared;
}

static bool
has_queue(struct herald_store *store)
{
	pthread_mutex_lock(&store->outbox.mutex);
	bool has = store->outbox.queue;
	pthread_mutex_unlock(&store->outbox.mutex);
	return has;
}

/* End the processes whose queues are destroyed. */
static void
end_processes(struct shared *shared)
{
	for (size_t i = 0; i < MAX_PROCESSES; i++) {
		struct process *process = &shared->processes[i];

		if (!process->store || has_queue(process->store))
			continue;
		herald_store_destroy(process->store);
		process->store = NULL;
	}
}

static void
store_destroy(void *state)
{
	struct shared *shared = state;

	end_processes(shared);
	for (size_t i = 0; i < MAX_PROCESSES; i++)
		assert_null(shared->processes[i].store);
	model_destroy(shared->model);
	free(shared);
}

static struct herald_delivery_queue *
create(void *state)
{
	struct shared *shared = state;
	struct process *process = shared->processes;
	struct herald_error error;

	end_processes(shared);
	while (process->store)
		process++;
	assert_true(process < shared->processes + MAX_PROCESSES);
	process->database = model_open(shared->model);
	if (herald_store_create(&HERALD_STORE_OPTIONS(.database = process->database, .workers = 1,
						      .poll_ms = 60000),
				&process->store, &error) != HERALD_OK ||
	    herald_store_queue_create(process->store, &process->queue, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	return process->queue;
}

/* The node_dead() visitor. */
static bool
keep_node(const struct herald_node *node, void *state)
{
	*(uint64_t *)state = node->id;
	return false;
}

/* As another process does when it finds a dead one. */
static void
recover(struct shared *shared)
{
	struct herald_database *database = model_open(shared->model);
	const struct herald_database_ops *ops = database->ops;
	struct herald_recovery recovery = {.max_interrupted = 3, .max_attempts = 1000};
	struct herald_session *session;

	assert_int_equal(
		ops->open(database, &(struct herald_database_settings){.lease_ms = 15000}, NULL),
		HERALD_OK);
	assert_int_equal(ops->session_open(database, HERALD_SESSION_NODE, &session, NULL),
			 HERALD_OK);
	assert_int_equal(ops->node_dead(session, 0, keep_node, &recovery.node, NULL), HERALD_OK);
	if (recovery.node != 0)
		assert_int_equal(ops->node_recover(session, &recovery, NULL), HERALD_OK);
	ops->session_close(session);
	ops->destroy(database);
}

/* What was given to it before is stored, because the tests expect that. */
static void
cut_off(struct herald_delivery_queue *queue)
{
	struct process *process = current->processes;

	while (process->queue != queue || !process->store)
		process++;
	while (!herald__outbox_settle(queue))
		;
	model_kill(process->database);
	recover(current);
	herald__dispatch_doubt(process->store, process->store->node.id);
	for (size_t i = 0; i < MAX_PROCESSES; i++)
		if (current->processes[i].store)
			herald__outbox_look(current->processes[i].store);
}

static const struct contract_queue queue = {
	.name = "store_queue",
	.store_create = store_create,
	.store_destroy = store_destroy,
	.create = create,
	.cut_off = cut_off,
	.settle = herald__outbox_settle,
};

int
main(void)
{
	return contract_queue_main(&queue);
}
