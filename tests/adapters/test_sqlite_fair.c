/*
 * Deliveries on SQLite: hosts that do not answer keep no one else's deliveries back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <herald/adapter/database.h>
#include <herald/herald.h>
#include <herald/sqlite.h>

#include "store/delivery_record.h"
#include "support/delivering.h"
#include "support/fake_transport.h"
#include "support/sqlite_file.h"

#define SILENT 100
#define DELIVERIES 1000

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* DELIVERIES for one host, in one transaction. */
static void
push(struct herald_session *session, const char *host, const char *path)
{
	static struct herald_stored_delivery all[DELIVERIES];
	static char ids[DELIVERIES][64];
	const struct herald_database_ops *ops;
	char url[96], origin[96];
	struct herald_buffer record;
	struct herald_error error;

	if (!session)
		abort();
	ops = session->database->ops;
	snprintf(url, sizeof(url), "http://%s/%s", host, path);
	snprintf(origin, sizeof(origin), "http://%s:80", host);
	herald_buffer_init(&record, NULL, 0);
	assert_int_equal(
		herald__delivery_record_write(&(struct herald_delivery){.url = url}, &record),
		HERALD_OK);
	for (size_t i = 0; i < DELIVERIES; i++) {
		snprintf(ids[i], sizeof(ids[i]), "%s-%zu", host, i);
		all[i] = (struct herald_stored_delivery){
			.delivery_id = ids[i],
			.url = url,
			.origin = origin,
			.event_type = "",
			.event_id = "",
			.record = {record.data, record.bytes},
			.created_ms = now_ms(),
			.due_ms = now_ms(),
			.expires_ms = now_ms() + 3600000,
			.last_error = "",
		};
	}
	if (ops->begin(session, &error) != HERALD_OK ||
	    ops->delivery_push(session, all, DELIVERIES, &error) != HERALD_OK ||
	    ops->commit(session, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	herald_buffer_finish(&record);
}

/* All silent hosts have 1,000 deliveries that are due before any of the host that answers. */
static void
test_silent_hosts(void **state)
{
	static struct recorder recorder;
	static struct fake_transport transport;
	struct herald_store_options options = HERALD_STORE_OPTIONS(.workers = 1);
	struct herald_deliverer_options sending =
		HERALD_DELIVERER_OPTIONS(.attempts = 3, .attempt_timeout_ms = 120000,
					 .transport = &transport.base, .on_attempt = record_attempt,
					 .on_outcome = record_outcome, .state = &recorder);
	struct herald_deliverer *deliverer = NULL;
	struct herald_session *session = NULL;
	struct herald_store *store = NULL;
	struct herald_delivery_statistics counts;
	struct herald_error error;
	struct sqlite_file file;
	char host[32];

	(void)state;
	sqlite_file_init(&file);
	recorder_init(&recorder);
	fake_transport_init(&transport, NULL, 0);
	if (herald_sqlite_create(&HERALD_SQLITE_OPTIONS(.path = file.path), &options.database,
				 &error) != HERALD_OK ||
	    herald_store_create(&options, &store, &error) != HERALD_OK ||
	    herald_store_database(store)->ops->session_open(herald_store_database(store),
							    HERALD_SESSION_ADMIN, &session,
							    &error) != HERALD_OK)
		fail_msg("%s", error.message);
	for (unsigned i = 0; i < SILENT; i++) {
		snprintf(host, sizeof(host), "s%u.example", i);
		push(session, host, "silent");
	}
	push(session, "healthy.example", "200");
	session->database->ops->session_close(session);

	if (herald_store_queue_create(store, &sending.queue, &error) != HERALD_OK ||
	    herald_deliverer_create(&sending, &deliverer, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	recorder_wait(&recorder, DELIVERIES);
	herald_deliverer_statistics(deliverer, &counts);
	assert_int_equal(counts.delivered, DELIVERIES);
	assert_int_equal(counts.failed, 0);
	/* The silent ones hang all the while, each in some attempts. */
	assert_true(counts.in_flight >= SILENT);
	herald_deliverer_stop(deliverer, 0);
	herald_deliverer_destroy(deliverer);
	herald_store_stop(store, 1000);
	herald_store_destroy(store);
	/* Nothing is lost, and no attempt was counted that was not made. */
	assert_int_equal(sqlite_file_number(&file, "SELECT count(*) FROM herald_delivery"),
			 SILENT * DELIVERIES);
	assert_in_range(sqlite_file_number(&file, "SELECT count(*) FROM herald_delivery "
						  "WHERE attempts > 0"),
			SILENT, 512);
	sqlite_file_close(&file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_silent_hosts)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
