/*
 * herald/delivery.h under load: many attempts at once, hosts that do not answer next to one that
 * does, and stops in the middle of it. Real time, but nothing sleeps.
 */
#include <malloc.h>
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
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <herald/delivery.h>

#include "support/delivering.h"
#include "support/misbehaving_server.h"
#include "support/names.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

static uint64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static size_t
resident_bytes(void)
{
	size_t pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*u %zu", &pages), 1);
	fclose(file);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static size_t
threads_count(void)
{
	size_t count = 0;
	char line[256];
	FILE *file = fopen("/proc/self/status", "r");

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Threads: %zu", &count) == 1)
			break;
	fclose(file);
	return count;
}

/* 1,000 connections take 2,000 file descriptors in this process. */
static int
allow_files(void **state)
{
	struct rlimit limit;

	(void)state;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return -1;
	if (limit.rlim_cur < 4096 && limit.rlim_max >= 4096) {
		limit.rlim_cur = 4096;
		return setrlimit(RLIMIT_NOFILE, &limit);
	}
	return 0;
}

/* Memory and time under sanitizers do not count. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

/* 1,000 in flight. */

static void
test_thousand_in_flight(void **state)
{
	enum { IN_FLIGHT = 1000, DELIVERIES = 5000 };
	struct misbehaving_server server;
	struct recorder recorder;
	struct herald_deliverer *deliverer;
	struct herald_delivery_statistics counts;
	char url[64];
	const struct herald_delivery delivery = {.url = url, .event_type = "user_created"};
	size_t most = 0;

	(void)state;
	misbehaving_server_init(&server, "127.0.0.1");
	server.delay_ms = 50;
	misbehaving_server_start(&server);
	recorder_init(&recorder);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/slow", server.port);
	size_t threads = threads_count(), bytes = resident_bytes();

	assert_int_equal(
		create_over_curl(&RECORDED_OPTIONS(&recorder, .addresses = HERALD_ADDRESSES_ANY,
						   .slots = 2 * IN_FLIGHT,
						   .slots_per_host = IN_FLIGHT,
						   .max_pending = DELIVERIES),
				 &deliverer, NULL),
		HERALD_OK);
	for (size_t i = 0; i < DELIVERIES; i++)
		assert_int_equal(herald_deliverer_submit(deliverer, &delivery, NULL), HERALD_OK);
	do {
		herald_deliverer_statistics(deliverer, &counts);
		if (counts.in_flight > most)
			most = counts.in_flight;
		assert_int_equal(threads_count(), threads + 1);
		sched_yield();
	} while (counts.pending > 0);

	size_t grown = resident_bytes() - bytes;
	assert_int_equal(herald_deliverer_stop(deliverer, 0), 0);
	assert_int_equal(recorder.delivered, DELIVERIES);
	assert_int_equal(most, IN_FLIGHT);
	assert_int_equal(misbehaving_server_connections(&server), IN_FLIGHT);
	/* The server's connections are in this process too: 8 KiB each. */
	if (!IS_SANITIZED && grown > (size_t)64 << 20)
		fail_msg("%zu KiB more memory", grown >> 10);
	herald_deliverer_destroy(deliverer);
	misbehaving_server_stop(&server);
	recorder_finish(&recorder);
}

/* Dead hosts. */

struct latencies {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	uint64_t begun_us;
	uint64_t us[200];
	size_t count;
};

static void
measure(const struct herald_delivery_report *report, void *state)
{
	struct latencies *latencies = state;

	if (report->outcome != HERALD_DELIVERY_DELIVERED)
		return;
	pthread_mutex_lock(&latencies->mutex);
	latencies->us[latencies->count++] = now_us() - latencies->begun_us;
	pthread_cond_signal(&latencies->changed);
	pthread_mutex_unlock(&latencies->mutex);
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Deliver one after the other to the healthy host. Returns the 99th percentile. */
static uint64_t
measure_p99(struct latencies *latencies, struct herald_deliverer *deliverer, const char *url)
{
	const struct herald_delivery delivery = {.url = url};

	latencies->count = 0;
	for (size_t i = 0; i < COUNT(latencies->us); i++) {
		pthread_mutex_lock(&latencies->mutex);
		latencies->begun_us = now_us();
		pthread_mutex_unlock(&latencies->mutex);
		assert_int_equal(herald_deliverer_submit(deliverer, &delivery, NULL), HERALD_OK);
		pthread_mutex_lock(&latencies->mutex);
		while (latencies->count <= i)
			pthread_cond_wait(&latencies->changed, &latencies->mutex);
		pthread_mutex_unlock(&latencies->mutex);
	}
	qsort(latencies->us, COUNT(latencies->us), sizeof(latencies->us[0]), compare);
	return latencies->us[COUNT(latencies->us) * 99 / 100];
}

/*
 * 100 hosts, each an address of its own of this host, that take connections and never answer, with
 * 50 deliveries each. The healthy one takes 20 ms, so that the noise of a busy machine is small
 * next to it; were it to wait for a slot of theirs, it would take 10 s.
 */
static void
test_dead_hosts_slow_nobody(void **state)
{
	enum { HOSTS = 100, EACH = 50 };
	struct misbehaving_server healthy, dead;
	struct herald_deliverer *deliverer;
	struct herald_delivery_statistics counts;
	struct latencies latencies = {.mutex = PTHREAD_MUTEX_INITIALIZER,
				      .changed = PTHREAD_COND_INITIALIZER};
	char url[64], dead_url[64];
	const struct herald_delivery to_dead = {.url = dead_url};

	(void)state;
	misbehaving_server_init(&dead, "0.0.0.0");
	misbehaving_server_init(&healthy, "127.0.0.1");
	healthy.delay_ms = 20;
	misbehaving_server_start(&healthy);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/slow", healthy.port);
	assert_int_equal(
		create_over_curl(
			/* The deliveries to dead hosts do not end in this time. */
			&HERALD_DELIVERER_OPTIONS(.addresses = HERALD_ADDRESSES_ANY,
						  .attempts = 1000, .deadline_ms = UINT32_MAX,
						  .on_outcome = measure, .state = &latencies),
			&deliverer, NULL),
		HERALD_OK);
	uint64_t alone = measure_p99(&latencies, deliverer, url);

	for (unsigned i = 0; i < HOSTS * EACH; i++) {
		snprintf(dead_url, sizeof(dead_url), "http://127.0.1.%u:%u/", i % HOSTS + 1,
			 dead.port);
		assert_int_equal(herald_deliverer_submit(deliverer, &to_dead, NULL), HERALD_OK);
	}
	do {
		herald_deliverer_statistics(deliverer, &counts);
		sched_yield();
	} while (counts.in_flight < 5 * HOSTS / 2); /* Nearly all that they get. */

	/* Repeat it: a busy machine is slow sometimes, waiting for a slot would be always. If it is
	 * slow all the time, a tenth of that wait is enough to tell. */
	uint64_t loaded = measure_p99(&latencies, deliverer, url);
	for (unsigned i = 0; i < 9 && loaded > 2 * alone; i++)
		loaded = measure_p99(&latencies, deliverer, url);
	assert_int_equal(herald_deliverer_stop(deliverer, 0), HOSTS * EACH);
	assert_all_settled(deliverer);
	herald_deliverer_destroy(deliverer);
	misbehaving_server_stop(&healthy);
	misbehaving_server_stop(&dead);
	if (loaded > 2 * alone && loaded > 1000000)
		fail_msg("p99 %llu us next to dead hosts, %llu us alone",
			 (unsigned long long)loaded, (unsigned long long)alone);
}

/* Refused addresses. */

struct flood {
	struct herald_deliverer *deliverer;
	size_t refused;
	struct recorder recorder; /* of the others */
};

#define MOST_REFUSED 100000

/* Another one for each that is refused, so that there is one in every round of the thread. */
static void
refuse_another(const struct herald_delivery_report *report, void *state)
{
	struct flood *flood = state;

	if (!strstr(report->delivery->url, "refused.test"))
		record_outcome(report, &flood->recorder);
	else if (++flood->refused < MOST_REFUSED && flood->recorder.outcomes == 0)
		assert_int_equal(herald_deliverer_submit(flood->deliverer, report->delivery, NULL),
				 HERALD_OK);
}

static void
test_refused_addresses_starve_nobody(void **state)
{
	static const char *const networks[] = {"127.0.0.1/32"};
	struct misbehaving_server server;
	struct flood flood = {0};
	char url[64];
	const struct herald_delivery delivery = {.url = url};
	const struct herald_delivery to_refused = {.url = "http://refused.test/"};

	(void)state;
	names_set("refused.test", "10.0.0.1");
	misbehaving_server_init(&server, "127.0.0.1");
	misbehaving_server_start(&server);
	recorder_init(&flood.recorder);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/200", server.port);
	assert_int_equal(create_over_curl(&HERALD_DELIVERER_OPTIONS(HERALD_NETWORKS(networks),
								    .on_outcome = refuse_another,
								    .state = &flood),
					  &flood.deliverer, NULL),
			 HERALD_OK);
	assert_int_equal(herald_deliverer_submit(flood.deliverer, &to_refused, NULL), HERALD_OK);
	assert_int_equal(herald_deliverer_submit(flood.deliverer, &delivery, NULL), HERALD_OK);
	recorder_wait(&flood.recorder, 1);
	assert_int_equal(flood.recorder.delivered, 1);
	herald_deliverer_stop(flood.deliverer, 30000);
	assert_in_range(flood.refused, 1, MOST_REFUSED - 1);
	herald_deliverer_destroy(flood.deliverer);
	names_clear();
	misbehaving_server_stop(&server);
	recorder_finish(&flood.recorder);
}

/* A stop under load. */

struct submitter {
	struct herald_deliverer *deliverer;
	const char *url;
	atomic_size_t accepted;
};

static void *
submit_until_stopped(void *state)
{
	struct submitter *submitter = state;
	const struct herald_delivery delivery = {.url = submitter->url, .event_type = "t"};
	struct herald_error error;
	bool is_stopped = false;

	while (!is_stopped) {
		enum herald_status status =
			herald_deliverer_submit(submitter->deliverer, &delivery, &error);

		if (status == HERALD_OK)
			atomic_fetch_add(&submitter->accepted, 1);
		else
			is_stopped = strstr(error.message, "stopped") != NULL;
		if (status != HERALD_OK && !is_stopped)
			sched_yield(); /* Full. */
	}
	return NULL;
}

static void
stop_once(const char *path, uint32_t drain_ms)
{
	enum { THREADS = 3 };
	struct misbehaving_server server;
	struct recorder recorder;
	struct submitter submitter = {0};
	struct herald_delivery_statistics counts;
	pthread_t threads[THREADS];
	char url[64];

	misbehaving_server_init(&server, "127.0.0.1");
	server.delay_ms = 5;
	misbehaving_server_start(&server);
	recorder_init(&recorder);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/%s", server.port, path);
	assert_int_equal(
		create_over_curl(&RECORDED_OPTIONS(&recorder, .addresses = HERALD_ADDRESSES_ANY,
						   .max_pending = 500, .slots_per_host = 32,
						   .first_delay_ms = 20),
				 &submitter.deliverer, NULL),
		HERALD_OK);
	submitter.url = url;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, submit_until_stopped, &submitter), 0);
	misbehaving_server_wait(&server, 100);
	size_t left = herald_deliverer_stop(submitter.deliverer, drain_ms);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);

	herald_deliverer_statistics(submitter.deliverer, &counts);
	assert_all_settled(submitter.deliverer);
	assert_int_equal(counts.accepted, atomic_load(&submitter.accepted));
	assert_int_equal(recorder.outcomes, counts.accepted);
	assert_int_equal(recorder.delivered, counts.delivered);
	assert_int_equal(recorder.failed, counts.failed);
	assert_int_equal(recorder.left, counts.left);
	assert_int_equal(left, counts.left);
	if (drain_ms == 0)
		assert_true(left > 0);
	herald_deliverer_destroy(submitter.deliverer);
	misbehaving_server_stop(&server);
	recorder_finish(&recorder);
}

static void
test_stop_loses_nothing(void **state)
{
	static const char *const paths[] = {"slow", "200", "503,200", "500", "close,slow"};

	(void)state;
	for (size_t i = 0; i < 20; i++)
		stop_once(paths[i % COUNT(paths)], i % 2 ? 50 : 0);
}

static void
test_stop_flushes_all_in_time(void **state)
{
	enum { DELIVERIES = 300 };
	struct misbehaving_server server;
	struct recorder recorder;
	struct herald_deliverer *deliverer;
	char url[64];
	const struct herald_delivery delivery = {.url = url};

	(void)state;
	misbehaving_server_init(&server, "127.0.0.1");
	server.delay_ms = 5;
	misbehaving_server_start(&server);
	recorder_init(&recorder);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/503,slow", server.port);
	assert_int_equal(
		create_over_curl(&RECORDED_OPTIONS(&recorder, .addresses = HERALD_ADDRESSES_ANY,
						   .first_delay_ms = 10),
				 &deliverer, NULL),
		HERALD_OK);
	for (size_t i = 0; i < DELIVERIES; i++)
		assert_int_equal(herald_deliverer_submit(deliverer, &delivery, NULL), HERALD_OK);
	assert_int_equal(herald_deliverer_stop(deliverer, 30000), 0);
	assert_int_equal(recorder.delivered, DELIVERIES);
	assert_all_settled(deliverer);
	herald_deliverer_destroy(deliverer);
	misbehaving_server_stop(&server);
	recorder_finish(&recorder);
}

/* A retry that would come too late is reported at once, not waited for. */
static void
test_stop_does_not_wait_in_vain(void **state)
{
	struct misbehaving_server server;
	struct recorder recorder;
	struct herald_deliverer *deliverer;
	char url[64];
	const struct herald_delivery delivery = {.url = url};

	(void)state;
	misbehaving_server_init(&server, "127.0.0.1");
	misbehaving_server_start(&server);
	recorder_init(&recorder);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/500", server.port);
	assert_int_equal(
		create_over_curl(&RECORDED_OPTIONS(&recorder, .addresses = HERALD_ADDRESSES_ANY,
						   .backoff = HERALD_BACKOFF_FIXED,
						   .first_delay_ms = 40000),
				 &deliverer, NULL),
		HERALD_OK);
	assert_int_equal(herald_deliverer_submit(deliverer, &delivery, NULL), HERALD_OK);
	uint64_t begun = now_us();
	assert_int_equal(herald_deliverer_stop(deliverer, 30000), 1);
	assert_true(now_us() - begun < 15000000);
	assert_int_equal(recorder.left, 1);
	assert_int_equal(recorder.outcome_reports[0].attempt, 1);
	assert_int_equal(herald_deliverer_stop(deliverer, 0), 1); /* Again: the same. */
	herald_deliverer_destroy(deliverer);
	misbehaving_server_stop(&server);
	recorder_finish(&recorder);
}

static void *
stop_deliverer(void *state)
{
	herald_deliverer_stop(state, 30000);
	return NULL;
}

/* A reservation from before the stop may still be submitted. */
static void
test_stop_waits_for_reservations(void **state)
{
	struct misbehaving_server server;
	struct recorder recorder;
	struct herald_deliverer *deliverer;
	struct herald_reservation *used, *unused, *none;
	char url[64];
	const struct herald_delivery delivery = {.url = url};
	pthread_t thread;

	(void)state;
	misbehaving_server_init(&server, "127.0.0.1");
	misbehaving_server_start(&server);
	recorder_init(&recorder);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/200", server.port);
	assert_int_equal(
		create_over_curl(&RECORDED_OPTIONS(&recorder, .addresses = HERALD_ADDRESSES_ANY),
				 &deliverer, NULL),
		HERALD_OK);
	assert_int_equal(herald_deliverer_reserve(deliverer, strlen(url), 0, &used, NULL),
			 HERALD_OK);
	assert_int_equal(herald_deliverer_reserve(deliverer, 10, 0, &unused, NULL), HERALD_OK);
	assert_int_equal(pthread_create(&thread, NULL, stop_deliverer, deliverer), 0);
	while (herald_deliverer_reserve(deliverer, 10, 0, &none, NULL) == HERALD_OK)
		herald_reservation_release(none);
	assert_int_equal(herald_reservation_submit(used, &delivery, NULL), HERALD_OK);
	recorder_wait(&recorder, 1);
	herald_reservation_release(unused);
	pthread_join(thread, NULL);
	assert_int_equal(recorder.delivered, 1);
	assert_all_settled(deliverer);
	herald_deliverer_destroy(deliverer);
	misbehaving_server_stop(&server);
	recorder_finish(&recorder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_thousand_in_flight),
		cmocka_unit_test(test_dead_hosts_slow_nobody),
		cmocka_unit_test(test_refused_addresses_starve_nobody),
		cmocka_unit_test(test_stop_loses_nothing),
		cmocka_unit_test(test_stop_flushes_all_in_time),
		cmocka_unit_test(test_stop_does_not_wait_in_vain),
		cmocka_unit_test(test_stop_waits_for_reservations),
	};

	return cmocka_run_group_tests_name("delivery_load", tests, allow_files, NULL);
}
