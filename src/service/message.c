/*
 * The schema of the message. Envelopes are decoded by the codec; the service's envelope is chosen
 * in service.c; type, version, id and source are read in identity.c.
 */
#include <herald/message.h>

HERALD_SCHEMA_DEFINE_WITH(herald_message, (.doc = "The envelope of every event."),
	HERALD_MESSAGE_FIELDS_(herald_message, event_type, timestamp, payload, metadata));
