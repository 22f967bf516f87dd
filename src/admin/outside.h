/*
 * The members of api/state about what is outside of the process: receivers and brokers. Private.
 */
#ifndef HERALD_SRC_ADMIN_OUTSIDE_H
#define HERALD_SRC_ADMIN_OUTSIDE_H

#include "admin/admin.h"

void herald__admin_put_outside(struct herald__admin_call *call);

#endif
