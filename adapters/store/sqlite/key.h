/*
 * Order per key. Of the events with one key, at most one is ready or running; and none, if a dead
 * letter with the key is held.
 */
#ifndef HERALD_SQLITE_KEY_H
#define HERALD_SQLITE_KEY_H

#include "shared.h"

/* Whether a new event with the key must wait: for another one, or for a dead letter. Key 0 never
 * does. */
enum herald_status herald__sqlite_key_is_taken(struct sqlite_session *session, uint64_t key_hash,
					       bool *is_taken, struct herald_error *error);

/* Make the first event that waits for the key ready, if the key is free. */
enum herald_status herald__sqlite_key_promote(struct sqlite_session *session, uint64_t key_hash,
					      struct herald_error *error);

#endif
