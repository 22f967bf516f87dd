/*
 * The check of a database, for people.
 */
#ifndef HERALD_SQLITE_CHECK_H
#define HERALD_SQLITE_CHECK_H

#include "shared.h"

enum herald_status
herald__sqlite_check(struct herald_session *session, int64_t now_ms, herald_finding_visitor *visit,
		     void *state, struct herald_error *error);

#endif
