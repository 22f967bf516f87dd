/*
 * The options of a service about its store, and of its routes. Private.
 */
#ifndef HERALD_SRC_SERVICE_DURABLE_H
#define HERALD_SRC_SERVICE_DURABLE_H

#include "service/service.h"

/* Check and copy the options. Call it after the routes are added, and before the names of
 * attributes are collected. */
HERALD_MUST_CHECK enum herald_status
herald__durable_init(struct herald_service *service, const struct herald_service_options *options,
		     struct herald_error *error);

#endif
