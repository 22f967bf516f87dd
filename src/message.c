/*
 * The message: its schema. How an envelope is decoded is the codec's business, which envelope a service takes
 * is service.c's, where type, version, id and source come from is identity.c's.
 */
#include <herald/message.h>

HERALD_SCHEMA_DEFINE_WITH(herald_message, (.doc = "The envelope of every event."),
	HERALD_MESSAGE_FIELDS_(herald_message, event_type, timestamp, payload, metadata));
