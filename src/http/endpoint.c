/*
 * The HTTP endpoint: its options, and the media types that it accepts. Content codings are in
 * coding.c, requests in request.c and responses in response.c; sockets belong to the adapters.
 */
#include "http/endpoint.h"

#include <string.h>

#include <herald/adapter/format.h>
#include <herald/adapter/http.h>
#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

#include "base/media_type.h"
#include "base/options.h"
#include "base/safe_text.h"
#include "http/coding.h"
#include "http/handshake.h"
#include "http/request_attributes.h"
#include "http/response.h"
#include "service/format.h"
#include "service/service.h"

#define DEFAULT_RETRY_MS 1000
#define DEFAULT_HEADERS_BYTES ((size_t)64 << 10)
#define MAX_HEADERS_BYTES ((size_t)16 << 20)
#define DEFAULT_IDLE_REQUESTS 64
#define DEFAULT_BATCH_EVENTS 1000
#define MAX_BATCH_EVENTS 100000
#define DEFAULT_NDJSON_MEDIA_TYPE "application/json"

/* Media types. */

/* Whether a media type is in a list, which is NULL for JSON. */
static bool
is_listed(const char *const *media_types, const char *content_type)
{
	/* A fast path for the usual form: parsing needs some calls of the C library. */
	if (!media_types && content_type && strcmp(content_type, "application/json") == 0)
		return true;

	const struct herald__media_type type = herald__media_type_of(content_type);
	return herald__media_type_is_listed(&type, media_types);
}

bool
herald__endpoint_accepts(const struct herald_endpoint *endpoint, const char *content_type)
{
	return is_listed(endpoint->media_types, content_type);
}

bool
herald__endpoint_accepts_format(const struct herald_endpoint *endpoint,
				const struct herald_format *format, const char *content_type)
{
	if (endpoint->media_types)
		return is_listed(endpoint->media_types, content_type);
	return format && (format->ops->matches || is_listed(format->media_types, content_type));
}

bool
herald__endpoint_takes_lines(const struct herald_endpoint *endpoint, const char *content_type)
{
	static const char *const names[] = {HERALD__NDJSON, "application/ndjson",
					    "application/jsonl", NULL};

	return endpoint->takes_ndjson && is_listed(names, content_type);
}

/* Attributes. */

/* Whether a header, or an argument of a query, can have this name. */
static bool
is_attribute_name(const char *name)
{
	if (*name == HERALD__ARGUMENT_MARK)
		return name[1] != '\0' && strlen(name) <= HERALD__MAX_ARGUMENT_BYTES;
	return *name != '\0' && name[herald_http_token_bytes(name)] == '\0';
}

/* Refuse names that nothing can have: such an attribute would always be missing, without any
 * error. */
static enum herald_status
check_attributes(const struct herald_service *service, struct herald_error *error)
{
	for (size_t i = 0; i < service->attributes.count; i++) {
		const char *name = service->attributes.all[i].text;
		struct herald__shown shown;

		if (is_attribute_name(name))
			continue;
		herald__show_string(&shown, name, strlen(name));
		return herald_option_refuse(
			error, "attributes",
			"attribute %s of the service is not a valid HTTP header name, nor an "
			"argument of a query such as \"?access_token\"",
			shown.text);
	}
	return HERALD_OK;
}

/* The endpoint. */

bool
herald__endpoint_is_durable(const struct herald_endpoint *endpoint)
{
	return endpoint->service->inbox;
}

static enum herald_status
check_media_types(const char *const *media_types, size_t *count, struct herald_error *error)
{
	for (*count = 0; media_types[*count]; ++*count) {
		const char *text = media_types[*count];

		if (!herald__media_type_of(text).data || strchr(text, '*'))
			return herald__option_error(
				error, HERALD_BAD_OPTION,
				(struct herald__option){"media_types", *count, NULL},
				"expected a media type such as \"application/json\", found \"%s\"",
				text);
	}
	if (*count > 0)
		return HERALD_OK;
	return herald_option_refuse(error, "media_types",
				    "the list is empty; NULL accepts what the formats take");
}

static enum herald_status
copy_media_types(struct herald_endpoint *endpoint, const char *const *media_types,
		 struct herald_error *error)
{
	size_t count;
	enum herald_status status = check_media_types(media_types, &count, error);

	if (status != HERALD_OK)
		return status;
	const char **copies = herald__arena_array(endpoint->arena, count + 1, sizeof(*copies));
	if (!copies)
		return herald_out_of_memory(error);
	for (size_t i = 0; i < count; i++) {
		struct herald__media_type type = herald__media_type_of(media_types[i]);

		copies[i] = herald_arena_copy(endpoint->arena, type.data, type.bytes);
		if (!copies[i])
			return herald_out_of_memory(error);
	}
	endpoint->media_types = copies;
	return HERALD_OK;
}

/* Refuse batches that the service's store could never take: when the endpoint is created, or when
 * they come. */
static enum herald_status
set_batches(struct herald_endpoint *endpoint, size_t events, struct herald_error *error)
{
	const struct herald__inbox *inbox = endpoint->service->inbox;
	size_t most = inbox ? inbox->max_waiting : MAX_BATCH_EVENTS;

	if (events > MAX_BATCH_EVENTS)
		return herald_option_refuse(error, "max_batch_events",
					    "must be at most %d, not %zu", MAX_BATCH_EVENTS,
					    events);
	if (events > most)
		return herald_option_refuse(error, "max_batch_events",
					    "must be at most max_waiting of the service's store, "
					    "%zu, not %zu",
					    most, events);
	if (events == 0)
		events = DEFAULT_BATCH_EVENTS < most ? DEFAULT_BATCH_EVENTS : most;
	endpoint->max_batch_events = events;
	return HERALD_OK;
}

static enum herald_status
set_answers(struct herald_endpoint *endpoint, const struct herald_endpoint_options *options,
	    struct herald_error *error)
{
	size_t events = options->max_batch_events;

	if ((unsigned)options->answers > HERALD_ANSWERS_DAPR)
		return herald_option_refuse(error, "answers", "not a valid kind of answers: %d",
					    (int)options->answers);
	if (!options->takes_batches && options->multi_status)
		return herald_option_refuse(error, "multi_status",
					    "has no effect without takes_batches");
	bool takes_many = options->takes_batches || options->takes_ndjson;
	if (!takes_many && events > 0)
		return herald_option_refuse(error, "max_batch_events",
					    "has no effect without takes_batches or takes_ndjson");
	endpoint->answers = options->answers;
	endpoint->multi_status = options->multi_status;
	endpoint->takes_batches = options->takes_batches;
	endpoint->takes_ndjson = options->takes_ndjson;
	return takes_many ? set_batches(endpoint, events, error) : HERALD_OK;
}

static enum herald_status
copy_ndjson_media_type(struct herald_endpoint *endpoint, const char *media_type,
		       struct herald_error *error)
{
	endpoint->ndjson_media_type = DEFAULT_NDJSON_MEDIA_TYPE;
	if (!media_type)
		return HERALD_OK;
	if (!endpoint->takes_ndjson)
		return herald_option_refuse(error, "ndjson_media_type",
					    "has no effect without takes_ndjson");
	if (!herald__media_type_of(media_type).data)
		return herald_option_refuse(error, "ndjson_media_type",
					    "expected a media type such as \"application/json\", "
					    "found \"%s\"",
					    media_type);
	return herald__arena_string(endpoint->arena, media_type, &endpoint->ndjson_media_type)
		       ? HERALD_OK
		       : herald_out_of_memory(error);
}

/* The herald_arrival.attribute callback of lines whose request has every header that lines get. */
static const char *
attribute_of_any(const char *name, void *service)
{
	return herald__format_is_of_one_event(service, name) ? NULL : "";
}

/* Refuse a media type of lines that no format takes, whatever else a request has, and one that
 * makes each line a batch: no event could ever come. */
static enum herald_status
check_line_format(const struct herald_endpoint *endpoint, struct herald_error *error)
{
	const struct herald_arrival bare =
		HERALD_ARRIVAL(.content_type = endpoint->ndjson_media_type);
	const struct herald_arrival full =
		HERALD_ARRIVAL(.content_type = endpoint->ndjson_media_type,
			       .attribute = attribute_of_any, .state = endpoint->service);
	const struct herald_format *format;

	if (!endpoint->takes_ndjson || !endpoint->service->selects_format)
		return HERALD_OK;
	format = herald__format_find(endpoint->service, &bare);
	if (!format && !herald__format_find(endpoint->service, &full))
		return herald_option_refuse(error, "ndjson_media_type",
					    "no format of the service takes lines of %s",
					    endpoint->ndjson_media_type);
	if (format && format->ops->is_batch && format->ops->is_batch(format, &bare))
		return herald_option_refuse(
			error, "ndjson_media_type",
			"the format %s takes %s for a batch, which cannot be in a line",
			herald__format_name(format), endpoint->ndjson_media_type);
	return HERALD_OK;
}

/* Whether there is anything that is copied to the arena. */
static bool
needs_arena(const struct herald_endpoint_options *options)
{
	return options->media_types || options->content_codings || options->allowed_origins ||
	       options->ndjson_media_type;
}

static enum herald_status
fill_endpoint(struct herald_endpoint *endpoint, const struct herald_endpoint_options *options,
	      struct herald_error *error)
{
	endpoint->max_body_bytes = options->max_body_bytes
					   ? options->max_body_bytes
					   : herald_service_max_event_bytes(endpoint->service);
	if (options->max_headers_bytes > MAX_HEADERS_BYTES)
		return herald_option_refuse(error, "max_headers_bytes",
					    "must be at most %zu, not %zu", MAX_HEADERS_BYTES,
					    options->max_headers_bytes);
	endpoint->max_headers_bytes =
		options->max_headers_bytes ? options->max_headers_bytes : DEFAULT_HEADERS_BYTES;
	endpoint->retry_after_ms =
		options->retry_after_ms ? options->retry_after_ms : DEFAULT_RETRY_MS;
	endpoint->hide_errors = options->hide_errors;
	if (!endpoint->service->selects_format)
		endpoint->media_types = endpoint->service->formats[0]->media_types;
	endpoint->requests = (struct herald__request_pool){
		.allocator = endpoint->service->allocator,
		.max_body_bytes = endpoint->max_body_bytes,
		.max_idle = options->max_idle_requests ? options->max_idle_requests
						       : DEFAULT_IDLE_REQUESTS,
	};
	enum herald_status status = set_answers(endpoint, options, error);
	if (status != HERALD_OK)
		return status;
	if (needs_arena(options) && herald_arena_create(&endpoint->service->allocator, SIZE_MAX,
							&endpoint->arena) != HERALD_OK)
		return herald_out_of_memory(error);
	if (options->media_types)
		status = copy_media_types(endpoint, options->media_types, error);
	if (status == HERALD_OK)
		status = copy_ndjson_media_type(endpoint, options->ndjson_media_type, error);
	if (status == HERALD_OK)
		status = check_line_format(endpoint, error);
	if (status == HERALD_OK)
		status = herald__codings_copy(endpoint, options->content_codings, error);
	if (status == HERALD_OK)
		status = herald__handshake_init(endpoint, options, error);
	return status;
}

static void
free_endpoint(struct herald_endpoint *endpoint)
{
	herald_arena_destroy(endpoint->arena);
	herald_memory_release(&endpoint->service->allocator, endpoint, sizeof(*endpoint));
}

enum herald_status
herald_endpoint_create(struct herald_service *service,
		       const struct herald_endpoint_options *options, struct herald_endpoint **out,
		       struct herald_error *error)
{
	struct herald_endpoint_options read;
	enum herald_status status =
		herald_options_read(options, &read, sizeof(read), "HERALD_ENDPOINT_OPTIONS", error);

	if (status == HERALD_OK)
		status = check_attributes(service, error);
	if (status != HERALD_OK)
		return status;

	struct herald_endpoint *endpoint =
		herald_memory_allocate_zeroed(&service->allocator, 1, sizeof(*endpoint));
	if (!endpoint)
		return herald_out_of_memory(error);
	endpoint->service = service;
	status = fill_endpoint(endpoint, &read, error);
	if (status == HERALD_OK && !herald__request_pool_init(&endpoint->requests))
		status = herald_out_of_memory(error);
	if (status != HERALD_OK) {
		free_endpoint(endpoint);
		return status;
	}
	*out = endpoint;
	return HERALD_OK;
}

size_t
herald_endpoint_max_body_bytes(const struct herald_endpoint *endpoint)
{
	return endpoint->max_body_bytes;
}

size_t
herald_endpoint_stop(struct herald_endpoint *endpoint, uint32_t drain_ms)
{
	if (!endpoint)
		return 0;
	atomic_store(&endpoint->stopping, true);
	return herald__request_pool_drain(&endpoint->requests, drain_ms);
}

void
herald_endpoint_destroy(struct herald_endpoint *endpoint)
{
	if (!endpoint)
		return;
	herald__request_pool_finish(&endpoint->requests);
	free_endpoint(endpoint);
}
