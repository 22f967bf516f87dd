/*
 * The options of a deliverer. Nothing is opened here, and what they mean is their users' business.
 */
#include "options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "request.h"

#define MAX_ATTEMPTS 1000
#define MAX_FACTOR 1000.0
#define MAX_HEADERS 64
#define MAX_HEADER_BYTES 4096
#define MAX_URL_BYTES 65536
#define MAX_ANSWER_HEADER_BYTES 262144 /* libcurl itself takes little more */
#define MAX_ANSWER_BYTES ((size_t)1 << 30)
#define ANSWER_HEADER_BYTES ((size_t)64 * 1024)
#define ANSWER_BODY_BYTES ((size_t)64 * 1024)
#define ANSWER_FRAMING_BYTES ((size_t)128 * 1024)
#define MAX_PENDING ((size_t)100000000)
#define MAX_SLOTS 65536

/* The path is the option, with the index in its list, or SIZE_MAX. */
HERALD_PRINTF(4, 5)
static enum herald_status
bad_option(struct herald_error *error, const char *option, size_t index, const char *format, ...)
{
	char message[sizeof(error->message)];
	va_list arguments;

	if (!error)
		return HERALD_BAD_OPTION;
	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET, "%s %s", option, message);
	if (index == SIZE_MAX)
		snprintf(error->path, sizeof(error->path), "%s", option);
	else
		snprintf(error->path, sizeof(error->path), "%s[%zu]", option, index);
	return HERALD_BAD_OPTION;
}

static void
fill_in_defaults(struct herald_deliverer_options *options)
{
	const struct {
		uint32_t *option;
		uint32_t value;
	} defaults[] = {
		{&options->attempts, 3},
		{&options->first_delay_ms, 2000},
		{&options->max_delay_ms, 60000},
		{&options->max_retry_after_ms, 120000},
		{&options->attempt_timeout_ms, 10000},
		{&options->deadline_ms, 300000},
		{&options->slots, 512},
		{&options->slots_per_host, 16},
	};

	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		if (*defaults[i].option == 0)
			*defaults[i].option = defaults[i].value;
	if (options->factor == 0)
		options->factor = 2;
	if (options->max_url_bytes == 0)
		options->max_url_bytes = 2048;
	if (options->max_pending == 0)
		options->max_pending = 10000;
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
		{"headers_count", options->headers_count, MAX_HEADERS},
		{"max_url_bytes", options->max_url_bytes, MAX_URL_BYTES},
		{"max_pending", options->max_pending, MAX_PENDING},
		{"max_answer_header_bytes", options->max_answer_header_bytes,
		 MAX_ANSWER_HEADER_BYTES},
		{"max_answer_body_bytes", options->max_answer_body_bytes, MAX_ANSWER_BYTES},
		{"max_answer_bytes", options->max_answer_bytes, MAX_ANSWER_BYTES},
		{"slots", options->slots, MAX_SLOTS},
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (limits[i].value > limits[i].most)
			return bad_option(error, limits[i].option, SIZE_MAX,
					  "must be at most %zu, not %zu", limits[i].most,
					  limits[i].value);
	if (!(options->factor >= 1 && options->factor <= MAX_FACTOR))
		return bad_option(error, "factor", SIZE_MAX, "must be 1 to %g, not %g", MAX_FACTOR,
				  options->factor);
	if ((unsigned)options->backoff > HERALD_BACKOFF_FIXED)
		return bad_option(error, "backoff", SIZE_MAX, "must be one of HERALD_BACKOFF_...");
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
		const char *const *list;
		size_t count;
	} lists[] = {
		{"headers", "HERALD_HEADERS", options->headers, options->headers_count},
		{"networks", "HERALD_NETWORKS", options->networks, options->networks_count},
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (!lists[i].list != (lists[i].count == 0))
			return bad_option(error, lists[i].option, SIZE_MAX,
					  "is %s, but %s_count is %zu; %s(array) sets both",
					  lists[i].list ? "set" : "NULL", lists[i].option,
					  lists[i].count, lists[i].macro);
	return HERALD_OK;
}

static enum herald_status
check_lists(const struct herald_deliverer_options *options, struct herald_error *error)
{
	struct herald__network network;

	for (size_t i = 0; i < options->headers_count; i++) {
		const char *header = options->headers[i];

		if (!header || strlen(header) > MAX_HEADER_BYTES ||
		    !herald__request_header_is_allowed(header))
			return bad_option(
				error, "headers", i,
				"must be \"Name: value\" on one line of at most %d bytes, "
				"and not a header that Herald sets",
				MAX_HEADER_BYTES);
	}
	for (size_t i = 0; i < options->networks_count; i++) {
		const char *text = options->networks[i];

		if (!text || !herald__network_parse(text, &network))
			return bad_option(error, "networks", i,
					  "must be like 10.0.0.0/8 or fd00::/8, with no bits set "
					  "behind the prefix, not \"%.64s\"",
					  text ? text : "NULL");
	}
	return HERALD_OK;
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
		status = check_counts(&options, error);
	if (status == HERALD_OK)
		status = check_lists(&options, error);
	if (status == HERALD_OK)
		*out = options;
	return status;
}

enum herald_status
herald__deliverer_options_rules(const struct herald_deliverer_options *options,
				struct herald_arena *arena, struct herald__address_rules *out)
{
	size_t count = options->networks_count;
	struct herald__network *networks = NULL;

	if (count > SIZE_MAX / sizeof(*networks))
		return HERALD_NO_MEMORY;
	if (count > 0) {
		networks = herald_arena_alloc(arena, count * sizeof(*networks));
		if (!networks)
			return HERALD_NO_MEMORY;
	}
	for (size_t i = 0; i < count; i++)
		if (!herald__network_parse(options->networks[i], &networks[i]))
			return HERALD_BAD_OPTION;
	*out = (struct herald__address_rules){options->addresses, networks, count};
	return HERALD_OK;
}
