/*
 * A backup is restored while a process uses the tables on PostgreSQL. Ids of events are used again
 * then; what the process ends late must not end another event with the same id.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <herald/herald.h>
#include <herald/postgres.h>

#include "support/postgres_server.h"

#define LEASE_MS 3000

static struct postgres_server server;

/* A condition is waited for, in short steps. */
static void
rest(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

/* A process. Its function waits until the test opens the gate of the event. */

struct numbered {
	uint64_t number;
};
HERALD_SCHEMA(numbered, HERALD_FIELD(numbered, number, .required = true));

enum { BEFORE, MEANWHILE, AFTER, GATES };

struct shop {
	char dsn[192];
	struct herald_store *store;
	struct herald_service *service;

	pthread_mutex_t mutex; /* protects the rest */
	pthread_cond_t changed;
	bool is_open[GATES];
	unsigned runs[GATES];
};

static enum herald_verdict
on_work(struct herald_context *ctx, const struct numbered *work, struct shop *shop)
{
	(void)ctx;
	pthread_mutex_lock(&shop->mutex);
	shop->runs[work->number]++;
	pthread_cond_broadcast(&shop->changed);
	while (!shop->is_open[work->number])
		pthread_cond_wait(&shop->changed, &shop->mutex);
	pthread_mutex_unlock(&shop->mutex);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_work, numbered, shop);

static void
must(enum herald_status status, const struct herald_error *error)
{
	if (status != HERALD_OK)
		fail_msg("%s: %s", error->path, error->message);
}

static struct herald_store *
open_store(const char *dsn, uint32_t lease_ms)
{
	struct herald_store_options options =
		HERALD_STORE_OPTIONS(.workers = 3, .lease_ms = lease_ms);
	struct herald_error error;
	struct herald_store *store;

	must(herald_postgres_create(&HERALD_POSTGRES_OPTIONS(.dsn = dsn), &options.database,
				    &error),
	     &error);
	must(herald_store_create(&options, &store, &error), &error);
	return store;
}

static void
shop_open(struct shop *shop, uint32_t lease_ms)
{
	const struct herald_route routes[] = {HERALD_ROUTE("work", numbered, on_work, shop)};
	struct herald_error error;

	*shop = (struct shop){.store = NULL};
	pthread_mutex_init(&shop->mutex, NULL);
	pthread_cond_init(&shop->changed, NULL);
	postgres_server_run(&server, "CREATE DATABASE shop");
	snprintf(shop->dsn, sizeof(shop->dsn), "host=%s port=%u user=herald dbname=shop",
		 server.directory, server.port);
	shop->store = open_store(shop->dsn, lease_ms);
	must(herald_service_create(
		     &HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .store = shop->store),
		     &shop->service, &error),
	     &error);
}

static void
shop_close(struct shop *shop)
{
	herald_service_destroy(shop->service);
	herald_store_destroy(shop->store);
	pthread_cond_destroy(&shop->changed);
	pthread_mutex_destroy(&shop->mutex);
	postgres_server_run(&server, "DROP DATABASE shop WITH (FORCE)");
}

/* Until it is accepted, as senders do. */
static void
send_event(struct shop *shop, unsigned number)
{
	struct herald_result result;
	char event[256];

	do {
		/* Anew, as it is decoded in place. */
		int bytes =
			snprintf(event, sizeof(event),
				 "{\"event_type\":\"work\",\"timestamp\":\"2024-08-20T05:21:19Z\","
				 "\"payload\":{\"number\":%u},\"metadata\":{\"id\":\"%u\"}}",
				 number, number);
		rest();
		herald_service_handle(shop->service, event, (size_t)bytes, &result);
	} while (result.error.status == HERALD_UNAVAILABLE);
	assert_int_equal(result.acceptance, HERALD_ACCEPTANCE_ACCEPTED);
}

static void
open_gate(struct shop *shop, unsigned number)
{
	pthread_mutex_lock(&shop->mutex);
	shop->is_open[number] = true;
	pthread_cond_broadcast(&shop->changed);
	pthread_mutex_unlock(&shop->mutex);
}

static void
wait_runs(struct shop *shop, unsigned number, unsigned runs)
{
	pthread_mutex_lock(&shop->mutex);
	while (shop->runs[number] < runs)
		pthread_cond_wait(&shop->changed, &shop->mutex);
	pthread_mutex_unlock(&shop->mutex);
}

/* How many ends were stored, or thrown away. */
static uint64_t
ends(const struct shop *shop)
{
	struct herald_store_statistics counts;

	herald_store_statistics_read(shop->store, &counts);
	return counts.done + counts.lost;
}

static void
wait_ends(const struct shop *shop, uint64_t count)
{
	while (ends(shop) < count)
		rest();
}

static void
wait_lost(const struct shop *shop)
{
	struct herald_store_statistics counts;

	do {
		rest();
		herald_store_statistics_read(shop->store, &counts);
	} while (counts.lost == 0);
}

static long
number_of(const struct shop *shop, const char *sql)
{
	struct postgres_server database = server;

	snprintf(database.dsn, sizeof(database.dsn), "%.*s", (int)sizeof(database.dsn) - 1,
		 shop->dsn);
	return postgres_server_number(&database, sql);
}

static long
id_of_last(const struct shop *shop)
{
	return number_of(shop, "SELECT max(id) FROM herald.herald_event");
}

/* Ways to restore. */

static void
run_programs(const struct shop *shop, const char *folder, const char *script)
{
	char path[128], command[2048];

	assert_true(postgres_server_program("pg_dump", path));
	*strrchr(path, '/') = '\0';
	/* If a program and the store wait for each other, the store gives way. */
	snprintf(command, sizeof(command),
		 "set -e -o pipefail; export PATH='%s':\"$PATH\" DSN='%s' DUMP='%s/dump'"
		 " PGOPTIONS='-c deadlock_timeout=60s -c client_min_messages=error'; %s",
		 path, shop->dsn, folder, script);
	assert_int_equal(setenv("SCRIPT", command, 1), 0);
	assert_int_equal(system("bash -c \"$SCRIPT\""), 0);
}

/* A renewal after the backup: only then a backup of the rows alone is known to be old. */
static void
wait_renewal(const struct shop *shop)
{
	static const char sql[] = "SELECT (extract(epoch FROM max(expires_at)) * 1000)::bigint"
				  " FROM herald.herald_node";
	const long expires_ms = number_of(shop, sql);

	while (number_of(shop, sql) == expires_ms)
		rest();
}

static void
restore_database(const struct shop *shop, const char *folder)
{
	postgres_server_run(&server, "DROP DATABASE shop WITH (FORCE)");
	postgres_server_run(&server, "CREATE DATABASE shop");
	run_programs(shop, folder,
		     "pg_restore --exit-on-error --single-transaction -d \"$DSN\""
		     " \"$DUMP\"");
}

static void
restore_tables(const struct shop *shop, const char *folder)
{
	run_programs(shop, folder,
		     "pg_restore --exit-on-error --clean --single-transaction"
		     " -d \"$DSN\" \"$DUMP\"");
}

static void
restore_rows(const struct shop *shop, const char *folder)
{
	wait_renewal(shop);
	run_programs(shop, folder,
		     "{ echo 'BEGIN; TRUNCATE herald.herald_meta, herald.herald_event,"
		     " herald.herald_delivery, herald.herald_dead, herald.herald_key,"
		     " herald.herald_origin, herald.herald_node, herald.herald_mark,"
		     " herald.herald_seen_0, herald.herald_seen_1;';"
		     " pg_restore --data-only -f - \"$DUMP\"; echo 'COMMIT;'; }"
		     " | psql -q -v ON_ERROR_STOP=1 \"$DSN\" >/dev/null");
}

/*
 * BEFORE runs when the backup is made, and ends. MEANWHILE comes after the backup, and still runs
 * when that is restored. AFTER gets the same id.
 */
static void
check(void (*restore)(const struct shop *shop, const char *folder))
{
	char folder[] = "/tmp/herald-restored-XXXXXX", path[64];
	struct herald_store_statistics counts;
	struct shop shop;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/dump", folder);
	shop_open(&shop, LEASE_MS);
	send_event(&shop, BEFORE);
	wait_runs(&shop, BEFORE, 1);
	run_programs(&shop, folder, "pg_dump -Fc -f \"$DUMP\" \"$DSN\"");
	send_event(&shop, MEANWHILE);
	wait_runs(&shop, MEANWHILE, 1);
	open_gate(&shop, BEFORE);
	wait_ends(&shop, 1);
	const long id = id_of_last(&shop);

	restore(&shop, folder);
	send_event(&shop, AFTER);
	assert_int_equal(id_of_last(&shop), id);
	wait_runs(&shop, AFTER, 1);
	open_gate(&shop, MEANWHILE);
	wait_lost(&shop);
	assert_int_equal(id_of_last(&shop), id);

	/* What was restored runs again, at the latest when the lease of its process has ended. */
	open_gate(&shop, AFTER);
	wait_runs(&shop, BEFORE, 2);
	while (number_of(&shop, "SELECT count(*) FROM herald.herald_event") > 0)
		rest();
	herald_store_statistics_read(shop.store, &counts);
	assert_int_equal(counts.lost, 1);
	shop_close(&shop);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void
a_database_is_replaced(void **unused)
{
	(void)unused;
	check(restore_database);
}

static void
tables_are_replaced(void **unused)
{
	(void)unused;
	check(restore_tables);
}

static void
rows_are_replaced(void **unused)
{
	(void)unused;
	check(restore_rows);
}

/* The files of the server are restored as from an archive, which begins a new timeline, as does a
 * standby that takes over. The lease has not been renewed since the copy was made. */
static void
run_on_files(const char *format)
{
	char command[1024];

	snprintf(command, sizeof(command), format, server.directory);
	assert_int_equal(system(command), 0);
}

static void
a_new_timeline_begins(void **unused)
{
	struct herald_store_statistics counts;
	struct shop shop;

	(void)unused;
	shop_open(&shop, 600000);
	send_event(&shop, BEFORE);
	open_gate(&shop, BEFORE);
	wait_ends(&shop, 1);
	postgres_server_halt(&server);
	run_on_files("cd '%s' && cp -a data copy");
	postgres_server_restart(&server);
	/* After an ordinary restart, the node is the same. */
	send_event(&shop, MEANWHILE);
	wait_runs(&shop, MEANWHILE, 1);
	const long id = id_of_last(&shop);

	postgres_server_halt(&server);
	run_on_files("cd '%s' && rm -r data && mv copy data && touch data/recovery.signal &&"
		     " echo \"restore_command = '/bin/false'\" >>data/postgresql.conf");
	postgres_server_restart(&server);
	send_event(&shop, AFTER);
	assert_int_equal(id_of_last(&shop), id);
	wait_runs(&shop, AFTER, 1);
	open_gate(&shop, MEANWHILE);
	wait_ends(&shop, 2);
	assert_int_equal(id_of_last(&shop), id);
	open_gate(&shop, AFTER);
	while (number_of(&shop, "SELECT count(*) FROM herald.herald_event") > 0)
		rest();
	herald_store_statistics_read(shop.store, &counts);
	assert_int_equal(counts.lost, 1);
	shop_close(&shop);
}

/* Two copies of a server begin timelines with the same number, as two standbys do that take over
 * from the same primary. The node has joined on the first one; the second one has not its row. */
static void
a_timeline_has_the_number_of_another_one(void **unused)
{
	static const char timeline[] = "SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn())"
				       ", 8))::bit(32)::int";
	struct shop shop;

	(void)unused;
	shop_open(&shop, 600000);
	send_event(&shop, BEFORE);
	open_gate(&shop, BEFORE);
	wait_ends(&shop, 1);
	postgres_server_halt(&server);
	run_on_files("cd '%s' && touch data/recovery.signal &&"
		     " echo \"restore_command = '/bin/false'\" >>data/postgresql.conf &&"
		     " cp -a data copy");
	postgres_server_restart(&server);
	send_event(&shop, MEANWHILE);
	wait_runs(&shop, MEANWHILE, 1);
	const long id = id_of_last(&shop), number = number_of(&shop, timeline);

	postgres_server_halt(&server);
	run_on_files("cd '%s' && rm -r data && mv copy data");
	postgres_server_restart(&server);
	send_event(&shop, AFTER);
	assert_int_equal(number_of(&shop, timeline), number);
	assert_int_equal(id_of_last(&shop), id);
	wait_runs(&shop, AFTER, 1);
	open_gate(&shop, MEANWHILE);
	wait_lost(&shop);
	assert_int_equal(id_of_last(&shop), id);
	open_gate(&shop, AFTER);
	while (number_of(&shop, "SELECT count(*) FROM herald.herald_event") > 0)
		rest();
	shop_close(&shop);
}

/* Nothing is lost by it: what runs meanwhile is not started a second time, as the former node stays
 * alive until it has ended. */
static void
a_takeover_ends_no_run(void **unused)
{
	static const char expires[] = "SELECT (extract(epoch FROM min(expires_at)) * 1000)::bigint"
				      " FROM herald.herald_node";
	static const char nodes[] = "SELECT count(*) FROM herald.herald_node";
	struct herald_store_statistics counts;
	struct shop shop;

	(void)unused;
	shop_open(&shop, 600000);
	send_event(&shop, MEANWHILE);
	wait_runs(&shop, MEANWHILE, 1);
	const long expires_ms = number_of(&shop, expires);
	postgres_server_halt(&server);
	run_on_files("cd '%s' && touch data/recovery.signal &&"
		     " echo \"restore_command = '/bin/false'\" >>data/postgresql.conf");
	postgres_server_restart(&server);
	/* It joins again. */
	send_event(&shop, AFTER);
	wait_runs(&shop, AFTER, 1);
	assert_int_equal(number_of(&shop, nodes), 2);
	assert_true(number_of(&shop, expires) > expires_ms);
	open_gate(&shop, MEANWHILE);
	open_gate(&shop, AFTER);
	while (number_of(&shop, "SELECT count(*) FROM herald.herald_event") > 0)
		rest();
	while (number_of(&shop, nodes) > 1)
		rest();
	herald_store_statistics_read(shop.store, &counts);
	assert_int_equal(counts.done, 2);
	assert_int_equal(counts.lost, 0);
	assert_int_equal(counts.dead, 0);
	shop_close(&shop);
}

/* Ids and keys are hashed with a secret of the tables. */
static void
tables_of_another_store_stop_a_process(void **unused)
{
	struct herald_error error;
	struct shop shop;

	(void)unused;
	shop_open(&shop, LEASE_MS);
	run_programs(&shop, "", "psql -q -c 'DROP SCHEMA herald CASCADE' \"$DSN\" 2>/dev/null");
	herald_store_destroy(open_store(shop.dsn, LEASE_MS));
	while (herald_store_health(shop.store, &error) != HERALD_STORE_FAILED)
		rest();
	assert_non_null(strstr(error.message, "another store now"));
	shop_close(&shop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_database_is_replaced),
		cmocka_unit_test(tables_are_replaced),
		cmocka_unit_test(rows_are_replaced),
		cmocka_unit_test(a_new_timeline_begins),
		cmocka_unit_test(a_timeline_has_the_number_of_another_one),
		cmocka_unit_test(a_takeover_ends_no_run),
		cmocka_unit_test(tables_of_another_store_stop_a_process),
	};

	if (!postgres_server_exists())
		return postgres_server_left_out("postgres_restored");
	postgres_server_start(&server);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	postgres_server_stop(&server);
	return failed;
}
