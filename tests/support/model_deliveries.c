/*
 * Deliveries in the model. Of one origin, MODEL_ORIGIN_LIMIT are READY or RUNNING at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "model_internal.h"

static bool
is_of_origin(const struct model_row *row, const char *origin)
{
	return row->is_delivery && strcmp(row->texts[MODEL_ORIGIN], origin) == 0;
}

static size_t
origin_count(const struct model_tables *tables, const char *origin)
{
	size_t count = 0;

	for (size_t i = 0; i < tables->rows_count; i++) {
		const struct model_row *row = tables->rows[i];

		count += is_of_origin(row, origin) &&
			 (row->state == MODEL_READY || row->state == MODEL_RUNNING);
	}
	return count;
}

static void
promote(struct model_tables *tables, const char *origin)
{
	size_t count = origin_count(tables, origin);

	for (size_t i = 0; i < tables->rows_count && count < MODEL_ORIGIN_LIMIT; i++) {
		const struct model_row *row = tables->rows[i];
		struct model_row *promoted;

		if (!is_of_origin(row, origin) || row->state != MODEL_BLOCKED)
			continue;
		promoted = model_row_copy(row);
		promoted->state = MODEL_READY;
		model_tables_put(tables, promoted);
		count++;
	}
}

void
model_origin_promote(struct model_tables *tables, const char *origin)
{
	/* It may be a text of a row that is replaced. */
	char *copy = model_copy_text(origin);

	promote(tables, copy);
	free(copy);
}

static struct model_row *
row_of_delivery(const struct herald_stored_delivery *delivery)
{
	struct model_row *row = model_row_create();

	row->is_delivery = true;
	row->created_ms = delivery->created_ms;
	row->due_ms = delivery->due_ms;
	row->is_delayed = delivery->due_ms > delivery->created_ms;
	row->expires_ms = delivery->expires_ms;
	model_row_set_text(row, MODEL_DELIVERY_ID, delivery->delivery_id);
	model_row_set_text(row, MODEL_URL, delivery->url);
	model_row_set_text(row, MODEL_ORIGIN, delivery->origin);
	model_row_set_text(row, MODEL_EVENT_TYPE, delivery->event_type);
	model_row_set_text(row, MODEL_EVENT_ID, delivery->event_id);
	model_row_set_bytes(&row->data, delivery->record);
	return row;
}

static void
delivery_of_row(const struct model_row *row, struct herald_stored_delivery *delivery)
{
	*delivery = (struct herald_stored_delivery){
		.id = row->id,
		.delivery_id = row->texts[MODEL_DELIVERY_ID],
		.url = row->texts[MODEL_URL],
		.origin = row->texts[MODEL_ORIGIN],
		.event_type = row->texts[MODEL_EVENT_TYPE],
		.event_id = row->texts[MODEL_EVENT_ID],
		.record = row->data,
		.created_ms = row->created_ms,
		.due_ms = row->due_ms,
		.expires_ms = row->expires_ms,
		.attempts = row->attempts,
		.replays = row->replays,
		.last_http_status = row->http_status,
		.last_error = row->texts[MODEL_LAST_ERROR],
		.owner = row->owner,
	};
}

static void
push_one(struct model *model, struct model_tables *tables, struct herald_stored_delivery *delivery)
{
	struct model_row *row = row_of_delivery(delivery);

	row->id = delivery->id = ++model->last_id;
	if (origin_count(tables, delivery->origin) >= MODEL_ORIGIN_LIMIT) {
		row->state = MODEL_BLOCKED;
		delivery->owner = 0;
	} else if (delivery->owner != 0) {
		row->state = MODEL_RUNNING;
		row->owner = delivery->owner;
		row->attempts = 1;
		row->is_delayed = false;
	}
	model_tables_put(tables, row);
}

static enum herald_status
op_push(struct herald_session *session, struct herald_stored_delivery *deliveries, size_t count,
	struct herald_error *error)
{
	struct model *model = model_of(session);
	enum herald_status status =
		model_enter(session, MODEL_DELIVERY_PUSH, MODEL_NEEDS_TRANSACTION, error);

	if (status != HERALD_OK)
		return status;
	for (size_t i = 0; i < count && status == HERALD_OK; i++)
		if (deliveries[i].owner != 0 && !model_node_lives(model, deliveries[i].owner))
			status = HERALD_LEASE_LOST;
	for (size_t i = 0; i < count && status == HERALD_OK; i++)
		push_one(model, model_tables_of(session), &deliveries[i]);
	return model_leave(session, status, error);
}

/* When a delivery is due: a time that is not later than now if it is due now. */
static int64_t
ready_ms(const struct model_row *row, const struct herald_delivery_claim *claim)
{
	const bool waits = row->is_delayed && row->due_ms > claim->now_ms &&
			   row->due_ms <= claim->now_ms + claim->max_delay_ms;

	return waits || row->due_ms < claim->now_ms ? row->due_ms : claim->now_ms;
}

static bool
is_claimable(const struct model_row *row)
{
	return row->is_delivery && row->state == MODEL_READY;
}

/* As for events. */
static const struct model_row *
next_ready(const struct model_tables *tables, const struct herald_delivery_claim *claim)
{
	const struct model_row *first = NULL;

	for (size_t i = 0; i < tables->rows_count; i++)
		if (is_claimable(tables->rows[i]) &&
		    ready_ms(tables->rows[i], claim) <= claim->now_ms &&
		    (!first || tables->rows[i]->due_ms < first->due_ms))
			first = tables->rows[i];
	return first;
}

static int64_t
next_ms_of(const struct model_tables *tables, const struct herald_delivery_claim *claim)
{
	int64_t next_ms = INT64_MAX;

	for (size_t i = 0; i < tables->rows_count; i++)
		if (is_claimable(tables->rows[i]) && ready_ms(tables->rows[i], claim) < next_ms)
			next_ms = ready_ms(tables->rows[i], claim);
	return next_ms;
}

static void
claim_rows(struct model_tables *tables, const struct herald_delivery_claim *claim,
	   herald_stored_delivery_visitor *visit, void *state)
{
	bool goes_on = true;
	size_t left = claim->max_bytes;

	for (size_t count = 0; count < claim->max_deliveries; count++) {
		const struct model_row *next = next_ready(tables, claim);
		struct model_row *claimed;
		struct herald_stored_delivery delivery;

		if (!next || (count > 0 && next->data.bytes > left))
			return;
		left -= next->data.bytes > left ? left : next->data.bytes;
		claimed = model_row_copy(next);
		claimed->state = MODEL_RUNNING;
		claimed->is_delayed = false;
		claimed->owner = claim->owner;
		claimed->attempts++;
		model_tables_put(tables, claimed);
		delivery_of_row(claimed, &delivery);
		goes_on = goes_on && visit(&delivery, state);
	}
}

static enum herald_status
op_claim(struct herald_session *session, const struct herald_delivery_claim *claim,
	 herald_stored_delivery_visitor *visit, void *state, int64_t *next_ms,
	 struct herald_error *error)
{
	enum model_needs needs = session->database->ops->claims_apart ? MODEL_NEEDS_TO_BE_ALONE
								      : MODEL_NEEDS_TRANSACTION;
	enum herald_status status = model_enter(session, MODEL_DELIVERY_CLAIM, needs, error);
	struct model_tables *tables;

	if (status != HERALD_OK)
		return status;
	if (!model_node_lives(model_of(session), claim->owner))
		return model_leave(session, HERALD_LEASE_LOST, error);
	tables = model_tables_of(session);
	claim_rows(tables, claim, visit, state);
	if (session->database->ops->claims_apart)
		model_of(session)->version++;
	*next_ms = next_ms_of(tables, claim);
	return model_leave(session, HERALD_OK, error);
}

static enum herald_status
op_owned(struct herald_session *session, uint64_t owner, herald_stored_delivery_visitor *visit,
	 void *state, struct herald_error *error)
{
	enum herald_status status =
		model_enter(session, MODEL_DELIVERY_OWNED, MODEL_NEEDS_NOTHING, error);
	const struct model_tables *tables;
	bool goes_on = true;

	if (status != HERALD_OK)
		return status;
	tables = model_tables_of(session);
	for (size_t i = 0; i < tables->rows_count && goes_on; i++) {
		const struct model_row *row = tables->rows[i];

		if (row->is_delivery && row->state == MODEL_RUNNING && row->owner == owner)
			goes_on = visit(&(struct herald_stored_delivery){.id = row->id,
									 .attempts = row->attempts,
									 .replays = row->replays},
					state);
	}
	return model_leave(session, HERALD_OK, error);
}

static void
complete_one(struct model_tables *tables, struct herald_delivery_completion *completion)
{
	const struct model_row *found = model_tables_find(tables, completion->id);
	struct model_row *row;

	completion->is_lost = !found || !found->is_delivery || found->state != MODEL_RUNNING ||
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
		row->attempts = completion->new_attempts;
		row->due_ms = completion->due_ms;
		row->is_delayed = completion->due_ms > completion->now_ms;
		row->expires_ms = completion->expires_ms;
		row->http_status = completion->http_status;
		model_row_set_text(row, MODEL_LAST_ERROR, completion->reason);
		model_tables_put(tables, row);
		break;
	case HERALD_COMPLETE_RELEASE:
		row->attempts -= !completion->may_have_run;
		model_tables_put(tables, row);
		break;
	case HERALD_COMPLETE_DEAD:
		row->http_status = completion->http_status;
		model_put_dead(tables, row, completion->now_ms, completion->why,
			       completion->reason);
		break;
	}
	model_origin_promote(tables, row->texts[MODEL_ORIGIN]);
	if (completion->kind == HERALD_COMPLETE_DONE)
		model_row_free(row);
}

static enum herald_status
op_complete(struct herald_session *session, struct herald_delivery_completion *completions,
	    size_t count, struct herald_error *error)
{
	/* What is said of a call that fails means nothing. */
	for (size_t i = 0; i < count; i++)
		completions[i].is_lost = true;
	enum herald_status status =
		model_enter(session, MODEL_DELIVERY_COMPLETE, MODEL_NEEDS_TRANSACTION, error);

	if (status != HERALD_OK)
		return status;
	for (size_t i = 0; i < count; i++)
		complete_one(model_tables_of(session), &completions[i]);
	return model_leave(session, HERALD_OK, error);
}

void
model_add_delivery_ops(struct herald_database_ops *ops)
{
	ops->delivery_push = op_push;
	ops->delivery_claim = op_claim;
	ops->delivery_owned = op_owned;
	ops->delivery_complete = op_complete;
}
