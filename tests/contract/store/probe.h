/*
 * What the cases of the contract use: processes on one place, and each function of a database as
 * one line that must succeed. Times are virtual; T0 is when a test begins.
 */
#ifndef HERALD_TESTS_CONTRACT_STORE_PROBE_H
#define HERALD_TESTS_CONTRACT_STORE_PROBE_H

#include "suite.h"

/* EVENT() and the others like it have defaults, which later initializers replace. */
#pragma GCC diagnostic ignored "-Woverride-init"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))
#define T0 INT64_C(1700000000000)
#define MAX_ROWS 2048
#define LEASE_MS 60000
/* Of processes that are to die. */
#define SHORT_LEASE_MS 1000

/* A process. Its place is destroyed with the last one on it. */
struct process {
	const struct contract_store *kind;
	void *place;
	unsigned *place_uses;
	struct herald_database *database;
	const struct herald_database_ops *ops;
	struct herald_session *session; /* COMMIT */
	struct herald_session *nodes;   /* NODE */
	uint64_t node;                  /* 0: it has not joined */
};

/* The first process on a new place, which joins as a node. */
struct process *start(const struct contract_store *kind);
/* The same with a short lease, for one that is going to die. */
struct process *start_mortal(const struct contract_store *kind);
/* Another one on the same place. */
struct process *start_on(const struct process *other);
/* Another one that does not join: a tool. */
struct process *start_tool(const struct process *other);
struct process *start_mortal_tool(const struct process *other);
/* Leaves, and ends. */
void stop(struct process *process);
/* Ends without leaving. Returns when the survivor sees that the node is dead. */
void die(struct process *process, const struct process *survivor);
void wait_dead(const struct process *survivor, uint64_t node);

/* Joins again, as a new node. */
uint64_t join(struct process *process);

void begin(struct process *process);
void commit(struct process *process);
void rollback(struct process *process);

/* Events. Outside of a transaction, each is one of its own. */

/* An event of queue "q" and type "t" that is due at T0, with data "{}". Set what differs:
 * EVENT(.key_hash = 7). */
#define EVENT(...)                                                                                 \
	(&(struct herald_stored_event){.queue = "q",                                               \
				       .event_type = "t",                                          \
				       .source = "",                                               \
				       .event_id = "",                                             \
				       .content_type = "application/json",                         \
				       .data = {"{}", 2},                                          \
				       .attributes = {"", 0},                                      \
				       .created_ms = T0,                                           \
				       .due_ms = T0,                                               \
				       .last_error = "",                                           \
				       __VA_ARGS__})

/* A delivery of type "t" to http://a.example/, due at T0. */
#define DELIVERY(...)                                                                              \
	(&(struct herald_stored_delivery){.delivery_id = "d",                                      \
					  .url = "http://a.example/",                              \
					  .origin = "http://a.example:80",                         \
					  .event_type = "t",                                       \
					  .event_id = "",                                          \
					  .record = {"r", 1},                                      \
					  .created_ms = T0,                                        \
					  .due_ms = T0,                                            \
					  .expires_ms = T0 + 1000,                                 \
					  .last_error = "",                                        \
					  __VA_ARGS__})

/* Returns its id. Fails if it was a duplicate. */
uint64_t accept_event(struct process *process, struct herald_stored_event *event);
bool is_duplicate(struct process *process, struct herald_stored_event *event);

/* What was claimed; texts are copied. */
struct claimed {
	struct herald_stored_event event;
};

struct claims {
	struct claimed *rows;
	size_t count;
	size_t stop_after; /* the visitor returns false at this one; 0: never */
	int64_t next_ms;
};

struct claims *claim_with(struct process *process, const struct herald_claim *claim);
/* Of queue "q", without limits. */
struct claims *claim_all(struct process *process, int64_t now_ms);
/* The same with a visitor that returns false at the n-th event. */
struct claims *claim_until(struct process *process, int64_t now_ms, size_t n);
void claims_free(struct claims *claims);
/* Claims one event, which must be this one, and returns its attempts. */
unsigned claim_only(struct process *process, uint64_t id, int64_t now_ms);
void assert_nothing_to_claim(struct process *process, int64_t now_ms);

/* Both return is_lost. */
bool complete_with(struct process *process, struct herald_completion completion);
/* COMPLETE(p, id, attempts, DONE), or more members after the kind. */
#define COMPLETE(PROCESS, ID, ATTEMPTS, ...)                                                       \
	complete_with(PROCESS, (struct herald_completion){.id = (ID),                              \
							  .owner = (PROCESS)->node,                \
							  .attempts = (ATTEMPTS),                  \
							  .now_ms = T0,                            \
							  .due_ms = T0,                            \
							  .offset = -1,                            \
							  .path = "",                              \
							  .reason = "why",                         \
							  .why = HERALD_DEAD_FAILED,               \
							  .kind = HERALD_COMPLETE_##__VA_ARGS__})

/* How many events (or deliveries) of this type are in this state; NULL: of all types. */
uint64_t count_of(struct process *process, bool is_delivery, const char *type,
		  enum herald_count_state state);
#define assert_count(PROCESS, TYPE, STATE, EXPECTED)                                               \
	assert_int_equal(count_of(PROCESS, false, TYPE, HERALD_COUNT_##STATE), EXPECTED)

/* The event's state, found by its type: assert_state(p, "a", BLOCKED). */
#define assert_state(PROCESS, TYPE, STATE) assert_count(PROCESS, TYPE, STATE, 1)

/* Delete what is not running: everything, or events of this type. */
/* An event that is a dead letter since T0 + ms. Returns its id. */
uint64_t kill_event(struct process *process, struct herald_stored_event *event,
		    enum herald_dead_reason why, int64_t ms);
/* Up to `max` rows; at most 1,000. In a transaction. */
enum herald_status find_and_purge(struct process *process, const struct herald_purge_filter *filter,
				  size_t max, uint64_t *count, struct herald_error *error);
/* Up to `max` dead letters, if there are more than `keep`. In a transaction. */
enum herald_status find_and_trim(struct process *process, uint64_t keep, size_t max,
				 uint64_t *count, struct herald_error *error);
void purge_all(struct process *process);
void purge_type(struct process *process, const char *type);

/* How many dead letters were replayed at T0, or dropped. */
uint64_t replay(struct process *process, const struct herald_dead_filter *filter, size_t max);
uint64_t drop(struct process *process, const struct herald_dead_filter *filter, size_t max);

/* The number of all rows of events, in any state. */
uint64_t count_events(struct process *process);

/* Make the events of a dead node READY again. The recovery's node is set here, and its time
 * if it is 0. */
struct herald_recovery
recover(struct process *process, uint64_t node, struct herald_recovery recovery);
/* All that were claimed had not begun. */
#define RECOVER_ALL                                                                                \
	((struct herald_recovery){.is_known = true, .max_interrupted = 3, .max_attempts = 20})

/* Deliveries, likewise. */

uint64_t push(struct process *process, struct herald_stored_delivery *delivery);

struct claimed_delivery {
	struct herald_stored_delivery delivery;
};

struct claimed_deliveries {
	struct claimed_delivery *rows;
	size_t count;
	int64_t next_ms;
};

struct claimed_deliveries *
claim_deliveries_with(struct process *process, const struct herald_delivery_claim *claim);
/* Without limits; due an hour ahead is due now. */
struct claimed_deliveries *claim_deliveries(struct process *process, int64_t now_ms);
void claimed_deliveries_free(struct claimed_deliveries *claimed);
/* Claims one, which must be this one, and returns its attempts. */
unsigned claim_delivery(struct process *process, uint64_t id, int64_t now_ms);

/* Both return is_lost. */
bool complete_delivery_with(struct process *process, struct herald_delivery_completion completion);
#define COMPLETE_DELIVERY(PROCESS, ID, ATTEMPTS, ...)                                              \
	complete_delivery_with(PROCESS, (struct herald_delivery_completion){                       \
						.id = (ID),                                        \
						.owner = (PROCESS)->node,                          \
						.attempts = (ATTEMPTS),                            \
						.new_attempts = (ATTEMPTS),                        \
						.now_ms = T0,                                      \
						.due_ms = T0,                                      \
						.expires_ms = T0 + 1000,                           \
						.http_status = 503,                                \
						.reason = "why",                                   \
						.why = HERALD_DEAD_REFUSED,                        \
						.kind = HERALD_COMPLETE_##__VA_ARGS__})
#define assert_deliveries(PROCESS, STATE, EXPECTED)                                                \
	assert_int_equal(count_of(PROCESS, true, NULL, HERALD_COUNT_##STATE), EXPECTED)

#define assert_status(STATUS, EXPECTED, ERROR)                                                     \
	do {                                                                                       \
		enum herald_status status_ = (STATUS);                                             \
		if (status_ != (EXPECTED))                                                         \
			fail_msg("%s instead of %s: %s", herald_status_name(status_),              \
				 herald_status_name(EXPECTED),                                     \
				 status_ == HERALD_OK ? "" : (ERROR)->message);                    \
	} while (0)
#define assert_works(STATUS, ERROR) assert_status(STATUS, HERALD_OK, ERROR)

#endif
