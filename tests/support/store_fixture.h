/*
 * For tests of a store: one on a model of a database, with a service whose events say what happens
 * to them. Include cmocka.h (and what it needs) before this header.
 *
 *	struct store_fixture f;
 *
 *	store_fixture_init(&f, &(struct store_fixture_options){0});
 *	store_submit(&f, "1", "retry");
 *	store_settle(&f);                    steps until nothing is left to do now
 *	assert_string_equal(f.runs, "1/1");  event "1", attempt 1
 *	store_fixture_finish(&f);
 */
#ifndef HERALD_TESTS_SUPPORT_STORE_FIXTURE_H
#define HERALD_TESTS_SUPPORT_STORE_FIXTURE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <herald/service.h>
#include <herald/store.h>

#include "service/inbox.h"
#include "store/state.h"
#include "support/model_database.h"

/* Events that were submitted. */
#define STORE_MAX_ARRIVALS 1024

struct store_arrival {
	struct herald__inbox_event event;
	struct store_fixture *fixture;
	char id[32];
	char data[512];
	unsigned answers; /* how often it was answered */
};

struct store_fixture {
	struct model *model;
	struct herald_database_ops ops; /* if they were adapted */
	struct herald_store *store;
	struct herald_service *service;
	struct herald_handler *handler; /* the service owns it */
	struct herald_allocator service_allocator;
	int64_t wall_ms; /* of the clock; both run alike */
	bool owns_model;

	pthread_mutex_t mutex; /* protects the rest */
	pthread_cond_t changed;
	char runs[16384]; /* "id/attempt id/attempt ..." */
	size_t runs_count;
	char log[32768];  /* lines "level message key=value ...\n" */
	int64_t due_ms;   /* of the events that are submitted; 0: now */
	bool holds_keys;  /* they hold their keys as dead letters */
	bool is_blocked;  /* functions of "wait" wait until it is false */
	unsigned waiting; /* functions that wait */
	unsigned abreast; /* the maximum of functions at a time */
	unsigned running;
	struct store_arrival arrivals[STORE_MAX_ARRIVALS];
	size_t arrivals_count;
};

struct store_fixture_options {
	struct model *model; /* NULL: its own one */
	struct model_options model_options;
	struct herald_store_options store;        /* without a database; allocator, log: replaced */
	const struct herald_allocator *allocator; /* the store's; NULL: the system's */
	const struct herald_allocator *service_allocator; /* likewise */
	bool has_threads;
	const char *queue;
	struct herald_handler *handler; /* of the service; NULL: none */
	/* Changes the functions of the database; NULL: none. */
	void (*adapt)(struct herald_database_ops *ops);
};

/* Creates a store without threads, unless has_threads. The clock begins at 1,000,000 ms. */
void store_fixture_init(struct store_fixture *f, const struct store_fixture_options *options);
/* The same, where creating the store or the service may fail. */
enum herald_status
store_fixture_try(struct store_fixture *f, const struct store_fixture_options *options,
		  struct herald_error *error);
/* Create the service again, after an error. */
void store_fixture_service(struct store_fixture *f);
void store_fixture_finish(struct store_fixture *f);
/* The process dies: its node stays, and its in-flight file has no lock. What is left of it in
 * memory can still be used, but reaches the database no more. */
void store_fixture_die(struct store_fixture *f);
/* The same, and free it. */
void store_fixture_kill(struct store_fixture *f);

/*
 * Submit an event. Actions: "done", "retry", "later" (after 70 ms), "fail", "wait" (see
 * is_blocked), "bad" (not decodable), "unknown" (no route); "join" and "join-retry" have JOIN and
 * write the event's id as an effect; "join-end" also rolls back the store's transaction,
 * "join-commit" commits it.
 */
struct store_arrival *store_submit(struct store_fixture *f, const char *id, const char *action);
struct store_arrival *
store_submit_keyed(struct store_fixture *f, const char *id, const char *action, const char *key);

/* One turn, and one step of each worker. Returns whether anything ran. */
bool store_step(struct store_fixture *f);
/* Steps until nothing is to do at this time. */
void store_settle(struct store_fixture *f);
/* Move the clock, and settle. */
void store_pass(struct store_fixture *f, uint64_t ms);

/* With threads: wait until all arrivals are answered; until as many events have run. */
void store_await_answers(struct store_fixture *f);
void store_await_runs(struct store_fixture *f, size_t count);

/* The committed row of an event; NULL: there is none. */
const struct model_row *store_row(struct store_fixture *f, const char *id);
/* Append a text to the runs. */
void store_note(struct store_fixture *f, const char *text);
/* Whether the log has this text. */
bool store_logged(struct store_fixture *f, const char *text);
struct herald_store_statistics store_counts(struct store_fixture *f);

#endif
