/*
 * The service: checks and copies its options, and destroys all of it. Events are handled in
 * pipeline.c, routes in route_build.c, handlers in handlers.c, codecs in codecs.c, names of
 * attributes in attribute_names.c.
 */
#include "service/service.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/log.h>
#include <herald/adapter/memory.h>

#include "base/error_path.h"
#include "base/options.h"
#include "codec/plan.h"
#include "service/attribute_names.h"
#include "service/codecs.h"
#include "service/durable.h"
#include "service/event_log.h"
#include "service/event_watch.h"
#include "service/format.h"
#include "service/handlers.h"
#include "service/order_key.h"
#include "service/route_build.h"

#define DEFAULT_EVENT_BYTES ((size_t)1 << 20)
#define DEFAULT_ARENA_BYTES ((size_t)16 << 20)
#define DEFAULT_IDLE_BYTES ((size_t)4 << 20)
#define DEFAULT_ANSWER_BYTES ((size_t)1 << 20)
#define MAX_ANSWER_BYTES ((size_t)1 << 30)
#define DEFAULT_ANSWER_HEADERS 32
#define MAX_ANSWER_HEADERS 256
#define DEFAULT_ANSWER_HEADERS_BYTES 2048
#define MAX_ANSWER_HEADERS_BYTES ((size_t)64 << 10)

static struct herald__option
option(const char *name)
{
	return (struct herald__option){name, HERALD__NO_INDEX, NULL};
}

/* Options. */

static enum herald_status
check_sizes(const struct herald_service_options *options, struct herald_error *error)
{
	const struct herald_option_range ranges[] = {
		{"max_event_bytes", options->max_event_bytes, 0, SIZE_MAX / 2},
		{"max_arena_bytes", options->max_arena_bytes, 0, SIZE_MAX / 2},
		{"max_answer_bytes", options->max_answer_bytes, 0, MAX_ANSWER_BYTES},
		{"max_answer_headers", options->max_answer_headers, 0, MAX_ANSWER_HEADERS},
		{"max_answer_headers_bytes", options->max_answer_headers_bytes, 0,
		 MAX_ANSWER_HEADERS_BYTES},
	};

	return herald_option_ranges_check(ranges, HERALD_COUNT(ranges), error);
}

static enum herald_status
check_options(const struct herald_service_options *options, struct herald_error *error)
{
	enum herald_status status = herald_allocator_check(&options->allocator, error);

	if (status == HERALD_OK)
		status = herald__option_array_check(option("handlers"), "HERALD_HANDLERS",
						    options->handlers, options->handlers_count,
						    error);
	if (status != HERALD_OK)
		return status;

	if ((unsigned)options->unknown > HERALD_UNKNOWN_IGNORE)
		return herald__option_error(error, HERALD_BAD_OPTION, option("unknown"),
					    "not a valid policy: %d", (int)options->unknown);
	return check_sizes(options, error);
}

/* The envelope. */

/* A member of the message that an envelope must have, and where its JSON Pointer is stored. */
struct message_member {
	const char *name;
	enum herald_kind kind;
	size_t offset;
	const char **path;
	const char *below; /* the rest of the pointer */
};

/* The member counts for all events, not in a case of a tagged union only. */
static const struct herald_field *
find_field(const struct herald_schema *schema, const struct message_member *member)
{
	for (size_t i = 0; i < schema->fields_count; i++)
		if (schema->fields[i].offset == member->offset &&
		    schema->fields[i].kind == member->kind && !schema->fields[i].tag)
			return &schema->fields[i];
	return NULL;
}

/* "/KEY" and the rest, in the syntax of RFC 6901. NULL when out of memory. */
static const char *
make_pointer(struct herald_arena *arena, const char *key, const char *below)
{
	char *pointer = herald_arena_alloc(arena, 2 * strlen(key) + strlen(below) + 2);
	char *end = pointer;

	if (!pointer)
		return NULL;
	*end++ = '/';
	for (; *key != '\0'; key++) {
		*end++ = *key == '~' || *key == '/' ? '~' : *key;
		if (*key == '~' || *key == '/')
			*end++ = *key == '~' ? '0' : '1';
	}
	memcpy(end, below, strlen(below) + 1);
	return pointer;
}

static enum herald_status
check_envelope(struct herald_service *service, struct herald_error *error)
{
	const char *unused;
	const struct message_member members[] = {
		{"event_type", HERALD_KIND_STRING, offsetof(struct herald_message, event_type),
		 &service->event_type_path, ""},
		{"timestamp", HERALD_KIND_TIME, offsetof(struct herald_message, timestamp), &unused,
		 ""},
		{"payload", HERALD_KIND_JSON, offsetof(struct herald_message, payload),
		 &service->payload_path, ""},
		{"metadata", HERALD_KIND_JSON_MAP, offsetof(struct herald_message, metadata),
		 &service->version_path, "/version"},
		{"metadata", HERALD_KIND_JSON_MAP, offsetof(struct herald_message, metadata),
		 &service->id_path, "/id"},
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const struct herald_field *field = find_field(service->envelope, &members[i]);

		if (!field)
			return herald__option_error(
				error, HERALD_BAD_SCHEMA, option("envelope"),
				"struct %s must begin with a struct herald_message and its schema "
				"with HERALD_MESSAGE_FIELDS: the schema has no field for %s",
				service->envelope->name, members[i].name);
		const char *pointer = make_pointer(
			service->arena, field->key ? field->key : field->name, members[i].below);
		if (pointer)
			*members[i].path = herald__path_of_pointer(pointer, service->arena);
		if (!pointer || !*members[i].path)
			return herald_out_of_memory(error);
	}
	return HERALD_OK;
}

/* A codec of its own, because `type_from` changes it. */
static enum herald_status
create_envelope(struct herald_service *service, struct herald_error *error)
{
	enum herald_status status =
		herald__codec_create(service, service->envelope, &service->envelope_codec, error);

	if (status == HERALD_OK)
		status = check_envelope(service, error);
	if (status != HERALD_OK)
		return status;
	service->due_path = "";
	return HERALD_OK;
}

/* Creating and destroying. */

static void
free_service(struct herald_service *service)
{
	const struct herald_allocator allocator = service->allocator;

	herald__event_watch_destroy(service);
	herald__codecs_destroy(service);
	herald_codec_destroy(service->envelope_codec);
	herald__context_pool_finish(&service->pool);
	herald__block_cache_finish(&service->cache);
	herald_arena_destroy(service->arena);
	herald_memory_release(&allocator, service, sizeof(*service));
}

static struct herald__answer_limits
answer_limits(const struct herald_service_options *options)
{
	const struct herald__answer_limits defaults = {
		.max_body_bytes = DEFAULT_ANSWER_BYTES,
		.max_headers = DEFAULT_ANSWER_HEADERS,
		.max_headers_bytes = DEFAULT_ANSWER_HEADERS_BYTES,
	};
	struct herald__answer_limits limits = {
		.max_body_bytes = options->max_answer_bytes,
		.max_headers = options->max_answer_headers,
		.max_headers_bytes = options->max_answer_headers_bytes,
	};

	if (limits.max_body_bytes == 0)
		limits.max_body_bytes = defaults.max_body_bytes;
	if (limits.max_headers == 0)
		limits.max_headers = defaults.max_headers;
	if (limits.max_headers_bytes == 0)
		limits.max_headers_bytes = defaults.max_headers_bytes;
	return limits;
}

/* A service that is still empty; NULL when out of memory. */
static struct herald_service *
new_service(const struct herald_service_options *options)
{
	struct herald_allocator allocator = herald_allocator_or_libc(&options->allocator);
	struct herald_service *service =
		herald_memory_allocate_zeroed(&allocator, 1, sizeof(*service));

	if (!service)
		return NULL;
	if (herald_arena_create(&allocator, SIZE_MAX, &service->arena) != HERALD_OK)
		goto failed;
	if (!herald__context_pool_init(&service->pool))
		goto failed;
	if (!herald__block_cache_init(&service->cache, &allocator,
				      options->max_idle_bytes ? options->max_idle_bytes
							      : DEFAULT_IDLE_BYTES)) {
		herald__context_pool_finish(&service->pool);
		goto failed;
	}

	service->allocator = allocator;
	service->log = options->log;
	service->limits = options->limits;
	service->max_event_bytes =
		options->max_event_bytes ? options->max_event_bytes : DEFAULT_EVENT_BYTES;
	service->max_arena_bytes =
		options->max_arena_bytes ? options->max_arena_bytes : DEFAULT_ARENA_BYTES;
	service->answer_limits = answer_limits(options);
	service->unknown = options->unknown;
	service->envelope = options->envelope ? options->envelope : &herald_message_schema;
	herald__counters_init(&service->counters);
	return service;

failed:
	herald_arena_destroy(service->arena);
	herald_memory_release(&allocator, service, sizeof(*service));
	return NULL;
}

/* A span hook needs the traces. */
static enum herald_status
set_tracing(struct herald_service *service, const struct herald_service_options *options,
	    struct herald_error *error)
{
	if (options->spans.start && !options->spans.end)
		return herald__option_error(error, HERALD_BAD_OPTION, option("spans"),
					    "`end` is NULL, but `start` is set");
	service->spans = options->spans;
	service->has_spans = options->spans.end;
	service->tracing = options->tracing || service->has_spans;
	service->sample_one_in = options->sample_one_in ? options->sample_one_in : 1;
	if (service->tracing)
		herald__trace_source_init(&service->trace_source);
	return HERALD_OK;
}

static enum herald_status
fill_service(struct herald_service *service, const struct herald_service_options *options,
	     struct herald_error *error)
{
	enum herald_status status = herald__formats_init(service, options, error);

	if (status == HERALD_OK)
		status = herald__handlers_add(service, options, error);
	if (status == HERALD_OK)
		status = set_tracing(service, options, error);
	if (status == HERALD_OK)
		status = herald__bounds_init(&service->duration_bounds, options->duration_bounds_us,
					     options->duration_bounds_count, error);
	if (status == HERALD_OK)
		status = herald__route_table_init(&service->table, service->arena, options->routes,
						  options->routes_count, options->upcasters,
						  options->upcasters_count, error);
	if (status == HERALD_OK)
		status = herald__durable_init(service, options, error);
	if (status == HERALD_OK)
		status = herald__direct_init(service, options, error);
	if (status == HERALD_OK)
		status = herald__handlers_collect(service, error);
	if (status == HERALD_OK)
		status = herald__log_fields_init(service, options->log_fields, error);
	if (status == HERALD_OK)
		status = herald__attribute_names_collect(service, options->attributes, error);
	if (status == HERALD_OK)
		status = herald__codecs_create(service, error);
	if (status == HERALD_OK)
		status = herald__order_keys_init(service, error);
	if (status == HERALD_OK)
		status = create_envelope(service, error);
	if (status == HERALD_OK)
		status = herald__identity_init(service, options, error);
	return status;
}

enum herald_status
herald_service_create(const struct herald_service_options *options, struct herald_service **out,
		      struct herald_error *error)
{
	struct herald_service_options read;
	const struct herald_service_options none = {0};
	enum herald_status status = herald_options_read(
		options ? options : &none, &read, sizeof(read), "HERALD_SERVICE_OPTIONS", error);

	if (status == HERALD_OK)
		status = check_options(&read, error);
	if (status != HERALD_OK)
		return status;

	struct herald_service *service = new_service(&read);
	if (!service)
		return herald_out_of_memory(error);
	status = fill_service(service, &read, error);
	/* Last, because stored events run from here on. */
	if (status == HERALD_OK && service->inbox)
		status = service->inbox->ops->attach(service->inbox, service, error);
	if (status != HERALD_OK) {
		herald__handlers_release(service);
		free_service(service);
		return status;
	}
	/* Only a warning, because this may be intended: handlers see the events. */
	if (read.routes_count == 0)
		herald_log_write(&service->log, HERALD_LOG_WARNING,
				 "the service has no routes (HERALD_ROUTES): no event is known",
				 NULL, 0);
	*out = service;
	return HERALD_OK;
}

void
herald_service_destroy(struct herald_service *service)
{
	if (!service)
		return;

	if (service->inbox)
		service->inbox->ops->detach(service->inbox, service);
	herald__handlers_destroy(service);
	free_service(service);
}

struct herald_store *
herald_service_store(const struct herald_service *service)
{
	/* The inbox is the first member of a store. */
	return (struct herald_store *)service->inbox;
}

bool
herald_service_has_tracing(const struct herald_service *service)
{
	return service->tracing;
}

size_t
herald_service_max_event_bytes(const struct herald_service *service)
{
	return service->max_event_bytes;
}
