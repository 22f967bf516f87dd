/*
 * Deliveries that the database says this process owns are given back unless it knows of this very
 * claim. Each case alone; the simulation (test_simulation.c) meets them by chance.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/outbox_queue.h"
#include "store/outbox_reconcile.h"
#include "support/store_fixture.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* What is in memory of the delivery, which the database says was claimed by our node once. */
static const struct {
	bool is_known;
	int owner, attempts, replays; /* how much they are off */
	bool is_fenced;
	bool is_sending; /* so says the in-flight file */
	bool is_released, has_reconciled;
	/* Others were left, with ends that are refused. */
	bool leaves_rows, has_no_file, has_missed, is_counted;
} rows[] = {
	{.is_known = true, .has_reconciled = true},
	{.is_released = true, .has_reconciled = true},
	/* An earlier claim, whose end may be stored. */
	{.is_known = true, .attempts = 1, .is_released = true, .has_reconciled = true},
	/* The same, before a replay. */
	{.is_known = true, .replays = 1, .is_released = true, .has_reconciled = true},
	/* A claim of the node that lost its lease. */
	{.is_known = true, .owner = 1, .is_released = true, .has_reconciled = true},
	{.is_fenced = true},
	{.is_known = true, .is_fenced = true},
	/* It was left, with an end that is refused. */
	{.is_sending = true, .has_reconciled = true},
	{.is_known = true, .is_sending = true, .has_reconciled = true},
	/* That is sent, or was; this claim is not. */
	{.is_known = true,
	 .attempts = 1,
	 .is_sending = true,
	 .is_released = true,
	 .has_reconciled = true},
	/* It may have been left: then its attempt counts. */
	{.is_released = true, .has_reconciled = true, .leaves_rows = true},
	{.is_released = true, .has_reconciled = true, .has_no_file = true},
	{.is_released = true, .has_reconciled = true, .has_missed = true},
	{.is_released = true,
	 .has_reconciled = true,
	 .leaves_rows = true,
	 .has_no_file = true,
	 .is_counted = true},
	{.is_released = true,
	 .has_reconciled = true,
	 .leaves_rows = true,
	 .has_missed = true,
	 .is_counted = true},
};

static uint64_t
push_owned(struct herald_store *store)
{
	struct herald_stored_delivery delivery = {
		.delivery_id = "d",
		.url = "http://a.example/",
		.origin = "http://a.example:80",
		.event_type = "t",
		.event_id = "",
		.record = {"", 0},
		.last_error = "",
		.owner = store->node.id,
	};
	struct herald_error error;

	assert_int_equal(
		store->database->ops->delivery_push(store->committer.session, &delivery, 1, &error),
		HERALD_OK);
	assert_int_equal(delivery.owner, store->node.id);
	return delivery.id;
}

/* The file is full. */
static void
miss_a_delivery(struct herald__in_flight *file, uint64_t node)
{
	for (uint64_t i = 0; i <= HERALD__IN_FLIGHT_DELIVERIES; i++)
		herald__in_flight_send(file, node, 1000 + i);
}

static void
run_row(struct store_fixture *f, size_t i)
{
	struct herald_store *store = f->store;
	const struct herald_database_ops *ops = store->database->ops;
	struct herald_session *session = store->committer.session;
	struct herald__outbox_queue queue = {.store = store, .leaves_rows = rows[i].leaves_rows};
	struct herald__outbox_entry entry = {
		.end = {.attempts = 1 + (unsigned)rows[i].attempts,
			.replays = (unsigned)rows[i].replays,
			.owner = store->node.id + (uint64_t)rows[i].owner}};
	struct herald_error error;

	pthread_mutex_init(&queue.mutex, NULL);
	assert_int_equal(ops->begin(session, &error), HERALD_OK);
	entry.end.id = push_owned(store);
	if (rows[i].is_known)
		herald__outbox_own(&queue, &entry);
	if (rows[i].is_sending)
		herald__in_flight_send(&store->node.in_flight, store->node.id, entry.end.id);
	if (rows[i].has_missed)
		miss_a_delivery(&store->node.in_flight, store->node.id);
	store->dispatch.is_doubted = rows[i].is_fenced;
	assert_int_equal(herald__outbox_reconcile(&queue, session, 0, &error), HERALD_OK);
	assert_int_equal(queue.write.has_reconciled, rows[i].has_reconciled);
	assert_int_equal(ops->commit(session, &error), HERALD_OK);
	const struct model_row *row = model_tables_find(model_committed(f->model), entry.end.id);
	assert_int_equal(row->state, rows[i].is_released ? MODEL_READY : MODEL_RUNNING);
	assert_int_equal(row->attempts, !rows[i].is_released || rows[i].is_counted);
	pthread_mutex_destroy(&queue.mutex);
}

static void
test_what_is_given_back(void **state)
{
	struct store_fixture *f = calloc(1, sizeof(*f));
	char folder[] = "/tmp/herald-reconcile-XXXXXX";
	char path[4096];

	(void)state;
	assert_non_null(f);
	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < COUNT(rows); i++) {
		store_fixture_init(
			f, &(struct store_fixture_options){
				   .store.in_flight_folder = rows[i].has_no_file ? NULL : folder});
		snprintf(path, sizeof(path), "%s", f->store->node.path);
		run_row(f, i);
		/* Its node cannot leave: it may own a delivery. */
		store_fixture_kill(f);
		assert_int_equal(unlink(path), rows[i].has_no_file ? -1 : 0);
	}
	assert_int_equal(rmdir(folder), 0);
	free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_is_given_back)};

	return cmocka_run_group_tests_name("outbox_reconcile", tests, NULL, NULL);
}
