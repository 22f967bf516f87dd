/*
 * Deduplication. Owns herald_seen_0 and herald_seen_1.
 *
 * A key is looked for in both tables, and added to the current one. Keys are sorted, so that two
 * transactions that add the same ones do not deadlock, and neighbours are on one page. Transactions
 * that add keys share an advisory lock; the rotation takes it alone, so that no key gets into the
 * table that was just emptied. The locks end with their transactions.
 */
#include "seen.h"

#include <stdlib.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>

#include "failure.h"
#include "rows.h"
#include "session.h"

static void
put_lock(struct postgres_session *session)
{
	struct postgres_parameters *parameters = herald__postgres_parameters(session);

	herald__postgres_int4(parameters, POSTGRES_LOCK_SEEN);
	herald__postgres_int4(parameters, (int32_t)session->database->lock_number);
}

/* Which table is the current one; it stays so until the end of the transaction. */
static enum herald_status
lock_current(struct postgres_session *session, int *current, struct herald_error *error)
{
	PGresult *result;

	put_lock(session);
	enum herald_status status = herald__postgres_run(session, POSTGRES_SEEN_LOCK, NULL, error);
	if (status != HERALD_OK)
		return status;
	status = herald__postgres_run(
		session, session->is_wrapped ? POSTGRES_SEEN_CURRENT_SHARED : POSTGRES_SEEN_CURRENT,
		&result, error);
	if (status != HERALD_OK)
		return status;
	*current = herald__postgres_row_int4(result, 0, 0);
	PQclear(result);
	return HERALD_OK;
}

/* By key, then by place: the first one of equal keys is the one that may be new. */
static int
compare(const void *a, const void *b)
{
	const struct herald_stored_event *first = *(struct herald_stored_event *const *)a;
	const struct herald_stored_event *second = *(struct herald_stored_event *const *)b;
	int order = memcmp(first->seen_key, second->seen_key, HERALD_SEEN_KEY_BYTES);

	return order ? order : (first > second) - (first < second);
}

static bool
is_repeated(struct herald_stored_event *const *sorted, size_t i)
{
	return i > 0 &&
	       memcmp(sorted[i - 1]->seen_key, sorted[i]->seen_key, HERALD_SEEN_KEY_BYTES) == 0;
}

static int
compare_key(const void *key, const void *event)
{
	return memcmp(key, (*(struct herald_stored_event *const *)event)->seen_key,
		      HERALD_SEEN_KEY_BYTES);
}

/* The rows are the keys that are new. */
static void
mark_new(struct herald_stored_event **sorted, size_t count, const PGresult *result)
{
	for (int row = 0; row < PQntuples(result); row++) {
		struct herald_stored_event **found = bsearch(PQgetvalue(result, row, 0), sorted,
							     count, sizeof(*sorted), compare_key);

		while (found && is_repeated(sorted, (size_t)(found - sorted)))
			found--;
		if (found)
			(*found)->is_duplicate = false;
	}
}

static enum herald_status
add_sorted(struct postgres_session *session, struct herald_stored_event **sorted, size_t count,
	   struct herald_error *error)
{
	size_t distinct = 0;
	int current;
	PGresult *result;
	enum herald_status status = lock_current(session, &current, error);

	if (status != HERALD_OK)
		return status;
	for (size_t i = 0; i < count; i++)
		distinct += !is_repeated(sorted, i);
	struct postgres_parameters *parameters = herald__postgres_parameters(session);
	herald__postgres_array(parameters, POSTGRES_UUID, distinct);
	for (size_t i = 0; i < count; i++)
		if (!is_repeated(sorted, i))
			herald__postgres_put_bytes(parameters, (const char *)sorted[i]->seen_key,
						   HERALD_SEEN_KEY_BYTES);
	status = herald__postgres_run(
		session, current == 0 ? POSTGRES_SEEN_ADD_0 : POSTGRES_SEEN_ADD_1, &result, error);
	if (status != HERALD_OK)
		return status;
	mark_new(sorted, count, result);
	PQclear(result);
	return HERALD_OK;
}

enum herald_status
herald__postgres_seen_add(struct postgres_session *session, struct herald_stored_event *events,
			  size_t count, struct herald_error *error)
{
	const struct herald_allocator *allocator = &session->database->options.allocator;
	size_t keys = 0;

	for (size_t i = 0; i < count; i++) {
		events[i].is_duplicate = events[i].seen_key;
		keys += events[i].is_duplicate;
	}
	if (keys == 0)
		return HERALD_OK;
	size_t bytes = keys * sizeof(struct herald_stored_event *);
	struct herald_stored_event **sorted = herald_memory_allocate(allocator, bytes);
	if (!sorted)
		return herald_out_of_memory(error);
	keys = 0;
	for (size_t i = 0; i < count; i++)
		if (events[i].seen_key)
			sorted[keys++] = &events[i];
	qsort(sorted, keys, sizeof(*sorted), compare);
	enum herald_status status = add_sorted(session, sorted, keys, error);
	herald_memory_release(allocator, sorted, bytes);
	return status;
}

enum herald_status
herald__postgres_seen(struct herald_session *base, const unsigned char key[HERALD_SEEN_KEY_BYTES],
		      bool *is_new, struct herald_error *error)
{
	struct herald_stored_event event = {.seen_key = key};
	enum herald_status status =
		herald__postgres_seen_add(postgres_session(base), &event, 1, error);

	if (status == HERALD_OK)
		*is_new = !event.is_duplicate;
	return status;
}

/* Rotation. */

static enum herald_status
switch_tables(struct postgres_session *session, int current, int64_t now_ms,
	      struct herald_error *error)
{
	struct postgres_parameters *parameters = herald__postgres_parameters(session);

	herald__postgres_int4(parameters, current);
	herald__postgres_when(parameters, now_ms);
	return herald__postgres_run(session, POSTGRES_SEEN_SWITCH, NULL, error);
}

/* In a savepoint: who adds keys, such as a long transaction of the user's, must not be waited for.
 * Then the rotation takes place later, and keys are kept longer. */
static enum herald_status
rotate(struct postgres_session *session, int current, int64_t now_ms, struct herald_error *error)
{
	struct herald_error waited;
	enum herald_status status = herald__postgres_command(
		session, "SAVEPOINT herald_rotation; SET LOCAL lock_timeout = 50",
		"rotate known ids", NULL, error);

	if (status != HERALD_OK)
		return status;
	put_lock(session);
	status = herald__postgres_run(session, POSTGRES_SEEN_LOCK_ALONE, NULL, &waited);
	if (status == HERALD_OK)
		status = herald__postgres_run(
			session, current == 0 ? POSTGRES_SEEN_DROP_1 : POSTGRES_SEEN_DROP_0, NULL,
			&waited);
	if (status == HERALD_OK)
		status = switch_tables(session, 1 - current, now_ms, &waited);
	if (!session->conn) {
		if (error)
			*error = waited;
		return status;
	}
	return herald__postgres_command(session,
					status == HERALD_OK
						? "SET LOCAL lock_timeout = DEFAULT;"
						  "RELEASE SAVEPOINT herald_rotation"
						: "ROLLBACK TO SAVEPOINT herald_rotation;"
						  "RELEASE SAVEPOINT herald_rotation",
					"rotate known ids", NULL, error);
}

enum herald_status
herald__postgres_seen_rotate(struct herald_session *base, int64_t now_ms, int64_t window_ms,
			     struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	struct postgres_parameters *parameters = herald__postgres_parameters(session);
	PGresult *result;

	herald__postgres_when(parameters, now_ms - window_ms);
	enum herald_status status =
		herald__postgres_run(session, POSTGRES_SEEN_DUE, &result, error);
	if (status != HERALD_OK)
		return status;
	int current = herald__postgres_row_int4(result, 0, 0);
	bool is_due = herald__postgres_row_bool(result, 0, 1);
	bool is_first = herald__postgres_row_bool(result, 0, 2);
	PQclear(result);
	if (!is_due)
		return HERALD_OK;
	return is_first ? switch_tables(session, current, now_ms, error)
			: rotate(session, current, now_ms, error);
}

enum herald_status
herald__postgres_secret(struct herald_session *base, unsigned char out[16],
			struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	PGresult *result;

	herald__postgres_parameters(session);
	enum herald_status status =
		herald__postgres_run_alone(session, POSTGRES_SECRET, &result, error);
	if (status != HERALD_OK)
		return status;
	if (PQntuples(result) == 1 && PQgetlength(result, 0, 0) == 16)
		memcpy(out, PQgetvalue(result, 0, 0), 16);
	else
		status = herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					  "herald_meta has no secret of 16 bytes");
	PQclear(result);
	return status;
}
