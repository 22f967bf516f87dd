/*
 * Interrupting operations: what a session of operations runs ends, whatever it is, and other
 * sessions go on.
 */
#include <pthread.h>
#include <string.h>

#include "probe.h"

/* More than a database visits before it looks whether it was interrupted. */
enum { LETTERS = 600 };

static struct herald_session *
open_admin(struct process *p)
{
	struct herald_session *session;
	struct herald_error error;

	assert_works(p->ops->session_open(p->database, HERALD_SESSION_ADMIN, &session, &error),
		     &error);
	return session;
}

/* A process with dead letters. */
static struct process *
start_with_letters(const struct contract_store *kind, size_t count)
{
	static struct herald_stored_event events[LETTERS];
	static struct herald_completion completions[LETTERS];
	struct process *p = start(kind);
	struct herald_error error;

	for (size_t i = 0; i < count; i++)
		events[i] = *EVENT(.owner = p->node);
	begin(p);
	assert_works(p->ops->accept(p->session, events, count, &error), &error);
	for (size_t i = 0; i < count; i++)
		completions[i] = (struct herald_completion){.id = events[i].id,
							    .owner = p->node,
							    .attempts = 1,
							    .kind = HERALD_COMPLETE_DEAD,
							    .now_ms = T0,
							    .why = HERALD_DEAD_FAILED,
							    .reason = "why",
							    .path = "",
							    .offset = -1};
	assert_works(p->ops->complete(p->session, completions, count, &error), &error);
	commit(p);
	return p;
}

#define assert_interrupted(STATUS, ERROR)                                                          \
	do {                                                                                       \
		assert_status(STATUS, HERALD_UNAVAILABLE, ERROR);                                  \
		if (!strstr((ERROR)->message, "interrupted: the store is being destroyed"))        \
			fail_msg("%s", (ERROR)->message);                                          \
	} while (0)

struct list {
	struct process *p;
	size_t count;
};

static bool
interrupt_at_first(const struct herald_dead_letter *letter, void *state)
{
	struct list *list = state;

	(void)letter;
	if (list->count++ == 0)
		list->p->ops->interrupt(list->p->database);
	return true;
}

static void
test_interrupted_list(const struct contract_store *kind)
{
	struct process *p = start_with_letters(kind, LETTERS);
	struct herald_session *admin = open_admin(p);
	struct list list = {.p = p};
	struct herald_error error;

	assert_interrupted(p->ops->dead_visit(admin, &(struct herald_dead_filter){0},
					      interrupt_at_first, &list, &error),
			   &error);
	assert_in_range(list.count, 1, LETTERS - 1);
	p->ops->session_close(admin);
	stop(p);
}

static bool
count_row(const struct herald_count *count, void *state)
{
	(void)count;
	(void)state;
	return true;
}

static bool
see_finding(const struct herald_finding *finding, void *state)
{
	(void)finding;
	(void)state;
	return true;
}

/* What begins later fails at once. */
static void
test_after_an_interruption(const struct contract_store *kind)
{
	struct process *p = start_with_letters(kind, 1);
	struct herald_session *admin = open_admin(p);
	const struct herald_dead_filter all = {0};
	const struct herald_purge_filter none = {0};
	struct list list = {.p = p, .count = 1};
	struct herald_dead_place last;
	struct herald_error error;
	uint64_t count, ids[1];
	size_t ids_count;
	bool is_there;

	/* Statements may be prepared before. */
	assert_works(p->ops->counts(admin, T0, count_row, NULL, &error), &error);
	p->ops->interrupt(p->database);
	p->ops->interrupt(p->database);
	assert_interrupted(p->ops->counts(admin, T0, count_row, NULL, &error), &error);
	assert_interrupted(p->ops->pending(admin, NULL, &count, &error), &error);
	assert_interrupted(p->ops->pending(admin, &none, &count, &error), &error);
	assert_interrupted(p->ops->purge_find(admin, &none, 0, 1, ids, &ids_count, &error), &error);
	assert_interrupted(p->ops->dead_surplus(admin, 0, &last, &is_there, &error), &error);
	assert_interrupted(p->ops->dead_since(admin, T0, &is_there, &error), &error);
	assert_interrupted(p->ops->dead_visit(admin, &all, interrupt_at_first, &list, &error),
			   &error);
	assert_int_equal(list.count, 1);
	assert_interrupted(p->ops->check(admin, T0, see_finding, NULL, &error), &error);
	assert_interrupted(p->ops->begin(admin, &error), &error);
	p->ops->rollback(admin);
	p->ops->session_close(admin);
	stop(p);
}

/* The committer stores what has ended. */
static void
test_other_sessions_go_on(const struct contract_store *kind)
{
	struct process *p = start_with_letters(kind, 1);
	const uint64_t id = accept_event(p, EVENT(.event_type = "a"));

	p->ops->interrupt(p->database);
	assert_int_equal(claim_only(p, id, T0), 1);
	assert_false(COMPLETE(p, id, 1, DONE));
	assert_int_equal(count_events(p), 1);
	stop(p);
}

/* A commit is not cut short, as nobody would know whether it took place. */
static void
test_commit_of_an_interrupted_session(const struct contract_store *kind)
{
	struct process *p = start_with_letters(kind, 2);
	struct herald_session *admin = open_admin(p);
	struct herald_error error;
	uint64_t count = 0;

	assert_works(p->ops->begin(admin, &error), &error);
	assert_works(p->ops->dead_drop(admin, &(struct herald_dead_filter){0}, 1, &count, &error),
		     &error);
	assert_int_equal(count, 1);
	p->ops->interrupt(p->database);
	assert_works(p->ops->commit(admin, &error), &error);
	p->ops->session_close(admin);
	assert_int_equal(count_of(p, false, NULL, HERALD_COUNT_DEAD), 1);
	stop(p);
}

/* A transaction in which a call was interrupted is undone. */
static void
test_rollback_of_an_interrupted_session(const struct contract_store *kind)
{
	struct process *p = start_with_letters(kind, 2);
	struct herald_session *admin = open_admin(p);
	const struct herald_dead_filter all = {0};
	struct herald_error error;
	uint64_t count = 0;

	assert_works(p->ops->begin(admin, &error), &error);
	assert_works(p->ops->dead_drop(admin, &all, 1, &count, &error), &error);
	p->ops->interrupt(p->database);
	assert_interrupted(p->ops->dead_drop(admin, &all, 1, &count, &error), &error);
	p->ops->rollback(admin);
	/* Others do not wait for it. */
	accept_event(p, EVENT(.event_type = "a"));
	assert_int_equal(count_of(p, false, NULL, HERALD_COUNT_DEAD), 2);
	p->ops->session_close(admin);
	stop(p);
}

struct counting {
	struct process *p;
	struct herald_session *session;
	struct herald_error error;
};

static void *
count_until_it_fails(void *state)
{
	struct counting *counting = state;
	const struct herald_database_ops *ops = counting->p->ops;

	while (ops->counts(counting->session, T0, count_row, NULL, &counting->error) == HERALD_OK)
		;
	return NULL;
}

static void
test_interrupting_another_thread(const struct contract_store *kind)
{
	struct process *p = start_with_letters(kind, 100);
	struct counting counting = {.p = p, .session = open_admin(p)};
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, count_until_it_fails, &counting), 0);
	p->ops->interrupt(p->database);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_interrupted(counting.error.status, &counting.error);
	p->ops->session_close(counting.session);
	stop(p);
}

const struct contract_store_case contract_store_interrupts[] = {
	{"test_interrupted_list", test_interrupted_list, NEEDS_NOTHING},
	{"test_after_an_interruption", test_after_an_interruption, NEEDS_NOTHING},
	{"test_other_sessions_go_on", test_other_sessions_go_on, NEEDS_NOTHING},
	{"test_commit_of_an_interrupted_session", test_commit_of_an_interrupted_session,
	 NEEDS_NOTHING},
	{"test_rollback_of_an_interrupted_session", test_rollback_of_an_interrupted_session,
	 NEEDS_NOTHING},
	{"test_interrupting_another_thread", test_interrupting_another_thread, NEEDS_NOTHING},
};
const size_t contract_store_interrupts_count = COUNT(contract_store_interrupts);
