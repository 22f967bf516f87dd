/*
 * What the cases use: a consumer whose service runs events that say what happens to them, and
 * conditions that are waited for.
 */
#ifndef HERALD_TESTS_CONTRACT_BROKER_PROBE_H
#define HERALD_TESTS_CONTRACT_BROKER_PROBE_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/consumer.h>
#include <herald/herald.h>

#include "suite.h"

#define MAX_RUNS 32768
#define VISIBILITY_MS 1500
#define WAIT_MS 30000
#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

struct run {
	int id;
	unsigned attempt;
	uint64_t ms; /* when it began */
};

struct probe {
	const struct contract_broker *kind;
	char source[64];
	struct herald_service *service;
	struct herald_consumer *consumer; /* NULL: stopped */
	unsigned char *tally;             /* counts the runs of each event as well; NULL: none */

	pthread_mutex_t mutex; /* protects the rest */
	pthread_cond_t changed;
	struct run runs[MAX_RUNS];
	size_t runs_count;
	bool is_blocked; /* events "wait" wait */
	unsigned waiting;
};

/* The broker of this program; set by the suite. */
extern const struct contract_broker *broker;

uint64_t now_ms(void);

/* On a source of its own. */
struct probe *probe_create(void);
/* On the source of another one. */
struct probe *probe_beside(const struct probe *other);
/* Stop, and free it. */
void probe_destroy(struct probe *probe);

#define START(PROBE, ...) probe_start(PROBE, &HERALD_CONSUMER_OPTIONS(__VA_ARGS__))
/* Without a default of `backoff`: delays have no jitter, and are 50 ms if not given. */
void probe_start(struct probe *probe, const struct herald_consumer_options *options);
/* Returns what herald_consumer_stop() does, and destroys the consumer. */
size_t probe_stop(struct probe *probe);

/*
 * Publish an event. Actions: "done", "retry" (until attempt `number`), "fail", "wait" (until
 * probe_release()), "sleep" (`number` ms), "crash".
 */
void probe_publish(struct probe *probe, int id, const char *action, int number);
/* With a key: the header "key". */
void
probe_publish_keyed(struct probe *probe, int id, const char *action, int number, const char *key);
/* Events from `first`, all "done". */
void probe_publish_many(struct probe *probe, int first, int count);

/* The runs of an event so far, and the last one of them. */
unsigned probe_runs(struct probe *probe, int id);
struct run probe_last(struct probe *probe, int id);
size_t probe_all_runs(struct probe *probe);
unsigned probe_waiting(struct probe *probe);
void probe_block(struct probe *probe);
void probe_release(struct probe *probe);
struct herald_consumer_statistics probe_counts(struct probe *probe);

size_t probe_left(const struct probe *probe);
size_t probe_dead(const struct probe *probe);
void dead_free(struct contract_dead *dead);
/* The value of a header; NULL: it has none. */
const char *dead_header(const struct contract_dead *dead, const char *name);

/* Wait until a condition holds. */
#define WAIT(CONDITION)                                                                            \
	do {                                                                                       \
		const uint64_t until_ms_ = now_ms() + WAIT_MS;                                     \
		while (!(CONDITION)) {                                                             \
			if (now_ms() > until_ms_)                                                  \
				fail_msg("not in time: %s", #CONDITION);                           \
			probe_pause();                                                             \
		}                                                                                  \
	} while (0)
void probe_pause(void);
/* Wait until everything is finished, and acknowledged. */
void probe_finish(struct probe *probe);

/* The cases of a file. */
struct case_list {
	const struct CMUnitTest *cases;
	size_t count;
};
extern const struct case_list verdict_cases, budget_cases, flow_cases, stop_cases, fault_cases;
/* Those for a broker that is_found_soon. */
extern const struct case_list stop_soon_cases, fault_soon_cases;
/* Those in which the process of a consumer dies. */
extern const struct case_list budget_crash_cases, fault_crash_cases;
/* What a producer does. */
extern const struct case_list publisher_confirm_cases, publisher_format_cases,
	publisher_fault_cases, publisher_relay_cases;

#endif
