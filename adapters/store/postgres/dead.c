/*
 * Dead letters. Owns the filter in SQL's parameters.
 */
#include "dead.h"

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>

#include "lanes.h"
#include "reasons.h"
#include "rows.h"
#include "session.h"
#include "transaction.h"

/* Of a list: rows that are in memory at a time. */
#define PAGE_ROWS 32

/* The parameters $1 to $11. */

static void
put_id(struct postgres_parameters *parameters, uint64_t id)
{
	if (id != 0)
		herald__postgres_int8(parameters, (int64_t)id);
	else
		herald__postgres_null(parameters);
}

static void
put_time(struct postgres_parameters *parameters, int64_t ms)
{
	if (ms != 0)
		herald__postgres_when(parameters, ms);
	else
		herald__postgres_null(parameters);
}

static void
put_filter(struct postgres_session *session, const struct herald_dead_filter *filter,
	   uint64_t after_id)
{
	struct postgres_parameters *parameters = herald__postgres_parameters(session);

	if (filter->kind == HERALD_DEAD_BOTH)
		herald__postgres_null(parameters);
	else
		herald__postgres_int4(parameters, filter->kind == HERALD_DEAD_DELIVERIES);
	put_id(parameters, filter->id);
	herald__postgres_text(parameters, filter->queue);
	herald__postgres_text(parameters, filter->event_type);
	herald__postgres_text(parameters, filter->source);
	herald__postgres_text(parameters, filter->event_id);
	herald__postgres_text(parameters, filter->destination);
	herald__postgres_text(parameters, filter->reason == HERALD_DEAD_ANY
						  ? NULL
						  : herald__postgres_reason_name(filter->reason));
	put_time(parameters, filter->from_ms);
	put_time(parameters, filter->to_ms);
	put_id(parameters, after_id);
}

/* $12 of a search. */
static void
put_limit(struct postgres_session *session, uint64_t limit)
{
	herald__postgres_int8(&session->parameters, limit < INT64_MAX ? (int64_t)limit : INT64_MAX);
}

/* $12 of what follows a search: the ids that it has found. */
static void
put_found(struct postgres_session *session, const PGresult *found)
{
	herald__postgres_array(&session->parameters, POSTGRES_INT8, (size_t)PQntuples(found));
	for (int row = 0; row < PQntuples(found); row++)
		herald__postgres_put_int8(&session->parameters,
					  herald__postgres_row_int8(found, row, 0));
}

/* The limit of a batch. */
static uint64_t
batch_limit(const struct herald_dead_filter *filter, size_t max)
{
	return filter->limit != 0 && filter->limit < max ? filter->limit : max;
}

/* Listing. */

/* The columns of DEAD_VISIT and DEAD_LIST. */
static struct herald_dead_letter
read_letter(const PGresult *result, int row)
{
	return (struct herald_dead_letter){
		.id = (uint64_t)herald__postgres_row_int8(result, row, 0),
		.kind = herald__postgres_row_int4(result, row, 1) == 0 ? HERALD_DEAD_EVENTS
								       : HERALD_DEAD_DELIVERIES,
		.dead_ms = herald__postgres_row_when(result, row, 2),
		.created_ms = herald__postgres_row_when(result, row, 3),
		.attempts = (unsigned)herald__postgres_row_int4(result, row, 4),
		.interrupted = (unsigned)herald__postgres_row_int4(result, row, 5),
		.replays = (unsigned)herald__postgres_row_int4(result, row, 6),
		.is_held = herald__postgres_row_bool(result, row, 7),
		.offset = herald__postgres_row_int8(result, row, 8),
		.queue = herald__postgres_row_text(result, row, 9),
		.event_type = herald__postgres_row_text(result, row, 10),
		.source = herald__postgres_row_text(result, row, 11),
		.event_id = herald__postgres_row_text(result, row, 12),
		.destination = herald__postgres_row_text(result, row, 13),
		.why = herald__postgres_reason(herald__postgres_row_text(result, row, 14)),
		.reason = herald__postgres_row_text(result, row, 15),
		.path = herald__postgres_row_text(result, row, 16),
		.content_type = herald__postgres_row_text(result, row, 17),
		.attributes = herald__postgres_row_bytes(result, row, 18),
		.data = herald__postgres_row_bytes(result, row, 19),
	};
}

/* Visit a page. *after_id is the last id, or 0 if there is nothing more to visit. */
static enum herald_status
visit_page(struct postgres_session *session, enum postgres_statement statement,
	   herald_dead_visitor *visit, void *state, uint64_t limit, uint64_t *after_id,
	   uint64_t *count, struct herald_error *error)
{
	PGresult *result;
	enum herald_status status = herald__postgres_read(session, statement, &result, error);

	*after_id = 0;
	if (status != HERALD_OK)
		return status;
	for (int row = 0; row < PQntuples(result); row++) {
		struct herald_dead_letter letter = read_letter(result, row);

		if ((uint64_t)row + 1 == limit)
			*after_id = letter.id;
		if (!visit(&letter, state)) {
			*after_id = 0;
			break;
		}
		++*count;
	}
	PQclear(result);
	return HERALD_OK;
}

enum herald_status
herald__postgres_dead_visit(struct herald_session *base, const struct herald_dead_filter *filter,
			    herald_dead_visitor *visit, void *state, struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	const enum postgres_statement statement =
		filter->without_content ? POSTGRES_DEAD_LIST : POSTGRES_DEAD_VISIT;
	uint64_t after_id = filter->after_id, count = 0;
	enum herald_status status = HERALD_OK;

	while (status == HERALD_OK) {
		uint64_t limit = PAGE_ROWS;

		if (filter->limit != 0 && filter->limit - count < limit)
			limit = filter->limit - count;
		put_filter(session, filter, after_id);
		put_limit(session, limit);
		status = visit_page(session, statement, visit, state, limit, &after_id, &count,
				    error);
		if (after_id == 0 || count == filter->limit)
			break;
	}
	return status;
}

/* Searching. */

/* The ids of up to `max` dead letters; the oldest ones first if by_age, and else the smallest ids.
 * Locks none of them: it may read very many, and others need the lock of the lanes, which comes
 * before the locks of rows. */
static enum herald_status
search(struct postgres_session *session, const struct herald_dead_filter *filter, bool by_age,
       size_t max, PGresult **found, struct herald_error *error)
{
	if (by_age)
		herald__postgres_when(herald__postgres_parameters(session), filter->to_ms);
	else
		put_filter(session, filter, filter->after_id);
	put_limit(session, batch_limit(filter, max));
	return herald__postgres_run(session, by_age ? POSTGRES_DEAD_OLD : POSTGRES_DEAD_FIND, found,
				    error);
}

/* Search, lock the lanes, and do something with what was found and still matches. *found_any:
 * whether anything was found. */
static enum herald_status
try_search_and_run(struct postgres_session *session, const struct herald_dead_filter *filter,
		   bool by_age, size_t max, enum postgres_statement statement, PGresult **result,
		   bool *found_any, struct herald_error *error)
{
	PGresult *found;
	enum herald_status status = search(session, filter, by_age, max, &found, error);

	if (status != HERALD_OK)
		return status;
	*found_any = PQntuples(found) > 0;
	if (*found_any)
		status = herald__postgres_lanes_lock(session, error);
	if (status == HERALD_OK) {
		put_filter(session, filter, filter->after_id);
		put_found(session, found);
		status = herald__postgres_run(session, statement, result, error);
	}
	PQclear(found);
	return status;
}

/* Others may have taken all that was found. The lanes are locked by then: what is found now is not
 * taken by others. So an empty result says that nothing is left. */
static enum herald_status
search_and_run(struct postgres_session *session, const struct herald_dead_filter *filter,
	       bool by_age, size_t max, enum postgres_statement statement, PGresult **result,
	       struct herald_error *error)
{
	bool found_any = false;
	enum herald_status status = try_search_and_run(session, filter, by_age, max, statement,
						       result, &found_any, error);

	if (status != HERALD_OK || PQntuples(*result) > 0 || !found_any)
		return status;
	PQclear(*result);
	return try_search_and_run(session, filter, by_age, max, statement, result, &found_any,
				  error);
}

/* Replaying. */

/* Dead letters that become pending again. */
struct selected {
	PGresult *result; /* of DEAD_SELECT */
	int count;
	unsigned char *states;
	struct postgres_lanes keys, origins;
	struct postgres_lanes held; /* keys that dead letters have held */
};

#define COLUMN_ID 0
#define COLUMN_KIND 1
#define COLUMN_KEY 2
#define COLUMN_HELD 3
#define COLUMN_ORIGIN 4

static bool
is_delivery(const struct selected *selected, int row)
{
	return herald__postgres_row_int4(selected->result, row, COLUMN_KIND) != 0;
}

/* A dead letter that is held is in its lane already, and lets go of it. */
static enum herald_status
enter_lanes(struct postgres_session *session, struct selected *selected, struct herald_error *error)
{
	enum herald_status status = HERALD_OK;

	for (int row = 0; row < selected->count && status == HERALD_OK; row++)
		if (is_delivery(selected, row))
			status = herald__postgres_lanes_add_origin(
				session, &selected->origins,
				herald__postgres_row_text(selected->result, row, COLUMN_ORIGIN),
				true);
		else if (herald__postgres_row_bool(selected->result, row, COLUMN_HELD))
			status = herald__postgres_lanes_add_release(
				session, &selected->held,
				herald__postgres_row_int8(selected->result, row, COLUMN_KEY));
		else
			status = herald__postgres_lanes_add_key(
				session, &selected->keys,
				herald__postgres_row_int8(selected->result, row, COLUMN_KEY), true);
	if (status != HERALD_OK)
		return herald_out_of_memory(error);
	status = herald__postgres_lanes_enter(session, &selected->keys, error);
	if (status == HERALD_OK)
		status = herald__postgres_lanes_enter(session, &selected->origins, error);
	return status;
}

static bool
is_blocked(struct postgres_session *session, struct selected *selected, int row)
{
	const PGresult *result = selected->result;

	if (is_delivery(selected, row)) {
		const char *origin = herald__postgres_row_text(result, row, COLUMN_ORIGIN);

		return origin[0] != '\0' &&
		       herald__postgres_lanes_blocks(session, &selected->origins, 0, origin);
	}
	int64_t key = herald__postgres_row_int8(result, row, COLUMN_KEY);
	if (key != 0 && herald__postgres_row_bool(result, row, COLUMN_HELD))
		return true; /* until its lane goes on */
	return key != 0 && herald__postgres_lanes_blocks(session, &selected->keys, key, NULL);
}

/* Move the ones with the same kind. */
static enum herald_status
move(struct postgres_session *session, const struct selected *selected, bool deliveries,
     int64_t now_ms, struct herald_error *error)
{
	struct postgres_parameters *parameters = herald__postgres_parameters(session);
	size_t count = 0;

	for (int row = 0; row < selected->count; row++)
		count += is_delivery(selected, row) == deliveries;
	if (count == 0)
		return HERALD_OK;
	herald__postgres_array(parameters, POSTGRES_INT8, count);
	for (int row = 0; row < selected->count; row++)
		if (is_delivery(selected, row) == deliveries)
			herald__postgres_put_int8(
				parameters,
				herald__postgres_row_int8(selected->result, row, COLUMN_ID));
	herald__postgres_array(parameters, POSTGRES_INT4, count);
	for (int row = 0; row < selected->count; row++)
		if (is_delivery(selected, row) == deliveries)
			herald__postgres_put_int4(parameters, selected->states[row]);
	herald__postgres_when(parameters, now_ms);
	if (deliveries)
		herald__postgres_delivery_ready(session, now_ms);
	else
		herald__postgres_event_ready(session, now_ms);
	return herald__postgres_run(
		session, deliveries ? POSTGRES_DEAD_REPLAY_DELIVERIES : POSTGRES_DEAD_REPLAY_EVENTS,
		NULL, error);
}

static enum herald_status
replay(struct postgres_session *session, struct selected *selected, int64_t now_ms,
       struct herald_error *error)
{
	enum herald_status status = enter_lanes(session, selected, error);

	if (status != HERALD_OK)
		return status;
	for (int row = 0; row < selected->count; row++)
		selected->states[row] =
			is_blocked(session, selected, row) ? POSTGRES_BLOCKED : POSTGRES_READY;
	status = move(session, selected, false, now_ms, error);
	if (status == HERALD_OK)
		status = move(session, selected, true, now_ms, error);
	if (status == HERALD_OK)
		status = herald__postgres_lanes_leave(session, &selected->held, error);
	return status;
}

enum herald_status
herald__postgres_dead_replay(struct herald_session *base, const struct herald_dead_filter *filter,
			     size_t max, int64_t now_ms, uint64_t *count,
			     struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	const struct herald_allocator *allocator = &session->database->options.allocator;
	struct selected selected = {0};

	enum herald_status status = search_and_run(session, filter, false, max,
						   POSTGRES_DEAD_SELECT, &selected.result, error);
	if (status != HERALD_OK)
		return status;
	selected.count = PQntuples(selected.result);
	selected.states = herald_memory_allocate(allocator, (size_t)selected.count);
	status = selected.states ? replay(session, &selected, now_ms, error)
				 : herald_out_of_memory(error);
	if (status == HERALD_OK)
		*count = (uint64_t)selected.count;
	herald__postgres_lanes_finish(session, &selected.keys);
	herald__postgres_lanes_finish(session, &selected.origins);
	herald__postgres_lanes_finish(session, &selected.held);
	herald_memory_release(allocator, selected.states, (size_t)selected.count);
	PQclear(selected.result);
	return status;
}

/* Dropping. */

enum herald_status
herald__postgres_dead_drop(struct herald_session *base, const struct herald_dead_filter *filter,
			   size_t max, uint64_t *count, struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	struct postgres_lanes keys = {0};
	PGresult *result;

	enum herald_status status =
		search_and_run(session, filter, herald_dead_filter_is_by_age(filter), max,
			       POSTGRES_DEAD_DROP, &result, error);
	if (status != HERALD_OK)
		return status;
	uint64_t dropped = (uint64_t)PQntuples(result);
	for (int row = 0; row < PQntuples(result) && status == HERALD_OK; row++)
		status = herald__postgres_lanes_add_key(
			session, &keys, herald__postgres_row_int8(result, row, 0), true);
	status = status == HERALD_OK ? herald__postgres_lanes_leave(session, &keys, error)
				     : herald_out_of_memory(error);
	herald__postgres_lanes_finish(session, &keys);
	PQclear(result);
	if (status == HERALD_OK)
		*count = dropped;
	return status;
}

/* Read a place, if there is one. */
static enum herald_status
read_place(struct postgres_session *session, enum postgres_statement statement,
	   struct herald_dead_place *out, bool *is_there, struct herald_error *error)
{
	PGresult *result;
	enum herald_status status = herald__postgres_read(session, statement, &result, error);

	if (status != HERALD_OK)
		return status;
	*is_there = PQntuples(result) > 0;
	if (*is_there) {
		out->dead_ms = herald__postgres_row_when(result, 0, 0);
		out->id = (uint64_t)herald__postgres_row_int8(result, 0, 1);
	}
	PQclear(result);
	return HERALD_OK;
}

static void
put_place(struct postgres_session *session, const struct herald_dead_place *place)
{
	struct postgres_parameters *parameters = herald__postgres_parameters(session);

	herald__postgres_when(parameters, place->dead_ms);
	herald__postgres_int8(parameters, (int64_t)place->id);
}

/* The youngest `keep` are left out; then for each held one that stays although it is older, another
 * one goes. */
enum herald_status
herald__postgres_dead_surplus(struct herald_session *base, uint64_t keep,
			      struct herald_dead_place *last, bool *is_any,
			      struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	struct herald_dead_place place = {0};
	bool is_there = false, is_another;

	herald__postgres_int8(herald__postgres_parameters(session),
			      keep < INT64_MAX ? (int64_t)keep : INT64_MAX);
	enum herald_status status =
		read_place(session, POSTGRES_DEAD_SURPLUS, &place, &is_there, error);
	if (status == HERALD_OK && is_there) {
		put_place(session, &place);
		status =
			read_place(session, POSTGRES_DEAD_SURPLUS_HELD, &place, &is_another, error);
	}
	if (status == HERALD_OK) {
		*last = place;
		*is_any = is_there;
	}
	return status;
}

enum herald_status
herald__postgres_dead_trim(struct herald_session *base, const struct herald_dead_place *last,
			   size_t max, uint64_t *count, struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	PGresult *result;

	/* It locks the oldest rows first, and the others those with the lowest ids. */
	enum herald_status status = herald__postgres_lanes_lock(session, error);
	if (status != HERALD_OK)
		return status;
	put_place(session, last);
	herald__postgres_int8(&session->parameters, (int64_t)max);
	status = herald__postgres_run(session, POSTGRES_DEAD_TRIM, &result, error);
	if (status != HERALD_OK)
		return status;
	*count = (uint64_t)PQntuples(result);
	PQclear(result);
	return HERALD_OK;
}

enum herald_status
herald__postgres_dead_since(struct herald_session *base, int64_t since_ms, bool *is_there,
			    struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	PGresult *result;

	herald__postgres_when(herald__postgres_parameters(session), since_ms);
	enum herald_status status =
		herald__postgres_run_alone(session, POSTGRES_DEAD_SINCE, &result, error);
	if (status != HERALD_OK)
		return status;
	*is_there = herald__postgres_row_bool(result, 0, 0);
	PQclear(result);
	return HERALD_OK;
}
