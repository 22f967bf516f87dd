/*
 * The service: its options checked and copied, a codec for each schema, and the end of it all. What
 * happens to events is pipeline.c's, the routes are route_build.c's, the handlers are handlers.c's.
 */
#include "service.h"
#include "json/codec.h"
#include "json/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handlers.h"
#include "memory.h"
#include "options.h"

#define DEFAULT_EVENT_BYTES ((size_t)1 << 20)
#define DEFAULT_ARENA_BYTES ((size_t)16 << 20)
#define DEFAULT_IDLE_BYTES ((size_t)4 << 20)

static struct herald__option
option(const char *name)
{
	return (struct herald__option){name, HERALD__NO_INDEX, NULL};
}

/* Options. */

static enum herald_status
check_options(const struct herald_service_options *options, struct herald_error *error)
{
	enum herald_status status = herald__allocator_check(&options->allocator, error);

	if (status == HERALD_OK)
		status = herald__option_array_check(option("handlers"), "HERALD_HANDLERS",
						    options->handlers, options->handlers_count,
						    error);
	if (status != HERALD_OK)
		return status;
	if ((unsigned)options->unknown > HERALD_UNKNOWN_IGNORE)
		return herald__option_error(error, HERALD_BAD_OPTION, option("unknown"),
					    "not a valid policy: %d", (int)options->unknown);
	if (options->max_event_bytes > SIZE_MAX / 2)
		return herald__option_error(error, HERALD_BAD_OPTION, option("max_event_bytes"),
					    "%zu are more than can be addressed",
					    options->max_event_bytes);
	if (options->max_arena_bytes > SIZE_MAX / 2)
		return herald__option_error(error, HERALD_BAD_OPTION, option("max_arena_bytes"),
					    "%zu are more than can be addressed",
					    options->max_arena_bytes);
	return HERALD_OK;
}

/* Codecs. */

static int
compare_schemas(const void *a, const void *b)
{
	const struct herald__codec_entry *left = a, *right = b;
	uintptr_t first = (uintptr_t)left->schema, second = (uintptr_t)right->schema;

	return first < second ? -1 : first > second;
}

/* All schemas of payloads, each once, sorted. */
static enum herald_status
collect_schemas(struct herald_service *service, struct herald_error *error)
{
	const struct herald__route_table *table = &service->table;
	size_t most = table->routes_count + 2 * table->upcasts_count, count = 0, kept = 0;
	struct herald__codec_entry *entries =
		herald__arena_array(service->arena, most, sizeof(*entries));

	if (!entries)
		return herald__out_of_memory(error);
	for (size_t i = 0; i < table->routes_count; i++)
		entries[count++].schema = table->routes[i].declared.schema;
	for (size_t i = 0; i < table->upcasts_count; i++) {
		entries[count++].schema = table->upcasts[i].declared.from_schema;
		entries[count++].schema = table->upcasts[i].declared.to_schema;
	}
	qsort(entries, count, sizeof(*entries), compare_schemas);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || entries[i].schema != entries[kept - 1].schema)
			entries[kept++] = entries[i];
	service->codecs = entries;
	service->codecs_count = kept;
	return HERALD_OK;
}

static const struct herald_codec *
codec_of(const struct herald_service *service, const struct herald_schema *schema)
{
	const struct herald__codec_entry key = {.schema = schema};
	const struct herald__codec_entry *entry =
		bsearch(&key, service->codecs, service->codecs_count, sizeof(key), compare_schemas);

	return entry->codec;
}

static enum herald_status
create_codec(struct herald_service *service, const struct herald_schema *schema,
	     struct herald_codec **out, struct herald_error *error)
{
	enum herald_status status =
		herald_codec_create(schema, &service->limits, &service->allocator, out, error);

	if (status == HERALD_BAD_OPTION && error)
		snprintf(error->path, sizeof(error->path), "limits");
	return status;
}

static enum herald_status
create_codecs(struct herald_service *service, struct herald_error *error)
{
	struct herald__route_table *table = &service->table;
	enum herald_status status = collect_schemas(service, error);

	for (size_t i = 0; status == HERALD_OK && i < service->codecs_count; i++)
		status = create_codec(service, service->codecs[i].schema, &service->codecs[i].codec,
				      error);
	if (status != HERALD_OK)
		return status;

	for (size_t i = 0; i < table->routes_count; i++)
		table->routes[i].codec = codec_of(service, table->routes[i].declared.schema);
	for (size_t i = 0; i < table->upcasts_count; i++)
		table->upcasts[i].codec = codec_of(service, table->upcasts[i].declared.from_schema);
	return HERALD_OK;
}

/* The envelope. */

/* A member of the message, as an envelope must hold it, and where its JSON Pointer is kept. */
struct message_member {
	const char *name;
	enum herald_kind kind;
	size_t offset;
	const char **path;
	const char *below; /* what follows in the pointer */
};

static const struct herald_field *
find_field(const struct herald_schema *schema, const struct message_member *member)
{
	for (size_t i = 0; i < schema->fields_count; i++)
		if (schema->fields[i].offset == member->offset &&
		    schema->fields[i].kind == member->kind)
			return &schema->fields[i];
	return NULL;
}

/* "/KEY" and what follows, as RFC 6901 writes it. NULL: out of memory. */
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
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const struct herald_field *field = find_field(service->envelope, &members[i]);

		if (!field)
			return herald__option_error(
				error, HERALD_BAD_SCHEMA, option("envelope"),
				"struct %s must begin with a struct herald_message and its schema "
				"with HERALD_MESSAGE_FIELDS: there is no field for its %s",
				service->envelope->name, members[i].name);
		const char *pointer = make_pointer(
			service->arena, field->key ? field->key : field->name, members[i].below);
		if (pointer)
			*members[i].path = herald__path_of_pointer(pointer, service->arena);
		if (!pointer || !*members[i].path)
			return herald__out_of_memory(error);
	}
	return HERALD_OK;
}

/* The envelope's codec is its own, because it leaves the payload to be checked by who decodes it. */
static enum herald_status
create_envelope(struct herald_service *service, struct herald_error *error)
{
	enum herald_status status =
		create_codec(service, service->envelope, &service->envelope_codec, error);

	if (status == HERALD_OK)
		status = check_envelope(service, error);
	if (status != HERALD_OK)
		return status;
	herald__codec_defer(service->envelope_codec, offsetof(struct herald_message, payload));
	if (service->decoder)
		service->event_type_path = service->payload_path = service->version_path = "";
	return HERALD_OK;
}

/* Creation and its end. */

static void
free_service(struct herald_service *service)
{
	const struct herald_allocator allocator = service->allocator;

	for (size_t i = 0; i < service->codecs_count; i++)
		herald_codec_destroy(service->codecs[i].codec);
	herald_codec_destroy(service->envelope_codec);
	herald__context_pool_finish(&service->pool);
	herald__block_cache_finish(&service->cache);
	herald_arena_destroy(service->arena);
	herald__release(&allocator, service, sizeof(*service));
}

/* A service with nothing in it; NULL when memory is out. */
static struct herald_service *
new_service(const struct herald_service_options *options)
{
	struct herald_allocator allocator = herald__allocator_or_libc(&options->allocator);
	struct herald_service *service = herald__allocate_zeroed(&allocator, 1, sizeof(*service));

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
	service->unknown = options->unknown;
	service->envelope = options->envelope ? options->envelope : &herald_message_schema;
	herald__counters_init(&service->counters);
	return service;

failed:
	herald_arena_destroy(service->arena);
	herald__release(&allocator, service, sizeof(*service));
	return NULL;
}

static enum herald_status
fill_service(struct herald_service *service, const struct herald_service_options *options,
	     struct herald_error *error)
{
	enum herald_status status = herald__handlers_add(service, options, error);

	if (status == HERALD_OK)
		status = herald__route_table_init(&service->table, service->arena, options->routes,
						  options->routes_count, options->upcasters,
						  options->upcasters_count, error);
	if (status == HERALD_OK)
		status = herald__handlers_collect(service, error);
	if (status == HERALD_OK)
		status = create_codecs(service, error);
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
	enum herald_status status = herald__options_read(
		options ? options : &none, &read, sizeof(read), "HERALD_SERVICE_OPTIONS", error);

	if (status == HERALD_OK)
		status = check_options(&read, error);
	if (status != HERALD_OK)
		return status;

	struct herald_service *service = new_service(&read);
	if (!service)
		return herald__out_of_memory(error);
	status = fill_service(service, &read, error);
	if (status != HERALD_OK) {
		herald__handlers_release(service);
		free_service(service);
		return status;
	}
	*out = service;
	return HERALD_OK;
}

void
herald_service_destroy(struct herald_service *service)
{
	if (!service)
		return;

	herald__handlers_destroy(service);
	free_service(service);
}

size_t
herald_service_max_event_bytes(const struct herald_service *service)
{
	return service->max_event_bytes;
}
