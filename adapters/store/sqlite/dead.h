/*
 * How events and deliveries become dead letters.
 */
#ifndef HERALD_SQLITE_DEAD_H
#define HERALD_SQLITE_DEAD_H

#include "shared.h"

/* Why a row becomes a dead letter. */
struct sqlite_death {
	uint64_t id;
	bool is_held;
	bool has_not_run;
	int64_t now_ms;
	enum herald_dead_reason why;
	const char *reason; /* NULL: the row's last_error */
	const char *path;   /* NULL: "" */
	int64_t offset;
	unsigned http_status; /* of a delivery */
};

/* Move a row to the dead letters. Rows that wait for its key or origin are not promoted. */
enum herald_status
herald__sqlite_event_die(struct sqlite_session *session, const struct sqlite_death *death,
			 struct herald_error *error);
enum herald_status
herald__sqlite_delivery_die(struct sqlite_session *session, const struct sqlite_death *death,
			    struct herald_error *error);

enum herald_status herald__sqlite_event_delete(struct sqlite_session *session, uint64_t id,
					       struct herald_error *error);
enum herald_status herald__sqlite_delivery_delete(struct sqlite_session *session, uint64_t id,
						  struct herald_error *error);

/* The reason's name in the table; "any" for HERALD_DEAD_ANY. */
const char *herald__sqlite_dead_name(enum herald_dead_reason why);

/* The reason of a name; HERALD_DEAD_ANY if it is unknown. */
enum herald_dead_reason herald__sqlite_dead_reason(const char *name);

#endif
