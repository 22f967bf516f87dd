/*
 * The contract, part 8: memory that runs out while a request is handled.
 */
#include "probe.h"

#include "support/failing_allocator.h"

/* How many allocations there are before the first request. */
static size_t
count_at_start(void **state)
{
	struct failing_allocator memory;
	struct probe probe;

	failing_allocator_init(&memory, FAIL_NEVER, 0);
	probe_start_in(&probe, state, NULL, &memory.allocator);
	size_t count = atomic_load(&memory.calls);
	probe_stop(&probe);
	assert_all_released(&memory);
	return count;
}

/* Returns whether the event was refused. */
static bool
exchange(const struct probe *probe, const char *event, unsigned status)
{
	struct http_client client;
	struct http_response response;

	probe_connect(probe, &client);
	assert_true(probe_post(&client, event));
	bool is_answered = http_receive(&client, true, &response);
	bool is_done = is_answered && response.status == status;
	if (is_answered && !is_done)
		probe_assert_answer(&response, 503, NULL);
	http_close(&client);
	return !is_done;
}

/*
 * The event is answered with 503, or the connection closed, and the next one is handled. Each
 * allocation fails in a server of its own, because a request keeps memory for those after it.
 */
static void
fail_every_allocation(void **state, const char *event, unsigned status)
{
	size_t at_start = count_at_start(state);
	struct failing_allocator memory;
	unsigned refused = 0, number = 0;

	do {
		struct probe probe;

		failing_allocator_init(&memory, FAIL_ONLY, at_start + ++number);
		probe_start_in(&probe, state, NULL, &memory.allocator);
		assert_int_equal(atomic_load(&memory.failures), 0);
		bool is_refused = exchange(&probe, event, status);
		size_t failures = atomic_load(&memory.failures);
		/* What is kept for the next event may be left out. */
		assert_true(failures >= is_refused);
		if (status == 200) {
			assert_int_equal(is_refused, failures);
			assert_int_equal(probe.function_count, !is_refused);
		}
		/* When none failed, the next event may meet the one that does: if it comes before
		 * the first one has given its memory back. */
		if (is_refused)
			probe_assert_alive(&probe);
		probe_stop(&probe);
		assert_all_released(&memory);
		refused += is_refused;
	} while (atomic_load(&memory.failures) > 0);
	assert_true(refused > 0);
}

static void
every_allocation_fails_once(void **state)
{
	fail_every_allocation(state, PROBE_DONE, 200);
}

/* The answer is in memory of its own: whole, or 503. */
static void
every_allocation_of_an_answer_fails_once(void **state)
{
	static const char event[] =
		"{\"event_type\":\"own_answer\",\"timestamp\":\"2024-08-20T05:21:19Z\",\"payload\":"
		"{\"verdict\":\"done\",\"status\":201,\"type\":\"a/b\",\"body\":\"0123456789\","
		"\"times\":2000,\"headers\":[{\"name\":\"X-A\",\"value\":\"a\"},"
		"{\"name\":\"X-B\",\"value\":\"b\"}]}}";

	fail_every_allocation(state, event, 201);
}

const struct contract_http_case contract_http_memory[] = {
	CONTRACT_CASE(every_allocation_fails_once, 0),
	CONTRACT_CASE(every_allocation_of_an_answer_fails_once, 0),
};
const size_t contract_http_memory_count = HERALD_COUNT(contract_http_memory);
