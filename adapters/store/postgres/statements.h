/*
 * The statements, as SQL with the schema left open: "@event" becomes "schema".herald_event.
 */
#ifndef HERALD_POSTGRES_STATEMENTS_H
#define HERALD_POSTGRES_STATEMENTS_H

#include <herald/arena.h>

/* X(name, what it does, for messages). */
#define POSTGRES_STATEMENT_LIST(X)                                                                 \
	X(META_FIND, "look for its tables")                                                        \
	X(META_READ, "read the version of its tables")                                             \
	X(RIGHTS, "check its rights")                                                              \
	X(SECRET, "read its secret")                                                               \
	X(MARK_CREATE, "mark a session")                                                           \
	X(MARK_DELETE, "remove the mark of a session")                                             \
	X(MARK_LOOK, "look up a transaction")                                                      \
	X(MARK_CLEAN, "remove the marks of old sessions")                                          \
	X(EVENT_INSERT, "store events")                                                            \
	X(EVENT_CLAIM, "claim events")                                                             \
	X(EVENT_NEXT, "look for the next event")                                                   \
	X(EVENT_OWNED, "list the events of a node")                                                \
	X(EVENT_DONE, "finish events")                                                             \
	X(EVENT_RETURN, "put off events")                                                          \
	X(EVENT_DEAD, "store dead letters")                                                        \
	X(SEEN_LOCK, "lock the known ids")                                                         \
	X(SEEN_CURRENT, "find the known ids")                                                      \
	X(SEEN_CURRENT_SHARED, "find the known ids")                                               \
	X(SEEN_ADD_0, "store known ids")                                                           \
	X(SEEN_ADD_1, "store known ids")                                                           \
	X(SEEN_DUE, "find out whether known ids are too old")                                      \
	X(SEEN_LOCK_ALONE, "lock the known ids")                                                   \
	X(SEEN_DROP_0, "remove known ids")                                                         \
	X(SEEN_DROP_1, "remove known ids")                                                         \
	X(SEEN_SWITCH, "begin new known ids")                                                      \
	X(LANES_LOCK, "lock the lanes")                                                            \
	X(KEY_ADD, "count the events of keys")                                                     \
	X(KEY_REMOVE, "remove keys")                                                               \
	X(KEY_PROMOTE, "release the next event of a key")                                          \
	X(ORIGIN_ADD, "count the deliveries of origins")                                           \
	X(ORIGIN_REMOVE, "remove origins")                                                         \
	X(ORIGIN_PROMOTE, "release the next delivery to an origin")                                \
	X(NODE_JOIN, "register this process")                                                      \
	X(NODE_RENEW, "renew a lease")                                                             \
	X(NODE_KEEP, "keep the lease of a former node")                                            \
	X(NODE_LOCK, "lock a node")                                                                \
	X(NODE_LEAVE, "remove a node")                                                             \
	X(NODE_DEAD, "list dead nodes")                                                            \
	X(NODE_EXPIRED, "look up a node")                                                          \
	X(NODE_TERMINATE, "end the connections of a dead node")                                    \
	X(NODE_REMOVE, "remove a dead node")                                                       \
	X(RECOVER_DEAD, "store dead letters of a dead node")                                       \
	X(RECOVER_EVENTS, "recover the events of a dead node")                                     \
	X(RECOVER_DELIVERIES, "recover the deliveries of a dead node")                             \
	X(DELIVERY_INSERT, "store deliveries")                                                     \
	X(DELIVERY_CLAIM, "claim deliveries")                                                      \
	X(DELIVERY_NEXT, "look for the next delivery")                                             \
	X(DELIVERY_OWNED, "list the deliveries of a node")                                         \
	X(DELIVERY_DONE, "finish deliveries")                                                      \
	X(DELIVERY_RETURN, "put off deliveries")                                                   \
	X(DELIVERY_DEAD, "store dead letters")                                                     \
	X(DEAD_VISIT, "list dead letters")                                                         \
	X(DEAD_LIST, "list dead letters")                                                          \
	X(DEAD_SINCE, "look for late dead letters")                                                \
	X(DEAD_FIND, "look for dead letters")                                                      \
	X(DEAD_OLD, "look for old dead letters")                                                   \
	X(DEAD_SELECT, "select dead letters")                                                      \
	X(DEAD_REPLAY_EVENTS, "replay events")                                                     \
	X(DEAD_REPLAY_DELIVERIES, "replay deliveries")                                             \
	X(DEAD_DROP, "drop dead letters")                                                          \
	X(DEAD_SURPLUS, "count dead letters")                                                      \
	X(DEAD_SURPLUS_HELD, "count held dead letters")                                            \
	X(DEAD_TRIM, "drop old dead letters")                                                      \
	X(PURGE_EVENTS_FIND, "look for events")                                                    \
	X(PURGE_EVENTS_SELECT, "select events")                                                    \
	X(PURGE_EVENTS_LOCK, "lock keys")                                                          \
	X(PURGE_EVENTS, "delete events")                                                           \
	X(PURGE_DELIVERIES_FIND, "look for deliveries")                                            \
	X(PURGE_DELIVERIES_SELECT, "select deliveries")                                            \
	X(PURGE_DELIVERIES_LOCK, "lock origins")                                                   \
	X(PURGE_DELIVERIES, "delete deliveries")                                                   \
	X(PENDING, "count events")                                                                 \
	X(PENDING_MOST, "measure its tables")                                                      \
	X(PENDING_EVENTS, "count events")                                                          \
	X(PENDING_DELIVERIES, "count deliveries")                                                  \
	X(COUNTS, "count its rows")                                                                \
	X(CHECK_KEYS, "check its keys")                                                            \
	X(CHECK_ORIGINS, "check its origins")                                                      \
	X(CHECK_OWNERS, "check its owners")                                                        \
	X(CHECK_SIZES, "measure its tables")                                                       \
	X(CHECK_READERS, "look for old snapshots")                                                 \
	X(CHECK_SETTINGS, "check the settings of the server")

enum postgres_statement {
#define POSTGRES_STATEMENT_ENUM_(name, what) POSTGRES_##name,
	POSTGRES_STATEMENT_LIST(POSTGRES_STATEMENT_ENUM_)
#undef POSTGRES_STATEMENT_ENUM_
		POSTGRES_STATEMENT_COUNT
};

/* For messages: "store events". */
const char *herald__postgres_statement_what(enum postgres_statement statement);

/* The SQL of a statement for a schema; NULL when out of memory. */
const char *herald__postgres_statement_sql(struct herald_arena *arena, const char *schema,
					   enum postgres_statement statement);

/* Replace "@" in any SQL. NULL when out of memory. */
const char *
herald__postgres_qualify(struct herald_arena *arena, const char *schema, const char *sql);

#endif
