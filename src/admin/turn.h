/*
 * Requests that wait for the database: one at a time. Private.
 */
#ifndef HERALD_SRC_ADMIN_TURN_H
#define HERALD_SRC_ADMIN_TURN_H

#include "admin/admin.h"

/* Wait a moment for the turn. Returns false if another request still has it. */
bool herald__admin_turn_take(struct herald_admin *admin);

/* Answer with 503 instead. */
void herald__admin_turn_refuse(struct herald__admin_call *call);

/* Give it to the next request. */
void herald__admin_turn_give(struct herald_admin *admin);

#endif
