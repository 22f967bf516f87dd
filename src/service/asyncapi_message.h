/*
 * The messages of an AsyncAPI document. Private.
 */
#ifndef HERALD_SRC_SERVICE_ASYNCAPI_MESSAGE_H
#define HERALD_SRC_SERVICE_ASYNCAPI_MESSAGE_H

#include <herald/format.h>
#include <herald/route.h>

#include "codec/json_schema.h"
#include "service/service.h"

/* An event type and a version of it, in a format. */
struct herald__message {
	const char *key; /* in the document */
	const struct herald_route *route;
	const char *version;                /* as in struct herald_route */
	const struct herald__plan *payload; /* NULL: anything */
	const struct herald_format *format;
};

/* Write the members of a message into an open object. */
void
herald__message_write(struct herald__schema_writer *writer, const struct herald_service *service,
		      const struct herald__message *message);

#endif
