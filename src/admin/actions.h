/*
 * Actions: api/dead-letters/replay and api/dead-letters/drop. Private.
 */
#ifndef HERALD_SRC_ADMIN_ACTIONS_H
#define HERALD_SRC_ADMIN_ACTIONS_H

#include "admin/admin.h"

/* Create the codec of their bodies. */
HERALD_MUST_CHECK enum herald_status
herald__admin_actions_init(struct herald_admin *admin, struct herald_error *error);

void herald__admin_replay(struct herald__admin_call *call);
void herald__admin_drop(struct herald__admin_call *call);

#endif
