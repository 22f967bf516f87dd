/*
 * The message: its schema, and the two well-known members of its metadata. How an envelope is decoded
 * is the codec's business, which envelope a service takes is service.c's.
 */
#include <herald/message.h>

HERALD_SCHEMA_DEFINE_WITH(herald_message, (.doc = "The envelope of every event."),
	HERALD_MESSAGE_FIELDS_(herald_message, event_type, timestamp, payload, metadata));

static const char *
get_or_empty(const struct herald_json_map *metadata, const char *key)
{
	const char *value = herald_json_map_get(metadata, key);

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
