/*
 * The SQL of all statements. Owns the texts; the tables are in schema.c.
 *
 * Rules for all of them:
 *   - Every name has the schema; users' connections have a search_path of their own.
 *   - State: 0 ready, 1 blocked, 2 running.
 *   - Rows of herald_key and herald_origin are locked in the order of their keys, after the rows of
 *     events and deliveries that are RUNNING, and before those that are not; see lanes.h, too.
 *   - What gives rows an owner locks the owner's node: a node that was recovered gets no rows, nor
 *     does one whose row was replaced (lease.h).
 *   - A fence is id, owner, attempts and replays.
 */
#include "statements.h"

#include <string.h>

/* A group of rows comes as one array for each column. */
#define FENCE_ARRAYS "unnest($1::bigint[], $2::bigint[], $3::int[], $4::int[], $5::int[]"
/* Only rows that are RUNNING have an owner. Without "state = 2" the plan cannot use the index of
 * owners, which has a dead entry for each run while a snapshot is held. */
#define FENCE                                                                                      \
	"e.id = u.id AND e.owner = u.owner AND e.attempts = u.attempts AND e.replays = u.replays"

/* The row of a node that this process has joined as; the last two are of lease.h. */
#define NODE_LIVES(number, expires, table)                                                         \
	"id = " number "::bigint AND expires_at >= " expires "::timestamptz AND tableoid::bigint"  \
	" = coalesce(" table "::bigint, tableoid::bigint)"

#define LOCK_NODE(number, expires, table)                                                          \
	"WITH me AS MATERIALIZED (SELECT id FROM @node WHERE " NODE_LIVES(number, expires,         \
									  table) " FOR KEY SHARE)"

#define EVENT_COLUMNS                                                                              \
	"e.id, e.due, e.created, coalesce(e.key_hash, 0), e.holds_key, e.attempts, "               \
	"e.replays, e.interrupted, e.queue, e.event_type, e.source, e.event_id, e.content_type, "  \
	"coalesce(e.last_error, ''), e.attributes, e.data"

#define DELIVERY_COLUMNS                                                                           \
	"e.id, e.due, e.created, e.expires, e.attempts, e.replays, e.http_status, "                \
	"e.delivery_id, e.url, e.origin, e.event_type, e.event_id, coalesce(e.last_error, ''), "   \
	"e.record"

/*
 * Claiming, of either table. `rows` says which rows, such as the ones of a queue.
 *
 *	$1 now, $2 and $3 the place to begin at, $4 rows, $5 bytes, $6 the node, $7 see `late`;
 *	the last two: its lease, see `lock`
 *
 * A row that was due when it was stored (NOT delayed) is due whatever the clock says. `late` are
 * rows that were stored before the clock was set back, in the order of their index: they may be
 * too many to sort for each claim. The first row always fits.
 */
#define FIND(table, bytes, rows)                                                                   \
	"SELECT id, due, octet_length(" bytes ") AS bytes FROM " table " WHERE " rows              \
	" AND state = 0 AND EXISTS (SELECT FROM me)"
#define FROM_PLACE " AND (due, id) >= ($2::timestamptz, $3::bigint)"
#define TAKE(order) " ORDER BY " order " LIMIT $4::bigint FOR UPDATE SKIP LOCKED"
/* clang-format off */
#define CLAIM(lock, table, bytes, rows, late, late_order, sets, columns)                           \
	lock ", found_now AS MATERIALIZED ("                                                       \
	FIND(table, bytes, rows "NOT delayed") FROM_PLACE TAKE("due, id")                          \
	"), found_due AS MATERIALIZED ("                                                           \
	FIND(table, bytes, rows "delayed AND due <= $1::timestamptz") FROM_PLACE TAKE("due, id")   \
	"), found_late AS MATERIALIZED (" FIND(table, bytes, rows late) TAKE(late_order)           \
	"), found AS MATERIALIZED (SELECT * FROM found_now UNION ALL SELECT * FROM found_due"      \
	" UNION ALL SELECT * FROM found_late ORDER BY due, id LIMIT $4),"                          \
	" picked AS MATERIALIZED (SELECT id FROM (SELECT id, sum(bytes) OVER earlier"              \
	" - greatest(first_value(bytes) OVER earlier - $5::bigint, 0) AS total"                    \
	" FROM found WINDOW earlier AS (ORDER BY due, id ROWS UNBOUNDED PRECEDING)) AS f"          \
	" WHERE total <= $5) UPDATE " table " AS e SET state = 2, owner = $6,"                     \
	" attempts = e.attempts + 1, delayed = false" sets                                         \
	" FROM picked AS p WHERE e.id = p.id RETURNING " columns

/* When the next row after a place is due: $1 now, $2 and $3 the place, `node` whose id is $4.
 * `latest` is for comparing with $7 of a claim; not max(), which reads all rows if it was planned
 * when there were none. Columns are computed in their order: the difference is what the search has
 * read. */
#define READ_PAGES(table) " pg_stat_get_xact_blocks_fetched('" table "'::regclass),"
#define NEXT(node, table, rows, latest)                                                            \
	"SELECT EXISTS (SELECT FROM @node WHERE " node ")," READ_PAGES(table)                      \
	" least((SELECT least(due, $1::timestamptz) FROM " table " WHERE " rows "NOT delayed"      \
	" AND state = 0 AND (due, id) > ($2::timestamptz, $3::bigint) ORDER BY due, id LIMIT 1),"  \
	" (SELECT due FROM " table " WHERE " rows "delayed AND state = 0"                          \
	" AND (due, id) > ($2, $3) ORDER BY due, id LIMIT 1), 'infinity'),"                        \
	READ_PAGES(table) " coalesce((" latest "), '-infinity')"
/* clang-format on */

#define OF_QUEUE "queue = $8::bytea AND "
#define OF_QUEUE_NEXT "queue = $5::bytea AND "

/* Dead letters of a filter: $1 to $11. */
#define DEAD_FILTER                                                                                \
	"($1::int IS NULL OR d.kind = $1) AND ($2::bigint IS NULL OR d.id = $2)"                   \
	" AND ($3::bytea IS NULL OR d.queue = $3)"                                                 \
	" AND ($4::bytea IS NULL OR d.event_type = $4)"                                            \
	" AND ($5::bytea IS NULL OR d.source = $5)"                                                \
	" AND ($6::bytea IS NULL OR d.event_id = $6)"                                              \
	" AND ($7::bytea IS NULL OR substring(d.url FOR octet_length($7)) = $7)"                   \
	" AND ($8::bytea IS NULL OR d.why = $8)"                                                   \
	" AND ($9::timestamptz IS NULL OR d.died >= $9)"                                           \
	" AND ($10::timestamptz IS NULL OR d.died < $10)"                                          \
	" AND ($11::bigint IS NULL OR d.id > $11)"

/* What is purged: $1 to $3. Deliveries are in no queue. */
#define PURGE_REST_FILTER                                                                          \
	" AND ($2::bytea IS NULL OR event_type = $2)"                                              \
	" AND ($3::timestamptz IS NULL OR created < $3)"
#define PURGE_EVENTS_FILTER "state <> 2 AND ($1::bytea IS NULL OR queue = $1)" PURGE_REST_FILTER
#define PURGE_DELIVERIES_FILTER "state <> 2 AND ($1::bytea IS NULL OR $1 = '')" PURGE_REST_FILTER

/* clang-format off */
static const char *const templates[] = {
	/* 0: no tables, 1: there are some, 2 and 3: without the right to look at them. Functions
	 * such as to_regclass() may not see what another process has just created. */
	[POSTGRES_META_FIND] =
		"SELECT CASE WHEN NOT has_schema_privilege(n.oid, 'USAGE') THEN 2"
		" WHEN c.oid IS NULL THEN 0 WHEN NOT has_table_privilege(c.oid, 'SELECT') THEN 3"
		" ELSE 1 END FROM (SELECT) AS one"
		" LEFT JOIN pg_namespace AS n ON n.nspname = $1::text"
		" LEFT JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'herald_meta'",
	[POSTGRES_META_READ] =
		"SELECT version, min_reader FROM @meta",
	[POSTGRES_SECRET] =
		"SELECT secret FROM @meta",

	/* What is missing, in words. */
	[POSTGRES_RIGHTS] =
		"SELECT p || ' ON ' || t FROM unnest(ARRAY['@event', '@delivery', '@dead',"
		" '@key', '@origin', '@node', '@mark', '@seen_0', '@seen_1', '@meta']) AS t,"
		" unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p WHERE NOT (t ="
		" '@meta' AND p IN ('INSERT', 'DELETE')) AND NOT has_table_privilege(t, p) UNION"
		" ALL SELECT 'TRUNCATE ON ' || t FROM unnest(ARRAY['@seen_0', '@seen_1']) AS t"
		" WHERE NOT has_table_privilege(t, 'TRUNCATE') UNION ALL SELECT 'USAGE ON"
		" SEQUENCE @row_id' WHERE NOT has_sequence_privilege('@row_id', 'USAGE')",

	/* Marks. */
	[POSTGRES_MARK_CREATE] =
		"INSERT INTO @mark (id, instance, pid, backend_start) OVERRIDING SYSTEM VALUE"
		" SELECT $3::bigint, $1::bigint, CASE WHEN $2::boolean THEN a.pid END,"
		" a.backend_start FROM pg_stat_activity AS a WHERE a.pid = pg_backend_pid()",
	[POSTGRES_MARK_DELETE] =
		"DELETE FROM @mark WHERE id = $1::bigint",
	[POSTGRES_MARK_LOOK] =
		"SELECT batch FROM @mark WHERE id = $1::bigint FOR UPDATE",
	[POSTGRES_MARK_CLEAN] =
		"DELETE FROM @mark WHERE touched < now() - interval '1 day'",

	/* Events. */
	[POSTGRES_EVENT_INSERT] =
		LOCK_NODE("$1", "$14", "$15") " INSERT INTO @event (queue, owner, attempts,"
		" state, due, created, delayed, key_hash, holds_key, event_type, source, event_id,"
		" content_type, attributes, data) SELECT $2::bytea, CASE WHEN"
		" u.state = 2 THEN $1 END, CASE"
		" WHEN u.state = 2 THEN 1 ELSE 0 END, u.state, u.due, u.created, u.due > u.created"
		" AND u.state <> 2, u.key_hash,"
		" u.holds_key, u.event_type, u.source, u.event_id, u.content_type, u.attributes,"
		" u.data FROM unnest($3::int[], $4::timestamptz[], $5::timestamptz[],"
		" $6::bigint[], $7::boolean[], $8::bytea[], $9::bytea[], $10::bytea[],"
		" $11::bytea[], $12::bytea[], $13::bytea[]) AS u(state, due, created, key_hash,"
		" holds_key, event_type, source, event_id, content_type, attributes, data) WHERE"
		" $1 IS NULL OR EXISTS (SELECT FROM me) RETURNING id",
	[POSTGRES_EVENT_CLAIM] =
		CLAIM(LOCK_NODE("$6", "$9", "$10"), "@event", "data", OF_QUEUE,
		      "retried > $7::timestamptz AND due > $1", "retried", ", retried = NULL",
		      EVENT_COLUMNS),
	[POSTGRES_EVENT_NEXT] =
		NEXT(NODE_LIVES("$4", "$6", "$7"), "@event", OF_QUEUE_NEXT,
		     "SELECT retried FROM @event WHERE queue = $5 AND state = 0 AND retried IS NOT"
		     " NULL ORDER BY retried DESC LIMIT 1"),
	[POSTGRES_EVENT_OWNED] =
		"SELECT id, attempts, replays, coalesce(key_hash, 0) FROM @event WHERE owner ="
		" $1::bigint AND state = 2 ORDER BY id",
	[POSTGRES_EVENT_DONE] =
		"DELETE FROM @event AS e USING " FENCE_ARRAYS ") AS u(id, owner, attempts,"
		" replays, place) WHERE " FENCE " RETURNING u.place, coalesce(e.key_hash, 0)",
	[POSTGRES_EVENT_RETURN] =
		"UPDATE @event AS e SET state = 0, owner = NULL, attempts = e.attempts -"
		" u.uncounted, due = coalesce(u.due, e.due), delayed = coalesce(u.due > u.ended,"
		" false), retried = CASE WHEN u.due > u.ended THEN u.ended END, last_error ="
		" coalesce(u.reason, e.last_error) FROM " FENCE_ARRAYS ", $6::int[],"
		" $7::timestamptz[], $8::timestamptz[], $9::bytea[]) AS u(id, owner, attempts,"
		" replays, place, uncounted, due, ended, reason) WHERE " FENCE
		" RETURNING u.place, e.due",
	[POSTGRES_EVENT_DEAD] =
		"WITH gone AS (DELETE FROM @event AS e USING " FENCE_ARRAYS ", $6::timestamptz[],"
		" $7::boolean[], $8::bytea[], $9::bytea[], $10::bytea[], $11::bigint[], $12::int[])"
		" AS u(id, owner, attempts, replays, place, died, is_held, why, reason, path,"
		" at, uncounted) WHERE " FENCE " RETURNING e.*, u.place, u.died, u.is_held, u.why,"
		" u.reason, u.path, u.at, u.uncounted), dead"
		" AS (INSERT INTO @dead (kind, id, died, created, key_hash, is_held, holds_key,"
		" attempts, interrupted, replays, queue, event_type, source, event_id,"
		" content_type, why, reason, path, at, attributes, data) SELECT 0, id, died,"
		" created, key_hash, is_held, holds_key, attempts - uncounted, interrupted,"
		" replays, queue, event_type, source, event_id, content_type, why, reason, path,"
		" at, attributes, data FROM gone) SELECT place, coalesce(key_hash, 0) FROM gone",

	/* Deduplication. */
	[POSTGRES_SEEN_LOCK] =
		"SELECT pg_advisory_xact_lock_shared($1::int, $2::int)",
	[POSTGRES_SEEN_CURRENT] =
		"SELECT seen_current FROM @meta",
	/* In a transaction of the user's, which may have an old snapshot: then this fails. */
	[POSTGRES_SEEN_CURRENT_SHARED] =
		"SELECT seen_current FROM @meta FOR SHARE",
	[POSTGRES_SEEN_ADD_0] =
		"INSERT INTO @seen_0 (key) SELECT u.key FROM unnest($1::uuid[]) AS u(key) WHERE"
		" NOT EXISTS (SELECT FROM @seen_1 AS s WHERE s.key = u.key) ORDER BY u.key ON"
		" CONFLICT DO NOTHING RETURNING key",
	[POSTGRES_SEEN_ADD_1] =
		"INSERT INTO @seen_1 (key) SELECT u.key FROM unnest($1::uuid[]) AS u(key) WHERE"
		" NOT EXISTS (SELECT FROM @seen_0 AS s WHERE s.key = u.key) ORDER BY u.key ON"
		" CONFLICT DO NOTHING RETURNING key",
	[POSTGRES_SEEN_DUE] =
		"SELECT seen_current, seen_rotated IS NULL OR seen_rotated <= $1::timestamptz,"
		" seen_rotated IS NULL FROM @meta",
	[POSTGRES_SEEN_LOCK_ALONE] =
		"SELECT pg_advisory_xact_lock($1::int, $2::int)",
	[POSTGRES_SEEN_DROP_0] =
		"TRUNCATE @seen_0",
	[POSTGRES_SEEN_DROP_1] =
		"TRUNCATE @seen_1",
	[POSTGRES_SEEN_SWITCH] =
		"UPDATE @meta SET seen_current = $1::int, seen_rotated = $2::timestamptz",

	/* Order by key, and fairness by origin. */
	[POSTGRES_LANES_LOCK] =
		"SELECT pg_advisory_xact_lock($1::int, $2::int)",
	[POSTGRES_KEY_ADD] =
		"INSERT INTO @key AS k (key_hash, depth) SELECT u.key, u.count FROM"
		" unnest($1::bigint[], $2::bigint[]) AS u(key, count) ORDER BY u.key ON CONFLICT"
		" (key_hash) DO UPDATE SET depth = k.depth + excluded.depth RETURNING k.key_hash,"
		" k.depth",
	[POSTGRES_KEY_REMOVE] =
		"DELETE FROM @key WHERE key_hash = ANY ($1::bigint[]) AND depth <= 0",
	/* Not "key_hash = u.key ... ORDER BY id": if statistics say that a key is frequent, the
	 * plan would look for it in the order of all ids. */
	[POSTGRES_KEY_PROMOTE] =
		"WITH first AS MATERIALIZED (SELECT f.id FROM unnest($1::bigint[], $2::bigint[])"
		" AS u(key, count) CROSS JOIN LATERAL (SELECT id FROM @event WHERE key_hash >="
		" u.key AND key_hash <= u.key AND state = 1 ORDER BY key_hash, id LIMIT u.count)"
		" AS f) UPDATE @event AS e SET state = 0 FROM first AS f WHERE e.id = f.id"
		" RETURNING e.due",
	[POSTGRES_ORIGIN_ADD] =
		"INSERT INTO @origin AS k (origin, depth) SELECT u.key, u.count FROM"
		" unnest($1::bytea[], $2::bigint[]) AS u(key, count) ORDER BY u.key ON CONFLICT"
		" (origin) DO UPDATE SET depth = k.depth + excluded.depth RETURNING k.origin,"
		" k.depth",
	[POSTGRES_ORIGIN_REMOVE] =
		"DELETE FROM @origin WHERE origin = ANY ($1::bytea[]) AND depth <= 0",
	[POSTGRES_ORIGIN_PROMOTE] =
		"WITH first AS MATERIALIZED (SELECT f.id FROM unnest($1::bytea[], $2::bigint[])"
		" AS u(key, count) CROSS JOIN LATERAL (SELECT id FROM @delivery WHERE origin >="
		" u.key AND origin <= u.key AND state = 1 ORDER BY origin, id LIMIT u.count)"
		" AS f) UPDATE @delivery AS e SET state = 0 FROM first AS f WHERE e.id = f.id"
		" RETURNING e.due",

	/* Nodes. now() is the clock of the database. */
	[POSTGRES_NODE_JOIN] =
		"INSERT INTO @node AS n (instance, expires_at, host, boot_id, pid, in_flight_path,"
		" id) OVERRIDING SYSTEM VALUE VALUES ($1::bigint, now() + $2::bigint * interval"
		" '1 millisecond', $3::bytea, $4::bytea, $5::bigint, $6::bytea, $7::bigint)"
		" ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at WHERE"
		" n.instance = excluded.instance RETURNING expires_at, tableoid::bigint",
	[POSTGRES_NODE_RENEW] =
		"UPDATE @node SET expires_at = now() + $2::bigint * interval '1 millisecond'"
		" WHERE " NODE_LIVES("$1", "$3", "$4") " AND expires_at >= now() RETURNING"
		" expires_at, tableoid::bigint",
	/* Whatever its row is: the node gets nothing new. */
	[POSTGRES_NODE_KEEP] =
		"UPDATE @node SET expires_at = now() + $2::bigint * interval '1 millisecond'"
		" WHERE id = $1::bigint AND expires_at >= now() RETURNING id",
	/* A statement of its own: NODE_LEAVE must see what is committed until it has the lock. */
	[POSTGRES_NODE_LOCK] =
		"SELECT id FROM @node WHERE id = $1::bigint FOR UPDATE",
	[POSTGRES_NODE_LEAVE] =
		"DELETE FROM @node WHERE id = $1::bigint AND NOT EXISTS (SELECT 1 FROM @event WHERE"
		" owner = $1 AND state = 2) AND NOT EXISTS (SELECT 1 FROM @delivery WHERE owner ="
		" $1 AND state = 2) RETURNING id",
	[POSTGRES_NODE_DEAD] =
		"SELECT id, host, boot_id, pid, in_flight_path FROM @node WHERE expires_at <"
		" now() ORDER BY id",
	[POSTGRES_NODE_EXPIRED] =
		"SELECT instance, expires_at FROM @node WHERE id = $1::bigint AND expires_at <"
		" now()",
	/* Transactions that were open when the lease ended, with the locks that they hold. A backup
	 * that was restored to another database of the server names those that the original has. */
	[POSTGRES_NODE_TERMINATE] =
		"SELECT pg_terminate_backend(a.pid) FROM @mark AS m JOIN pg_stat_activity AS a ON"
		" a.pid = m.pid AND a.backend_start = m.backend_start WHERE m.instance ="
		" $1::bigint AND a.xact_start < $2::timestamptz AND a.usename = current_user AND"
		" a.datname = current_database() AND a.pid <> pg_backend_pid()",
	[POSTGRES_NODE_REMOVE] =
		"DELETE FROM @node WHERE id = $1::bigint AND expires_at < now() RETURNING id",
	/* A suspect's run counts as interrupted; the attempts of others count if it is not known
	 * which events ran. */
	[POSTGRES_RECOVER_DEAD] =
		"WITH gone AS (DELETE FROM @event AS e WHERE e.owner = $1::bigint AND e.state = 2"
		" AND CASE WHEN e.id = ANY ($2::bigint[]) THEN e.interrupted + 1 >= $4::bigint OR"
		" e.attempts >= $5::bigint ELSE NOT $3::boolean AND e.attempts >= $5 END"
		" RETURNING e.*, e.id = ANY ($2) AS is_suspect) INSERT INTO @dead (kind, id,"
		" died, created, key_hash, is_held, holds_key, attempts, interrupted, replays,"
		" queue, event_type, source, event_id, content_type, why, reason, path, at,"
		" attributes, data) SELECT 0, id, $6::timestamptz, created, key_hash, holds_key"
		" AND key_hash IS NOT NULL, holds_key, attempts, interrupted + is_suspect::int,"
		" replays, queue, event_type, source, event_id, content_type, CASE WHEN"
		" is_suspect THEN $7::bytea ELSE $8::bytea END, CASE WHEN is_suspect THEN"
		" $9::bytea ELSE $10::bytea END, '', -1, attributes, data FROM gone RETURNING"
		" coalesce(key_hash, 0), is_held",
	[POSTGRES_RECOVER_EVENTS] =
		"WITH back AS (UPDATE @event AS e SET state = 0, owner = NULL, attempts ="
		" e.attempts - CASE WHEN $3::boolean AND NOT e.id = ANY ($2::bigint[]) THEN 1"
		" ELSE 0 END, interrupted = e.interrupted + CASE WHEN e.id = ANY ($2) THEN 1 ELSE"
		" 0 END, due = CASE WHEN e.id = ANY ($2) AND $4::timestamptz > $5::timestamptz"
		" THEN $4 ELSE e.due END, delayed = e.id = ANY ($2) AND $4 > $5, retried ="
		" CASE WHEN e.id = ANY ($2) AND $4 > $5 THEN $5 END WHERE e.owner = $1::bigint AND"
		" e.state = 2 RETURNING e.due) SELECT"
		" count(*), coalesce(min(due), 'infinity') FROM back",
	[POSTGRES_RECOVER_DELIVERIES] =
		"WITH back AS (UPDATE @delivery AS e SET state = 0, owner = NULL, attempts ="
		" e.attempts - CASE WHEN $3::boolean AND NOT e.id = ANY ($2::bigint[]) THEN 1"
		" ELSE 0 END WHERE e.owner = $1::bigint AND e.state = 2 RETURNING e.due) SELECT"
		" count(*), coalesce(min(due), 'infinity') FROM back",

	/* Deliveries. */
	[POSTGRES_DELIVERY_INSERT] =
		LOCK_NODE("$1", "$12", "$13") " INSERT INTO @delivery (owner, attempts, state, due,"
		" created, delayed, expires, delivery_id, url, origin, event_type, event_id,"
		" record) SELECT CASE WHEN u.state = 2 THEN $1 END, CASE WHEN u.state = 2 THEN 1"
		" ELSE 0 END, u.state, u.due, u.created, u.due > u.created AND u.state <> 2,"
		" u.expires, u.delivery_id, u.url, u.origin,"
		" u.event_type, u.event_id, u.record FROM unnest($2::int[], $3::timestamptz[],"
		" $4::timestamptz[], $5::timestamptz[], $6::bytea[], $7::bytea[], $8::bytea[],"
		" $9::bytea[], $10::bytea[], $11::bytea[]) AS u(state, due, created, expires,"
		" delivery_id, url, origin, event_type, event_id, record) WHERE $1 IS NULL OR"
		" EXISTS (SELECT FROM me) RETURNING id",
	[POSTGRES_DELIVERY_CLAIM] =
		CLAIM(LOCK_NODE("$6", "$8", "$9"), "@delivery", "record", "",
		      "delayed AND due > $7::timestamptz",
		      "due, id", "", DELIVERY_COLUMNS),
	[POSTGRES_DELIVERY_NEXT] =
		NEXT(NODE_LIVES("$4", "$5", "$6"), "@delivery", "",
		     "SELECT due FROM @delivery WHERE delayed AND state = 0"
		     " ORDER BY due DESC, id DESC LIMIT 1"),
	[POSTGRES_DELIVERY_OWNED] =
		"SELECT id, attempts, replays FROM @delivery WHERE owner = $1::bigint AND state ="
		" 2 ORDER BY id",
	[POSTGRES_DELIVERY_DONE] =
		"DELETE FROM @delivery AS e USING " FENCE_ARRAYS ") AS u(id, owner, attempts,"
		" replays, place) WHERE " FENCE " RETURNING u.place, e.origin",
	[POSTGRES_DELIVERY_RETURN] =
		"UPDATE @delivery AS e SET state = 0, owner = NULL, attempts ="
		" coalesce(u.new_attempts, e.attempts - 1), due = coalesce(u.due, e.due), delayed"
		" = coalesce(u.due > u.ended, false), expires = coalesce(u.expires, e.expires),"
		" http_status = coalesce(u.http_status, e.http_status), last_error ="
		" coalesce(u.reason, e.last_error) FROM " FENCE_ARRAYS ", $6::int[],"
		" $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::int[],"
		" $11::bytea[]) AS u(id, owner, attempts, replays, place, new_attempts, due,"
		" ended, expires, http_status, reason) WHERE " FENCE " RETURNING u.place, e.due",
	[POSTGRES_DELIVERY_DEAD] =
		"WITH gone AS (DELETE FROM @delivery AS e USING " FENCE_ARRAYS ","
		" $6::timestamptz[], $7::bytea[], $8::bytea[], $9::int[]) AS u(id, owner,"
		" attempts, replays, place, died, why, reason, status) WHERE " FENCE " RETURNING"
		" e.*, u.place, u.died, u.why, u.reason, u.status), dead AS (INSERT INTO @dead"
		" (kind, id, died, created, expires, attempts, replays, http_status, delivery_id,"
		" url, origin, event_type, event_id, why, reason, data) SELECT 1, id, died,"
		" created, expires, attempts, replays, status, delivery_id, url, origin,"
		" event_type, event_id, why, reason, record FROM gone) SELECT place, origin FROM"
		" gone",

	/* Dead letters. */
	[POSTGRES_DEAD_VISIT] =
		"SELECT d.id, d.kind, d.died, d.created, d.attempts, d.interrupted, d.replays,"
		" d.is_held, d.at, d.queue, d.event_type, d.source, d.event_id, d.url, d.why,"
		" d.reason, d.path, d.content_type, d.attributes, d.data FROM @dead AS d WHERE "
		DEAD_FILTER " ORDER BY d.id LIMIT $12::bigint",
	[POSTGRES_DEAD_LIST] =
		"SELECT d.id, d.kind, d.died, d.created, d.attempts, d.interrupted, d.replays,"
		" d.is_held, d.at, d.queue, d.event_type, d.source, d.event_id, d.url, d.why,"
		" d.reason, d.path, ''::text, ''::bytea, ''::bytea FROM @dead AS d WHERE "
		DEAD_FILTER " ORDER BY d.id LIMIT $12::bigint",
	[POSTGRES_DEAD_FIND] =
		"SELECT d.id FROM @dead AS d WHERE " DEAD_FILTER " ORDER BY d.id LIMIT"
		" $12::bigint",
	[POSTGRES_DEAD_OLD] =
		"SELECT id FROM @dead WHERE died < $1::timestamptz ORDER BY died, id LIMIT"
		" $2::bigint",
	[POSTGRES_DEAD_SELECT] =
		"SELECT d.id, d.kind, coalesce(d.key_hash, 0), d.is_held, d.origin FROM @dead AS"
		" d WHERE " DEAD_FILTER " AND d.id = ANY ($12::bigint[]) ORDER BY d.id FOR UPDATE",
	[POSTGRES_DEAD_REPLAY_EVENTS] =
		"WITH gone AS (DELETE FROM @dead AS d USING unnest($1::bigint[], $2::int[]) AS"
		" u(id, state) WHERE d.id = u.id RETURNING d.*, u.state) INSERT INTO @event (id,"
		" queue, attempts, replays, state, due, delayed, created, key_hash, holds_key,"
		" event_type, source, event_id, content_type, last_error,"
		" attributes, data) SELECT id, queue,"
		" 0, replays + 1, state, $3::timestamptz, false, created, key_hash, holds_key,"
		" event_type, source, event_id, content_type, reason, attributes, data FROM gone",
	[POSTGRES_DEAD_REPLAY_DELIVERIES] =
		"WITH gone AS (DELETE FROM @dead AS d USING unnest($1::bigint[], $2::int[]) AS"
		" u(id, state) WHERE d.id = u.id RETURNING d.*, u.state) INSERT INTO @delivery"
		" (id, attempts, replays, state, due, delayed, created, expires, http_status,"
		" delivery_id, url, origin, event_type, event_id, last_error, record) SELECT id,"
		" 0, replays + 1, state, $3::timestamptz, false, $3, CASE WHEN isfinite(expires)"
		" THEN $3 + (expires - created) ELSE expires END, http_status, delivery_id, url,"
		" origin, event_type, event_id, reason, data FROM gone",
	[POSTGRES_DEAD_DROP] =
		"DELETE FROM @dead AS d WHERE d.id IN (SELECT d.id FROM @dead AS d WHERE "
		DEAD_FILTER " AND d.id = ANY ($12::bigint[]) ORDER BY d.id FOR UPDATE) RETURNING"
		" CASE WHEN d.is_held THEN coalesce(d.key_hash, 0) ELSE 0 END",
	[POSTGRES_DEAD_SINCE] =
		"SELECT EXISTS (SELECT FROM @dead WHERE died >= $1::timestamptz)",
	[POSTGRES_DEAD_SURPLUS] =
		"SELECT died, id FROM @dead ORDER BY died DESC, id DESC OFFSET $1::bigint LIMIT 1",
	[POSTGRES_DEAD_SURPLUS_HELD] =
		"SELECT died, id FROM (SELECT died, id FROM @dead WHERE NOT is_held AND (died, id)"
		" > ($1::timestamptz, $2::bigint) ORDER BY died, id LIMIT (SELECT count(*) FROM"
		" @dead WHERE is_held AND (died, id) <= ($1, $2))) AS d"
		" ORDER BY died DESC, id DESC LIMIT 1",
	[POSTGRES_DEAD_TRIM] =
		"DELETE FROM @dead AS d WHERE d.id IN (SELECT d.id FROM @dead AS d WHERE NOT"
		" d.is_held AND (d.died, d.id) <= ($1::timestamptz, $2::bigint) ORDER BY d.died,"
		" d.id LIMIT $3::bigint FOR UPDATE) RETURNING d.id",

	/* Purge: the keys are locked before the rows. */
	[POSTGRES_PURGE_EVENTS_FIND] =
		"SELECT id FROM @event WHERE " PURGE_EVENTS_FILTER
		" AND id > $4::bigint ORDER BY id LIMIT $5::bigint",
	[POSTGRES_PURGE_EVENTS_SELECT] =
		"SELECT id, coalesce(key_hash, 0) FROM @event WHERE " PURGE_EVENTS_FILTER
		" AND id = ANY ($4::bigint[])",
	[POSTGRES_PURGE_EVENTS_LOCK] =
		"SELECT FROM @key WHERE key_hash = ANY ($1::bigint[]) ORDER BY key_hash FOR"
		" UPDATE",
	[POSTGRES_PURGE_EVENTS] =
		"DELETE FROM @event WHERE id IN (SELECT id FROM @event"
		" WHERE id = ANY ($1::bigint[]) AND state <> 2 FOR UPDATE SKIP LOCKED) RETURNING"
		" coalesce(key_hash, 0), state = 0",
	[POSTGRES_PURGE_DELIVERIES_FIND] =
		"SELECT id FROM @delivery WHERE " PURGE_DELIVERIES_FILTER
		" AND id > $4::bigint ORDER BY id LIMIT $5::bigint",
	[POSTGRES_PURGE_DELIVERIES_SELECT] =
		"SELECT id, origin FROM @delivery WHERE " PURGE_DELIVERIES_FILTER
		" AND id = ANY ($4::bigint[])",
	[POSTGRES_PURGE_DELIVERIES_LOCK] =
		"SELECT FROM @origin WHERE origin = ANY ($1::bytea[]) ORDER BY origin FOR UPDATE",
	[POSTGRES_PURGE_DELIVERIES] =
		"DELETE FROM @delivery WHERE id IN (SELECT id FROM @delivery"
		" WHERE id = ANY ($1::bigint[]) AND state <> 2 FOR UPDATE SKIP LOCKED) RETURNING"
		" origin, state = 0",

	/* Counts and checks. States as in herald_count_state. */
	[POSTGRES_PENDING] =
		"SELECT count(*) FROM @event",
	/* An entry of this index has 20 bytes at least: the id, a header of 8, a pointer of 4. */
	[POSTGRES_PENDING_MOST] =
		"SELECT pg_relation_size('@event_pkey') / 20",
	[POSTGRES_PENDING_EVENTS] =
		"SELECT count(*) FROM @event WHERE " PURGE_EVENTS_FILTER,
	[POSTGRES_PENDING_DELIVERIES] =
		"SELECT count(*) FROM @delivery WHERE " PURGE_DELIVERIES_FILTER,
	[POSTGRES_COUNTS] =
		"SELECT false, queue, event_type, CASE WHEN state = 1 THEN 2 WHEN state = 2 THEN"
		" 3 WHEN delayed AND due > $1::timestamptz AND coalesce(retried <="
		" $2::timestamptz, true) THEN 1 ELSE 0 END, count(*), min(created) FROM"
		" @event GROUP BY 2, 3, 4 UNION ALL SELECT true, '', event_type, CASE WHEN state"
		" = 1 THEN 2 WHEN state = 2 THEN 3 WHEN delayed AND due > $1 THEN 1 ELSE 0 END,"
		" count(*), min(created) FROM @delivery GROUP BY 3, 4 UNION ALL SELECT kind = 1,"
		" queue, event_type, 4, count(*), min(died) FROM @dead GROUP BY 1, 2, 3"
		" ORDER BY 1, 2, 3, 4",
	[POSTGRES_CHECK_KEYS] =
		"SELECT count(*) FROM (SELECT key_hash, sum(rows) AS rows, sum(live) AS live,"
		" sum(depth) AS depth FROM ( SELECT key_hash, 1 AS rows, (state <> 1)::int AS"
		" live, 0 AS depth FROM @event WHERE key_hash IS NOT NULL UNION ALL SELECT"
		" key_hash, 1, 1, 0 FROM @dead WHERE is_held AND key_hash IS NOT NULL UNION ALL"
		" SELECT key_hash, 0, 0, depth FROM @key) AS k GROUP BY key_hash) AS k WHERE rows"
		" <> depth OR (rows > 0 AND live <> 1)",
	[POSTGRES_CHECK_ORIGINS] =
		"SELECT count(*) FROM (SELECT origin, sum(rows) AS rows, sum(live) AS live,"
		" sum(depth) AS depth FROM ( SELECT origin, 1 AS rows, (state <> 1)::int AS live,"
		" 0 AS depth FROM @delivery WHERE origin <> '' UNION ALL SELECT origin, 0, 0,"
		" depth FROM @origin) AS k GROUP BY origin) AS k WHERE rows <> depth OR live = 0"
		" AND rows > 0",
	[POSTGRES_CHECK_OWNERS] =
		"SELECT count(*) FROM (SELECT owner FROM @event WHERE state = 2 UNION ALL SELECT"
		" owner FROM @delivery WHERE state = 2) AS o WHERE NOT EXISTS (SELECT FROM @node"
		" AS n WHERE n.id = o.owner)",
	[POSTGRES_CHECK_SIZES] =
		"SELECT pg_total_relation_size('@event'), pg_total_relation_size('@delivery'),"
		" pg_total_relation_size('@dead'), pg_total_relation_size('@seen_0') +"
		" pg_total_relation_size('@seen_1'), coalesce((SELECT sum(n_dead_tup)::bigint"
		" FROM pg_stat_all_tables WHERE relid IN ('@event'::regclass,"
		" '@delivery'::regclass)), 0)",
	/* Whatever keeps dead rows from being removed. */
	[POSTGRES_CHECK_READERS] =
		"SELECT coalesce(extract(epoch FROM max(now() - xact_start)), 0)::bigint FROM"
		" pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
		" AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)",
	[POSTGRES_CHECK_SETTINGS] =
		"SELECT current_setting('fsync') = 'off', current_setting('full_page_writes') ="
		" 'off', current_setting('autovacuum') = 'off', EXISTS (SELECT FROM"
		" pg_prepared_xacts), EXISTS (SELECT FROM pg_replication_slots WHERE NOT active)",
};
/* clang-format on */

static const char *const whats[] = {
#define POSTGRES_STATEMENT_WHAT_(name, what) [POSTGRES_##name] = (what),
	POSTGRES_STATEMENT_LIST(POSTGRES_STATEMENT_WHAT_)
#undef POSTGRES_STATEMENT_WHAT_
};

const char *
herald__postgres_statement_what(enum postgres_statement statement)
{
	return whats[statement];
}

const char *
herald__postgres_qualify(struct herald_arena *arena, const char *schema, const char *sql)
{
	size_t places = 0, schema_bytes = strlen(schema);

	for (const char *at = strchr(sql, '@'); at; at = strchr(at + 1, '@'))
		places++;
	size_t bytes = strlen(sql) + places * (schema_bytes + sizeof("\"\".herald_"));
	char *text = herald_arena_alloc(arena, bytes + 1), *end = text;
	if (!text)
		return NULL;
	for (; *sql != '\0'; sql++) {
		if (*sql != '@') {
			*end++ = *sql;
			continue;
		}
		*end++ = '"';
		memcpy(end, schema, schema_bytes);
		end += schema_bytes;
		memcpy(end, "\".herald_", sizeof("\".herald_") - 1);
		end += sizeof("\".herald_") - 1;
	}
	*end = '\0';
	return text;
}

const char *
herald__postgres_statement_sql(struct herald_arena *arena, const char *schema,
			       enum postgres_statement statement)
{
	return herald__postgres_qualify(arena, schema, templates[statement]);
}
