/*
 * Lanes. Owns the rows of herald_key and herald_origin, and what is BLOCKED.
 */
#include "lanes.h"

#include <stdlib.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>

#include "rows.h"
#include "session.h"
#include "transaction.h"

void
herald__postgres_lanes_finish(struct postgres_session *session, struct postgres_lanes *lanes)
{
	herald_memory_release(&session->database->options.allocator, lanes->lanes,
			      lanes->capacity * sizeof(*lanes->lanes));
	*lanes = (struct postgres_lanes){0};
}

/* The list. */

static enum herald_status
add(struct postgres_session *session, struct postgres_lanes *lanes, struct postgres_lane lane)
{
	if (lanes->count == lanes->capacity) {
		size_t capacity = lanes->capacity ? lanes->capacity * 2 : 64;
		struct postgres_lane *grown = herald_memory_reallocate(
			&session->database->options.allocator, lanes->lanes,
			lanes->capacity * sizeof(*grown), capacity * sizeof(*grown));

		if (!grown)
			return HERALD_NO_MEMORY;
		lanes->lanes = grown;
		lanes->capacity = capacity;
	}
	lanes->lanes[lanes->count++] = lane;
	return HERALD_OK;
}

enum herald_status
herald__postgres_lanes_add_key(struct postgres_session *session, struct postgres_lanes *lanes,
			       int64_t key, bool is_live)
{
	if (key == 0)
		return HERALD_OK;
	return add(session, lanes, (struct postgres_lane){.key = key, .count = 1, .live = is_live});
}

enum herald_status
herald__postgres_lanes_add_release(struct postgres_session *session, struct postgres_lanes *lanes,
				   int64_t key)
{
	return key == 0 ? HERALD_OK
			: add(session, lanes, (struct postgres_lane){.key = key, .live = 1});
}

enum herald_status
herald__postgres_lanes_add_origin(struct postgres_session *session, struct postgres_lanes *lanes,
				  const char *origin, bool is_live)
{
	if (origin[0] == '\0')
		return HERALD_OK;
	lanes->is_delivery = true;
	return add(session, lanes,
		   (struct postgres_lane){.origin = origin, .count = 1, .live = is_live});
}

/* In the order of PostgreSQL, in which the lanes are locked. */
static int
compare(const void *a, const void *b)
{
	const struct postgres_lane *first = a, *second = b;

	if (first->origin)
		return strcmp(first->origin, second->origin);
	return (first->key > second->key) - (first->key < second->key);
}

/* Sort them, and make one of those that are the same. */
static void
merge(struct postgres_lanes *lanes)
{
	size_t count = 0;

	if (lanes->count > 1)
		qsort(lanes->lanes, lanes->count, sizeof(*lanes->lanes), compare);
	for (size_t i = 0; i < lanes->count; i++) {
		struct postgres_lane *lane = &lanes->lanes[i];
		struct postgres_lane *last = count > 0 ? &lanes->lanes[count - 1] : NULL;

		if (last && compare(last, lane) == 0) {
			last->count += lane->count;
			last->live += lane->live;
		} else {
			lanes->lanes[count++] = *lane;
		}
	}
	lanes->count = count;
}

static struct postgres_lane *
find(struct postgres_lanes *lanes, int64_t key, const char *origin)
{
	struct postgres_lane wanted = {.key = key, .origin = origin};

	return bsearch(&wanted, lanes->lanes, lanes->count, sizeof(wanted), compare);
}

/* Statements. */

/* The rows of a lane that are not BLOCKED, by its depth. */
static int64_t
live(const struct postgres_session *session, const struct postgres_lanes *lanes, int64_t depth)
{
	int64_t room = lanes->is_delivery ? session->database->options.max_ready_per_origin : 1;

	return depth < room ? depth : room;
}

/* Which lanes of a list a statement is about. */
typedef bool selection(const struct postgres_lane *lane);

static bool
is_any(const struct postgres_lane *lane)
{
	(void)lane;
	return true;
}

static bool
is_empty(const struct postgres_lane *lane)
{
	return lane->depth <= 0;
}

/* `count` is now how many rows become READY. */
static bool
is_promoting(const struct postgres_lane *lane)
{
	return lane->count > 0;
}

static size_t
select_count(const struct postgres_lanes *lanes, selection *selects)
{
	size_t count = 0;

	for (size_t i = 0; i < lanes->count; i++)
		count += selects(&lanes->lanes[i]);
	return count;
}

static void
put_lanes(struct postgres_parameters *parameters, const struct postgres_lanes *lanes,
	  selection *selects)
{
	herald__postgres_array(parameters, lanes->is_delivery ? POSTGRES_BYTEA : POSTGRES_INT8,
			       select_count(lanes, selects));
	for (size_t i = 0; i < lanes->count; i++) {
		const struct postgres_lane *lane = &lanes->lanes[i];

		if (!selects(lane))
			continue;
		if (lanes->is_delivery)
			herald__postgres_put_text(parameters, lane->origin);
		else
			herald__postgres_put_int8(parameters, lane->key);
	}
}

static void
put_counts(struct postgres_parameters *parameters, const struct postgres_lanes *lanes, int sign,
	   selection *selects)
{
	herald__postgres_array(parameters, POSTGRES_INT8, select_count(lanes, selects));
	for (size_t i = 0; i < lanes->count; i++)
		if (selects(&lanes->lanes[i]))
			herald__postgres_put_int8(parameters, sign * lanes->lanes[i].count);
}

enum herald_status
herald__postgres_lanes_lock(struct postgres_session *session, struct herald_error *error)
{
	if (session->use == HERALD_SESSION_JOIN || session->has_lanes)
		return HERALD_OK;
	struct postgres_parameters *parameters = herald__postgres_parameters(session);
	herald__postgres_int4(parameters, POSTGRES_LOCK_LANES);
	herald__postgres_int4(parameters, (int32_t)session->database->lock_number);
	enum herald_status status = herald__postgres_run(session, POSTGRES_LANES_LOCK, NULL, error);
	session->has_lanes = status == HERALD_OK;
	return status;
}

/* Change the depths, and get the new ones. */
static enum herald_status
change_depths(struct postgres_session *session, struct postgres_lanes *lanes, int sign,
	      struct herald_error *error)
{
	PGresult *result;
	enum herald_status status = herald__postgres_lanes_lock(session, error);

	if (status != HERALD_OK)
		return status;
	struct postgres_parameters *parameters = herald__postgres_parameters(session);
	put_lanes(parameters, lanes, is_any);
	put_counts(parameters, lanes, sign, is_any);
	status = herald__postgres_run(session,
				      lanes->is_delivery ? POSTGRES_ORIGIN_ADD : POSTGRES_KEY_ADD,
				      &result, error);
	if (status != HERALD_OK)
		return status;
	for (int row = 0; row < PQntuples(result); row++) {
		bool is_delivery = lanes->is_delivery;
		struct postgres_lane *lane =
			find(lanes, is_delivery ? 0 : herald__postgres_row_int8(result, row, 0),
			     is_delivery ? herald__postgres_row_text(result, row, 0) : NULL);

		if (lane)
			lane->depth = herald__postgres_row_int8(result, row, 1);
	}
	PQclear(result);
	return HERALD_OK;
}

enum herald_status
herald__postgres_lanes_enter(struct postgres_session *session, struct postgres_lanes *lanes,
			     struct herald_error *error)
{
	if (lanes->count == 0)
		return HERALD_OK;
	merge(lanes);
	enum herald_status status = change_depths(session, lanes, 1, error);
	for (size_t i = 0; i < lanes->count; i++)
		lanes->lanes[i].depth -= lanes->lanes[i].count;
	return status;
}

bool
herald__postgres_lanes_blocks(const struct postgres_session *session, struct postgres_lanes *lanes,
			      int64_t key, const char *origin)
{
	struct postgres_lane *lane = find(lanes, key, origin);

	if (!lane)
		return false;
	int64_t depth = lane->depth++;
	return live(session, lanes, depth + 1) == live(session, lanes, depth);
}

static enum herald_status
promote(struct postgres_session *session, struct postgres_lanes *lanes, struct herald_error *error)
{
	struct postgres_parameters *parameters = herald__postgres_parameters(session);
	PGresult *result;

	put_lanes(parameters, lanes, is_promoting);
	put_counts(parameters, lanes, 1, is_promoting);
	enum herald_status status = herald__postgres_run(
		session, lanes->is_delivery ? POSTGRES_ORIGIN_PROMOTE : POSTGRES_KEY_PROMOTE,
		&result, error);
	if (status != HERALD_OK)
		return status;
	for (int row = 0; row < PQntuples(result); row++) {
		int64_t due_ms = herald__postgres_row_when(result, row, 0);

		if (lanes->is_delivery)
			herald__postgres_delivery_ready(session, due_ms);
		else
			herald__postgres_event_ready(session, due_ms);
	}
	PQclear(result);
	return HERALD_OK;
}

static enum herald_status
remove_empty(struct postgres_session *session, struct postgres_lanes *lanes,
	     struct herald_error *error)
{
	put_lanes(herald__postgres_parameters(session), lanes, is_empty);
	return herald__postgres_run(
		session, lanes->is_delivery ? POSTGRES_ORIGIN_REMOVE : POSTGRES_KEY_REMOVE, NULL,
		error);
}

enum herald_status
herald__postgres_lanes_leave(struct postgres_session *session, struct postgres_lanes *lanes,
			     struct herald_error *error)
{
	if (lanes->count == 0)
		return HERALD_OK;
	merge(lanes);
	enum herald_status status = change_depths(session, lanes, -1, error);
	for (size_t i = 0; i < lanes->count; i++) {
		struct postgres_lane *lane = &lanes->lanes[i];
		int64_t before = live(session, lanes, lane->depth + lane->count);

		lane->count = live(session, lanes, lane->depth) - (before - lane->live);
	}
	if (status == HERALD_OK && select_count(lanes, is_promoting) > 0)
		status = promote(session, lanes, error);
	if (status == HERALD_OK && select_count(lanes, is_empty) > 0)
		status = remove_empty(session, lanes, error);
	return status;
}
