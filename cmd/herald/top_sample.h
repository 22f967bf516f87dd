/*
 * What a service has counted at a time, as `herald top` reads it, and what the difference of two
 * such samples says.
 */
#ifndef HERALD_CMD_TOP_SAMPLE_H
#define HERALD_CMD_TOP_SAMPLE_H

#include "admin_client.h"
#include "tool_memory.h"

/* Counts of a route since the service began. */
struct top_route {
	const char *event_type; /* NULL: events that no route took */
	const char *version;    /* NULL: any */
	uint64_t done, retry, fail, refused, ignored;
	uint64_t stored; /* accepted by a store, or found there */
	/* Events by duration: for each bound, and one for what took longer. NULL: unknown. */
	const uint64_t *durations;
};

/* Events or deliveries of a queue of the store. */
struct top_queue {
	const char *kind; /* "event", "delivery" */
	const char *name;
	uint64_t ready, delayed, blocked, running, dead;
	int64_t oldest_ready_ms; /* an age; -1: none is ready */
};

/* What does not work. */
struct top_problem {
	const char *of; /* "store" */
	const char *text;
};

struct top_sample {
	struct herald_arena *arena; /* of all that follows */
	const char *time;
	const char *began; /* when the process began */
	uint64_t clock_ms;
	const uint64_t *bounds_us;
	size_t bounds_count;
	struct top_route *routes;
	size_t routes_count;
	struct top_queue *queues;
	size_t queues_count;
	struct memory_list problems;   /* of struct top_problem */
	const struct json_tree *state; /* the answer of api/state */
};

void top_sample_init(struct top_sample *sample);
void top_sample_finish(struct top_sample *sample);

/* Read one. Returns false if the service does not answer: see admin_client_get(). If only its
 * queues cannot be read, that is a problem of the sample. */
bool top_sample_read(struct admin_client *client, struct top_sample *sample);

/* Whether the differences of two samples mean something: not if the service was started again. */
bool top_sample_follows(const struct top_sample *from, const struct top_sample *to);

/* Events that ended, whatever their verdict. */
uint64_t top_route_events(const struct top_route *route);
/* The same of all routes. */
uint64_t top_sample_events(const struct top_sample *sample);
/* What a store has accepted, of all routes. */
uint64_t top_sample_stored(const struct top_sample *sample);

/* How much a count grew in a second, in thousandths. `from` comes before `to`. */
uint64_t top_rate_thousandths(const struct top_sample *from, const struct top_sample *to,
			      uint64_t before, uint64_t after);

/* A duration, by the bounds of the histogram. */
struct top_duration {
	uint64_t us;
	bool is_longer; /* than `us`, the last bound: it is not known how much */
};

/* The duration that this share of a route's events between two samples did not exceed. Returns
 * false if there were none. */
bool top_duration(const struct top_sample *from, const struct top_sample *to, size_t route,
		  unsigned permille, struct top_duration *out);

#endif
