/*
 * Parts of a deliverer without a network: failures at its start, the timer heap, the slots of
 * hosts, the multi handle of a transfer, the texts of a delivery, and the name of a host.
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
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <herald/adapter/text.h>

#include "../../adapters/transport/curl/multis.h"
#include "base/timer_heap.h"
#include "delivery/deliverer.h"
#include "delivery/host_slots.h"
#include "delivery/retry_after.h"
#include "delivery/url.h"
#include "support/delivering.h"
#include "support/draw.h"
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
count_destroyed(struct herald_delivery_queue *queue)
{
	(void)queue;
	destroyed++;
}

/* What was made is freed, and so is a queue of the options. */
static void
test_thread_that_cannot_be_started(void **state)
{
	static const struct herald_delivery_queue_ops ops = {.name = "own",
							     .destroy = count_destroyed};
	struct herald_delivery_queue own = {.ops = &ops};
	struct herald_deliverer *deliverer = NULL;

	(void)state;
	destroyed = 0;
	threads_fail = true;
	for (size_t is_own = 0; is_own < 2; is_own++) {
		struct failing_allocator memory;
		struct herald_error error;

		failing_allocator_init(&memory, FAIL_NEVER, 0);
		assert_int_equal(
			create_over_curl(&HERALD_DELIVERER_OPTIONS(.allocator = memory.allocator,
								   .queue = is_own ? &own : NULL),
					 &deliverer, &error),
			HERALD_SYSTEM);
		assert_int_equal(error.status, HERALD_SYSTEM);
		assert_string_equal(error.path, "");
		assert_string_equal(error.message, "cannot start a thread: Resource temporarily "
						   "unavailable");
		assert_null(deliverer);
		assert_int_equal(destroyed, is_own);
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

/* The timer that is due first, found by a linear search. */
static uint64_t
nearest(const struct herald__timer *timers, const bool *is_in, size_t count)
{
	uint64_t due_ms = UINT64_MAX;

	for (size_t i = 0; i < count; i++)
		if (is_in[i] && timers[i].due_ms < due_ms)
			due_ms = timers[i].due_ms;
	return due_ms;
}

/* Each timer is due no earlier than its parent, and its index is right. */
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
	struct herald__queued *items[8192];
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
		snprintf(item->origin, sizeof(item->origin), "%s", name);
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
		names[count++] = item->origin[0];
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
	static struct slots slots;
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

/* One host gets at most half of the slots; the more hosts wait, the fewer each gets. */
static void
test_slots_that_stay_free(void **state)
{
	static struct slots slots;
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

	/* A slot that becomes free goes to a host without any first. */
	wait_for_host(&slots, "e", 1);
	herald__hosts_release(&slots.hosts, taken[0]);
	assert_string_equal(take_all(&slots, taken), "e");
	give_all(&slots, taken, 8);
	while (herald__hosts_take_waiting(&slots.hosts) != NULL)
		;
	assert_string_equal(take_all(&slots, taken), "");
	slots_finish(&slots);
}

/* A hundred hosts with as many deliveries as there may be, whose attempts end in a random order. */
struct crowd {
	struct slots slots;
	struct herald__host *taken[512];
	size_t count;
	uint64_t draws;
};

static void
crowd_init(struct crowd *crowd, uint64_t seed)
{
	char name[16];

	slots_init(&crowd->slots, COUNT(crowd->taken), 16);
	crowd->count = 0;
	crowd->draws = seed;
	for (size_t i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "h%02zu", i);
		wait_for_host(&crowd->slots, name, 70);
	}
}

static void
crowd_fill(struct crowd *crowd)
{
	struct herald__host *host;

	while (herald__hosts_next(&crowd->slots.hosts, &host))
		crowd->taken[crowd->count++] = host;
}

/* One attempt ends, and another one begins where there may be one. */
static void
crowd_end_one(struct crowd *crowd, bool answers)
{
	size_t i = draw_below(&crowd->draws, crowd->count);
	struct herald__host *host = crowd->taken[i];

	crowd->taken[i] = crowd->taken[--crowd->count];
	host->answers = answers;
	herald__hosts_release(&crowd->slots.hosts, host);
	crowd_fill(crowd);
}

static void
crowd_finish(struct crowd *crowd)
{
	while (herald__hosts_take_waiting(&crowd->slots.hosts))
		;
	while (crowd->count > 0)
		herald__hosts_release(&crowd->slots.hosts, crowd->taken[--crowd->count]);
	slots_finish(&crowd->slots);
}

/* Hosts that answer use nearly all slots; hosts that are silent leave many, also if they have
 * answered before. */
static void
test_slots_of_many_hosts(void **state)
{
	static struct crowd crowd;
	const uint64_t seed = draw_seed();

	(void)state;
	printf("# slots: HERALD_TEST_SEED=%llu\n", (unsigned long long)seed);
	crowd_init(&crowd, seed);
	crowd_fill(&crowd);
	assert_in_range(crowd.count, 200, 320); /* nothing is known of them */
	for (size_t i = 0; i < 3000; i++) {
		crowd_end_one(&crowd, true);
		assert_in_range(crowd.count, i < 1000 ? 200 : 512 - 32, 512);
	}
	for (size_t i = 0; i < 1500; i++)
		crowd_end_one(&crowd, false);
	assert_in_range(crowd.count, 200, 320);
	crowd_finish(&crowd);
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
		} rows[] = {{&item->record.delivery.event_type, 255},
			    {&item->record.delivery.event_id, 127},
			    {&item->record.delivery.result, 31}};

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
	assert_string_equal(item->record.delivery.error, "two\\nlines \xEF\xBF\xBD");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	herald__queued_fill(item, &delivery);
	assert_int_equal(strlen(item->record.delivery.event_type), 255);
	assert_int_equal(strlen(item->record.delivery.result), 31);
	assert_string_equal(item->record.delivery.result, "xxxxxxxxxxxxxxxxxxxxxxxxxxxx...");
	herald__queued_destroy(&herald_allocator_libc, item);
}

/* All spellings of a host are the same host. */
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
	char host[HERALD__ORIGIN_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(herald__url_check(&rules, rows[i].url, host, NULL), HERALD_OK);
		assert_string_equal(host, rows[i].host);
	}
}

/* Any part that may be in a URL, and some that may not. */
static void
append_random(char *url, size_t size, uint64_t *seed, const char *const *parts, size_t count)
{
	size_t used = strlen(url);

	snprintf(url + used, size - used, "%s", parts[next_random(seed) % count]);
}

/* As libcurl, which will make the request, has parsed it. */
static bool
read_by_libcurl(const char *text, char *out, size_t size)
{
	CURLU *url = curl_url();
	char *scheme = NULL, *host = NULL, *port = NULL, *zone = NULL;
	bool is_read = curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
		       curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
		       curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
		       curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK;

	curl_url_get(url, CURLUPART_ZONEID, &zone, 0);
	for (char *byte = host; byte && *byte; byte++)
		*byte = herald_ascii_lower(*byte);
	if (is_read)
		snprintf(out, size, "%s://%s%s%s:%s", scheme, host, zone ? "%" : "",
			 zone ? zone : "", port);
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_free(zone);
	curl_url_cleanup(url);
	return is_read;
}

/* What is accepted is of the same origin to libcurl; drawn from a grammar of what differs between
 * readers. */
static void
test_url_as_libcurl_reads_it(void **state)
{
	static const char *const schemes[] = {"http://",  "https://", "HTTP://", "http:/",
					      "http:///", "httpS://", "ftp://",  "http:\\\\"};
	static const char *const users[] = {"",       "",     "u@",   "u:p@",     "@",
					    "u:p@b@", "u/p@", "a\\@", "u%40b:c@", "u:p:q@"};
	static const char *const hosts[] = {"a.example",
					    "A.Example.",
					    "127.0.0.1",
					    "127.1",
					    "0x7f.1",
					    "017.0.0.1",
					    "2130706433",
					    "[::1]",
					    "[0:0::1]",
					    "[fe80::1%25eth0]",
					    "[fe80::1",
					    "1.2.3",
					    "1.2.3.4.",
					    "1.2.3.256",
					    "0xffffffff",
					    "a b",
					    "a%41.b",
					    "a_b.example",
					    "x--y",
					    "a\\b",
					    "[::1]x",
					    "[::g]",
					    "4294967296",
					    "1.16777216",
					    "0x",
					    "08.1",
					    "..",
					    "a..b",
					    "-a",
					    "~a",
					    "[::%251]",
					    "[fe80::1%1]",
					    "[1.2.3.4]",
					    "a.example,b",
					    "1.0x10.2",
					    "",
					    "[]",
					    "[::1%25]",
					    "[::ffff:1.2.3.4]"};
	static const char *const ports[] = {"",       ":",      ":80", ":443", ":0080",
					    ":65535", ":65536", ":-1", ":8a",  ":99999999999",
					    "::80",   ":+1"};
	static const char *const tails[] = {"",      "/",     "/x?y#z", "?q=@b", "#@b", "/@b:1/",
					    "\\@b/", "/..//", "?/",     "#",     "//",  ";x"};
	const struct herald__address_rules any = {.policy = HERALD_ADDRESSES_ANY,
						  .allow_cloud_agents = true};
	static const struct herald_port_range ports_all[] = {{1, 65535}};
	const struct herald__url_rules rules = {
		.max_bytes = 200,
		.allow_credentials = true,
		.addresses = &any,
		.ports = {ports_all, 1},
	};
	const char *text = getenv("HERALD_TEST_SEED");
	uint64_t seed = text ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);
	size_t accepted = 0;

	(void)state;
	fprintf(stderr, "HERALD_TEST_SEED=%llu\n", (unsigned long long)seed);
	for (size_t round = 0; round < 20000; round++) {
		char url[256] = "", origin[HERALD__ORIGIN_BYTES], libcurls[512] = "nothing";

		append_random(url, sizeof(url), &seed, schemes, COUNT(schemes));
		append_random(url, sizeof(url), &seed, users, COUNT(users));
		append_random(url, sizeof(url), &seed, hosts, COUNT(hosts));
		append_random(url, sizeof(url), &seed, ports, COUNT(ports));
		append_random(url, sizeof(url), &seed, tails, COUNT(tails));
		if (herald__url_check(&rules, url, origin, NULL) != HERALD_OK)
			continue;
		accepted++;
		if (!read_by_libcurl(url, libcurls, sizeof(libcurls)) ||
		    strcmp(origin, libcurls) != 0)
			fail_msg("%s: %s, and by libcurl %s", url, origin, libcurls);
	}
	assert_true(accepted > 1000);
}

/* Only ASCII letters have case, in every locale. */
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

static void
test_retry_after_at_its_ends(void **state)
{
	(void)state;
	assert_int_equal(herald__retry_after_ms("", 0, 1000), 0);
	assert_int_equal(herald__retry_after_ms("1", 0, UINT32_MAX), 1000);
	assert_int_equal(herald__retry_after_ms("-1", 0, 1000), 0);
	assert_int_equal(herald__retry_after_ms("2", 0, 1500), 1500);
}

/* RFC 9110 section 5.6.7 has three formats, of which the first is to be sent. */
static void
test_retry_after_a_date(void **state)
{
	const int64_t now_s = 784111777; /* 1994-11-06T08:49:37Z, as in the RFC */
	static const struct {
		const char *value;
		uint64_t ms;
	} rows[] = {
		{"Sun, 06 Nov 1994 08:49:37 GMT", 0},
		{"Sun, 06 Nov 1994 08:49:38 GMT", 1000},
		{"Sun, 06 Nov 1994 08:49:36 GMT", 0},
		{"Thu, 01 Dec 1994 16:00:00 GMT", 2185823000},
		{"Tue, 31 Jan 1995 23:59:60 GMT", 7485022000},
		{"Sunday, 06-Nov-94 08:49:40 GMT", 3000},
		{"Tuesday, 01-Nov-44 00:00:00 GMT", 1577459423000}, /* 2044: within 50 years */
		{"Tuesday, 08-Nov-50 00:00:00 GMT", 0},             /* 1950: not within them */
		{"Sun Nov  6 08:49:42 1994", 5000},
		{"Wed Nov 16 08:49:37 1994", 864000000},
		{"Sun, 06 Nov 1994 08:49:40 GMT ", 0},
		{"Sun, 06 Nov 1994 08:49:40 CET", 0},
		{"Sun, 06 nov 1994 08:49:40 GMT", 0},
		{"Sun, 06 ovD 1994 08:49:40 GMT", 0},
		{"Sun, 31 Nov 1994 08:49:40 GMT", 0},
		{"Sun, 06 Nov 1994 24:00:00 GMT", 0},
		{"Sun, 06 Nov 1994 08:49:61 GMT", 0},
		{"Sun, 06 Nov 1994", 0},
		{"06 Nov 1994 08:49:40 GMT", 0},
		{"12 seconds", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t ms = herald__retry_after_ms(rows[i].value, now_s, UINT64_MAX);

		if (ms != rows[i].ms)
			fail_msg("%s: %llu", rows[i].value, (unsigned long long)ms);
	}
	assert_int_equal(herald__retry_after_ms("Thu, 01 Dec 1994 16:00:00 GMT", now_s, 60000),
			 60000);
}

/* The multi handles. */

static int
no_interest(CURL *easy, curl_socket_t fd, int what, void *state, void *socket_state)
{
	(void)easy, (void)fd, (void)what, (void)state, (void)socket_state;
	return 0;
}

/* One place keeps to its handle until that is full; then comes the next one, after the last the
 * first. */
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
	/* If the first one has room again, it is used first. */
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
		cmocka_unit_test(test_slots_of_many_hosts),
		cmocka_unit_test(test_multi_handles_fill_up_in_turn),
		cmocka_unit_test(test_texts_are_cut_between_characters),
		cmocka_unit_test(test_host_of_a_url),
		cmocka_unit_test(test_letters_without_case),
		cmocka_unit_test(test_retry_after_at_its_ends),
		cmocka_unit_test(test_retry_after_a_date),
		cmocka_unit_test(test_url_as_libcurl_reads_it),
	};

	return cmocka_run_group_tests_name("delivery_parts", tests, NULL, NULL);
}
