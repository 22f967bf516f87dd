/*
 * Operations. Owns nothing.
 */
#include "operations.h"

#include <inttypes.h>

#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

#include "lanes.h"
#include "node.h"
#include "rows.h"
#include "session.h"
#include "times.h"
#include "transaction.h"

/* Purging. */

static void
put_filter(struct postgres_parameters *parameters, const struct herald_purge_filter *filter)
{
	herald__postgres_text(parameters, filter->queue);
	herald__postgres_text(parameters, filter->event_type);
	if (filter->created_before_ms != 0)
		herald__postgres_when(parameters, filter->created_before_ms);
	else
		herald__postgres_null(parameters);
}

/* One column of the rows that were selected, as an array. */
static void
put_column(struct postgres_session *session, const PGresult *selected, int column, bool is_text)
{
	struct postgres_parameters *parameters = herald__postgres_parameters(session);
	int count = PQntuples(selected);

	herald__postgres_array(parameters, is_text ? POSTGRES_BYTEA : POSTGRES_INT8, (size_t)count);
	for (int row = 0; row < count; row++)
		if (is_text)
			herald__postgres_put_text(parameters,
						  herald__postgres_row_text(selected, row, column));
		else
			herald__postgres_put_int8(parameters,
						  herald__postgres_row_int8(selected, row, column));
}

static enum herald_status
leave_lanes(struct postgres_session *session, const PGresult *deleted, bool deliveries,
	    struct herald_error *error)
{
	struct postgres_lanes lanes = {0};
	enum herald_status status = HERALD_OK;

	for (int row = 0; row < PQntuples(deleted) && status == HERALD_OK; row++) {
		bool is_live = herald__postgres_row_bool(deleted, row, 1);

		status = deliveries ? herald__postgres_lanes_add_origin(
					      session, &lanes,
					      herald__postgres_row_text(deleted, row, 0), is_live)
				    : herald__postgres_lanes_add_key(
					      session, &lanes,
					      herald__postgres_row_int8(deleted, row, 0), is_live);
	}
	status = status == HERALD_OK ? herald__postgres_lanes_leave(session, &lanes, error)
				     : herald_out_of_memory(error);
	herald__postgres_lanes_finish(session, &lanes);
	return status;
}

/* Lock the lanes, then delete the rows that are still not running. */
static enum herald_status
delete_selected(struct postgres_session *session, const PGresult *selected, bool deliveries,
		uint64_t *count, struct herald_error *error)
{
	PGresult *deleted;
	enum herald_status status = herald__postgres_lanes_lock(session, error);

	if (status != HERALD_OK)
		return status;
	put_column(session, selected, 1, deliveries);
	status = herald__postgres_run(
		session, deliveries ? POSTGRES_PURGE_DELIVERIES_LOCK : POSTGRES_PURGE_EVENTS_LOCK,
		NULL, error);
	if (status != HERALD_OK)
		return status;
	put_column(session, selected, 0, false);
	status = herald__postgres_run(
		session, deliveries ? POSTGRES_PURGE_DELIVERIES : POSTGRES_PURGE_EVENTS, &deleted,
		error);
	if (status != HERALD_OK)
		return status;
	status = leave_lanes(session, deleted, deliveries, error);
	if (status == HERALD_OK)
		*count = (uint64_t)PQntuples(deleted);
	PQclear(deleted);
	return status;
}

enum herald_status
herald__postgres_purge_find(struct herald_session *base, const struct herald_purge_filter *filter,
			    uint64_t after_id, size_t max, uint64_t *ids, size_t *count,
			    struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	const enum postgres_statement statement =
		filter->deliveries ? POSTGRES_PURGE_DELIVERIES_FIND : POSTGRES_PURGE_EVENTS_FIND;
	PGresult *found;

	put_filter(herald__postgres_parameters(session), filter);
	herald__postgres_int8(&session->parameters, (int64_t)after_id);
	herald__postgres_int8(&session->parameters, (int64_t)max);
	enum herald_status status = herald__postgres_read(session, statement, &found, error);
	if (status != HERALD_OK)
		return status;
	*count = (size_t)PQntuples(found);
	for (int row = 0; row < PQntuples(found); row++)
		ids[row] = (uint64_t)herald__postgres_row_int8(found, row, 0);
	PQclear(found);
	return HERALD_OK;
}

enum herald_status
herald__postgres_purge(struct herald_session *base, const struct herald_purge_filter *filter,
		       const uint64_t *ids, size_t ids_count, uint64_t *count,
		       struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	PGresult *selected;

	put_filter(herald__postgres_parameters(session), filter);
	herald__postgres_array(&session->parameters, POSTGRES_INT8, ids_count);
	for (size_t i = 0; i < ids_count; i++)
		herald__postgres_put_int8(&session->parameters, (int64_t)ids[i]);
	enum herald_status status =
		herald__postgres_run(session,
				     filter->deliveries ? POSTGRES_PURGE_DELIVERIES_SELECT
							: POSTGRES_PURGE_EVENTS_SELECT,
				     &selected, error);
	if (status != HERALD_OK)
		return status;
	*count = 0;
	if (PQntuples(selected) > 0)
		status = delete_selected(session, selected, filter->deliveries, count, error);
	PQclear(selected);
	return status;
}

/* Counting. */

/* The one number that a statement selects. */
static enum herald_status
read_count(struct postgres_session *session, enum postgres_statement statement, uint64_t *count,
	   struct herald_error *error)
{
	PGresult *result;
	enum herald_status status = herald__postgres_run_alone(session, statement, &result, error);

	if (status != HERALD_OK)
		return status;
	*count = (uint64_t)herald__postgres_row_int8(result, 0, 0);
	PQclear(result);
	return HERALD_OK;
}

enum herald_status
herald__postgres_pending(struct herald_session *base, const struct herald_purge_filter *filter,
			 uint64_t *count, struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	struct postgres_parameters *parameters = herald__postgres_parameters(session);

	if (filter)
		put_filter(parameters, filter);
	return read_count(session,
			  !filter              ? POSTGRES_PENDING
			  : filter->deliveries ? POSTGRES_PENDING_DELIVERIES
					       : POSTGRES_PENDING_EVENTS,
			  count, error);
}

enum herald_status
herald__postgres_pending_most(struct herald_session *base, uint64_t *count,
			      struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);

	herald__postgres_parameters(session);
	return read_count(session, POSTGRES_PENDING_MOST, count, error);
}

enum herald_status
herald__postgres_counts(struct herald_session *base, int64_t now_ms, herald_count_visitor *visit,
			void *state, struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	PGresult *result;

	herald__postgres_when(herald__postgres_parameters(session), now_ms);
	herald__postgres_when(&session->parameters, herald__postgres_latest_ms(now_ms));
	enum herald_status status =
		herald__postgres_run_alone(session, POSTGRES_COUNTS, &result, error);
	if (status != HERALD_OK)
		return status;
	for (int row = 0; row < PQntuples(result); row++) {
		struct herald_count count = {
			.is_delivery = herald__postgres_row_bool(result, row, 0),
			.queue = herald__postgres_row_text(result, row, 1),
			.event_type = herald__postgres_row_text(result, row, 2),
			.state = (enum herald_count_state)herald__postgres_row_int4(result, row, 3),
			.count = (uint64_t)herald__postgres_row_int8(result, row, 4),
			.oldest_ms = herald__postgres_row_when(result, row, 5),
		};

		if (!visit(&count, state))
			break;
	}
	PQclear(result);
	return HERALD_OK;
}

/* Checking. */

/* Who gets the findings; `goes_on` is false when it has heard enough. */
struct report {
	herald_finding_visitor *visit;
	void *state;
	bool goes_on;
};

static void
report_number(struct report *report, bool is_problem, const char *name, const char *format,
	      int64_t number)
{
	char text[160];

	herald_text_write(text, sizeof(text), format, number);
	const struct herald_finding finding = {is_problem, name, text};
	report->goes_on = report->goes_on && report->visit(&finding, report->state);
}

/* A statement that counts what should not be there. */
static enum herald_status
check_none(struct postgres_session *session, struct report *report,
	   enum postgres_statement statement, const char *name, const char *format,
	   struct herald_error *error)
{
	PGresult *result;

	enum herald_status status = herald__postgres_run_alone(session, statement, &result, error);
	if (status != HERALD_OK)
		return status;
	int64_t count = herald__postgres_row_int8(result, 0, 0);
	report_number(report, count > 0, name, format, count);
	PQclear(result);
	return HERALD_OK;
}

static enum herald_status
check_sizes(struct postgres_session *session, struct report *report, struct herald_error *error)
{
	static const char *const names[] = {"event_bytes", "delivery_bytes", "dead_bytes",
					    "seen_bytes", "dead_rows"};
	PGresult *result;

	enum herald_status status =
		herald__postgres_run_alone(session, POSTGRES_CHECK_SIZES, &result, error);
	if (status != HERALD_OK)
		return status;
	for (int i = 0; i < (int)(sizeof(names) / sizeof(*names)); i++)
		report_number(report, false, names[i], "%" PRId64,
			      herald__postgres_row_int8(result, 0, i));
	PQclear(result);
	return HERALD_OK;
}

/* Nodes whose lease has ended: their events run again when another process has taken them over. */
static bool
note_dead_node(const struct herald_node *node, void *state)
{
	struct report *report = state;
	char text[1024];

	herald_text_write(text, sizeof(text),
			  "process %ld on %s has died, and its events wait for a process that runs "
			  "events",
			  node->pid, node->host);
	const struct herald_finding finding = {true, "dead_node", text};
	report->goes_on = report->goes_on && report->visit(&finding, report->state);
	return report->goes_on;
}

/* Settings that lose events in a crash, or let the tables grow. */
static enum herald_status
check_settings(struct postgres_session *session, struct report *report, struct herald_error *error)
{
	static const struct {
		const char *name, *text;
	} settings[] = {
		{"fsync", "fsync is off: a crash of the machine loses events"},
		{"full_page_writes", "full_page_writes is off: a crash may corrupt the tables"},
		{"autovacuum", "autovacuum is off: the tables grow"},
		{"prepared_transactions", "prepared transactions keep dead rows: see "
					  "pg_prepared_xacts"},
		{"replication_slots", "a replication slot is not in use, and keeps logs: see "
				      "pg_replication_slots"},
	};
	PGresult *result;

	enum herald_status status =
		herald__postgres_run_alone(session, POSTGRES_CHECK_SETTINGS, &result, error);
	if (status != HERALD_OK)
		return status;
	for (int i = 0; i < (int)(sizeof(settings) / sizeof(*settings)); i++) {
		const struct herald_finding finding = {true, settings[i].name, settings[i].text};

		if (report->goes_on && herald__postgres_row_bool(result, 0, i))
			report->goes_on = report->visit(&finding, report->state);
	}
	PQclear(result);
	return HERALD_OK;
}

/* A transaction that is older than this keeps dead rows from being removed. */
#define OLD_SECONDS 300

static enum herald_status
check_readers(struct postgres_session *session, struct report *report, struct herald_error *error)
{
	PGresult *result;

	enum herald_status status =
		herald__postgres_run_alone(session, POSTGRES_CHECK_READERS, &result, error);
	if (status != HERALD_OK)
		return status;
	int64_t seconds = herald__postgres_row_int8(result, 0, 0);
	report_number(report, seconds > OLD_SECONDS, "oldest_transaction_seconds", "%" PRId64,
		      seconds);
	PQclear(result);
	return HERALD_OK;
}

enum herald_status
herald__postgres_check(struct herald_session *base, int64_t now_ms, herald_finding_visitor *visit,
		       void *state, struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	struct report report = {visit, state, true};
	enum herald_status status;

	status = check_none(session, &report, POSTGRES_CHECK_KEYS, "keys",
			    "%" PRId64 " keys with a wrong count of events", error);
	if (status == HERALD_OK)
		status = check_none(session, &report, POSTGRES_CHECK_ORIGINS, "origins",
				    "%" PRId64 " origins with a wrong count of deliveries", error);
	if (status == HERALD_OK)
		status = check_none(session, &report, POSTGRES_CHECK_OWNERS, "owners",
				    "%" PRId64 " running events and deliveries without a process",
				    error);
	if (status == HERALD_OK)
		status = herald__postgres_node_dead(base, now_ms, note_dead_node, &report, error);
	if (status == HERALD_OK)
		status = check_sizes(session, &report, error);
	if (status == HERALD_OK)
		status = check_readers(session, &report, error);
	if (status == HERALD_OK)
		status = check_settings(session, &report, error);
	return status;
}
