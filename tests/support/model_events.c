/*
 * Events in the model: accepted, claimed, completed, and in order by key.
 */
#include <stdlib.h>
#include <string.h>

#include "model_internal.h"

/* Whether the row keeps others with its key, or of its origin, from running. */
static bool
occupies(const struct model_row *row)
{
	return row->state == MODEL_READY || row->state == MODEL_RUNNING ||
	       (row->state == MODEL_DEAD && row->is_held);
}

static bool
key_is_occupied(const struct model_tables *tables, uint64_t key_hash)
{
	for (size_t i = 0; i < tables->rows_count; i++) {
		const struct model_row *row = tables->rows[i];

		if (!row->is_delivery && row->key_hash == key_hash && occupies(row))
			return true;
	}
	return false;
}

void
model_key_promote(struct model_tables *tables, uint64_t key_hash)
{
	if (key_hash == 0 || key_is_occupied(tables, key_hash))
		return;
	for (size_t i = 0; i < tables->rows_count; i++) {
		const struct model_row *row = tables->rows[i];

		if (!row->is_delivery && row->key_hash == key_hash && row->state == MODEL_BLOCKED) {
			struct model_row *promoted = model_row_copy(row);

			promoted->state = MODEL_READY;
			model_tables_put(tables, promoted);
			return;
		}
	}
}

void
model_promote_after(struct model_tables *tables, bool is_delivery, uint64_t key_hash,
		    const char *origin)
{
	if (is_delivery)
		model_origin_promote(tables, origin);
	else
		model_key_promote(tables, key_hash);
}

void
model_put_dead(struct model_tables *tables, struct model_row *row, int64_t now_ms,
	       enum herald_dead_reason why, const char *reason)
{
	row->state = MODEL_DEAD;
	row->owner = 0;
	row->dead_ms = now_ms;
	row->why = why;
	model_row_set_text(row, MODEL_REASON, reason ? reason : "");
	model_tables_put(tables, row);
}

static struct model_row *
row_of_event(const struct herald_stored_event *event)
{
	struct model_row *row = model_row_create();

	row->key_hash = event->key_hash;
	row->holds_key = event->holds_key;
	row->created_ms = event->created_ms;
	row->due_ms = event->due_ms;
	row->is_delayed = event->due_ms > event->created_ms;
	model_row_set_text(row, MODEL_QUEUE, event->queue);
	model_row_set_text(row, MODEL_EVENT_TYPE, event->event_type);
	model_row_set_text(row, MODEL_SOURCE, event->source);
	model_row_set_text(row, MODEL_EVENT_ID, event->event_id);
	model_row_set_text(row, MODEL_CONTENT_TYPE, event->content_type);
	model_row_set_bytes(&row->attributes, event->attributes);
	model_row_set_bytes(&row->data, event->data);
	return row;
}

static void
event_of_row(const struct model_row *row, struct herald_stored_event *event)
{
	*event = (struct herald_stored_event){
		.id = row->id,
		.queue = row->texts[MODEL_QUEUE],
		.event_type = row->texts[MODEL_EVENT_TYPE],
		.source = row->texts[MODEL_SOURCE],
		.event_id = row->texts[MODEL_EVENT_ID],
		.content_type = row->texts[MODEL_CONTENT_TYPE],
		.attributes = row->attributes,
		.data = row->data,
		.created_ms = row->created_ms,
		.due_ms = row->due_ms,
		.key_hash = row->key_hash,
		.holds_key = row->holds_key,
		.attempts = row->attempts,
		.replays = row->replays,
		.interrupted = row->interrupted,
		.last_error = row->texts[MODEL_LAST_ERROR],
		.owner = row->owner,
	};
}

static void
accept_one(struct model *model, struct model_tables *tables, struct herald_stored_event *event)
{
	struct model_row *row;

	event->is_duplicate = event->seen_key && model_tables_see(tables, event->seen_key);
	if (event->is_duplicate) {
		event->owner = 0;
		return;
	}
	row = row_of_event(event);
	row->id = event->id = ++model->last_id;
	if (row->key_hash != 0 && key_is_occupied(tables, row->key_hash)) {
		row->state = MODEL_BLOCKED;
		event->owner = 0;
	} else if (event->owner != 0) {
		row->state = MODEL_RUNNING;
		row->owner = event->owner;
		row->attempts = 1;
		row->is_delayed = false;
	}
	model_tables_put(tables, row);
}

static enum herald_status
op_accept(struct herald_session *session, struct herald_stored_event *events, size_t count,
	  struct herald_error *error)
{
	struct model *model = model_of(session);
	enum herald_status status =
		model_enter(session, MODEL_ACCEPT, MODEL_NEEDS_TRANSACTION, error);

	if (status != HERALD_OK)
		return status;
	for (size_t i = 0; i < count && status == HERALD_OK; i++)
		if (events[i].owner != 0 && !model_node_lives(model, events[i].owner))
			status = HERALD_LEASE_LOST;
	for (size_t i = 0; i < count && status == HERALD_OK; i++)
		accept_one(model, model_tables_of(session), &events[i]);
	return model_leave(session, status, error);
}

bool
model_event_waits(const struct model_row *row, int64_t now_ms)
{
	return row->is_delayed && row->due_ms > now_ms &&
	       row->retried_ms - HERALD_CLOCK_SKEW_MS <= now_ms;
}

static bool
is_claimable(const struct model_row *row, const struct herald_claim *claim)
{
	return !row->is_delivery && row->state == MODEL_READY &&
	       strcmp(row->texts[MODEL_QUEUE], claim->queue) == 0;
}

/* When the row may be claimed: a time that is not later than now if it may be now. */
static int64_t
ready_ms(const struct model_row *row, const struct herald_claim *claim)
{
	return model_event_waits(row, claim->now_ms) || row->due_ms < claim->now_ms ? row->due_ms
										    : claim->now_ms;
}

/* The event of the queue that is due now and comes first by due_ms; of those, the one with the
 * smallest id. */
static const struct model_row *
next_ready(const struct model_tables *tables, const struct herald_claim *claim)
{
	const struct model_row *first = NULL;

	for (size_t i = 0; i < tables->rows_count; i++)
		if (is_claimable(tables->rows[i], claim) &&
		    ready_ms(tables->rows[i], claim) <= claim->now_ms &&
		    (!first || tables->rows[i]->due_ms < first->due_ms))
			first = tables->rows[i];
	return first;
}

static int64_t
next_ms_of(const struct model_tables *tables, const struct herald_claim *claim)
{
	int64_t next_ms = INT64_MAX;

	for (size_t i = 0; i < tables->rows_count; i++)
		if (is_claimable(tables->rows[i], claim) &&
		    ready_ms(tables->rows[i], claim) < next_ms)
			next_ms = ready_ms(tables->rows[i], claim);
	return next_ms;
}

static void
claim_rows(struct model_tables *tables, const struct herald_claim *claim,
	   herald_stored_event_visitor *visit, void *state)
{
	bool goes_on = true;
	size_t bytes = 0;

	for (size_t count = 0; count < claim->max_events; count++) {
		const struct model_row *next = next_ready(tables, claim);
		struct model_row *claimed;
		struct herald_stored_event event;

		if (!next || (count > 0 && next->data.bytes > claim->max_bytes - bytes))
			return;
		bytes = next->data.bytes > claim->max_bytes - bytes ? claim->max_bytes
								    : bytes + next->data.bytes;
		claimed = model_row_copy(next);
		claimed->state = MODEL_RUNNING;
		claimed->is_delayed = false;
		claimed->retried_ms = 0;
		claimed->owner = claim->owner;
		claimed->attempts++;
		model_tables_put(tables, claimed);
		event_of_row(claimed, &event);
		goes_on = goes_on && visit(&event, state);
	}
}

static enum herald_status
op_claim(struct herald_session *session, const struct herald_claim *claim,
	 herald_stored_event_visitor *visit, void *state, int64_t *next_ms,
	 struct herald_error *error)
{
	struct model *model = model_of(session);
	enum model_needs needs = session->database->ops->claims_apart ? MODEL_NEEDS_TO_BE_ALONE
								      : MODEL_NEEDS_TRANSACTION;
	enum herald_status status = model_enter(session, MODEL_CLAIM, needs, error);
	struct model_tables *tables;

	if (status != HERALD_OK)
		return status;
	if (!model_node_lives(model, claim->owner))
		return model_leave(session, HERALD_LEASE_LOST, error);
	tables = model_tables_of(session);
	claim_rows(tables, claim, visit, state);
	if (session->database->ops->claims_apart)
		model_of(session)->version++;
	*next_ms = next_ms_of(tables, claim);
	return model_leave(session, HERALD_OK, error);
}

static void
complete_one(struct model_tables *tables, struct herald_completion *completion)
{
	const struct model_row *found = model_tables_find(tables, completion->id);
	struct model_row *row;

	completion->is_lost = !found || found->is_delivery || found->state != MODEL_RUNNING ||
			      found->owner != completion->owner ||
			      found->attempts != completion->attempts ||
			      found->replays != completion->replays;
	if (completion->is_lost)
		return;
	row = model_row_copy(found);
	row->owner = 0;
	row->state = MODEL_READY;
	switch (completion->kind) {
	case HERALD_COMPLETE_DONE:
		model_tables_remove(tables, row->id);
		break;
	case HERALD_COMPLETE_RETRY:
		row->attempts -= completion->has_not_run;
		row->due_ms = completion->due_ms;
		row->is_delayed = completion->due_ms > completion->now_ms;
		row->retried_ms = row->is_delayed ? completion->now_ms : 0;
		model_row_set_text(row, MODEL_LAST_ERROR, completion->reason);
		model_tables_put(tables, row);
		break;
	case HERALD_COMPLETE_RELEASE:
		row->attempts -= !completion->may_have_run;
		model_tables_put(tables, row);
		break;
	case HERALD_COMPLETE_DEAD:
		row->is_held = completion->is_held;
		row->attempts -= completion->has_not_run;
		row->offset = completion->offset;
		model_row_set_text(row, MODEL_PATH, completion->path ? completion->path : "");
		model_put_dead(tables, row, completion->now_ms, completion->why,
			       completion->reason);
		break;
	}
	model_key_promote(tables, row->key_hash);
	if (completion->kind == HERALD_COMPLETE_DONE)
		model_row_free(row);
}

static enum herald_status
op_complete(struct herald_session *session, struct herald_completion *completions, size_t count,
	    struct herald_error *error)
{
	/* What is said of a call that fails means nothing. */
	for (size_t i = 0; i < count; i++)
		completions[i].is_lost = true;
	enum herald_status status =
		model_enter(session, MODEL_COMPLETE, MODEL_NEEDS_TRANSACTION, error);

	if (status != HERALD_OK)
		return status;
	for (size_t i = 0; i < count; i++)
		complete_one(model_tables_of(session), &completions[i]);
	return model_leave(session, HERALD_OK, error);
}

static enum herald_status
op_owned(struct herald_session *session, uint64_t owner, herald_stored_event_visitor *visit,
	 void *state, struct herald_error *error)
{
	enum herald_status status = model_enter(session, MODEL_OWNED, MODEL_NEEDS_NOTHING, error);
	const struct model_tables *tables;
	bool goes_on = true;

	if (status != HERALD_OK)
		return status;
	tables = model_tables_of(session);
	for (size_t i = 0; i < tables->rows_count && goes_on; i++) {
		const struct model_row *row = tables->rows[i];

		if (!row->is_delivery && row->state == MODEL_RUNNING && row->owner == owner)
			goes_on = visit(&(struct herald_stored_event){.id = row->id,
								      .attempts = row->attempts,
								      .replays = row->replays,
								      .key_hash = row->key_hash},
					state);
	}
	return model_leave(session, HERALD_OK, error);
}

static enum herald_status
op_seen(struct herald_session *session, const unsigned char key[HERALD_SEEN_KEY_BYTES],
	bool *is_new, struct herald_error *error)
{
	enum herald_status status =
		model_enter(session, MODEL_SEEN, MODEL_NEEDS_TRANSACTION, error);

	if (status != HERALD_OK)
		return status;
	*is_new = !model_tables_see(model_tables_of(session), key);
	return model_leave(session, HERALD_OK, error);
}

static enum herald_status
op_seen_rotate(struct herald_session *session, int64_t now_ms, int64_t window_ms,
	       struct herald_error *error)
{
	enum herald_status status =
		model_enter(session, MODEL_SEEN_ROTATE, MODEL_NEEDS_TRANSACTION, error);

	if (status != HERALD_OK)
		return status;
	model_tables_rotate(model_tables_of(session), now_ms, window_ms);
	return model_leave(session, HERALD_OK, error);
}

static enum herald_status
op_secret(struct herald_session *session, unsigned char out[16], struct herald_error *error)
{
	enum herald_status status = model_enter(session, MODEL_SECRET, MODEL_NEEDS_NOTHING, error);

	if (status != HERALD_OK)
		return status;
	memcpy(out, model_of(session)->secret, 16);
	return model_leave(session, HERALD_OK, error);
}

void
model_add_event_ops(struct herald_database_ops *ops)
{
	ops->accept = op_accept;
	ops->claim = op_claim;
	ops->complete = op_complete;
	ops->owned = op_owned;
	ops->seen = op_seen;
	ops->seen_rotate = op_seen_rotate;
	ops->secret = op_secret;
}
