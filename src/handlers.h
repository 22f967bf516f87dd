/*
 * The handlers of a service, from their lists in the options to their end.
 */
#ifndef HERALD_SRC_HANDLERS_H
#define HERALD_SRC_HANDLERS_H

#include "service.h"

/* Check and keep the service's own, before there are routes. */
enum herald_status
herald__handlers_add(struct herald_service *service, const struct herald_service_options *options,
		     struct herald_error *error);

/* Check those of the routes, take them all over, and note what they need. */
enum herald_status
herald__handlers_collect(struct herald_service *service, struct herald_error *error);

/* Who is asked whether the function of a route is to run again; NULL: nobody, it is not. */
struct herald_handler *
herald__handlers_again(const struct herald_service *service, const struct herald_route *route);

/* Give back what was taken over so far: the creation failed. */
void herald__handlers_release(struct herald_service *service);

/* Destroy each once. */
void herald__handlers_destroy(struct herald_service *service);

/* The handler's name, never NULL. */
const char *herald__handler_name(const struct herald_handler *handler);

#endif
