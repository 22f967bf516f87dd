/*
 * Deliveries, as accept.c, claim.c and complete.c for events. Owns nothing.
 */
#include "delivery.h"

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>

#include "ends.h"
#include "lanes.h"
#include "pick.h"
#include "reasons.h"
#include "rows.h"
#include "session.h"
#include "transaction.h"

/* Of one statement: PostgreSQL takes up to 1 GiB. */
#define CHUNK_ROWS 2000
#define CHUNK_BYTES (16 << 20)

/* Storing. */

/* Deliveries that one INSERT stores, with at most one owner. */
struct chunk {
	struct herald_stored_delivery *deliveries;
	const unsigned char *states;
	size_t count;
	uint64_t owner;
};

static struct chunk
next_chunk(struct herald_stored_delivery *deliveries, const unsigned char *states, size_t count)
{
	struct chunk chunk = {.deliveries = deliveries, .states = states};
	size_t bytes = 0;

	for (; chunk.count < count && chunk.count < CHUNK_ROWS; chunk.count++) {
		const struct herald_stored_delivery *delivery = &deliveries[chunk.count];

		bytes += delivery->record.bytes;
		if (chunk.count > 0 && bytes > CHUNK_BYTES)
			break;
		if (states[chunk.count] == POSTGRES_RUNNING) {
			if (chunk.owner != 0 && chunk.owner != delivery->owner)
				break;
			chunk.owner = delivery->owner;
		}
	}
	return chunk;
}

static void
put_texts(struct postgres_parameters *parameters, const struct chunk *chunk, size_t member)
{
	herald__postgres_array(parameters, POSTGRES_BYTEA, chunk->count);
	for (size_t i = 0; i < chunk->count; i++)
		herald__postgres_put_text(
			parameters,
			*(const char *const *)((const char *)&chunk->deliveries[i] + member));
}

static void
put_times(struct postgres_parameters *parameters, const struct chunk *chunk, size_t member)
{
	herald__postgres_array(parameters, POSTGRES_TIMESTAMPTZ, chunk->count);
	for (size_t i = 0; i < chunk->count; i++)
		herald__postgres_put_when(
			parameters,
			*(const int64_t *)((const char *)&chunk->deliveries[i] + member));
}

static void
put_chunk(struct postgres_parameters *parameters, struct postgres_leases *leases,
	  const struct chunk *chunk)
{
	if (chunk->owner != 0)
		herald__postgres_int8(parameters, (int64_t)chunk->owner);
	else
		herald__postgres_null(parameters);
	herald__postgres_array(parameters, POSTGRES_INT4, chunk->count);
	for (size_t i = 0; i < chunk->count; i++)
		herald__postgres_put_int4(parameters, chunk->states[i]);
	put_times(parameters, chunk, offsetof(struct herald_stored_delivery, due_ms));
	put_times(parameters, chunk, offsetof(struct herald_stored_delivery, created_ms));
	put_times(parameters, chunk, offsetof(struct herald_stored_delivery, expires_ms));
	put_texts(parameters, chunk, offsetof(struct herald_stored_delivery, delivery_id));
	put_texts(parameters, chunk, offsetof(struct herald_stored_delivery, url));
	put_texts(parameters, chunk, offsetof(struct herald_stored_delivery, origin));
	put_texts(parameters, chunk, offsetof(struct herald_stored_delivery, event_type));
	put_texts(parameters, chunk, offsetof(struct herald_stored_delivery, event_id));
	herald__postgres_array(parameters, POSTGRES_BYTEA, chunk->count);
	for (size_t i = 0; i < chunk->count; i++)
		herald__postgres_put_bytes(parameters, chunk->deliveries[i].record.data,
					   chunk->deliveries[i].record.bytes);
	herald__postgres_put_lease(parameters, leases, chunk->owner);
}

static enum herald_status
insert(struct postgres_session *session, const struct chunk *chunk, struct herald_error *error)
{
	PGresult *result;

	put_chunk(herald__postgres_parameters(session), &session->database->leases, chunk);
	enum herald_status status =
		herald__postgres_run(session, POSTGRES_DELIVERY_INSERT, &result, error);
	if (status != HERALD_OK)
		return status;
	if ((size_t)PQntuples(result) != chunk->count)
		status = herald_error_set(error, HERALD_LEASE_LOST, HERALD_NO_OFFSET,
					  "the node that deliveries were stored for is gone");
	for (size_t i = 0; status == HERALD_OK && i < chunk->count; i++) {
		struct herald_stored_delivery *delivery = &chunk->deliveries[i];

		delivery->id = (uint64_t)herald__postgres_row_int8(result, (int)i, 0);
		if (chunk->states[i] != POSTGRES_RUNNING)
			delivery->owner = 0;
		if (chunk->states[i] == POSTGRES_READY)
			herald__postgres_delivery_ready(session, delivery->due_ms);
	}
	PQclear(result);
	return status;
}

/* The state of each delivery, by how many others go to its origin. */
static enum herald_status
place(struct postgres_session *session, struct postgres_lanes *lanes,
      const struct herald_stored_delivery *deliveries, size_t count, unsigned char *states,
      struct herald_error *error)
{
	for (size_t i = 0; i < count; i++)
		if (herald__postgres_lanes_add_origin(session, lanes, deliveries[i].origin, true) !=
		    HERALD_OK)
			return herald_out_of_memory(error);
	enum herald_status status = herald__postgres_lanes_enter(session, lanes, error);
	for (size_t i = 0; status == HERALD_OK && i < count; i++) {
		const char *origin = deliveries[i].origin;

		if (origin[0] != '\0' && herald__postgres_lanes_blocks(session, lanes, 0, origin))
			states[i] = POSTGRES_BLOCKED;
		else
			states[i] = deliveries[i].owner != 0 ? POSTGRES_RUNNING : POSTGRES_READY;
	}
	return status;
}

enum herald_status
herald__postgres_delivery_push(struct herald_session *base,
			       struct herald_stored_delivery *deliveries, size_t count,
			       struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	const struct herald_allocator *allocator = &session->database->options.allocator;
	struct postgres_lanes lanes = {0};
	unsigned char *states = herald_memory_allocate(allocator, count);

	if (!states)
		return herald_out_of_memory(error);
	enum herald_status status = place(session, &lanes, deliveries, count, states, error);
	for (size_t done = 0; status == HERALD_OK && done < count;) {
		struct chunk chunk = next_chunk(deliveries + done, states + done, count - done);

		status = insert(session, &chunk, error);
		done += chunk.count;
	}
	herald__postgres_lanes_finish(session, &lanes);
	herald_memory_release(allocator, states, count);
	return status;
}

/* Claiming. */

/* The columns of DELIVERY_CLAIM. */
static struct herald_stored_delivery
read_delivery(const PGresult *result, int row, uint64_t owner)
{
	return (struct herald_stored_delivery){
		.id = (uint64_t)herald__postgres_row_int8(result, row, 0),
		.due_ms = herald__postgres_row_when(result, row, 1),
		.created_ms = herald__postgres_row_when(result, row, 2),
		.expires_ms = herald__postgres_row_when(result, row, 3),
		.attempts = (unsigned)herald__postgres_row_int4(result, row, 4),
		.replays = (unsigned)herald__postgres_row_int4(result, row, 5),
		.last_http_status = (unsigned)herald__postgres_row_int4(result, row, 6),
		.delivery_id = herald__postgres_row_text(result, row, 7),
		.url = herald__postgres_row_text(result, row, 8),
		.origin = herald__postgres_row_text(result, row, 9),
		.event_type = herald__postgres_row_text(result, row, 10),
		.event_id = herald__postgres_row_text(result, row, 11),
		.last_error = herald__postgres_row_text(result, row, 12),
		.record = herald__postgres_row_bytes(result, row, 13),
		.owner = owner,
	};
}

enum herald_status
herald__postgres_delivery_claim(struct herald_session *base,
				const struct herald_delivery_claim *claim,
				herald_stored_delivery_visitor *visit, void *state,
				int64_t *next_ms, struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	bool is_bounded = claim->now_ms <= INT64_MAX - claim->max_delay_ms;
	struct postgres_pick pick = {
		.claim = POSTGRES_DELIVERY_CLAIM,
		.next = POSTGRES_DELIVERY_NEXT,
		.now_ms = claim->now_ms,
		.late_ms = is_bounded ? claim->now_ms + claim->max_delay_ms : INT64_MAX,
		.max_rows = claim->max_deliveries,
		.max_bytes = claim->max_bytes,
		.owner = claim->owner,
	};
	enum herald_status status = herald__postgres_pick(session, &pick, error);
	bool goes_on = status == HERALD_OK;

	for (size_t i = 0; goes_on && i < pick.count; i++) {
		struct herald_stored_delivery delivery =
			read_delivery(pick.result, pick.rows[i].row, claim->owner);

		goes_on = visit(&delivery, state);
	}
	if (status == HERALD_OK)
		*next_ms = pick.next_ms;
	herald__postgres_pick_finish(session, &pick);
	return status;
}

enum herald_status
herald__postgres_delivery_owned(struct herald_session *base, uint64_t owner,
				herald_stored_delivery_visitor *visit, void *state,
				struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	PGresult *result;

	herald__postgres_int8(herald__postgres_parameters(session), (int64_t)owner);
	enum herald_status status =
		herald__postgres_run(session, POSTGRES_DELIVERY_OWNED, &result, error);
	if (status != HERALD_OK)
		return status;
	for (int row = 0; row < PQntuples(result); row++) {
		struct herald_stored_delivery delivery = {
			.id = (uint64_t)herald__postgres_row_int8(result, row, 0),
			.attempts = (unsigned)herald__postgres_row_int4(result, row, 1),
			.replays = (unsigned)herald__postgres_row_int4(result, row, 2),
			.delivery_id = "",
			.url = "",
			.origin = "",
			.event_type = "",
			.event_id = "",
			.last_error = "",
			.owner = owner,
		};

		if (!visit(&delivery, state))
			break;
	}
	PQclear(result);
	return HERALD_OK;
}

/* Ending. */

struct sorted {
	struct postgres_ends ends;
	struct postgres_lanes lanes; /* that rows have left; texts are in `results` */
	PGresult *results[2];
	size_t results_count;
};

static const struct herald_delivery_completion *
of(const struct postgres_end *end)
{
	return end->completion;
}

/* Run a statement after which rows are gone: their places and origins come back. */
static enum herald_status
remove_rows(struct postgres_session *session, enum postgres_statement statement,
	    struct sorted *sorted, struct herald_error *error)
{
	PGresult *result;
	enum herald_status status = herald__postgres_run(session, statement, &result, error);

	if (status != HERALD_OK)
		return status;
	sorted->results[sorted->results_count++] = result;
	for (int row = 0; row < PQntuples(result) && status == HERALD_OK; row++) {
		herald__postgres_end_found(&sorted->ends, result, row);
		status = herald__postgres_lanes_add_origin(
			session, &sorted->lanes, herald__postgres_row_text(result, row, 1), true);
	}
	return status == HERALD_OK ? HERALD_OK : herald_out_of_memory(error);
}

static enum herald_status
end_done(struct postgres_session *session, struct sorted *sorted, struct herald_error *error)
{
	if (herald__postgres_put_fence(session, &sorted->ends, herald__postgres_is_done) == 0)
		return HERALD_OK;
	return remove_rows(session, POSTGRES_DELIVERY_DONE, sorted, error);
}

static enum herald_status
end_dead(struct postgres_session *session, struct sorted *sorted, struct herald_error *error)
{
	struct postgres_parameters *parameters = &session->parameters;
	size_t count = herald__postgres_put_fence(session, &sorted->ends, herald__postgres_is_dead);

	if (count == 0)
		return HERALD_OK;
	herald__postgres_array(parameters, POSTGRES_TIMESTAMPTZ, count);
	POSTGRES_EACH_END(&sorted->ends, herald__postgres_is_dead, end)
	herald__postgres_put_when(parameters, of(end)->now_ms);
	herald__postgres_array(parameters, POSTGRES_BYTEA, count);
	POSTGRES_EACH_END(&sorted->ends, herald__postgres_is_dead, end)
	herald__postgres_put_text(parameters, herald__postgres_reason_name(of(end)->why));
	herald__postgres_array(parameters, POSTGRES_BYTEA, count);
	POSTGRES_EACH_END(&sorted->ends, herald__postgres_is_dead, end)
	herald__postgres_put_text(parameters, of(end)->reason ? of(end)->reason : "");
	herald__postgres_array(parameters, POSTGRES_INT4, count);
	POSTGRES_EACH_END(&sorted->ends, herald__postgres_is_dead, end)
	herald__postgres_put_int4(parameters, (int32_t)of(end)->http_status);
	return remove_rows(session, POSTGRES_DELIVERY_DEAD, sorted, error);
}

/* A time of RETRY; RELEASE leaves the row as it is. */
static void
put_retry_times(struct postgres_parameters *parameters, const struct sorted *sorted, size_t count,
		size_t member)
{
	herald__postgres_array(parameters, POSTGRES_TIMESTAMPTZ, count);
	POSTGRES_EACH_END(&sorted->ends, herald__postgres_is_return, end)
	{
		if (herald__postgres_is_retry(end))
			herald__postgres_put_when(
				parameters,
				*(const int64_t *)((const char *)end->completion + member));
		else
			herald__postgres_put_null(parameters);
	}
}

static void
put_retry_numbers(struct postgres_parameters *parameters, const struct sorted *sorted, size_t count,
		  size_t member)
{
	herald__postgres_array(parameters, POSTGRES_INT4, count);
	POSTGRES_EACH_END(&sorted->ends, herald__postgres_is_return, end)
	{
		if (herald__postgres_is_retry(end))
			herald__postgres_put_int4(
				parameters,
				(int32_t) *
					(const unsigned *)((const char *)end->completion + member));
		else
			herald__postgres_put_null(parameters);
	}
}

/* NULL: one less than before. */
static void
put_new_attempts(struct postgres_parameters *parameters, const struct sorted *sorted, size_t count)
{
	herald__postgres_array(parameters, POSTGRES_INT4, count);
	POSTGRES_EACH_END(&sorted->ends, herald__postgres_is_return, end)
	{
		if (herald__postgres_is_retry(end))
			herald__postgres_put_int4(parameters, (int32_t)of(end)->new_attempts);
		else if (of(end)->may_have_run)
			herald__postgres_put_int4(parameters, (int32_t)of(end)->attempts);
		else
			herald__postgres_put_null(parameters);
	}
}

static enum herald_status
end_return(struct postgres_session *session, struct sorted *sorted, struct herald_error *error)
{
	struct postgres_parameters *parameters = &session->parameters;
	size_t count =
		herald__postgres_put_fence(session, &sorted->ends, herald__postgres_is_return);
	PGresult *result;

	if (count == 0)
		return HERALD_OK;
	put_new_attempts(parameters, sorted, count);
	put_retry_times(parameters, sorted, count,
			offsetof(struct herald_delivery_completion, due_ms));
	put_retry_times(parameters, sorted, count,
			offsetof(struct herald_delivery_completion, now_ms));
	put_retry_times(parameters, sorted, count,
			offsetof(struct herald_delivery_completion, expires_ms));
	put_retry_numbers(parameters, sorted, count,
			  offsetof(struct herald_delivery_completion, http_status));
	herald__postgres_array(parameters, POSTGRES_BYTEA, count);
	POSTGRES_EACH_END(&sorted->ends, herald__postgres_is_return, end)
	herald__postgres_put_text(parameters,
				  herald__postgres_is_retry(end) ? of(end)->reason : NULL);
	enum herald_status status =
		herald__postgres_run(session, POSTGRES_DELIVERY_RETURN, &result, error);
	if (status != HERALD_OK)
		return status;
	for (int row = 0; row < PQntuples(result); row++) {
		herald__postgres_end_found(&sorted->ends, result, row);
		herald__postgres_delivery_ready(session, herald__postgres_row_when(result, row, 1));
	}
	PQclear(result);
	return HERALD_OK;
}

enum herald_status
herald__postgres_delivery_complete(struct herald_session *base,
				   struct herald_delivery_completion *completions, size_t count,
				   struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	struct sorted sorted = {.results_count = 0};

	if (!herald__postgres_ends_init(session, &sorted.ends, count))
		return herald_out_of_memory(error);
	for (size_t i = 0; i < count; i++)
		herald__postgres_ends_add(&sorted.ends, &POSTGRES_END(&completions[i]));
	herald__postgres_ends_sort(&sorted.ends);
	enum herald_status status = end_done(session, &sorted, error);
	if (status == HERALD_OK)
		status = end_dead(session, &sorted, error);
	if (status == HERALD_OK)
		status = end_return(session, &sorted, error);
	if (status == HERALD_OK)
		status = herald__postgres_lanes_leave(session, &sorted.lanes, error);
	herald__postgres_lanes_finish(session, &sorted.lanes);
	for (size_t i = 0; i < sorted.results_count; i++)
		PQclear(sorted.results[i]);
	herald__postgres_ends_finish(session, &sorted.ends);
	return status;
}
