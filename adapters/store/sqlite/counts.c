/*
 * Counts rows by queue, state and type. SQLite sorts all rows for a GROUP BY without an index,
 * which is most of its work; here each row is added to its group. There are few groups, and rows
 * that come one after the other are mostly of the same one.
 */
#include "counts.h"

#include <stdlib.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/arena.h>

#include "problem.h"
#include "statement.h"

#define FIRST_PLACES 64

/* A hash table. */
struct groups {
	const struct herald_allocator *allocator;
	struct herald_arena *texts;
	struct herald_count *rows; /* in the order in which they were found */
	size_t count, size;
	size_t *places; /* an index of `rows` + 1; 0: free */
	size_t places_count;
	size_t last; /* the group of the last row */
};

static bool
is_group(const struct herald_count *group, const struct herald_count *row)
{
	return group->state == row->state && group->is_delivery == row->is_delivery &&
	       strcmp(group->event_type, row->event_type) == 0 &&
	       strcmp(group->queue, row->queue) == 0;
}

static size_t
hash_text(size_t hash, const char *text)
{
	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619;
	return hash;
}

/* The place of a group, or the free one where it belongs. */
static size_t *
find_place(const struct groups *groups, const struct herald_count *row)
{
	size_t at = hash_text(
		hash_text(2166136261u + (size_t)row->state * 2 + row->is_delivery, row->event_type),
		row->queue);

	for (;; at++) {
		size_t *place = &groups->places[at % groups->places_count];

		if (*place == 0 || is_group(&groups->rows[*place - 1], row))
			return place;
	}
}

static bool
grow_rows(struct groups *groups)
{
	const size_t size = groups->size ? groups->size * 2 : FIRST_PLACES / 2;
	struct herald_count *rows = herald_memory_allocate(groups->allocator, size * sizeof(*rows));

	if (!rows)
		return false;
	if (groups->count > 0)
		memcpy(rows, groups->rows, groups->count * sizeof(*rows));
	herald_memory_release(groups->allocator, groups->rows,
			      groups->size * sizeof(*groups->rows));
	groups->rows = rows;
	groups->size = size;
	return true;
}

/* Twice as many places as groups, at least. */
static bool
grow(struct groups *groups)
{
	if (!grow_rows(groups))
		return false;
	const size_t count = groups->size * 2;
	size_t *places = herald_memory_allocate_zeroed(groups->allocator, count, sizeof(*places));
	if (!places)
		return false;
	herald_memory_release(groups->allocator, groups->places,
			      groups->places_count * sizeof(*groups->places));
	groups->places = places;
	groups->places_count = count;
	for (size_t i = 0; i < groups->count; i++)
		*find_place(groups, &groups->rows[i]) = i + 1;
	return true;
}

/* A new group; its texts are copied. */
static bool
add_group(struct groups *groups, const struct herald_count *row)
{
	if (groups->count == groups->size && !grow(groups))
		return false;
	struct herald_count group = *row;
	group.queue = herald_arena_copy(groups->texts, row->queue, strlen(row->queue));
	group.event_type =
		herald_arena_copy(groups->texts, row->event_type, strlen(row->event_type));
	if (!group.queue || !group.event_type)
		return false;
	*find_place(groups, &group) = groups->count + 1;
	groups->last = groups->count;
	groups->rows[groups->count++] = group;
	return true;
}

/* A row with its own count, of 1. */
static bool
add_row(struct groups *groups, const struct herald_count *row)
{
	if (groups->count == 0)
		return add_group(groups, row);
	if (!is_group(&groups->rows[groups->last], row)) {
		const size_t place = *find_place(groups, row);

		if (place == 0)
			return add_group(groups, row);
		groups->last = place - 1;
	}
	struct herald_count *group = &groups->rows[groups->last];
	group->count++;
	if (row->oldest_ms < group->oldest_ms)
		group->oldest_ms = row->oldest_ms;
	return true;
}

/* The statement has as many parameters: the time of the call, and what is later than all clocks. */
static enum herald_status
read_rows(struct sqlite_session *session, const struct sqlite_sql *sql, int times, int64_t now_ms,
	  struct groups *groups, struct herald_error *error)
{
	struct sqlite_query row = herald__sqlite_query(session, sql);
	enum herald_status status;
	bool has_row;

	if (times > 0)
		herald__sqlite_bind_int(&row, now_ms);
	if (times > 1)
		herald__sqlite_bind_int(&row, herald__sqlite_latest_ms(now_ms));
	while ((status = herald__sqlite_step(&row, &has_row, error)) == HERALD_OK && has_row) {
		struct herald_count count = {.count = 1};

		count.is_delivery = herald__sqlite_int(&row) != 0;
		count.queue = herald__sqlite_text(&row);
		count.event_type = herald__sqlite_text(&row);
		count.state = (enum herald_count_state)herald__sqlite_int(&row);
		count.oldest_ms = herald__sqlite_int(&row);
		if (row.rc == SQLITE_OK && !add_row(groups, &count)) {
			status = herald_out_of_memory(error);
			break;
		}
	}
	herald__sqlite_end(&row);
	return status;
}

_Static_assert(HERALD_COUNT_READY == 0 && HERALD_COUNT_DELAYED == 1 && HERALD_COUNT_BLOCKED == 2 &&
		       HERALD_COUNT_RUNNING == 3 && HERALD_COUNT_DEAD == 4,
	       "the numbers in the statements");

/* `state` in the tables, and the time: enum herald_count_state. */
static const struct sqlite_sql events_sql = {
	SLOT_COUNT_EVENTS, "SELECT 0, queue, event_type, CASE state WHEN 0 THEN delayed AND "
			   "due_ms > ?1 AND retried_ms <= ?2 WHEN 2 THEN 2 ELSE 3 END, "
			   "created_ms FROM main.herald_event"};
static const struct sqlite_sql deliveries_sql = {
	SLOT_COUNT_DELIVERIES, "SELECT 1, '', event_type, CASE state WHEN 0 THEN delayed AND "
			       "due_ms > ?1 WHEN 2 THEN 2 ELSE 3 END, "
			       "created_ms FROM main.herald_delivery"};
static const struct sqlite_sql dead_sql = {
	SLOT_COUNT_DEAD, "SELECT kind, queue, event_type, 4, dead_ms FROM main.herald_dead"};

static int
compare(const void *a, const void *b)
{
	const struct herald_count *one = a, *two = b;
	int order = (int)(one->state == HERALD_COUNT_DEAD) - (int)(two->state == HERALD_COUNT_DEAD);

	if (order == 0)
		order = (int)one->is_delivery - (int)two->is_delivery;
	if (order == 0)
		order = strcmp(one->queue, two->queue);
	if (order == 0)
		order = strcmp(one->event_type, two->event_type);
	return order ? order : (int)one->state - (int)two->state;
}

static void
visit_groups(const struct groups *groups, herald_count_visitor *visit, void *state)
{
	if (groups->count > 0)
		qsort(groups->rows, groups->count, sizeof(*groups->rows), compare);
	for (size_t i = 0; i < groups->count; i++)
		if (!visit(&groups->rows[i], state))
			break;
}

/* In one transaction: nothing moves from one table to the next one meanwhile. */
static enum herald_status
read_all(struct sqlite_session *session, int64_t now_ms, struct groups *groups,
	 struct herald_error *error)
{
	const bool is_own = sqlite3_get_autocommit(session->db);
	int rc = is_own ? sqlite3_exec(session->db, "BEGIN", NULL, NULL, NULL) : SQLITE_OK;

	if (rc != SQLITE_OK)
		return herald__sqlite_problem(session, sqlite3_extended_errcode(session->db),
					      error);
	enum herald_status status = read_rows(session, &events_sql, 2, now_ms, groups, error);
	if (status == HERALD_OK)
		status = read_rows(session, &deliveries_sql, 1, now_ms, groups, error);
	if (status == HERALD_OK)
		status = read_rows(session, &dead_sql, 0, now_ms, groups, error);
	if (is_own)
		(void)sqlite3_exec(session->db, "ROLLBACK", NULL, NULL, NULL);
	return status;
}

enum herald_status
herald__sqlite_counts(struct herald_session *base, int64_t now_ms, herald_count_visitor *visit,
		      void *state, struct herald_error *error)
{
	struct sqlite_session *session = herald__sqlite_session(base);
	struct groups groups = {.allocator = &herald__sqlite_database(session)->allocator};
	enum herald_status status = herald_arena_create(groups.allocator, SIZE_MAX, &groups.texts);

	if (status != HERALD_OK)
		return herald_out_of_memory(error);
	status = read_all(session, now_ms, &groups, error);
	if (status == HERALD_OK)
		visit_groups(&groups, visit, state);
	herald_memory_release(groups.allocator, groups.places,
			      groups.places_count * sizeof(*groups.places));
	herald_memory_release(groups.allocator, groups.rows, groups.size * sizeof(*groups.rows));
	herald_arena_destroy(groups.texts);
	return status;
}
