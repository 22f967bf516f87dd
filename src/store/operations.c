/*
 * Operations on what is in the database: lists, counts, replays. Each has a connection of its own,
 * and works in small batches, so that it delays neither commits nor the log of the database.
 */
#include <herald/adapter/database.h>
#include <herald/adapter/options.h>
#include <herald/store.h>

#include "store/dispatch_arrive.h"
#include "store/state.h"
#include "store/transact.h"

#define BATCH 100

/* What a long operation has found, and does next. */
struct id_page {
	uint64_t ids[BATCH];
	size_t count;
};

/* A long operation. */
struct bulk {
	struct herald_store *store;
	const struct herald_bulk *options;
	struct herald_session *session;
	uint64_t limit; /* 0: none */
	uint64_t count;
	uint64_t began_ms;
	/* Rows are looked for before the transaction, and done by their ids. */
	bool by_id;
	uint64_t after_id; /* so far */
	/* Find up to `max` rows after after_id. Not in a transaction: it may read very many rows
	 * before it finds one. */
	enum herald_status (*find)(const struct bulk *bulk, size_t max, struct id_page *page,
				   struct herald_error *error);
	/* Do what was found, or else at most `max` rows. In a transaction. */
	enum herald_status (*step)(const struct bulk *bulk, const struct id_page *page, size_t max,
				   uint64_t *count, struct herald_error *error);
	const struct herald_purge_filter *purge;
	/* Dead letters. */
	struct herald_dead_filter filter;
	int64_t wall_ms;
	enum herald_status (*change)(const struct bulk *bulk,
				     const struct herald_dead_filter *filter, size_t max,
				     uint64_t *count, struct herald_error *error);
};

static enum herald_status
open_session(struct herald_store *store, struct herald_session **out, struct herald_error *error)
{
	if (herald__health_has_failed(store))
		return herald__health_get(store, error);
	return store->database->ops->session_open(store->database, HERALD_SESSION_ADMIN, out,
						  error);
}

static void
close_session(struct herald_store *store, struct herald_session *session)
{
	store->database->ops->session_close(session);
}

static int64_t
wall_ms(const struct herald_store *store)
{
	return herald__clock_wall_ms(&store->settings.clock);
}

static enum herald_status
bad_filter(struct herald_error *error, const char *member, const char *what)
{
	herald_option_refuse(error, member, "%s", what);
	if (error)
		error->status = HERALD_BAD_VALUE;
	return HERALD_BAD_VALUE;
}

/* A text that is empty is not given. */
static const char *
given(const char *text)
{
	return text && text[0] != '\0' ? text : NULL;
}

static struct herald_dead_filter
given_filter(const struct herald_dead_filter *filter)
{
	struct herald_dead_filter out = *filter;

	out.queue = given(filter->queue);
	out.event_type = given(filter->event_type);
	out.source = given(filter->source);
	out.event_id = given(filter->event_id);
	out.destination = given(filter->destination);
	return out;
}

static enum herald_status
check_filter(const struct herald_dead_filter *filter, struct herald_error *error)
{
	if ((unsigned)filter->kind > HERALD_DEAD_BOTH)
		return bad_filter(error, "kind", "not one of HERALD_DEAD_EVENTS, ...");
	if ((unsigned)filter->reason >= HERALD_DEAD_REASON_COUNT)
		return bad_filter(error, "reason", "not one of HERALD_DEAD_ANY, ...");
	if (filter->id > INT64_MAX || filter->after_id > INT64_MAX)
		return bad_filter(error, filter->id > INT64_MAX ? "id" : "after_id",
				  "larger than any id, which are up to 9223372036854775807");
	if (filter->from_ms < 0 || filter->to_ms < 0)
		return bad_filter(error, filter->from_ms < 0 ? "from_ms" : "to_ms", "before 1970");
	if (filter->to_ms != 0 && filter->from_ms >= filter->to_ms)
		return bad_filter(error, "to_ms", "not after from_ms");
	return HERALD_OK;
}

/* Lists. */

struct page {
	herald_dead_visitor *visit;
	void *state;
	uint64_t last_id;
	uint64_t count;
	bool is_stopped;
};

static bool
visit_in_page(const struct herald_dead_letter *letter, void *state)
{
	struct page *page = state;

	page->last_id = letter->id;
	page->count++;
	page->is_stopped = page->visit && !page->visit(letter, page->state);
	return !page->is_stopped;
}

/* In pages, so that a slow visitor does not keep a transaction open. Returns their number in
 * *count. */
static enum herald_status
visit_pages(struct herald_store *store, struct herald_session *session,
	    const struct herald_dead_filter *filter, struct page *page, uint64_t *count,
	    struct herald_error *error)
{
	struct herald_dead_filter part = given_filter(filter);
	enum herald_status status = HERALD_OK;

	*count = 0;
	do {
		const uint64_t left = filter->limit - *count;

		page->count = 0;
		part.limit = filter->limit != 0 && left < BATCH ? left : BATCH;
		status = herald__ending_check(store, error);
		if (status == HERALD_OK)
			status = store->database->ops->dead_visit(session, &part, visit_in_page,
								  page, error);
		*count += page->count;
		part.after_id = page->last_id;
	} while (status == HERALD_OK && !page->is_stopped && page->count == part.limit &&
		 *count != filter->limit);
	return status;
}

static enum herald_status
visit_all(struct herald_store *store, const struct herald_dead_filter *filter, struct page *page,
	  uint64_t *count, struct herald_error *error)
{
	struct herald_session *session = NULL;
	enum herald_status status = check_filter(filter, error);

	*count = 0;
	if (status == HERALD_OK)
		status = open_session(store, &session, error);
	if (status != HERALD_OK)
		return status;
	status = visit_pages(store, session, filter, page, count, error);
	close_session(store, session);
	return status;
}

enum herald_status
herald_store_dead_visit(struct herald_store *store, const struct herald_dead_filter *filter,
			herald_dead_visitor *visit, void *state, struct herald_error *error)
{
	struct page page = {.visit = visit, .state = state};
	uint64_t count;
	enum herald_status status = herald__ending_enter(store, error);

	if (status != HERALD_OK)
		return status;
	status = visit_all(store, filter, &page, &count, error);
	herald__ending_leave(store);
	return status;
}

/* Long operations. */

static enum herald_status
try_step(const struct bulk *bulk, const struct id_page *page, size_t max, uint64_t *count,
	 struct herald_error *error)
{
	const struct herald_database_ops *ops = bulk->store->database->ops;
	enum herald_status status = ops->begin(bulk->session, error);

	*count = 0;
	if (status == HERALD_OK)
		status = bulk->step(bulk, page, max, count, error);
	if (status == HERALD_OK)
		status = ops->commit(bulk->session, error);
	if (status != HERALD_OK) {
		ops->rollback(bulk->session);
		*count = 0;
	}
	return status;
}

static enum herald_status
step_in_transaction(struct bulk *bulk, size_t max, uint64_t *count, bool *is_last,
		    struct herald_error *error)
{
	enum herald_status status = herald__joined_check(bulk->store, error);
	struct id_page page = {.count = 0};
	unsigned repeats = 0;

	*count = 0;
	if (status == HERALD_OK)
		status = herald__ending_check(bulk->store, error);
	if (status == HERALD_OK && bulk->by_id)
		status = bulk->find(bulk, max, &page, error);
	if (status != HERALD_OK)
		return status;
	*is_last = true;
	if (bulk->by_id && page.count == 0)
		return HERALD_OK;
	do
		status = try_step(bulk, &page, max, count, error);
	while (herald__transact_again(bulk->store, bulk->session, status, &repeats));
	/* Without ids, others may have taken some of what was found. */
	*is_last = bulk->by_id ? page.count < max : *count == 0;
	if (status == HERALD_OK && page.count > 0)
		bulk->after_id = page.ids[page.count - 1];
	if (status != HERALD_OK && !herald__ending_explains(bulk->store, status))
		herald__dispatch_fails(bulk->store, status, error);
	return status;
}

static size_t
batch_size(const struct bulk *bulk)
{
	const uint64_t per_second = bulk->options->per_second;
	const uint64_t left = bulk->limit - bulk->count;
	size_t size = BATCH;

	/* At least ten batches a second, so that the load is even. */
	if (per_second != 0 && per_second / 10 < size)
		size = per_second < 10 ? 1 : (size_t)(per_second / 10);
	return bulk->limit != 0 && left < size ? (size_t)left : size;
}

/* Sleep until the rate is not exceeded, or the store is destroyed. With one writer, other processes
 * try again and again until they may write: they get half of the time. */
static void
keep_rate(const struct bulk *bulk, uint64_t step_began_ms)
{
	const uint64_t per_second = bulk->options->per_second;
	const uint64_t now_ms = herald__clock_now_ms(&bulk->store->settings.clock);
	uint64_t due_ms = now_ms;

	if (bulk->store->database->ops->has_one_writer)
		due_ms += now_ms - step_began_ms;
	if (per_second != 0) {
		const double seconds = (double)bulk->count / (double)per_second;
		const uint64_t rate_ms = bulk->began_ms + (uint64_t)(1000.0 * seconds);

		due_ms = rate_ms > due_ms ? rate_ms : due_ms;
	}
	if (now_ms < due_ms)
		herald__ending_sleep(bulk->store, due_ms - now_ms);
}

static enum herald_status
run_batches(struct bulk *bulk, struct herald_error *error)
{
	const struct herald_bulk *options = bulk->options;
	enum herald_status status = HERALD_OK;
	bool goes_on = true;

	while (goes_on && status == HERALD_OK) {
		const uint64_t step_began_ms = herald__clock_now_ms(&bulk->store->settings.clock);
		const size_t max = batch_size(bulk);
		uint64_t count = 0;
		bool is_last = true;

		status = step_in_transaction(bulk, max, &count, &is_last, error);
		bulk->count += count;
		goes_on = !is_last && (bulk->limit == 0 || bulk->count < bulk->limit);
		if (options->progress && count > 0 &&
		    !options->progress(bulk->count, options->state))
			goes_on = false;
		if (goes_on && status == HERALD_OK)
			keep_rate(bulk, step_began_ms);
	}
	return status;
}

static enum herald_status
run_bulk(struct bulk *bulk, uint64_t *count, struct herald_error *error)
{
	enum herald_status status = open_session(bulk->store, &bulk->session, error);

	if (status != HERALD_OK)
		return status;
	bulk->began_ms = herald__clock_now_ms(&bulk->store->settings.clock);
	status = run_batches(bulk, error);
	*count = bulk->count;
	close_session(bulk->store, bulk->session);
	return status;
}

static const struct herald_bulk defaults;

/* Whether there are dead letters that were stored later than now, before the clock was set back. */
static enum herald_status
find_late(struct bulk *bulk, bool *is_there, struct herald_error *error)
{
	struct herald_session *session = NULL;
	enum herald_status status = open_session(bulk->store, &session, error);

	if (status != HERALD_OK)
		return status;
	status = bulk->store->database->ops->dead_since(session, bulk->wall_ms, is_there, error);
	close_session(bulk->store, session);
	return status;
}

/* Dead letters. */

static bool
add_id(const struct herald_dead_letter *letter, void *state)
{
	struct id_page *page = state;

	page->ids[page->count++] = letter->id;
	return true;
}

static enum herald_status
find_dead(const struct bulk *bulk, size_t max, struct id_page *page, struct herald_error *error)
{
	struct herald_dead_filter part = bulk->filter;

	part.limit = max;
	part.without_content = true;
	if (bulk->after_id != 0)
		part.after_id = bulk->after_id;
	return bulk->store->database->ops->dead_visit(bulk->session, &part, add_id, page, error);
}

/* One after the other: what another process stores or takes meanwhile does not move the page. */
static enum herald_status
step_dead(const struct bulk *bulk, const struct id_page *page, size_t max, uint64_t *count,
	  struct herald_error *error)
{
	struct herald_dead_filter part = bulk->filter;
	enum herald_status status = HERALD_OK;

	if (!bulk->by_id)
		return bulk->change(bulk, &part, max, count, error);
	for (size_t i = 0; status == HERALD_OK && i < page->count; i++) {
		uint64_t done = 0;

		part.id = page->ids[i];
		status = bulk->change(bulk, &part, 1, &done, error);
		*count += done;
	}
	return status;
}

static enum herald_status
run_dead(struct bulk *bulk, const struct herald_dead_filter *filter, uint64_t *count,
	 struct herald_error *error)
{
	struct herald_dead_filter *before = &bulk->filter;
	enum herald_status status = check_filter(filter, error);

	bulk->find = find_dead;
	bulk->step = step_dead;
	*count = 0;
	if (status != HERALD_OK)
		return status;
	if (bulk->options->is_dry_run) {
		struct herald_dead_filter counted = *filter;
		struct page page = {0};

		counted.without_content = true;
		return visit_all(bulk->store, &counted, &page, count, error);
	}
	/* A dead letter that dies again meanwhile is not replayed again. */
	*before = given_filter(filter);
	bool is_late = false;
	status = find_late(bulk, &is_late, error);
	if (status != HERALD_OK)
		return status;
	/* With one writer, all others would wait for a search within the transaction. */
	bulk->by_id = is_late || bulk->store->database->ops->has_one_writer;
	if (!is_late && (before->to_ms == 0 || before->to_ms > bulk->wall_ms))
		before->to_ms = bulk->wall_ms;
	bulk->limit = filter->limit;
	return run_bulk(bulk, count, error);
}

/* Then events may run: the ones that were replayed, or whose key a dead letter has held. */
static enum herald_status
change_dead(struct bulk *bulk, const struct herald_dead_filter *filter, uint64_t *count,
	    struct herald_error *error)
{
	enum herald_status status = herald__ending_enter(bulk->store, error);

	*count = 0;
	if (status != HERALD_OK)
		return status;
	bulk->wall_ms = wall_ms(bulk->store) + 1;
	status = run_dead(bulk, filter, count, error);
	if (*count > 0 && !bulk->options->is_dry_run)
		herald__dispatch_wake(bulk->store);
	herald__ending_leave(bulk->store);
	return status;
}

static enum herald_status
replay_dead(const struct bulk *bulk, const struct herald_dead_filter *filter, size_t max,
	    uint64_t *count, struct herald_error *error)
{
	return bulk->store->database->ops->dead_replay(bulk->session, filter, max,
						       wall_ms(bulk->store), count, error);
}

enum herald_status
herald_store_dead_replay(struct herald_store *store, const struct herald_dead_filter *filter,
			 const struct herald_bulk *bulk, uint64_t *count,
			 struct herald_error *error)
{
	struct bulk replay = {
		.store = store, .options = bulk ? bulk : &defaults, .change = replay_dead};

	return change_dead(&replay, filter, count, error);
}

static enum herald_status
drop_dead(const struct bulk *bulk, const struct herald_dead_filter *filter, size_t max,
	  uint64_t *count, struct herald_error *error)
{
	return bulk->store->database->ops->dead_drop(bulk->session, filter, max, count, error);
}

enum herald_status
herald_store_dead_drop(struct herald_store *store, const struct herald_dead_filter *filter,
		       const struct herald_bulk *bulk, uint64_t *count, struct herald_error *error)
{
	struct bulk drop = {
		.store = store, .options = bulk ? bulk : &defaults, .change = drop_dead};

	return change_dead(&drop, filter, count, error);
}

static enum herald_status
find_pending(const struct bulk *bulk, size_t max, struct id_page *page, struct herald_error *error)
{
	return bulk->store->database->ops->purge_find(bulk->session, bulk->purge, bulk->after_id,
						      max, page->ids, &page->count, error);
}

static enum herald_status
purge_found(const struct bulk *bulk, const struct id_page *page, size_t max, uint64_t *count,
	    struct herald_error *error)
{
	(void)max;
	return bulk->store->database->ops->purge(bulk->session, bulk->purge, page->ids, page->count,
						 count, error);
}

static enum herald_status
count_purged(struct herald_store *store, const struct herald_purge_filter *filter, uint64_t *count,
	     struct herald_error *error)
{
	struct herald_session *session = NULL;
	enum herald_status status = open_session(store, &session, error);

	if (status != HERALD_OK)
		return status;
	status = store->database->ops->pending(session, filter, count, error);
	close_session(store, session);
	return status;
}

enum herald_status
herald_store_purge(struct herald_store *store, const struct herald_purge_filter *filter,
		   const struct herald_bulk *bulk, uint64_t *count, struct herald_error *error)
{
	struct herald_purge_filter own = *filter;
	struct bulk purge = {.store = store,
			     .options = bulk ? bulk : &defaults,
			     .by_id = true,
			     .find = find_pending,
			     .step = purge_found,
			     .purge = &own};

	own.queue = given(filter->queue);
	own.event_type = given(filter->event_type);

	*count = 0;
	if (filter->created_before_ms < 0)
		return bad_filter(error, "created_before_ms", "before 1970");
	if (own.deliveries && own.queue)
		return bad_filter(error, "queue", "deliveries are in no queue");
	enum herald_status status = herald__ending_enter(store, error);
	if (status != HERALD_OK)
		return status;
	status = purge.options->is_dry_run ? count_purged(store, &own, count, error)
					   : run_bulk(&purge, count, error);
	herald__ending_leave(store);
	return status;
}

/* Counting. */

enum herald_status
herald_store_counts(struct herald_store *store, herald_count_visitor *visit, void *state,
		    struct herald_error *error)
{
	struct herald_session *session = NULL;
	enum herald_status status = herald__ending_enter(store, error);

	if (status != HERALD_OK)
		return status;
	status = open_session(store, &session, error);
	if (status == HERALD_OK) {
		status = store->database->ops->counts(session, wall_ms(store), visit, state, error);
		close_session(store, session);
	}
	herald__ending_leave(store);
	return status;
}

enum herald_status
herald_store_check(struct herald_store *store, herald_finding_visitor *visit, void *state,
		   struct herald_error *error)
{
	struct herald_session *session = NULL;
	enum herald_status status = herald__ending_enter(store, error);

	if (status != HERALD_OK)
		return status;
	status = open_session(store, &session, error);
	if (status == HERALD_OK) {
		status = store->database->ops->check(session, wall_ms(store), visit, state, error);
		close_session(store, session);
	}
	herald__ending_leave(store);
	return status;
}

const char *
herald_store_sql(const struct herald_store *store)
{
	return store->database->ops->sql(store->database);
}
