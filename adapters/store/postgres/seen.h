/*
 * Deduplication: the keys of events that were accepted, in two generations.
 */
#ifndef HERALD_POSTGRES_SEEN_H
#define HERALD_POSTGRES_SEEN_H

#include "database.h"

/*
 * Add the keys of new events, and mark those as duplicates whose key exists, or which an event
 * before them in the array has.
 */
enum herald_status
herald__postgres_seen_add(struct postgres_session *session, struct herald_stored_event *events,
			  size_t count, struct herald_error *error);

/* As the functions of herald_database_ops. */
enum herald_status
herald__postgres_seen(struct herald_session *base, const unsigned char key[HERALD_SEEN_KEY_BYTES],
		      bool *is_new, struct herald_error *error);
enum herald_status herald__postgres_seen_rotate(struct herald_session *base, int64_t now_ms,
						int64_t window_ms, struct herald_error *error);
enum herald_status herald__postgres_secret(struct herald_session *base, unsigned char out[16],
					   struct herald_error *error);

#endif
