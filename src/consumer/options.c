/*
 * Checks and defaults. herald/consumer.h has the limits, too.
 */
#include "consumer/options.h"

#include <string.h>

#include <herald/adapter/backoff.h>
#include <herald/adapter/options.h>
#include <herald/adapter/text.h>
#include <herald/array.h>

#include "base/reconnect.h"

#define MAX_FOLDER_BYTES 200
/* With an order, each lane has room for all messages: some bytes for each. */
#define MAX_PARKED ((uint64_t)16000000)

static void
fill_defaults(struct herald_consumer_options *options)
{
	herald_backoff_fill_defaults(&options->first_delay_ms, &options->factor,
				     &options->max_delay_ms, 1000, 3600000);
#define DEFAULT(NAME, VALUE) options->NAME = options->NAME ? options->NAME : (VALUE)
	DEFAULT(max_in_flight, 256);
	DEFAULT(max_in_flight_bytes, (size_t)64 << 20);
	DEFAULT(max_attempts, 20);
	DEFAULT(max_interrupted, 3);
	DEFAULT(max_unknown_deliveries, 20);
	DEFAULT(max_reconnect_delay_ms, HERALD__RECONNECT_DEFAULT_MS);
	DEFAULT(in_flight_folder, "/dev/shm");
#undef DEFAULT
}

static enum herald_status
check_numbers(const struct herald_consumer_options *options, struct herald_error *error)
{
	const struct herald_option_range ranges[] = {
		{"lanes", options->lanes, 0, 1024},
		{"max_in_flight", options->max_in_flight, 1, 1000000},
		{"max_in_flight_bytes", options->max_in_flight_bytes, 1, INT64_MAX},
		{"max_attempts", options->max_attempts, 1, 10000},
		{"max_interrupted", options->max_interrupted, 1, 10000},
		{"max_unknown_deliveries", options->max_unknown_deliveries, 1, 10000},
		{"max_delay_ms", options->max_delay_ms, 1, UINT32_MAX},
		{"max_reconnect_delay_ms", options->max_reconnect_delay_ms, 1,
		 HERALD__RECONNECT_LIMIT_MS},
	};

	return herald_option_ranges_check(ranges, HERALD_COUNT(ranges), error);
}

static bool
is_header_name(const char *name)
{
	const size_t bytes = herald_http_token_bytes(name);

	return bytes > 0 && name[bytes] == '\0';
}

static enum herald_status
check_order(const struct herald_consumer_options *options, struct herald_error *error)
{
	const unsigned lanes = options->lanes > 0 ? options->lanes : 1;

	if ((unsigned)options->order > HERALD_ORDER_KEY)
		return herald_option_refuse(error, "order", "not a valid order: %d",
					    (int)options->order);
	if (options->order == HERALD_ORDER_NONE)
		return options->key_attribute
			       ? herald_option_refuse(error, "key_attribute",
						      "has no effect without HERALD_ORDER_KEY")
			       : HERALD_OK;
	if (options->key_attribute && !is_header_name(options->key_attribute))
		return herald_option_refuse(error, "key_attribute",
					    "must be the name of a header, not \"%s\"",
					    options->key_attribute);
	if ((uint64_t)lanes * options->max_in_flight > MAX_PARKED)
		return herald_option_refuse(error, "max_in_flight",
					    "must be at most %llu with HERALD_ORDER_KEY and %u "
					    "lanes, not %zu",
					    (unsigned long long)(MAX_PARKED / lanes), lanes,
					    options->max_in_flight);
	return HERALD_OK;
}

static enum herald_status
check_required(const struct herald_consumer_options *options, struct herald_error *error)
{
	if (!options->subscriber)
		return herald_option_refuse(error, "subscriber",
					    "missing: create one, such as by "
					    "herald_redis_subscriber_create()");
	if (!options->service)
		return herald_option_refuse(error, "service", "missing");
	if (strlen(options->in_flight_folder) > MAX_FOLDER_BYTES)
		return herald_option_refuse(error, "in_flight_folder",
					    "must be at most %d bytes long, not %zu",
					    MAX_FOLDER_BYTES, strlen(options->in_flight_folder));
	return HERALD_OK;
}

enum herald_status
herald__consumer_options_check(struct herald_consumer_options *options, struct herald_error *error)
{
	enum herald_status status = herald_allocator_check(&options->allocator, error);

	fill_defaults(options);
	if (status == HERALD_OK)
		status = check_required(options, error);
	if (status == HERALD_OK)
		status = check_numbers(options, error);
	if (status == HERALD_OK)
		status = check_order(options, error);
	if (status == HERALD_OK)
		status = herald_backoff_check(&HERALD_BACKOFF_OF(options), error);
	return status;
}
