/*
 * Storing new events.
 */
#ifndef HERALD_POSTGRES_ACCEPT_H
#define HERALD_POSTGRES_ACCEPT_H

#include "database.h"

/* As accept() of herald_database_ops. */
enum herald_status
herald__postgres_accept(struct herald_session *base, struct herald_stored_event *events,
			size_t count, struct herald_error *error);

#endif
