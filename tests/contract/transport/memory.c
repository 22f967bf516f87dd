/*
 * Lack of memory: whichever allocation fails, the transport is not created, or not opened, or an
 * attempt does not begin. Attempts that have begun end, and all blocks are released.
 */
#include <herald/array.h>

#include "probe.h"
#include "support/failing_allocator.h"

static enum herald_status
open_for(struct probe *probe, size_t most)
{
	struct herald_error error;

	return probe->transport->ops->open(
		probe->transport,
		&(struct herald_transport_settings){.max_attempts = most,
						    .max_attempts_per_origin = most},
		&error);
}

/* A GET and a POST with all that has a list; each begins or does not. Returns how many ended. */
static size_t
run_attempts(struct probe *probe)
{
	static const char *const more[] = {"X-One: 1", "X-Two: 2"};
	size_t ended = 0;

	for (unsigned i = 0; i < 4; i++) {
		struct probe_attempt *attempt = probe_get(probe, i == 3 ? "/silent" : "/200");

		if (i % 2) {
			attempt->base.method = HERALD_DELIVERY_POST;
			attempt->base.content_type = "a/b";
			attempt->base.body = "body";
			attempt->base.body_bytes = 4;
			attempt->base.headers = more;
			attempt->base.headers_count = HERALD_COUNT(more);
		}
		size_t number = probe_try(probe, attempt);
		if (number == SIZE_MAX)
			continue;
		if (i < 3) {
			const struct herald_attempt_result *result = probe_finish(probe, number);

			/* It may have failed for lack of memory; then another attempt may work. */
			assert_true(result->http_status == 200 || result->may_retry);
			ended++;
		}
	}
	return ended;
}

static void
run_with(struct probe *probe, struct failing_allocator *memory)
{
	const struct contract_transport_options options = {.allocator = &memory->allocator};

	probe->transport = probe->contract->create(&options);
	if (!probe->transport) {
		assert_int_not_equal(memory->failures, 0);
		return;
	}
	probe->transport->deliverer = &probe->rules;
	enum herald_status status = open_for(probe, 4);
	assert_true(status == HERALD_OK || (status == HERALD_NO_MEMORY && memory->failures));
	if (status == HERALD_OK) {
		size_t ended = run_attempts(probe);

		assert_true(ended == 3 || memory->failures);
	}
	probe_close(probe);
}

static void
every_allocation_fails_once(struct probe *probe)
{
	probe_serve(probe);
	for (size_t n = 1;; n++) {
		struct failing_allocator memory;

		failing_allocator_init(&memory, FAIL_ONLY, n);
		run_with(probe, &memory);
		assert_all_released(&memory);
		if (!memory.failures) {
			assert_true(n > 1);
			break;
		}
	}
}

static void
every_allocation_fails_from_one_on(struct probe *probe)
{
	probe_serve(probe);
	for (size_t n = 1;; n++) {
		struct failing_allocator memory;

		failing_allocator_init(&memory, FAIL_FROM, n);
		run_with(probe, &memory);
		assert_all_released(&memory);
		if (!memory.failures)
			break;
	}
}

const struct contract_transport_case contract_transport_memory[] = {
	CONTRACT_CASE(every_allocation_fails_once, CONTRACT_TRANSPORT_ALLOCATES),
	CONTRACT_CASE(every_allocation_fails_from_one_on, CONTRACT_TRANSPORT_ALLOCATES),
};
const size_t contract_transport_memory_count = HERALD_COUNT(contract_transport_memory);
