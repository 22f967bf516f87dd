/*
 * What route.c and route_build.c share beside the table itself.
 */
#ifndef HERALD_SRC_ROUTE_BUILD_H
#define HERALD_SRC_ROUTE_BUILD_H

#include "route.h"

uint32_t herald__type_hash(const char *event_type);

/* The version entry that takes a type's version, or NULL; the catch-all is not asked. */
const struct herald__version *
herald__route_table_version(const struct herald__route_table *table, const char *event_type,
			    const char *version);

#endif
