/*
 * The options of a deliverer: their checks and defaults. Opens nothing.
 */
#include "delivery/options.h"

#include <stdio.h>
#include <string.h>

#include "base/options.h"
#include "delivery/headers.h"
#include "delivery/item.h"
#include "producer/named.h"

#define MAX_ATTEMPTS 1000
#define MAX_DESTINATIONS 1024
#define MAX_URL_BYTES 65536
#define MAX_NETWORKS 4096
#define MAX_PORTS 4096
#define MAX_BODY_BYTES ((size_t)1 << 30)
#define MAX_HEADERS_BYTES ((size_t)256 * 1024) /* 64 headers of 4,096 bytes */
#define PENDING_BYTES ((size_t)64 * 1024 * 1024)
#define BODY_BYTES ((size_t)1024 * 1024)
#define HEADERS_BYTES ((size_t)16 * 1024)
#define MAX_PENDING ((size_t)100000000)
#define MAX_SLOTS 65536
#define MAX_CLAIMED ((size_t)1000000)
#define MAX_PRODUCERS 64
#define MAX_SIGNERS 65536

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
	herald_backoff_fill_defaults(&options->first_delay_ms, &options->factor,
				     &options->max_delay_ms, 2000, 60000);
	if (options->max_url_bytes == 0)
		options->max_url_bytes = 2048;
	if (options->max_claimed == 0)
		options->max_claimed = (size_t)8 * options->slots;
	if (options->max_pending == 0)
		options->max_pending = 10000;
	if (options->max_pending_bytes == 0)
		options->max_pending_bytes = PENDING_BYTES;
	if (options->max_body_bytes == 0)
		options->max_body_bytes = BODY_BYTES;
	if (options->max_headers_bytes == 0)
		options->max_headers_bytes = HEADERS_BYTES;
}

static enum herald_status
check_numbers(const struct herald_deliverer_options *options, struct herald_error *error)
{
	const struct herald_option_range ranges[] = {
		{"attempts", options->attempts, 0, MAX_ATTEMPTS},
		{"headers_count", options->headers_count, 0, HERALD__MAX_HEADERS},
		{"destinations_count", options->destinations_count, 0, MAX_DESTINATIONS},
		{"signers_count", options->signers_count, 0, MAX_SIGNERS},
		{"producers_count", options->producers_count, 0, MAX_PRODUCERS},
		{"max_body_bytes", options->max_body_bytes, 0, MAX_BODY_BYTES},
		{"max_headers_bytes", options->max_headers_bytes, 0, MAX_HEADERS_BYTES},
		{"networks_count", options->networks_count, 0, MAX_NETWORKS},
		{"denied_networks_count", options->denied_networks_count, 0, MAX_NETWORKS},
		{"ports_count", options->ports_count, 0, MAX_PORTS},
		{"max_url_bytes", options->max_url_bytes, 0, MAX_URL_BYTES},
		{"max_pending", options->max_pending, 0, MAX_PENDING},
		{"slots", options->slots, 0, MAX_SLOTS},
		{"max_claimed", options->max_claimed, 0, MAX_CLAIMED},
	};

	return herald_option_ranges_check(ranges, HERALD_COUNT(ranges), error);
}

static enum herald_status
check_choices(const struct herald_deliverer_options *options, struct herald_error *error)
{
	enum herald_status status = herald_backoff_check(&HERALD_BACKOFF_OF(options), error);

	if (status != HERALD_OK)
		return status;
	if ((unsigned)options->method > HERALD_DELIVERY_POST)
		return herald__option_error(error, HERALD_BAD_OPTION, HERALD__OPTION("method"),
					    "must be HERALD_DELIVERY_GET or HERALD_DELIVERY_POST");
	if ((unsigned)options->addresses > HERALD_ADDRESSES_ANY)
		return herald__option_error(error, HERALD_BAD_OPTION, HERALD__OPTION("addresses"),
					    "must be one of HERALD_ADDRESSES_...");
	return HERALD_OK;
}

/* If only one of a pointer and its count is set, the list would silently be empty. */
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
		{"signers", "HERALD_SIGNERS", options->signers, options->signers_count},
		{"producers", "HERALD_PRODUCERS", options->producers, options->producers_count},
		{"networks", "HERALD_NETWORKS", options->networks, options->networks_count},
		{"denied_networks", "HERALD_DENIED_NETWORKS", options->denied_networks,
		 options->denied_networks_count},
		{"ports", "HERALD_PORTS", options->ports, options->ports_count},
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		enum herald_status status = herald_option_array_check(
			lists[i].option, lists[i].macro, lists[i].list, lists[i].count, error);

		if (status != HERALD_OK)
			return status;
	}
	return HERALD_OK;
}

/* The sender of an event chooses the URLs and must not be sent secrets for other receivers. */
static enum herald_status
check_headers(const struct herald_deliverer_options *options, struct herald_error *error)
{
	for (size_t i = 0; i < options->headers_count; i++) {
		const char *header = options->headers[i];
		const char *problem = herald__header_problem(header);

		if (problem)
			return herald__option_error(error, HERALD_BAD_OPTION,
						    HERALD__OPTION_ELEMENT("headers", i), "%s",
						    problem);
		if (herald__header_is_secret(header))
			return herald__option_error(
				error, HERALD_BAD_OPTION, HERALD__OPTION_ELEMENT("headers", i),
				"must not be %.*s: it would be sent to any URL that a "
				"sender names; use destinations, for one origin each",
				(int)strcspn(header, ":"), header);
	}
	return HERALD_OK;
}

/* Origins are checked when they are read. */
static enum herald_status
check_destinations(const struct herald_deliverer_options *options, struct herald_error *error)
{
	for (size_t i = 0; i < options->destinations_count; i++) {
		const struct herald_destination *destination = &options->destinations[i];
		const struct herald__option headers = {"destinations", i, "headers"};
		enum herald_status status =
			herald__option_array_check(headers, "HERALD_HEADERS", destination->headers,
						   destination->headers_count, error);
		char option[64];

		if (status != HERALD_OK)
			return status;
		snprintf(option, sizeof(option), "destinations[%zu].headers", i);
		if (destination->headers_count == 0 && !destination->signer)
			return herald__option_error(error, HERALD_BAD_OPTION,
						    HERALD__OPTION(option),
						    "must not be empty without a signer; "
						    "HERALD_HEADERS(array) sets it");
		if (destination->headers_count > HERALD__MAX_HEADERS)
			return herald__option_error(
				error, HERALD_BAD_OPTION, HERALD__OPTION(option),
				"must have at most %d elements, not %zu", HERALD__MAX_HEADERS,
				destination->headers_count);
		for (size_t j = 0; j < destination->headers_count; j++) {
			const char *problem = herald__header_problem(destination->headers[j]);

			if (problem)
				return herald__option_error(error, HERALD_BAD_OPTION,
							    HERALD__OPTION_ELEMENT(option, j), "%s",
							    problem);
		}
	}
	return HERALD_OK;
}

/* Names are stored with deliveries, and compared. */
static const char *
signer_problem(const struct herald_deliverer_options *options, size_t index)
{
	const struct herald_named_signer *signer = &options->signers[index];
	const char *name = signer->name ? signer->name : "";
	size_t bytes = 0;

	while (name[bytes] > ' ' && name[bytes] <= '~' && name[bytes] != '%')
		bytes++;
	if (bytes == 0 || name[bytes] != '\0' || bytes >= HERALD__SIGNER_BYTES)
		return "must have a name of 1 to 63 visible ASCII characters, but not %";
	return signer->signer ? NULL : "has no signer";
}

static enum herald_status
check_signers(const struct herald_deliverer_options *options, struct herald_error *error)
{
	for (size_t i = 0; i < options->signers_count; i++) {
		const char *problem = signer_problem(options, i);

		if (problem)
			return herald__option_error(error, HERALD_BAD_OPTION,
						    HERALD__OPTION_ELEMENT("signers", i), "%s",
						    problem);
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
			return herald__option_error(
				error, HERALD_BAD_OPTION, HERALD__OPTION_ELEMENT(option, i),
				"must be like 10.0.0.0/8 or fd00::/8, with no bits set "
				"after the prefix, not \"%s\"",
				networks[i] ? networks[i] : "NULL");
	return HERALD_OK;
}

static enum herald_status
check_ports(const struct herald_deliverer_options *options, struct herald_error *error)
{
	for (size_t i = 0; i < options->ports_count; i++) {
		const struct herald_port_range *range = &options->ports[i];

		if (range->first == 0 || (range->last != 0 && range->last < range->first))
			return herald__option_error(
				error, HERALD_BAD_OPTION, HERALD__OPTION_ELEMENT("ports", i),
				"must be {first, last} with first at least 1 and last 0 or at "
				"least first, not {%u, %u}",
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
		status = check_signers(options, error);
	if (status == HERALD_OK)
		status = herald__named_producers_check(options->producers, options->producers_count,
						       error);
	if (status == HERALD_OK)
		status = check_networks("networks", options->networks, options->networks_count,
					error);
	if (status == HERALD_OK)
		status = check_networks("denied_networks", options->denied_networks,
					options->denied_networks_count, error);
	return status == HERALD_OK ? check_ports(options, error) : status;
}

static enum herald_status
check(const struct herald_deliverer_options *options, struct herald_error *error)
{
	enum herald_status status = herald_allocator_check(&options->allocator, error);

	if (status == HERALD_OK)
		status = check_numbers(options, error);
	if (status == HERALD_OK)
		status = check_choices(options, error);
	if (status == HERALD_OK)
		status = check_counts(options, error);
	if (status == HERALD_OK)
		status = check_lists(options, error);
	if (status == HERALD_OK && options->spans.start && !options->spans.end)
		status = herald__option_error(error, HERALD_BAD_OPTION, HERALD__OPTION("spans"),
					      "has a `start`, but no `end`");
	if (status == HERALD_OK && !options->transport && options->producers_count == 0)
		status = herald__option_error(error, HERALD_BAD_OPTION, HERALD__OPTION("transport"),
					      "is NULL; herald_curl_transport_create() makes one");
	return status;
}

enum herald_status
herald__deliverer_options_resolve(const struct herald_deliverer_options *given,
				  struct herald_deliverer_options *out, struct herald_error *error)
{
	enum herald_status status =
		herald_options_read(given, out, sizeof(*out), "HERALD_DELIVERER_OPTIONS", error);

	if (status != HERALD_OK)
		return status;
	fill_in_defaults(out);
	return check(out, error);
}

/* The networks must be valid, and not too many. */
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
			return herald__option_error(
				error, HERALD_BAD_OPTION, HERALD__OPTION_ELEMENT("networks", i),
				"allows nothing: addresses in \"%s\" are judged by "
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
