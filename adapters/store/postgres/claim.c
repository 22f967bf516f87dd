/*
 * Claiming events. Owns nothing; pick.c does it.
 */
#include "claim.h"

#include "pick.h"
#include "rows.h"
#include "session.h"
#include "times.h"

/* The columns of EVENT_CLAIM. */
static struct herald_stored_event
read_event(const PGresult *result, int row, uint64_t owner)
{
	return (struct herald_stored_event){
		.id = (uint64_t)herald__postgres_row_int8(result, row, 0),
		.due_ms = herald__postgres_row_when(result, row, 1),
		.created_ms = herald__postgres_row_when(result, row, 2),
		.key_hash = (uint64_t)herald__postgres_row_int8(result, row, 3),
		.holds_key = herald__postgres_row_bool(result, row, 4),
		.attempts = (unsigned)herald__postgres_row_int4(result, row, 5),
		.replays = (unsigned)herald__postgres_row_int4(result, row, 6),
		.interrupted = (unsigned)herald__postgres_row_int4(result, row, 7),
		.queue = herald__postgres_row_text(result, row, 8),
		.event_type = herald__postgres_row_text(result, row, 9),
		.source = herald__postgres_row_text(result, row, 10),
		.event_id = herald__postgres_row_text(result, row, 11),
		.content_type = herald__postgres_row_text(result, row, 12),
		.last_error = herald__postgres_row_text(result, row, 13),
		.attributes = herald__postgres_row_bytes(result, row, 14),
		.data = herald__postgres_row_bytes(result, row, 15),
		.owner = owner,
	};
}

enum herald_status
herald__postgres_claim(struct herald_session *base, const struct herald_claim *claim,
		       herald_stored_event_visitor *visit, void *state, int64_t *next_ms,
		       struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	struct postgres_pick pick = {
		.claim = POSTGRES_EVENT_CLAIM,
		.next = POSTGRES_EVENT_NEXT,
		.queue = claim->queue,
		.now_ms = claim->now_ms,
		.late_ms = herald__postgres_latest_ms(claim->now_ms),
		.max_rows = claim->max_events,
		.max_bytes = claim->max_bytes,
		.owner = claim->owner,
	};
	enum herald_status status = herald__postgres_pick(session, &pick, error);
	bool goes_on = status == HERALD_OK;

	for (size_t i = 0; goes_on && i < pick.count; i++) {
		struct herald_stored_event event =
			read_event(pick.result, pick.rows[i].row, claim->owner);

		goes_on = visit(&event, state);
	}
	if (status == HERALD_OK)
		*next_ms = pick.next_ms;
	herald__postgres_pick_finish(session, &pick);
	return status;
}

enum herald_status
herald__postgres_owned(struct herald_session *base, uint64_t owner,
		       herald_stored_event_visitor *visit, void *state, struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	PGresult *result;

	herald__postgres_int8(herald__postgres_parameters(session), (int64_t)owner);
	enum herald_status status =
		herald__postgres_run(session, POSTGRES_EVENT_OWNED, &result, error);
	if (status != HERALD_OK)
		return status;
	for (int row = 0; row < PQntuples(result); row++) {
		struct herald_stored_event event = {
			.id = (uint64_t)herald__postgres_row_int8(result, row, 0),
			.attempts = (unsigned)herald__postgres_row_int4(result, row, 1),
			.replays = (unsigned)herald__postgres_row_int4(result, row, 2),
			.key_hash = (uint64_t)herald__postgres_row_int8(result, row, 3),
			.queue = "",
			.event_type = "",
			.source = "",
			.event_id = "",
			.content_type = "",
			.last_error = "",
			.owner = owner,
		};

		if (!visit(&event, state))
			break;
	}
	PQclear(result);
	return HERALD_OK;
}
