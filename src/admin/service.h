/*
 * The resources api/service and api/pipeline: what does not change while the process runs. Private.
 */
#ifndef HERALD_SRC_ADMIN_SERVICE_H
#define HERALD_SRC_ADMIN_SERVICE_H

#include "admin/admin.h"

void herald__admin_service(struct herald__admin_call *call);
void herald__admin_pipeline(struct herald__admin_call *call);

#endif
