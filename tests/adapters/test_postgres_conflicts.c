/*
 * Conflicts of transactions on PostgreSQL: serialization failures (SQLSTATE 40001) and deadlocks
 * (40P01), in every statement of the store that writes, in functions of users, and real ones.
 * What fails is tried again; nothing is lost, and nothing takes place twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include <herald/herald.h>
#include <herald/postgres.h>

#include "contract/store/probe.h"
#include "support/draw.h"
#include "support/postgres_place.h"

static struct postgres_server server;

static void
run_sql(const char *format, ...)
{
	char sql[2048];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sql, sizeof(sql), format, arguments);
	va_end(arguments);
	postgres_server_run(&server, sql);
}

/* A condition is waited for, in short steps. */
static void
rest(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

/* A store that runs may lock the tables in another order; then it gives way (deadlock_timeout).
 *
 * Faults: triggers of every table raise the error in the n-th statement from now on, or by chance.
 * A sequence counts them, as it is not rolled back. */

static void
install_faults(const char *schema)
{
	run_sql("CREATE SCHEMA faults;"
		"CREATE SEQUENCE faults.statements;"
		"CREATE TABLE faults.plan (at bigint, chance float8, code text);"
		"INSERT INTO faults.plan VALUES (0, 0, '40001');"
		"CREATE FUNCTION faults.raise() RETURNS trigger LANGUAGE plpgsql AS $$"
		"DECLARE n bigint := nextval('faults.statements'); p faults.plan; BEGIN"
		" SELECT * INTO p FROM faults.plan;"
		" IF n = p.at OR random() < p.chance THEN"
		"  RAISE EXCEPTION 'a conflict in %%', TG_TABLE_NAME USING ERRCODE = p.code;"
		" END IF; RETURN NULL; END $$;");
	run_sql("SET deadlock_timeout = '60s';"
		"DO $$ DECLARE t regclass; BEGIN FOR t IN SELECT oid FROM pg_class WHERE relkind ="
		" 'r' AND relnamespace = '%s'::regnamespace LOOP EXECUTE format('CREATE TRIGGER"
		" fault BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %%s FOR EACH STATEMENT "
		"EXECUTE"
		" FUNCTION faults.raise()', t); END LOOP; END $$",
		schema);
}

static void
remove_faults(void)
{
	run_sql("SET deadlock_timeout = '60s'; SET client_min_messages = error;"
		"DROP SCHEMA faults CASCADE");
}

static void
plan_fault(long at, double chance, const char *code)
{
	run_sql("UPDATE faults.plan SET at = %ld, chance = %f, code = '%s';"
		"SELECT setval('faults.statements', 1, false)",
		at, chance, code);
}

static long
statements_count(void)
{
	return postgres_server_number(&server, "SELECT last_value FROM faults.statements");
}

/* Each statement fails once. */

struct scene {
	struct process *p;
	unsigned failures; /* that the database has reported */
	unsigned round;    /* keys of deduplication are new in each */
	struct herald_stored_event events[4];
	uint64_t delivery_ids[3];
	uint64_t node; /* another one, which dies */
	uint64_t count;
};

typedef enum herald_status step(struct scene *scene, struct herald_error *error);

static void
note_conflict(struct scene *scene, enum herald_status status, const struct herald_error *error)
{
	assert_status(status, HERALD_UNAVAILABLE, error);
	if (!strstr(error->message, "(SQLSTATE 40001)") &&
	    !strstr(error->message, "(SQLSTATE 40P01)"))
		fail_msg("%s", error->message);
	if (!scene->p->ops->may_repeat(scene->p->session) &&
	    !scene->p->ops->may_repeat(scene->p->nodes))
		fail_msg("not known as a conflict: %s", error->message);
	scene->failures++;
	assert_true(scene->failures < 10);
}

/* Until it takes place. */
static void
transact(struct scene *scene, step *run)
{
	struct process *p = scene->p;
	struct herald_error error;
	enum herald_status status;

	do {
		status = p->ops->begin(p->session, &error);
		if (status == HERALD_OK)
			status = run(scene, &error);
		if (status == HERALD_OK)
			status = p->ops->commit(p->session, &error);
		if (status != HERALD_OK)
			note_conflict(scene, status, &error);
		p->ops->rollback(p->session);
	} while (status != HERALD_OK);
}

static void
fill_key(const struct scene *scene, unsigned number, unsigned char key[HERALD_SEEN_KEY_BYTES])
{
	memset(key, 0, HERALD_SEEN_KEY_BYTES);
	memcpy(key, &scene->round, sizeof(scene->round));
	memcpy(key + sizeof(scene->round), &number, sizeof(number));
}

/* The second and the third have one key, so one is BLOCKED; the last one runs. */
static enum herald_status
accept_all(struct scene *scene, struct herald_error *error)
{
	static unsigned char keys[4][HERALD_SEEN_KEY_BYTES];
	struct process *p = scene->p;

	for (size_t i = 0; i < COUNT(scene->events); i++) {
		fill_key(scene, (unsigned)i, keys[i]);
		scene->events[i] = *EVENT(.seen_key = keys[i], .key_hash = i == 1 || i == 2 ? 7 : 0,
					  .owner = i == 3 ? p->node : 0);
	}
	return p->ops->accept(p->session, scene->events, COUNT(scene->events), error);
}

static struct herald_completion
end_of(const struct scene *scene, size_t i, unsigned attempts, enum herald_completion_kind kind)
{
	return (struct herald_completion){
		.id = scene->events[i].id,
		.owner = scene->p->node,
		.attempts = attempts,
		.kind = kind,
		.key_hash = scene->events[i].key_hash,
		.now_ms = T0,
		.due_ms = T0,
		.why = HERALD_DEAD_FAILED,
		.reason = "why",
		.path = "",
		.offset = -1,
	};
}

static enum herald_status
complete(struct scene *scene, struct herald_completion *ends, size_t count,
	 struct herald_error *error)
{
	struct process *p = scene->p;
	enum herald_status status = p->ops->savepoint(p->session, error);

	if (status == HERALD_OK)
		status = p->ops->complete(p->session, ends, count, error);
	if (status == HERALD_OK)
		status = p->ops->savepoint_release(p->session, error);
	for (size_t i = 0; i < count && status == HERALD_OK; i++)
		assert_false(ends[i].is_lost);
	return status;
}

static enum herald_status
end_each_way(struct scene *scene, struct herald_error *error)
{
	struct herald_completion ends[] = {
		end_of(scene, 0, 1, HERALD_COMPLETE_RETRY),
		end_of(scene, 1, 1, HERALD_COMPLETE_DEAD),
		end_of(scene, 3, 1, HERALD_COMPLETE_RELEASE),
	};

	return complete(scene, ends, COUNT(ends), error);
}

static enum herald_status
end_three(struct scene *scene, struct herald_error *error)
{
	struct herald_completion ends[] = {
		end_of(scene, 0, 2, HERALD_COMPLETE_DONE),
		end_of(scene, 2, 1, HERALD_COMPLETE_DEAD),
		end_of(scene, 3, 1, HERALD_COMPLETE_DONE),
	};

	return complete(scene, ends, COUNT(ends), error);
}

static enum herald_status
end_replayed(struct scene *scene, struct herald_error *error)
{
	struct herald_completion end = end_of(scene, 1, 1, HERALD_COMPLETE_DEAD);

	end.replays = 1;
	return complete(scene, &end, 1, error);
}

/* A claim is tried again by the database. */
static void
claim(struct scene *scene, size_t expected)
{
	struct claims *claims = claim_all(scene->p, T0);

	assert_int_equal(claims->count, expected);
	claims_free(claims);
}

static enum herald_status
replay_dead(struct scene *scene, struct herald_error *error)
{
	struct process *p = scene->p;

	return p->ops->dead_replay(p->session,
				   &(struct herald_dead_filter){.kind = HERALD_DEAD_EVENTS}, 10, T0,
				   &scene->count, error);
}

static enum herald_status
drop_dead(struct scene *scene, struct herald_error *error)
{
	struct process *p = scene->p;

	return p->ops->dead_drop(p->session, &(struct herald_dead_filter){.kind = HERALD_DEAD_BOTH},
				 1, &scene->count, error);
}

static enum herald_status
trim_dead(struct scene *scene, struct herald_error *error)
{
	struct process *p = scene->p;

	return find_and_trim(p, 0, 10, &scene->count, error);
}

static enum herald_status
push_deliveries(struct scene *scene, struct herald_error *error)
{
	struct herald_stored_delivery deliveries[3] = {*DELIVERY(), *DELIVERY(),
						       *DELIVERY(.owner = scene->p->node)};
	enum herald_status status = scene->p->ops->delivery_push(scene->p->session, deliveries,
								 COUNT(deliveries), error);

	for (size_t i = 0; i < COUNT(deliveries) && status == HERALD_OK; i++)
		scene->delivery_ids[i] = deliveries[i].id;
	return status;
}

static enum herald_status
end_deliveries(struct scene *scene, struct herald_error *error)
{
	static const enum herald_completion_kind kinds[] = {
		HERALD_COMPLETE_DONE, HERALD_COMPLETE_RETRY, HERALD_COMPLETE_DEAD};
	struct herald_delivery_completion ends[3];

	for (size_t i = 0; i < COUNT(ends); i++)
		ends[i] = (struct herald_delivery_completion){
			.id = scene->delivery_ids[i],
			.owner = scene->p->node,
			.attempts = 1,
			.new_attempts = 1,
			.kind = kinds[i],
			.now_ms = T0,
			.due_ms = T0,
			.expires_ms = T0 + 1000,
			.why = HERALD_DEAD_REFUSED,
			.reason = "why",
		};
	enum herald_status status =
		scene->p->ops->delivery_complete(scene->p->session, ends, COUNT(ends), error);
	for (size_t i = 0; i < COUNT(ends) && status == HERALD_OK; i++)
		assert_false(ends[i].is_lost);
	return status;
}

static enum herald_status
purge_deliveries(struct scene *scene, struct herald_error *error)
{
	return find_and_purge(scene->p, &(struct herald_purge_filter){.deliveries = true}, 10,
			      &scene->count, error);
}

static enum herald_status
purge_events(struct scene *scene, struct herald_error *error)
{
	return find_and_purge(scene->p, &(struct herald_purge_filter){0}, 10, &scene->count, error);
}

static enum herald_status
see(struct scene *scene, struct herald_error *error)
{
	struct process *p = scene->p;
	unsigned char key[HERALD_SEEN_KEY_BYTES];
	bool is_new = false;

	fill_key(scene, 100, key);
	enum herald_status status = p->ops->seen(p->session, key, &is_new, error);
	if (status == HERALD_OK)
		assert_true(is_new);
	return status;
}

static enum herald_status
rotate(struct scene *scene, struct herald_error *error)
{
	static int64_t now_ms = T0;

	now_ms += 1000;
	return scene->p->ops->seen_rotate(scene->p->session, now_ms, 10, error);
}

static void
act_on_events(struct scene *scene)
{
	transact(scene, accept_all);
	for (size_t i = 0; i < COUNT(scene->events); i++)
		assert_false(scene->events[i].is_duplicate);
	claim(scene, 2);
	transact(scene, end_each_way);
	transact(scene, replay_dead);
	assert_int_equal(scene->count, 1);
	claim(scene, 3); /* the replayed one waits for its key */
	transact(scene, end_three);
	claim(scene, 1);
	transact(scene, end_replayed);
	transact(scene, drop_dead);
	assert_int_equal(scene->count, 1);
	transact(scene, trim_dead);
	assert_int_equal(scene->count, 1);
	transact(scene, see);
	transact(scene, rotate);
}

static void
act_on_deliveries(struct scene *scene)
{
	transact(scene, push_deliveries);
	struct claimed_deliveries *claimed = claim_deliveries(scene->p, T0);
	assert_int_equal(claimed->count, 2);
	claimed_deliveries_free(claimed);
	transact(scene, end_deliveries);
	transact(scene, purge_deliveries);
	assert_int_equal(scene->count, 1);
	transact(scene, trim_dead);
	assert_int_equal(scene->count, 1);
}

static uint64_t
join_another(struct scene *scene)
{
	struct herald_node node = {.host = "host", .boot_id = "boot", .pid = 1};
	struct herald_error error;

	assert_works(scene->p->ops->node_join(scene->p->nodes, &node, T0, &error), &error);
	return node.id;
}

static enum herald_status
accept_for_another(struct scene *scene, struct herald_error *error)
{
	scene->events[0] = *EVENT(.owner = scene->node, .key_hash = 9);
	return scene->p->ops->accept(scene->p->session, scene->events, 1, error);
}

static void
recover_another(struct scene *scene)
{
	struct process *p = scene->p;
	struct herald_recovery recovery = RECOVER_ALL;
	struct herald_error error;

	recovery.node = scene->node;
	recovery.now_ms = T0;
	while (!recovery.is_taken) {
		enum herald_status status = p->ops->node_recover(p->nodes, &recovery, &error);

		if (status != HERALD_OK)
			note_conflict(scene, status, &error);
	}
	assert_int_equal(recovery.ready, 1);
}

static void
act_on_nodes(struct scene *scene)
{
	struct process *p = scene->p;
	struct herald_error error;

	assert_works(p->ops->node_renew(p->nodes, p->node, T0, &error), &error);
	scene->node = join_another(scene);
	assert_works(p->ops->node_leave(p->nodes, scene->node, &error), &error);
	scene->node = join_another(scene);
	transact(scene, accept_for_another);
	run_sql("SET session_replication_role = replica; UPDATE %s.herald_node SET expires_at = "
		"now()"
		" - interval '1 second' WHERE id = %llu",
		(const char *)p->place, (unsigned long long)scene->node);
	recover_another(scene);
	transact(scene, purge_events);
	assert_int_equal(scene->count, 1);
}

static void
act(struct scene *scene)
{
	scene->round++;
	scene->failures = 0;
	act_on_events(scene);
	act_on_deliveries(scene);
	act_on_nodes(scene);
	assert_int_equal(count_events(scene->p), 0);
	assert_deliveries(scene->p, READY, 0);
	assert_deliveries(scene->p, DEAD, 0);
}

static void
each_statement_conflicts_once(void **unused)
{
	struct scene scene = {.p = start(&postgres_contract)};
	unsigned seen = 0;

	(void)unused;
	install_faults(scene.p->place);
	act(&scene);
	assert_int_equal(scene.failures, 0);
	plan_fault(0, 0, "40001");
	act(&scene);
	const long count = statements_count();
	assert_true(count > 40);
	/* A third of them in each run, as each takes all of the scene. */
	for (long n = 1 + (long)(draw_seed() % 3); n <= count; n += 3) {
		plan_fault(n, 0, n % 2 ? "40001" : "40P01");
		act(&scene);
		assert_true(statements_count() >= n);
		seen += scene.failures;
	}
	/* Claims and what nodes say of themselves are repeated by the database. */
	assert_true(seen > (unsigned)count / 6);
	remove_faults();
	stop(scene.p);
}

/* The whole store, under faults by chance. */

#define SENDERS 4
#define EVENTS 150 /* of each sender */

struct numbered {
	uint64_t number;
	const char *key;
};
HERALD_SCHEMA(numbered, HERALD_FIELD(numbered, number, .required = true),
	      HERALD_FIELD(numbered, key));

static enum herald_verdict
on_work(struct herald_context *ctx, const struct numbered *work)
{
	struct herald_error error;
	char sql[64];

	snprintf(sql, sizeof(sql), "INSERT INTO users VALUES (%u)", (unsigned)work->number);
	PGresult *result = PQexec(herald_postgres_handle(ctx), sql);
	bool is_written = PQresultStatus(result) == PGRES_COMMAND_OK;
	PQclear(result);
	if (!is_written)
		return herald_retry(ctx, "%s", PQerrorMessage(herald_postgres_handle(ctx)));
	if (herald_publish(ctx,
			   &(struct herald_delivery){
				   .url = "http://a.example/", .body = "{}", .body_bytes = 2},
			   &error) != HERALD_OK)
		return herald_retry(ctx, "%s", error.message);
	if (work->number % 5 == 0 && herald_context_attempt(ctx) == 1)
		return herald_retry(ctx, "once more");
	return HERALD_DONE;
}
HERALD_FUNCTION(on_work, numbered);

static enum herald_verdict
on_failing(struct herald_context *ctx, const struct numbered *failing)
{
	return failing->number % 2 ? herald_fail(ctx, "it fails") : HERALD_DONE;
}
HERALD_FUNCTION(on_failing, numbered);

struct shop {
	struct herald_store *store;
	struct herald_service *service;
	char *schema;
	atomic_uint serialization_failures; /* that the log tells of */
};

static void
note_log(const struct herald_log_record *record, void *state)
{
	struct shop *shop = state;

	for (size_t i = 0; i < record->fields_count; i++)
		if (record->fields[i].text && strstr(record->fields[i].text, "40001"))
			atomic_fetch_add(&shop->serialization_failures, 1);
}

static void
shop_open(struct shop *shop, bool is_pooled)
{
	static const struct herald_route routes[] = {
		HERALD_ROUTE("work", numbered, on_work, NULL, .key = "key",
			     .transaction = HERALD_TRANSACTION_JOIN),
		HERALD_ROUTE("failing", numbered, on_failing, NULL),
	};
	struct herald_store_options options =
		HERALD_STORE_OPTIONS(.log = {note_log, shop, HERALD_LOG_DEBUG}, .workers = 4,
				     .first_delay_ms = 1, .max_delay_ms = 20,
				     .max_attempts = 10000);
	struct herald_error error = {.message = ""};

	atomic_init(&shop->serialization_failures, 0);
	postgres_places = (struct postgres_places){
		.server = &server, .dsn = server.dsn, .is_pooled = is_pooled};
	run_sql("CREATE TABLE users (number bigint)");
	shop->schema = postgres_contract.place_create();
	options.database = postgres_contract.create(shop->schema);
	if (herald_store_create(&options, &shop->store, &error) != HERALD_OK ||
	    herald_service_create(
		    &HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .store = shop->store),
		    &shop->service, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
}

static void
shop_close(struct shop *shop)
{
	assert_int_equal(herald_store_stop(shop->store, 60000), 0);
	herald_service_destroy(shop->service);
	herald_store_destroy(shop->store);
	postgres_contract.place_destroy(shop->schema);
}

/* Until it is accepted, as senders do. Returns how often it was refused. */
static unsigned
send_event(struct shop *shop, const char *type, unsigned number)
{
	struct herald_result result;
	unsigned refusals = 0;
	char event[256];
	int bytes;

	for (;; refusals++) {
		/* Anew, as it is decoded in place. */
		bytes = snprintf(event, sizeof(event),
				 "{\"event_type\":\"%s\",\"timestamp\":\"2024-08-20T05:21:19Z\","
				 "\"payload\":{\"number\":%u,\"key\":\"%u\"},"
				 "\"metadata\":{\"id\":\"%s-%u\"}}",
				 type, number, number % 7, type, number);
		herald_service_handle(shop->service, event, (size_t)bytes, &result);
		if (result.acceptance != HERALD_ACCEPTANCE_NONE)
			return refusals;
		assert_int_equal(result.error.status, HERALD_UNAVAILABLE);
		rest();
	}
}

struct sender {
	struct shop *shop;
	unsigned first;
	pthread_t thread;
};

static void *
run_sender(void *state)
{
	struct sender *sender = state;

	for (unsigned i = 0; i < EVENTS; i++) {
		send_event(sender->shop, "work", sender->first + i);
		send_event(sender->shop, "failing", sender->first + i);
	}
	return NULL;
}

static bool
add_unfinished(const struct herald_count *count, void *state)
{
	if (!count->is_delivery && count->state != HERALD_COUNT_DEAD)
		*(uint64_t *)state += count->count;
	return true;
}

static void
wait_idle(struct shop *shop)
{
	struct herald_error error;
	uint64_t unfinished;

	do {
		unfinished = 0;
		assert_works(herald_store_counts(shop->store, add_unfinished, &unfinished, &error),
			     &error);
		rest();
	} while (unfinished > 0);
}

static bool
no_problem(const struct herald_finding *finding, void *state)
{
	(void)state;
	if (finding->is_problem)
		fail_msg("%s: %s", finding->name, finding->text);
	return true;
}

/* Each event has taken effect once, and has published once. */
static void
check_shop(struct shop *shop)
{
	struct herald_error error;
	char sql[96];

	assert_int_equal(postgres_server_number(&server, "SELECT count(*) FROM users"),
			 SENDERS * EVENTS);
	assert_int_equal(
		postgres_server_number(&server, "SELECT count(DISTINCT number) FROM users"),
		SENDERS * EVENTS);
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s.herald_delivery", shop->schema);
	assert_int_equal(postgres_server_number(&server, sql), SENDERS * EVENTS);
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s.herald_dead", shop->schema);
	assert_int_equal(postgres_server_number(&server, sql), SENDERS * EVENTS / 2);
	assert_works(herald_store_check(shop->store, no_problem, NULL, &error), &error);
}

static void
send_all(struct shop *shop)
{
	struct sender senders[SENDERS];

	for (unsigned i = 0; i < SENDERS; i++) {
		senders[i] = (struct sender){.shop = shop, .first = i * EVENTS};
		assert_int_equal(pthread_create(&senders[i].thread, NULL, run_sender, &senders[i]),
				 0);
	}
	for (unsigned i = 0; i < SENDERS; i++)
		pthread_join(senders[i].thread, NULL);
}

/* Operations go on, too: all dead letters are replayed, and die again. */
static void
replay_all(struct shop *shop)
{
	uint64_t count = 0, sum = 0;
	struct herald_error error;

	while (sum < SENDERS * EVENTS / 2) {
		enum herald_status status = herald_store_dead_replay(
			shop->store, &(struct herald_dead_filter){.event_type = "failing"}, NULL,
			&count, &error);

		if (status != HERALD_OK && !strstr(error.message, "(SQLSTATE 40"))
			fail_msg("%s", error.message);
		sum += count;
	}
}

/* The committer repeats its transaction at once: no sender notices a single conflict. */
static void
conflict_once(struct shop *shop)
{
	for (unsigned n = 1; n <= 12; n++) {
		plan_fault(n, 0, "40P01");
		assert_int_equal(send_event(shop, "failing", 2 * (SENDERS * EVENTS + n)), 0);
	}
	wait_idle(shop);
}

static void
a_store_goes_on(bool is_pooled)
{
	struct herald_store_statistics counts;
	struct shop shop;

	shop_open(&shop, is_pooled);
	install_faults(shop.schema);
	conflict_once(&shop);
	plan_fault(0, 0.03, is_pooled ? "40001" : "40P01");
	send_all(&shop);
	wait_idle(&shop);
	replay_all(&shop);
	wait_idle(&shop);
	plan_fault(0, 0, "40001");
	check_shop(&shop);
	herald_store_statistics_read(shop.store, &counts);
	assert_true(counts.failures > 0);
	remove_faults();
	shop_close(&shop);
}

static void
a_store_goes_on_under_deadlocks(void **unused)
{
	(void)unused;
	a_store_goes_on(false);
}

static void
a_store_in_a_pool_goes_on_under_serialization_failures(void **unused)
{
	(void)unused;
	a_store_goes_on(true);
}

/* Transactions of the store are READ COMMITTED, whatever the role's default is: so there are no
 * serialization failures at all. */
static void
a_default_of_serializable_changes_nothing(void **unused)
{
	struct shop shop;

	(void)unused;
	for (int i = 0; i < 2; i++) {
		run_sql("ALTER ROLE herald SET default_transaction_isolation = serializable");
		shop_open(&shop, i == 1);
		send_all(&shop);
		wait_idle(&shop);
		replay_all(&shop);
		wait_idle(&shop);
		check_shop(&shop);
		assert_int_equal(atomic_load(&shop.serialization_failures), 0);
		run_sql("ALTER ROLE herald RESET default_transaction_isolation");
		shop_close(&shop);
	}
}

/* Real conflicts. */

/* Two functions lock two rows of the user's in opposite order, in their first attempts. */
struct meeting {
	pthread_barrier_t barrier;
	atomic_uint deadlocks;
};

static bool
add_one(struct herald_context *ctx, uint64_t row)
{
	char sql[96];

	snprintf(sql, sizeof(sql), "UPDATE accounts SET total = total + 1 WHERE number = %u",
		 (unsigned)row);
	PGresult *result = PQexec(herald_postgres_handle(ctx), sql);
	bool is_done = PQresultStatus(result) == PGRES_COMMAND_OK;
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	if (!is_done)
		assert_string_equal(state, "40P01");
	PQclear(result);
	return is_done;
}

static enum herald_verdict
on_transfer(struct herald_context *ctx, const struct numbered *transfer, struct meeting *meeting)
{
	bool is_done = add_one(ctx, transfer->number);

	if (herald_context_attempt(ctx) == 1)
		pthread_barrier_wait(&meeting->barrier);
	is_done = is_done && add_one(ctx, 1 - transfer->number);
	if (is_done)
		return HERALD_DONE;
	atomic_fetch_add(&meeting->deadlocks, 1);
	return herald_retry(ctx, "a deadlock");
}
HERALD_FUNCTION(on_transfer, numbered, meeting);

static void
functions_that_deadlock_run_again(void **unused)
{
	static struct meeting meeting;
	const struct herald_route routes[] = {
		HERALD_ROUTE("transfer", numbered, on_transfer, &meeting,
			     .transaction = HERALD_TRANSACTION_JOIN),
	};
	struct herald_store_options options =
		HERALD_STORE_OPTIONS(.workers = 2, .first_delay_ms = 1);
	struct herald_error error = {.message = ""};
	struct shop shop;

	(void)unused;
	postgres_places = (struct postgres_places){.server = &server, .dsn = server.dsn};
	run_sql("CREATE TABLE accounts (number int, total int);"
		"INSERT INTO accounts VALUES (0, 0), (1, 0)");
	pthread_barrier_init(&meeting.barrier, NULL, 2);
	atomic_init(&meeting.deadlocks, 0);
	shop.schema = postgres_contract.place_create();
	options.database = postgres_contract.create(shop.schema);
	if (herald_store_create(&options, &shop.store, &error) != HERALD_OK ||
	    herald_service_create(
		    &HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .store = shop.store),
		    &shop.service, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	send_event(&shop, "transfer", 0);
	send_event(&shop, "transfer", 1);
	wait_idle(&shop);
	/* One at the barrier; the one that lost may meet the other before that has both rows. */
	assert_true(atomic_load(&meeting.deadlocks) >= 1);
	assert_int_equal(postgres_server_number(&server, "SELECT sum(total) FROM accounts"), 4);
	assert_int_equal(postgres_server_number(&server, "SELECT min(total) FROM accounts"), 2);
	run_sql("DROP TABLE accounts");
	shop_close(&shop);
	pthread_barrier_destroy(&meeting.barrier);
}

/* Another program locks two events in the opposite order. It looks for deadlocks later, so the
 * store is the victim. */
struct ending {
	struct scene scene;
	pthread_t thread;
};

static enum herald_status
end_two(struct scene *scene, struct herald_error *error)
{
	struct herald_completion ends[] = {
		end_of(scene, 0, 1, HERALD_COMPLETE_DONE),
		end_of(scene, 1, 1, HERALD_COMPLETE_DONE),
	};

	return complete(scene, ends, COUNT(ends), error);
}

static void *
run_ending(void *state)
{
	struct ending *ending = state;

	transact(&ending->scene, end_two);
	return NULL;
}

static void
execute(PGconn *conn, const char *format, ...)
{
	char sql[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sql, sizeof(sql), format, arguments);
	va_end(arguments);
	PGresult *result = PQexec(conn, sql);
	if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(conn));
	PQclear(result);
}

static void
lock_event(PGconn *conn, const struct scene *scene, size_t i)
{
	execute(conn, "SELECT 1 FROM %s.herald_event WHERE id = %llu FOR UPDATE",
		(const char *)scene->p->place, (unsigned long long)scene->events[i].id);
}

static void
a_deadlock_with_another_program_is_repeated(void **unused)
{
	struct ending ending = {.scene = {.p = NULL}};
	PGconn *outsider = PQconnectdb(server.dsn);
	char dsn[256];

	(void)unused;
	snprintf(dsn, sizeof(dsn), "%s options='-c deadlock_timeout=2s'", server.dsn);
	postgres_places = (struct postgres_places){.server = &server, .dsn = dsn};
	ending.scene.p = start(&postgres_contract);
	for (size_t i = 0; i < 2; i++)
		ending.scene.events[i].id = accept_event(ending.scene.p, EVENT());
	claim(&ending.scene, 2);
	execute(outsider, "BEGIN");
	execute(outsider, "SET LOCAL deadlock_timeout = '60s'");
	lock_event(outsider, &ending.scene, 1);
	assert_int_equal(pthread_create(&ending.thread, NULL, run_ending, &ending), 0);
	while (postgres_server_number(&server, "SELECT count(*) FROM pg_stat_activity"
					       " WHERE wait_event_type = 'Lock'") == 0)
		rest();
	lock_event(outsider, &ending.scene, 0);
	execute(outsider, "COMMIT");
	pthread_join(ending.thread, NULL);
	assert_true(ending.scene.failures > 0);
	assert_int_equal(count_events(ending.scene.p), 0);
	PQfinish(outsider);
	stop(ending.scene.p);
}

/* A transaction of the user's that has read what another one has changed meanwhile: what it
 * publishes is refused, with the reason. */
static enum herald_status
insert_and_publish(struct shop *shop, PGconn *conn, struct herald_error *error)
{
	execute(conn, "INSERT INTO users VALUES (1)");
	return herald_postgres_publish(shop->store, conn,
				       &(struct herald_delivery){.url = "http://a.example/",
								 .body = "{}",
								 .body_bytes = 2},
				       error);
}

static void
a_repeatable_transaction_that_fails_publishes_nothing(void **unused)
{
	PGconn *conns[2];
	struct herald_error error;
	struct shop shop;
	char sql[96];

	(void)unused;
	shop_open(&shop, false);
	for (size_t i = 0; i < 2; i++) {
		conns[i] = PQconnectdb(server.dsn);
		execute(conns[i], "BEGIN ISOLATION LEVEL REPEATABLE READ");
		execute(conns[i], "SELECT count(*) FROM users");
	}
	assert_works(insert_and_publish(&shop, conns[0], &error), &error);
	execute(conns[0], "COMMIT");
	assert_status(insert_and_publish(&shop, conns[1], &error), HERALD_UNAVAILABLE, &error);
	assert_non_null(strstr(error.message, "(SQLSTATE 40001)"));
	execute(conns[1], "ROLLBACK");
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s.herald_delivery", shop.schema);
	assert_int_equal(postgres_server_number(&server, sql), 1);
	assert_int_equal(postgres_server_number(&server, "SELECT count(*) FROM users"), 1);
	PQfinish(conns[0]);
	PQfinish(conns[1]);
	shop_close(&shop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_statement_conflicts_once),
		cmocka_unit_test(a_store_goes_on_under_deadlocks),
		cmocka_unit_test(a_store_in_a_pool_goes_on_under_serialization_failures),
		cmocka_unit_test(a_default_of_serializable_changes_nothing),
		cmocka_unit_test(functions_that_deadlock_run_again),
		cmocka_unit_test(a_deadlock_with_another_program_is_repeated),
		cmocka_unit_test(a_repeatable_transaction_that_fails_publishes_nothing),
	};

	if (!postgres_server_exists())
		return postgres_server_left_out("postgres_conflicts");
	postgres_server_start(&server);
	postgres_places = (struct postgres_places){.server = &server, .dsn = server.dsn};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	postgres_server_stop(&server);
	return failed;
}
