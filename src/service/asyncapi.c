/*
 * A service as an AsyncAPI document: its messages, their names, and what they have in common.
 * asyncapi_message.c writes one message, codec/json_schema.c the schemas.
 */
#include <herald/asyncapi.h>

#include <stdio.h>
#include <string.h>

#include <herald/adapter/options.h>

#include "codec/json_schema.h"
#include "service/asyncapi_message.h"
#include "service/format.h"
#include "service/service.h"

/* A document that is being written. */
struct document {
	const struct herald_service *service;
	struct herald_asyncapi_options options; /* with the defaults filled in */
	struct herald__schema_writer writer;
	struct herald__message *messages;
	size_t messages_count;
};

/* Collecting the messages. */

static bool
is_taken(const char *name, const void *state)
{
	const struct document *document = state;

	for (size_t i = 0; i < document->messages_count; i++)
		if (strcmp(document->messages[i].key, name) == 0)
			return true;
	return false;
}

/* The name of a message in the document: "order_placed_2", "any", "order_placed_2_cloudevents". */
static const char *
make_key(const struct document *document, const struct herald__message *message)
{
	const char *version = message->version ? message->version : "";
	const char *type = strcmp(message->route->event_type, HERALD_ANY_TYPE) == 0
				   ? "any"
				   : message->route->event_type;
	const char *format = message->format == &herald_format_envelope
				     ? ""
				     : herald__format_name(message->format);
	struct herald_arena *arena = document->writer.definitions.arena;
	size_t room = strlen(type) + strlen(version) + strlen(format) + 3;
	char *text = herald_arena_alloc(arena, room);

	if (!text)
		return NULL;
	snprintf(text, room, "%s%s%s%s%s", type, *version ? "_" : "", version, *format ? "_" : "",
		 format);
	return herald__unique_name(arena, text, is_taken, document);
}

/* Add the messages of a route, or of a version that an upcaster converts, in each format. */
static bool
add_messages(struct document *document, const struct herald__route *route,
	     const struct herald__upcast *upcast)
{
	const struct herald_service *service = document->service;
	const struct herald_codec *codec = upcast ? upcast->codec : route->codec;

	if (codec && !herald__definitions_add(&document->writer.definitions, codec))
		return false;
	for (size_t i = 0; i < service->formats_count; i++) {
		struct herald__message *message = &document->messages[document->messages_count];

		*message = (struct herald__message){
			.route = &route->declared,
			.version = upcast ? upcast->declared.from : route->declared.version,
			.payload = codec ? codec->root : NULL,
			.format = service->formats[i],
		};
		if (!(message->key = make_key(document, message)))
			return false;
		document->messages_count++;
	}
	return true;
}

static bool
collect(struct document *document)
{
	const struct herald_service *service = document->service;
	const struct herald__route_table *table = &service->table;
	struct herald__definitions *definitions = &document->writer.definitions;
	size_t most = (table->routes_count + table->upcasts_count) * service->formats_count;

	document->messages =
		herald_arena_alloc(definitions->arena, most * sizeof(*document->messages));
	if (!document->messages || (service->has_envelope &&
				    !herald__definitions_add(definitions, service->envelope_codec)))
		return false;
	for (size_t i = 0; i < table->routes_count; i++)
		if (!add_messages(document, &table->routes[i], NULL))
			return false;
	for (size_t i = 0; i < table->upcasts_count; i++)
		if (!add_messages(document, table->upcasts[i].route, &table->upcasts[i]))
			return false;
	return true;
}

/* Writing. */

static void
begin(struct document *document, const char *key)
{
	herald__indented_key(&document->writer.json, key);
	herald__indented_begin(&document->writer.json, '{');
}

static void
end(struct document *document)
{
	herald__indented_end(&document->writer.json, '}');
}

/* Write {"$ref": "PREFIX" "NAME"}. */
static void
write_ref(struct document *document, const char *prefix, const char *name)
{
	struct herald__indented *json = &document->writer.json;

	herald__indented_begin_line(json, '{');
	herald__indented_key(json, "$ref");
	herald__indented_joined(json, prefix, name);
	herald__indented_end(json, '}');
}

static void
write_info(struct document *document)
{
	struct herald__indented *json = &document->writer.json;
	const struct herald_asyncapi_options *options = &document->options;

	begin(document, "info");
	herald__indented_member(json, "title", options->title);
	herald__indented_member(json, "version", options->version);
	herald__indented_member(json, "description", options->description);
	end(document);
	herald__indented_member(json, "defaultContentType", "application/json");
	if (!options->host)
		return;
	begin(document, "servers");
	begin(document, "main");
	herald__indented_member(json, "host", options->host);
	herald__indented_member(json, "protocol", options->protocol);
	end(document);
	end(document);
}

static void
write_channel(struct document *document)
{
	begin(document, "channels");
	begin(document, "events");
	herald__indented_member(&document->writer.json, "address", document->options.address);
	begin(document, "messages");
	for (size_t i = 0; i < document->messages_count; i++) {
		const char *key = document->messages[i].key;

		herald__indented_key(&document->writer.json, key);
		write_ref(document, "#/components/messages/", key);
	}
	end(document);
	end(document);
	end(document);
}

static void
write_operation(struct document *document)
{
	struct herald__indented *json = &document->writer.json;

	begin(document, "operations");
	begin(document, "receive");
	herald__indented_member(json, "action", "receive");
	herald__indented_key(json, "channel");
	write_ref(document, "#/channels/", "events");
	herald__indented_key(json, "messages");
	herald__indented_begin(json, '[');
	for (size_t i = 0; i < document->messages_count; i++)
		write_ref(document, "#/channels/events/messages/", document->messages[i].key);
	herald__indented_end(json, ']');
	end(document);
	end(document);
}

static void
write_components(struct document *document)
{
	struct herald__schema_writer *writer = &document->writer;

	begin(document, "components");
	begin(document, "messages");
	for (size_t i = 0; i < document->messages_count; i++) {
		begin(document, document->messages[i].key);
		herald__message_write(writer, document->service, &document->messages[i]);
		end(document);
	}
	end(document);
	begin(document, "schemas");
	for (size_t i = 0; i < writer->definitions.count; i++) {
		begin(document, writer->definitions.all[i].name);
		herald__schema_write(writer, writer->definitions.all[i].plan);
		end(document);
	}
	end(document);
	end(document);
}

static enum herald_status
write_document(struct document *document, struct herald_buffer *out)
{
	struct herald__indented *json = &document->writer.json;
	size_t bytes = out->bytes;

	if (!collect(document))
		return HERALD_NO_MEMORY;
	herald__indented_begin(json, '{');
	herald__indented_member(json, "asyncapi", "3.0.0");
	write_info(document);
	write_channel(document);
	write_operation(document);
	write_components(document);
	herald__indented_end(json, '}');
	if (json->status != HERALD_OK)
		out->bytes = bytes;
	return json->status;
}

static const char *
or_default(const char *text, const char *otherwise)
{
	return text ? text : otherwise;
}

static enum herald_status
read_options(const struct herald_asyncapi_options *options, struct herald_asyncapi_options *out,
	     struct herald_error *error)
{
	enum herald_status status =
		herald_options_read(options, out, sizeof(*out), "HERALD_ASYNCAPI_OPTIONS", error);

	if (status != HERALD_OK)
		return status;
	if (out->protocol && !out->host)
		return herald_option_refuse(error, "protocol", "needs a host");
	out->title = or_default(out->title, "Events");
	out->version = or_default(out->version, "1.0.0");
	out->protocol = or_default(out->protocol, "http");
	out->address = or_default(out->address, "/event");

	const struct herald_option_range range = {"indent", out->indent, 0, HERALD__MAX_INDENT};
	return herald_option_ranges_check(&range, 1, error);
}

enum herald_status
herald_service_asyncapi(const struct herald_service *service,
			const struct herald_asyncapi_options *options, struct herald_buffer *out,
			struct herald_error *error)
{
	struct document document = {.service = service};
	struct herald_arena *arena = NULL;
	enum herald_status status = read_options(options, &document.options, error);

	if (status != HERALD_OK)
		return status;
	status = herald_arena_create(&out->allocator, 0, &arena);
	if (status == HERALD_OK) {
		document.writer = (struct herald__schema_writer){
			.json = {.out = out, .indent = document.options.indent},
			.definitions = {.arena = arena},
			.prefix = "#/components/schemas/",
			.refs_are_alone = true,
		};
		status = write_document(&document, out);
	}
	herald_arena_destroy(arena);
	return status == HERALD_OK ? HERALD_OK : herald__document_fail(status, error);
}
