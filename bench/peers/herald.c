/*
 * Herald, in four variants. "codec": herald_codec_decode() and herald_codec_encode() of an event
 * whose payload is a member of a known type, as the other peers have it. "service":
 * herald_service_handle(), that is the envelope, the choice of the route by event_type and version,
 * the payload, and a function that copies what it was given; one route per type, or as many as
 * asked for. "lines" and "array": the same for herald_service_handle_many(), MANY events at a time.
 *
 * Decoding is in place, so each event is copied first; that copy is measured as well.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "peer.h"

static const struct herald_schema *schema; /* of the whole event */
static char *work;                         /* the copy that is consumed */
static union event event;

static struct herald_codec *codec;
static struct herald_arena *arena;
static struct herald_buffer encoded;

static struct herald_service *service;
static bool dumping;

static bool is_service, is_encode;

/* The text of many events, which are handled together. */
enum { MANY = 100 };
static bool is_many, is_array;
static size_t work_bytes, many_count;
static size_t many_done;

static void
must(enum herald_status status, const struct herald_error *error)
{
	if (status != HERALD_OK)
		peer_fail("%s at %s, byte %zu: %s", herald_status_name(status), error->path,
			  error->offset, error->message);
}

/* The metadata of the documents: strings. */
static struct herald_map
strings_of(const struct herald_json_map *metadata)
{
	static struct herald_pair pairs[16];
	struct herald_map map = {pairs, 0};

	for (; map.count < metadata->count; map.count++)
		pairs[map.count] = (struct herald_pair){metadata->pairs[map.count].key,
							metadata->pairs[map.count].text};
	return map;
}

/* What a service's functions are given: what they copy is the whole event. */
struct copy {
	const struct herald_schema *schema;
};

#define FUNCTION(PAYLOAD)                                                                          \
	static enum herald_verdict on_##PAYLOAD(struct herald_context *ctx,                        \
						const struct PAYLOAD *payload, struct copy *copy)  \
	{                                                                                          \
		const struct herald_message *message = herald_context_message(ctx);                \
                                                                                                   \
		event.PAYLOAD.event_type = message->event_type;                                    \
		event.PAYLOAD.timestamp = message->timestamp;                                      \
		event.PAYLOAD.metadata = strings_of(&message->metadata);                           \
		event.PAYLOAD.payload = *payload;                                                  \
		if (dumping)                                                                       \
			events_dump(copy->schema, &event);                                         \
		return HERALD_DONE;                                                                \
	}                                                                                          \
	HERALD_FUNCTION(on_##PAYLOAD, PAYLOAD, copy);                                              \
	static struct copy copy_##PAYLOAD = {&PAYLOAD##_event_schema}

FUNCTION(user_created);
FUNCTION(order_placed);
FUNCTION(telemetry);
FUNCTION(article);
FUNCTION(batch);
FUNCTION(mixed_orders);
FUNCTION(catalog);
FUNCTION(integers);
FUNCTION(doubles);
FUNCTION(strings);
FUNCTION(pull_request_event);
FUNCTION(mixture);

static const struct herald_route type_routes[] = {
#define ROUTE(PAYLOAD) HERALD_ROUTE(#PAYLOAD, PAYLOAD, on_##PAYLOAD, &copy_##PAYLOAD),
	EVENT_LIST(ROUTE)
#undef ROUTE
};

static void
open_service(size_t routes_count, size_t max_bytes)
{
	struct herald_service_options options = HERALD_SERVICE_OPTIONS(HERALD_ROUTES(type_routes));
	struct herald_route *routes = calloc(routes_count + 1, sizeof(*routes));
	char(*names)[32] = calloc(routes_count + 1, sizeof(*names));
	struct herald_error error;

	if (!routes || !names)
		peer_fail("out of memory");
	for (size_t i = 0; i < routes_count; i++) {
		snprintf(names[i], sizeof(names[i]), "user_created_%05zu", i);
		routes[i] = type_routes[0];
		routes[i].event_type = names[i];
	}
	if (routes_count > 0) {
		options.routes = routes;
		options.routes_count = routes_count;
	}
	if (max_bytes > 1 << 20)
		options.max_event_bytes = max_bytes;
	must(herald_service_create(&options, &service, &error), &error);
	free(names);
	free(routes);
}

static void
find_schema(const char *type)
{
#define SCHEMA(PAYLOAD)                                                                            \
	if (strcmp(type, #PAYLOAD) == 0)                                                           \
		schema = &PAYLOAD##_event_schema;
	EVENT_LIST(SCHEMA)
#undef SCHEMA
	if (!schema)
		peer_fail("no type %s", type);
}

static void
decode(const struct document *document)
{
	struct herald_error error;

	memcpy(work, document->data, document->bytes);
	herald_arena_reset(arena);
	must(herald_codec_decode(codec, work, document->bytes, arena, &event, &error), &error);
}

static void
handle(const struct document *document)
{
	struct herald_result result;

	memcpy(work, document->data, document->bytes);
	herald_service_handle(service, work, document->bytes, &result);
	if (result.verdict != HERALD_DONE)
		must(result.status, &result.error);
}

/* Every event has a result of its own. */
static void
count_result(const struct herald_handled *handled, void *state)
{
	(void)state;
	many_done += handled->result->verdict == HERALD_DONE;
}

static void
handle_all(void)
{
	struct herald_error error;

	if (is_array)
		work[work_bytes - 1] = ']';
	many_done = 0;
	must(herald_service_handle_many(
		     service, work, work_bytes,
		     &HERALD_MANY_OPTIONS(.form = is_array ? HERALD_MANY_ARRAY : HERALD_MANY_LINES,
					  .handled = count_result),
		     NULL, &error),
	     &error);
	if (many_done != many_count)
		peer_fail("%zu of %zu events are done", many_done, many_count);
	work_bytes = many_count = 0;
}

static void
add_to_many(const struct document *document)
{
	if (is_array && many_count == 0)
		work[work_bytes++] = '[';
	memcpy(work + work_bytes, document->data, document->bytes);
	work_bytes += document->bytes;
	work[work_bytes++] = is_array ? ',' : '\n';
	if (++many_count == MANY || dumping)
		handle_all();
}

static void
encode(void)
{
	struct herald_error error;

	encoded.bytes = 0;
	must(herald_codec_encode(codec, &event, &encoded, &error), &error);
}

void
peer_open(const struct peer_arguments *arguments)
{
	struct herald_error error;

	is_encode = arguments->encode;
	is_array = strcmp(arguments->variant, "array") == 0;
	is_many = is_array || strcmp(arguments->variant, "lines") == 0;
	is_service = is_many || strcmp(arguments->variant, "service") == 0;
	find_schema(arguments->type);
	work = malloc((arguments->max_bytes + 1) * (is_many ? MANY : 1) + 1);
	if (!work)
		peer_fail("out of memory");
	if (is_service) {
		open_service(arguments->routes_count, arguments->max_bytes);
		return;
	}
	must(herald_codec_create(schema, NULL, NULL, &codec, &error), &error);
	must(herald_arena_create(NULL, 0, &arena), &error);
	herald_buffer_init(&encoded, NULL, 0);
	if (is_encode)
		decode(&arguments->documents[0]);
}

void
peer_event(const struct document *document)
{
	if (is_many)
		add_to_many(document);
	else if (is_service)
		handle(document);
	else if (is_encode)
		encode();
	else
		decode(document);
}

void
peer_check(const struct document *document)
{
	dumping = true;
	work_bytes = many_count = 0;
	peer_event(document);
	dumping = false;
	if (is_encode) {
		fwrite(encoded.data, 1, encoded.bytes, stdout);
		putchar('\n');
	} else if (!is_service) {
		events_dump(schema, &event);
	}
}
