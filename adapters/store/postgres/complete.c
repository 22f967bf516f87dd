/*
 * Ending runs: one statement for each way in which they end, then the keys. Owns nothing.
 */
#include "complete.h"

#include <herald/adapter/options.h>

#include "ends.h"
#include "lanes.h"
#include "reasons.h"
#include "rows.h"
#include "session.h"
#include "transaction.h"

struct sorted {
	struct postgres_ends ends;
	struct postgres_lanes keys; /* that events leave */
};

static const struct herald_completion *
of(const struct postgres_end *end)
{
	return end->completion;
}

/* Run it. The first column is the places of the completions that were not lost, the second one when
 * the event is due, or the key that it leaves. */
static enum herald_status
run_end(struct postgres_session *session, enum postgres_statement statement, struct sorted *sorted,
	struct herald_error *error)
{
	PGresult *result;
	enum herald_status status = herald__postgres_run(session, statement, &result, error);

	if (status != HERALD_OK)
		return status;
	for (int row = 0; row < PQntuples(result) && status == HERALD_OK; row++) {
		const struct postgres_end *end =
			herald__postgres_end_found(&sorted->ends, result, row);

		if (herald__postgres_is_return(end))
			herald__postgres_event_ready(session,
						     herald__postgres_row_when(result, row, 1));
		else if (!herald__postgres_is_dead(end) || !of(end)->is_held)
			status = herald__postgres_lanes_add_key(
				session, &sorted->keys, herald__postgres_row_int8(result, row, 1),
				true);
	}
	PQclear(result);
	return status == HERALD_OK ? HERALD_OK : herald_out_of_memory(error);
}

/* The ways to end. */

static enum herald_status
end_done(struct postgres_session *session, struct sorted *sorted, struct herald_error *error)
{
	if (herald__postgres_put_fence(session, &sorted->ends, herald__postgres_is_done) == 0)
		return HERALD_OK;
	return run_end(session, POSTGRES_EVENT_DONE, sorted, error);
}

static enum herald_status
end_return(struct postgres_session *session, struct sorted *sorted, struct herald_error *error)
{
	struct postgres_parameters *parameters = &session->parameters;
	const size_t count =
		herald__postgres_put_fence(session, &sorted->ends, herald__postgres_is_return);

	if (count == 0)
		return HERALD_OK;
	herald__postgres_array(parameters, POSTGRES_INT4, count);
	POSTGRES_EACH_END(&sorted->ends, herald__postgres_is_return, end)
	herald__postgres_put_int4(parameters, end->kind == HERALD_COMPLETE_RELEASE
						      ? !of(end)->may_have_run
						      : of(end)->has_not_run);
	herald__postgres_array(parameters, POSTGRES_TIMESTAMPTZ, count);
	POSTGRES_EACH_END(&sorted->ends, herald__postgres_is_return, end)
	{
		if (herald__postgres_is_retry(end))
			herald__postgres_put_when(parameters, of(end)->due_ms);
		else
			herald__postgres_put_null(parameters);
	}
	herald__postgres_array(parameters, POSTGRES_TIMESTAMPTZ, count);
	POSTGRES_EACH_END(&sorted->ends, herald__postgres_is_return, end)
	herald__postgres_put_when(parameters, of(end)->now_ms);
	herald__postgres_array(parameters, POSTGRES_BYTEA, count);
	POSTGRES_EACH_END(&sorted->ends, herald__postgres_is_return, end)
	herald__postgres_put_text(parameters,
				  herald__postgres_is_retry(end) ? of(end)->reason : NULL);
	return run_end(session, POSTGRES_EVENT_RETURN, sorted, error);
}

static const char *
text_or_empty(const char *text)
{
	return text ? text : "";
}

static enum herald_status
end_dead(struct postgres_session *session, struct sorted *sorted, struct herald_error *error)
{
	struct postgres_parameters *parameters = &session->parameters;
	const size_t count =
		herald__postgres_put_fence(session, &sorted->ends, herald__postgres_is_dead);

	if (count == 0)
		return HERALD_OK;
	herald__postgres_array(parameters, POSTGRES_TIMESTAMPTZ, count);
	POSTGRES_EACH_END(&sorted->ends, herald__postgres_is_dead, end)
	herald__postgres_put_when(parameters, of(end)->now_ms);
	herald__postgres_array(parameters, POSTGRES_BOOL, count);
	POSTGRES_EACH_END(&sorted->ends, herald__postgres_is_dead, end)
	herald__postgres_put_bool(parameters, of(end)->is_held);
	herald__postgres_array(parameters, POSTGRES_BYTEA, count);
	POSTGRES_EACH_END(&sorted->ends, herald__postgres_is_dead, end)
	herald__postgres_put_text(parameters, herald__postgres_reason_name(of(end)->why));
	herald__postgres_array(parameters, POSTGRES_BYTEA, count);
	POSTGRES_EACH_END(&sorted->ends, herald__postgres_is_dead, end)
	herald__postgres_put_text(parameters, text_or_empty(of(end)->reason));
	herald__postgres_array(parameters, POSTGRES_BYTEA, count);
	POSTGRES_EACH_END(&sorted->ends, herald__postgres_is_dead, end)
	herald__postgres_put_text(parameters, text_or_empty(of(end)->path));
	herald__postgres_array(parameters, POSTGRES_INT8, count);
	POSTGRES_EACH_END(&sorted->ends, herald__postgres_is_dead, end)
	herald__postgres_put_int8(parameters, of(end)->offset);
	herald__postgres_array(parameters, POSTGRES_INT4, count);
	POSTGRES_EACH_END(&sorted->ends, herald__postgres_is_dead, end)
	herald__postgres_put_int4(parameters, of(end)->has_not_run);
	return run_end(session, POSTGRES_EVENT_DEAD, sorted, error);
}

enum herald_status
herald__postgres_complete(struct herald_session *base, struct herald_completion *completions,
			  size_t count, struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	struct sorted sorted = {.keys = {0}};

	if (!herald__postgres_ends_init(session, &sorted.ends, count))
		return herald_out_of_memory(error);
	for (size_t i = 0; i < count; i++)
		herald__postgres_ends_add(&sorted.ends, &POSTGRES_END(&completions[i]));
	herald__postgres_ends_sort(&sorted.ends);
	enum herald_status status = end_done(session, &sorted, error);
	if (status == HERALD_OK)
		status = end_return(session, &sorted, error);
	if (status == HERALD_OK)
		status = end_dead(session, &sorted, error);
	if (status == HERALD_OK)
		status = herald__postgres_lanes_leave(session, &sorted.keys, error);
	herald__postgres_lanes_finish(session, &sorted.keys);
	herald__postgres_ends_finish(session, &sorted.ends);
	return status;
}
