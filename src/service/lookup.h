/*
 * Looking for what a service takes, for people and tools: by an event type, and by a version if
 * they give one. Events are routed by route.c. Private.
 */
#ifndef HERALD_SRC_SERVICE_LOOKUP_H
#define HERALD_SRC_SERVICE_LOOKUP_H

#include "service/service.h"

/* The type that routes declare for events of this type: the same, HERALD_ANY_TYPE if only the
 * catch-all takes them, or NULL. */
const char *herald__lookup_type(const struct herald_service *service, const char *event_type);

/*
 * What takes an event of a type and a version. The version NULL is the newest one: the route of the
 * type with the highest version, whose numbers are compared as such: "10" is higher than "9".
 * Upcasters, and routes without a version, are lower than all others.
 */
struct herald__target
herald__lookup(const struct herald_service *service, const char *event_type, const char *version);

/* Append "there is no event type "x"; there are: "a", "b"", or the same of a version of a type that
 * is known. */
HERALD_MUST_CHECK enum herald_status
herald__lookup_explain(const struct herald_service *service, const char *event_type,
		       const char *version, struct herald_buffer *out);

#endif
