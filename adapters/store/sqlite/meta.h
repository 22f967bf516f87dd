/*
 * The row of herald_meta, and which nodes may own rows: what a transaction asks first.
 */
#ifndef HERALD_SQLITE_META_H
#define HERALD_SQLITE_META_H

#include "shared.h"

/* Take `count` ids, greater than all before, for rows that are created at `created_ms`. Also sets
 * session->seen_current. */
enum herald_status
herald__sqlite_take_ids(struct sqlite_session *session, int64_t created_ms, size_t count,
			int64_t *first, struct herald_error *error);

/* Whether a node may own rows; HERALD_LEASE_LOST if it has left, or was recovered. 0 means
 * none, and is allowed. */
enum herald_status herald__sqlite_check_owner(struct sqlite_session *session, uint64_t owner,
					      struct herald_error *error);

enum herald_status herald__sqlite_secret(struct herald_session *session, unsigned char out[16],
					 struct herald_error *error);

#endif
