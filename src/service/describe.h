/*
 * The description of a service, or of a part of it. Private.
 */
#ifndef HERALD_SRC_SERVICE_DESCRIBE_H
#define HERALD_SRC_SERVICE_DESCRIBE_H

#include <herald/service.h>

/* As herald_service_describe(), with the routes and payloads of one event type as the routes
 * declare it. NULL: of all types. */
HERALD_MUST_CHECK enum herald_status
herald__service_describe(const struct herald_service *service, enum herald_describe_format format,
			 const char *event_type, struct herald_buffer *out);

#endif
