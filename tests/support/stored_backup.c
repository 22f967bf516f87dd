/*
 * A store with events in every state, deliveries, dead letters and known ids, of which a backup is
 * made while senders go on. Another store is opened on what was restored, while the first one still
 * runs. Owns both stores.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/stored_backup.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <herald/herald.h>

#include "support/delivering.h"
#include "support/fake_transport.h"

#define FIRST_EVENTS 200 /* before the backup begins */
#define HELD 3           /* events that run during the backup */
#define KEYED 5
#define FAILED 4
#define LATER 6
#define LATER_MS 600000

struct numbered {
	uint64_t number;
	const char *key;
};
HERALD_SCHEMA(numbered, HERALD_FIELD(numbered, number, .required = true),
	      HERALD_FIELD(numbered, key));

/* A process: what its functions do, and have done. */
struct shop {
	const struct stored_backup *kind;
	void *place;
	bool is_restored;
	struct herald_store *store;
	struct herald_service *service;
	struct herald_deliverer *deliverer;
	struct fake_transport transport;
	struct recorder recorder;

	pthread_mutex_t mutex; /* protects the rest */
	pthread_cond_t changed;
	bool is_open; /* what is held may end */
	unsigned held;
	unsigned order[4 * KEYED]; /* the keyed ones that have run */
	unsigned ordered;
	unsigned failed; /* dead letters that ran again */
};

/* The functions. */

static enum herald_verdict
on_work(struct herald_context *ctx, const struct numbered *work, struct shop *shop)
{
	struct herald_error error;

	if (!shop->kind->write(ctx, (unsigned)work->number))
		return herald_retry(ctx, "no row");
	if (herald_publish(ctx,
			   &(struct herald_delivery){
				   .url = "http://a.example/200", .body = "{}", .body_bytes = 2},
			   &error) != HERALD_OK)
		return herald_retry(ctx, "%s", error.message);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_work, numbered, shop);

static void
wait_open(struct shop *shop)
{
	pthread_mutex_lock(&shop->mutex);
	shop->held++;
	pthread_cond_broadcast(&shop->changed);
	while (!shop->is_open)
		pthread_cond_wait(&shop->changed, &shop->mutex);
	pthread_mutex_unlock(&shop->mutex);
}

/* In the restored store its dead letter tells of its attempts. */
static enum herald_verdict
on_held(struct herald_context *ctx, const struct numbered *held, struct shop *shop)
{
	(void)held;
	if (shop->is_restored)
		return herald_fail(ctx, "held");
	wait_open(shop);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_held, numbered, shop);

static enum herald_verdict
on_keyed(struct herald_context *ctx, const struct numbered *keyed, struct shop *shop)
{
	(void)ctx;
	if (keyed->number == 0 && !shop->is_restored)
		wait_open(shop);
	pthread_mutex_lock(&shop->mutex);
	shop->order[shop->ordered++ % HERALD_COUNT(shop->order)] = (unsigned)keyed->number;
	pthread_mutex_unlock(&shop->mutex);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_keyed, numbered, shop);

static enum herald_verdict
on_failing(struct herald_context *ctx, const struct numbered *failing, struct shop *shop)
{
	(void)failing;
	if (!shop->is_restored)
		return herald_fail(ctx, "it fails");
	pthread_mutex_lock(&shop->mutex);
	shop->failed++;
	pthread_mutex_unlock(&shop->mutex);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_failing, numbered, shop);

static enum herald_verdict
on_later(struct herald_context *ctx, const struct numbered *later, struct shop *shop)
{
	(void)later;
	(void)shop;
	return herald_retry_after(ctx, LATER_MS, "later");
}
HERALD_FUNCTION(on_later, numbered, shop);

/* Processes. */

static void
must(enum herald_status status, const struct herald_error *error)
{
	if (status != HERALD_OK)
		fail_msg("%s: %s", error->path, error->message);
}

static void
open_shop(struct shop *shop, const char *folder)
{
	/* Of the original no delivery ends; the restored ones arrive. */
	static const struct fake_step silent = {.is_silent = true};
	const struct herald_route routes[] = {
		HERALD_ROUTE("work", numbered, on_work, shop,
			     .transaction = HERALD_TRANSACTION_JOIN),
		HERALD_ROUTE("held", numbered, on_held, shop,
			     .transaction = shop->kind->has_many_writers && !shop->is_restored
						    ? HERALD_TRANSACTION_JOIN
						    : HERALD_TRANSACTION_NONE),
		HERALD_ROUTE("keyed", numbered, on_keyed, shop, .key = "key"),
		HERALD_ROUTE("failing", numbered, on_failing, shop),
		HERALD_ROUTE("later", numbered, on_later, shop),
	};
	struct herald_store_options options =
		HERALD_STORE_OPTIONS(.workers = HELD + 3, .lease_ms = 2000,
				     .in_flight_folder = folder);
	struct herald_deliverer_options deliverer;
	struct herald_error error;

	pthread_mutex_init(&shop->mutex, NULL);
	pthread_cond_init(&shop->changed, NULL);
	recorder_init(&shop->recorder);
	fake_transport_init(&shop->transport, shop->is_restored ? NULL : &silent, 0);
	options.database = shop->kind->create(shop->place);
	must(herald_store_create(&options, &shop->store, &error), &error);
	must(herald_service_create(
		     &HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .store = shop->store),
		     &shop->service, &error),
	     &error);
	deliverer = RECORDED_OPTIONS(&shop->recorder, .transport = &shop->transport.base,
				     .addresses = HERALD_ADDRESSES_ANY);
	must(herald_store_queue_create(shop->store, &deliverer.queue, &error), &error);
	must(herald_deliverer_create(&deliverer, &shop->deliverer, &error), &error);
}

static void
close_shop(struct shop *shop)
{
	assert_int_equal(herald_store_stop(shop->store, 60000), 0);
	herald_deliverer_stop(shop->deliverer, 0);
	herald_service_destroy(shop->service);
	herald_deliverer_destroy(shop->deliverer);
	herald_store_destroy(shop->store);
	recorder_finish(&shop->recorder);
	pthread_cond_destroy(&shop->changed);
	pthread_mutex_destroy(&shop->mutex);
}

/* Returns whether it is a duplicate. */
static bool
send_event(struct shop *shop, const char *type, unsigned number)
{
	struct herald_result result;
	char event[256];
	int bytes = snprintf(event, sizeof(event),
			     "{\"event_type\":\"%s\",\"timestamp\":\"2024-08-20T05:21:19Z\","
			     "\"payload\":{\"number\":%u,\"key\":\"k\"},"
			     "\"metadata\":{\"id\":\"%s-%u\"}}",
			     type, number, type, number);

	herald_service_handle(shop->service, event, (size_t)bytes, &result);
	if (result.acceptance == HERALD_ACCEPTANCE_NONE)
		fail_msg("%s %u: %u %s", type, number, result.http_status, result.error.message);
	return result.acceptance == HERALD_ACCEPTANCE_DUPLICATE;
}

/* What is in a store. */

struct found {
	uint64_t unfinished; /* except for "later" */
	uint64_t delayed;    /* "later" */
	uint64_t blocked, running, deliveries;
};

static bool
add_count(const struct herald_count *count, void *state)
{
	struct found *found = state;

	if (count->state == HERALD_COUNT_DEAD)
		return true;
	if (count->is_delivery)
		found->deliveries += count->count;
	else if (strcmp(count->event_type, "later") != 0)
		found->unfinished += count->count;
	else if (count->state == HERALD_COUNT_DELAYED)
		found->delayed += count->count;
	found->blocked += !count->is_delivery && count->state == HERALD_COUNT_BLOCKED;
	found->running += count->is_delivery && count->state == HERALD_COUNT_RUNNING;
	return true;
}

static struct found
find(struct shop *shop)
{
	struct found found = {0};
	struct herald_error error;

	must(herald_store_counts(shop->store, add_count, &found, &error), &error);
	return found;
}

static void
rest(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

struct letters {
	char text[2048];
	unsigned count;
};

static bool
add_letter(const struct herald_dead_letter *letter, void *state)
{
	struct letters *letters = state;
	size_t used = strlen(letters->text);

	letters->count++;
	snprintf(letters->text + used, sizeof(letters->text) - used,
		 "%s attempts %u, interrupted %u: %s\n", letter->event_id, letter->attempts,
		 letter->interrupted, letter->reason);
	return true;
}

static struct letters
dead_letters(struct shop *shop, const char *type)
{
	struct letters letters = {.count = 0};
	struct herald_error error;

	must(herald_store_dead_visit(
		     shop->store,
		     &(struct herald_dead_filter){.kind = HERALD_DEAD_BOTH, .event_type = type},
		     add_letter, &letters, &error),
	     &error);
	return letters;
}

static unsigned
files_in(const char *folder)
{
	DIR *listing = opendir(folder);
	unsigned count = 0;

	assert_non_null(listing);
	for (struct dirent *entry; (entry = readdir(listing));)
		count += entry->d_name[0] != '.';
	closedir(listing);
	return count;
}

/* Senders, who go on during the backup. */

struct sender {
	struct shop *shop;
	pthread_t thread;
	atomic_uint acknowledged; /* all numbers below */
	atomic_bool stops;
};

static void *
run_sender(void *state)
{
	struct sender *sender = state;

	for (unsigned number = 0; !atomic_load(&sender->stops); number++) {
		assert_false(send_event(sender->shop, "work", number));
		atomic_store(&sender->acknowledged, number + 1);
	}
	return NULL;
}

static void
load(struct shop *shop)
{
	for (unsigned i = 0; i < HELD; i++)
		send_event(shop, "held", i);
	for (unsigned i = 0; i < KEYED; i++)
		send_event(shop, "keyed", i);
	for (unsigned i = 0; i < FAILED; i++)
		send_event(shop, "failing", i);
	for (unsigned i = 0; i < LATER; i++)
		send_event(shop, "later", i);
	pthread_mutex_lock(&shop->mutex);
	while (shop->held < HELD + 1)
		pthread_cond_wait(&shop->changed, &shop->mutex);
	pthread_mutex_unlock(&shop->mutex);
	while (dead_letters(shop, NULL).count < FAILED || find(shop).delayed < LATER)
		rest();
	assert_true(find(shop).blocked > 0);
}

/* Returns how many events were acknowledged before the backup began. */
static unsigned
back_up(struct sender *sender, void *restored)
{
	struct shop *shop = sender->shop;

	assert_int_equal(pthread_create(&sender->thread, NULL, run_sender, sender), 0);
	while (atomic_load(&sender->acknowledged) < FIRST_EVENTS || find(shop).running == 0)
		rest();
	unsigned before = atomic_load(&sender->acknowledged);
	shop->kind->copy(shop->place, restored);
	unsigned after = atomic_load(&sender->acknowledged);
	while (atomic_load(&sender->acknowledged) == after)
		rest();
	atomic_store(&sender->stops, true);
	pthread_join(sender->thread, NULL);
	return before;
}

/* Checks. */

static bool
no_problem(const struct herald_finding *finding, void *state)
{
	(void)state;
	if (finding->is_problem)
		fail_msg("%s: %s", finding->name, finding->text);
	return true;
}

static unsigned
count_effects(const struct shop *shop, unsigned before, unsigned total)
{
	unsigned sum = 0;

	for (unsigned number = 0; number < total; number++) {
		unsigned count = shop->kind->count(shop->place, number);

		if (count > 1 || (count == 0 && number < before))
			fail_msg("event %u of %u has %u effects", number, before, count);
		sum += count;
	}
	return sum;
}

/* Everything that was stored before the backup ends, once. */
static void
check_restored(struct shop *shop, unsigned before, unsigned total, const struct letters *dead)
{
	struct herald_error error;
	struct letters held;
	uint64_t replayed = 0;

	assert_string_equal(dead_letters(shop, "failing").text, dead->text);
	while (find(shop).unfinished > 0 || find(shop).deliveries > 0)
		rest();
	unsigned effects = count_effects(shop, before, total);
	recorder_wait(&shop->recorder, effects);
	assert_int_equal(shop->recorder.delivered, effects);
	held = dead_letters(shop, "held");
	assert_string_equal(held.text, "held-0 attempts 2, interrupted 0: held\n"
				       "held-1 attempts 2, interrupted 0: held\n"
				       "held-2 attempts 2, interrupted 0: held\n");
	assert_int_equal(shop->ordered, KEYED);
	for (unsigned i = 0; i < KEYED; i++)
		assert_int_equal(shop->order[i], i);
	assert_int_equal(find(shop).delayed, LATER);
	for (unsigned number = 0; number < before; number++)
		assert_true(send_event(shop, "work", number));
	must(herald_store_dead_replay(shop->store,
				      &(struct herald_dead_filter){.event_type = "failing"}, NULL,
				      &replayed, &error),
	     &error);
	assert_int_equal(replayed, FAILED);
	while (find(shop).unfinished > 0)
		rest();
	assert_int_equal(shop->failed, FAILED);
	must(herald_store_check(shop->store, no_problem, NULL, &error), &error);
}

void
stored_backup_check(const struct stored_backup *kind, void *original, void *restored,
		    const char *folder)
{
	static struct shop shop, copy;
	static struct sender sender;
	struct herald_store_statistics counts;

	shop = (struct shop){.kind = kind, .place = original};
	copy = (struct shop){.kind = kind, .place = restored, .is_restored = true, .is_open = true};
	memset(&sender, 0, sizeof(sender));
	sender.shop = &shop;
	open_shop(&shop, folder);
	load(&shop);
	const struct letters dead = dead_letters(&shop, "failing");
	unsigned before = back_up(&sender, restored);

	open_shop(&copy, folder);
	check_restored(&copy, before, sender.acknowledged, &dead);
	/* The original is not disturbed: it still has its in-flight file. */
	assert_int_equal(files_in(folder), 2);
	close_shop(&copy);

	pthread_mutex_lock(&shop.mutex);
	shop.is_open = true;
	pthread_cond_broadcast(&shop.changed);
	pthread_mutex_unlock(&shop.mutex);
	while (find(&shop).unfinished > 0)
		rest();
	assert_int_equal(count_effects(&shop, sender.acknowledged, sender.acknowledged),
			 sender.acknowledged);
	/* Nor was any of its transactions ended. */
	herald_store_statistics_read(shop.store, &counts);
	assert_int_equal(counts.retries, LATER);
	close_shop(&shop);
}
