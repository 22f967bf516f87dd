/*
 * Stores events in a database, whichever it is. Functions that differ are in sqlite.c and
 * postgres.c; runner.c runs the events.
 */
#include "database.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MAX_BATCH 1000

void
check(enum herald_status status, const struct herald_error *error)
{
	if (status == HERALD_OK)
		return;
	herald_error_print(stderr, "queue_herald", error);
	exit(1);
}

double
now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* xorshift64* by Vigna, from the time: keys must not come again in later runs. */
static uint64_t
random_bits(void)
{
	static uint64_t state;

	if (state == 0)
		state = (uint64_t)(now_s() * 1e9) | 1;
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1du;
}

/* A key of deduplication; in order of time it is like a UUID of version 7. */
static void
write_seen_key(unsigned char *key, enum ids ids)
{
	static uint64_t count;
	uint64_t high = ids == IDS_ORDERED ? (uint64_t)now_ms() << 16 : random_bits();
	uint64_t low = ids == IDS_ORDERED ? count++ << 20 | random_bits() >> 44 : random_bits();

	for (size_t i = 0; i < 8; i++) {
		key[i] = (unsigned char)(high >> (56 - 8 * i));
		key[8 + i] = (unsigned char)(low >> (56 - 8 * i));
	}
}

static void
prepare(struct herald_stored_event *event, const struct place *place, const struct load *load,
	unsigned char *seen_key, uint64_t number)
{
	*event = (struct herald_stored_event){
		.queue = "default",
		.event_type = "user_created",
		.source = "",
		.event_id = "",
		.content_type = "application/json",
		.attributes = {.data = ""},
		.data = {.data = place->event, .bytes = place->event_bytes},
		.created_ms = now_ms(),
		.last_error = "",
		.key_hash = load->keys == 0 ? 0 : 1 + number % load->keys,
	};
	event->due_ms = event->created_ms + load->delay_ms;
	if (load->ids == IDS_NONE)
		return;
	write_seen_key(seen_key, load->ids);
	event->seen_key = seen_key;
}

static void
store(struct herald_session *session, const struct herald_database_ops *ops,
      const struct place *place, const struct load *load)
{
	static struct herald_stored_event events[MAX_BATCH];
	static unsigned char seen_keys[MAX_BATCH][HERALD_SEEN_KEY_BYTES];
	size_t batch = load->batch < MAX_BATCH ? load->batch : MAX_BATCH;
	struct herald_error error;

	for (uint64_t stored = 0; stored < load->count;) {
		size_t count = 0;
		for (; count < batch && stored < load->count; count++)
			prepare(&events[count], place, load, seen_keys[count], stored++);
		check(ops->begin(session, &error), &error);
		check(ops->accept(session, events, count, &error), &error);
		check(ops->commit(session, &error), &error);
		if (ops->tend)
			ops->tend(session, now_ms());
	}
}

double
place_fill(const struct place *place, const struct load *load)
{
	struct herald_database *database = place_database(place);
	const struct herald_database_ops *ops = database->ops;
	struct herald_session *session = NULL;
	struct herald_error error;

	check(ops->open(database, &(struct herald_database_settings){.lease_ms = 15000}, &error),
	      &error);
	check(ops->session_open(database, HERALD_SESSION_COMMIT, &session, &error), &error);
	double start = now_s();
	store(session, ops, place, load);
	double seconds = now_s() - start;
	ops->session_close(session);
	ops->destroy(database);
	return seconds;
}
