/*
 * Who may use the API: the token, the site that sent the request, and how often. Private.
 */
#ifndef HERALD_SRC_ADMIN_ACCESS_H
#define HERALD_SRC_ADMIN_ACCESS_H

#include "admin/admin.h"

/* Check the token and the sending site. Returns false after answering. */
bool herald__admin_may_read(struct herald__admin_call *call);

/* The same for an action of who may read: its content type, read-only mode, and how often. */
bool herald__admin_may_act(struct herald__admin_call *call);

#endif
