/*
 * What a deliverer does without network: its start that fails, the timer heap, the slots of hosts, the
 * multi handle of a transfer, the texts of a delivery, the name of a host, and numbers of the backoff at their ends.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/text.h>

#include "../adapters/curl/deliverer.h"
#include "../adapters/curl/hosts.h"
#include "../adapters/curl/multis.h"
#include "../adapters/curl/queue.h"
#include "../adapters/curl/retry_after.h"
#include "../adapters/curl/timer_heap.h"
#include "../adapters/curl/url.h"
#include "backoff.h"
#include "support/failing_allocator.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* Threads that cannot be started. */

static bool threads_fail;

/* In place of libc's. */
int failing_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			   void *(*function)(void *), void *state) __asm__("pthread_create");

int
failing_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
		       void *(*function)(void *), void *state)
{
	int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
	void *symbol = dlsym(RTLD_NEXT, "pthread_create");

	if (threads_fail)
		return EAGAIN;
	memcpy(&create, &symbol,
	       sizeof(create)); /* ISO C casts no object's pointer to a function's */
	return create(thread, attributes, function, state);
}

static size_t destroyed;

static void
count_destroyed(struct herald__queue *queue)
{
	(void)queue;
	destroyed++;
}

/* What was made is freed, but a queue stays its owner's. */
static void
test_thread_that_cannot_be_started(void **state)
{
	static const struct herald__queue_ops ops = {.destroy = count_destroyed};
	struct herald__queue own = {.ops = &ops};
	struct herald_deliverer *deliverer = NULL;

	(void)state;
	destroyed = 0;
	threads_fail = true;
	for (int is_own = 0; is_own < 2; is_own++) {
		struct failing_allocator memory;
		struct herald_error error;

		failing_allocator_init(&memory, FAIL_NEVER, 0);
		assert_int_equal(herald__deliverer_create(
					 &HERALD_DELIVERER_OPTIONS(.allocator = memory.allocator),
					 NULL, is_own ? &own : NULL, &deliverer, &error),
				 HERALD_SYSTEM);
		assert_int_equal(error.status, HERALD_SYSTEM);
		assert_string_equal(error.path, "");
		assert_string_equal(error.message, "cannot start a thread: Resource temporarily "
						   "unavailable");
		assert_null(deliverer);
		assert_int_equal(destroyed, 0);
		assert_all_released(&memory);
	}
	threads_fail = false;
}

/* The timer heap. */

static uint64_t
next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

/* The nearest of those that are in, by looking at all. */
static uint64_t
nearest(const struct herald__timer *timers, const bool *is_in, size_t count)
{
	uint64_t due_ms = UINT64_MAX;

	for (size_t i = 0; i < count; i++)
		if (is_in[i] && timers[i].due_ms < due_ms)
			due_ms = timers[i].due_ms;
	return due_ms;
}

/* Each is due no earlier than the one above it, and knows where it is. */
static void
assert_is_heap(const struct herald__timer_heap *heap)
{
	for (size_t i = 0; i < heap->count; i++) {
		assert_int_equal(heap->timers[i]->place, i);
		assert_true(i == 0 || heap->timers[(i - 1) / 2]->due_ms <= heap->timers[i]->due_ms);
	}
}

static void
test_timer_heap(void **state)
{
	enum { TIMERS = 100, STEPS = 20000 };
	struct herald__timer timers[TIMERS];
	bool is_in[TIMERS] = {false};
	struct herald__timer_heap heap;
	uint64_t seed = 1;

	(void)state;
	assert_true(herald__timer_heap_init(&heap, &herald_allocator_libc, TIMERS));
	assert_null(herald__timer_heap_first(&heap));
	for (size_t step = 0; step < STEPS; step++) {
		size_t i = next_random(&seed) % TIMERS;

		if (is_in[i]) {
			herald__timer_heap_remove(&heap, &timers[i]);
		} else {
			timers[i].due_ms = next_random(&seed) % 50;
			herald__timer_heap_add(&heap, &timers[i]);
		}
		is_in[i] = !is_in[i];

		assert_is_heap(&heap);
		const struct herald__timer *first = herald__timer_heap_first(&heap);
		assert_int_equal(first ? first->due_ms : UINT64_MAX,
				 nearest(timers, is_in, TIMERS));
	}
	herald__timer_heap_finish(&heap);
}

/* Slots. */

struct slots {
	struct herald__hosts hosts;
	struct herald__queued *items[200];
	size_t count;
};

static void
slots_init(struct slots *slots, size_t total, size_t per_host)
{
	slots->count = 0;
	assert_true(herald__hosts_init(&slots->hosts, &herald_allocator_libc, total, per_host));
}

static void
slots_finish(struct slots *slots)
{
	while (slots->count > 0)
		herald__queued_destroy(&herald_allocator_libc, slots->items[--slots->count]);
	herald__hosts_finish(&slots->hosts);
}

static void
wait_for_host(struct slots *slots, const char *name, size_t times)
{
	for (size_t i = 0; i < times; i++) {
		struct herald__queued *item = herald__queued_create(&herald_allocator_libc, 1, 0);

		assert_non_null(item);
		snprintf(item->host, sizeof(item->host), "%s", name);
		slots->items[slots->count++] = item;
		assert_true(herald__hosts_wait(&slots->hosts, item));
	}
}

/* The names of those that get a slot, a letter each, until there is none. */
static const char *
take_all(struct slots *slots, struct herald__host **taken)
{
	static char names[64];
	size_t count = 0;
	const struct herald__queued *item;

	while ((item = herald__hosts_next(&slots->hosts, &taken[count])) != NULL)
		names[count++] = item->host[0];
	names[count] = '\0';
	return names;
}

static void
give_all(struct slots *slots, struct herald__host **taken, size_t count)
{
	for (size_t i = 0; i < count; i++)
		herald__hosts_release(&slots->hosts, taken[i]);
}

static void
test_slots_per_host_and_turns(void **state)
{
	struct slots slots;
	struct herald__host *taken[64];

	(void)state;
	slots_init(&slots, 20, 2);
	wait_for_host(&slots, "a", 3);
	wait_for_host(&slots, "b", 1);
	wait_for_host(&slots, "c", 4);
	assert_string_equal(take_all(&slots, taken), "abcac");
	herald__hosts_release(&slots.hosts, taken[2]);
	assert_string_equal(take_all(&slots, taken + 5), "c");
	assert_int_equal(slots.hosts.in_flight, 5);
	herald__hosts_release(&slots.hosts, taken[0]);
	herald__hosts_release(&slots.hosts, taken[1]);
	herald__hosts_release(&slots.hosts, taken[3]);
	assert_string_equal(take_all(&slots, taken), "a");
	give_all(&slots, taken, 1);
	herald__hosts_release(&slots.hosts, taken[4]);
	herald__hosts_release(&slots.hosts, taken[5]);
	assert_int_equal(slots.hosts.in_flight, 0);
	assert_string_equal(take_all(&slots, taken), "c");
	give_all(&slots, taken, 1);
	slots_finish(&slots);
}

/* One host gets half of the slots at most; the more there are, the fewer each gets. */
static void
test_slots_that_stay_free(void **state)
{
	struct slots slots;
	struct herald__host *taken[64];

	(void)state;
	slots_init(&slots, 8, 100);
	wait_for_host(&slots, "a", 9);
	assert_string_equal(take_all(&slots, taken), "aaaa");
	wait_for_host(&slots, "b", 9);
	assert_string_equal(take_all(&slots, taken + 4), "bb");
	wait_for_host(&slots, "c", 9);
	assert_string_equal(take_all(&slots, taken + 6), "c");
	wait_for_host(&slots, "d", 9);
	assert_string_equal(take_all(&slots, taken + 7), "d");
	assert_int_equal(slots.hosts.in_flight, 8);
	assert_string_equal(take_all(&slots, taken + 8), "");

	/* A slot that is given back goes to those that have none before. */
	wait_for_host(&slots, "e", 1);
	herald__hosts_release(&slots.hosts, taken[0]);
	assert_string_equal(take_all(&slots, taken), "e");
	give_all(&slots, taken, 8);
	while (herald__hosts_take_waiting(&slots.hosts) != NULL)
		;
	assert_string_equal(take_all(&slots, taken), "");
	slots_finish(&slots);
}

/* Texts. */

static void
test_texts_are_cut_between_characters(void **state)
{
	char text[600], expected[600];
	const struct herald_delivery delivery = {
		.url = "http://a/",
		.event_type = text,
		.event_id = text,
		.result = text,
		.error = "two\nlines \xff",
	};
	struct herald__queued *item = herald__queued_create(&herald_allocator_libc, 20, 0);

	(void)state;
	assert_non_null(item);
	for (size_t lead = 0; lead < 4; lead++) {
		const struct {
			const char *const *text;
			size_t most;
		} rows[] = {{&item->delivery.event_type, 255},
			    {&item->delivery.event_id, 127},
			    {&item->delivery.result, 31}};

		/* `lead` letters, then characters of four bytes. */
		memset(text, 'x', lead);
		for (size_t i = lead; i + 5 < sizeof(text); i += 4)
			memcpy(text + i, "\xf0\x9f\x98\x80", 5);
		herald__queued_fill(item, &delivery);
		for (size_t i = 0; i < COUNT(rows); i++) {
			size_t bytes = lead + (rows[i].most - 3 - lead) / 4 * 4;

			snprintf(expected, sizeof(expected), "%.*s...", (int)bytes, text);
			assert_string_equal(*rows[i].text, expected);
		}
	}
	assert_string_equal(item->delivery.error, "two\\nlines \xEF\xBF\xBD");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	herald__queued_fill(item, &delivery);
	assert_int_equal(strlen(item->delivery.event_type), 255);
	assert_int_equal(strlen(item->delivery.result), 31);
	assert_string_equal(item->delivery.result, "xxxxxxxxxxxxxxxxxxxxxxxxxxxx...");
	herald__queued_destroy(&herald_allocator_libc, item);
}

/* One host is one host, however it is written. */
static void
test_host_of_a_url(void **state)
{
	static const struct {
		const char *url, *host;
	} rows[] = {
		{"http://example.com", "http://example.com:80"},
		{"HTTP://Example.COM:80/Path", "http://example.com:80"},
		{"https://example.com/?q", "https://example.com:443"},
		{"https://example.com:8443/", "https://example.com:8443"},
		{"http://0x7f.1/", "http://127.0.0.1:80"},
		{"http://[::1]:8080/", "http://[::1]:8080"},
		{"http://[0:0::1]:8080/", "http://[::1]:8080"},
		/* A zone is another link, where another host may have the address. */
		{"HTTP://[FE80::A%25eth0]/", "http://[fe80::a]%eth0:80"},
		{"http://[fe80::a%25Eth1]/", "http://[fe80::a]%Eth1:80"},
	};
	const struct herald__address_rules any = {.policy = HERALD_ADDRESSES_ANY};
	const struct herald__url_rules rules = {.max_bytes = 100, .addresses = &any};
	char host[HERALD__HOST_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(herald__url_check(&rules, rows[i].url, host, NULL, NULL),
				 HERALD_OK);
		assert_string_equal(host, rows[i].host);
	}
}

/* Case is that of ASCII, in every locale. */
static void
test_letters_without_case(void **state)
{
	(void)state;
	assert_true(herald_ascii_same("Herald-ID", "hERALD-id"));
	assert_false(herald_ascii_same("Herald-ID", "Herald-I"));
	assert_false(herald_ascii_same("I", "\u0131"));
	assert_false(herald_ascii_same("@", "`"));
	assert_false(herald_ascii_same("[", "{"));
	assert_true(herald_ascii_same("AZ", "az"));
	assert_true(herald_ascii_same_bytes("localhost:", "LOCALHOST.", 9));
	assert_false(herald_ascii_same_bytes("localhost:", "LOCALHOST.", 10));
}

/* Backoff. */

static void
test_backoff_at_its_ends(void **state)
{
	struct herald__backoff backoff = {HERALD_BACKOFF_NO_JITTER, UINT32_MAX, 1000, UINT32_MAX};

	(void)state;
	assert_int_equal(herald__backoff_delay_ms(&backoff, 1, 0), UINT32_MAX);
	assert_int_equal(herald__backoff_delay_ms(&backoff, 1000, 0), UINT32_MAX);
	backoff.kind = HERALD_BACKOFF_FULL_JITTER;
	assert_int_equal(herald__backoff_delay_ms(&backoff, 1000, UINT32_MAX), UINT32_MAX);
	assert_int_equal(herald__backoff_delay_ms(&backoff, 1000, (uint64_t)1 << 32), 0);
	backoff = (struct herald__backoff){HERALD_BACKOFF_NO_JITTER, 2, 3, 20};
	assert_int_equal(herald__backoff_delay_ms(&backoff, 3, 0), 18);
	assert_int_equal(herald__backoff_delay_ms(&backoff, 4, 0), 20);
	backoff.kind = HERALD_BACKOFF_FIXED;
	assert_int_equal(herald__backoff_delay_ms(&backoff, 7, 0), 2);
}

/* The defaults of one delay follow the other one. */
static void
test_backoff_defaults(void **state)
{
	static const struct {
		uint32_t first_ms, max_ms, filled_first_ms, filled_max_ms;
	} rows[] = {
		{0, 0, 50, 1000},      {0, 49, 49, 49},       {0, 51, 50, 51},
		{1000, 0, 1000, 1000}, {1001, 0, 1001, 1001}, {7, 5, 7, 5},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald__backoff backoff = {.first_delay_ms = rows[i].first_ms,
						  .max_delay_ms = rows[i].max_ms};
		char message[64];

		herald__backoff_fill_defaults(&backoff, 50, 1000);
		assert_int_equal(backoff.first_delay_ms, rows[i].filled_first_ms);
		assert_int_equal(backoff.max_delay_ms, rows[i].filled_max_ms);
		assert_true(backoff.factor == 2);
		if (rows[i].filled_first_ms <= rows[i].filled_max_ms)
			assert_null(herald__backoff_check(&backoff, message, sizeof(message)));
		else
			assert_string_equal(
				herald__backoff_check(&backoff, message, sizeof(message)),
				"first_delay_ms");
	}
}

static void
test_retry_after_at_its_ends(void **state)
{
	(void)state;
	assert_int_equal(herald__retry_after_ms("", 0, 1000), 0);
	assert_int_equal(herald__retry_after_ms("1", 0, UINT32_MAX), 1000);
	assert_int_equal(herald__retry_after_ms("-1", 0, 1000), 0);
	assert_int_equal(herald__retry_after_ms("2", 0, 1500), 1500);
}

/* The multi handles. */

static int
no_interest(CURL *easy, curl_socket_t fd, int what, void *state, void *socket_state)
{
	(void)easy, (void)fd, (void)what, (void)state, (void)socket_state;
	return 0;
}

/* One place keeps to its handle until that is full; then comes the next one, after the last the first. */
static void
test_multi_handles_fill_up_in_turn(void **state)
{
	struct herald__multis multis;
	struct herald__multi *multi[130];
	CURL *easy[COUNT(multi)];
	(void)state;

	assert_true(herald__multis_init(&multis, &herald_allocator_libc, COUNT(multi), no_interest,
					NULL));
	assert_int_equal(multis.count, 3);
	assert_int_equal(multis.capacity, 44);
	for (size_t i = 0; i < COUNT(multi); i++) {
		easy[i] = curl_easy_init();
		multi[i] = herald__multis_add(&multis, easy[i], 1);
		assert_ptr_equal(multi[i], &multis.all[(1 + i / 44) % 3]);
	}
	/* Room in the first one is used again first. */
	herald__multi_remove(multi[0], easy[0]);
	assert_ptr_equal(herald__multis_add(&multis, easy[0], 1), multi[0]);
	for (size_t i = 0; i < COUNT(multi); i++) {
		herald__multi_remove(multi[i], easy[i]);
		curl_easy_cleanup(easy[i]);
	}
	for (size_t i = 0; i < multis.count; i++)
		assert_int_equal(multis.all[i].under_way, 0);
	herald__multis_finish(&multis);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_thread_that_cannot_be_started),
		cmocka_unit_test(test_timer_heap),
		cmocka_unit_test(test_slots_per_host_and_turns),
		cmocka_unit_test(test_slots_that_stay_free),
		cmocka_unit_test(test_multi_handles_fill_up_in_turn),
		cmocka_unit_test(test_texts_are_cut_between_characters),
		cmocka_unit_test(test_host_of_a_url),
		cmocka_unit_test(test_letters_without_case),
		cmocka_unit_test(test_backoff_at_its_ends),
		cmocka_unit_test(test_backoff_defaults),
		cmocka_unit_test(test_retry_after_at_its_ends),
	};

	return cmocka_run_group_tests_name("delivery_parts", tests, NULL, NULL);
}
