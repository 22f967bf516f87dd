/*
 * Deliveries by origin. Of one origin a bounded number is ready or running, and the others are
 * blocked, so that a receiver that does not answer costs the others nothing.
 */
#ifndef HERALD_SQLITE_ORIGIN_H
#define HERALD_SQLITE_ORIGIN_H

#include "shared.h"

/* How many more deliveries of the origin may be active; 0 if some are blocked. */
enum herald_status herald__sqlite_origin_room(struct sqlite_session *session, const char *origin,
					      unsigned *room, struct herald_error *error);

/* Make blocked deliveries of the origin ready, as many as there is room for. */
enum herald_status herald__sqlite_origin_promote(struct sqlite_session *session, const char *origin,
						 struct herald_error *error);

#endif
