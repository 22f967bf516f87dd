/*
 * The description of a service: each way that an event can take, step by step, for people and as JSON.
 * It lists the steps in the order in which pipeline.c runs them; a test holds the two together.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "handlers.h"
#include "service.h"
#include "json/codec.h"
#include "json/text.h"

/* Where the description goes. After an error nothing more is written. */
struct writer {
	const struct herald_service *service;
	struct herald_buffer *out;
	enum herald_status status;
	bool json;
	bool first; /* of a JSON array: no comma before the next element */
};

/* One step: "before" "handler" "audit", and the struct that it makes, or NULL. */
struct step {
	const char *name;
	const char *what;
	const char *who;
	const char *makes;
};

/* Pieces of text. */

static void
put(struct writer *writer, const char *text)
{
	if (writer->status == HERALD_OK)
		writer->status = herald_buffer_append(writer->out, text, strlen(text));
}

/* In quotes, escaped; NULL as null. */
static void
put_string(struct writer *writer, const char *text)
{
	if (writer->status == HERALD_OK)
		writer->status = herald__json_append_text(writer->out, text);
}

/* A number, or `none` for SIZE_MAX, which stands for no limit. */
static void
put_number(struct writer *writer, size_t number, const char *none)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu", number);
	put(writer, number == SIZE_MAX ? none : text);
}

static void
put_comma(struct writer *writer)
{
	put(writer, writer->first ? "" : ",");
	writer->first = false;
}

/* Steps. */

static void
put_step(struct writer *writer, struct step step)
{
	if (writer->json) {
		put_comma(writer);
		put(writer, "{\"step\":");
		put_string(writer, step.name);
		put(writer, ",");
		put_string(writer, step.what);
		put(writer, ":");
		put_string(writer, step.who);
		if (step.makes) {
			put(writer, ",\"schema\":");
			put_string(writer, step.makes);
		}
		put(writer, "}");
		return;
	}

	char name[16];
	snprintf(name, sizeof(name), "\t%-10s", step.name);
	put(writer, name);
	if (strcmp(step.what, "schema") == 0)
		put(writer, "struct ");
	else if (strcmp(step.name, "decode") == 0) {
		put(writer, step.what);
		put(writer, " ");
	}
	put(writer, step.who);
	if (step.makes) {
		put(writer, " -> struct ");
		put(writer, step.makes);
	}
	put(writer, "\n");
}

static void
put_receive_steps(struct writer *writer)
{
	const struct herald_service *service = writer->service;

	for (size_t i = 0; i < service->handlers_count; i++)
		if (service->handlers[i]->ops->receive)
			put_step(writer,
				 (struct step){"receive", "handler",
					       herald__handler_name(service->handlers[i]), NULL});
}

static void
put_decode_steps(struct writer *writer, const struct herald_schema *payload)
{
	const struct herald_service *service = writer->service;
	struct step decode = {"decode", "envelope", service->envelope->name, NULL};

	if (service->decoder) {
		decode.what = "handler";
		decode.who = herald__handler_name(service->decoder);
	}
	put_step(writer, decode);
	put_step(writer, (struct step){"payload", "schema", payload->name, NULL});
}

static void
put_upcast_steps(struct writer *writer, const struct herald__upcast *upcast)
{
	for (; upcast; upcast = upcast->next) {
		const char *name = upcast->declared.name;

		put_step(writer, (struct step){"upcast", "upcaster", name ? name : "unnamed",
					       upcast->declared.to_schema->name});
	}
}

static void
put_before_steps(struct writer *writer, struct herald_handler *const *handlers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (handlers[i]->ops->before)
			put_step(writer, (struct step){"before", "handler",
						       herald__handler_name(handlers[i]), NULL});
}

static void
put_again_step(struct writer *writer, const struct herald_route *route)
{
	const struct herald_handler *handler = herald__handlers_again(writer->service, route);

	if (handler)
		put_step(writer,
			 (struct step){"again", "handler", herald__handler_name(handler), NULL});
}

static void
put_after_steps(struct writer *writer, struct herald_handler *const *handlers, size_t count)
{
	for (; count > 0; count--)
		if (handlers[count - 1]->ops->after)
			put_step(writer,
				 (struct step){"after", "handler",
					       herald__handler_name(handlers[count - 1]), NULL});
}

static void
put_rejected_steps(struct writer *writer, struct herald_handler *const *handlers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (handlers[i]->ops->rejected)
			put_step(writer, (struct step){"rejected", "handler",
						       herald__handler_name(handlers[i]), NULL});
}

static void
put_steps(struct writer *writer, const struct herald_route *route,
	  const struct herald__upcast *upcast)
{
	const struct herald_service *service = writer->service;

	put_receive_steps(writer);
	put_decode_steps(writer, upcast ? upcast->declared.from_schema : route->schema);
	put_upcast_steps(writer, upcast);
	put_before_steps(writer, service->handlers, service->handlers_count);
	put_before_steps(writer, route->handlers, route->handlers_count);
	put_step(writer, (struct step){"function", "schema", route->schema->name, NULL});
	put_again_step(writer, route);
	put_after_steps(writer, route->handlers, route->handlers_count);
	put_after_steps(writer, service->handlers, service->handlers_count);
	put_rejected_steps(writer, service->handlers, service->handlers_count);
	put_rejected_steps(writer, route->handlers, route->handlers_count);
}

/* Routes, and versions that upcasters lead to them. */

static void
put_head_text(struct writer *writer, const struct herald_route *route, size_t index,
	      const char *version, const struct herald__upcast *upcast)
{
	put(writer, "routes[");
	put_number(writer, index, "");
	put(writer, "] ");
	put(writer, strcmp(route->event_type, HERALD_ANY_TYPE) == 0 ? "any other event"
								    : route->event_type);
	put(writer, !version ? "" : *version ? " " : " without version");
	put(writer, version ? version : "");
	for (; upcast; upcast = upcast->next) {
		put(writer, " -> ");
		put(writer, upcast->declared.to);
	}
	if (route->doc) {
		put(writer, ": ");
		put(writer, route->doc);
	}
	put(writer, "\n");
}

static void
put_head_json(struct writer *writer, const struct herald_route *route, size_t index,
	      const char *version)
{
	put_comma(writer);
	put(writer, "{\"event_type\":");
	put_string(writer, route->event_type);
	put(writer, ",\"version\":");
	put_string(writer, version);
	put(writer, ",\"route\":");
	put_number(writer, index, "");
	put(writer, ",\"doc\":");
	put_string(writer, route->doc);
	put(writer, ",\"steps\":[");
	writer->first = true;
}

/* One way: what the route takes itself, or what the upcaster begins with. */
static void
put_way(struct writer *writer, const struct herald__route *route,
	const struct herald__upcast *upcast)
{
	const struct herald_route *declared = &route->declared;
	const char *version = upcast ? upcast->declared.from : declared->version;
	size_t index = (size_t)(route - writer->service->table.routes);

	if (writer->json)
		put_head_json(writer, declared, index, version);
	else
		put_head_text(writer, declared, index, version, upcast);
	put_steps(writer, declared, upcast);
	if (writer->json)
		put(writer, "]}");
	writer->first = false;
}

static void
put_ways(struct writer *writer)
{
	const struct herald__route_table *table = &writer->service->table;

	writer->first = true;
	for (size_t i = 0; i < table->routes_count; i++)
		put_way(writer, &table->routes[i], NULL);
	for (size_t i = 0; i < table->upcasts_count; i++)
		put_way(writer, table->upcasts[i].route, &table->upcasts[i]);
}

/* The rest. */

static void
put_limits(struct writer *writer)
{
	const struct herald_service *service = writer->service;
	const struct herald_limits *limits = &service->envelope_codec->limits;
	const struct {
		const char *name;
		size_t value;
	} all[] = {
		{"max_event_bytes", service->max_event_bytes},
		{"max_arena_bytes", service->max_arena_bytes},
		{"max_depth", limits->max_depth},
		{"max_list_count", limits->max_list_count},
		{"max_key_bytes", limits->max_key_bytes},
		{"max_string_bytes", limits->max_string_bytes},
	};

	writer->first = true;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (writer->json) {
			put_comma(writer);
			put_string(writer, all[i].name);
			put(writer, ":");
			put_number(writer, all[i].value, "null");
			continue;
		}
		put(writer, "\t");
		put(writer, all[i].name);
		put(writer, " ");
		put_number(writer, all[i].value, "unlimited");
		put(writer, "\n");
	}
}

static const char *
policy_name(const struct herald_service *service)
{
	return service->unknown == HERALD_UNKNOWN_IGNORE ? "ignore" : "reject";
}

/* The options of type, version, id and source that are set. */
static void
put_pointers(struct writer *writer)
{
	for (int i = 0; i < HERALD__IDENTITY_COUNT; i++) {
		const char *option = herald__identity_option((enum herald__identity)i);
		const char *pointer = writer->service->pointers[i].text;

		if (!pointer)
			continue;
		put(writer, writer->json ? ",\"" : "");
		put(writer, option);
		put(writer, writer->json ? "\":" : ": ");
		if (writer->json)
			put_string(writer, pointer);
		else
			put(writer, pointer);
		put(writer, writer->json ? "" : "\n");
	}
}

static void
put_text(struct writer *writer)
{
	put_ways(writer);
	put_pointers(writer);
	put(writer, "unknown events: ");
	put(writer, policy_name(writer->service));
	put(writer, "\nlimits\n");
	put_limits(writer);
}

static void
put_json(struct writer *writer)
{
	put(writer, "{\"routes\":[");
	put_ways(writer);
	put(writer, "],\"unknown\":");
	put_string(writer, policy_name(writer->service));
	put_pointers(writer);
	put(writer, ",\"limits\":{");
	put_limits(writer);
	put(writer, "}}");
}

enum herald_status
herald_service_describe(const struct herald_service *service, enum herald_describe_format format,
			struct herald_buffer *out)
{
	struct writer writer = {
		.service = service,
		.out = out,
		.json = format == HERALD_DESCRIBE_JSON,
	};
	size_t bytes = out->bytes;

	if (writer.json)
		put_json(&writer);
	else
		put_text(&writer);
	if (writer.status != HERALD_OK)
		out->bytes = bytes;
	return writer.status;
}
