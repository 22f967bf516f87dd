/*
 * The check: SQLite's own, what the tables promise each other, and sizes.
 */
#include "check.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <herald/adapter/text.h>

#include "node.h"
#include "readers.h"
#include "statement.h"

struct checking {
	struct sqlite_session *session;
	herald_finding_visitor *visit;
	void *state;
	bool goes_on;
};

HERALD_PRINTF(4, 5)
static void
find(struct checking *checking, bool is_problem, const char *name, const char *format, ...)
{
	char text[1024];
	va_list arguments;

	if (!checking->goes_on)
		return;
	va_start(arguments, format);
	herald_text_write_list(text, sizeof(text), format, arguments);
	va_end(arguments);
	checking->goes_on = checking->visit(
		&(struct herald_finding){.is_problem = is_problem, .name = name, .text = text},
		checking->state);
}

/* Up to ten lines, or "ok". */
static enum herald_status
check_integrity(struct checking *checking, struct herald_error *error)
{
	static const struct sqlite_sql sql = {SLOT_CHECK_INTEGRITY, "PRAGMA integrity_check(10)"};
	struct sqlite_query row = herald__sqlite_query(checking->session, &sql);
	enum herald_status status;
	bool has_row;

	while ((status = herald__sqlite_step(&row, &has_row, error)) == HERALD_OK && has_row) {
		const char *text = herald__sqlite_text(&row);

		find(checking, strcmp(text, "ok") != 0, "integrity", "%.*s",
		     (int)strcspn(text, "\n"), text);
	}
	herald__sqlite_end(&row);
	return status;
}

/* Counts that are 0 if all is well. */
static enum herald_status
check_promises(struct checking *checking, struct herald_error *error)
{
	static const struct {
		struct sqlite_sql sql;
		const char *name;
		const char *what;
	} promises[] = {
		{{SLOT_CHECK_OWNERS,
		  "SELECT (SELECT count(*) FROM main.herald_event WHERE state = 1 AND owner NOT IN "
		  "(SELECT id FROM main.herald_node)) + (SELECT count(*) FROM main.herald_delivery "
		  "WHERE state = 1 AND owner NOT IN (SELECT id FROM main.herald_node))"},
		 "owners",
		 "events and deliveries are running, but their process has left"},
		{{SLOT_CHECK_KEYS,
		  "SELECT count(DISTINCT key_hash) FROM main.herald_event AS blocked "
		  "WHERE state = 2 AND NOT EXISTS (SELECT 1 FROM main.herald_event AS active "
		  "WHERE active.key_hash = blocked.key_hash AND active.key_hash <> 0 "
		  "AND active.state <> 2) AND NOT EXISTS (SELECT 1 FROM main.herald_dead AS dead "
		  "WHERE dead.key_hash = blocked.key_hash AND dead.is_held = 1)"},
		 "keys",
		 "keys have blocked events, but none that they wait for"},
		{{SLOT_CHECK_ORIGINS,
		  "SELECT count(DISTINCT origin) FROM main.herald_delivery AS blocked "
		  "WHERE state = 2 AND NOT EXISTS (SELECT 1 FROM main.herald_delivery AS active "
		  "WHERE active.origin = blocked.origin AND active.state <> 2)"},
		 "origins",
		 "origins have blocked deliveries, but none that they wait for"},
	};
	enum herald_status status = HERALD_OK;

	for (size_t i = 0; status == HERALD_OK && i < sizeof(promises) / sizeof(promises[0]); i++) {
		int64_t count = 0;

		status = herald__sqlite_number(checking->session, &promises[i].sql, &count, error);
		if (status == HERALD_OK)
			find(checking, count > 0, promises[i].name, "%lld %s", (long long)count,
			     promises[i].what);
	}
	return status;
}

static bool
note_dead_node(const struct herald_node *node, void *state)
{
	find(state, true, "dead_node",
	     "process %ld on %s has died, and its events wait for a process that runs events",
	     node->pid, node->host);
	return true;
}

static enum herald_status
check_sizes(struct checking *checking, struct herald_error *error)
{
	static const struct sqlite_sql pages = {SLOT_CHECK_PAGES, "PRAGMA page_count"};
	static const struct sqlite_sql size = {SLOT_CHECK_PAGE_SIZE, "PRAGMA page_size"};
	static const struct sqlite_sql unused = {SLOT_CHECK_FREE, "PRAGMA freelist_count"};
	int64_t pages_count = 0, page_bytes = 0, free_count = 0;
	enum herald_status status =
		herald__sqlite_number(checking->session, &pages, &pages_count, error);

	if (status == HERALD_OK)
		status = herald__sqlite_number(checking->session, &size, &page_bytes, error);
	if (status == HERALD_OK)
		status = herald__sqlite_number(checking->session, &unused, &free_count, error);
	if (status != HERALD_OK)
		return status;
	find(checking, false, "database_bytes", "%" PRId64, pages_count * page_bytes);
	find(checking, false, "free_bytes", "%" PRId64, free_count * page_bytes);
	return HERALD_OK;
}

static void
check_wal(struct checking *checking)
{
	const struct sqlite_database *database = herald__sqlite_database(checking->session);
	char readers[SQLITE_READERS_BYTES];
	struct stat wal;
	uint64_t bytes = 0;

	if (stat(database->wal_path, &wal) == 0)
		bytes = (uint64_t)wal.st_size;
	size_t count = herald__sqlite_readers(database->shm_path, readers);
	find(checking, database->wal_warning_bytes > 0 && bytes > database->wal_warning_bytes,
	     "wal_bytes", "%llu", (unsigned long long)bytes);
	find(checking, false, "readers", "%zu%s%s", count, count ? ": " : "", readers);
}

enum herald_status
herald__sqlite_check(struct herald_session *base, int64_t now_ms, herald_finding_visitor *visit,
		     void *state, struct herald_error *error)
{
	struct checking checking = {.session = herald__sqlite_session(base),
				    .visit = visit,
				    .state = state,
				    .goes_on = true};
	enum herald_status status = check_integrity(&checking, error);

	if (status == HERALD_OK && checking.goes_on)
		status = check_promises(&checking, error);
	if (status == HERALD_OK && checking.goes_on)
		status = herald__sqlite_node_dead(base, now_ms, note_dead_node, &checking, error);
	if (status == HERALD_OK && checking.goes_on)
		status = check_sizes(&checking, error);
	if (status == HERALD_OK)
		check_wal(&checking);
	return status;
}
