/*
 * The retry handler: its options, and whether and when a function runs again. Waiting, and running
 * it, is the pipeline's.
 */
#include <herald/retry.h>

#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>

#include "backoff.h"
#include "context.h"
#include "memory.h"
#include "options.h"
#include "random.h"
#include "service.h"
#include "service_clock.h"

#define MAX_ATTEMPTS 100

struct retry {
	struct herald_handler base;
	struct herald_allocator allocator;
	struct herald_retry_options options; /* with the defaults filled in */
	_Atomic uint64_t random;
};

static uint64_t
next_random(struct retry *retry)
{
	return herald__random_bits(atomic_fetch_add_explicit(&retry->random, HERALD__RANDOM_STEP,
							     memory_order_relaxed));
}

static struct herald__backoff
backoff_of(const struct herald_retry_options *options)
{
	return (struct herald__backoff){
		.kind = options->backoff,
		.first_delay_ms = options->first_delay_ms,
		.factor = options->factor,
		.max_delay_ms = options->max_delay_ms,
	};
}

static enum herald_again
run_again(struct herald_handler *handler, struct herald_context *ctx, unsigned attempt,
	  uint32_t *delay_ms)
{
	struct retry *retry = (struct retry *)handler;
	const struct herald_retry_options *options = &retry->options;
	enum herald_again at_last = options->fail_at_last ? HERALD_AGAIN_FAIL : HERALD_AGAIN_STOP;

	if (attempt >= options->attempts)
		return at_last;
	/* The function knows better, and it is not a short fault. */
	if (*delay_ms > options->max_delay_ms)
		return HERALD_AGAIN_STOP;

	const struct herald__backoff backoff = backoff_of(options);
	uint64_t random_bits = backoff.kind == HERALD_BACKOFF_FULL_JITTER ? next_random(retry) : 0;
	uint32_t delay = herald__backoff_delay_ms(&backoff, attempt, random_bits);
	if (*delay_ms < delay)
		*delay_ms = delay;
	uint64_t end_ns = ctx->came_ns + options->total_ms * HERALD__MS_NS;
	uint64_t next_ns = herald__clock_now_ns(ctx->service->clock) + *delay_ms * HERALD__MS_NS;
	return next_ns > end_ns ? at_last : HERALD_AGAIN_RUN;
}

static void
destroy_retry(struct herald_handler *handler)
{
	struct retry *retry = (struct retry *)handler;
	const struct herald_allocator allocator = retry->allocator;

	herald__release(&allocator, retry, sizeof(*retry));
}

static const struct herald_handler_ops retry_ops = {
	.struct_size = sizeof(retry_ops),
	.name = "retry",
	.destroy = destroy_retry,
	.again = run_again,
};

static void
fill_defaults(struct herald_retry_options *options)
{
	struct herald__backoff backoff = backoff_of(options);

	herald__backoff_fill_defaults(&backoff, 50, 1000);
	options->first_delay_ms = backoff.first_delay_ms;
	options->factor = backoff.factor;
	options->max_delay_ms = backoff.max_delay_ms;
	if (options->attempts == 0)
		options->attempts = 3;
	if (options->total_ms == 0)
		options->total_ms = 5000;
}

static enum herald_status
check_options(const struct herald_retry_options *options, struct herald_error *error)
{
	struct herald__option option = {.index = HERALD__NO_INDEX};
	char message[64];

	option.list = "attempts";
	if (options->attempts > MAX_ATTEMPTS)
		return herald__option_error(error, HERALD_BAD_OPTION, option,
					    "%u are too many, at most %d", options->attempts,
					    MAX_ATTEMPTS);
	const struct herald__backoff backoff = backoff_of(options);
	option.list = herald__backoff_check(&backoff, message, sizeof(message));
	if (option.list)
		return herald__option_error(error, HERALD_BAD_OPTION, option, "%s", message);
	return herald__allocator_check(&options->allocator, error);
}

/* A kernel that has no random bits yet leaves the address and the time. */
static uint64_t
random_seed(const struct retry *retry)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		seed = herald__clock_now_ns(NULL) ^ (uintptr_t)retry;
	return seed;
}

enum herald_status
herald_retry_handler_create(const struct herald_retry_options *options, struct herald_handler **out,
			    struct herald_error *error)
{
	struct herald_retry_options read = {0};
	enum herald_status status =
		herald__options_read(options, &read, sizeof(read), "HERALD_RETRY_OPTIONS", error);

	if (status != HERALD_OK)
		return status;
	fill_defaults(&read);
	status = check_options(&read, error);
	if (status != HERALD_OK)
		return status;

	const struct herald_allocator allocator = herald__allocator_or_libc(&read.allocator);
	struct retry *retry = herald__allocate_zeroed(&allocator, 1, sizeof(*retry));
	if (!retry)
		return herald__out_of_memory(error);
	retry->base.ops = &retry_ops;
	retry->allocator = allocator;
	retry->options = read;
	atomic_init(&retry->random, random_seed(retry));
	*out = &retry->base;
	return HERALD_OK;
}
