/*
 * Storing new events: deduplication, then the order by key, then the rows, each as a group. Owns
 * nothing.
 */
#include "accept.h"

#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>

#include "lanes.h"
#include "rows.h"
#include "seen.h"
#include "session.h"
#include "transaction.h"

/* Of one statement: PostgreSQL takes up to 1 GiB. */
#define CHUNK_ROWS 2000
#define CHUNK_BYTES (16 << 20)

/* Events that one INSERT stores: with the same queue, and at most one owner. */
struct chunk {
	struct herald_stored_event *events;
	const unsigned char *states; /* of each; duplicates have DUPLICATE */
	size_t count;
	size_t rows;       /* without duplicates */
	const char *queue; /* NULL: no rows */
	uint64_t owner;
};

#define DUPLICATE 255

/* The state of each event. */
static void
place(struct postgres_session *session, struct postgres_lanes *lanes,
      const struct herald_stored_event *events, size_t count, unsigned char *states)
{
	for (size_t i = 0; i < count; i++) {
		const struct herald_stored_event *event = &events[i];

		if (event->is_duplicate)
			states[i] = DUPLICATE;
		else if (event->key_hash != 0 &&
			 herald__postgres_lanes_blocks(session, lanes, (int64_t)event->key_hash,
						       NULL))
			states[i] = POSTGRES_BLOCKED;
		else
			states[i] = event->owner != 0 ? POSTGRES_RUNNING : POSTGRES_READY;
	}
}

static enum herald_status
enter_lanes(struct postgres_session *session, struct postgres_lanes *lanes,
	    const struct herald_stored_event *events, size_t count, struct herald_error *error)
{
	for (size_t i = 0; i < count; i++)
		if (!events[i].is_duplicate &&
		    herald__postgres_lanes_add_key(session, lanes, (int64_t)events[i].key_hash,
						   true) != HERALD_OK)
			return herald_out_of_memory(error);
	return herald__postgres_lanes_enter(session, lanes, error);
}

/* How many of the events the next statement takes. */
static struct chunk
next_chunk(struct herald_stored_event *events, const unsigned char *states, size_t count)
{
	struct chunk chunk = {.events = events, .states = states};
	size_t bytes = 0;

	for (; chunk.count < count && chunk.rows < CHUNK_ROWS; chunk.count++) {
		const struct herald_stored_event *event = &events[chunk.count];

		if (states[chunk.count] == DUPLICATE)
			continue;
		bytes += event->data.bytes + event->attributes.bytes;
		if (chunk.rows > 0 &&
		    (bytes > CHUNK_BYTES || strcmp(event->queue, chunk.queue) != 0))
			break;
		chunk.queue = event->queue;
		if (states[chunk.count] == POSTGRES_RUNNING) {
			if (chunk.owner != 0 && chunk.owner != event->owner)
				break;
			chunk.owner = event->owner;
		}
		chunk.rows++;
	}
	return chunk;
}

/* The columns. Each is an array with a value for every row. */
#define EACH_EVENT(chunk, i)                                                                       \
	for (size_t i = 0; i < (chunk)->count; i++)                                                \
		if ((chunk)->states[i] != DUPLICATE)

static void
put_texts(struct postgres_parameters *parameters, const struct chunk *chunk, size_t member)
{
	herald__postgres_array(parameters, POSTGRES_BYTEA, chunk->rows);
	EACH_EVENT(chunk, i)
	herald__postgres_put_text(parameters,
				  *(const char *const *)((const char *)&chunk->events[i] + member));
}

static void
put_bytes(struct postgres_parameters *parameters, const struct chunk *chunk, size_t member)
{
	herald__postgres_array(parameters, POSTGRES_BYTEA, chunk->rows);
	EACH_EVENT(chunk, i)
	{
		const struct herald_text *text =
			(const struct herald_text *)((const char *)&chunk->events[i] + member);

		herald__postgres_put_bytes(parameters, text->data, text->bytes);
	}
}

static void
put_times(struct postgres_parameters *parameters, const struct chunk *chunk, size_t member)
{
	herald__postgres_array(parameters, POSTGRES_TIMESTAMPTZ, chunk->rows);
	EACH_EVENT(chunk, i)
	herald__postgres_put_when(parameters,
				  *(const int64_t *)((const char *)&chunk->events[i] + member));
}

static void
put_keys(struct postgres_parameters *parameters, const struct chunk *chunk)
{
	herald__postgres_array(parameters, POSTGRES_INT8, chunk->rows);
	EACH_EVENT(chunk, i)
	{
		if (chunk->events[i].key_hash != 0)
			herald__postgres_put_int8(parameters, (int64_t)chunk->events[i].key_hash);
		else
			herald__postgres_put_null(parameters);
	}
	herald__postgres_array(parameters, POSTGRES_BOOL, chunk->rows);
	EACH_EVENT(chunk, i)
	herald__postgres_put_bool(parameters, chunk->events[i].holds_key);
}

static void
put_chunk(struct postgres_parameters *parameters, struct postgres_leases *leases,
	  const struct chunk *chunk)
{
	if (chunk->owner != 0)
		herald__postgres_int8(parameters, (int64_t)chunk->owner);
	else
		herald__postgres_null(parameters);
	herald__postgres_text(parameters, chunk->queue);
	herald__postgres_array(parameters, POSTGRES_INT4, chunk->rows);
	EACH_EVENT(chunk, i)
	herald__postgres_put_int4(parameters, chunk->states[i]);
	put_times(parameters, chunk, offsetof(struct herald_stored_event, due_ms));
	put_times(parameters, chunk, offsetof(struct herald_stored_event, created_ms));
	put_keys(parameters, chunk);
	put_texts(parameters, chunk, offsetof(struct herald_stored_event, event_type));
	put_texts(parameters, chunk, offsetof(struct herald_stored_event, source));
	put_texts(parameters, chunk, offsetof(struct herald_stored_event, event_id));
	put_texts(parameters, chunk, offsetof(struct herald_stored_event, content_type));
	put_bytes(parameters, chunk, offsetof(struct herald_stored_event, attributes));
	put_bytes(parameters, chunk, offsetof(struct herald_stored_event, data));
	herald__postgres_put_lease(parameters, leases, chunk->owner);
}

/* The rows come back in the order in which they were stored. */
static void
set_outputs(struct postgres_session *session, const struct chunk *chunk, const PGresult *result)
{
	int row = 0;

	for (size_t i = 0; i < chunk->count; i++) {
		struct herald_stored_event *event = &chunk->events[i];

		if (chunk->states[i] != POSTGRES_RUNNING)
			event->owner = 0;
		if (chunk->states[i] == DUPLICATE)
			continue;
		event->id = (uint64_t)herald__postgres_row_int8(result, row++, 0);
		if (chunk->states[i] == POSTGRES_READY)
			herald__postgres_event_ready(session, event->due_ms);
	}
}

static enum herald_status
insert(struct postgres_session *session, const struct chunk *chunk, struct herald_error *error)
{
	PGresult *result;

	put_chunk(herald__postgres_parameters(session), &session->database->leases, chunk);
	enum herald_status status =
		herald__postgres_run(session, POSTGRES_EVENT_INSERT, &result, error);
	if (status != HERALD_OK)
		return status;
	if ((size_t)PQntuples(result) == chunk->rows)
		set_outputs(session, chunk, result);
	else
		status = herald_error_set(error, HERALD_LEASE_LOST, HERALD_NO_OFFSET,
					  "the node that events were stored for is gone");
	PQclear(result);
	return status;
}

static enum herald_status
insert_all(struct postgres_session *session, struct herald_stored_event *events,
	   const unsigned char *states, size_t count, struct herald_error *error)
{
	enum herald_status status = HERALD_OK;

	for (size_t done = 0; status == HERALD_OK && done < count;) {
		struct chunk chunk = next_chunk(events + done, states + done, count - done);

		if (chunk.rows > 0)
			status = insert(session, &chunk, error);
		else
			set_outputs(session, &chunk, NULL);
		done += chunk.count;
	}
	return status;
}

enum herald_status
herald__postgres_accept(struct herald_session *base, struct herald_stored_event *events,
			size_t count, struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	const struct herald_allocator *allocator = &session->database->options.allocator;
	struct postgres_lanes lanes = {0};
	unsigned char *states = herald_memory_allocate(allocator, count);

	if (!states)
		return herald_out_of_memory(error);
	/* The ids before the lanes: who has the lanes must not wait for ids of others. */
	enum herald_status status = herald__postgres_seen_add(session, events, count, error);
	if (status == HERALD_OK)
		status = enter_lanes(session, &lanes, events, count, error);
	if (status == HERALD_OK) {
		place(session, &lanes, events, count, states);
		status = insert_all(session, events, states, count, error);
	}
	herald__postgres_lanes_finish(session, &lanes);
	herald_memory_release(allocator, states, count);
	return status;
}
