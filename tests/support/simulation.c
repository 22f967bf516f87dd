/*
 * The simulation's scheduler: which thread of which process goes on, what fails, and who dies.
 */
#include "simulation.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/state.h"
#include "store/store.h"
#include "support/draw.h"

#define FIRST_MS 1000000
#define STEPS 3000
/* Steps at the end, until everything is finished. */
#define CALM_STEPS 200000
#define LEASE_MS 1000

uint64_t
sim_below(struct sim *sim, uint64_t limit)
{
	return draw_below(&sim->draws, limit);
}

bool
sim_one_in(struct sim *sim, uint64_t count)
{
	return sim_below(sim, count) == 0;
}

void
sim_trace(struct sim *sim, const char *format, ...)
{
	char line[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	for (const char *c = line; *c; c++)
		sim->trace_hash = sim->trace_hash * 31 + (unsigned char)*c;
	if (!getenv("HERALD_TEST_TRACE"))
		return;
	if (sim->thread)
		fprintf(stderr, "%8llu [%u.%u] %s\n", (unsigned long long)sim->now_ms,
			sim->thread->process->index,
			(unsigned)(sim->thread - sim->thread->process->threads), line);
	else
		fprintf(stderr, "%8llu %s\n", (unsigned long long)sim->now_ms, line);
}

void
sim_violate(struct sim *sim, const char *format, ...)
{
	va_list arguments;

	if (!sim->violation[0]) {
		va_start(arguments, format);
		vsnprintf(sim->violation, sizeof(sim->violation), format, arguments);
		va_end(arguments);
		sim_trace(sim, "VIOLATION: %s", sim->violation);
	}
	if (coroutine_current())
		coroutine_yield();
}

void
sim_switch(struct sim *sim, const char *at)
{
	if (!sim->thread)
		return;
	sim->thread->at = at;
	coroutine_yield();
}

/* Clocks. */

int64_t
sim_wall_ms(struct sim_process *process)
{
	struct sim *sim = process->sim;
	int64_t ms = (int64_t)sim->now_ms + 1700000000000 + process->clock_ms;

	if (ms > sim->latest_ms)
		sim->latest_ms = ms;
	return ms;
}

static uint64_t
clock_now_ms(void *state)
{
	return ((struct sim_process *)state)->sim->now_ms;
}

static int64_t
clock_wall_ms(void *state)
{
	return sim_wall_ms(state);
}

static uint64_t
clock_random(void *state)
{
	struct sim *sim = ((struct sim_process *)state)->sim;

	return sim_below(sim, 1u << 31) << 33 | sim_below(sim, 1u << 31) << 2;
}

static int64_t
lease_now_ms(void *state)
{
	return (int64_t)((struct sim *)state)->now_ms;
}

/* Calls of the database. */

/* A call that is a transaction of its own can take place all the same. Only those that end with a
 * commit() say so. */
static enum herald_status
lose_connection(struct sim *sim, struct model_call *call)
{
	bool is_own = call->op == MODEL_COMMIT || call->op == MODEL_NODE_RECOVER ||
		      call->op == MODEL_NODE_RENEW || call->op == MODEL_NODE_KEEP ||
		      call->op == MODEL_NODE_LEAVE || call->op == MODEL_NODE_JOIN ||
		      (call->op == MODEL_CLAIM && sim->claims_apart);

	sim->lost++;
	if (is_own && sim_one_in(sim, 2)) {
		call->takes_place = sim_one_in(sim, 2);
		sim->thread->process->has_unknown |= call->takes_place;
		sim->unknown++;
		sim_trace(sim, "%s is unknown, and %s", model_op_name(call->op),
			  call->takes_place ? "takes place" : "does not take place");
		return call->op == MODEL_COMMIT || call->op == MODEL_NODE_RECOVER ||
				       call->op == MODEL_NODE_LEAVE
			       ? HERALD_UNKNOWN_OUTCOME
			       : HERALD_UNAVAILABLE;
	}
	sim_trace(sim, "%s loses the connection", model_op_name(call->op));
	model_disconnect(call->session);
	return HERALD_UNAVAILABLE;
}

/* accept() is the first change of its transaction. One transaction at a time is open. */
static void
check_order(struct sim *sim, const struct model_call *call)
{
	switch (call->op) {
	case MODEL_BEGIN:
		if (sim->changed == call->session)
			sim->changed = NULL;
		break;
	case MODEL_ACCEPT:
		if (sim->changed == call->session)
			sim_violate(sim, "accept() after another change of its transaction");
		break;
	case MODEL_COMPLETE:
	case MODEL_DELIVERY_PUSH:
	case MODEL_DELIVERY_COMPLETE:
		sim->changed = call->session;
		break;
	default:
		break;
	}
}

static bool
ignore_event(const struct herald_stored_event *event, void *state)
{
	(void)event;
	(void)state;
	return true;
}

/* All events are in one. */
static const char *
queue_name(const struct sim *sim)
{
	const struct model_tables *tables = model_committed(sim->model);

	for (size_t i = 0; i < tables->rows_count; i++)
		if (!tables->rows[i]->is_delivery)
			return tables->rows[i]->texts[MODEL_QUEUE];
	return "";
}

/* A claim is committed although its connection was lost, after the store has looked for it. */
static void
claim_late(struct sim *sim, uint64_t node)
{
	struct herald_database *database = model_open(sim->model);
	const struct herald_database_ops *ops = database->ops;
	const struct herald_claim claim = {
		.owner = node,
		.queue = queue_name(sim),
		.now_ms = sim->latest_ms,
		.max_events = 2,
		.max_bytes = 1 << 20,
	};
	struct herald_session *session;
	struct herald_error error;
	int64_t next_ms;

	if (ops->session_open(database, HERALD_SESSION_COMMIT, &session, &error) != HERALD_OK)
		abort();
	(void)ops->claim(session, &claim, ignore_event, NULL, &next_ms, &error);
	sim_check(sim);
	ops->session_close(session);
	ops->destroy(database);
}

/* The store has nothing of its own when it leaves. But the database may have something for it. */
static void
leave(struct sim *sim)
{
	const uint64_t node = sim->ending->store->node.id;

	sim->ending = NULL; /* former nodes leave first: once is enough */
	if (model_owns_rows(sim->model, node))
		sim_violate(sim, "node %llu leaves, and has RUNNING rows",
			    (unsigned long long)node);
	if (!sim->claims_apart || sim->is_calm || !sim_one_in(sim, 2))
		return;
	claim_late(sim, node);
	if (model_owns_rows(sim->model, node))
		sim->late++;
	sim_trace(sim, "a late claim: %d", model_owns_rows(sim->model, node));
}

/* Few calls are, and what can go wrong after them is rare. */
static bool
is_commit_of_worker(const struct sim *sim, const struct model_call *call)
{
	return call->op == MODEL_COMMIT && sim->thread->kind == SIM_WORKER;
}

static enum herald_status
on_call(struct model_call *call, void *state)
{
	struct sim *sim = state;

	if (call->op == MODEL_NODE_LEAVE && sim->ending)
		leave(sim);
	if (!sim->thread)
		return MODEL_GO_ON;
	check_order(sim, call);
	sim_switch(sim, model_op_name(call->op));
	sim->thread->waits = 0;
	sim_trace(sim, "%s", model_op_name(call->op));
	if (sim->is_calm)
		return MODEL_GO_ON;
	if (sim_one_in(sim, is_commit_of_worker(sim, call) ? 12 : 120)) {
		sim->thread->process->was_late |= sim->thread->kind == SIM_NODE;
		return lose_connection(sim, call);
	}
	if (sim_one_in(sim, 300)) {
		sim->thread->process->was_late |= sim->thread->kind == SIM_NODE;
		return sim_one_in(sim, 3) ? HERALD_NO_MEMORY : HERALD_UNAVAILABLE;
	}
	if (call->op == MODEL_COMMIT && sim_one_in(sim, 2000))
		return HERALD_STORE_FAILED;
	return MODEL_GO_ON;
}

/* Another connection has a transaction. */
static bool
on_wait(struct herald_session *session, void *state)
{
	struct sim *sim = state;

	(void)session;
	if (!sim->thread)
		return false;
	sim_switch(sim, "lock");
	/* Time passes: the process that has the lock may be paused. */
	sim->now_ms += sim->thread->waits % 32 == 31;
	return ++sim->thread->waits < 400 || sim->is_calm;
}

/* Processes. */

/* A thread of a node that is late by this can have lost a lease. */
#define LATE_MS (LEASE_MS / 6)

bool
sim_is_late(const struct sim_process *process)
{
	const struct sim_thread *node = &process->threads[SIM_NODE];

	return process->was_late || process->sim->now_ms > node->due_ms + LATE_MS;
}

static void
step_node(struct sim_process *process, struct sim_thread *thread)
{
	process->was_late |= sim_is_late(process);
	const uint64_t due_ms = herald__node_step(process->store);
	process->was_late |= sim_is_late(process);
	thread->due_ms = due_ms;
}

static void
start_threads(struct sim_process *process)
{
	for (size_t i = 1; i < SIM_THREADS; i++) {
		struct sim_thread *thread = &process->threads[i];

		*thread = (struct sim_thread){
			.process = process,
			.kind = i < SIM_WORKER ? (enum sim_thread_kind)i : SIM_WORKER,
			.index = i < SIM_WORKER ? 0 : (unsigned)i - SIM_WORKER,
			.due_ms = process->sim->now_ms,
		};
	}
	process->is_ready = true;
}

static void
start_store(struct sim_process *process)
{
	struct sim *sim = process->sim;
	const struct herald__delivery_clock clock = {.now_ms = clock_now_ms,
						     .wall_ms = clock_wall_ms,
						     .random = clock_random,
						     .state = process};
	struct herald_store_options options = sim->options;
	struct herald_store *store;
	struct herald_error error;

	process->database = model_open(sim->model);
	options.struct_size = sizeof(options);
	options.database = process->database;
	options.allocator = sim_allocator(process);
	options.in_flight_folder = sim->folder;
	if (herald__store_create(&options, &clock, false, &store, &error) != HERALD_OK) {
		process->database = NULL;
		sim_trace(sim, "a store cannot be created: %s", error.message);
		process->dies_now = true;
		return;
	}
	process->store = store;
	if (sim_create_service(process, &error) == HERALD_OK) {
		sim_open_deliverer(process, &error);
		start_threads(process);
		return;
	}
	sim_trace(sim, "start fails: %s", error.message);
	process->dies_now = true;
}

static void
run_thread(void *state)
{
	struct sim_thread *thread = state;
	struct sim_process *process = thread->process;

	for (;;) {
		thread->is_in_step = true;
		switch (thread->kind) {
		case SIM_START:
			start_store(process);
			return;
		case SIM_COMMITTER:
			thread->due_ms = herald__committer_turn(process->store);
			break;
		case SIM_NODE:
			step_node(process, thread);
			break;
		case SIM_UPKEEP:
			thread->due_ms = herald__upkeep_step(process->store);
			break;
		case SIM_DELIVERER:
			thread->due_ms = sim_deliver(process);
			break;
		case SIM_WORKER:
			thread->is_idle =
				!herald__worker_step(&process->store->workers[thread->index]);
			break;
		}
		thread->is_in_step = false;
		sim_switch(process->sim, "step");
	}
}

static void
start_process(struct sim_process *process)
{
	struct sim *sim = process->sim;
	unsigned index = process->index, life = process->life;

	*process = (struct sim_process){
		.sim = sim, .index = index, .life = life + 1, .is_alive = true};
	if (!sim->is_calm)
		process->clock_ms = (int64_t)sim_below(sim, 400) - 200;
	process->threads[0] = (struct sim_thread){.process = process, .kind = SIM_START};
	sim_trace(sim, "process %u starts", index);
}

static void
destroy_threads(struct sim_process *process)
{
	for (size_t i = 0; i < SIM_THREADS; i++) {
		coroutine_destroy(process->threads[i].coroutine);
		process->threads[i] = (struct sim_thread){.process = process};
	}
	process->is_alive = process->is_ready = false;
	for (size_t i = 0; i < process->sim->submissions_count; i++)
		if (process->sim->submissions[i].arrival.service == process->service)
			process->sim->submissions[i].is_lost = true;
}

/* Not even its memory is freed in order. */
static void
kill_process(struct sim_process *process, bool with_machine)
{
	sim_trace(process->sim, "process %u is killed%s", process->index,
		  with_machine ? " with its machine" : "");
	process->sim->kills++;
	sim_note_kill(process, with_machine);
	sim_kill_deliverer(process);
	destroy_threads(process);
	if (process->database && with_machine)
		model_crash_machine(process->database);
	else if (process->database)
		model_kill(process->database);
	if (process->store)
		herald__in_flight_close(&process->store->node.in_flight);
	/* Other machines cannot read it, and this one has lost it. */
	if (process->store && with_machine)
		unlink(process->store->node.path);
	sim_free_memory(process);
	process->store = NULL;
	process->service = NULL;
	process->database = NULL;
}

static bool
is_drained(const struct sim_process *process)
{
	const struct herald__dispatch *dispatch = &process->store->dispatch;

	for (size_t i = 0; i < SIM_THREADS; i++)
		if (process->threads[i].is_in_step)
			return false;
	return dispatch->running == 0 && dispatch->ended.count == 0 && dispatch->alive == 0 &&
	       dispatch->arrivals.count == 0 && !dispatch->tasks.first &&
	       sim_deliverer_is_idle(process);
}

/* It has stopped in order: everything is freed. */
static void
end_process(struct sim_process *process)
{
	struct sim *sim = process->sim;

	sim_trace(sim, "process %u ends", process->index);
	sim_check_answered(process);
	sim_close_deliverer(process);
	herald_service_destroy(process->service);
	sim->ending = process;
	herald_store_destroy(process->store);
	sim->ending = NULL;
	destroy_threads(process);
	process->store = NULL;
	process->service = NULL;
	process->database = NULL;
	if (process->blocks)
		sim_violate(sim, "memory is not freed at the end of a process");
	sim_free_memory(process);
}

/* Threads. */

static bool
has_input(const struct herald__dispatch *dispatch)
{
	return dispatch->arrivals.first || dispatch->ended.first || dispatch->tasks.first ||
	       dispatch->is_woken;
}

/* When a thread can go on, by the monotonic clock. */
static uint64_t
thread_due_ms(const struct sim_thread *thread)
{
	const struct sim_process *process = thread->process;
	const struct sim *sim = process->sim;

	if (!process->is_alive || (thread->kind != SIM_START && !process->is_ready))
		return UINT64_MAX;
	if (process->paused_until_ms > sim->now_ms)
		return process->paused_until_ms;
	if (thread->is_in_step || thread->kind == SIM_START)
		return sim->now_ms;
	if (thread->kind == SIM_COMMITTER && has_input(&process->store->dispatch))
		return sim->now_ms;
	if (thread->kind == SIM_DELIVERER && process->is_delivery_woken)
		return sim->now_ms;
	if (thread->kind == SIM_WORKER)
		return thread->is_idle ? UINT64_MAX : sim->now_ms;
	return thread->due_ms;
}

/* Whoever waits for work looks again. */
static void
wake_workers(struct sim_process *process)
{
	for (size_t i = SIM_WORKER; i < SIM_THREADS; i++)
		process->threads[i].is_idle = false;
}

static void
run(struct sim_thread *thread)
{
	struct sim_process *process = thread->process;
	struct sim *sim = process->sim;

	if (!thread->coroutine)
		thread->coroutine = coroutine_create(run_thread, thread);
	sim->thread = thread;
	bool goes_on = coroutine_resume(thread->coroutine);
	sim->thread = NULL;
	sim->steps++;
	if (!goes_on) {
		coroutine_destroy(thread->coroutine);
		thread->coroutine = NULL;
		thread->kind = SIM_START;
		thread->is_in_step = false;
		if (thread == &process->threads[0])
			thread->process = process;
	}
	/* Something may have come for workers. */
	if (!thread->is_in_step && !thread->is_idle)
		wake_workers(process);
	if (process->dies_now && !sim->violation[0])
		kill_process(process, false);
	sim_check(sim);
}

/* A thread that can go on now, drawn; NULL: there is none before *next_ms. */
static struct sim_thread *
draw_thread(struct sim *sim, uint64_t *next_ms)
{
	struct sim_thread *ready[SIM_PROCESSES * SIM_THREADS];
	size_t count = 0;

	*next_ms = UINT64_MAX;
	for (size_t i = 0; i < SIM_PROCESSES * SIM_THREADS; i++) {
		struct sim_process *process = &sim->processes[i / SIM_THREADS];
		struct sim_thread *thread = &process->threads[i % SIM_THREADS];
		uint64_t due_ms;

		if (!thread->process || (i % SIM_THREADS == 0 && process->is_ready))
			continue;
		due_ms = thread_due_ms(thread);
		if (due_ms <= sim->now_ms)
			ready[count++] = thread;
		else if (due_ms < *next_ms)
			*next_ms = due_ms;
	}
	return count > 0 ? ready[sim_below(sim, count)] : NULL;
}

/* What happens to processes. */

static void
pause_process(struct sim_process *process)
{
	struct sim *sim = process->sim;
	bool is_long = sim->has_leases && sim_one_in(sim, 2);
	uint64_t ms = is_long ? 500 + sim_below(sim, 3000) : sim_below(sim, 200);

	process->paused_until_ms = sim->now_ms + ms;
	process->has_paused = true;
	sim->zombies += ms > LEASE_MS;
	sim_trace(sim, "process %u pauses for %llu ms", process->index, (unsigned long long)ms);
	/* Its database does not wait that long for the end of a transaction. */
	if (is_long && process->database)
		model_disconnect_all(process->database);
}

static void
harm(struct sim_process *process)
{
	struct sim *sim = process->sim;

	switch (sim_below(sim, 7)) {
	case 0:
	case 1:
		kill_process(process, sim_one_in(sim, 6));
		break;
	case 2:
	case 3:
		pause_process(process);
		break;
	case 4:
		process->clock_ms += (int64_t)sim_below(sim, 2000) - 1000;
		break;
	case 5:
		if (!sim->has_leases)
			break;
		sim->takeovers = 1 + (unsigned)sim_below(sim, 6);
		break;
	case 6:
		if (process->is_ready && !process->is_stopping) {
			sim_trace(sim, "process %u stops", process->index);
			process->is_stopping = true;
			herald_store_stop(process->store, 0);
			wake_workers(process);
		}
		break;
	}
}

static void
submit_something(struct sim *sim)
{
	struct sim_process *process = &sim->processes[sim_below(sim, SIM_PROCESSES)];
	struct sim_event *event;

	if (!process->is_ready || sim->submissions_count == SIM_SUBMISSIONS ||
	    process->paused_until_ms > sim->now_ms)
		return;
	if (sim->events_count < SIM_EVENTS && (sim->events_count == 0 || !sim_one_in(sim, 4))) {
		event = &sim->events[sim->events_count];
		*event = (struct sim_event){
			.number = (unsigned)sim->events_count++,
			.kind = (enum sim_kind)sim_below(sim, SIM_KINDS),
			.key = sim_one_in(sim, 2) ? 1 + (unsigned)sim_below(sim, 4) : 0,
			.delay_ms = sim_one_in(sim, 5) ? (uint32_t)sim_below(sim, 2000) : 0,
			.is_poison = sim_one_in(sim, 40),
		};
		snprintf(event->id, sizeof(event->id), "e%u", event->number);
	} else {
		event = &sim->events[sim_below(sim, sim->events_count)];
	}
	sim_submit(process, event);
}

/* An operator replays or drops dead letters, on a connection of the simulation. Returns how many
 * they are. */
static uint64_t
operate(struct sim *sim, bool replays)
{
	struct herald_database *database = model_open(sim->model);
	const struct herald_database_ops *ops = database->ops;
	const struct herald_dead_filter filter = {.kind = HERALD_DEAD_EVENTS};
	struct herald_session *session;
	struct herald_error error;
	uint64_t count = 0;

	if (ops->session_open(database, HERALD_SESSION_ADMIN, &session, &error) != HERALD_OK)
		abort();
	if (ops->begin(session, &error) == HERALD_OK) {
		enum herald_status status =
			replays ? ops->dead_replay(session, &filter, 3, sim->latest_ms, &count,
						   &error)
				: ops->dead_drop(session, &filter, 3, &count, &error);

		if (status == HERALD_OK)
			(void)ops->commit(session, &error);
		sim_trace(sim, "%llu dead letters are %s", (unsigned long long)count,
			  replays ? "replayed" : "dropped");
		sim->is_replaying = replays;
		sim->is_dropping = !replays;
		sim_check(sim);
		sim->is_replaying = sim->is_dropping = false;
	}
	ops->session_close(session);
	ops->destroy(database);
	return count;
}

/* A commit has taken place, and its process does not know that yet. */
static void
after_commit(const struct model_call *call, void *state)
{
	struct sim *sim = state;
	struct sim_thread *thread = sim->thread;
	uint64_t switches = 20;

	(void)call;
	if (!thread)
		return;
	sim_check(sim);
	if (sim_one_in(sim, 2)) {
		sim->thread = NULL;
		/* Long enough for a claim of what was replayed. */
		if (operate(sim, true) > 0)
			switches = 100;
		sim->thread = thread;
		sim->now_ms += sim_below(sim, 100);
	}
	for (uint64_t i = sim_below(sim, switches); i > 0; i--)
		sim_switch(sim, "commit, which has taken place");
}

static void
draw_chaos(struct sim *sim)
{
	struct sim_process *process = &sim->processes[sim_below(sim, SIM_PROCESSES)];

	if (sim_one_in(sim, 12))
		submit_something(sim);
	if (!process->is_alive && sim_one_in(sim, 60))
		start_process(process);
	else if (process->is_alive && process->paused_until_ms <= sim->now_ms &&
		 sim_one_in(sim, 150))
		harm(process);
	if (sim_one_in(sim, 400))
		sim->now_ms += sim_below(sim, 1500);
	if (sim_one_in(sim, 200))
		operate(sim, true);
}

static void
end_processes(struct sim *sim)
{
	for (size_t i = 0; i < SIM_PROCESSES; i++) {
		struct sim_process *process = &sim->processes[i];

		if (process->is_stopping && process->is_alive && is_drained(process))
			end_process(process);
		/* A store that has failed for good: the process is restarted by its operator. */
		else if (process->is_ready && herald__health_has_failed(process->store) &&
			 sim_one_in(sim, 20))
			kill_process(process, false);
	}
}

/* They follow each other within leases. */
static void
take_over(struct sim *sim)
{
	if (sim->takeovers == 0 || sim->now_ms < sim->takeover_ms)
		return;
	sim_trace(sim, "a standby takes over");
	sim->takeovers--;
	sim->takeover_ms = sim->now_ms + sim_below(sim, LEASE_MS / 2);
	model_take_over(sim->model);
}

/* One thread goes on, or time passes. Returns false if nothing will ever happen again. */
static bool
step(struct sim *sim)
{
	uint64_t next_ms;

	take_over(sim);
	struct sim_thread *thread = draw_thread(sim, &next_ms);

	if (thread)
		run(thread);
	else if (next_ms != UINT64_MAX)
		sim->now_ms = next_ms;
	end_processes(sim);
	return thread || next_ms != UINT64_MAX;
}

static void
run_chaos(struct sim *sim)
{
	for (size_t i = 0; i < STEPS && !sim->violation[0]; i++) {
		draw_chaos(sim);
		step(sim);
	}
}

/* The end. */

static bool
is_finished(const struct sim *sim)
{
	const struct model_tables *tables = model_committed(sim->model);

	for (size_t i = 0; i < tables->rows_count; i++)
		if (tables->rows[i]->state != MODEL_DEAD)
			return false;
	for (size_t i = 0; i < sim->submissions_count; i++)
		if (!sim->submissions[i].is_answered && !sim->submissions[i].is_lost)
			return false;
	return model_nodes_count(sim->model) <= SIM_PROCESSES;
}

/* Only dead letters that are held keep the rest from running. */
static bool
is_held_up(const struct sim *sim)
{
	const struct model_tables *tables = model_committed(sim->model);
	bool has_held = false;

	for (size_t i = 0; i < tables->rows_count; i++) {
		const struct model_row *row = tables->rows[i];

		if (!row->is_delivery && row->state != MODEL_DEAD && row->state != MODEL_BLOCKED)
			return false;
		has_held |= row->state == MODEL_DEAD && row->is_held;
	}
	return has_held;
}

/* Nothing fails any more: everything gets finished. Standbys still take over, with long attempts
 * under way. */
static void
run_calm(struct sim *sim)
{
	sim->is_calm = true;
	if (sim->has_leases)
		sim->takeovers = (unsigned)sim_below(sim, 8);
	for (size_t i = 0; i < sim->events_count; i++)
		sim->events[i].is_poison &= sim_one_in(sim, 2);
	for (size_t i = 0; i < CALM_STEPS && !sim->violation[0] && !is_finished(sim); i++) {
		for (size_t j = 0; j < SIM_PROCESSES; j++)
			if (!sim->processes[j].is_alive)
				start_process(&sim->processes[j]);
		if (is_held_up(sim))
			operate(sim, sim_one_in(sim, 4));
		step(sim);
	}
}

static void
set_options(struct sim *sim)
{
	sim->has_leases = sim_one_in(sim, 2);
	sim->claims_apart = sim_one_in(sim, 2);
	sim->options = (struct herald_store_options){
		.workers = SIM_WORKERS,
		.max_batch = 1 + sim_below(sim, 12),
		.max_attempts = 1 + (unsigned)sim_below(sim, 5),
		.max_interrupted = 1 + (unsigned)sim_below(sim, 3),
		.first_delay_ms = 1 + (uint32_t)sim_below(sim, 50),
		.max_delay_ms = 400,
		.lease_ms = LEASE_MS,
		.poll_ms = 50,
	};
}

bool
simulation_run(struct sim *sim, uint64_t seed)
{
	*sim = (struct sim){.seed = seed, .draws = seed, .now_ms = FIRST_MS};
	set_options(sim);
	snprintf(sim->folder, sizeof(sim->folder), "/dev/shm/herald-sim-XXXXXX");
	if (!mkdtemp(sim->folder))
		abort();
	sim->model = model_create(&(struct model_options){.has_leases = sim->has_leases,
							  .claims_apart = sim->claims_apart,
							  .has_many_writers = sim_one_in(sim, 3),
							  .now_ms = lease_now_ms,
							  .secret = seed,
							  .hook = on_call,
							  .wait = on_wait,
							  .after = after_commit,
							  .state = sim});
	model_tables_copy(&sim->seen, model_committed(sim->model));
	for (unsigned i = 0; i < SIM_PROCESSES; i++)
		sim->processes[i] = (struct sim_process){.sim = sim, .index = i};
	start_process(&sim->processes[0]);
	run_chaos(sim);
	if (!sim->violation[0])
		run_calm(sim);
	if (!sim->violation[0])
		sim_check_end(sim);
	return !sim->violation[0];
}

static void
remove_folder(const char *folder)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		char path[512];

		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		unlink(path);
	}
	if (directory)
		closedir(directory);
	rmdir(folder);
}

void
simulation_finish(struct sim *sim)
{
	for (size_t i = 0; i < SIM_PROCESSES; i++)
		if (sim->processes[i].is_alive)
			kill_process(&sim->processes[i], false);
	model_tables_finish(&sim->seen);
	model_destroy(sim->model);
	remove_folder(sim->folder);
}
