/*
 * Deduplication: the keys of events that were accepted lately, in two tables. New keys go into the
 * current one; when the window has passed, the other one is emptied and becomes the current one.
 */
#ifndef HERALD_SQLITE_SEEN_H
#define HERALD_SQLITE_SEEN_H

#include "shared.h"

enum herald_status
herald__sqlite_seen(struct herald_session *session, const unsigned char key[HERALD_SEEN_KEY_BYTES],
		    bool *is_new, struct herald_error *error);
enum herald_status herald__sqlite_seen_rotate(struct herald_session *session, int64_t now_ms,
					      int64_t window_ms, struct herald_error *error);

/* As herald__sqlite_seen(); session->seen_current must have been read in this transaction. */
enum herald_status herald__sqlite_seen_add(struct sqlite_session *session, const unsigned char *key,
					   bool *is_new, struct herald_error *error);

#endif
