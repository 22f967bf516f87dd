/*
 * The retry handler: its options, and the decision whether and when a function runs again. The
 * pipeline waits and calls the function.
 */
#include <herald/retry.h>

#include <stdatomic.h>

#include <herald/adapter/backoff.h>
#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/random.h>

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
	return herald_random_bits(atomic_fetch_add_explicit(&retry->random, HERALD_RANDOM_STEP,
							    memory_order_relaxed));
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
	/* The function asks for a longer delay, so this is not a short fault. */
	if (*delay_ms > options->max_delay_ms)
		return HERALD_AGAIN_STOP;

	const struct herald_backoff_rule backoff = HERALD_BACKOFF_OF(options);
	uint64_t random_bits =
		backoff.backoff == HERALD_BACKOFF_FULL_JITTER ? next_random(retry) : 0;
	uint32_t delay = herald_backoff_delay_ms(&backoff, attempt, random_bits);
	if (*delay_ms < delay)
		*delay_ms = delay;
	uint64_t next_ms = (uint64_t)herald_context_age_ms(ctx) + *delay_ms;
	return next_ms > options->total_ms ? at_last : HERALD_AGAIN_RUN;
}

static void
destroy_retry(struct herald_handler *handler)
{
	struct retry *retry = (struct retry *)handler;
	const struct herald_allocator allocator = retry->allocator;

	herald_memory_release(&allocator, retry, sizeof(*retry));
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
	herald_backoff_fill_defaults(&options->first_delay_ms, &options->factor,
				     &options->max_delay_ms, 50, 1000);
	if (options->attempts == 0)
		options->attempts = 3;
	if (options->total_ms == 0)
		options->total_ms = 5000;
}

static enum herald_status
check_options(const struct herald_retry_options *options, struct herald_error *error)
{
	if (options->attempts > MAX_ATTEMPTS)
		return herald_option_refuse(error, "attempts", "must be at most %d, not %u",
					    MAX_ATTEMPTS, options->attempts);

	enum herald_status status = herald_backoff_check(&HERALD_BACKOFF_OF(options), error);
	if (status != HERALD_OK)
		return status;
	return herald_allocator_check(&options->allocator, error);
}

enum herald_status
herald_retry_handler_create(const struct herald_retry_options *options, struct herald_handler **out,
			    struct herald_error *error)
{
	struct herald_retry_options read = {0};
	enum herald_status status =
		herald_options_read(options, &read, sizeof(read), "HERALD_RETRY_OPTIONS", error);

	if (status != HERALD_OK)
		return status;
	fill_defaults(&read);
	status = check_options(&read, error);
	if (status != HERALD_OK)
		return status;

	const struct herald_allocator allocator = herald_allocator_or_libc(&read.allocator);
	struct retry *retry = herald_memory_allocate_zeroed(&allocator, 1, sizeof(*retry));
	if (!retry)
		return herald_out_of_memory(error);
	retry->base.ops = &retry_ops;
	retry->allocator = allocator;
	retry->options = read;
	atomic_init(&retry->random, herald_random_seed());
	*out = &retry->base;
	return HERALD_OK;
}
