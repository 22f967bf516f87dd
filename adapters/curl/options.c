/*
 * The options of a deliverer. Nothing is opened here, and what they mean is their users' business.
 */
#include "options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "headers.h"

#define MAX_ATTEMPTS 1000
#define MAX_DESTINATIONS 1024
#define MAX_URL_BYTES 65536
#define MAX_NETWORKS 4096
#define MAX_PORTS 4096
#define MAX_ANSWER_HEADER_BYTES 262144 /* libcurl itself takes little more */
#define MAX_ANSWER_BODY_BYTES ((size_t)1 << 30)
#define MAX_ANSWER_BYTES ((size_t)1 << 31) /* more than the default with the largest body */
#define MAX_BODY_BYTES ((size_t)1 << 30)
#define MAX_HEADERS_BYTES ((size_t)256 * 1024) /* 64 of 4,096 bytes */
#define PENDING_BYTES ((size_t)64 * 1024 * 1024)
#define BODY_BYTES ((size_t)1024 * 1024)
#define HEADERS_BYTES ((size_t)16 * 1024)
#define ANSWER_HEADER_BYTES ((size_t)64 * 1024)
#define ANSWER_BODY_BYTES ((size_t)64 * 1024)
#define ANSWER_FRAMING_BYTES ((size_t)128 * 1024)
#define MAX_PENDING ((size_t)100000000)
#define MAX_SLOTS 65536

/* The path, and the message's first word, is the option, with the index in its list, or SIZE_MAX. */
HERALD_PRINTF(4, 5)
static enum herald_status
bad_option(struct herald_error *error, const char *option, size_t index, const char *format, ...)
{
	char message[sizeof(error->message)];
	char path[64];
	va_list arguments;

	if (!error)
		return HERALD_BAD_OPTION;
	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	if (index == SIZE_MAX)
		snprintf(path, sizeof(path), "%s", option);
	else
		snprintf(path, sizeof(path), "%s[%zu]", option, index);
	herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET, "%s %s", path, message);
	memcpy(error->path, path, strlen(path) + 1);
	return HERALD_BAD_OPTION;
}

struct herald__backoff
herald__deliverer_backoff(const struct herald_deliverer_options *options)
{
	return (struct herald__backoff){
		.kind = options->backoff,
		.first_delay_ms = options->first_delay_ms,
		.factor = options->factor,
		.max_delay_ms = options->max_delay_ms,
	};
}

static void
fill_in_defaults(struct herald_deliverer_options *options)
{
	const struct {
		uint32_t *option;
		uint32_t value;
	} defaults[] = {
		{&options->attempts, 3},
		{&options->max_retry_after_ms, 120000},
		{&options->attempt_timeout_ms, 10000},
		{&options->deadline_ms, 300000},
		{&options->slots, 512},
		{&options->slots_per_host, 16},
	};

	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		if (*defaults[i].option == 0)
			*defaults[i].option = defaults[i].value;
	struct herald__backoff backoff = herald__deliverer_backoff(options);
	herald__backoff_fill_defaults(&backoff, 2000, 60000);
	options->first_delay_ms = backoff.first_delay_ms;
	options->factor = backoff.factor;
	options->max_delay_ms = backoff.max_delay_ms;
	if (options->max_url_bytes == 0)
		options->max_url_bytes = 2048;
	if (options->max_pending == 0)
		options->max_pending = 10000;
	if (options->max_pending_bytes == 0)
		options->max_pending_bytes = PENDING_BYTES;
	if (options->max_body_bytes == 0)
		options->max_body_bytes = BODY_BYTES;
	if (options->max_headers_bytes == 0)
		options->max_headers_bytes = HEADERS_BYTES;
	if (options->max_answer_header_bytes == 0)
		options->max_answer_header_bytes = ANSWER_HEADER_BYTES;
	if (options->max_answer_body_bytes == 0)
		options->max_answer_body_bytes = ANSWER_BODY_BYTES;
	if (options->max_answer_bytes == 0)
		options->max_answer_bytes = options->max_answer_header_bytes +
					    options->max_answer_body_bytes + ANSWER_FRAMING_BYTES;
}

static enum herald_status
check_numbers(const struct herald_deliverer_options *options, struct herald_error *error)
{
	const struct {
		const char *option;
		size_t value, most;
	} limits[] = {
		{"attempts", options->attempts, MAX_ATTEMPTS},
		{"headers_count", options->headers_count, HERALD__MAX_HEADERS},
		{"destinations_count", options->destinations_count, MAX_DESTINATIONS},
		{"max_body_bytes", options->max_body_bytes, MAX_BODY_BYTES},
		{"max_headers_bytes", options->max_headers_bytes, MAX_HEADERS_BYTES},
		{"networks_count", options->networks_count, MAX_NETWORKS},
		{"denied_networks_count", options->denied_networks_count, MAX_NETWORKS},
		{"ports_count", options->ports_count, MAX_PORTS},
		{"max_url_bytes", options->max_url_bytes, MAX_URL_BYTES},
		{"max_pending", options->max_pending, MAX_PENDING},
		{"max_answer_header_bytes", options->max_answer_header_bytes,
		 MAX_ANSWER_HEADER_BYTES},
		{"max_answer_body_bytes", options->max_answer_body_bytes, MAX_ANSWER_BODY_BYTES},
		{"max_answer_bytes", options->max_answer_bytes, MAX_ANSWER_BYTES},
		{"slots", options->slots, MAX_SLOTS},
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (limits[i].value > limits[i].most)
			return bad_option(error, limits[i].option, SIZE_MAX,
					  "must be at most %zu, not %zu", limits[i].most,
					  limits[i].value);
	return HERALD_OK;
}

static enum herald_status
check_choices(const struct herald_deliverer_options *options, struct herald_error *error)
{
	const struct herald__backoff backoff = herald__deliverer_backoff(options);
	char message[64];
	const char *option = herald__backoff_check(&backoff, message, sizeof(message));

	if (option)
		return bad_option(error, option, SIZE_MAX, "%s", message);
	if ((unsigned)options->method > HERALD_DELIVERY_POST)
		return bad_option(error, "method", SIZE_MAX,
				  "must be HERALD_DELIVERY_GET or HERALD_DELIVERY_POST");
	if ((unsigned)options->addresses > HERALD_ADDRESSES_ANY)
		return bad_option(error, "addresses", SIZE_MAX,
				  "must be one of HERALD_ADDRESSES_...");
	return HERALD_OK;
}

/* A pointer without its count, and the reverse, would silently be an empty list. */
static enum herald_status
check_counts(const struct herald_deliverer_options *options, struct herald_error *error)
{
	const struct {
		const char *option, *macro;
		const void *list;
		size_t count;
	} lists[] = {
		{"headers", "HERALD_HEADERS", options->headers, options->headers_count},
		{"destinations", "HERALD_DESTINATIONS", options->destinations,
		 options->destinations_count},
		{"networks", "HERALD_NETWORKS", options->networks, options->networks_count},
		{"denied_networks", "HERALD_DENIED_NETWORKS", options->denied_networks,
		 options->denied_networks_count},
		{"ports", "HERALD_PORTS", options->ports, options->ports_count},
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (!lists[i].list != (lists[i].count == 0))
			return bad_option(error, lists[i].option, SIZE_MAX,
					  "is %s, but %s_count is %zu; %s(array) sets both",
					  lists[i].list ? "set" : "NULL", lists[i].option,
					  lists[i].count, lists[i].macro);
	return HERALD_OK;
}

/* Who names a URL must not be given a password for another one. */
static enum herald_status
check_headers(const struct herald_deliverer_options *options, struct herald_error *error)
{
	for (size_t i = 0; i < options->headers_count; i++) {
		const char *header = options->headers[i];
		const char *problem = herald__header_problem(header);

		if (problem)
			return bad_option(error, "headers", i, "%s", problem);
		if (herald__header_is_secret(header))
			return bad_option(error, "headers", i,
					  "must not be %.*s, which would be sent to any URL that a "
					  "sender names; destinations has headers for one origin",
					  (int)strcspn(header, ":"), header);
	}
	return HERALD_OK;
}

/* The origins are checked when they are read. */
static enum herald_status
check_destinations(const struct herald_deliverer_options *options, struct herald_error *error)
{
	for (size_t i = 0; i < options->destinations_count; i++) {
		const struct herald_destination *destination = &options->destinations[i];
		char option[64];

		snprintf(option, sizeof(option), "destinations[%zu].headers", i);
		if (!destination->headers || destination->headers_count == 0)
			return bad_option(error, option, SIZE_MAX,
					  "has no headers; HERALD_HEADERS(array) sets them");
		if (destination->headers_count > HERALD__MAX_HEADERS)
			return bad_option(error, option, SIZE_MAX, "are %zu, more than %d",
					  destination->headers_count, HERALD__MAX_HEADERS);
		for (size_t j = 0; j < destination->headers_count; j++) {
			const char *problem = herald__header_problem(destination->headers[j]);

			if (problem)
				return bad_option(error, option, j, "%s", problem);
		}
	}
	return HERALD_OK;
}

static enum herald_status
check_networks(const char *option, const char *const *networks, size_t count,
	       struct herald_error *error)
{
	struct herald__network network;

	for (size_t i = 0; i < count; i++)
		if (!networks[i] || !herald__network_parse(networks[i], &network))
			return bad_option(error, option, i,
					  "must be like 10.0.0.0/8 or fd00::/8, with no bits set "
					  "behind the prefix, not \"%.64s\"",
					  networks[i] ? networks[i] : "NULL");
	return HERALD_OK;
}

static enum herald_status
check_ports(const struct herald_deliverer_options *options, struct herald_error *error)
{
	for (size_t i = 0; i < options->ports_count; i++) {
		const struct herald_port_range *range = &options->ports[i];

		if (range->first == 0 || (range->last != 0 && range->last < range->first))
			return bad_option(
				error, "ports", i,
				"must be {first, last}, from 1 up, with last 0 or at least "
				"first; it is {%u, %u}",
				range->first, range->last);
	}
	return HERALD_OK;
}

static enum herald_status
check_lists(const struct herald_deliverer_options *options, struct herald_error *error)
{
	enum herald_status status = check_headers(options, error);

	if (status == HERALD_OK)
		status = check_destinations(options, error);
	if (status == HERALD_OK)
		status = check_networks("networks", options->networks, options->networks_count,
					error);
	if (status == HERALD_OK)
		status = check_networks("denied_networks", options->denied_networks,
					options->denied_networks_count, error);
	return status == HERALD_OK ? check_ports(options, error) : status;
}

enum herald_status
herald__deliverer_options_resolve(const struct herald_deliverer_options *given,
				  struct herald_deliverer_options *out, struct herald_error *error)
{
	struct herald_deliverer_options options = {.struct_size = sizeof(options)};

	if (given && given->struct_size == 0)
		return bad_option(error, "struct_size", SIZE_MAX,
				  "is 0: use HERALD_DELIVERER_OPTIONS");
	if (given)
		memcpy(&options, given,
		       given->struct_size < sizeof(options) ? given->struct_size : sizeof(options));
	fill_in_defaults(&options);

	enum herald_status status = check_numbers(&options, error);
	if (status == HERALD_OK)
		status = check_choices(&options, error);
	if (status == HERALD_OK)
		status = check_counts(&options, error);
	if (status == HERALD_OK)
		status = check_lists(&options, error);
	if (status == HERALD_OK)
		*out = options;
	return status;
}

/* They are known to be valid, and not to be too many. */
static enum herald_status
copy_networks(const char *const *texts, size_t count, struct herald_arena *arena,
	      const struct herald__network **out)
{
	struct herald__network *networks;

	if (count == 0)
		return HERALD_OK;
	networks = herald_arena_alloc(arena, count * sizeof(*networks));
	if (!networks)
		return HERALD_NO_MEMORY;
	for (size_t i = 0; i < count; i++)
		if (!herald__network_parse(texts[i], &networks[i]))
			return HERALD_BAD_OPTION;
	*out = networks;
	return HERALD_OK;
}

static enum herald_status
check_effect(const struct herald_deliverer_options *options,
	     const struct herald__address_rules *rules, struct herald_error *error)
{
	char ipv4[HERALD__NETWORK_TEXT_BYTES];

	for (size_t i = 0; i < rules->networks_count; i++)
		if (!herald__network_has_effect(&rules->networks[i], rules->networks,
						rules->networks_count, ipv4))
			return bad_option(error, "networks", i,
					  "allows nothing: addresses in \"%.64s\" are judged by "
					  "the IPv4 address in them; name %s",
					  options->networks[i], ipv4);
	return HERALD_OK;
}

static enum herald_status
copy_ports(const struct herald_deliverer_options *options, struct herald_arena *arena,
	   struct herald__port_rules *out)
{
	size_t bytes = options->ports_count * sizeof(*options->ports);
	struct herald_port_range *ports;

	if (bytes == 0)
		return HERALD_OK;
	ports = herald_arena_alloc(arena, bytes);
	if (!ports)
		return HERALD_NO_MEMORY;
	memcpy(ports, options->ports, bytes);
	*out = (struct herald__port_rules){ports, options->ports_count};
	return HERALD_OK;
}

enum herald_status
herald__deliverer_options_rules(const struct herald_deliverer_options *options,
				struct herald_arena *arena, struct herald__address_rules *addresses,
				struct herald__port_rules *ports, struct herald_error *error)
{
	enum herald_status status;

	*addresses = (struct herald__address_rules){
		.policy = options->addresses,
		.allow_cloud_agents = options->allow_cloud_agents,
		.networks_count = options->networks_count,
		.denied_count = options->denied_networks_count,
	};
	status = copy_networks(options->networks, options->networks_count, arena,
			       &addresses->networks);
	if (status == HERALD_OK)
		status = copy_networks(options->denied_networks, options->denied_networks_count,
				       arena, &addresses->denied);
	if (status == HERALD_OK)
		status = copy_ports(options, arena, ports);
	return status == HERALD_OK ? check_effect(options, addresses, error) : status;
}
