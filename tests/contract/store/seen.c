/*
 * Deduplication: a key is known from its commit on, for one to two windows.
 */
#include <pthread.h>
#include <string.h>

#include "probe.h"

#define KEY(TEXT) ((const unsigned char *)(TEXT))
#define WINDOW_MS 1000

static void
rotate(struct process *p, int64_t now_ms)
{
	struct herald_error error;

	begin(p);
	assert_works(p->ops->seen_rotate(p->session, now_ms, WINDOW_MS, &error), &error);
	commit(p);
}

static bool
is_new(struct process *p, const char *key)
{
	struct herald_error error;
	bool new;

	begin(p);
	assert_works(p->ops->seen(p->session, KEY(key), &new, &error), &error);
	commit(p);
	return new;
}

static void
test_between_calls(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct herald_stored_event *again = EVENT(.seen_key = KEY("0123456789abcdef"));

	accept_event(p, EVENT(.seen_key = KEY("0123456789abcdef")));
	assert_true(is_duplicate(p, again));
	assert_int_equal(again->owner, 0);
	again = EVENT(.seen_key = KEY("0123456789abcdef"), .owner = p->node);
	assert_true(is_duplicate(p, again));
	assert_int_equal(again->owner, 0);
	assert_int_equal(count_events(p), 1);
	/* Every byte counts. */
	assert_false(is_duplicate(p, EVENT(.seen_key = KEY("0123456789abcdeF"))));
	assert_false(is_duplicate(p, EVENT(.seen_key = KEY("X123456789abcdef"))));
	assert_false(is_duplicate(p, EVENT(.seen_key = KEY("\0"
							   "123456789abcdef"))));
	assert_false(is_duplicate(p, EVENT(.seen_key = KEY("\0"
							   "123456789abcdeF"))));
	assert_true(is_duplicate(p, EVENT(.seen_key = KEY("\0"
							  "123456789abcdef"))));
	assert_int_equal(count_events(p), 5);
	stop(p);
}

/* Finished, dead or purged: it stays known. */
static void
test_after_the_end(const struct contract_store *kind)
{
	struct process *p = start(kind);
	uint64_t done = accept_event(p, EVENT(.seen_key = KEY("done            ")));
	uint64_t dead;

	claim_only(p, done, T0);
	assert_false(COMPLETE(p, done, 1, DONE));
	dead = accept_event(p, EVENT(.seen_key = KEY("dead            ")));
	claim_only(p, dead, T0);
	assert_false(COMPLETE(p, dead, 1, DEAD));
	accept_event(p, EVENT(.seen_key = KEY("purged          ")));
	purge_all(p);
	assert_true(is_duplicate(p, EVENT(.seen_key = KEY("done            "))));
	assert_true(is_duplicate(p, EVENT(.seen_key = KEY("dead            "))));
	assert_true(is_duplicate(p, EVENT(.seen_key = KEY("purged          "))));
	assert_int_equal(count_events(p), 1);
	stop(p);
}

/* NServiceBus#4086: duplicates within one call, the first one is stored. */
static void
test_within_a_call(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct herald_stored_event events[] = {
		*EVENT(.event_type = "a", .seen_key = KEY("aaaaaaaaaaaaaaaa")),
		*EVENT(.event_type = "b", .seen_key = KEY("bbbbbbbbbbbbbbbb")),
		*EVENT(.event_type = "a2", .seen_key = KEY("aaaaaaaaaaaaaaaa"), .owner = p->node),
		*EVENT(.event_type = "none"),
		*EVENT(.event_type = "none"),
		*EVENT(.event_type = "a3", .seen_key = KEY("aaaaaaaaaaaaaaaa"), .key_hash = 5),
		*EVENT(.event_type = "c", .key_hash = 5),
	};
	static const bool expected[] = {false, false, true, false, false, true, false};
	struct herald_error error;

	begin(p);
	assert_works(p->ops->accept(p->session, events, COUNT(events), &error), &error);
	commit(p);
	for (size_t i = 0; i < COUNT(events); i++)
		assert_int_equal(events[i].is_duplicate, expected[i]);
	assert_int_equal(count_events(p), 5);
	assert_int_equal(events[2].owner, 0);
	/* A duplicate does not block its key. */
	assert_state(p, "c", READY);
	stop(p);
}

static void
test_within_a_transaction(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct herald_stored_event first = *EVENT(.seen_key = KEY("aaaaaaaaaaaaaaaa"));
	struct herald_stored_event second = *EVENT(.seen_key = KEY("aaaaaaaaaaaaaaaa"));
	struct herald_error error;

	begin(p);
	assert_works(p->ops->accept(p->session, &first, 1, &error), &error);
	assert_works(p->ops->accept(p->session, &second, 1, &error), &error);
	commit(p);
	assert_false(first.is_duplicate);
	assert_true(second.is_duplicate);
	stop(p);
}

/* A key of an event that was rolled back is not known. */
static void
test_rolled_back(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct herald_error error;

	begin(p);
	assert_works(
		p->ops->accept(p->session, EVENT(.seen_key = KEY("aaaaaaaaaaaaaaaa")), 1, &error),
		&error);
	rollback(p);
	begin(p);
	assert_works(p->ops->savepoint(p->session, &error), &error);
	assert_works(
		p->ops->accept(p->session, EVENT(.seen_key = KEY("bbbbbbbbbbbbbbbb")), 1, &error),
		&error);
	assert_works(p->ops->savepoint_rollback(p->session, &error), &error);
	commit(p);
	assert_false(is_duplicate(p, EVENT(.seen_key = KEY("aaaaaaaaaaaaaaaa"))));
	assert_false(is_duplicate(p, EVENT(.seen_key = KEY("bbbbbbbbbbbbbbbb"))));
	stop(p);
}

static void
test_seen(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct herald_error error;
	bool new;

	assert_true(is_new(p, "aaaaaaaaaaaaaaaa"));
	assert_false(is_new(p, "aaaaaaaaaaaaaaaa"));
	assert_true(is_new(p, "bbbbbbbbbbbbbbbb"));
	begin(p);
	assert_works(p->ops->seen(p->session, KEY("cccccccccccccccc"), &new, &error), &error);
	assert_true(new);
	assert_works(p->ops->seen(p->session, KEY("cccccccccccccccc"), &new, &error), &error);
	assert_false(new);
	rollback(p);
	assert_true(is_new(p, "cccccccccccccccc"));
	/* One set of keys. */
	assert_true(is_duplicate(p, EVENT(.seen_key = KEY("aaaaaaaaaaaaaaaa"))));
	accept_event(p, EVENT(.seen_key = KEY("dddddddddddddddd")));
	assert_false(is_new(p, "dddddddddddddddd"));
	stop(p);
}

/* A key is kept for one window at least, and forgotten after two. */
static void
test_rotation(const struct contract_store *kind)
{
	struct process *p = start(kind);
	int64_t now_ms = T0;

	rotate(p, now_ms);
	for (int i = 0; i < 4; i++) {
		char key[17] = "0123456789abcde?";

		key[15] = (char)('A' + i);
		assert_true(is_new(p, key));
		rotate(p, now_ms + WINDOW_MS - 1); /* too early: nothing happens */
		rotate(p, now_ms + WINDOW_MS - 1);
		assert_false(is_new(p, key));
		rotate(p, now_ms + WINDOW_MS);
		rotate(p, now_ms + WINDOW_MS); /* once for each window */
		assert_false(is_new(p, key));
		assert_true(is_duplicate(p, EVENT(.seen_key = KEY(key))));
		rotate(p, now_ms + 2 * WINDOW_MS - 1);
		assert_false(is_new(p, key));
		rotate(p, now_ms + 2 * WINDOW_MS);
		assert_true(is_new(p, key));
		rotate(p, now_ms + 3 * WINDOW_MS);
		now_ms += 4 * WINDOW_MS;
		rotate(p, now_ms);
	}
	stop(p);
}

/* A clock that is set back does not forget keys. */
static void
test_rotation_when_the_clock_is_set_back(const struct contract_store *kind)
{
	struct process *p = start(kind);

	rotate(p, T0);
	assert_true(is_new(p, "aaaaaaaaaaaaaaaa"));
	for (int i = 1; i < 5; i++) {
		rotate(p, T0 - i * WINDOW_MS);
		assert_false(is_new(p, "aaaaaaaaaaaaaaaa"));
	}
	stop(p);
}

/* Nor does it make windows shorter, if it goes on from less than a window before. */
static void
test_rotation_when_the_clock_is_set_back_a_little(const struct contract_store *kind)
{
	struct process *p = start(kind);

	rotate(p, T0);
	assert_true(is_new(p, "aaaaaaaaaaaaaaaa"));
	rotate(p, T0 - 40);
	rotate(p, T0 + WINDOW_MS - 20);
	rotate(p, T0 + 2 * WINDOW_MS - 20);
	assert_false(is_new(p, "aaaaaaaaaaaaaaaa"));
	rotate(p, T0 + 3 * WINDOW_MS - 20);
	assert_true(is_new(p, "aaaaaaaaaaaaaaaa"));
	stop(p);
}

static void
test_rotation_is_rolled_back(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct herald_error error;

	rotate(p, T0);
	assert_true(is_new(p, "aaaaaaaaaaaaaaaa"));
	for (int i = 1; i < 4; i++) {
		begin(p);
		assert_works(p->ops->seen_rotate(p->session, T0 + i * WINDOW_MS, WINDOW_MS, &error),
			     &error);
		rollback(p);
	}
	assert_false(is_new(p, "aaaaaaaaaaaaaaaa"));
	stop(p);
}

#define SHARED_KEYS 300

/* A sender, of which there are two with the same keys. */
struct sender {
	struct process *process;
	unsigned stored, duplicates;
	enum herald_status status;
};

static void *
send_keys(void *state)
{
	struct sender *sender = state;
	struct process *p = sender->process;
	struct herald_error error;

	for (unsigned i = 0; i < SHARED_KEYS;) {
		unsigned char key[HERALD_SEEN_KEY_BYTES] = {(unsigned char)i,
							    (unsigned char)(i >> 8)};
		struct herald_stored_event event = *EVENT(.seen_key = key);

		sender->status = p->ops->begin(p->session, &error);
		if (sender->status == HERALD_OK)
			sender->status = p->ops->accept(p->session, &event, 1, &error);
		if (sender->status == HERALD_OK)
			sender->status = p->ops->commit(p->session, &error);
		p->ops->rollback(p->session);
		if (sender->status == HERALD_UNAVAILABLE)
			continue; /* a conflict */
		if (sender->status != HERALD_OK)
			return NULL;
		sender->stored += !event.is_duplicate;
		sender->duplicates += event.is_duplicate;
		i++;
	}
	return NULL;
}

/* NServiceBus.Persistence.Sql#778, NServiceBus#4086: while two processes accept the same events,
 * and a third one drops old keys, each is stored once, and nothing blocks the others for good. */
static void
test_two_senders_and_a_rotation(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct process *processes[2] = {start_tool(p), start_tool(p)};
	struct sender senders[2];
	pthread_t threads[2];

	rotate(p, T0);
	for (size_t i = 0; i < 2; i++) {
		senders[i] = (struct sender){.process = processes[i]};
		assert_int_equal(pthread_create(&threads[i], NULL, send_keys, &senders[i]), 0);
	}
	rotate(p, T0 + WINDOW_MS); /* keys from before are still known */
	for (size_t i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(senders[i].status, HERALD_OK);
	}
	assert_int_equal(senders[0].stored + senders[1].stored, SHARED_KEYS);
	assert_int_equal(senders[0].duplicates + senders[1].duplicates, SHARED_KEYS);
	assert_int_equal(count_events(p), SHARED_KEYS);
	stop(processes[1]);
	stop(processes[0]);
	stop(p);
}

static void
test_many_keys(const struct contract_store *kind)
{
	static struct herald_stored_event events[600];
	static unsigned char keys[COUNT(events)][HERALD_SEEN_KEY_BYTES];
	struct process *p = start(kind);
	struct herald_error error;

	/* Each key twice, far apart and next to each other, in no order. */
	for (size_t i = 0; i < COUNT(events); i++) {
		unsigned number = (unsigned)(i < 300 ? i : (i - 300) / 3 * 3) * 2654435761u;

		memset(keys[i], (int)(number >> 24), sizeof(keys[i]));
		memcpy(keys[i], &number, sizeof(number));
		events[i] = *EVENT(.seen_key = keys[i]);
	}
	begin(p);
	assert_works(p->ops->accept(p->session, events, COUNT(events), &error), &error);
	commit(p);
	for (size_t i = 0; i < COUNT(events); i++)
		assert_int_equal(events[i].is_duplicate, i >= 300);
	assert_int_equal(count_events(p), 300);
	stop(p);
}

static void
test_known_after_a_restart(const struct contract_store *kind)
{
	struct process *first = start(kind);
	struct process *second = start_tool(first);

	accept_event(first, EVENT(.seen_key = KEY("aaaaaaaaaaaaaaaa")));
	assert_true(is_duplicate(second, EVENT(.seen_key = KEY("aaaaaaaaaaaaaaaa"))));
	stop(second);
	second = start_tool(first);
	assert_true(is_duplicate(second, EVENT(.seen_key = KEY("aaaaaaaaaaaaaaaa"))));
	stop(second);
	stop(first);
}

/* The secret of a database is the same for all of its processes, and different elsewhere. */
static void
test_secret(const struct contract_store *kind)
{
	struct process *first = start(kind);
	struct process *same = start_tool(first);
	struct process *other = start(kind);
	struct process *const processes[] = {first, same, other, first};
	unsigned char secrets[COUNT(processes)][16];
	struct herald_error error;

	for (size_t i = 0; i < COUNT(processes); i++) {
		begin(processes[i]);
		assert_works(processes[i]->ops->secret(processes[i]->session, secrets[i], &error),
			     &error);
		commit(processes[i]);
	}
	assert_memory_equal(secrets[0], secrets[1], 16);
	assert_memory_not_equal(secrets[0], secrets[2], 16);
	assert_memory_equal(secrets[0], secrets[3], 16);
	stop(other);
	stop(same);
	stop(first);
}

const struct contract_store_case contract_store_seen[] = {
	{"test_between_calls", test_between_calls, NEEDS_NOTHING},
	{"test_after_the_end", test_after_the_end, NEEDS_NOTHING},
	{"test_within_a_call", test_within_a_call, NEEDS_NOTHING},
	{"test_within_a_transaction", test_within_a_transaction, NEEDS_NOTHING},
	{"test_rolled_back_seen", test_rolled_back, NEEDS_NOTHING},
	{"test_seen", test_seen, NEEDS_NOTHING},
	{"test_rotation", test_rotation, NEEDS_NOTHING},
	{"test_rotation_when_the_clock_is_set_back", test_rotation_when_the_clock_is_set_back,
	 NEEDS_NOTHING},
	{"test_rotation_when_the_clock_is_set_back_a_little",
	 test_rotation_when_the_clock_is_set_back_a_little, NEEDS_NOTHING},
	{"test_rotation_is_rolled_back", test_rotation_is_rolled_back, NEEDS_NOTHING},
	{"test_two_senders_and_a_rotation", test_two_senders_and_a_rotation, NEEDS_NOTHING},
	{"test_many_keys", test_many_keys, NEEDS_NOTHING},
	{"test_known_after_a_restart", test_known_after_a_restart, NEEDS_NOTHING},
	{"test_secret", test_secret, NEEDS_NOTHING},
};
const size_t contract_store_seen_count = COUNT(contract_store_seen);
