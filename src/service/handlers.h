/*
 * The handlers of a service, from its options to their destruction.
 */
#ifndef HERALD_SRC_SERVICE_HANDLERS_H
#define HERALD_SRC_SERVICE_HANDLERS_H

#include "service/service.h"

/* Check and copy the service's own handlers, before the routes are added. */
enum herald_status
herald__handlers_add(struct herald_service *service, const struct herald_service_options *options,
		     struct herald_error *error);

/* Check the routes' handlers, take ownership of all handlers, and record what they need. */
enum herald_status
herald__handlers_collect(struct herald_service *service, struct herald_error *error);

/* The handler that decides whether a route's function runs again, or NULL if it never does. */
struct herald_handler *
herald__handlers_again(const struct herald_service *service, const struct herald_route *route);

/* Return the ownership of all handlers, because the service could not be created. */
void herald__handlers_release(struct herald_service *service);

/* Destroy each handler once. */
void herald__handlers_destroy(struct herald_service *service);

/* The handler's name; never NULL. */
const char *herald__handler_name(const struct herald_handler *handler);

#endif
