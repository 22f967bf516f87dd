/*
 * Sends the events with libcurl: each connection has one request at a time. With a rate, an event
 * has a time at which it is due, and its latency counts from there, also if no connection was free:
 * a slow receiver cannot hide behind events that were sent late.
 */
#include "load.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "text.h"
#include "trust.h"

#define NS 1000000000U
/* Of an answer, for the message. */
#define MAX_ANSWER_BYTES 1000

/* A request, on one connection. */
struct slot {
	CURL *curl;
	struct curl_slist *headers;
	struct outgoing_request request;
	uint64_t events_count, due_ns;
	char answer[MAX_ANSWER_BYTES];
	size_t answer_bytes;
	bool is_idle;
};

/* What has happened so far, in events, and the latency of each request in microseconds. */
struct tally {
	uint64_t accepted, refused, failed;
	uint32_t *latencies_us;
	size_t requests;
	long status;                       /* of the first answer that was not 2xx; 0: none */
	char reason[MAX_ANSWER_BYTES + 1]; /* its body, or why a request failed */
	size_t reason_bytes;
};

struct run {
	const struct load *load;
	int signals; /* a signalfd for SIGINT and SIGTERM */
	bool is_stopped;
	CURLM *multi;
	struct slot *slots;
	size_t slots_count;
	uint64_t begun; /* events */
	uint64_t begin_ns, told_ns;
	struct tally tally;
};

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS + (uint64_t)now.tv_nsec;
}

/* Requests. */

/* The libcurl callback. */
static size_t
take_answer(char *data, size_t size, size_t count, void *state)
{
	struct slot *slot = state;
	size_t bytes = size * count, room = sizeof(slot->answer) - slot->answer_bytes;

	memcpy(slot->answer + slot->answer_bytes, data, bytes < room ? bytes : room);
	slot->answer_bytes += bytes < room ? bytes : room;
	return bytes;
}

/* `state` is a slot; scheme_sign() calls it, too. */
static void
add_header(const char *name, const char *value, void *state)
{
	struct slot *slot = state;
	size_t bytes = strlen(name) + strlen(value) + 3;
	char *line = herald_arena_alloc(slot->request.arena, bytes);
	struct curl_slist *list = NULL;

	if (line) {
		/* libcurl removes a header that ends with ':'. */
		snprintf(line, bytes, "%s%s%s", name, *value != '\0' ? ": " : ";", value);
		list = curl_slist_append(slot->headers, line);
	}
	if (list)
		slot->headers = list;
}

static enum herald_status
add_headers(const struct load *load, struct slot *slot, struct herald_error *error)
{
	const struct outgoing_request *request = &slot->request;
	const struct outgoing *outgoing = load->outgoing;

	curl_slist_free_all(slot->headers);
	slot->headers = NULL;
	slot->headers = curl_slist_append(NULL, "Expect:");
	if (request->content_type)
		add_header("Content-Type", request->content_type, slot);
	else
		slot->headers = curl_slist_append(slot->headers, "Content-Type:");
	for (size_t i = 0; i < request->headers.headers_count; i++)
		add_header(request->headers.headers[i].name, request->headers.headers[i].value,
			   slot);
	for (size_t i = 0; i < outgoing->headers_count; i++)
		add_header(outgoing->headers[i].name, outgoing->headers[i].value, slot);
	if (!load->scheme->signature)
		return HERALD_OK;
	const struct scheme_message message = {
		.id = request->id,
		.url = load->url,
		.content_type = request->content_type,
		.timestamp_s = herald_time_now().seconds,
		.body = request->body.data,
		.body_bytes = request->body.bytes,
	};
	return scheme_sign(load->scheme, &message, add_header, slot, error) ? HERALD_OK
									    : HERALD_BAD_VALUE;
}

/* Begin the request for the next events on a slot that is idle. */
static enum herald_status
begin_request(struct run *run, struct slot *slot, struct herald_error *error)
{
	const struct load *load = run->load;
	uint64_t left = load->count - run->begun;

	slot->events_count = left < load->batch_count ? left : load->batch_count;
	slot->due_ns = load->rate > 0 ? run->begin_ns + run->begun * NS / load->rate : now_ns();
	enum herald_status status = outgoing_make(load->outgoing, run->begun, slot->events_count,
						  &slot->request, error);
	if (status == HERALD_OK)
		status = add_headers(load, slot, error);
	if (status != HERALD_OK)
		return status;
	slot->answer_bytes = 0;
	slot->is_idle = false;
	run->begun += slot->events_count;
	curl_easy_setopt(slot->curl, CURLOPT_HTTPHEADER, slot->headers);
	curl_easy_setopt(slot->curl, CURLOPT_POSTFIELDSIZE_LARGE,
			 (curl_off_t)slot->request.body.bytes);
	curl_easy_setopt(slot->curl, CURLOPT_POSTFIELDS,
			 slot->request.body.data ? slot->request.body.data : "");
	curl_multi_add_handle(run->multi, slot->curl);
	return HERALD_OK;
}

static void
keep_reason(struct tally *tally, long status, const char *text, size_t bytes)
{
	if (tally->reason_bytes > 0 || tally->status != 0)
		return;
	tally->status = status;
	tally->reason_bytes = bytes < MAX_ANSWER_BYTES ? bytes : MAX_ANSWER_BYTES;
	memcpy(tally->reason, text, tally->reason_bytes);
}

static void
end_request(struct run *run, struct slot *slot, CURLcode code)
{
	struct tally *tally = &run->tally;
	uint64_t latency_us = (now_ns() - slot->due_ns) / 1000;
	long status = 0;

	curl_multi_remove_handle(run->multi, slot->curl);
	slot->is_idle = true;
	curl_easy_getinfo(slot->curl, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK) {
		tally->failed += slot->events_count;
		keep_reason(tally, 0, curl_easy_strerror(code), strlen(curl_easy_strerror(code)));
		return;
	}
	tally->latencies_us[tally->requests++] =
		latency_us < UINT32_MAX ? (uint32_t)latency_us : UINT32_MAX;
	if (status >= 200 && status < 300) {
		tally->accepted += slot->events_count;
	} else {
		tally->refused += slot->events_count;
		keep_reason(tally, status, slot->answer, slot->answer_bytes);
	}
}

static struct slot *
idle_slot(struct run *run)
{
	for (size_t i = 0; i < run->slots_count; i++)
		if (run->slots[i].is_idle)
			return &run->slots[i];
	return NULL;
}

/* Progress. */

static uint64_t
ended(const struct run *run)
{
	return run->tally.accepted + run->tally.refused + run->tally.failed;
}

static void
tell_progress(struct run *run)
{
	uint64_t now = now_ns();

	if (run->load->count == 1 || now - run->told_ns < NS)
		return;
	run->told_ns = now;
	fprintf(stderr,
		"%s%" PRIu64 " of %" PRIu64 " events, %" PRIu64 " a second, %" PRIu64
		" not accepted%s",
		isatty(STDERR_FILENO) ? "\r" : "", ended(run), run->load->count,
		ended(run) * 1000 / ((now - run->begin_ns) / 1000000 + 1),
		run->tally.refused + run->tally.failed, isatty(STDERR_FILENO) ? "   " : "\n");
}

/* The loop. */

/* How long to wait for the next event that is due, in milliseconds; libcurl returns earlier when a
 * request has come further. */
static int
wait_ms(struct run *run)
{
	const struct load *load = run->load;

	if (run->begun == load->count || !idle_slot(run))
		return 100;
	if (load->rate == 0)
		return 0;
	uint64_t due = run->begin_ns + run->begun * NS / load->rate, now = now_ns();
	uint64_t wait = due > now ? (due - now) / 1000000 : 0;
	return wait < 100 ? (int)wait : 100;
}

static bool
is_due(const struct run *run)
{
	const struct load *load = run->load;

	if (run->begun == load->count)
		return false;
	return load->rate == 0 || now_ns() >= run->begin_ns + run->begun * NS / load->rate;
}

static enum herald_status
begin_requests(struct run *run, struct herald_error *error)
{
	enum herald_status status = HERALD_OK;
	struct slot *slot;

	while (status == HERALD_OK && is_due(run) && (slot = idle_slot(run)))
		status = begin_request(run, slot, error);
	return status;
}

static void
end_requests(struct run *run)
{
	CURLMsg *message;
	int running, queued;

	curl_multi_perform(run->multi, &running);
	while ((message = curl_multi_info_read(run->multi, &queued))) {
		char *state = NULL;

		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &state);
		end_request(run, (struct slot *)state, message->data.result);
	}
}

/* After the first signal the outcome so far is printed; a second one ends the process. */
static void
wait_for_more(struct run *run)
{
	struct curl_waitfd signals = {.fd = run->signals, .events = CURL_WAIT_POLLIN};
	struct signalfd_siginfo info;
	sigset_t set;

	curl_multi_poll(run->multi, &signals, 1, wait_ms(run), NULL);
	if (read(run->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	run->is_stopped = true;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static enum herald_status
send_all(struct run *run, struct herald_error *error)
{
	while (ended(run) < run->load->count && !run->is_stopped) {
		enum herald_status status = begin_requests(run, error);

		if (status != HERALD_OK)
			return status;
		end_requests(run);
		tell_progress(run);
		if (ended(run) < run->load->count)
			wait_for_more(run);
	}
	return HERALD_OK;
}

/* The outcome. */

static int
compare(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

/* The latency that this many of 1,000 requests do not exceed: "p50 1.23". */
static void
print_percentile(const struct tally *tally, const char *name, size_t per_mille)
{
	size_t index = tally->requests * per_mille / 1000;
	uint32_t us = tally->latencies_us[index < tally->requests ? index : tally->requests - 1];

	printf("%s %u.%02u", name, us / 1000, us % 1000 / 10);
}

static void
print_reason(const struct tally *tally)
{
	if (tally->status != 0)
		printf("%ld ", tally->status);
	text_print_safe(stdout, (struct herald_text){tally->reason, tally->reason_bytes});
	putchar('\n');
}

static void
print_outcome(struct run *run)
{
	struct tally *tally = &run->tally;
	uint64_t ms = (now_ns() - run->begin_ns) / 1000000;
	bool is_bad = tally->refused + tally->failed > 0;

	if (run->load->count == 1 && run->is_stopped) {
		printf("stopped\n");
		return;
	}
	if (run->load->count == 1) {
		if (is_bad)
			print_reason(tally);
		else
			printf("accepted\n");
		return;
	}
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\n");
	printf("%" PRIu64 " accepted, %" PRIu64 " refused, %" PRIu64 " failed in %" PRIu64
	       ".%02u s (%" PRIu64 " events a second)\n",
	       tally->accepted, tally->refused, tally->failed, ms / 1000,
	       (unsigned)(ms % 1000 / 10), ended(run) * 1000 / (ms > 0 ? ms : 1));
	if (run->is_stopped)
		printf("stopped: %" PRIu64 " of %" PRIu64 " have no answer\n",
		       run->load->count - ended(run), run->load->count);
	if (is_bad) {
		printf("first of these: ");
		print_reason(tally);
	}
	if (tally->requests == 0)
		return;
	qsort(tally->latencies_us, tally->requests, sizeof(uint32_t), compare);
	print_percentile(tally, "latency in ms: p50", 500);
	print_percentile(tally, ", p90", 900);
	print_percentile(tally, ", p99", 990);
	print_percentile(tally, ", p99.9", 999);
	print_percentile(tally, ", max", 1000);
	putchar('\n');
}

/* Setting up. */

static bool
open_slot(const struct load *load, struct slot *slot, struct herald_error *error)
{
	slot->is_idle = true;
	slot->curl = curl_easy_init();
	if (!slot->curl || outgoing_request_init(&slot->request, error) != HERALD_OK)
		return false;
	curl_easy_setopt(slot->curl, CURLOPT_URL, load->url);
	curl_easy_setopt(slot->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(slot->curl, CURLOPT_PRIVATE, (char *)slot);
	curl_easy_setopt(slot->curl, CURLOPT_POST, 1L);
	curl_easy_setopt(slot->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(slot->curl, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(slot->curl, CURLOPT_WRITEDATA, slot);
	curl_easy_setopt(slot->curl, CURLOPT_TIMEOUT_MS, (long)load->timeout_ms);
	curl_easy_setopt(slot->curl, CURLOPT_USERAGENT, "herald");
	trust_set(slot->curl, load->ca_file);
	return true;
}

static void
close_run(struct run *run)
{
	for (size_t i = 0; run->slots && i < run->slots_count; i++) {
		struct slot *slot = &run->slots[i];

		if (slot->curl && !slot->is_idle)
			curl_multi_remove_handle(run->multi, slot->curl);
		curl_easy_cleanup(slot->curl);
		curl_slist_free_all(slot->headers);
		outgoing_request_finish(&slot->request);
	}
	curl_multi_cleanup(run->multi);
	if (run->signals >= 0)
		close(run->signals);
	free(run->slots);
	free(run->tally.latencies_us);
	curl_global_cleanup();
}

/* A receiver that closes a connection must not end the process; nor may a signal before the outcome
 * is printed. */
static bool
open_signals(struct run *run, struct herald_error *error)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	run->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (run->signals < 0)
		herald_error_set(error, HERALD_SYSTEM, HERALD_NO_OFFSET, "cannot wait for signals");
	return run->signals >= 0;
}

static bool
open_run(struct run *run, struct herald_error *error)
{
	const struct load *load = run->load;

	herald_error_set(error, HERALD_NO_MEMORY, HERALD_NO_OFFSET, "out of memory");
	if (!open_signals(run, error))
		return false;
	curl_global_init(CURL_GLOBAL_ALL);
	run->multi = curl_multi_init();
	run->slots_count = load->connections < load->count ? load->connections : load->count;
	run->slots = calloc(run->slots_count, sizeof(*run->slots));
	run->tally.latencies_us = calloc(load->count, sizeof(uint32_t));
	if (!run->multi || !run->slots || !run->tally.latencies_us)
		return false;
	for (size_t i = 0; i < run->slots_count; i++)
		if (!open_slot(load, &run->slots[i], error))
			return false;
	return true;
}

int
load_run(const struct load *load)
{
	struct run run = {.load = load, .signals = -1};
	struct herald_error error;
	bool is_open = open_run(&run, &error);

	run.begin_ns = run.told_ns = now_ns();
	if (!is_open || send_all(&run, &error) != HERALD_OK) {
		herald_error_print(stderr, "herald", &error);
		close_run(&run);
		return 2;
	}
	print_outcome(&run);
	bool is_accepted = run.tally.accepted == load->count;
	close_run(&run);
	return fflush(stdout) == 0 && is_accepted ? 0 : 1;
}
