/*
 * Building the route table. Private.
 */
#ifndef HERALD_SRC_SERVICE_ROUTE_BUILD_H
#define HERALD_SRC_SERVICE_ROUTE_BUILD_H

#include "service/route.h"

/*
 * Check routes and upcasters and build their table. Handlers are copied with their routes, but
 * checked by the service.
 *
 * arena   holds all copies; the table is valid as long.
 * Errors  HERALD_BAD_SCHEMA, HERALD_BAD_OPTION, HERALD_NO_MEMORY; the table must then not be used.
 */
HERALD_MUST_CHECK enum herald_status
herald__route_table_init(struct herald__route_table *table, struct herald_arena *arena,
			 const struct herald_route *routes, size_t routes_count,
			 const struct herald_upcaster *upcasters, size_t upcasters_count,
			 struct herald_error *error);

#endif
