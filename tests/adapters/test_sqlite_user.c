/*
 * What users call in transactions of their own: herald_sqlite_publish() and herald_sqlite_accept().
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/herald.h>
#include <herald/sqlite.h>

#include "support/sqlite_file.h"

struct shop {
	struct sqlite_file file;
	struct herald_store *store;
	sqlite3 *db; /* the user's connection */
};

static void
shop_open(struct shop *shop)
{
	struct herald_store_options options = HERALD_STORE_OPTIONS(.workers = 1);
	struct herald_error error = {.message = ""};

	sqlite_file_init(&shop->file);
	if (herald_sqlite_create(&HERALD_SQLITE_OPTIONS(.path = shop->file.path), &options.database,
				 &error) != HERALD_OK ||
	    herald_store_create(&options, &shop->store, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	shop->db = sqlite_file_connect(&shop->file);
}

static void
shop_close(struct shop *shop)
{
	assert_int_equal(sqlite3_close(shop->db), SQLITE_OK); /* no statement is left */
	herald_store_destroy(shop->store);
	sqlite_file_close(&shop->file);
}

static void
run(struct shop *shop, const char *sql)
{
	if (sqlite3_exec(shop->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(shop->db));
}

static enum herald_status
publish(struct shop *shop, sqlite3 *db, struct herald_error *error)
{
	return herald_sqlite_publish(
		shop->store, db,
		&(struct herald_delivery){.url = "https://billing.example/events",
					  .event_type = "order_paid",
					  .content_type = "application/json",
					  HERALD_BODY("{}", 2)},
		error);
}

static int64_t
deliveries(struct shop *shop)
{
	return sqlite_file_number(&shop->file, "SELECT count(*) FROM herald_delivery WHERE url = "
					       "'https://billing.example/events' AND event_type = "
					       "'order_paid' AND owner = 0");
}

static void
publishing_is_part_of_the_transaction(void **unused)
{
	struct shop shop;
	struct herald_error error = {.message = ""};

	(void)unused;
	shop_open(&shop);
	run(&shop, "CREATE TABLE orders (id INTEGER PRIMARY KEY)");
	for (int commits = 0; commits < 2; commits++) {
		run(&shop, "BEGIN IMMEDIATE; INSERT INTO orders VALUES (1)");
		if (publish(&shop, shop.db, &error) != HERALD_OK)
			fail_msg("%s", error.message);
		assert_int_equal(deliveries(&shop), 0);
		run(&shop, commits ? "COMMIT" : "ROLLBACK");
		assert_int_equal(deliveries(&shop), commits);
		assert_int_equal(sqlite_file_number_on(shop.db, "SELECT count(*) FROM orders"),
				 commits);
	}
	shop_close(&shop);
}

static void
publishing_needs_a_transaction(void **unused)
{
	struct shop shop;
	struct shop other;
	struct herald_error error = {.message = ""};
	bool is_new = true;

	(void)unused;
	shop_open(&shop);
	shop_open(&other);
	assert_int_equal(publish(&shop, shop.db, &error), HERALD_BAD_VALUE);
	assert_string_equal(error.message, "the connection has no open transaction: run BEGIN "
					   "IMMEDIATE before, and COMMIT after it");
	assert_int_equal(herald_sqlite_accept(shop.store, shop.db, "shop", "1", &is_new, &error),
			 HERALD_BAD_VALUE);
	assert_int_equal(publish(&shop, NULL, &error), HERALD_BAD_VALUE);
	run(&other, "BEGIN IMMEDIATE");
	assert_int_equal(publish(&shop, other.db, &error), HERALD_BAD_VALUE);
	assert_non_null(strstr(error.message, "the connection is to \""));
	run(&other, "ROLLBACK");
	/* A read transaction whose snapshot is old cannot write. */
	run(&shop, "BEGIN; SELECT count(*) FROM herald_event");
	sqlite_file_run(&shop.file, "CREATE TABLE a (b)");
	assert_int_equal(publish(&shop, shop.db, &error), HERALD_UNAVAILABLE);
	run(&shop, "ROLLBACK");
	assert_int_equal(deliveries(&shop), 0);
	shop_close(&other);
	shop_close(&shop);
}

static bool
accept(struct shop *shop, const char *source, const char *id)
{
	struct herald_error error = {.message = ""};
	bool is_new = false;

	if (herald_sqlite_accept(shop->store, shop->db, source, id, &is_new, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	return is_new;
}

static void
accepting_is_part_of_the_transaction(void **unused)
{
	struct shop shop;

	(void)unused;
	shop_open(&shop);
	run(&shop, "BEGIN IMMEDIATE");
	assert_true(accept(&shop, "shop", "1"));
	assert_false(accept(&shop, "shop", "1"));
	assert_true(accept(&shop, "shop", "2"));
	assert_true(accept(&shop, "other", "1"));
	run(&shop, "ROLLBACK; BEGIN IMMEDIATE");
	assert_true(accept(&shop, "shop", "1"));
	run(&shop, "COMMIT; BEGIN IMMEDIATE");
	assert_false(accept(&shop, "shop", "1"));
	run(&shop, "COMMIT");
	shop_close(&shop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(publishing_is_part_of_the_transaction),
		cmocka_unit_test(publishing_needs_a_transaction),
		cmocka_unit_test(accepting_is_part_of_the_transaction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
