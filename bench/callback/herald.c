/*
 * Herald's deliverer kept at a number of deliveries in flight, all to one fast receiver. The next
 * one is submitted in one of two ways:
 *
 *	hook    from the outcome hook, on the deliverer's thread, so all is on one.
 *	thread  from another thread, as an HTTP server's would be. Such a thread is woken by its
 *	        sockets, with some requests at a time, and not by each outcome: so ours waits
 *	        until a few places are free. Woken for each, it would switch threads 1.4 times
 *	        per delivery.
 *
 *	callback_herald hook|thread PORT IN_FLIGHT   at each number of seconds on stdin: events,
 *	                                             seconds, p50, p99
 */
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <herald/callback.h>
#include <herald/curl.h>

#define MAX_IN_FLIGHT 4096

static struct herald_deliverer *deliverer;
static char url[64];
static bool from_hook;
static uint64_t started_ns[MAX_IN_FLIGHT];

/* From the hook: until when to submit, and how many are in flight after that. */
static uint64_t end_ns, events;
static unsigned open_count;

/* Places that are free: written by the deliverer's thread, read by main, never full. */
static unsigned free_places[MAX_IN_FLIGHT];
static size_t freed, taken;
static unsigned at_once; /* places that free_count counts together */
static sem_t free_count;

static uint32_t *latencies_us;
static size_t latencies_count, latencies_capacity;

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void
give_back(unsigned place)
{
	free_places[freed++ % MAX_IN_FLIGHT] = place;
	if (freed % at_once == 0)
		sem_post(&free_count);
}

static void
submit(unsigned place)
{
	struct herald_error error;
	char id[16];

	snprintf(id, sizeof(id), "%u", place);
	started_ns[place] = now_ns();
	if (herald_deliverer_submit(deliverer,
				    &(struct herald_delivery){.url = url,
							      .event_type = "user_created",
							      .event_id = id,
							      .result = "success"},
				    &error) != HERALD_OK) {
		herald_error_print(stderr, "callback_herald", &error);
		exit(1);
	}
}

static void
submit_again(unsigned place)
{
	if (now_ns() < end_ns) {
		submit(place);
		events++;
	} else if (--open_count == 0) {
		sem_post(&free_count);
	}
}

static void
on_outcome(const struct herald_delivery_report *report, void *state)
{
	unsigned place = (unsigned)strtoul(report->delivery->event_id, NULL, 10);

	(void)state;
	if (report->outcome != HERALD_DELIVERY_DELIVERED) {
		fprintf(stderr, "callback_herald: %s\n", report->error);
		exit(1);
	}
	if (latencies_count < latencies_capacity)
		latencies_us[latencies_count++] = (uint32_t)((now_ns() - started_ns[place]) / 1000);
	if (from_hook)
		submit_again(place);
	else
		give_back(place);
}

static int
compare(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

/* Keep them in flight until `end_ns`, then wait for the last. */

static void
run_from_hook(unsigned in_flight)
{
	open_count = in_flight;
	events = in_flight;
	for (unsigned place = 0; place < in_flight; place++)
		submit(place);
	sem_wait(&free_count);
}

static void
run_from_thread(unsigned in_flight)
{
	for (events = 0; now_ns() < end_ns; events += at_once) {
		sem_wait(&free_count);
		for (unsigned i = 0; i < at_once; i++)
			submit(free_places[taken++ % MAX_IN_FLIGHT]);
	}
	for (unsigned i = 0; i < in_flight / at_once; i++)
		sem_wait(&free_count);
	for (unsigned i = 0; i < in_flight / at_once; i++)
		sem_post(&free_count);
}

static void
run(unsigned in_flight, double seconds)
{
	uint64_t start = now_ns();

	end_ns = start + (uint64_t)(seconds * 1e9);
	latencies_count = 0;
	if (from_hook)
		run_from_hook(in_flight);
	else
		run_from_thread(in_flight);
	double took = (double)(now_ns() - start) / 1e9;
	qsort(latencies_us, latencies_count, sizeof(*latencies_us), compare);
	printf("%llu %.6f %u %u\n", (unsigned long long)events, took,
	       latencies_us[latencies_count / 2], latencies_us[latencies_count * 99 / 100]);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	struct herald_transport *transport;
	struct herald_error error;
	struct rlimit limit;
	char line[32];

	if (argc != 4) {
		fputs("usage: callback_herald hook|thread PORT IN_FLIGHT\n", stderr);
		return 2;
	}
	from_hook = strcmp(argv[1], "hook") == 0;
	unsigned in_flight = (unsigned)strtoul(argv[3], NULL, 10);
	at_once = in_flight >= 16 && in_flight % 8 == 0 ? in_flight / 8 : 1;
	snprintf(url, sizeof(url), "http://127.0.0.1:%s/callback", argv[2]);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	latencies_capacity = 500000;
	latencies_us = calloc(latencies_capacity, sizeof(*latencies_us));
	sem_init(&free_count, 0, 0);
	for (unsigned i = 0; !from_hook && i < in_flight; i++)
		give_back(i);
	/* A host gets no more slots than stay free for others: twice as many as are wanted. */
	if (!latencies_us || herald_curl_transport_create(NULL, &transport, &error) != HERALD_OK ||
	    herald_deliverer_create(&HERALD_DELIVERER_OPTIONS(.transport = transport,
							      .slots = 2 * in_flight,
							      .slots_per_host = in_flight,
							      .addresses = HERALD_ADDRESSES_ANY,
							      .on_outcome = on_outcome),
				    &deliverer, &error) != HERALD_OK) {
		herald_error_print(stderr, "callback_herald", &error);
		return 1;
	}
	while (fgets(line, sizeof(line), stdin))
		run(in_flight, strtod(line, NULL));
	herald_deliverer_destroy(deliverer);
	return 0;
}
