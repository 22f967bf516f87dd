/*
 * Operations on the model: dead letters, purges, counts, checks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_internal.h"

static bool
text_matches(const char *wanted, const char *text)
{
	return !wanted || strcmp(wanted, text) == 0;
}

static bool
destination_matches(const char *wanted, const char *url)
{
	return !wanted || strncmp(wanted, url, strlen(wanted)) == 0;
}

static bool
kind_matches(enum herald_dead_kind kind, bool is_delivery)
{
	return kind == HERALD_DEAD_BOTH || (kind == HERALD_DEAD_DELIVERIES) == is_delivery;
}

static bool
dead_matches(const struct model_row *row, const struct herald_dead_filter *filter)
{
	return row->state == MODEL_DEAD && kind_matches(filter->kind, row->is_delivery) &&
	       (filter->id == 0 || filter->id == row->id) && row->id > filter->after_id &&
	       text_matches(filter->queue, row->texts[MODEL_QUEUE]) &&
	       text_matches(filter->event_type, row->texts[MODEL_EVENT_TYPE]) &&
	       text_matches(filter->source, row->texts[MODEL_SOURCE]) &&
	       text_matches(filter->event_id, row->texts[MODEL_EVENT_ID]) &&
	       destination_matches(filter->destination, row->texts[MODEL_URL]) &&
	       (filter->reason == HERALD_DEAD_ANY || filter->reason == row->why) &&
	       (filter->from_ms == 0 || row->dead_ms >= filter->from_ms) &&
	       (filter->to_ms == 0 || row->dead_ms < filter->to_ms);
}

static void
letter_of_row(const struct model_row *row, struct herald_dead_letter *letter)
{
	*letter = (struct herald_dead_letter){
		.kind = row->is_delivery ? HERALD_DEAD_DELIVERIES : HERALD_DEAD_EVENTS,
		.id = row->id,
		.queue = row->texts[MODEL_QUEUE],
		.event_type = row->texts[MODEL_EVENT_TYPE],
		.source = row->texts[MODEL_SOURCE],
		.event_id = row->texts[MODEL_EVENT_ID],
		.destination = row->texts[MODEL_URL],
		.why = row->why,
		.reason = row->texts[MODEL_REASON],
		.path = row->texts[MODEL_PATH],
		.offset = row->offset,
		.attempts = row->attempts,
		.interrupted = row->interrupted,
		.replays = row->replays,
		.is_held = row->is_held,
		.created_ms = row->created_ms,
		.dead_ms = row->dead_ms,
		.content_type = row->texts[MODEL_CONTENT_TYPE],
		.attributes = row->attributes,
		.data = row->data,
	};
}

static void
drop_content(struct herald_dead_letter *letter)
{
	letter->content_type = "";
	letter->attributes = letter->data = (struct herald_text){"", 0};
}

static size_t
smaller(uint64_t limit, size_t max)
{
	return limit > 0 && limit < max ? (size_t)limit : max;
}

static enum herald_status
op_dead_visit(struct herald_session *session, const struct herald_dead_filter *filter,
	      herald_dead_visitor *visit, void *state, struct herald_error *error)
{
	enum herald_status status =
		model_enter(session, MODEL_DEAD_VISIT, MODEL_NEEDS_NOTHING, error);
	const struct model_tables *tables;
	size_t left = smaller(filter->limit, SIZE_MAX);

	if (status != HERALD_OK)
		return status;
	tables = model_tables_of(session);
	for (size_t i = 0; i < tables->rows_count && left > 0; i++) {
		struct herald_dead_letter letter;

		if (!dead_matches(tables->rows[i], filter))
			continue;
		letter_of_row(tables->rows[i], &letter);
		if (filter->without_content)
			drop_content(&letter);
		left = visit(&letter, state) ? left - 1 : 0;
		if (left > 0 && model_is_interrupted(session))
			return model_leave(
				session,
				herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
						 "model: interrupted: the store is being "
						 "destroyed"),
				error);
	}
	return model_leave(session, HERALD_OK, error);
}

static void
replay_row(struct model_tables *tables, const struct model_row *dead, int64_t now_ms)
{
	struct model_row *row = model_row_copy(dead);

	row->state = MODEL_BLOCKED;
	if (row->is_delivery) {
		row->expires_ms = now_ms + (row->expires_ms - row->created_ms);
		row->created_ms = now_ms;
	}
	row->attempts = row->interrupted = 0;
	row->due_ms = now_ms;
	row->is_delayed = false;
	row->retried_ms = 0;
	row->is_held = false;
	row->replays++;
	model_row_set_text(row, MODEL_LAST_ERROR, "");
	if (!row->is_delivery && row->key_hash == 0)
		row->state = MODEL_READY;
	model_tables_put(tables, row);
	model_promote_after(tables, row->is_delivery, row->key_hash, row->texts[MODEL_ORIGIN]);
}

/* Remove a row, and let those go on that waited for it. */
static void
drop_row(struct model_tables *tables, const struct model_row *found)
{
	struct model_row *row = model_row_copy(found);

	model_tables_remove(tables, row->id);
	model_promote_after(tables, row->is_delivery, row->key_hash, row->texts[MODEL_ORIGIN]);
	model_row_free(row);
}

static enum herald_status
op_dead_replay(struct herald_session *session, const struct herald_dead_filter *filter, size_t max,
	       int64_t now_ms, uint64_t *count, struct herald_error *error)
{
	enum herald_status status =
		model_enter(session, MODEL_DEAD_REPLAY, MODEL_NEEDS_TRANSACTION, error);
	struct model_tables *tables;
	size_t limit = smaller(filter->limit, max);

	if (status != HERALD_OK)
		return status;
	tables = model_tables_of(session);
	*count = 0;
	for (size_t i = 0; i < tables->rows_count && *count < limit; i++)
		if (dead_matches(tables->rows[i], filter)) {
			replay_row(tables, tables->rows[i], now_ms);
			++*count;
		}
	return model_leave(session, HERALD_OK, error);
}

static enum herald_status
op_dead_drop(struct herald_session *session, const struct herald_dead_filter *filter, size_t max,
	     uint64_t *count, struct herald_error *error)
{
	enum herald_status status =
		model_enter(session, MODEL_DEAD_DROP, MODEL_NEEDS_TRANSACTION, error);
	struct model_tables *tables;
	size_t limit = smaller(filter->limit, max);

	if (status != HERALD_OK)
		return status;
	tables = model_tables_of(session);
	*count = 0;
	for (size_t i = 0; i < tables->rows_count && *count < limit;) {
		if (dead_matches(tables->rows[i], filter)) {
			drop_row(tables, tables->rows[i]);
			++*count;
		} else {
			i++;
		}
	}
	return model_leave(session, HERALD_OK, error);
}

static size_t
dead_count(const struct model_tables *tables)
{
	size_t count = 0;

	for (size_t i = 0; i < tables->rows_count; i++)
		count += tables->rows[i]->state == MODEL_DEAD;
	return count;
}

static bool
is_up_to(const struct model_row *row, const struct herald_dead_place *last)
{
	return row->dead_ms < last->dead_ms ||
	       (row->dead_ms == last->dead_ms && row->id <= last->id);
}

/* The next one that is not held, after a place. */
static const struct model_row *
next_dead(const struct model_tables *tables, const struct herald_dead_place *after)
{
	const struct model_row *next = NULL;

	for (size_t i = 0; i < tables->rows_count; i++) {
		const struct model_row *row = tables->rows[i];

		if (row->state == MODEL_DEAD && !row->is_held && !is_up_to(row, after) &&
		    (!next || row->dead_ms < next->dead_ms))
			next = row;
	}
	return next;
}

static enum herald_status
op_dead_surplus(struct herald_session *session, uint64_t keep, struct herald_dead_place *last,
		bool *is_any, struct herald_error *error)
{
	enum herald_status status =
		model_enter(session, MODEL_DEAD_SURPLUS, MODEL_NEEDS_NOTHING, error);
	const struct model_tables *tables;
	const struct model_row *row;

	if (status != HERALD_OK)
		return status;
	tables = model_tables_of(session);
	*last = (struct herald_dead_place){.dead_ms = INT64_MIN};
	*is_any = dead_count(tables) > keep;
	for (uint64_t left = dead_count(tables); left > keep; left--) {
		row = next_dead(tables, last);
		if (!row)
			break;
		*last = (struct herald_dead_place){.dead_ms = row->dead_ms, .id = row->id};
	}
	return model_leave(session, HERALD_OK, error);
}

static enum herald_status
op_dead_trim(struct herald_session *session, const struct herald_dead_place *last, size_t max,
	     uint64_t *count, struct herald_error *error)
{
	const struct herald_dead_place first = {.dead_ms = INT64_MIN};
	enum herald_status status =
		model_enter(session, MODEL_DEAD_TRIM, MODEL_NEEDS_TRANSACTION, error);
	struct model_tables *tables;

	if (status != HERALD_OK)
		return status;
	tables = model_tables_of(session);
	for (*count = 0; *count < max; ++*count) {
		const struct model_row *oldest = next_dead(tables, &first);

		if (!oldest || !is_up_to(oldest, last))
			break;
		drop_row(tables, oldest);
	}
	return model_leave(session, HERALD_OK, error);
}

static enum herald_status
op_dead_since(struct herald_session *session, int64_t since_ms, bool *is_there,
	      struct herald_error *error)
{
	enum herald_status status =
		model_enter(session, MODEL_DEAD_SINCE, MODEL_NEEDS_NOTHING, error);
	const struct model_tables *tables;

	if (status != HERALD_OK)
		return status;
	tables = model_tables_of(session);
	*is_there = false;
	for (size_t i = 0; i < tables->rows_count; i++)
		*is_there |= tables->rows[i]->state == MODEL_DEAD &&
			     tables->rows[i]->dead_ms >= since_ms;
	return model_leave(session, HERALD_OK, error);
}

static bool
purge_matches(const struct model_row *row, const struct herald_purge_filter *filter)
{
	return (row->state == MODEL_READY || row->state == MODEL_BLOCKED) &&
	       row->is_delivery == filter->deliveries &&
	       text_matches(filter->queue, row->texts[MODEL_QUEUE]) &&
	       text_matches(filter->event_type, row->texts[MODEL_EVENT_TYPE]) &&
	       (filter->created_before_ms == 0 || row->created_ms < filter->created_before_ms);
}

static enum herald_status
op_purge_find(struct herald_session *session, const struct herald_purge_filter *filter,
	      uint64_t after_id, size_t max, uint64_t *ids, size_t *count,
	      struct herald_error *error)
{
	enum herald_status status =
		model_enter(session, MODEL_PURGE_FIND, MODEL_NEEDS_NOTHING, error);
	const struct model_tables *tables;

	if (status != HERALD_OK)
		return status;
	tables = model_tables_of(session);
	*count = 0;
	for (size_t i = 0; i < tables->rows_count && *count < max; i++)
		if (tables->rows[i]->id > after_id && purge_matches(tables->rows[i], filter))
			ids[(*count)++] = tables->rows[i]->id;
	return model_leave(session, HERALD_OK, error);
}

static enum herald_status
op_purge(struct herald_session *session, const struct herald_purge_filter *filter,
	 const uint64_t *ids, size_t ids_count, uint64_t *count, struct herald_error *error)
{
	enum herald_status status =
		model_enter(session, MODEL_PURGE, MODEL_NEEDS_TRANSACTION, error);
	struct model_tables *tables;

	if (status != HERALD_OK)
		return status;
	tables = model_tables_of(session);
	*count = 0;
	for (size_t i = 0; i < ids_count; i++) {
		const struct model_row *row = model_tables_find(tables, ids[i]);

		if (!row || !purge_matches(row, filter))
			continue;
		drop_row(tables, row);
		++*count;
	}
	return model_leave(session, HERALD_OK, error);
}

static bool
is_unfinished(const struct model_row *row)
{
	return !row->is_delivery && row->state != MODEL_DEAD;
}

static enum herald_status
op_pending(struct herald_session *session, const struct herald_purge_filter *filter,
	   uint64_t *count, struct herald_error *error)
{
	enum herald_status status = model_enter(session, MODEL_PENDING, MODEL_NEEDS_NOTHING, error);
	const struct model_tables *tables;

	if (status != HERALD_OK)
		return status;
	tables = model_tables_of(session);
	*count = 0;
	for (size_t i = 0; i < tables->rows_count; i++)
		*count += filter ? purge_matches(tables->rows[i], filter)
				 : is_unfinished(tables->rows[i]);
	return model_leave(session, HERALD_OK, error);
}

static enum herald_count_state
count_state(const struct model_row *row, int64_t now_ms)
{
	switch (row->state) {
	case MODEL_BLOCKED:
		return HERALD_COUNT_BLOCKED;
	case MODEL_RUNNING:
		return HERALD_COUNT_RUNNING;
	case MODEL_DEAD:
		return HERALD_COUNT_DEAD;
	case MODEL_READY:
		break;
	}
	return (row->is_delivery ? row->is_delayed && row->due_ms > now_ms
				 : model_event_waits(row, now_ms))
		       ? HERALD_COUNT_DELAYED
		       : HERALD_COUNT_READY;
}

static bool
is_counted_with(const struct model_row *a, const struct model_row *b, int64_t now_ms)
{
	return a->is_delivery == b->is_delivery &&
	       strcmp(a->texts[MODEL_QUEUE], b->texts[MODEL_QUEUE]) == 0 &&
	       strcmp(a->texts[MODEL_EVENT_TYPE], b->texts[MODEL_EVENT_TYPE]) == 0 &&
	       count_state(a, now_ms) == count_state(b, now_ms);
}

/* All rows that are counted with the one at `first`; 0 rows if an earlier one is. */
static struct herald_count
count_with(const struct model_tables *tables, size_t first, int64_t now_ms)
{
	const struct model_row *row = tables->rows[first];
	struct herald_count count = {
		.is_delivery = row->is_delivery,
		.queue = row->texts[MODEL_QUEUE],
		.event_type = row->texts[MODEL_EVENT_TYPE],
		.state = count_state(row, now_ms),
		.oldest_ms = INT64_MAX,
	};

	for (size_t i = 0; i < tables->rows_count; i++) {
		const struct model_row *other = tables->rows[i];
		int64_t ms = other->state == MODEL_DEAD ? other->dead_ms : other->created_ms;

		if (!is_counted_with(row, other, now_ms))
			continue;
		if (i < first)
			return (struct herald_count){.count = 0};
		count.count++;
		count.oldest_ms = ms < count.oldest_ms ? ms : count.oldest_ms;
	}
	return count;
}

static enum herald_status
op_counts(struct herald_session *session, int64_t now_ms, herald_count_visitor *visit, void *state,
	  struct herald_error *error)
{
	enum herald_status status = model_enter(session, MODEL_COUNTS, MODEL_NEEDS_NOTHING, error);
	const struct model_tables *tables;
	bool goes_on = true;

	if (status != HERALD_OK)
		return status;
	tables = model_tables_of(session);
	for (size_t i = 0; i < tables->rows_count && goes_on; i++) {
		struct herald_count count = count_with(tables, i, now_ms);

		if (count.count > 0)
			goes_on = visit(&count, state);
	}
	return model_leave(session, HERALD_OK, error);
}

static size_t
orphans_count(struct model *model, const struct model_tables *tables)
{
	size_t count = 0;

	for (size_t i = 0; i < tables->rows_count; i++)
		count += tables->rows[i]->state == MODEL_RUNNING &&
			 !model_node_find(model, tables->rows[i]->owner);
	return count;
}

static bool
visit_dead_nodes(const struct model *model, herald_finding_visitor *visit, void *state)
{
	bool goes_on = true;
	char text[256];

	for (const struct model_node *node = model->nodes; node && goes_on; node = node->next)
		if (model_node_is_dead(model, node)) {
			struct herald_node seen = model_node_seen(node);

			snprintf(text, sizeof(text), "process %ld on %s has died", seen.pid,
				 seen.host);
			goes_on = visit(&(struct herald_finding){.is_problem = true,
								 .name = "dead_node",
								 .text = text},
					state);
		}
	return goes_on;
}

static enum herald_status
op_check(struct herald_session *session, int64_t now_ms, herald_finding_visitor *visit, void *state,
	 struct herald_error *error)
{
	enum herald_status status = model_enter(session, MODEL_CHECK, MODEL_NEEDS_NOTHING, error);
	const struct model_tables *tables;
	char text[64];
	bool goes_on;

	(void)now_ms;
	if (status != HERALD_OK)
		return status;
	tables = model_tables_of(session);
	snprintf(text, sizeof(text), "%zu rows", tables->rows_count);
	goes_on = visit(&(struct herald_finding){.name = "rows", .text = text}, state);
	snprintf(text, sizeof(text), "%zu rows", orphans_count(model_of(session), tables));
	goes_on = goes_on && visit_dead_nodes(model_of(session), visit, state);
	if (goes_on)
		visit(&(struct herald_finding){.is_problem = strcmp(text, "0 rows") != 0,
					       .name = "orphans",
					       .text = text},
		      state);
	return model_leave(session, HERALD_OK, error);
}

void
model_add_operation_ops(struct herald_database_ops *ops)
{
	ops->dead_visit = op_dead_visit;
	ops->dead_since = op_dead_since;
	ops->dead_replay = op_dead_replay;
	ops->dead_drop = op_dead_drop;
	ops->dead_surplus = op_dead_surplus;
	ops->dead_trim = op_dead_trim;
	ops->purge_find = op_purge_find;
	ops->purge = op_purge;
	ops->pending = op_pending;
	ops->counts = op_counts;
	ops->check = op_check;
}
