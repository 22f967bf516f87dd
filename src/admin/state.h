/*
 * The resource api/state: counts of the process, which the page reads again and again. Private.
 */
#ifndef HERALD_SRC_ADMIN_STATE_H
#define HERALD_SRC_ADMIN_STATE_H

#include "admin/admin.h"

void herald__admin_state(struct herald__admin_call *call);

#endif
