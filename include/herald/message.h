/*
 * The message: the members of every event besides its payload.
 *
 *	{"event_type": "user_created", "timestamp": "2024-08-20T05:21:19.143357839Z",
 *	 "payload": {...}, "metadata": {"source": "user_service", "version": "1.0"}}
 *
 * The envelope is an ordinary schema. To read more members of an event, extend it:
 *
 *	struct my_message { struct herald_message message; const char *tenant; };
 *	HERALD_SCHEMA(my_message,
 *		HERALD_MESSAGE_FIELDS(my_message, message),
 *		HERALD_FIELD(my_message, tenant));
 *
 * and set `.envelope = &my_message_schema` of the service.
 */
#ifndef HERALD_MESSAGE_H
#define HERALD_MESSAGE_H

#include <herald/export.h>
#include <herald/schema.h>
#include <herald/time.h>
#include <herald/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An event's message. It lives until the event has been handled. */
struct herald_message {
	const char *event_type;          /**< Required, not empty; or read from `type_from`. */
	struct herald_time timestamp;    /**< Required. */
	struct herald_json payload;      /**< Raw text; overwritten when it is decoded. */
	struct herald_json_map metadata; /**< Any values; see herald_context_version(). */
};

/** The schema of struct herald_message: the default envelope of a service. */
HERALD_API extern const struct herald_schema herald_message_schema;

#ifndef __cplusplus
/** The schema lines of MEMBER: a struct herald_message, the first member of struct STRUCT. */
#define HERALD_MESSAGE_FIELDS(STRUCT, MEMBER)                                                      \
	HERALD_MESSAGE_FIELDS_(STRUCT, MEMBER.event_type, MEMBER.timestamp, MEMBER.payload,        \
			       MEMBER.metadata)

/* The same, by the names of the message's members in the struct. */
#define HERALD_MESSAGE_FIELDS_(STRUCT, EVENT_TYPE, TIMESTAMP, PAYLOAD, METADATA)                   \
	HERALD_FIELD(STRUCT, EVENT_TYPE, .key = "event_type", .required = true, .min_bytes = 1,    \
		     .doc = "What happened; selects the route."),                                  \
		HERALD_FIELD(STRUCT, TIMESTAMP, .key = "timestamp", .required = true,              \
			     .doc = "When it happened, RFC 3339."),                                \
		HERALD_FIELD(STRUCT, PAYLOAD, .key = "payload", .doc = "The event's own data."),   \
		HERALD_FIELD(STRUCT, METADATA, .key = "metadata",                                  \
			     .doc = "About the event: version, source, id and others.")
#endif

#ifdef __cplusplus
}
#endif
#endif
