/*
 * Statements whose conditions are known only when they run: prepared for one use.
 */
#ifndef HERALD_SQLITE_FILTER_H
#define HERALD_SQLITE_FILTER_H

#include "statement.h"

/* A condition with one parameter. It is left out unless is_set. */
struct sqlite_condition {
	bool is_set;
	const char *sql;  /* such as "queue = ?" */
	const char *text; /* the parameter; NULL: the number */
	int64_t number;
};

/*
 * Prepare `start`, " WHERE " with the conditions that are set, and `end`, which may have parameters
 * of its own, and bind the parameters of the conditions. End it with herald__sqlite_filter_end(),
 * also after an error.
 */
struct sqlite_query
herald__sqlite_filter(struct sqlite_session *session, const char *start,
		      const struct sqlite_condition *conditions, size_t count, const char *end);

void herald__sqlite_filter_end(struct sqlite_query *query);

#endif
