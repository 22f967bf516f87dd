/*
 * A deterministic simulation of several processes with a store (src/store/) on one model of a
 * database. The threads of a process are coroutines, which switch before each call of the database
 * and within the functions of events; which one goes on, what fails, who dies and when, is drawn
 * from a seed. After each commit the change is compared with what has happened in the processes.
 *
 *	processes  are killed between any two calls, with or without their machine; pause past
 *	           their lease and wake up as zombies; stop in order; start again
 *	calls      fail; connections are lost (dbos#716, #742); commits fail, or take place and
 *	           are reported as unknown, long after others have seen what they have stored,
 *	           and an operator has replayed it
 *	time       passes when nothing is to do, and jumps; the wall clocks of processes differ
 *	events     with keys, delays, duplicates; functions are done, retry, fail, crash, and end
 *	           the store's transaction; with JOIN they write effects
 *
 * What must hold:
 *
 *	- an event that was acknowledged is stored at once, and finally done or a dead letter;
 *	  one that was refused for certain is never stored; no id is stored twice
 *	- a row changes only as the run of its owner has ended, or as its owner has died: a late
 *	  owner changes nothing, nor does one that learns late that its commit has taken place
 *	- effects of JOIN are there exactly once if the event is done, and not at all otherwise
 *	- what a run has published (wolverine#565) is stored in the commit that makes its event
 *	  done, and not otherwise
 *	- no event has more attempts than max_attempts, and each attempt runs once
 *	- no event begins while an older one with its key is unfinished, before it is due, or on a
 *	  process that does not own it (unless that was paused)
 *	- only events that ran when a process was killed are blamed for it, and these are; if none
 *	  ran, those whose end it did not know to be committed
 *	- a delivery is finally sent, or a dead letter; its attempts are counted like the
 *	  attempts of events; and while one is under way, its row goes to no other process, also
 *	  after several takeovers, unless the process could not renew its leases in time
 */
#ifndef HERALD_TESTS_SUPPORT_SIMULATION_H
#define HERALD_TESTS_SUPPORT_SIMULATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/queue.h>
#include <herald/service.h>
#include <herald/store.h>

#include "service/inbox.h"
#include "support/coroutine.h"
#include "support/model_database.h"

#define SIM_PROCESSES 4
#define SIM_WORKERS 2
#define SIM_THREADS (SIM_WORKERS + 5)
#define SIM_ATTEMPTS 3
#define SIM_SENDS 4096
#define SIM_EVENTS 60
#define SIM_SUBMISSIONS 200
#define SIM_RUNS 64
#define SIM_NODES 512

struct sim;
struct sim_process;

enum sim_thread_kind { SIM_START, SIM_COMMITTER, SIM_NODE, SIM_UPKEEP, SIM_DELIVERER, SIM_WORKER };

struct sim_thread {
	struct sim_process *process;
	struct coroutine *coroutine; /* NULL: it has ended */
	enum sim_thread_kind kind;
	unsigned index;  /* of a worker */
	bool is_in_step; /* otherwise it is between two steps */
	bool is_idle;    /* a worker that found nothing to do */
	uint64_t due_ms; /* of the next step, by the monotonic clock */
	unsigned waits;  /* for the lock of the database, one after the other */
	const char *at;  /* the call before which it switched; for the trace */
	/* A worker whose function runs. */
	struct sim_event *event;
	struct sim_run *run; /* NULL: it does not own the event any more */
};

enum sim_send_end { SIM_DELIVERED, SIM_AGAIN, SIM_REFUSED };

/* An attempt of a delivery by its owner. */
struct sim_send {
	uint64_t row;
	uint64_t owner;
	unsigned attempts;
	unsigned replays;
	struct sim_process *process;
	bool has_ended;
	bool was_killed; /* the process was killed meanwhile */
	enum sim_send_end end;
};

/* What a deliverer does at a time. */
struct sim_attempt {
	struct herald_delivery_record *record; /* NULL: nothing */
	struct sim_send *send;                 /* NULL: it does not own the delivery any more */
	uint64_t until_ms;
};

struct sim_process {
	struct sim *sim;
	unsigned index;
	unsigned life;
	bool is_alive;
	bool is_ready; /* it takes events */
	bool is_stopping;
	bool dies_now;    /* an event has crashed it */
	bool has_unknown; /* a commit of it has taken place without its knowing */
	bool has_paused;  /* once, long enough to lose its lease */
	bool was_late;    /* once, its node's thread; or a call of that has failed */
	bool is_delivery_woken;
	uint64_t paused_until_ms; /* 0: it runs */
	int64_t clock_ms;         /* its wall clock is so much off */
	struct herald_database *database;
	struct herald_store *store;
	struct herald_service *service;
	struct herald_delivery_queue *queue;
	struct sim_attempt attempts[SIM_ATTEMPTS];
	struct sim_block *blocks; /* its memory */
	struct sim_thread threads[SIM_THREADS];
};

enum sim_kind { SIM_PLAIN, SIM_JOIN, SIM_HOLD, SIM_KINDS };

/* A run of an event by its owner. */
struct sim_run {
	uint64_t owner;
	unsigned attempts;
	unsigned replays;
	bool has_ended;
	bool was_killed;        /* the process was killed meanwhile */
	bool ended_transaction; /* its function did */
	unsigned published;
	enum herald_verdict verdict;
};

struct sim_event {
	unsigned number;
	enum sim_kind kind;
	unsigned key; /* 0: none */
	uint32_t delay_ms;
	bool is_poison; /* crashes its process each time */
	char id[16];

	unsigned stored;     /* rows that were stored */
	unsigned stored_try; /* by this submission */
	bool is_acknowledged;
	bool is_done;
	bool is_dropped;
	unsigned effects;    /* committed */
	unsigned deliveries; /* stored */
	unsigned published;  /* by the run that has made it done */
	uint64_t row;        /* its id; 0: not yet */
	struct sim_run runs[SIM_RUNS];
	size_t runs_count;
};

struct sim_submission {
	struct herald__inbox_event arrival; /* the first member */
	struct sim *sim;
	struct sim_event *event;
	unsigned try;
	bool is_answered;
	bool is_lost;     /* its process has died before */
	bool was_refused; /* for certain */
	char data[256];
	char key[16];
};

/* What is known of a node. */
struct sim_node {
	uint64_t id;
	bool is_blurred;  /* it was killed while a worker was about to begin or to end a run */
	bool was_running; /* an event ran when it was killed */
	bool has_unknown; /* of its process */
	bool was_killed;
	bool machine_crashed;
};

struct sim {
	uint64_t seed, draws;
	struct model *model;
	bool has_leases, claims_apart;
	struct herald_store_options options;
	uint64_t now_ms;   /* monotonic, of all processes */
	int64_t latest_ms; /* the latest time that any wall clock has shown */
	bool is_calm;      /* nothing fails or dies any more */
	struct sim_process processes[SIM_PROCESSES];
	struct sim_thread *thread; /* that runs; NULL: the simulation */
	struct sim_event events[SIM_EVENTS];
	size_t events_count;
	struct sim_submission submissions[SIM_SUBMISSIONS];
	size_t submissions_count;
	struct sim_node nodes[SIM_NODES];
	size_t nodes_count;
	struct sim_send sends[SIM_SENDS];
	size_t sends_count;
	unsigned takeovers;   /* that follow soon */
	uint64_t takeover_ms; /* the next one */

	struct model_tables seen; /* the tables at the last check */
	uint64_t seen_version;
	bool is_replaying, is_dropping;       /* the simulation itself is about to */
	const struct herald_session *changed; /* its transaction has changed something */
	struct sim_process *ending;           /* its store is being destroyed */
	char violation[512];                  /* "": none */
	uint64_t trace_hash;
	size_t steps, kills, zombies, unknown, lost, late;
	char folder[64]; /* of in-flight files */
};

/* Run a simulation. Returns false if something does not hold; then `sim->violation` says what.
 * simulation_finish() follows. */
bool simulation_run(struct sim *sim, uint64_t seed);
void simulation_finish(struct sim *sim);

/* For the files of the simulation. */

uint64_t sim_below(struct sim *sim, uint64_t limit);
bool sim_one_in(struct sim *sim, uint64_t count);

/* Note what happens; printed if HERALD_TEST_TRACE is set. */
void sim_trace(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Something does not hold. Within a coroutine it does not return. */
void sim_violate(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Let another thread go on. */
void sim_switch(struct sim *sim, const char *at);

/* Compare what was committed since the last call. */
void sim_check(struct sim *sim);
/* At the end, when nothing is left to do. */
void sim_check_end(struct sim *sim);
void sim_check_answer(struct sim_submission *submission);
/* A process has stopped in order: it has answered everything. */
void sim_check_answered(struct sim_process *process);
/* A function begins, and ends. */
void sim_check_begin(struct sim_thread *thread, struct sim_event *event, unsigned attempts);
void sim_check_verdict(struct sim_thread *thread, enum herald_verdict verdict);
/* Of a delivery that was there before. `new` NULL: it is gone. */
void sim_check_delivery(struct sim *sim, const struct model_row *old, const struct model_row *new);
bool sim_machine_has_crashed(struct sim *sim, uint64_t node);
/* Whether its leases may have ended because it could not renew them in time. */
bool sim_is_late(const struct sim_process *process);
/* Before a process is killed. */
void sim_note_kill(struct sim_process *process, bool with_machine);

int64_t sim_wall_ms(struct sim_process *process);
struct sim_event *sim_event_of(struct sim *sim, const struct model_row *row);

/* The memory of a process. */
struct herald_allocator sim_allocator(struct sim_process *process);
void sim_free_memory(struct sim_process *process);

/* The deliverer of a process. */
void sim_open_deliverer(struct sim_process *process, struct herald_error *error);
/* A step. Returns when the next one is due. */
uint64_t sim_deliver(struct sim_process *process);
/* Whether it has stopped, and everything is stored. */
bool sim_deliverer_is_idle(const struct sim_process *process);
void sim_close_deliverer(struct sim_process *process);
void sim_kill_deliverer(struct sim_process *process);

/* The service of a process: what events do. */
enum herald_status sim_create_service(struct sim_process *process, struct herald_error *error);
void sim_submit(struct sim_process *process, struct sim_event *event);

#endif
