/*
 * The resources api/asyncapi and api/schema: what events the service takes. Private.
 */
#ifndef HERALD_SRC_ADMIN_SCHEMA_H
#define HERALD_SRC_ADMIN_SCHEMA_H

#include "admin/admin.h"

void herald__admin_asyncapi(struct herald__admin_call *call);
void herald__admin_schema(struct herald__admin_call *call);

/* The service of the dashboard; NULL after answering that there is none. */
const struct herald_service *herald__admin_service_of(struct herald__admin_call *call);

/* Answer that the service takes no such event, and which ones it takes. `version` may be NULL. */
void herald__admin_refuse_type(struct herald__admin_call *call, const char *event_type,
			       const char *version);

#endif
