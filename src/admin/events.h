/*
 * The resource api/events: how the last events ended. Private.
 */
#ifndef HERALD_SRC_ADMIN_EVENTS_H
#define HERALD_SRC_ADMIN_EVENTS_H

#include "admin/admin.h"

void herald__admin_events(struct herald__admin_call *call);

#endif
