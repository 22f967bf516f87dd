/*
 * The HTTP endpoint: its options, and which content it takes. Requests and their answers are
 * http_request.c's; sockets are the adapters'.
 */
#include "http.h"

#include <string.h>
#include <time.h>

#include <herald/adapter/text.h>

#include "memory.h"
#include "options.h"
#include "service.h"
#include "json/text.h"

#define DEFAULT_RETRY_MS 1000
#define DEFAULT_IDLE_REQUESTS 64

/* Media types. */

/* "type/subtype" within a header's value, without white space and parameters. */
struct media_type {
	const char *data; /* NULL: it is none */
	size_t bytes;
	size_t slash;
};

static bool
is_token(const char *data, size_t bytes)
{
	return bytes > 0 && herald__http_token_bytes(data) >= bytes;
}

static struct media_type
parse_media_type(const char *value)
{
	struct media_type type = {.data = value + strspn(value, " \t")};

	type.bytes = strcspn(type.data, ";");
	while (type.bytes > 0 && strchr(" \t", type.data[type.bytes - 1]))
		type.bytes--;
	type.slash = strcspn(type.data, "/;");
	if (type.slash >= type.bytes || !is_token(type.data, type.slash) ||
	    !is_token(type.data + type.slash + 1, type.bytes - type.slash - 1))
		return (struct media_type){0};
	return type;
}

static bool
is_same(const struct media_type *type, const char *name)
{
	return strlen(name) == type->bytes &&
	       herald_ascii_same_bytes(type->data, name, type->bytes);
}

static bool
is_json(const struct media_type *type)
{
	static const char suffix[] = "+json";
	size_t suffix_bytes = sizeof(suffix) - 1;

	if (is_same(type, "application/json"))
		return true;
	/* A subtype that is nothing but the suffix is none. */
	return type->bytes - type->slash - 1 > suffix_bytes &&
	       herald_ascii_same_bytes(type->data + type->bytes - suffix_bytes, suffix,
				       suffix_bytes);
}

bool
herald__http_accepts(const struct herald_http *http, const char *content_type)
{
	if (!content_type)
		return false;
	/* As most clients write it; reading it by the grammar takes some calls of the C library. */
	if (!http->media_types && strcmp(content_type, "application/json") == 0)
		return true;

	struct media_type type = parse_media_type(content_type);
	if (!type.data)
		return false;
	if (!http->media_types)
		return is_json(&type);
	for (size_t i = 0; i < http->media_types_count; i++)
		if (is_same(&type, http->media_types[i]))
			return true;
	return false;
}

/* Handlers' attributes. */

/* One that no header can have as its name would never be there, and nothing would say so. */
static enum herald_status
check_attributes(const struct herald_service *service, struct herald_error *error)
{
	for (size_t i = 0; i < service->attributes_count; i++) {
		const char *name = service->attributes[i];
		struct herald__shown shown;

		if (is_token(name, strlen(name)))
			continue;
		herald__show_string(&shown, name, strlen(name));
		return herald__option_error(
			error, HERALD_BAD_OPTION,
			(struct herald__option){"attributes", HERALD__NO_INDEX, NULL},
			"a handler reads %s, which no HTTP header can have as its name",
			shown.text);
	}
	return HERALD_OK;
}

/* The endpoint. */

static enum herald_status
check_media_types(const char *const *media_types, size_t *count, struct herald_error *error)
{
	for (*count = 0; media_types[*count]; ++*count) {
		const char *text = media_types[*count];

		if (!parse_media_type(text).data || strchr(text, '*'))
			return herald__option_error(
				error, HERALD_BAD_OPTION,
				(struct herald__option){"media_types", *count, NULL},
				"expected a media type such as \"application/json\", found \"%s\"",
				text);
	}
	if (*count > 0)
		return HERALD_OK;
	return herald__option_error(error, HERALD_BAD_OPTION,
				    (struct herald__option){"media_types", HERALD__NO_INDEX, NULL},
				    "an empty list accepts nothing; NULL accepts JSON");
}

static enum herald_status
copy_media_types(struct herald_http *http, const char *const *media_types,
		 struct herald_error *error)
{
	size_t count;
	enum herald_status status = check_media_types(media_types, &count, error);

	if (status != HERALD_OK)
		return status;
	if (herald_arena_create(&http->allocator, SIZE_MAX, &http->arena) != HERALD_OK)
		return herald__out_of_memory(error);
	http->media_types = herald__arena_array(http->arena, count, sizeof(*http->media_types));
	if (!http->media_types)
		return herald__out_of_memory(error);
	for (size_t i = 0; i < count; i++) {
		struct media_type type = parse_media_type(media_types[i]);

		http->media_types[i] = herald_arena_copy(http->arena, type.data, type.bytes);
		if (!http->media_types[i])
			return herald__out_of_memory(error);
	}
	http->media_types_count = count;
	return HERALD_OK;
}

static enum herald_status
fill_http(struct herald_http *http, const struct herald_http_options *options,
	  struct herald_error *error)
{
	http->max_body_bytes = options->max_body_bytes
				       ? options->max_body_bytes
				       : herald_service_max_event_bytes(http->service);
	http->retry_after_ms = options->retry_after_ms ? options->retry_after_ms : DEFAULT_RETRY_MS;
	http->hide_errors = options->hide_errors;
	http->max_idle_requests =
		options->max_idle_requests ? options->max_idle_requests : DEFAULT_IDLE_REQUESTS;
	return options->media_types ? copy_media_types(http, options->media_types, error)
				    : HERALD_OK;
}

static enum herald_status
init_lock(struct herald_http *http, struct herald_error *error)
{
	pthread_condattr_t monotonic;

	if (pthread_condattr_init(&monotonic) != 0)
		return herald__out_of_memory(error);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	int failed = pthread_cond_init(&http->drained, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (failed)
		return herald__out_of_memory(error);
	if (pthread_mutex_init(&http->mutex, NULL) == 0)
		return HERALD_OK;
	pthread_cond_destroy(&http->drained);
	return herald__out_of_memory(error);
}

static void
free_http(struct herald_http *http)
{
	const struct herald_allocator allocator = http->allocator;

	herald_arena_destroy(http->arena);
	herald__release(&allocator, http, sizeof(*http));
}

enum herald_status
herald_http_create(struct herald_service *service, const struct herald_http_options *options,
		   struct herald_http **out, struct herald_error *error)
{
	struct herald_http_options read;
	enum herald_status status =
		herald__options_read(options, &read, sizeof(read), "HERALD_HTTP_OPTIONS", error);

	if (status == HERALD_OK)
		status = check_attributes(service, error);
	if (status != HERALD_OK)
		return status;

	struct herald_http *http = herald__allocate_zeroed(&service->allocator, 1, sizeof(*http));
	if (!http)
		return herald__out_of_memory(error);
	http->service = service;
	http->allocator = service->allocator;
	status = fill_http(http, &read, error);
	if (status == HERALD_OK)
		status = init_lock(http, error);
	if (status != HERALD_OK) {
		free_http(http);
		return status;
	}
	*out = http;
	return HERALD_OK;
}

size_t
herald_http_max_body_bytes(const struct herald_http *http)
{
	return http->max_body_bytes;
}

size_t
herald_http_stop(struct herald_http *http, uint32_t drain_ms)
{
	struct timespec deadline;
	int failed = 0;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += drain_ms / 1000;
	deadline.tv_nsec += (long)(drain_ms % 1000) * 1000000;
	if (deadline.tv_nsec >= 1000000000) {
		deadline.tv_sec++;
		deadline.tv_nsec -= 1000000000;
	}
	atomic_store(&http->stopping, true);
	pthread_mutex_lock(&http->mutex);
	while (http->in_flight_count > 0 && failed == 0)
		failed = pthread_cond_timedwait(&http->drained, &http->mutex, &deadline);
	size_t left = http->in_flight_count;
	pthread_mutex_unlock(&http->mutex);
	return left;
}

void
herald_http_destroy(struct herald_http *http)
{
	if (!http)
		return;
	while (http->idle) {
		struct herald_http_request *request = http->idle;

		http->idle = request->next_idle;
		herald__http_request_free(request);
	}
	pthread_mutex_destroy(&http->mutex);
	pthread_cond_destroy(&http->drained);
	free_http(http);
}
