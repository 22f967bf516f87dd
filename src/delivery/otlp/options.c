/*
 * The options of an exporter: defaults, limits, and copies.
 */
#include "delivery/otlp/options.h"

#include <string.h>

#include <herald/adapter/options.h>

#include "base/options.h"
#include "base/utf8.h"
#include "delivery/headers.h"
#include "delivery/otlp/message.h"

#define MAX_BATCH_SPANS 65536
#define MAX_BATCH_BYTES ((size_t)64 << 20)

static void
fill_in_defaults(struct herald_otlp_options *options)
{
	if (!options->service_name)
		options->service_name = "unknown_service";
	if (options->max_batch_spans == 0)
		options->max_batch_spans = 512;
	if (options->max_batch_bytes == 0)
		options->max_batch_bytes = (size_t)1 << 20;
	if (options->max_queued_spans == 0)
		options->max_queued_spans = 4 * options->max_batch_spans;
	if (options->interval_ms == 0)
		options->interval_ms = 5000;
	if (options->attempt_timeout_ms == 0)
		options->attempt_timeout_ms = 10000;
	if (options->deadline_ms == 0)
		options->deadline_ms = 60000;
	if (options->first_delay_ms == 0)
		options->first_delay_ms = 1000;
}

static enum herald_status
check_numbers(const struct herald_otlp_options *options, struct herald_error *error)
{
	const struct herald_option_range ranges[] = {
		{"max_batch_spans", options->max_batch_spans, 0, MAX_BATCH_SPANS},
		{"max_batch_bytes", options->max_batch_bytes, 0, MAX_BATCH_BYTES},
		{"headers_count", options->headers_count, 0, HERALD__MAX_HEADERS},
		{"resource_count", options->resource_count, 0, HERALD__OTLP_MAX_RESOURCE},
	};
	enum herald_status status = herald_option_ranges_check(ranges, HERALD_COUNT(ranges), error);

	if (status != HERALD_OK)
		return status;
	if (options->max_queued_spans / 2 < options->max_batch_spans)
		return herald__option_error(error, HERALD_BAD_OPTION,
					    HERALD__OPTION("max_queued_spans"),
					    "must be at least twice max_batch_spans, %zu, not %zu",
					    options->max_batch_spans, options->max_queued_spans);
	if (options->first_delay_ms > options->deadline_ms)
		return herald__option_error(error, HERALD_BAD_OPTION,
					    HERALD__OPTION("first_delay_ms"),
					    "is above deadline_ms: there would be no retry");
	return HERALD_OK;
}

static enum herald_status
check_headers(const struct herald_otlp_options *options, struct herald_error *error)
{
	enum herald_status status = herald_option_array_check(
		"headers", "HERALD_HEADERS", options->headers, options->headers_count, error);

	for (size_t i = 0; status == HERALD_OK && i < options->headers_count; i++) {
		const char *problem = herald__header_problem(options->headers[i]);

		if (problem)
			status = herald__option_error(error, HERALD_BAD_OPTION,
						      HERALD__OPTION_ELEMENT("headers", i), "%s",
						      problem);
	}
	return status;
}

static bool
is_utf8(const char *text)
{
	return herald__is_utf8(text, strlen(text));
}

static enum herald_status
check_resource(const struct herald_otlp_options *options, struct herald_error *error)
{
	enum herald_status status =
		herald_option_array_check("resource", "HERALD_OTLP_RESOURCE", options->resource,
					  options->resource_count, error);

	if (status != HERALD_OK)
		return status;
	if (!is_utf8(options->service_name))
		return herald__option_error(error, HERALD_BAD_OPTION,
					    HERALD__OPTION("service_name"), "is not UTF-8");
	for (size_t i = 0; i < options->resource_count; i++) {
		const struct herald_span_attribute *attribute = &options->resource[i];

		if (!attribute->key || *attribute->key == '\0' || !is_utf8(attribute->key) ||
		    (attribute->text && !is_utf8(attribute->text)))
			return herald__option_error(error, HERALD_BAD_OPTION,
						    HERALD__OPTION_ELEMENT("resource", i),
						    "must have a key, and be UTF-8");
	}
	return HERALD_OK;
}

enum herald_status
herald__otlp_options_resolve(const struct herald_otlp_options *given,
			     struct herald_otlp_options *out, struct herald_error *error)
{
	enum herald_status status =
		herald_options_read(given, out, sizeof(*out), "HERALD_OTLP_OPTIONS", error);

	if (status == HERALD_OK)
		status = herald_allocator_check(&out->allocator, error);
	if (status != HERALD_OK)
		return status;
	fill_in_defaults(out);
	if (!out->transport)
		return herald__option_error(error, HERALD_BAD_OPTION, HERALD__OPTION("transport"),
					    "is NULL; herald_curl_transport_create() makes one");
	if (!out->url)
		return herald__option_error(error, HERALD_BAD_OPTION, HERALD__OPTION("url"),
					    "is NULL");
	status = check_numbers(out, error);
	if (status == HERALD_OK)
		status = check_headers(out, error);
	return status == HERALD_OK ? check_resource(out, error) : status;
}

static bool
copy_headers(struct herald_otlp_options *options, struct herald_arena *arena)
{
	const char **copies = herald__arena_array(arena, options->headers_count, sizeof(*copies));

	if (!copies)
		return false;
	for (size_t i = 0; i < options->headers_count; i++)
		if (!herald__arena_string(arena, options->headers[i], &copies[i]))
			return false;
	options->headers = options->headers_count > 0 ? copies : NULL;
	return true;
}

static bool
copy_resource(struct herald_otlp_options *options, struct herald_arena *arena)
{
	struct herald_span_attribute *copies =
		herald__arena_array(arena, options->resource_count, sizeof(*copies));

	if (!copies)
		return false;
	for (size_t i = 0; i < options->resource_count; i++) {
		copies[i] = options->resource[i];
		if (!herald__arena_string(arena, copies[i].key, &copies[i].key) ||
		    !herald__arena_string(arena, copies[i].text, &copies[i].text))
			return false;
	}
	options->resource = copies;
	return true;
}

bool
herald__otlp_options_copy(struct herald_otlp_options *options, struct herald_arena *arena)
{
	return herald__arena_string(arena, options->url, &options->url) &&
	       herald__arena_string(arena, options->service_name, &options->service_name) &&
	       copy_headers(options, arena) && copy_resource(options, arena);
}
