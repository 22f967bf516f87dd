/*
 * Nodes in the model: who is alive, and what happens to the events of those who are not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_internal.h"

struct model_node *
model_node_find(struct model *model, uint64_t id)
{
	for (struct model_node *node = model->nodes; node; node = node->next)
		if (node->id == id)
			return node;
	return NULL;
}

bool
model_node_lives(struct model *model, uint64_t id)
{
	const struct model_node *node = model_node_find(model, id);

	return node && !node->is_former;
}

void
model_take_over(struct model *model)
{
	for (struct model_node *node = model->nodes; node; node = node->next)
		node->is_former = true;
}

void
model_node_free(struct model_node *node)
{
	free(node->host);
	free(node->boot_id);
	free(node->in_flight_path);
	free(node);
}

static void
node_remove(struct model *model, struct model_node *node)
{
	struct model_node **place = &model->nodes;

	while (*place != node)
		place = &(*place)->next;
	*place = node->next;
	model_node_free(node);
}

bool
model_node_is_dead(const struct model *model, const struct model_node *node)
{
	if (model->options.has_leases)
		return model->options.now_ms(model->options.state) >= node->expires_ms;
	return !node->process || node->process->is_dead;
}

static int64_t
next_expiry_ms(const struct model_process *process)
{
	const struct model_options *options = &process->model->options;

	return options->now_ms(options->state) + process->lease_ms;
}

static char *
in_flight_path(const char *folder, uint64_t node)
{
	char path[512];

	if (!folder)
		return model_copy_text("");
	snprintf(path, sizeof(path), "%s/model-%llu", folder, (unsigned long long)node);
	return model_copy_text(path);
}

static enum herald_status
op_join(struct herald_session *session, struct herald_node *node, int64_t now_ms,
	struct herald_error *error)
{
	enum herald_status status =
		model_enter(session, MODEL_NODE_JOIN, MODEL_NEEDS_NOTHING, error);
	struct model_process *process = (struct model_process *)session->database;
	struct model_node **place;
	struct model_node *joined;

	(void)now_ms;
	if (status != HERALD_OK)
		return status;
	joined = model_alloc(sizeof(*joined));
	joined->id = ++process->model->last_node;
	joined->process = process;
	joined->expires_ms = next_expiry_ms(process);
	joined->pid = node->pid;
	joined->host = model_copy_text(node->host);
	joined->boot_id = model_copy_text(node->boot_id);
	joined->in_flight_path = in_flight_path(node->in_flight_path, joined->id);
	for (place = &process->model->nodes; *place; place = &(*place)->next)
		;
	*place = joined;
	node->id = joined->id;
	node->in_flight_path = joined->in_flight_path;
	return model_leave(session, HERALD_OK, error);
}

static enum herald_status
renew(struct herald_session *session, enum model_op op, uint64_t id, struct herald_error *error)
{
	enum herald_status status = model_enter(session, op, MODEL_NEEDS_NOTHING, error);
	struct model *model = model_of(session);
	struct model_node *node;

	if (status != HERALD_OK)
		return status;
	node = model_node_find(model, id);
	if (!node || model_node_is_dead(model, node) || (op == MODEL_NODE_RENEW && node->is_former))
		return model_leave(session, HERALD_LEASE_LOST, error);
	node->expires_ms = next_expiry_ms(node->process);
	return model_leave(session, HERALD_OK, error);
}

static enum herald_status
op_renew(struct herald_session *session, uint64_t id, int64_t now_ms, struct herald_error *error)
{
	(void)now_ms;
	return renew(session, MODEL_NODE_RENEW, id, error);
}

static enum herald_status
op_keep(struct herald_session *session, uint64_t id, struct herald_error *error)
{
	return renew(session, MODEL_NODE_KEEP, id, error);
}

bool
model_owns_rows(const struct model *model, uint64_t node)
{
	const struct model_tables *tables = &model->tables;

	for (size_t i = 0; i < tables->rows_count; i++)
		if (tables->rows[i]->state == MODEL_RUNNING && tables->rows[i]->owner == node)
			return true;
	return false;
}

static enum herald_status
op_leave(struct herald_session *session, uint64_t id, struct herald_error *error)
{
	enum herald_status status =
		model_enter(session, MODEL_NODE_LEAVE, MODEL_NEEDS_TO_BE_ALONE, error);
	struct model *model = model_of(session);
	struct model_node *node;

	if (status != HERALD_OK)
		return status;
	if (model_owns_rows(model, id))
		return model_leave(session,
				   herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
						    "the node has RUNNING events or deliveries"),
				   error);
	node = model_node_find(model, id);
	if (node)
		node_remove(model, node);
	return model_leave(session, HERALD_OK, error);
}

struct herald_node
model_node_seen(const struct model_node *node)
{
	const struct model_process *process = node->process;

	return (struct herald_node){
		.id = node->id,
		.host = node->host,
		.boot_id = process && process->is_machine_dead ? "an earlier boot" : node->boot_id,
		.pid = node->pid,
		.in_flight_path = node->in_flight_path,
	};
}

static enum herald_status
op_dead(struct herald_session *session, int64_t now_ms, herald_node_visitor *visit, void *state,
	struct herald_error *error)
{
	enum herald_status status =
		model_enter(session, MODEL_NODE_DEAD, MODEL_NEEDS_NOTHING, error);
	struct model *model = model_of(session);
	bool goes_on = true;

	(void)now_ms;
	if (status != HERALD_OK)
		return status;
	for (struct model_node *node = model->nodes; node && goes_on; node = node->next)
		if (model_node_is_dead(model, node)) {
			struct herald_node seen = model_node_seen(node);

			goes_on = visit(&seen, state);
		}
	return model_leave(session, HERALD_OK, error);
}

static bool
is_suspect(const struct herald_recovery *recovery, uint64_t id)
{
	for (size_t i = 0; i < recovery->suspects_count; i++)
		if (recovery->suspects[i] == id)
			return true;
	return false;
}

static void
recover_event(struct model_tables *tables, const struct model_row *found,
	      struct herald_recovery *recovery)
{
	struct model_row *row = model_row_copy(found);
	bool suspected = is_suspect(recovery, row->id);
	bool counts = suspected || !recovery->is_known;

	row->owner = 0;
	row->state = MODEL_READY;
	row->interrupted += suspected;
	row->is_delayed = suspected && recovery->suspects_due_ms > recovery->now_ms;
	if (row->is_delayed)
		row->due_ms = recovery->suspects_due_ms;
	row->retried_ms = row->is_delayed ? recovery->now_ms : 0;
	row->attempts -= !counts;
	if ((suspected && row->interrupted >= recovery->max_interrupted) ||
	    (counts && row->attempts >= recovery->max_attempts)) {
		row->is_held = row->holds_key;
		model_put_dead(tables, row, recovery->now_ms,
			       suspected ? HERALD_DEAD_INTERRUPTED : HERALD_DEAD_ATTEMPTS,
			       "the process died while the event ran");
		recovery->dead++;
	} else {
		model_tables_put(tables, row);
		recovery->ready++;
	}
	model_key_promote(tables, row->key_hash);
}

static void
recover_rows(struct model_tables *tables, struct herald_recovery *recovery)
{
	for (size_t i = 0; i < tables->rows_count; i++) {
		const struct model_row *found = tables->rows[i];
		struct model_row *row;

		if (found->state != MODEL_RUNNING || found->owner != recovery->node)
			continue;
		if (!found->is_delivery) {
			recover_event(tables, found, recovery);
			continue;
		}
		row = model_row_copy(found);
		row->state = MODEL_READY;
		row->owner = 0;
		row->attempts -= recovery->is_known && !is_suspect(recovery, row->id);
		model_tables_put(tables, row);
	}
}

static enum herald_status
op_recover(struct herald_session *session, struct herald_recovery *recovery,
	   struct herald_error *error)
{
	enum herald_status status =
		model_enter(session, MODEL_NODE_RECOVER, MODEL_NEEDS_TO_BE_ALONE, error);
	struct model *model = model_of(session);
	struct model_node *node;

	if (status != HERALD_OK)
		return status;
	recovery->ready = recovery->dead = 0;
	node = model_node_find(model, recovery->node);
	recovery->is_taken = node && model_node_is_dead(model, node);
	if (recovery->is_taken) {
		recover_rows(&model->tables, recovery);
		node_remove(model, node);
		model->version++;
	}
	return model_leave(session, HERALD_OK, error);
}

void
model_add_node_ops(struct herald_database_ops *ops)
{
	ops->node_join = op_join;
	ops->node_renew = op_renew;
	ops->node_keep = op_keep;
	ops->node_leave = op_leave;
	ops->node_dead = op_dead;
	ops->node_recover = op_recover;
}
