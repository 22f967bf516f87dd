/*
 * The database on PostgreSQL with several processes: stopped ones, conflicts, wake-ups, and claims
 * while a snapshot is held.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "contract/store/probe.h"
#include "support/draw.h"
#include "support/postgres_place.h"

static struct postgres_server server;

static int64_t
clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A process is stopped for longer than its lease, and goes on. */

struct zombie {
	pid_t pid;
	int to, from; /* pipes */
	uint64_t node;
};

static bool
end_run(struct process *p, uint64_t id, bool *is_lost)
{
	struct herald_completion end = {.id = id,
					.owner = p->node,
					.attempts = 1,
					.kind = HERALD_COMPLETE_DONE,
					.key_hash = 7,
					.path = ""};
	struct herald_error error;
	enum herald_status status = p->ops->complete(p->session, &end, 1, &error);

	*is_lost = end.is_lost;
	return status == HERALD_OK;
}

static bool
ignore_event(const struct herald_stored_event *event, void *state)
{
	(void)event;
	(void)state;
	return true;
}

/* After it was stopped: it changes nothing, and gets nothing. Returns the exit status. */
static int
act_late(struct process *p, uint64_t id, bool was_in_transaction)
{
	struct herald_error error;
	struct herald_claim claim = {
		.queue = "q", .owner = p->node, .now_ms = T0, .max_events = 1, .max_bytes = 1};
	int64_t next_ms;
	bool is_lost = false;

	if (was_in_transaction && p->ops->commit(p->session, &error) != HERALD_UNAVAILABLE)
		return 10;
	p->ops->rollback(p->session);
	if (p->ops->begin(p->session, &error) != HERALD_OK || !end_run(p, id, &is_lost) || !is_lost)
		return 11;
	if (p->ops->accept(p->session, EVENT(.owner = p->node), 1, &error) != HERALD_LEASE_LOST)
		return 12;
	p->ops->rollback(p->session);
	if (p->ops->claim(p->session, &claim, ignore_event, NULL, &next_ms, &error) !=
	    HERALD_LEASE_LOST)
		return 13;
	if (p->ops->node_renew(p->nodes, p->node, T0, &error) != HERALD_LEASE_LOST)
		return 14;
	return 0;
}

/* The child's side. It has an event, perhaps an open transaction that ends it. */
static void
run_zombie(const struct process *other, uint64_t id, bool in_transaction, int in, int out)
{
	struct process *p = start_mortal_tool(other);
	bool is_lost;
	char byte;

	join(p);
	/* Even a stopped one. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	claim_only(p, id, T0);
	if (in_transaction) {
		begin(p);
		if (!end_run(p, id, &is_lost) || is_lost)
			_exit(20);
	}
	if (write(out, &p->node, sizeof(p->node)) != sizeof(p->node) || read(in, &byte, 1) != 1)
		_exit(21);
	_exit(act_late(p, id, in_transaction));
}

static struct zombie
make_zombie(const struct process *other, uint64_t id, bool in_transaction)
{
	struct zombie zombie;
	int to[2], from[2], status;

	assert_int_equal(pipe(to), 0);
	assert_int_equal(pipe(from), 0);
	zombie.pid = fork();
	if (zombie.pid == 0)
		run_zombie(other, id, in_transaction, to[0], from[1]);
	close(to[0]);
	close(from[1]);
	zombie.to = to[1];
	zombie.from = from[0];
	assert_int_equal(read(zombie.from, &zombie.node, sizeof(zombie.node)), sizeof(zombie.node));
	kill(zombie.pid, SIGSTOP);
	assert_int_equal(waitpid(zombie.pid, &status, WUNTRACED), zombie.pid);
	return zombie;
}

static void
wake_zombie(struct zombie *zombie)
{
	int status;

	kill(zombie->pid, SIGCONT);
	assert_int_equal(write(zombie->to, "g", 1), 1);
	assert_int_equal(waitpid(zombie->pid, &status, 0), zombie->pid);
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(WIFEXITED(status));
	close(zombie->to);
	close(zombie->from);
}

static void
a_process_that_was_stopped_changes_nothing(void **unused)
{
	(void)unused;
	for (int in_transaction = 0; in_transaction < 2; in_transaction++) {
		struct process *p = start(&postgres_contract);
		uint64_t id = accept_event(p, EVENT(.event_type = "a", .key_hash = 7));
		uint64_t next = accept_event(p, EVENT(.event_type = "b", .key_hash = 7));
		struct zombie zombie = make_zombie(p, id, in_transaction);
		struct herald_recovery recovery = {.node = zombie.node,
						   .now_ms = T0,
						   .is_known = true,
						   .max_interrupted = 3,
						   .max_attempts = 20};
		struct herald_error error;

		wait_dead(p, zombie.node);
		int64_t began_ms = clock_ms();
		assert_works(p->ops->node_recover(p->nodes, &recovery, &error), &error);
		assert_true(clock_ms() - began_ms < 20000); /* it waits for no lock */
		assert_true(recovery.is_taken);
		assert_int_equal(recovery.ready, 1);
		assert_int_equal(claim_only(p, id, T0), 1);
		wake_zombie(&zombie);
		assert_false(COMPLETE(p, id, 1, DONE, .key_hash = 7));
		assert_int_equal(claim_only(p, next, T0), 1);
		stop(p);
	}
}

/* Conflicts. */

#define WRITERS 4
#define ROUNDS 150

struct writer {
	struct process *process;
	pthread_t thread;
	uint64_t seed;
	struct herald_completion ends[16];
	size_t ends_count;
	char problem[300]; /* "": none */
	unsigned failures;
};

static bool
keep_claim(const struct herald_stored_event *event, void *state)
{
	struct writer *writer = state;

	writer->ends[writer->ends_count++] = (struct herald_completion){
		.id = event->id,
		.owner = writer->process->node,
		.attempts = event->attempts,
		.kind = (enum herald_completion_kind)(draw_below(&writer->seed, 4)),
		.is_held = draw_below(&writer->seed, 4) == 0,
		.key_hash = event->key_hash,
		.now_ms = T0,
		.due_ms = T0,
		.why = HERALD_DEAD_FAILED,
		.reason = "no",
		.path = "",
		.offset = -1,
	};
	return writer->ends_count < COUNT(writer->ends);
}

static enum herald_status
write_events(struct writer *writer, struct herald_error *error)
{
	struct process *p = writer->process;
	struct herald_stored_event events[4];
	unsigned char keys[4][HERALD_SEEN_KEY_BYTES];
	size_t count = 1 + draw_below(&writer->seed, 4);

	for (size_t i = 0; i < count; i++) {
		memset(keys[i], (int)draw_below(&writer->seed, 200), sizeof(keys[i]));
		events[i] = *EVENT(.key_hash = draw_below(&writer->seed, 6), .seen_key = keys[i]);
	}
	return p->ops->accept(p->session, events, count, error);
}

static enum herald_status
write_deliveries(struct writer *writer, struct herald_error *error)
{
	static const char *const origins[] = {"http://a:80", "http://b:80", "http://c:80"};
	struct herald_stored_delivery deliveries[3];
	size_t count = 1 + draw_below(&writer->seed, 3);

	for (size_t i = 0; i < count; i++)
		deliveries[i] = *DELIVERY(.origin = origins[draw_below(&writer->seed, 3)]);
	return writer->process->ops->delivery_push(writer->process->session, deliveries, count,
						   error);
}

/* Operations of a tool in between. */
static enum herald_status
operate(struct writer *writer, struct herald_error *error)
{
	struct process *p = writer->process;
	uint64_t count;

	switch (draw_below(&writer->seed, 8)) {
	case 0:
		return p->ops->dead_replay(p->session, &(struct herald_dead_filter){0}, 3, T0,
					   &count, error);
	case 1:
		return p->ops->dead_drop(p->session, &(struct herald_dead_filter){0}, 2, &count,
					 error);
	case 2:
		return find_and_trim(p, 5, 2, &count, error);
	case 3:
		return find_and_purge(p, &(struct herald_purge_filter){0}, 2, &count, error);
	default:
		return HERALD_OK;
	}
}

static enum herald_status
write_once(struct writer *writer, struct herald_error *error)
{
	struct process *p = writer->process;
	struct herald_claim claim = {.queue = "q",
				     .owner = p->node,
				     .now_ms = T0,
				     .max_events = COUNT(writer->ends),
				     .max_bytes = 1 << 20};
	int64_t next_ms;
	enum herald_status status = p->ops->begin(p->session, error);

	if (status == HERALD_OK)
		status = write_events(writer, error);
	if (status == HERALD_OK && writer->ends_count > 0)
		status = p->ops->complete(p->session, writer->ends, writer->ends_count, error);
	if (status == HERALD_OK)
		status = write_deliveries(writer, error);
	if (status == HERALD_OK)
		status = p->ops->commit(p->session, error);
	if (status != HERALD_OK)
		return status;
	writer->ends_count = 0;
	status = p->ops->begin(p->session, error);
	if (status == HERALD_OK)
		status = operate(writer, error);
	if (status == HERALD_OK)
		status = p->ops->commit(p->session, error);
	if (status != HERALD_OK)
		return status;
	return p->ops->claim(p->session, &claim, keep_claim, writer, &next_ms, error);
}

static void *
run_writer(void *state)
{
	struct writer *writer = state;
	struct herald_error error;

	for (int i = 0; i < ROUNDS; i++)
		if (write_once(writer, &error) != HERALD_OK) {
			writer->failures++;
			snprintf(writer->problem, sizeof(writer->problem), "%s", error.message);
			writer->process->ops->rollback(writer->process->session);
		}
	return NULL;
}

static bool
no_problem(const struct herald_finding *finding, void *state)
{
	(void)state;
	if (finding->is_problem)
		fail_msg("%s: %s", finding->name, finding->text);
	return true;
}

static void
random_keys_do_not_deadlock(void **unused)
{
	static struct writer writers[WRITERS];
	struct process *p = start(&postgres_contract);
	uint64_t seed = draw_seed();
	struct herald_error error;

	(void)unused;
	memset(writers, 0, sizeof(writers));
	for (size_t i = 0; i < WRITERS; i++) {
		writers[i].process = start_on(p);
		writers[i].seed = seed + i;
		assert_int_equal(pthread_create(&writers[i].thread, NULL, run_writer, &writers[i]),
				 0);
	}
	for (size_t i = 0; i < WRITERS; i++)
		pthread_join(writers[i].thread, NULL);
	for (size_t i = 0; i < WRITERS; i++)
		if (writers[i].failures > 0)
			fail_msg("HERALD_TEST_SEED=%llu: %u failures: %s", (unsigned long long)seed,
				 writers[i].failures, writers[i].problem);
	assert_works(p->ops->check(p->session, T0, no_problem, NULL, &error), &error);
	for (size_t i = 0; i < WRITERS; i++)
		stop(writers[i].process);
	stop(p);
}

/* The same in an order that the test decides. */

typedef enum herald_status call(struct process *p, void *state, struct herald_error *error);

/* A transaction with one call, on a thread of its own. */
struct late {
	struct process *process;
	call *call;
	bool is_apart; /* the call is a transaction of its own */
	void *state;
	pthread_t thread;
	enum herald_status status;
	struct herald_error error;
};

static void *
run_late(void *state)
{
	struct late *late = state;
	struct process *p = late->process;

	late->status = late->is_apart ? HERALD_OK : p->ops->begin(p->session, &late->error);
	if (late->status == HERALD_OK)
		late->status = late->call(p, late->state, &late->error);
	if (late->status == HERALD_OK && !late->is_apart)
		late->status = p->ops->commit(p->session, &late->error);
	p->ops->rollback(p->session);
	return NULL;
}

/* Begin it, and return when this many connections wait for a lock. */
static void
begin_late(struct late *late, long waiting)
{
	const struct timespec pause = {.tv_nsec = 2000000};
	int64_t end_ms = clock_ms() + 60000;

	assert_int_equal(pthread_create(&late->thread, NULL, run_late, late), 0);
	while (postgres_server_number(&server, "SELECT count(*) FROM pg_stat_activity"
					       " WHERE wait_event_type = 'Lock'") < waiting) {
		assert_true(clock_ms() < end_ms);
		nanosleep(&pause, NULL);
	}
}

static void
end_late(struct late *late)
{
	pthread_join(late->thread, NULL);
	assert_works(late->status, &late->error);
}

#define ID "0123456789abcdef"

/* Events with the same id, by their key. */
static enum herald_status
accept_id(struct process *p, void *state, struct herald_error *error)
{
	struct herald_stored_event *event = state;

	event->seen_key = (const unsigned char *)ID;
	return p->ops->accept(p->session, event, 1, error);
}

static enum herald_status
push_one(struct process *p, void *state, struct herald_error *error)
{
	(void)state;
	return p->ops->delivery_push(p->session, DELIVERY(), 1, error);
}

static enum herald_status
end_one(struct process *p, void *state, struct herald_error *error)
{
	bool is_lost;

	(void)error;
	return end_run(p, *(uint64_t *)state, &is_lost) && !is_lost ? HERALD_OK : HERALD_BAD_VALUE;
}

static enum herald_status
replay_all(struct process *p, void *state, struct herald_error *error)
{
	uint64_t count;

	(void)state;
	return p->ops->dead_replay(p->session, &(struct herald_dead_filter){0}, 10, T0, &count,
				   error);
}

static enum herald_status
trim_all(struct process *p, void *state, struct herald_error *error)
{
	uint64_t count;

	(void)state;
	return find_and_trim(p, 0, 10, &count, error);
}

/* One process has added an id, and another one, whose event has a key, waits for it. Then the first
 * one changes a lane. */
static void
an_id_is_waited_for_without_the_lanes(void **unused)
{
	static call *const changes[] = {push_one, end_one, replay_all, trim_all};

	(void)unused;
	for (size_t i = 0; i < COUNT(changes); i++) {
		struct process *p = start(&postgres_contract);
		struct herald_stored_event *event = EVENT(.key_hash = 7);
		struct late late = {start_on(p), .call = accept_id, .state = event};
		uint64_t id = accept_event(p, EVENT(.key_hash = 7));
		struct herald_error error;

		claim_only(p, id, T0);
		begin(p);
		assert_works(accept_id(p, EVENT(), &error), &error);
		begin_late(&late, 1);
		assert_works(changes[i](p, &id, &error), &error);
		commit(p);
		end_late(&late);
		assert_true(event->is_duplicate);
		stop(late.process);
		stop(p);
	}
}

static uint64_t
bury(struct process *p, int64_t now_ms)
{
	uint64_t id = accept_event(p, EVENT());

	claim_only(p, id, T0);
	assert_false(COMPLETE(p, id, 1, DEAD, .now_ms = now_ms));
	return id;
}

/* Both have locked a dead letter, wait for another one, and then for each other's: in the order of
 * ids, a c b d, and of times, b d a c. */
static void
dead_letters_are_trimmed_and_replayed_at_once(void **unused)
{
	struct process *p = start(&postgres_contract);
	struct late replay = {start_on(p), .call = replay_all};
	struct late trim = {start_on(p), .call = trim_all};
	PGconn *holder = PQconnectdb(server.dsn);
	char sql[160];

	(void)unused;
	bury(p, T0 + 3); /* a */
	uint64_t c = bury(p, T0 + 4);
	bury(p, T0 + 1); /* b */
	uint64_t d = bury(p, T0 + 2);
	PQclear(PQexec(holder, "BEGIN"));
	snprintf(sql, sizeof(sql), "SELECT FROM %s.herald_dead WHERE id IN (%llu, %llu) FOR UPDATE",
		 (const char *)p->place, (unsigned long long)c, (unsigned long long)d);
	PGresult *locked = PQexec(holder, sql);
	assert_int_equal(PQntuples(locked), 2);
	PQclear(locked);
	begin_late(&replay, 1);
	begin_late(&trim, 2);
	PQclear(PQexec(holder, "COMMIT"));
	PQfinish(holder);
	end_late(&replay);
	end_late(&trim);
	assert_count(p, NULL, READY, 4);
	stop(trim.process);
	stop(replay.process);
	stop(p);
}

static enum herald_status
recover_node(struct process *p, void *state, struct herald_error *error)
{
	return p->ops->node_recover(p->nodes, state, error);
}

static enum herald_status
end_late_run(struct process *p, void *state, struct herald_error *error)
{
	bool is_lost;

	(void)error;
	return end_run(p, *(uint64_t *)state, &is_lost) ? HERALD_OK : HERALD_BAD_VALUE;
}

/* A process whose lease has ended goes on while another one recovers its events: one gets a dead
 * letter, and the other one is what it ends. A third process has the lanes. */
static void
a_process_goes_on_while_it_is_recovered(void **unused)
{
	struct process *p = start(&postgres_contract);
	struct process *q = start_mortal_tool(p);
	struct process *other = start_on(p);
	struct herald_error error;

	(void)unused;
	join(q);
	uint64_t suspect = accept_event(q, EVENT(.key_hash = 7, .owner = q->node));
	uint64_t id = accept_event(q, EVENT(.key_hash = 8, .owner = q->node));
	struct herald_recovery recovery = {.node = q->node,
					   .now_ms = T0,
					   .suspects = &suspect,
					   .suspects_count = 1,
					   .is_known = true,
					   .max_interrupted = 1,
					   .max_attempts = 20};
	struct late recoverer = {p, .call = recover_node, .is_apart = true, .state = &recovery};
	struct late zombie = {q, .call = end_late_run, .state = &id};
	wait_dead(p, q->node);
	begin(other);
	assert_works(push_one(other, NULL, &error), &error);
	begin_late(&recoverer, 1);
	begin_late(&zombie, 2);
	commit(other);
	end_late(&zombie);
	end_late(&recoverer);
	assert_true(recovery.is_taken);
	assert_int_equal(recovery.dead, 1);
	assert_int_equal(recovery.ready, 1);
	assert_int_equal(claim_only(p, id, T0), 1);
	q->node = 0;
	stop(other);
	stop(q);
	stop(p);
}

/* A condition is waited for, in short steps. */
static void
rest(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

static bool
renews(struct process *p, uint64_t node)
{
	struct herald_error error;
	enum herald_status status = p->ops->node_renew(p->nodes, node, T0, &error);

	if (status != HERALD_OK)
		assert_status(status, HERALD_LEASE_LOST, &error);
	return status == HERALD_OK;
}

/* A process has lost its node, whose lease goes on for a while, and has joined again. What its
 * connections do for the new node goes on when the old one is recovered. */
static void
a_process_recovers_its_former_node(void **unused)
{
	struct process *p = start(&postgres_contract);
	struct process *other = start_on(p);
	const uint64_t former = p->node;
	struct herald_error error;
	char sql[160];

	(void)unused;
	/* Its session has a mark. */
	uint64_t interrupted = accept_event(p, EVENT(.owner = former));
	assert_true(join(p) != former);
	begin(p);
	struct herald_stored_event *event = EVENT(.owner = p->node);
	assert_works(p->ops->accept(p->session, event, 1, &error), &error);
	snprintf(sql, sizeof(sql),
		 "UPDATE %s.herald_node SET expires_at = clock_timestamp() WHERE id = %lld",
		 (const char *)p->place, (long long)former);
	postgres_server_run(&server, sql);
	struct herald_recovery recovery = recover(other, former, RECOVER_ALL);
	assert_true(recovery.is_taken);
	assert_int_equal(recovery.ready, 1);
	commit(p);
	assert_false(COMPLETE(p, event->id, 1, DONE));
	assert_int_equal(claim_only(p, interrupted, T0), 1);
	stop(other);
	stop(p);
}

/* The server is restored from an archive, as is one that takes over: the first renewal after that
 * finds that the node is lost, on the connection that it has to make. */
static void
begin_timeline(void)
{
	char command[256];

	snprintf(command, sizeof(command),
		 "cd '%s' && touch data/recovery.signal &&"
		 " echo \"restore_command = '/bin/false'\" >>data/postgresql.conf",
		 server.directory);
	postgres_server_halt(&server);
	assert_int_equal(system(command), 0);
	postgres_server_restart(&server);
	while (postgres_server_number(&server, "SELECT pg_is_in_recovery()::int") != 0)
		rest();
}

static void
a_renewal_finds_a_new_timeline(void **unused)
{
	struct process *p = start(&postgres_contract);
	const uint64_t former = p->node;

	(void)unused;
	postgres_server_halt(&server);
	postgres_server_restart(&server);
	assert_true(renews(p, former));
	begin_timeline();
	assert_false(renews(p, former));
	/* Its lease can be kept, for what still runs; it gets nothing new all the same. */
	struct herald_error error;
	assert_works(p->ops->node_keep(p->nodes, former, &error), &error);
	assert_false(renews(p, former));
	assert_true(renews(p, join(p)));
	assert_works(p->ops->node_leave(p->nodes, former, &error), &error);
	assert_status(p->ops->node_keep(p->nodes, former, &error), HERALD_LEASE_LOST, &error);
	stop(p);
}

/* Behind a pool, each statement may reach another server: what one says of its timeline is not true
 * of the next. The row of the node is looked at in the statement that needs it. */
static void
a_pool_has_no_timeline(void **unused)
{
	(void)unused;
	postgres_places.is_pooled = true;
	struct process *p = start(&postgres_contract);
	const uint64_t node = p->node;
	begin_timeline();
	assert_true(renews(p, node));
	accept_event(p, EVENT(.owner = node));
	stop(p);
	postgres_places.is_pooled = false;
}

static enum herald_status
leave_node(struct process *p, void *state, struct herald_error *error)
{
	return p->ops->node_leave(p->nodes, *(uint64_t *)state, error);
}

/* A transaction that gives rows to a node commits while the node leaves, as it may after its
 * connection was lost. The node stays. */
static void
a_node_does_not_leave_before_its_last_commit(void **unused)
{
	(void)unused;
	for (int is_delivery = 0; is_delivery < 2; is_delivery++) {
		struct process *p = start(&postgres_contract);
		struct late leaver = {start_tool(p), .call = leave_node, .is_apart = true};
		struct herald_error error;

		leaver.state = &p->node;
		begin(p);
		if (is_delivery)
			assert_works(p->ops->delivery_push(p->session, DELIVERY(.owner = p->node),
							   1, &error),
				     &error);
		else
			assert_works(p->ops->accept(p->session, EVENT(.owner = p->node), 1, &error),
				     &error);
		begin_late(&leaver, 1);
		commit(p);
		pthread_join(leaver.thread, NULL);
		assert_status(leaver.status, HERALD_BAD_VALUE, &leaver.error);
		/* It renews its lease as before. */
		assert_works(p->ops->node_renew(p->nodes, p->node, T0, &error), &error);
		stop(leaver.process);
		stop(p);
	}
}

/* Wake-ups. */

static void
another_process_is_woken(void **unused)
{
	struct process *p = start(&postgres_contract);
	struct process *q = start_on(p);
	struct herald_error error;

	(void)unused;
	assert_works(p->ops->watch(p->nodes, 10, &error), &error); /* now it listens */
	accept_event(q, EVENT());
	assert_works(q->ops->notify(q->session, &error), &error);
	int64_t began_ms = clock_ms();
	assert_works(p->ops->watch(p->nodes, 60000, &error), &error);
	assert_true(clock_ms() - began_ms < 30000);
	stop(q);
	stop(p);
}

/* The one that has sent it is not woken. */
static void
notifications_are_few(void **unused)
{
	struct process *p = start(&postgres_contract);
	PGconn *conn = PQconnectdb(server.dsn);
	struct herald_error error;
	PGnotify *notification;
	char sql[64];
	int count = 0, calls = 0;

	(void)unused;
	snprintf(sql, sizeof(sql), "LISTEN herald_%s", (const char *)p->place);
	PQclear(PQexec(conn, sql));
	int64_t began_ms = clock_ms();
	while (clock_ms() - began_ms < 300) {
		assert_works(p->ops->notify(p->session, &error), &error);
		calls++;
	}
	int64_t took_ms = clock_ms() - began_ms;
	PQclear(PQexec(conn, "SELECT 1"));
	while ((notification = PQnotifies(conn))) {
		PQfreemem(notification);
		count++;
	}
	PQfinish(conn);
	assert_true(calls > count);
	assert_in_range(count, 1, took_ms / 20 + 1);
	stop(p);
}

/* A snapshot is held, and rows that are done stay. */

#define DEAD_ROWS 20000
#define BATCH 500

static PGconn *
hold_snapshot(void)
{
	PGconn *conn = PQconnectdb(server.dsn);

	PQclear(PQexec(conn, "BEGIN ISOLATION LEVEL REPEATABLE READ"));
	PQclear(PQexec(conn, "SELECT count(*) FROM pg_class"));
	return conn;
}

static void
accept_batch(struct process *p, size_t count, int64_t due_ms)
{
	static struct herald_stored_event events[BATCH];
	struct herald_error error;

	for (size_t i = 0; i < count; i++)
		events[i] = *EVENT(.due_ms = due_ms);
	begin(p);
	assert_works(p->ops->accept(p->session, events, count, &error), &error);
	commit(p);
}

/* Claim and end up to `max` events. */
static size_t
run_batch(struct process *p, size_t max, int64_t now_ms)
{
	static struct herald_completion ends[BATCH];
	struct claims *claims = claim_with(p, &(struct herald_claim){.queue = "q",
								     .owner = p->node,
								     .now_ms = now_ms,
								     .max_events = max,
								     .max_bytes = 1 << 20});
	size_t count = claims->count;
	struct herald_error error;

	for (size_t i = 0; i < count; i++)
		ends[i] = (struct herald_completion){.id = claims->rows[i].event.id,
						     .owner = p->node,
						     .attempts = claims->rows[i].event.attempts,
						     .kind = HERALD_COMPLETE_DONE,
						     .path = ""};
	claims_free(claims);
	begin(p);
	assert_works(p->ops->complete(p->session, ends, count, &error), &error);
	commit(p);
	return count;
}

/* Make dead rows. Returns the time until which events were due. */
static int64_t
make_dead_rows(struct process *p)
{
	int64_t now_ms = T0;

	for (size_t i = 0; i < DEAD_ROWS / BATCH; i++, now_ms += 1000) {
		accept_batch(p, BATCH, now_ms);
		assert_int_equal(run_batch(p, BATCH, now_ms), BATCH);
	}
	return now_ms;
}

/* Pages of the table that were looked at. */
static long
pages(const struct process *p)
{
	char sql[128];

	PQclear(PQexec(p->ops->handle(p->session), "SELECT pg_stat_force_next_flush()"));
	snprintf(sql, sizeof(sql), "SELECT pg_stat_get_blocks_fetched('%s.herald_event'::regclass)",
		 (const char *)p->place);
	return postgres_server_number(&server, sql);
}

/* river#59: vacuum is starved, and a claim does not become slower by it. */
static void
dead_rows_are_not_read_again(void **unused)
{
	PGconn *holder = hold_snapshot();
	struct process *p = start(&postgres_contract);
	int64_t now_ms = make_dead_rows(p);
	long before = pages(p);

	(void)unused;
	for (int i = 0; i < 30; i++, now_ms += 1000) {
		accept_batch(p, 20, now_ms);
		assert_int_equal(run_batch(p, 20, now_ms), 20);
	}
	/* A claim from the beginning reads all pages: some hundred. */
	assert_in_range(pages(p) - before, 1, 30 * 300);
	PQfinish(holder);
	stop(p);
}

/* Claim until the event comes; a watermark may be past it for a second. */
static void
find_late(struct process *p, uint64_t id, int64_t now_ms)
{
	int64_t end_ms = clock_ms() + 20000;

	for (;;) {
		struct claims *claims = claim_with(p, &(struct herald_claim){.queue = "q",
									     .owner = p->node,
									     .now_ms = now_ms,
									     .max_events = 1,
									     .max_bytes = 1000});
		size_t count = claims->count;
		uint64_t found = count > 0 ? claims->rows[0].event.id : 0;

		claims_free(claims);
		if (count > 0) {
			assert_int_equal(found, id);
			return;
		}
		assert_true(clock_ms() < end_ms);
	}
}

/* que#240: an index grows without bound. Here rows leave the indexes, whose pages are used again
 * after a vacuum, which PostgreSQL starts after 1 % of changes. */
static long
index_bytes(const struct process *p)
{
	char sql[96];

	snprintf(sql, sizeof(sql), "VACUUM %s.herald_event", (const char *)p->place);
	postgres_server_run(&server, sql);
	snprintf(sql, sizeof(sql), "SELECT pg_indexes_size('%s.herald_event'::regclass)",
		 (const char *)p->place);
	return postgres_server_number(&server, sql);
}

static void
indexes_do_not_grow(void **unused)
{
	struct process *p = start(&postgres_contract);
	int64_t now_ms = T0;
	long first = 0;

	(void)unused;
	for (int round = 0; round < 24; round++) {
		for (int i = 0; i < 4; i++, now_ms += 1000) {
			accept_batch(p, BATCH, now_ms);
			assert_int_equal(run_batch(p, BATCH, now_ms), BATCH);
		}
		if (round == 3)
			first = index_bytes(p);
		else
			assert_in_range(index_bytes(p), 0, round < 3 ? LONG_MAX : first * 5 / 4);
	}
	stop(p);
}

static void
a_watermark_goes_back(void **unused)
{
	PGconn *holder = hold_snapshot();
	struct process *p = start(&postgres_contract);
	struct process *q = start_mortal_tool(p);
	int64_t now_ms = make_dead_rows(p);
	struct herald_error error;

	(void)unused;
	join(q);
	/* Stored later, by another process, and due earlier. */
	uint64_t id = accept_event(q, EVENT(.due_ms = T0 - 5));
	find_late(p, id, now_ms);
	/* A retry that is due long ago, and a release: this process knows of it. */
	assert_false(COMPLETE(p, id, 1, RETRY, .due_ms = T0 - 6));
	assert_int_equal(claim_only(p, id, now_ms), 2);
	assert_false(COMPLETE(p, id, 2, RELEASE));
	assert_int_equal(claim_only(p, id, now_ms), 2);
	assert_false(COMPLETE(p, id, 2, DONE));
	/* Locked by another process, which gives it back without a word. */
	id = accept_event(p, EVENT(.due_ms = T0 - 7));
	begin(q);
	claims_free(claim_all(q, now_ms));
	accept_batch(p, 20, now_ms);
	assert_int_equal(run_batch(p, 20, now_ms), 20);
	rollback(q);
	find_late(p, id, now_ms);
	assert_false(COMPLETE(p, id, 1, DONE));
	/* Recovered from a dead process, by another one. */
	id = accept_event(q, EVENT(.due_ms = T0 - 8, .owner = q->node));
	uint64_t node = q->node;
	struct herald_recovery recovery = {.node = node,
					   .now_ms = now_ms,
					   .is_known = true,
					   .max_interrupted = 3,
					   .max_attempts = 20};
	struct process *r = start_on(p);
	wait_dead(r, node);
	assert_works(r->ops->node_recover(r->nodes, &recovery, &error), &error);
	assert_int_equal(recovery.ready, 1);
	find_late(p, id, now_ms);
	q->node = 0;
	PQfinish(holder);
	stop(r);
	stop(q);
	stop(p);
}

/* A notification says from when on there is something. */
static void
a_notification_lowers_the_watermark(void **unused)
{
	PGconn *holder = hold_snapshot();
	struct process *p = start(&postgres_contract);
	struct process *q = start_on(p);
	int64_t now_ms = make_dead_rows(p);
	struct herald_error error;

	(void)unused;
	assert_works(p->ops->watch(p->nodes, 10, &error), &error);
	for (int i = 0; i < 3; i++) {
		uint64_t id = accept_event(q, EVENT(.due_ms = T0 - 5 - i));

		int64_t next_ms = clock_ms() + 25;
		while (clock_ms() < next_ms)
			assert_works(q->ops->notify(q->session, &error), &error);
		assert_works(p->ops->watch(p->nodes, 60000, &error), &error);
		assert_int_equal(claim_only(p, id, now_ms), 1);
		assert_false(COMPLETE(p, id, 1, DONE));
	}
	PQfinish(holder);
	stop(q);
	stop(p);
}

/* Rows of an index that were read. */
static long
index_reads(const struct process *p, const char *index)
{
	char sql[128];

	PQclear(PQexec(p->ops->handle(p->session), "SELECT pg_stat_force_next_flush()"));
	snprintf(sql, sizeof(sql), "SELECT pg_stat_get_tuples_returned('%s.%s'::regclass)",
		 (const char *)p->place, index);
	return postgres_server_number(&server, sql);
}

static void
put_off_events(struct process *p, size_t count)
{
	static struct herald_completion ends[BATCH];
	struct herald_error error;

	accept_batch(p, count, T0);
	struct claims *claims = claim_all(p, T0);
	assert_int_equal(claims->count, count);
	for (size_t i = 0; i < count; i++)
		ends[i] = (struct herald_completion){.id = claims->rows[i].event.id,
						     .owner = p->node,
						     .attempts = 1,
						     .kind = HERALD_COMPLETE_RETRY,
						     .now_ms = T0,
						     .due_ms = T0 + 3600000,
						     .reason = "later"};
	claims_free(claims);
	begin(p);
	assert_works(p->ops->complete(p->session, ends, count, &error), &error);
	commit(p);
}

static void
put_off_deliveries(struct process *p, size_t count)
{
	static struct herald_stored_delivery deliveries[BATCH];
	static char origins[BATCH][16];
	struct herald_error error;

	for (size_t i = 0; i < count; i++) {
		snprintf(origins[i], sizeof(origins[i]), "http://h%zu:80", i);
		deliveries[i] = *DELIVERY(.origin = origins[i], .created_ms = T0 - 1);
	}
	begin(p);
	assert_works(p->ops->delivery_push(p->session, deliveries, count, &error), &error);
	commit(p);
}

/* The plans are made when there are no rows, and are kept. */
static void
rows_that_are_due_later_are_not_read(void **unused)
{
	struct process *p = start(&postgres_contract);

	(void)unused;
	claims_free(claim_all(p, T0));
	claimed_deliveries_free(claim_deliveries(p, T0 - 1));
	for (int i = 0; i < 2; i++)
		put_off_events(p, BATCH);
	put_off_deliveries(p, BATCH);
	long events = index_reads(p, "herald_event_retried");
	long deliveries = index_reads(p, "herald_delivery_ready");
	for (int i = 0; i < 20; i++) {
		assert_nothing_to_claim(p, T0);
		struct claimed_deliveries *claimed = claim_deliveries(p, T0 - 1);
		assert_int_equal(claimed->count, 0);
		assert_int_equal(claimed->next_ms, T0);
		claimed_deliveries_free(claimed);
	}
	assert_in_range(index_reads(p, "herald_event_retried") - events, 1, 20 * 10);
	assert_in_range(index_reads(p, "herald_delivery_ready") - deliveries, 1, 20 * 10);

	/* The clock was set back: all of them are due, and a claim takes ten. */
	events = index_reads(p, "herald_event_retried");
	for (int i = 0; i < 5; i++)
		assert_int_equal(run_batch(p, 10, T0 - HERALD_CLOCK_SKEW_MS - 1), 10);
	assert_in_range(index_reads(p, "herald_event_retried") - events, 50, 500);
	stop(p);
}

#define LETTERS 250

/* Another process that stores a dead letter, and drops one, after a page of them was read. */
static struct {
	const struct herald_database_ops *ops;
	struct process *process;
	uint64_t appears, dropped;
} other;

static enum herald_status
visit_beside_another(struct herald_session *session, const struct herald_dead_filter *filter,
		     herald_dead_visitor *visit, void *state, struct herald_error *error)
{
	enum herald_status status = other.ops->dead_visit(session, filter, visit, state, error);
	struct process *p = other.process;

	if (p) {
		other.process = NULL;
		assert_false(COMPLETE(p, other.appears, 1, DEAD,
				      .now_ms = (int64_t)time(NULL) * 1000 + 86400000));
		assert_int_equal(drop(p, &(struct herald_dead_filter){.id = other.dropped}, 1), 1);
	}
	return status;
}

static struct herald_store *
create_store_beside(struct process *p, struct herald_database_ops *ops)
{
	struct herald_store_options options = HERALD_STORE_OPTIONS(.must_exist = true);
	struct herald_store *store;
	struct herald_error error;

	options.database = postgres_contract.create(p->place);
	other.ops = options.database->ops;
	other.process = p;
	*ops = *other.ops;
	ops->dead_visit = visit_beside_another;
	options.database->ops = ops;
	assert_works(herald_store_create(&options, &store, &error), &error);
	return store;
}

/* Events that have become dead letters then; the first few are only claimed. */
static void
make_dead_letters(struct process *p, uint64_t ids[LETTERS], size_t alive, int64_t dead_ms)
{
	struct herald_completion ends[LETTERS];
	struct herald_error error;

	accept_batch(p, LETTERS, T0);
	struct claims *claims = claim_all(p, T0);
	assert_int_equal(claims->count, LETTERS);
	for (size_t i = 0; i < LETTERS; i++) {
		ids[i] = claims->rows[i].event.id;
		ends[i] = (struct herald_completion){.id = ids[i],
						     .owner = p->node,
						     .attempts = 1,
						     .kind = HERALD_COMPLETE_DEAD,
						     .why = HERALD_DEAD_FAILED,
						     .reason = "why",
						     .path = "",
						     .now_ms = dead_ms};
	}
	claims_free(claims);
	begin(p);
	assert_works(p->ops->complete(p->session, ends + alive, LETTERS - alive, &error), &error);
	commit(p);
}

/* Their clock was set back, so they are known by their ids. */
static void
dead_letters_are_replayed_beside_another_process(void **unused)
{
	struct process *p = start(&postgres_contract);
	struct herald_database_ops ops;
	struct herald_error error;
	uint64_t ids[LETTERS], count;

	(void)unused;
	make_dead_letters(p, ids, 1, (int64_t)time(NULL) * 1000 + 86400000);
	other.appears = ids[0];
	other.dropped = ids[4];
	struct herald_store *store = create_store_beside(p, &ops);
	assert_works(herald_store_dead_replay(store, &(struct herald_dead_filter){0}, NULL, &count,
					      &error),
		     &error);
	herald_store_destroy(store);
	assert_null(other.process);
	/* All but the one that was dropped, and the one that has become a dead letter since. */
	assert_int_equal(count, LETTERS - 2);
	assert_count(p, "t", READY, LETTERS - 2);
	assert_count(p, "t", DEAD, 1);
	stop(p);
}

static bool
is_dead_since(struct process *p, int64_t since_ms)
{
	struct herald_error error;
	bool is_there;

	assert_works(p->ops->dead_since(p->session, since_ms, &is_there, &error), &error);
	return is_there;
}

static void
dead_letters_are_not_read_to_find_late_ones(void **unused)
{
	struct process *p = start(&postgres_contract);
	uint64_t ids[LETTERS];

	(void)unused;
	assert_false(is_dead_since(p, T0)); /* the plan is made when there are none */
	make_dead_letters(p, ids, 0, T0);
	long of_table = index_reads(p, "herald_dead");
	long of_index = index_reads(p, "herald_dead_died");
	for (int i = 0; i < 20; i++) {
		assert_true(is_dead_since(p, T0 - i));
		assert_false(is_dead_since(p, T0 + 1 + i));
	}
	assert_int_equal(index_reads(p, "herald_dead"), of_table);
	assert_in_range(index_reads(p, "herald_dead_died") - of_index, 20, 40);
	stop(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_that_was_stopped_changes_nothing),
		cmocka_unit_test(random_keys_do_not_deadlock),
		cmocka_unit_test(an_id_is_waited_for_without_the_lanes),
		cmocka_unit_test(dead_letters_are_trimmed_and_replayed_at_once),
		cmocka_unit_test(a_process_goes_on_while_it_is_recovered),
		cmocka_unit_test(a_process_recovers_its_former_node),
		cmocka_unit_test(a_renewal_finds_a_new_timeline),
		cmocka_unit_test(a_pool_has_no_timeline),
		cmocka_unit_test(a_node_does_not_leave_before_its_last_commit),
		cmocka_unit_test(another_process_is_woken),
		cmocka_unit_test(notifications_are_few),
		cmocka_unit_test(dead_rows_are_not_read_again),
		cmocka_unit_test(indexes_do_not_grow),
		cmocka_unit_test(a_watermark_goes_back),
		cmocka_unit_test(a_notification_lowers_the_watermark),
		cmocka_unit_test(rows_that_are_due_later_are_not_read),
		cmocka_unit_test(dead_letters_are_not_read_to_find_late_ones),
		cmocka_unit_test(dead_letters_are_replayed_beside_another_process),
	};

	if (!postgres_server_exists())
		return postgres_server_left_out("postgres_nodes");
	postgres_server_start(&server);
	postgres_places = (struct postgres_places){.server = &server, .dsn = server.dsn};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	postgres_server_stop(&server);
	return failed;
}
