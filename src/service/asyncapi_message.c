/*
 * The messages of an AsyncAPI document: names, and the schema of what is sent. In the envelope's
 * format, this is the envelope's schema and what a route says of some members: where the type and
 * the version are (identity.c), and the payload.
 */
#include "service/asyncapi_message.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/text.h>
#include <herald/json.h>

#include "service/format.h"
#include "service/identity.h"

/* A member of the envelope: the names on the way to it. */
struct place {
	const struct herald_text *tokens;
	size_t count;
};

static const struct herald_text type_tokens[] = {{"event_type", 10}};
static const struct herald_text version_tokens[] = {{"metadata", 8}, {"version", 7}};
static const struct herald_text payload_tokens[] = {{"payload", 7}};

/* Where the type or the version of an event is. */
static struct place
place_of(const struct herald_service *service, enum herald__identity which)
{
	const struct herald__pointer *pointer = &service->pointers[which];

	if (pointer->text)
		return (struct place){pointer->tokens, pointer->tokens_count};
	return which == HERALD__IDENTITY_TYPE ? (struct place){type_tokens, 1}
					      : (struct place){version_tokens, 2};
}

/* Begin a schema of what is at a place. It is closed with end_place(). */
static void
begin_place(struct herald__indented *json, struct place place, bool required)
{
	herald__indented_begin(json, '{');
	for (size_t i = 0; i < place.count; i++) {
		const struct herald_text *token = &place.tokens[i];

		if (required) {
			herald__indented_key(json, "required");
			herald__indented_begin_line(json, '[');
			herald__indented_text_bytes(json, token->data, token->bytes);
			herald__indented_end(json, ']');
		}
		herald__indented_key(json, "properties");
		herald__indented_begin(json, '{');
		herald__indented_key_bytes(json, token->data, token->bytes);
		herald__indented_begin(json, '{');
	}
}

static void
end_place(struct herald__indented *json, struct place place)
{
	for (size_t i = 0; i < 2 * place.count; i++)
		herald__indented_end(json, '}');
	herald__indented_end(json, '}');
}

/* Whether a pointer may go through an array, whose elements "properties" does not name. */
static bool
has_index(struct place place)
{
	for (size_t i = 0; i < place.count; i++) {
		size_t digits = 0, bytes = place.tokens[i].bytes;

		while (digits < bytes && strchr("0123456789", place.tokens[i].data[digits]))
			digits++;
		if (bytes > 0 && digits == bytes)
			return true;
	}
	return false;
}

/* Whether a text is also the JSON text of a number, true or false. */
static bool
is_word(const char *text)
{
	struct herald_json json;
	enum herald_json_type type;

	if (herald_json_check(text, strlen(text), NULL, &json, NULL) != HERALD_OK)
		return false;
	type = herald_json_type_of(&json);
	return (type == HERALD_JSON_NUMBER || type == HERALD_JSON_BOOL) &&
	       json.bytes == strlen(text);
}

/* Write the keywords of a member that has this text: a string, or what has it as its JSON text. */
static void
write_exact(struct herald__indented *json, const char *text)
{
	if (!is_word(text)) {
		herald__indented_member(json, "const", text);
		return;
	}
	herald__indented_key(json, "enum");
	herald__indented_begin_line(json, '[');
	herald__indented_text(json, text);
	herald__indented_word(json, text);
	herald__indented_end(json, ']');
}

/* Write the keywords of a version that begins as "1.x" does. A part that does not fit is cut, so
 * that the pattern accepts more. */
static void
write_prefix(struct herald__indented *json, const char *version)
{
	char pattern[256] = "^";
	size_t bytes = 1, left = strlen(version) - 2;

	for (; left > 0 && bytes < sizeof(pattern) - 12; left--, version++) {
		if (strchr("^$\\.*+?()[]{}|/", *version))
			pattern[bytes++] = '\\';
		pattern[bytes++] = *version;
	}
	memcpy(pattern + bytes, left > 0 ? "" : "(\\.|$)", left > 0 ? 1 : 7);
	herald__indented_key(json, "type");
	herald__indented_begin_line(json, '[');
	herald__indented_text(json, "string");
	herald__indented_text(json, "number");
	herald__indented_end(json, ']');
	herald__indented_member(json, "pattern", pattern);
}

static void
write_type(struct herald__indented *json, const struct herald_service *service,
	   const struct herald__message *message)
{
	struct place place = place_of(service, HERALD__IDENTITY_TYPE);

	if (strcmp(message->route->event_type, HERALD_ANY_TYPE) == 0 || has_index(place))
		return;
	begin_place(json, place, true);
	if (place.tokens == type_tokens)
		herald__indented_member(json, "const", message->route->event_type);
	else
		write_exact(json, message->route->event_type);
	end_place(json, place);
}

/* Without a version, the member is missing, null or empty. */
static void
write_no_version(struct herald__indented *json)
{
	herald__indented_key(json, "enum");
	herald__indented_begin_line(json, '[');
	herald__indented_text(json, "");
	herald__indented_text(json, NULL);
	herald__indented_end(json, ']');
}

static void
write_version(struct herald__indented *json, const struct herald_service *service,
	      const struct herald__message *message)
{
	struct place place = place_of(service, HERALD__IDENTITY_VERSION);
	const char *version = message->version;
	size_t bytes = version ? strlen(version) : 0;

	if (!version || has_index(place))
		return;
	begin_place(json, place, bytes > 0);
	if (bytes == 0)
		write_no_version(json);
	else if (bytes > 2 && strcmp(version + bytes - 2, ".x") == 0)
		write_prefix(json, version);
	else
		write_exact(json, version);
	end_place(json, place);
}

/* A payload that is missing counts as an empty one. */
static void
write_payload(struct herald__schema_writer *writer, const struct herald__message *message)
{
	const struct place place = {payload_tokens, 1};
	bool required = false;

	if (!message->payload)
		return;
	for (size_t i = 0; i < message->payload->words_count; i++)
		required |= message->payload->required[i] != 0;
	begin_place(&writer->json, place, required);
	herald__schema_write_ref(writer, message->payload, !required, true);
	end_place(&writer->json, place);
}

static void
write_envelope(struct herald__schema_writer *writer, const struct herald_service *service,
	       const struct herald__message *message)
{
	struct herald__indented *json = &writer->json;

	herald__indented_key(json, "allOf");
	herald__indented_begin(json, '[');
	herald__indented_begin(json, '{');
	herald__schema_write_ref(writer, service->envelope_codec->root, false, true);
	herald__indented_end(json, '}');
	write_type(json, service, message);
	write_version(json, service, message);
	write_payload(writer, message);
	herald__indented_end(json, ']');
}

/* Write "title": the type and the version. A title that is too long ends in "...". */
static void
write_title(struct herald__indented *json, const struct herald__message *message)
{
	char title[256];

	if (!message->version || !*message->version)
		return;
	herald_text_write(title, sizeof(title), "%s %s", message->route->event_type,
			  message->version);
	herald__indented_member(json, "title", title);
}

void
herald__message_write(struct herald__schema_writer *writer, const struct herald_service *service,
		      const struct herald__message *message)
{
	struct herald__indented *json = &writer->json;
	bool is_envelope = message->format == &herald_format_envelope;
	char text[160];

	if (strcmp(message->route->event_type, HERALD_ANY_TYPE) != 0)
		herald__indented_member(json, "name", message->route->event_type);
	write_title(json, message);
	herald__indented_member(json, "summary", message->route->doc);
	if (!is_envelope) {
		snprintf(text, sizeof(text),
			 "In the format %.80s: the payload is the event's data.",
			 herald__format_name(message->format));
		herald__indented_member(json, "description", text);
	}
	herald__indented_key(json, "payload");
	herald__indented_begin(json, '{');
	if (is_envelope)
		write_envelope(writer, service, message);
	else if (message->payload)
		herald__schema_write_ref(writer, message->payload, false, true);
	herald__indented_end(json, '}');
}
