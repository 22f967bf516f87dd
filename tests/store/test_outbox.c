/*
 * The outbox: what is published, what a failing database does to deliveries, and broken records.
 * The contract of queues is in test_store_queue.c.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <herald/adapter/database.h>
#include <herald/schema.h>

#include "service/inbox.h"
#include "store/outbox_queue.h"
#include "store/published.h"
#include "store/state.h"
#include "support/failing_allocator.h"
#include "support/outbox_process.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))
#define URL "http://a.example/200"

/* A hook that fails calls: of `op`, or of the commit of a transaction with `op`. */
struct faults {
	enum model_op op;
	bool at_commit;
	enum herald_status status;
	bool takes_place;
	unsigned first, count; /* which calls, from 0 */

	pthread_mutex_t mutex; /* protects all others: calls come from several threads */
	pthread_cond_t changed;
	struct herald_session *seen; /* in whose transaction `op` was called */
	unsigned calls;
	bool is_held; /* calls of `op` wait */
	unsigned held;
};

struct fixture {
	struct faults faults;
	struct model *model;
	struct outbox_process process;
};

/* The model_hook callback. */
static enum herald_status
fail_call(struct model_call *call, void *state)
{
	struct faults *faults = state;
	enum herald_status status = MODEL_GO_ON;

	pthread_mutex_lock(&faults->mutex);
	bool is_it = call->op == faults->op && !faults->at_commit;
	if (faults->at_commit && call->op == faults->op)
		faults->seen = call->session;
	if (faults->at_commit && call->op == MODEL_COMMIT && faults->seen == call->session) {
		faults->seen = NULL;
		is_it = true;
	}
	if (is_it) {
		unsigned number = faults->calls++;

		faults->held++;
		pthread_cond_broadcast(&faults->changed);
		while (faults->is_held)
			pthread_cond_wait(&faults->changed, &faults->mutex);
		faults->held--;
		if (number >= faults->first && number - faults->first < faults->count) {
			status = faults->status;
			call->takes_place = faults->takes_place;
		}
	}
	pthread_mutex_unlock(&faults->mutex);
	return status;
}

static int
setup_apart(void **state, bool claims_apart)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	pthread_mutex_init(&fixture->faults.mutex, NULL);
	pthread_cond_init(&fixture->faults.changed, NULL);
	fixture->faults.op = MODEL_OPS;
	fixture->model = model_create(&(struct model_options){.secret = 1,
							      .claims_apart = claims_apart,
							      .hook = fail_call,
							      .state = &fixture->faults});
	*state = fixture;
	return 0;
}

static int
setup(void **state)
{
	return setup_apart(state, false);
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;

	model_destroy(fixture->model);
	pthread_cond_destroy(&fixture->faults.changed);
	pthread_mutex_destroy(&fixture->faults.mutex);
	free(fixture);
	return 0;
}

#define BEGIN(FIXTURE, ...)                                                                        \
	outbox_process_begin(&(FIXTURE)->process, (FIXTURE)->model,                                \
			     HERALD_STORE_OPTIONS(.workers = 1),                                   \
			     HERALD_DELIVERER_OPTIONS(__VA_ARGS__))

static void
end(struct fixture *fixture)
{
	outbox_process_end(&fixture->process);
}

static void
set_faults(struct fixture *fixture, const struct faults *faults)
{
	pthread_mutex_lock(&fixture->faults.mutex);
	fixture->faults.op = faults->op;
	fixture->faults.at_commit = faults->at_commit;
	fixture->faults.status = faults->status;
	fixture->faults.takes_place = faults->takes_place;
	fixture->faults.first = faults->first;
	fixture->faults.count = faults->count;
	fixture->faults.is_held = faults->is_held;
	fixture->faults.calls = 0;
	pthread_mutex_unlock(&fixture->faults.mutex);
}

/* Calls that were to fail, since the faults were set. */
static unsigned
count_calls(struct fixture *fixture)
{
	pthread_mutex_lock(&fixture->faults.mutex);
	unsigned calls = fixture->faults.calls;
	pthread_mutex_unlock(&fixture->faults.mutex);
	return calls;
}

static enum herald_status
submit(struct fixture *fixture, const char *url)
{
	return herald_deliverer_submit(fixture->process.deliverer,
				       &(struct herald_delivery){.url = url}, NULL);
}

/* Publishing. */

struct paid {
	const char *order;
};

HERALD_SCHEMA(paid, HERALD_FIELD(paid, order, .required = true));

static void
run_init(struct herald__run *run, uint64_t id)
{
	*run = (struct herald__run){.id = id};
	herald_buffer_init(&run->published, NULL, 0);
}

/* Publish, store and deliver; *id is set to the delivery's. */
static void
publish(struct fixture *fixture, struct herald__run *run, const struct herald_delivery *delivery)
{
	struct herald_error error;

	if (herald__published_add(fixture->process.store, run, delivery, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
}

static void
store_published(struct fixture *fixture, struct herald__run *run)
{
	struct herald_store *store = fixture->process.store;
	const struct herald_database_ops *ops = fixture->process.database->ops;
	struct herald_session *session;

	assert_int_equal(
		ops->session_open(fixture->process.database, HERALD_SESSION_ADMIN, &session, NULL),
		HERALD_OK);
	assert_int_equal(ops->begin(session, NULL), HERALD_OK);
	assert_int_equal(herald__published_push(store, session, &run->published, 1000, NULL),
			 HERALD_OK);
	assert_int_equal(ops->commit(session, NULL), HERALD_OK);
	ops->session_close(session);
	herald_buffer_finish(&run->published);
	herald_store_wake(store);
}

/* An id is the same each time that an event runs, and differs between the deliveries of events.
 * Events have the same row id if a restored database gives it out again. */
static void
test_ids(void **state)
{
	static const struct {
		uint64_t run;
		int64_t created_ms;
		unsigned before; /* deliveries that were published before */
		struct herald_delivery delivery;
	} rows[] = {
		{1, 5000, 0, {.url = URL}},
		{2, 5000, 0, {.url = URL}},
		{1, 5001, 0, {.url = URL}},
		{1, 5000, 1, {.url = URL}},
		{1, 5000, 0, {.url = URL "?x"}},
		{1, 5000, 0, {.url = URL, .result = "fail"}},
		{1, 5000, 0, {.url = URL, .event_type = "fail"}},
		{1, 5000, 0, {.url = URL, .id = "mine"}},
	};
	struct fixture *fixture = *state;
	char ids[COUNT(rows)][64];

	for (size_t life = 0; life < 2; life++) {
		size_t delivered = 0;

		/* Another process has the same secret. */
		BEGIN(fixture, .attempts = 1);
		for (size_t i = 0; i < COUNT(rows); i++) {
			struct herald__run run;

			run_init(&run, rows[i].run);
			run.created_ms = rows[i].created_ms;
			for (unsigned j = 0; j < rows[i].before; j++)
				publish(fixture, &run, &rows[0].delivery);
			publish(fixture, &run, &rows[i].delivery);
			store_published(fixture, &run);
			delivered += rows[i].before + 1;
			recorder_wait(&fixture->process.recorder, delivered);

			const char *id = "";
			for (size_t j = delivered - rows[i].before - 1; j < delivered; j++)
				id = fixture->process.recorder.outcome_reports[j].id;
			if (life == 1)
				assert_string_equal(id, ids[i]);
			snprintf(ids[i], sizeof(ids[i]), "%s", id);
		}
		end(fixture);
	}
	assert_string_equal(ids[COUNT(rows) - 1], "mine");
	for (size_t i = 0; i < COUNT(rows) - 1; i++) {
		assert_int_equal(strlen(ids[i]), 32);
		assert_int_equal(strspn(ids[i], "0123456789abcdef"), 32);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(ids[i], ids[j]);
	}
}

static void
test_published_rows(void **state)
{
	static const char *const headers[] = {"X-Tenant: acme"};
	struct fixture *fixture = *state;
	struct herald_codec *codec;
	const struct paid paid = {.order = "o-1"};
	struct herald__run run;

	assert_int_equal(herald_codec_create(&paid_schema, NULL, NULL, &codec, NULL), HERALD_OK);
	BEGIN(fixture, .attempts = 1);
	run_init(&run, 7);
	publish(fixture, &run,
		&(struct herald_delivery){.url = "HTTP://A.Example/silent",
					  .id = "d-1",
					  .event_type = "order_paid",
					  .event_id = "e-1",
					  .codec = codec,
					  .value = &paid,
					  HERALD_HEADERS(headers)});
	publish(fixture, &run, &(struct herald_delivery){.url = "http://a.example/silent"});
	store_published(fixture, &run);
	outbox_process_kill(&fixture->process);
	const struct model_tables *tables = model_committed(fixture->model);
	assert_int_equal(tables->rows_count, 2);
	const struct model_row *row = tables->rows[0];
	assert_string_equal(row->texts[MODEL_URL], "HTTP://A.Example/silent");
	assert_string_equal(row->texts[MODEL_ORIGIN], "http://a.example:80");
	assert_string_equal(row->texts[MODEL_DELIVERY_ID], "d-1");
	assert_string_equal(row->texts[MODEL_EVENT_TYPE], "order_paid");
	assert_string_equal(row->texts[MODEL_EVENT_ID], "e-1");
	assert_int_equal(row->created_ms, 1000);
	assert_int_equal(row->due_ms, 1000);
	/* Its deadline begins when a deliverer takes it. */
	assert_true(row->expires_ms > INT64_C(1000) * 3600 * 24 * 365);
	assert_true(row->expires_ms < INT64_MAX / 2);
	assert_memory_equal(row->data.data, "\1t\21\0\0\0application/json\0", 23);
	assert_string_equal(tables->rows[1]->texts[MODEL_EVENT_TYPE], "");
	herald_codec_destroy(codec);
}

/* An error leaves what was published before. */
static void
test_refused_publications(void **state)
{
	char body[400] = "";
	const struct {
		struct herald_delivery delivery;
		enum herald_status status;
		const char *path, *message;
	} rows[] = {
		{{.url = "nowhere"}, HERALD_BAD_VALUE, "url", "expected an http or https URL"},
		{{.url = "broker://main/t"}, HERALD_BAD_VALUE, "url", "url: names a broker"},
		{{.producer = "main"}, HERALD_MISSING, "topic", "topic: is required"},
		{{.url = URL, .id = "a b"}, HERALD_BAD_VALUE, "id", "id: may hold"},
		{{.url = URL, HERALD_BODY(body, 401)},
		 HERALD_BAD_LENGTH,
		 "body",
		 "body: has 401 bytes, more than 400"},
		/* Each is small enough, all together are not. */
		{{.url = URL, HERALD_BODY(body, 300)},
		 HERALD_BAD_LENGTH,
		 "",
		 "more than 400 bytes are published with one event (max_published_bytes)"},
	};
	struct fixture *fixture = *state;
	struct herald__run run;

	outbox_process_begin(&fixture->process, fixture->model,
			     HERALD_STORE_OPTIONS(.max_published_bytes = 400),
			     HERALD_DELIVERER_OPTIONS(.attempts = 1));
	run_init(&run, 1);
	publish(fixture, &run, &(struct herald_delivery){.url = URL, .id = "kept"});
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t bytes = run.published.bytes;
		struct herald_error error = {.status = HERALD_OK};

		assert_int_equal(herald__published_add(fixture->process.store, &run,
						       &rows[i].delivery, &error),
				 rows[i].status);
		assert_int_equal(error.status, rows[i].status);
		assert_int_equal(error.offset, HERALD_NO_OFFSET);
		assert_string_equal(error.path, rows[i].path);
		assert_has(error.message, rows[i].message);
		assert_int_equal(run.published.bytes, bytes);
		assert_int_equal(herald__published_add(fixture->process.store, &run,
						       &rows[i].delivery, NULL),
				 rows[i].status);
	}
	store_published(fixture, &run);
	recorder_wait(&fixture->process.recorder, 1);
	assert_string_equal(fixture->process.recorder.outcome_reports[0].id, "kept");
	end(fixture);
}

/* Many, so that they are stored in several calls. */
static void
test_many_published(void **state)
{
	struct fixture *fixture = *state;
	struct herald__run run;

	BEGIN(fixture, .attempts = 1);
	run_init(&run, 1);
	for (size_t i = 0; i < 50; i++)
		publish(fixture, &run, &(struct herald_delivery){.url = URL});
	store_published(fixture, &run);
	recorder_wait(&fixture->process.recorder, 50);
	outbox_await_none(fixture->process.store);
	end(fixture);
	assert_int_equal(fixture->process.transport.begins, 50);
}

/* In a transaction of the user's: sent if that commits. */
static void
test_publish_in(void **state)
{
	struct fixture *fixture = *state;
	struct herald_session *session;

	BEGIN(fixture, .attempts = 1);
	struct herald_database *database = herald_store_database(fixture->process.store);
	const struct herald_database_ops *ops = database->ops;
	for (size_t i = 0; i < 2; i++) {
		struct model_connection *connection = model_connect(database);
		bool is_new = false;

		model_connection_begin(connection);
		assert_int_equal(ops->session_wrap(database, connection, &session, NULL),
				 HERALD_OK);
		assert_int_equal(herald_store_publish_in(fixture->process.store, session,
							 &(struct herald_delivery){.url = URL},
							 NULL),
				 HERALD_OK);
		assert_int_equal(herald_store_publish_in(fixture->process.store, session,
							 &(struct herald_delivery){.url = "x"},
							 NULL),
				 HERALD_BAD_VALUE);
		assert_int_equal(herald_store_accept_in(fixture->process.store, session, "shop",
							"e-1", &is_new, NULL),
				 HERALD_OK);
		assert_true(is_new);
		assert_int_equal(herald_store_accept_in(fixture->process.store, session, "shop",
							"e-1", &is_new, NULL),
				 HERALD_OK);
		assert_false(is_new);
		ops->session_close(session);
		if (i == 0)
			model_connection_rollback(connection);
		else
			model_connection_commit(connection);
		model_connection_close(connection);
		herald_store_wake(fixture->process.store);
	}
	recorder_wait(&fixture->process.recorder, 1);
	assert_int_equal(strlen(fixture->process.recorder.outcome_reports[0].id), 32);
	outbox_await_none(fixture->process.store);
	end(fixture);
	assert_int_equal(fixture->process.recorder.outcomes, 1);
}

/* A database that fails. */

static enum herald_status
publish_one(struct fixture *fixture)
{
	struct herald__run run;

	run_init(&run, 1);
	publish(fixture, &run, &(struct herald_delivery){.url = URL});
	store_published(fixture, &run);
	return HERALD_OK;
}

/* A delivery is submitted, and one call fails. It is delivered once, or refused. */
static void
test_calls_that_fail(void **state)
{
	static const struct {
		struct faults faults;
		enum herald_status submit;
		size_t begins; /* requests */
	} rows[] = {
		{{MODEL_DELIVERY_PUSH, .status = HERALD_UNAVAILABLE, .count = 1},
		 HERALD_UNAVAILABLE,
		 0},
		/* The committer tries it alone, too. */
		{{MODEL_DELIVERY_PUSH, .status = HERALD_BAD_VALUE, .count = 2},
		 HERALD_BAD_VALUE,
		 0},
		{{MODEL_DELIVERY_PUSH, true, HERALD_UNAVAILABLE, .count = 1},
		 HERALD_UNAVAILABLE,
		 0},
		{{MODEL_DELIVERY_PUSH, true, HERALD_UNKNOWN_OUTCOME, true, .count = 1},
		 HERALD_UNKNOWN_OUTCOME,
		 1},
		{{MODEL_DELIVERY_PUSH, true, HERALD_UNKNOWN_OUTCOME, false, .count = 1},
		 HERALD_UNKNOWN_OUTCOME,
		 0},
		{{MODEL_DELIVERY_CLAIM, .status = HERALD_UNAVAILABLE, .count = 3}, HERALD_OK, 1},
		{{MODEL_DELIVERY_CLAIM, true, HERALD_UNAVAILABLE, .count = 2}, HERALD_OK, 1},
		/* It is claimed, and the process does not know. */
		{{MODEL_DELIVERY_CLAIM, true, HERALD_UNKNOWN_OUTCOME, true, .count = 1},
		 HERALD_OK,
		 1},
		{{MODEL_DELIVERY_CLAIM, true, HERALD_UNKNOWN_OUTCOME, false, .count = 1},
		 HERALD_OK,
		 1},
		{{MODEL_DELIVERY_COMPLETE, .status = HERALD_UNAVAILABLE, .count = 3}, HERALD_OK, 1},
		{{MODEL_DELIVERY_COMPLETE, true, HERALD_UNKNOWN_OUTCOME, true, .count = 1},
		 HERALD_OK,
		 1},
		{{MODEL_DELIVERY_COMPLETE, true, HERALD_UNKNOWN_OUTCOME, false, .count = 1},
		 HERALD_OK,
		 1},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture *fixture;
		struct herald_delivery_statistics counts;

		teardown(state);
		setup(state);
		fixture = *state;
		BEGIN(fixture, .attempts = 1);
		set_faults(fixture, &rows[i].faults);
		/* Not submitted, where the same transaction could be the claim's. */
		enum herald_status status =
			rows[i].submit == HERALD_OK ? publish_one(fixture) : submit(fixture, URL);
		if (status != rows[i].submit)
			fail_msg("row %zu: %s", i, herald_status_name(status));
		if (rows[i].begins > 0)
			recorder_wait(&fixture->process.recorder, rows[i].begins);
		outbox_await_none(fixture->process.store);
		/* And it goes on. */
		assert_int_equal(submit(fixture, URL), HERALD_OK);
		recorder_wait(&fixture->process.recorder, rows[i].begins + 1);
		outbox_await_none(fixture->process.store);
		assert_true(count_calls(fixture) >= 1);
		herald_deliverer_statistics(fixture->process.deliverer, &counts);
		assert_int_equal(counts.refused, rows[i].submit != HERALD_OK);
		end(fixture);
		assert_int_equal(fixture->process.transport.begins, rows[i].begins + 1);
		assert_int_equal(fixture->process.recorder.delivered, rows[i].begins + 1);
	}
}

static void
await_calls(struct fixture *fixture, unsigned calls)
{
	while (count_calls(fixture) < calls)
		sched_yield();
}

/* A claim that is a transaction of its own fails, and may have taken place all the same: the
 * delivery does not stay RUNNING. Stopped at once, or after it was sent. */
static void
test_claims_apart_that_fail(void **state)
{
	static const struct {
		enum herald_status status;
		bool takes_place, stops;
	} rows[] = {
		{HERALD_UNAVAILABLE, false, false}, {HERALD_UNAVAILABLE, true, false},
		{HERALD_UNAVAILABLE, true, true},   {HERALD_NO_MEMORY, true, false},
		{HERALD_NO_MEMORY, true, true},     {HERALD_UNKNOWN_OUTCOME, true, true},
		{HERALD_BAD_VALUE, true, true},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture *fixture;

		teardown(state);
		setup_apart(state, true);
		fixture = *state;
		BEGIN(fixture, .attempts = 1);
		assert_int_equal(submit(fixture, URL), HERALD_OK);
		recorder_wait(&fixture->process.recorder, 1);
		outbox_await_none(fixture->process.store);
		set_faults(fixture,
			   &(struct faults){MODEL_DELIVERY_CLAIM, .status = rows[i].status,
					    .takes_place = rows[i].takes_place, .count = 1});
		publish_one(fixture);
		await_calls(fixture, 1);
		if (!rows[i].stops) {
			recorder_wait(&fixture->process.recorder, 2);
			outbox_await_none(fixture->process.store);
		}
		/* The model aborts if the node leaves with a row that is RUNNING. */
		end(fixture);
		assert_int_equal(model_nodes_count(fixture->model), 0);
	}
}

struct replaying {
	struct fixture *fixture;
	struct herald_session *_Atomic session; /* the committer's; other threads ask for it */
	bool has_end;                           /* its transaction */
	unsigned commits;
	bool has_replayed;
	enum herald_status status; /* of the replay */
	uint64_t count;
};

/* The model_hook callback: all of it on the committer's thread. */
static enum herald_status
replay_unknown_end(struct model_call *call, void *state)
{
	struct replaying *replaying = state;
	const struct outbox_process *process = &replaying->fixture->process;
	const struct herald_dead_filter all = {.kind = HERALD_DEAD_DELIVERIES};

	if (call->op == MODEL_DELIVERY_COMPLETE) {
		replaying->session = call->session;
		replaying->has_end = true;
	}
	if (call->session != replaying->session)
		return MODEL_GO_ON;
	if (call->op == MODEL_BEGIN && replaying->commits == 1 && !replaying->has_replayed) {
		replaying->has_replayed = true;
		replaying->status = herald_store_dead_replay(process->store, &all, NULL,
							     &replaying->count, NULL);
	}
	if (call->op != MODEL_COMMIT || !replaying->has_end || replaying->commits == 2)
		return MODEL_GO_ON;
	replaying->commits++;
	replaying->has_end = false;

	struct herald__outbox_queue *queue = (struct herald__outbox_queue *)process->queue;
	/* So that the next transaction is also a claim's. */
	pthread_mutex_lock(&queue->mutex);
	herald__outbox_start_claiming(queue);
	pthread_mutex_unlock(&queue->mutex);
	call->takes_place = true;
	return HERALD_UNKNOWN_OUTCOME;
}

/* The end of an attempt is stored, and nothing is known of that. The dead letter is replayed before
 * the end is tried again, in a transaction of which nothing is known either. It does not belong to
 * the next attempt, which has the same number. */
static void
test_replay_of_an_unknown_end(void **state)
{
	(void)state;
	for (int apart = 0; apart < 2; apart++) {
		struct fixture *fixture = calloc(1, sizeof(*fixture));
		struct replaying replaying = {.fixture = fixture};

		assert_non_null(fixture);
		fixture->model = model_create(&(struct model_options){.secret = 1,
								      .claims_apart = apart,
								      .hook = replay_unknown_end,
								      .state = &replaying});
		BEGIN(fixture, .attempts = 1);
		assert_int_equal(submit(fixture, "http://a.example/500"), HERALD_OK);
		recorder_wait(&fixture->process.recorder, 2);
		outbox_await_none(fixture->process.store);
		end(fixture);
		assert_true(replaying.has_replayed);
		assert_int_equal(replaying.status, HERALD_OK);
		assert_int_equal(replaying.count, 1);
		assert_int_equal(fixture->process.transport.begins, 2);
		model_destroy(fixture->model);
		free(fixture);
	}
}

/* The store has failed: nothing is accepted, and a stop does not wait for it. */
static void
test_store_that_has_failed(void **state)
{
	struct fixture *fixture = *state;

	BEGIN(fixture, .attempts = 1);
	assert_int_equal(submit(fixture, "http://a.example/silent"), HERALD_OK);
	set_faults(fixture,
		   &(struct faults){MODEL_DELIVERY_PUSH, true, HERALD_STORE_FAILED, .count = 1});
	assert_int_equal(submit(fixture, URL), HERALD_STORE_FAILED);
	assert_int_equal(submit(fixture, URL), HERALD_STORE_FAILED);
	end(fixture);
}

struct submission {
	struct fixture *fixture;
	pthread_t thread;
	enum herald_status status;
};

static void *
submit_one(void *state)
{
	struct submission *submission = state;

	submission->status = submit(submission->fixture, URL);
	return NULL;
}

static size_t
waiting_pushes(struct fixture *fixture)
{
	struct herald__outbox_queue *queue = (struct herald__outbox_queue *)fixture->process.queue;

	pthread_mutex_lock(&queue->mutex);
	size_t count = queue->pushes.count;
	pthread_mutex_unlock(&queue->mutex);
	return count;
}

/* One submission that the database refuses does not fail the others of its transaction. */
static void
test_one_of_a_batch_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct submission submissions[4];
	size_t refused = 0;

	BEGIN(fixture, .attempts = 1);
	/* The first one is held until the others wait, so that these are one batch. It is refused
	 * twice, because the committer tries it alone, and then so is the next one. */
	set_faults(fixture, &(struct faults){MODEL_DELIVERY_PUSH, .status = HERALD_BAD_VALUE,
					     .first = 1, .count = 4, .is_held = true});
	for (size_t i = 0; i < COUNT(submissions); i++) {
		submissions[i] = (struct submission){.fixture = fixture};
		assert_int_equal(
			pthread_create(&submissions[i].thread, NULL, submit_one, &submissions[i]),
			0);
		pthread_mutex_lock(&fixture->faults.mutex);
		while (fixture->faults.held == 0)
			pthread_cond_wait(&fixture->faults.changed, &fixture->faults.mutex);
		pthread_mutex_unlock(&fixture->faults.mutex);
	}
	while (waiting_pushes(fixture) < COUNT(submissions) - 1)
		sched_yield();
	pthread_mutex_lock(&fixture->faults.mutex);
	fixture->faults.is_held = false;
	pthread_cond_broadcast(&fixture->faults.changed);
	pthread_mutex_unlock(&fixture->faults.mutex);
	for (size_t i = 0; i < COUNT(submissions); i++) {
		pthread_join(submissions[i].thread, NULL);
		if (submissions[i].status == HERALD_BAD_VALUE)
			refused++;
		else
			assert_int_equal(submissions[i].status, HERALD_OK);
	}
	assert_int_equal(refused, 1);
	recorder_wait(&fixture->process.recorder, 3);
	end(fixture);
}

/* Rows that another version, or a hand, has written. */
static void
test_broken_records(void **state)
{
	static const struct {
		struct herald_stored_delivery delivery;
		const char *dead;
	} rows[] = {
		{{.url = URL, .record = {"\3", 1}},
		 "refused 1 " URL ": the stored delivery is broken: its version is not known at "
		 "byte 0\n"},
		{{.url = URL, .record = {"", 0}},
		 "refused 1 " URL ": the stored delivery is broken: it is empty at byte 0\n"},
		{{.url = "nowhere", .record = {"\1", 1}},
		 "refused 1 nowhere: it is not allowed any more: expected an http or https URL\n"},
		{{.url = "", .record = {"\1", 1}},
		 "refused 1 : it is not allowed any more: expected a URL\n"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_stored_delivery delivery = rows[i].delivery;
		struct fixture *fixture;
		struct herald_session *session;

		teardown(state);
		setup(state);
		fixture = *state;
		BEGIN(fixture, .attempts = 3);
		const struct herald_database_ops *ops = fixture->process.database->ops;
		delivery.delivery_id = "d";
		delivery.origin = delivery.event_type = delivery.event_id = delivery.last_error =
			"";
		assert_int_equal(ops->session_open(fixture->process.database, HERALD_SESSION_ADMIN,
						   &session, NULL),
				 HERALD_OK);
		assert_int_equal(ops->begin(session, NULL), HERALD_OK);
		assert_int_equal(ops->delivery_push(session, &delivery, 1, NULL), HERALD_OK);
		assert_int_equal(ops->commit(session, NULL), HERALD_OK);
		ops->session_close(session);
		herald_store_wake(fixture->process.store);
		recorder_wait(&fixture->process.recorder, 1);
		const struct recorded_report *report =
			&fixture->process.recorder.outcome_reports[0];
		assert_int_equal(report->outcome, HERALD_DELIVERY_FAILED);
		assert_int_equal(report->failure, HERALD_DELIVERY_REFUSED);
		assert_int_equal(report->attempt, 0);
		assert_string_equal(report->id, "d");
		outbox_await_none(fixture->process.store);
		assert_string_equal(outbox_dead(fixture->process.store), rows[i].dead);
		end(fixture);
		assert_int_equal(fixture->process.transport.begins, 0);
	}
}

/* Stopping. */

/* What was claimed and not attempted is given back, and its attempt does not count. */
static void
test_stop_gives_back(void **state)
{
	struct fixture *fixture = *state;
	size_t attempted = 0;

	BEGIN(fixture, .attempts = 3, .slots = 2, .max_claimed = 4);
	for (size_t i = 0; i < 10; i++) {
		char url[64];

		snprintf(url, sizeof(url), "http://h%zu.example/silent", i);
		assert_int_equal(submit(fixture, url), HERALD_OK);
	}
	struct herald_delivery_statistics counts;
	do {
		sched_yield();
		herald_deliverer_statistics(fixture->process.deliverer, &counts);
	} while (counts.in_flight < 2);
	end(fixture);
	const struct model_tables *tables = model_committed(fixture->model);
	assert_int_equal(tables->rows_count, 10);
	for (size_t i = 0; i < 10; i++) {
		assert_int_equal(tables->rows[i]->state, MODEL_READY);
		attempted += tables->rows[i]->attempts;
	}
	assert_int_equal(attempted, 2);
}

static bool
no_problem(const struct herald_finding *finding, void *state)
{
	(void)state;
	if (finding->is_problem)
		fail_msg("%s: %s", finding->name, finding->text);
	return true;
}

static bool
add_ready(const struct herald_count *count, void *state)
{
	if (count->is_delivery && count->state == HERALD_COUNT_READY)
		*(uint64_t *)state += count->count;
	return true;
}

static void
await_ready(struct herald_store *store, uint64_t expected)
{
	uint64_t count;

	do {
		sched_yield();
		count = 0;
		assert_int_equal(herald_store_counts(store, add_ready, &count, NULL), HERALD_OK);
	} while (count != expected);
}

/* If the database does not take what is given back, the node does not leave: then its deliveries
 * have an owner that is dead, and the next process recovers them. Attempts that had begun count. */
static void
check_stop_that_cannot_give_back(struct fixture *fixture, const char *folder,
				 enum herald_status status)
{
	const struct herald_store_options options = {.workers = 1, .in_flight_folder = folder};
	struct herald_delivery_statistics counts;
	struct herald_session *session;
	struct herald_error error;
	size_t attempts = 0;

	outbox_process_begin(&fixture->process, fixture->model, options,
			     HERALD_DELIVERER_OPTIONS(.attempts = 3, .slots = 2, .max_claimed = 4));
	for (size_t k = 0; k < 10; k++) {
		char url[64];

		snprintf(url, sizeof(url), "http://h%zu.example/silent", k);
		assert_int_equal(submit(fixture, url), HERALD_OK);
	}
	do {
		sched_yield();
		herald_deliverer_statistics(fixture->process.deliverer, &counts);
	} while (counts.in_flight < 2);
	set_faults(fixture,
		   &(struct faults){MODEL_DELIVERY_COMPLETE, .status = status, .count = 1000});
	end(fixture);
	/* The next one recovers them, and sends nothing. */
	set_faults(fixture, &(struct faults){MODEL_DELIVERY_CLAIM, .status = HERALD_UNAVAILABLE,
					     .count = UINT32_MAX});
	outbox_process_begin(&fixture->process, fixture->model, options,
			     HERALD_DELIVERER_OPTIONS(.attempts = 3, .slots = 2));
	await_ready(fixture->process.store, 10);
	const struct herald_database_ops *ops = fixture->process.database->ops;
	assert_int_equal(
		ops->session_open(fixture->process.database, HERALD_SESSION_ADMIN, &session, NULL),
		HERALD_OK);
	assert_int_equal(ops->check(session, INT64_MAX / 2, no_problem, NULL, &error), HERALD_OK);
	ops->session_close(session);
	end(fixture);
	const struct model_tables *tables = model_committed(fixture->model);
	for (size_t i = 0; i < tables->rows_count; i++)
		attempts += tables->rows[i]->attempts;
	assert_int_equal(attempts, 2);
}

static void
test_stop_that_cannot_give_back(void **state)
{
	static const enum herald_status statuses[] = {HERALD_UNAVAILABLE, HERALD_BAD_VALUE,
						      HERALD_STORE_FAILED};

	for (size_t i = 0; i < COUNT(statuses); i++) {
		char folder[] = "/tmp/herald-outbox-XXXXXX";

		teardown(state);
		setup(state);
		assert_non_null(mkdtemp(folder));
		check_stop_that_cannot_give_back(*state, folder, statuses[i]);
		assert_int_equal(rmdir(folder), 0);
	}
}

static void
test_one_queue_for_each_store(void **state)
{
	struct fixture *fixture = *state;
	struct herald_delivery_queue *queue = NULL;
	struct herald_error error;

	BEGIN(fixture, .attempts = 1);
	assert_int_equal(herald_store_queue_create(fixture->process.store, &queue, &error),
			 HERALD_BAD_OPTION);
	assert_null(queue);
	assert_has(error.message, "the store has a delivery queue already");
	herald_deliverer_destroy(fixture->process.deliverer);

	/* After that, another one may be created. */
	assert_int_equal(
		herald_store_queue_create(fixture->process.store, &fixture->process.queue, NULL),
		HERALD_OK);
	fake_transport_init(&fixture->process.transport, NULL, 0);
	assert_int_equal(herald_deliverer_create(
				 &RECORDED_OPTIONS(&fixture->process.recorder,
						   .transport = &fixture->process.transport.base,
						   .queue = fixture->process.queue),
				 &fixture->process.deliverer, NULL),
			 HERALD_OK);
	assert_int_equal(submit(fixture, URL), HERALD_OK);
	recorder_wait(&fixture->process.recorder, 1);
	end(fixture);
}

/* Many deliveries to a host that is silent do not delay those to others. */
static void
test_silent_host(void **state)
{
	struct fixture *fixture = *state;
	const size_t silent = getenv("HERALD_TEST_FULL") ? 20000 : 1500;
	struct herald__run run;

	/* None of them times out meanwhile, however busy the machine is. */
	BEGIN(fixture, .attempts = 1, .attempt_timeout_ms = 600000, .deadline_ms = 600000);
	for (size_t i = 0; i < silent; i += 100) {
		run_init(&run, i + 1);
		for (size_t j = 0; j < 100; j++)
			publish(fixture, &run,
				&(struct herald_delivery){.url = "http://silent.example/silent"});
		store_published(fixture, &run);
	}
	for (size_t i = 0; i < 20; i++) {
		assert_int_equal(submit(fixture, URL), HERALD_OK);
		recorder_wait(&fixture->process.recorder, i + 1);
	}
	assert_int_equal(fixture->process.recorder.delivered, 20);
	while (outbox_pending(fixture->process.store) > silent)
		sched_yield();
	assert_int_equal(outbox_pending(fixture->process.store), silent);
	end(fixture);
}

/* Deliveries that were replayed, and are put off because their origin has enough, go on, too. */
static void
test_replayed_ones_that_are_put_off(void **state)
{
	const struct herald_dead_filter all = {.kind = HERALD_DEAD_DELIVERIES};
	struct fixture *fixture = *state;
	uint64_t count = 0;

	/* One to an origin at a time. */
	BEGIN(fixture, .attempts = 3, .slots = 2, .max_claimed = 4);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(submit(fixture, "http://a.example/404"), HERALD_OK);
	recorder_wait(&fixture->process.recorder, 3);
	outbox_await_none(fixture->process.store);
	assert_int_equal(herald_store_dead_replay(fixture->process.store, &all, NULL, &count, NULL),
			 HERALD_OK);
	assert_int_equal(count, 3);
	recorder_wait(&fixture->process.recorder, 6);
	outbox_await_none(fixture->process.store);
	end(fixture);
	assert_int_equal(fixture->process.recorder.attempts, 6);
}

/* Memory. */

/* Returns whether an allocation failed. */
static bool
live_with(struct fixture *fixture, size_t n)
{
	struct failing_allocator memory;
	struct outbox_process *process = &fixture->process;
	struct herald_error error = {.status = HERALD_OK};

	failing_allocator_init(&memory, FAIL_ONLY, n);
	recorder_init(&process->recorder);
	fake_transport_init(&process->transport, NULL, 0);
	process->database = model_open(fixture->model);
	enum herald_status status = herald_store_create(
		&HERALD_STORE_OPTIONS(.database = process->database, .workers = 1, .max_batch = 8,
				      .allocator = memory.allocator),
		&process->store, &error);
	if (status == HERALD_OK) {
		status = herald_store_queue_create(process->store, &process->queue, &error);
		if (status == HERALD_OK)
			status = herald_deliverer_create(
				&RECORDED_OPTIONS(&process->recorder, .attempts = 1,
						  .transport = &process->transport.base,
						  .queue = process->queue,
						  .allocator = memory.allocator),
				&process->deliverer, &error);
		if (status == HERALD_OK) {
			size_t accepted = 0;

			for (size_t i = 0; i < 3; i++) {
				status = submit(fixture, URL);
				if (status != HERALD_NO_MEMORY)
					assert_int_equal(status, HERALD_OK);
				accepted += status == HERALD_OK;
			}
			assert_true(accepted >= 2);
			recorder_wait(&process->recorder, accepted);
			outbox_await_none(process->store);
			assert_int_equal(process->recorder.delivered, accepted);
			assert_int_equal(herald_deliverer_stop(process->deliverer, 0), 0);
			herald_deliverer_destroy(process->deliverer);
		} else {
			assert_int_equal(status, HERALD_NO_MEMORY);
		}
		herald_store_destroy(process->store);
	} else {
		assert_int_equal(status, HERALD_NO_MEMORY);
	}
	recorder_finish(&process->recorder);
	assert_all_released(&memory);
	return memory.failures > 0;
}

static void
test_nth_allocation_fails(void **state)
{
	size_t n = 1;

	while (live_with(*state, n))
		n++;
	assert_true(n > 20);
}

/* A run's publications. */
static void
test_nth_allocation_of_publishing(void **state)
{
	struct fixture *fixture = *state;
	const struct paid paid = {.order = "o-1"};
	struct herald_codec *codec;
	bool has_failed = true;
	size_t n = 0;

	assert_int_equal(herald_codec_create(&paid_schema, NULL, NULL, &codec, NULL), HERALD_OK);
	while (has_failed) {
		struct failing_allocator memory;
		struct herald_error error;
		struct herald_store store = {
			.settings = {.options.max_published_bytes = 1000},
		};
		struct herald__run run = {.id = 1};

		(void)fixture;
		failing_allocator_init(&memory, FAIL_ONLY, ++n);
		store.settings.allocator = memory.allocator;
		herald_buffer_init(&run.published, &memory.allocator, 0);
		enum herald_status status = herald__published_add(
			&store, &run,
			&(struct herald_delivery){.url = URL, .codec = codec, .value = &paid},
			&error);
		has_failed = memory.failures > 0;
		assert_int_equal(status, has_failed ? HERALD_NO_MEMORY : HERALD_OK);
		if (has_failed) {
			assert_int_equal(error.status, HERALD_NO_MEMORY);
			assert_int_equal(run.published.bytes, 0);
		}
		herald_buffer_finish(&run.published);
		assert_all_released(&memory);
	}
	assert_true(n > 2);
	herald_codec_destroy(codec);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_ids),
		TEST(test_published_rows),
		TEST(test_refused_publications),
		TEST(test_many_published),
		TEST(test_publish_in),
		TEST(test_calls_that_fail),
		TEST(test_claims_apart_that_fail),
		TEST(test_replay_of_an_unknown_end),
		TEST(test_store_that_has_failed),
		TEST(test_one_of_a_batch_is_refused),
		TEST(test_broken_records),
		TEST(test_stop_gives_back),
		TEST(test_stop_that_cannot_give_back),
		TEST(test_one_queue_for_each_store),
		TEST(test_silent_host),
		TEST(test_replayed_ones_that_are_put_off),
		TEST(test_nth_allocation_fails),
		TEST(test_nth_allocation_of_publishing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
