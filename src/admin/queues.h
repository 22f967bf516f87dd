/*
 * The resource api/queues: what is in the store, by queue, type and state. Private.
 */
#ifndef HERALD_SRC_ADMIN_QUEUES_H
#define HERALD_SRC_ADMIN_QUEUES_H

#include "admin/admin.h"

void herald__admin_queues(struct herald__admin_call *call);

#endif
