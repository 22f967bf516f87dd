/*
 * Publishes into the outbox of a store, and looks at it. Owns no store.
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "stored_outbox.h"

#include <herald/adapter/database.h>
#include <herald/array.h>

#include "service/inbox.h"
#include "store/published.h"

static void
store_published(struct herald_store *store, struct herald_database *database,
		struct herald__run *run)
{
	const struct herald_database_ops *ops = database->ops;
	struct herald_session *session;

	assert_int_equal(ops->session_open(database, HERALD_SESSION_ADMIN, &session, NULL),
			 HERALD_OK);
	assert_int_equal(ops->begin(session, NULL), HERALD_OK);
	assert_int_equal(herald__published_push(store, session, &run->published, 1000, NULL),
			 HERALD_OK);
	assert_int_equal(ops->commit(session, NULL), HERALD_OK);
	ops->session_close(session);
	herald_buffer_finish(&run->published);
	herald_store_wake(store);
}

void
outbox_publish(struct herald_store *store, struct herald_database *database,
	       const struct herald_delivery *delivery)
{
	struct herald_error error = {0};
	struct herald__run run = {.id = 1};

	herald_buffer_init(&run.published, NULL, 0);
	if (herald__published_add(store, &run, delivery, &error))
		fail_msg("%s: %s", error.path, error.message);
	store_published(store, database, &run);
}

/* The herald_count_visitor callback. */
static bool
add_count(const struct herald_count *count, void *state)
{
	if (count->is_delivery && count->state != HERALD_COUNT_DEAD)
		*(size_t *)state += count->count;
	return true;
}

size_t
outbox_pending(struct herald_store *store)
{
	size_t count = 0;

	assert_int_equal(herald_store_counts(store, add_count, &count, NULL), HERALD_OK);
	return count;
}

void
outbox_await_none(struct herald_store *store)
{
	while (outbox_pending(store) > 0)
		sched_yield();
}

struct lines {
	char text[16384];
	size_t bytes;
};

/* The herald_dead_visitor callback. */
static bool
add_line(const struct herald_dead_letter *letter, void *state)
{
	struct lines *lines = state;

	lines->bytes += (size_t)snprintf(
		lines->text + lines->bytes, sizeof(lines->text) - lines->bytes, "%s %u %s: %s\n",
		herald_dead_reason_name(letter->why), letter->attempts,
		letter->kind == HERALD_DEAD_DELIVERIES ? letter->destination : letter->event_type,
		letter->reason);
	return lines->bytes < sizeof(lines->text);
}

const char *
outbox_dead(struct herald_store *store)
{
	static struct lines lines;

	lines = (struct lines){.bytes = 0};
	assert_int_equal(herald_store_dead_visit(
				 store, &(struct herald_dead_filter){.kind = HERALD_DEAD_BOTH},
				 add_line, &lines, NULL),
			 HERALD_OK);
	return lines.text;
}
