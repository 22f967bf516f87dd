/*
 * The message: its schema, and the two well-known members of its metadata. How an envelope is decoded
 * is the codec's business, which envelope a service takes is service.c's.
 */
#include <herald/message.h>

/*
 * HERALD_MESSAGE_FIELDS describes a message that is the first member of another struct. As the only
 * member it has the same place and size as the message alone, so that the list of fields stands once.
 */
struct envelope {
	struct herald_message message;
};

_Static_assert(sizeof(struct envelope) == sizeof(struct herald_message), "the same layout");

static const struct herald_field fields[] = {HERALD_MESSAGE_FIELDS(envelope, message)};

const struct herald_schema herald_message_schema = {
	.name = "herald_message",
	.bytes = sizeof(struct herald_message),
	.alignment = _Alignof(struct herald_message),
	.fields = fields,
	.fields_count = sizeof(fields) / sizeof(fields[0]),
	.doc = "The envelope of every event.",
};

static const char *
get_or_empty(const struct herald_map *metadata, const char *key)
{
	const char *value = herald_map_get(metadata, key);

	return value ? value : "";
}

const char *
herald_message_version(const struct herald_message *message)
{
	return get_or_empty(&message->metadata, "version");
}

const char *
herald_message_source(const struct herald_message *message)
{
	return get_or_empty(&message->metadata, "source");
}
