/*
 * The databases of the bench, and what it does to them directly: rows are stored by transactions of
 * the bench's own, through the interface that the store uses.
 */
#ifndef BENCH_DURABLE_DATABASE_H
#define BENCH_DURABLE_DATABASE_H

#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/database.h>

/* Where the events of a run are. */
struct place {
	const char *where; /* a file, or a URL */
	const char *event; /* each event is this one */
	size_t event_bytes;
};

/* Ids of events, for deduplication. */
enum ids {
	IDS_NONE,
	IDS_ORDERED, /* keys in order of time */
	IDS_RANDOM,
};

/* Events to store; zeroed: ready at once, without ids and keys of an order. */
struct load {
	uint64_t count;
	size_t batch; /* in one commit */
	enum ids ids;
	uint64_t keys;    /* so many keys of an order; 0: none */
	int64_t delay_ms; /* before they are due */
};

/* An error ends the program. */
void check(enum herald_status status, const struct herald_error *error);

/* Create the database, which is not open yet. */
struct herald_database *place_database(const struct place *place);

/* Open the database, store events, and close it. Returns the seconds that storing took. */
double place_fill(const struct place *place, const struct load *load);

/* Delete everything; nothing has it open. */
void place_clear(const struct place *place);

/* How many times processes tell each other of new events, in this time. 0 if they do not. */
uint64_t place_watch(const struct place *place, double seconds);

/* A table for effects_write(), in the same database, unless it is there. */
void effects_create(const struct place *place);

/* Write a row in the transaction of the event that runs. */
void effects_write(struct herald_context *ctx, const char *username);

uint64_t effects_count(const struct place *place);

/* CLOCK_MONOTONIC, which is the same in all processes. */
double now_s(void);

#endif
