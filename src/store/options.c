/*
 * Checks and defaults. herald/store.h has the limits, too.
 */
#include "store/options.h"

#include <herald/adapter/backoff.h>
#include <herald/adapter/options.h>
#include <herald/array.h>

#define DAY_MS UINT64_C(86400000)

static void
fill_defaults(struct herald_store_options *options)
{
	herald_backoff_fill_defaults(&options->first_delay_ms, &options->factor,
				     &options->max_delay_ms, 1000, 3600000);
#define DEFAULT(NAME, VALUE) options->NAME = options->NAME ? options->NAME : (VALUE)
	DEFAULT(workers, 4);
	DEFAULT(max_batch, 256);
	DEFAULT(max_waiting, 10000);
	DEFAULT(max_pending, 10000000);
	DEFAULT(max_claimed_bytes, (size_t)64 << 20);
	DEFAULT(max_published_bytes, (size_t)16 << 20);
	DEFAULT(max_attempts, 20);
	DEFAULT(max_interrupted, 3);
	DEFAULT(seen_window_ms, DAY_MS);
	DEFAULT(lease_ms, 15000);
	DEFAULT(poll_ms, 100);
	DEFAULT(wal_warning_bytes, (uint64_t)64 << 20);
#undef DEFAULT
}

static enum herald_status
check_numbers(const struct herald_store_options *options, struct herald_error *error)
{
	const struct herald_option_range ranges[] = {
		{"workers", options->workers, 1, 1024},
		{"max_batch", options->max_batch, 1, 10000},
		{"max_waiting", options->max_waiting, 1, 10000000},
		{"max_pending", options->max_pending, 1, INT64_MAX},
		{"max_claimed_bytes", options->max_claimed_bytes, 1, INT64_MAX},
		{"max_published_bytes", options->max_published_bytes, 1, (uint64_t)512 << 20},
		{"max_attempts", options->max_attempts, 1, 10000},
		{"max_interrupted", options->max_interrupted, 1, 10000},
		{"max_delay_ms", options->max_delay_ms, 1, UINT32_MAX},
		{"seen_window_ms", options->seen_window_ms, 1, 3650 * DAY_MS},
		{"dead_max_age_ms", options->dead_max_age_ms, 0, 36500 * DAY_MS},
		{"dead_max_count", options->dead_max_count, 0, INT64_MAX},
		{"lease_ms", options->lease_ms, 1000, 3600000},
		{"poll_ms", options->poll_ms, 1, 60000},
		{"wal_warning_bytes", options->wal_warning_bytes, 1, INT64_MAX},
	};

	return herald_option_ranges_check(ranges, HERALD_COUNT(ranges), error);
}

enum herald_status
herald__store_options_check(struct herald_store_options *options, struct herald_error *error)
{
	enum herald_status status = herald_allocator_check(&options->allocator, error);

	fill_defaults(options);
	if (status == HERALD_OK && !options->database)
		status = herald_option_refuse(error, "database",
					      "missing: create one, such as by "
					      "herald_sqlite_create()");
	if (status == HERALD_OK)
		status = check_numbers(options, error);
	if (status == HERALD_OK)
		status = herald_backoff_check(&HERALD_BACKOFF_OF(options), error);
	return status;
}
