/*
 * The description of a service, as text and as JSON: each path that an event can take, step by
 * step, and the schemas. The steps are in the order of pipeline.c; a test compares the two.
 */
#include "service/describe.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/safe_text.h"
#include "codec/definitions.h"
#include "codec/plan.h"
#include "service/attribute_names.h"
#include "service/format.h"
#include "service/handlers.h"
#include "service/service.h"

/* Where the description is written. After an error nothing more is written. */
struct writer {
	const struct herald_service *service;
	const char *event_type; /* only routes of this type; NULL: all */
	struct herald_buffer *out;
	enum herald_status status;
	bool json;
	bool first; /* the next element of an array is the first one: write no comma */
};

/* A step, such as "before" "handler" "audit", and the struct that it creates, or NULL. */
struct step {
	const char *name;
	const char *what;
	const char *who;
	const char *makes;
};

/* Writing text. */

static void
put(struct writer *writer, const char *text)
{
	if (writer->status == HERALD_OK)
		writer->status = herald_buffer_append(writer->out, text, strlen(text));
}

/* Write a string in quotes, escaped; NULL as null. */
static void
put_string(struct writer *writer, const char *text)
{
	if (writer->status == HERALD_OK)
		writer->status = herald__json_append_text(writer->out, text);
}

/* Write a number, or `none` for SIZE_MAX, which means no limit. */
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
	else if (strcmp(step.name, "decode") == 0 || strcmp(step.name, "begin") == 0) {
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

/* Write a handler's step in this phase, if it has one. */
static void
put_handler_step(struct writer *writer, const char *phase, const struct herald_handler *handler,
		 bool has_step)
{
	if (has_step)
		put_step(writer,
			 (struct step){phase, "handler", herald__handler_name(handler), NULL});
}

static void
put_receive_steps(struct writer *writer, struct herald_handler *const *handlers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put_handler_step(writer, "receive", handlers[i], handlers[i]->ops->receive);
}

/* The names of several formats. */
static void
put_formats(struct writer *writer)
{
	const struct herald_service *service = writer->service;

	if (writer->json)
		put_comma(writer);
	put(writer, writer->json ? "{\"step\":\"decode\",\"formats\":[" : "\tdecode    formats");
	for (size_t i = 0; i < service->formats_count; i++) {
		const char *name = herald__format_name(service->formats[i]);

		if (!writer->json) {
			put(writer, i > 0 ? ", " : " ");
			put(writer, name);
			continue;
		}
		put(writer, i > 0 ? "," : "");
		put_string(writer, name);
	}
	put(writer, writer->json ? "]}" : "\n");
}

static void
put_decode_steps(struct writer *writer, const struct herald_schema *payload)
{
	const struct herald_service *service = writer->service;

	if (service->formats_count > 1)
		put_formats(writer);
	else if (service->has_envelope)
		put_step(writer,
			 (struct step){"decode", "envelope", service->envelope->name, NULL});
	else
		put_step(writer, (struct step){"decode", "format",
					       herald__format_name(service->formats[0]), NULL});
	put_step(writer, (struct step){"payload", "schema", payload->name, NULL});
}

static void
put_accept_steps(struct writer *writer, struct herald_handler *const *handlers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put_handler_step(writer, "accept", handlers[i], handlers[i]->ops->accept);
}

/* With a store, the event is stored here, and the next steps run later. */
static void
put_store_step(struct writer *writer, const struct herald_route *route)
{
	const struct {
		const char *name, *value;
	} all[] = {
		{"queue", writer->service->queue},
		{"key", route->key},
		{"when_dead", !route->key                                 ? NULL
			      : route->when_dead == HERALD_WHEN_DEAD_HOLD ? "hold"
									  : "release"},
	};

	put(writer, writer->json ? ",{\"step\":\"store\"" : "\tstore    ");
	for (size_t i = 0; i < HERALD_COUNT(all); i++) {
		if (!all[i].value)
			continue;
		put(writer, writer->json ? ",\"" : i == 0 ? " " : ", ");
		put(writer, all[i].name);
		put(writer, writer->json ? "\":" : " ");
		if (writer->json)
			put_string(writer, all[i].value);
		else
			put(writer, all[i].value);
	}
	put(writer, writer->json ? "}" : "\n");
	if (route->transaction == HERALD_TRANSACTION_JOIN)
		put_step(writer, (struct step){"begin", "transaction", "join", NULL});
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
		put_handler_step(writer, "before", handlers[i], handlers[i]->ops->before);
}

static void
put_again_step(struct writer *writer, const struct herald_route *route)
{
	const struct herald_handler *handler = herald__handlers_again(writer->service, route);

	put_handler_step(writer, "again", handler, handler);
}

static void
put_after_steps(struct writer *writer, struct herald_handler *const *handlers, size_t count)
{
	for (; count > 0; count--)
		put_handler_step(writer, "after", handlers[count - 1],
				 handlers[count - 1]->ops->after);
}

static void
put_rejected_steps(struct writer *writer, struct herald_handler *const *handlers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put_handler_step(writer, "rejected", handlers[i], handlers[i]->ops->rejected);
}

static void
put_steps(struct writer *writer, const struct herald_route *route,
	  const struct herald__upcast *upcast)
{
	const struct herald_service *service = writer->service;

	put_receive_steps(writer, service->handlers, service->handlers_count);
	put_decode_steps(writer, upcast ? upcast->declared.from_schema : route->schema);
	if (service->inbox) {
		put_accept_steps(writer, service->handlers, service->handlers_count);
		put_accept_steps(writer, route->handlers, route->handlers_count);
		put_store_step(writer, route);
	}
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

/* Routes, and the versions that upcasters convert for them. */

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

/* Write one path: a route's own version, or the version that an upcaster converts. */
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

/* With a type, also the route that takes other types: it takes versions that are not declared. */
static bool
is_shown(const struct writer *writer, const struct herald__route *route)
{
	const char *type = route->declared.event_type;

	return !writer->event_type || strcmp(type, writer->event_type) == 0 ||
	       strcmp(type, HERALD_ANY_TYPE) == 0;
}

static void
put_ways(struct writer *writer)
{
	const struct herald__route_table *table = &writer->service->table;

	writer->first = true;
	for (size_t i = 0; i < table->routes_count; i++)
		if (is_shown(writer, &table->routes[i]))
			put_way(writer, &table->routes[i], NULL);
	for (size_t i = 0; i < table->upcasts_count; i++)
		if (is_shown(writer, table->upcasts[i].route))
			put_way(writer, table->upcasts[i].route, &table->upcasts[i]);
}

/* Schemas: of the envelope and of the routes' payloads, and the inner ones. */

static bool
collect_schemas(const struct writer *writer, struct herald__definitions *out)
{
	const struct herald_service *service = writer->service;
	const struct herald__route_table *table = &service->table;

	if (service->has_envelope && !herald__definitions_add(out, service->envelope_codec))
		return false;
	for (size_t i = 0; i < table->routes_count; i++)
		if (table->routes[i].codec && is_shown(writer, &table->routes[i]) &&
		    !herald__definitions_add(out, table->routes[i].codec))
			return false;
	for (size_t i = 0; i < table->upcasts_count; i++)
		if (table->upcasts[i].codec && is_shown(writer, table->upcasts[i].route) &&
		    !herald__definitions_add(out, table->upcasts[i].codec))
			return false;
	return true;
}

/* Write ": " and a line for people, if there is one. */
static void
put_doc_text(struct writer *writer, const char *doc)
{
	put(writer, doc ? ": " : "");
	put(writer, doc ? doc : "");
	put(writer, "\n");
}

static void
put_member(struct writer *writer, const struct herald__field *field)
{
	bool required = (field->flags & HERALD__REQUIRED) != 0;

	if (!writer->json) {
		put(writer, "\t");
		put(writer, field->name);
		put(writer, required ? ", required" : "");
		put_doc_text(writer, field->field->doc);
		return;
	}
	put_comma(writer);
	put(writer, "{\"name\":");
	put_string(writer, field->name);
	put(writer, required ? ",\"required\":true" : ",\"required\":false");
	put(writer, ",\"doc\":");
	put_string(writer, field->field->doc);
	put(writer, "}");
}

static void
put_schema(struct writer *writer, const struct herald__definition *definition)
{
	const struct herald__plan *plan = definition->plan;

	if (writer->json) {
		put_comma(writer);
		put(writer, "{\"name\":");
		put_string(writer, definition->name);
		put(writer, ",\"doc\":");
		put_string(writer, plan->schema->doc);
		put(writer, ",\"members\":[");
	} else {
		put(writer, "struct ");
		put(writer, definition->name);
		put_doc_text(writer, plan->schema->doc);
	}
	writer->first = true;
	for (size_t i = 0; i < plan->fields_count; i++)
		put_member(writer, &plan->fields[i]);
	put(writer, writer->json ? "]}" : "");
	writer->first = false;
}

static void
put_schemas(struct writer *writer)
{
	struct herald__definitions definitions = {.count = 0};

	if (writer->status == HERALD_OK)
		writer->status =
			herald_arena_create(&writer->out->allocator, 0, &definitions.arena);
	if (writer->status == HERALD_OK && !collect_schemas(writer, &definitions))
		writer->status = HERALD_NO_MEMORY;
	writer->first = true;
	for (size_t i = 0; i < definitions.count; i++)
		put_schema(writer, &definitions.all[i]);
	herald_arena_destroy(definitions.arena);
}

/* The service, and the public function. */

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

/* Write the options for type, version, id and source that are set. */
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

/* Write the names that the service, a format, a handler or a route lists. */
static void
put_attributes(struct writer *writer)
{
	const struct herald__attribute_names *names = &writer->service->attributes;

	writer->first = true;
	for (size_t i = 0; i < names->count; i++) {
		if (writer->json) {
			put_comma(writer);
			put_string(writer, names->all[i].text);
			continue;
		}
		put(writer, i == 0 ? "attributes: " : ", ");
		put(writer, names->all[i].text);
	}
	if (!writer->json && names->count > 0)
		put(writer, "\n");
}

static void
put_text(struct writer *writer)
{
	put_ways(writer);
	put_pointers(writer);
	put_attributes(writer);
	put(writer, "unknown events: ");
	put(writer, policy_name(writer->service));
	put(writer, "\nlimits\n");
	put_limits(writer);
	put_schemas(writer);
}

static void
put_json(struct writer *writer)
{
	put(writer, "{\"routes\":[");
	put_ways(writer);
	put(writer, "],\"unknown\":");
	put_string(writer, policy_name(writer->service));
	put_pointers(writer);
	put(writer, ",\"attributes\":[");
	put_attributes(writer);
	put(writer, "],\"limits\":{");
	put_limits(writer);
	put(writer, "},\"schemas\":[");
	put_schemas(writer);
	put(writer, "]}");
}

enum herald_status
herald__service_describe(const struct herald_service *service, enum herald_describe_format format,
			 const char *event_type, struct herald_buffer *out)
{
	struct writer writer = {
		.service = service,
		.event_type = event_type,
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

enum herald_status
herald_service_describe(const struct herald_service *service, enum herald_describe_format format,
			struct herald_buffer *out)
{
	return herald__service_describe(service, format, NULL, out);
}
