/*
 * Random schedules: attempts begin, are cancelled, waited for and woken in any order, with a
 * receiver that sometimes misbehaves. Every attempt must end once, as its URL determines, or by a
 * failure after which another attempt may succeed.
 *
 * The seed is printed; HERALD_TEST_SEED sets it. HERALD_TEST_SECONDS sets the duration.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <herald/array.h>

#include "probe.h"
#include "support/draw.h"

#define MOST 16

static const struct {
	const char *url;
	unsigned status;
	bool needs_network;
} ends[] = {
	{"/200", 200, false},    {"/503", 503, false}, {"/204", 204, false}, {"/slow", 200, false},
	{"/close", 0, false},    {"/bye", 200, true},  {"/reset", 0, true},  {"/half", 0, true},
	{"/cut", 0, true},       {"/drip", 0, true},   {"/raw", 404, true},  {"/silent", 0, false},
	{"/endless", 200, true},
};

struct schedule {
	struct probe *probe;
	uint64_t random;
	size_t rows[PROBE_ATTEMPTS]; /* of `ends`, by attempt */
};

static void
begin_one(struct schedule *schedule)
{
	struct probe *probe = schedule->probe;
	bool has_network = probe->contract->capabilities & CONTRACT_TRANSPORT_NETWORK;
	size_t row = draw_below(&schedule->random, HERALD_COUNT(ends));
	struct probe_attempt *attempt;

	if (ends[row].needs_network && !has_network)
		row = 0;
	attempt = probe_get(probe, ends[row].url);
	if (draw_one_in(&schedule->random, 3)) {
		attempt->base.method = HERALD_DELIVERY_POST;
		attempt->base.content_type = "a/b";
		attempt->base.body = ends; /* any bytes */
		attempt->base.body_bytes = draw_below(&schedule->random, sizeof(ends));
	}
	attempt->base.opens_connection = draw_one_in(&schedule->random, 5);
	schedule->rows[probe->begun] = row;
	probe_begin(probe, attempt);
}

static void
cancel_one(struct schedule *schedule)
{
	struct probe *probe = schedule->probe;
	size_t number = draw_below(&schedule->random, probe->begun);

	for (size_t i = 0; i < probe->begun; i++, number = (number + 1) % probe->begun)
		if (probe->ends[number].is_under_way) {
			probe_cancel(probe, number);
			return;
		}
}

/* The deliverer takes all that has ended after a wait before it begins or cancels others; so does
 * the probe. */
static void
do_one(struct schedule *schedule)
{
	struct probe *probe = schedule->probe;

	switch (draw_below(&schedule->random, 8)) {
	case 0:
	case 1:
	case 2:
		if (probe->under_way < MOST)
			begin_one(schedule);
		break;
	case 3:
		if (probe->under_way > 0)
			cancel_one(schedule);
		break;
	case 4:
		probe->transport->ops->wake(probe->transport);
		break;
	default:
		probe_wait(probe, (int64_t)draw_below(&schedule->random, 3));
		break;
	}
}

static void
check_ends(const struct schedule *schedule)
{
	for (size_t i = 0; i < schedule->probe->begun; i++) {
		const struct probe_end *end = &schedule->probe->ends[i];
		unsigned status = ends[schedule->rows[i]].status;

		if (!end->is_finished)
			continue;
		if (end->result.http_status == 0 ? !end->result.may_retry
						 : end->result.http_status != status)
			fail_msg("%s: %u, %s", ends[schedule->rows[i]].url, end->result.http_status,
				 end->result.error);
	}
}

/* One transport's whole life. */
static void
run_schedule(struct schedule *schedule)
{
	struct probe *probe = schedule->probe;

	probe_open(probe, NULL, MOST);
	for (size_t i = 50 + draw_below(&schedule->random, 1000); i > 0; i--) {
		if (probe->begun == PROBE_ATTEMPTS)
			break;
		do_one(schedule);
	}
	check_ends(schedule);
	probe_close(probe);
}

static void
schedules_at_random(struct probe *probe)
{
	struct schedule schedule = {.probe = probe, .random = draw_seed()};
	struct timespec now;

	printf("# %s: HERALD_TEST_SEED=%llu\n", probe->contract->name,
	       (unsigned long long)schedule.random);
	probe->server.delay_ms = 2;
	probe->server.raw =
		"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno";
	probe_serve(probe);
	clock_gettime(CLOCK_MONOTONIC, &now);
	uint64_t until_ms =
		(uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 + draw_time_ms();
	do {
		run_schedule(&schedule);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 < until_ms);
}

const struct contract_transport_case contract_transport_random[] = {
	CONTRACT_CASE(schedules_at_random, 0),
};
const size_t contract_transport_random_count = HERALD_COUNT(contract_transport_random);
