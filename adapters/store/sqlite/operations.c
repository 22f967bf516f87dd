/*
 * Purging, and counting what is not finished. counts.c counts by state and type.
 */
#include "operations.h"

#include <stdio.h>

#include "dead.h"
#include "filter.h"
#include "key.h"
#include "origin.h"
#include "problem.h"
#include "statement.h"

/* Purging. */

struct pending_row {
	uint64_t id;
	uint64_t key_hash;
	char origin[SQLITE_ORIGIN_BYTES];
};

static enum herald_status
next_pending(struct sqlite_query *finding, struct pending_row *row, bool *is_found,
	     struct herald_error *error)
{
	enum herald_status status = herald__sqlite_step(finding, is_found, error);

	if (!*is_found)
		return status;
	row->id = (uint64_t)herald__sqlite_int(finding);
	row->key_hash = (uint64_t)herald__sqlite_int(finding);
	snprintf(row->origin, sizeof(row->origin), "%s", herald__sqlite_text(finding));
	if (finding->rc != SQLITE_OK)
		status = herald__sqlite_problem(finding->session, finding->rc, error);
	sqlite3_reset(finding->stmt);
	return status;
}

static enum herald_status
purge_event(struct sqlite_session *session, const struct pending_row *row,
	    struct herald_error *error)
{
	enum herald_status status = herald__sqlite_event_delete(session, row->id, error);

	if (status == HERALD_OK)
		status = herald__sqlite_key_promote(session, row->key_hash, error);
	return status;
}

static enum herald_status
purge_delivery(struct sqlite_session *session, const struct pending_row *row,
	       struct herald_error *error)
{
	enum herald_status status = herald__sqlite_delivery_delete(session, row->id, error);

	if (status == HERALD_OK)
		status = herald__sqlite_origin_promote(session, row->origin, error);
	return status;
}

/* A query for the rows of a filter. Its first parameter is an id, and `which` says which rows it
 * selects: the one with this id, or those after it. */
static struct sqlite_query
select_pending(struct sqlite_session *session, const struct herald_purge_filter *filter,
	       const char *start, const char *which, uint64_t id, const char *end)
{
	/* Deliveries are in no queue. */
	const struct sqlite_condition conditions[] = {
		{true, which, NULL, (int64_t)id},
		{true, "state <> ?", NULL, STATE_RUNNING},
		{filter->queue, filter->deliveries ? "'' = ?" : "queue = ?", filter->queue, 0},
		{filter->event_type, "event_type = ?", filter->event_type, 0},
		{filter->created_before_ms != 0, "created_ms < ?", NULL, filter->created_before_ms},
	};

	return herald__sqlite_filter(session, start, conditions,
				     sizeof(conditions) / sizeof(conditions[0]), end);
}

enum herald_status
herald__sqlite_purge_find(struct herald_session *base, const struct herald_purge_filter *filter,
			  uint64_t after_id, size_t max, uint64_t *ids, size_t *count,
			  struct herald_error *error)
{
	struct sqlite_query finding =
		select_pending(herald__sqlite_session(base), filter,
			       filter->deliveries ? "SELECT id FROM main.herald_delivery"
						  : "SELECT id FROM main.herald_event",
			       "id > ?", after_id, " ORDER BY id LIMIT ?");
	enum herald_status status;
	size_t found = 0;
	bool has_row;

	herald__sqlite_bind_int(&finding, (int64_t)max);
	while ((status = herald__sqlite_step(&finding, &has_row, error)) == HERALD_OK && has_row)
		ids[found++] = (uint64_t)herald__sqlite_int(&finding);
	herald__sqlite_filter_end(&finding);
	if (status == HERALD_OK)
		*count = found;
	return status;
}

enum herald_status
herald__sqlite_purge(struct herald_session *base, const struct herald_purge_filter *filter,
		     const uint64_t *ids, size_t ids_count, uint64_t *count,
		     struct herald_error *error)
{
	struct sqlite_session *session = herald__sqlite_session(base);
	struct sqlite_query finding = select_pending(
		session, filter,
		filter->deliveries ? "SELECT id, 0, origin FROM main.herald_delivery"
				   : "SELECT id, key_hash, '' FROM main.herald_event",
		"id = ?", 0, "");
	enum herald_status status = HERALD_OK;

	*count = 0;
	for (size_t i = 0; i < ids_count && status == HERALD_OK; i++) {
		struct pending_row row;
		bool is_found = false;

		/* It is done after a row that is gone, or runs. */
		if (finding.rc == SQLITE_OK || finding.rc == SQLITE_DONE)
			finding.rc = sqlite3_bind_int64(finding.stmt, 1, (int64_t)ids[i]);
		status = next_pending(&finding, &row, &is_found, error);
		if (status != HERALD_OK || !is_found)
			continue;
		status = filter->deliveries ? purge_delivery(session, &row, error)
					    : purge_event(session, &row, error);
		++*count;
	}
	herald__sqlite_filter_end(&finding);
	return status;
}

/* Counting. */

/* Each row is in one of these indexes, which are a tenth of the table. */
static enum herald_status
count_unfinished(struct sqlite_session *session, int64_t *count, struct herald_error *error)
{
	static const struct sqlite_sql sql = {
		SLOT_PENDING,
		"SELECT (SELECT count(*) FROM main.herald_event INDEXED BY herald_event_ready "
		"WHERE state = 0) + "
		"(SELECT count(*) FROM main.herald_event INDEXED BY herald_event_running "
		"WHERE state = 1) + "
		"(SELECT count(*) FROM main.herald_event INDEXED BY herald_event_blocked "
		"WHERE state = 2)"};

	return herald__sqlite_number(session, &sql, count, error);
}

enum herald_status
herald__sqlite_pending(struct herald_session *base, const struct herald_purge_filter *filter,
		       uint64_t *count, struct herald_error *error)
{
	struct sqlite_session *session = herald__sqlite_session(base);
	enum herald_status status;
	int64_t number = 0;
	bool has_row;

	if (filter) {
		struct sqlite_query counting = select_pending(
			session, filter,
			filter->deliveries ? "SELECT count(*) FROM main.herald_delivery"
					   : "SELECT count(*) FROM main.herald_event",
			"id > ?", 0, "");

		status = herald__sqlite_step(&counting, &has_row, error);
		if (has_row)
			number = herald__sqlite_int(&counting);
		herald__sqlite_filter_end(&counting);
	} else {
		status = count_unfinished(session, &number, error);
	}
	if (status == HERALD_OK)
		*count = (uint64_t)number;
	return status;
}
