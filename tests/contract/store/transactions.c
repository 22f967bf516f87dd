/*
 * Transactions: all or nothing, with a part that can be undone, also for what the user's own code
 * writes; on the user's connection too; and two sessions at once.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe.h"

static void
accept_in(struct process *p, struct herald_stored_event *event)
{
	struct herald_error error;

	assert_works(p->ops->accept(p->session, event, 1, &error), &error);
}

static void
test_commit_and_rollback(const struct contract_store *kind)
{
	struct process *p = start(kind);

	begin(p);
	accept_in(p, EVENT(.event_type = "a"));
	accept_in(p, EVENT(.event_type = "b"));
	rollback(p);
	assert_int_equal(count_events(p), 0);
	begin(p);
	accept_in(p, EVENT(.event_type = "a"));
	accept_in(p, EVENT(.event_type = "b"));
	commit(p);
	assert_int_equal(count_events(p), 2);
	rollback(p); /* there is none: nothing happens */
	rollback(p);
	assert_int_equal(count_events(p), 2);
	begin(p);
	rollback(p);
	begin(p);
	commit(p);
	stop(p);
}

static void
test_not_seen_before_the_commit(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct process *other = start_tool(p);

	begin(p);
	accept_in(p, EVENT());
	assert_int_equal(count_events(other), 0);
	assert_int_equal(count_events(p), 1); /* of its own, it is */
	commit(p);
	assert_int_equal(count_events(other), 1);
	stop(other);
	stop(p);
}

/* graphile/worker#254: a connection that ends holds nothing any more. */
static void
test_close_rolls_back(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct process *other = start_tool(p);
	struct herald_error error;

	begin(p);
	accept_in(p, EVENT());
	p->ops->session_close(p->session);
	p->ops->session_close(NULL);
	assert_int_equal(count_events(other), 0);
	accept_event(other, EVENT()); /* and it no longer holds a lock */
	assert_works(p->ops->session_open(p->database, HERALD_SESSION_COMMIT, &p->session, &error),
		     &error);
	assert_int_equal(count_events(p), 1);
	stop(other);
	stop(p);
}

/* All uses of a session can read and write. */
static void
test_uses(const struct contract_store *kind)
{
	static const enum herald_session_use uses[] = {HERALD_SESSION_COMMIT, HERALD_SESSION_JOIN,
						       HERALD_SESSION_ADMIN};
	struct process *p = start(kind);

	for (size_t i = 0; i < COUNT(uses); i++) {
		struct herald_session *session;
		struct herald_error error;
		struct process with = *p;

		assert_works(p->ops->session_open(p->database, uses[i], &session, &error), &error);
		assert_ptr_equal(session->database, p->database);
		with.session = session;
		accept_event(&with, EVENT());
		assert_int_equal(count_events(p), i + 1);
		assert_int_equal(count_events(&with), i + 1);
		p->ops->tend(session, T0);
		p->ops->session_close(session);
	}
	stop(p);
}

static void
test_savepoints(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct herald_error error;

	begin(p);
	accept_in(p, EVENT(.event_type = "before"));
	for (int i = 0; i < 4; i++) {
		assert_works(p->ops->savepoint(p->session, &error), &error);
		accept_in(p, EVENT(.event_type = i % 2 ? "kept" : "undone"));
		if (i % 2)
			assert_works(p->ops->savepoint_release(p->session, &error), &error);
		else
			assert_works(p->ops->savepoint_rollback(p->session, &error), &error);
		accept_in(p, EVENT(.event_type = "between"));
	}
	commit(p);
	assert_count(p, "before", READY, 1);
	assert_count(p, "kept", READY, 2);
	assert_count(p, "undone", READY, 0);
	assert_count(p, "between", READY, 4);

	/* Kept, and then rolled back with all. */
	begin(p);
	assert_works(p->ops->savepoint(p->session, &error), &error);
	accept_in(p, EVENT(.event_type = "kept"));
	assert_works(p->ops->savepoint_release(p->session, &error), &error);
	rollback(p);
	/* Open at the rollback. */
	begin(p);
	assert_works(p->ops->savepoint(p->session, &error), &error);
	accept_in(p, EVENT(.event_type = "kept"));
	rollback(p);
	assert_count(p, "kept", READY, 2);
	stop(p);
}

/* Completions and claims within a savepoint. */
static void
test_savepoint_of_a_run(const struct contract_store *kind)
{
	struct process *p = start(kind);
	uint64_t id = accept_event(p, EVENT(.event_type = "a", .key_hash = 7, .owner = p->node));
	struct herald_completion completion = {.id = id,
					       .owner = p->node,
					       .attempts = 1,
					       .kind = HERALD_COMPLETE_DONE,
					       .key_hash = 7,
					       .now_ms = T0};
	struct herald_error error;

	accept_event(p, EVENT(.event_type = "b", .key_hash = 7));
	begin(p);
	assert_works(p->ops->savepoint(p->session, &error), &error);
	assert_works(p->ops->complete(p->session, &completion, 1, &error), &error);
	assert_false(completion.is_lost);
	assert_works(p->ops->savepoint_rollback(p->session, &error), &error);
	completion.is_lost = true;
	completion.kind = HERALD_COMPLETE_RETRY;
	completion.due_ms = T0 + 10;
	completion.reason = "rolled back";
	assert_works(p->ops->complete(p->session, &completion, 1, &error), &error);
	assert_false(completion.is_lost);
	commit(p);
	assert_count(p, "a", DELAYED, 1);
	assert_state(p, "b", BLOCKED);
	stop(p);
}

/* The user's writes by the handle are in the transaction. */
static void
test_handle(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct herald_error error;
	void *handle = p->ops->handle(p->session);

	assert_non_null(handle);
	begin(p);
	kind->write(handle, 1);
	assert_works(p->ops->savepoint(p->session, &error), &error);
	kind->write(handle, 2);
	accept_in(p, EVENT());
	assert_works(p->ops->savepoint_rollback(p->session, &error), &error);
	assert_works(p->ops->savepoint(p->session, &error), &error);
	kind->write(handle, 3);
	assert_works(p->ops->savepoint_release(p->session, &error), &error);
	commit(p);
	assert_int_equal(kind->count(p->place, 1), 1);
	assert_int_equal(kind->count(p->place, 2), 0);
	assert_int_equal(kind->count(p->place, 3), 1);
	begin(p);
	kind->write(handle, 4);
	rollback(p);
	assert_int_equal(kind->count(p->place, 4), 0);
	assert_int_equal(count_events(p), 0);
	stop(p);
}

/* A function that ends the transaction is found out, whether the part is to be kept or not. */
static void
test_user_ends_the_transaction(const struct contract_store *kind)
{
	for (int i = 0; i < 4; i++) {
		struct process *p = start(kind);
		struct herald_error error;
		void *handle;

		begin(p);
		assert_works(p->ops->savepoint(p->session, &error), &error);
		handle = p->ops->handle(p->session);
		kind->write(handle, 1);
		if (i % 2)
			kind->commit(handle);
		else
			kind->rollback(handle);
		if (i / 2)
			assert_status(p->ops->savepoint_release(p->session, &error),
				      HERALD_BAD_VALUE, &error);
		else
			assert_status(p->ops->savepoint_rollback(p->session, &error),
				      HERALD_BAD_VALUE, &error);
		rollback(p);
		assert_int_equal(kind->count(p->place, 1), i % 2);
		/* The session is usable. */
		accept_event(p, EVENT());
		assert_int_equal(count_events(p), 1);
		stop(p);
	}
}

/* The user's connection, with a transaction of the user's. */
static void
test_wrap(const struct contract_store *kind)
{
	struct process *p = start(kind);
	void *handle = kind->connect(p->place, p->database);

	for (int commits = 0; commits < 2; commits++) {
		struct herald_stored_event event =
			*EVENT(.seen_key = (const unsigned char *)"aaaaaaaaaaaaaaaa");
		struct herald_stored_delivery delivery = *DELIVERY();
		struct herald_session *session;
		struct herald_error error;
		bool new;

		kind->begin(handle);
		kind->write(handle, 1);
		assert_works(p->ops->session_wrap(p->database, handle, &session, &error), &error);
		assert_ptr_equal(session->database, p->database);
		assert_ptr_equal(p->ops->handle(session), handle);
		assert_works(p->ops->accept(session, &event, 1, &error), &error);
		assert_false(event.is_duplicate);
		assert_works(p->ops->delivery_push(session, &delivery, 1, &error), &error);
		assert_int_not_equal(delivery.id, 0);
		assert_works(p->ops->seen(session, (const unsigned char *)"bbbbbbbbbbbbbbbb", &new,
					  &error),
			     &error);
		assert_true(new);
		p->ops->session_close(session); /* the user's transaction goes on */
		kind->write(handle, 2);
		assert_int_equal(count_events(p), 0);
		if (commits)
			kind->commit(handle);
		else
			kind->rollback(handle);
		assert_int_equal(count_events(p), commits);
		assert_int_equal(count_of(p, true, NULL, HERALD_COUNT_READY), commits);
		assert_int_equal(kind->count(p->place, 1), commits);
		assert_int_equal(kind->count(p->place, 2), commits);
	}
	kind->disconnect(handle);
	stop(p);
}

static void
test_wrap_without_a_transaction(const struct contract_store *kind)
{
	struct process *p = start(kind);
	void *handle = kind->connect(p->place, p->database);
	struct herald_session *session = NULL;
	struct herald_error error;

	assert_status(p->ops->session_wrap(p->database, handle, &session, &error), HERALD_BAD_VALUE,
		      &error);
	assert_null(session);
	assert_true(strlen(error.message) > 0);
	kind->begin(handle);
	kind->commit(handle);
	assert_status(p->ops->session_wrap(p->database, handle, &session, &error), HERALD_BAD_VALUE,
		      &error);
	kind->disconnect(handle);
	stop(p);
}

/* solid_queue#309, #385: two sessions at once, each in its thread, wait for each other. */
struct writer {
	struct process *process;
	const char *type;
	uint64_t ids[100];
	atomic_bool failed;
};

#define EXPECT(WRITER, CONDITION)                                                                  \
	do {                                                                                       \
		if (!(CONDITION)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #CONDITION);            \
			atomic_store(&(WRITER)->failed, true);                                     \
			return NULL;                                                               \
		}                                                                                  \
	} while (0)

/* Other threads cannot fail a test of cmocka. A conflict of transactions is tried again. */
static void *
write_events(void *state)
{
	struct writer *writer = state;
	struct process *p = writer->process;
	struct herald_error error;

	for (size_t i = 0; i < COUNT(writer->ids);) {
		struct herald_stored_event events[2] = {
			*EVENT(.event_type = writer->type, .key_hash = 9),
			*EVENT(.event_type = writer->type, .due_ms = T0 + 5),
		};
		enum herald_status status;

		EXPECT(writer, p->ops->begin(p->session, &error) == HERALD_OK);
		status = p->ops->accept(p->session, events, 2, &error);
		if (status == HERALD_OK && i % 10 != 9)
			status = p->ops->commit(p->session, &error);
		p->ops->rollback(p->session);
		EXPECT(writer, status == HERALD_OK || status == HERALD_UNAVAILABLE);
		if (status == HERALD_UNAVAILABLE)
			continue;
		writer->ids[i++] = events[0].id;
	}
	return NULL;
}

static void
test_two_threads(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct process *other = start_tool(p);
	static struct writer writers[2];
	pthread_t threads[2];

	for (size_t i = 0; i < 2; i++) {
		writers[i] = (struct writer){.process = i ? other : p, .type = i ? "b" : "a"};
		assert_int_equal(pthread_create(&threads[i], NULL, write_events, &writers[i]), 0);
	}
	for (size_t i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		assert_false(atomic_load(&writers[i].failed));
	}
	/* A tenth was rolled back. One of each pair has the key, of which one is READY. */
	assert_int_equal(count_events(p), 360);
	assert_count(p, NULL, READY, 1);
	assert_count(p, NULL, DELAYED, 180);
	assert_count(p, NULL, BLOCKED, 179);
	for (size_t i = 1; i < COUNT(writers[0].ids); i++) {
		assert_true(writers[0].ids[i] > writers[0].ids[i - 1]);
		assert_true(writers[1].ids[i] > writers[1].ids[i - 1]);
	}
	stop(other);
	stop(p);
}

/* Each event is claimed by one of two threads. */
static void *
claim_events(void *state)
{
	struct writer *writer = state;
	struct process *p = writer->process;
	size_t count = 0;

	for (;;) {
		struct claims *claims = claim_with(p, &(struct herald_claim){.queue = "q",
									     .owner = p->node,
									     .now_ms = T0,
									     .max_events = 7,
									     .max_bytes = 1000});
		bool is_over = claims->count == 0 && claims->next_ms > T0;

		for (size_t i = 0; i < claims->count && count < COUNT(writer->ids); i++)
			writer->ids[count++] = claims->rows[i].event.id;
		claims_free(claims);
		if (is_over)
			return NULL;
	}
}

static int
compare_ids(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a;
	uint64_t right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

static void
test_two_threads_claim(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct process *other = start_on(p);
	static struct writer writers[2];
	uint64_t ids[2 * COUNT(writers[0].ids)];
	pthread_t threads[2];
	size_t count = 0;

	for (size_t i = 0; i < COUNT(writers[0].ids); i++)
		accept_event(p, EVENT());
	for (size_t i = 0; i < 2; i++) {
		writers[i] = (struct writer){.process = i ? other : p};
		assert_int_equal(pthread_create(&threads[i], NULL, claim_events, &writers[i]), 0);
	}
	for (size_t i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		for (size_t j = 0; j < COUNT(writers[i].ids) && writers[i].ids[j]; j++)
			ids[count++] = writers[i].ids[j];
	}
	assert_int_equal(count, COUNT(writers[0].ids));
	qsort(ids, count, sizeof(ids[0]), compare_ids);
	for (size_t i = 1; i < count; i++)
		assert_true(ids[i] > ids[i - 1]);
	stop(other);
	stop(p);
}

const struct contract_store_case contract_store_transactions[] = {
	{"test_commit_and_rollback", test_commit_and_rollback, NEEDS_NOTHING},
	{"test_not_seen_before_the_commit", test_not_seen_before_the_commit, NEEDS_NOTHING},
	{"test_close_rolls_back", test_close_rolls_back, NEEDS_NOTHING},
	{"test_uses", test_uses, NEEDS_NOTHING},
	{"test_savepoints", test_savepoints, NEEDS_NOTHING},
	{"test_savepoint_of_a_run", test_savepoint_of_a_run, NEEDS_NOTHING},
	{"test_handle", test_handle, NEEDS_NOTHING},
	{"test_user_ends_the_transaction", test_user_ends_the_transaction, NEEDS_NOTHING},
	{"test_wrap", test_wrap, NEEDS_NOTHING},
	{"test_wrap_without_a_transaction", test_wrap_without_a_transaction, NEEDS_NOTHING},
	{"test_two_threads", test_two_threads, NEEDS_NOTHING},
	{"test_two_threads_claim", test_two_threads_claim, NEEDS_TWO_NODES},
};
const size_t contract_store_transactions_count = COUNT(contract_store_transactions);
