/*
 * Answering a request to the dashboard. Private.
 */
#ifndef HERALD_SRC_ADMIN_HANDLE_H
#define HERALD_SRC_ADMIN_HANDLE_H

#include "admin/admin.h"

/* What all answers have. */
#define HERALD__ADMIN_HEADERS 6
extern const struct herald_answer_header herald__admin_headers[HERALD__ADMIN_HEADERS];

/* As herald_admin_handle(), with counts of `server` if the options have none. It may be NULL. */
HERALD_MUST_CHECK enum herald_status
herald__admin_handle_with(struct herald_admin *admin, const struct herald_server *server,
			  const struct herald_admin_request *request,
			  struct herald_admin_response *response);

#endif
