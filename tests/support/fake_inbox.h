/*
 * A store for tests of the service and of HTTP, behind service/inbox.h: it keeps events in memory,
 * answers when the test says so, and runs an event when the test says so.
 */
#ifndef HERALD_TESTS_SUPPORT_FAKE_INBOX_H
#define HERALD_TESTS_SUPPORT_FAKE_INBOX_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include <herald/store.h>

#include "service/inbox.h"

/* A stored event: copies. */
struct fake_stored {
	char *event_type, *source, *id, *content_type;
	char *attributes, *data, *key; /* key NULL: none; all end with a NUL that does not count */
	size_t attributes_bytes, data_bytes, key_bytes;
	int64_t due_ms;
	bool holds_key;
	struct herald_service *service;
};

struct fake_inbox {
	struct herald__inbox base; /* the first member; tests set its max_waiting */

	/* Set by the test. */
	bool answers_at_once;             /* in accept(), on the caller's thread */
	enum herald_status accept_status; /* HERALD_OK: store it */
	enum herald_status attach_status;
	enum herald_status begin_status;
	enum herald_status end_status;
	enum herald_status publish_status;

	pthread_mutex_t mutex; /* protects the members below */
	pthread_cond_t changed;
	struct herald__inbox_event *first, **last; /* wait for an answer */
	size_t waiting_count;
	struct fake_stored *stored;
	size_t stored_count;
	unsigned accepts, attaches, detaches;
	pthread_t committer;
	bool committer_stops;

	/* Of the last run. */
	unsigned begins, ends;
	bool joins, keeps_part;
	char published[512]; /* what was left: "url url" */
	bool holds_key, is_exhausted;
};

void fake_inbox_init(struct fake_inbox *inbox);

void fake_inbox_finish(struct fake_inbox *inbox);

/* For the option `store`. */
static inline struct herald_store *
fake_inbox_store(struct fake_inbox *inbox)
{
	return (struct herald_store *)inbox;
}

/* Wait, on any thread, until `count` events wait for an answer. */
void fake_inbox_wait(struct fake_inbox *inbox, size_t count);

/* Answer all that wait, on this thread: one commit. Returns how many. */
size_t fake_inbox_commit(struct fake_inbox *inbox);

/* A thread that commits whenever an event waits; stop it after the last answer. */
void fake_inbox_start_committer(struct fake_inbox *inbox);
void fake_inbox_stop_committer(struct fake_inbox *inbox);

/* What the store answers from now on. Any thread. */
void
fake_inbox_set(struct fake_inbox *inbox, bool answers_at_once, enum herald_status accept_status);

/* Run stored event `index`, as the given attempt. */
struct herald_result
fake_inbox_run(struct fake_inbox *inbox, size_t index, unsigned attempt, bool is_last_attempt);

/* What herald_context_session() returns in a run that joins. */
struct herald_session *fake_inbox_session(struct fake_inbox *inbox);

#endif
