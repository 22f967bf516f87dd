/*
 * The deliverers of the simulation, and what must hold of deliveries. A deliverer claims from the
 * outbox's queue, and its attempts end after some time, as the real one does on its thread. The
 * functions of the real one that the outbox calls are replaced by the linker (--wrap).
 */
#include "simulation.h"

#include <stdlib.h>

#include <herald/adapter/memory.h>

#include "store/outbox_queue.h"
#include "store/state.h"

#define POLL_MS 50
#define RETRY_MS 400
/* More than the wall clocks of processes differ: what is due later still is due now. */
#define MAX_DELAY_MS 60000

/* What the outbox calls. */

struct herald_delivery_record *
__wrap_herald_delivery_record_create(struct herald_delivery_queue *queue,
				     const struct herald_delivery_record *from);
void __wrap_herald_delivery_record_destroy(struct herald_delivery_queue *queue,
					   struct herald_delivery_record *record);
void __wrap_herald_delivery_queue_wake(struct herald_delivery_queue *queue);

static const struct herald_allocator *
allocator_of(const struct herald_delivery_queue *queue)
{
	return &queue->ops->store(queue)->settings.allocator;
}

/* Only numbers are needed of it. */
struct herald_delivery_record *
__wrap_herald_delivery_record_create(struct herald_delivery_queue *queue,
				     const struct herald_delivery_record *from)
{
	struct herald_delivery_record *record =
		herald_memory_allocate(allocator_of(queue), sizeof(*record));

	if (!record)
		return NULL;
	*record = *from;
	record->delivery = (struct herald_delivery){.url = NULL};
	return record;
}

void
__wrap_herald_delivery_record_destroy(struct herald_delivery_queue *queue,
				      struct herald_delivery_record *record)
{
	herald_memory_release(allocator_of(queue), record, sizeof(*record));
}

void
__wrap_herald_delivery_queue_wake(struct herald_delivery_queue *queue)
{
	((struct sim_process *)allocator_of(queue)->state)->is_delivery_woken = true;
}

/* What must hold. */

#define HOLDS(SIM, ROW, CONDITION)                                                                 \
	do {                                                                                       \
		if (!(CONDITION))                                                                  \
			sim_violate(SIM, "%s: delivery %llu: %s", __func__,                        \
				    (unsigned long long)(ROW)->id, #CONDITION);                    \
	} while (0)

/* The attempt of a claim; NULL: it has not begun. */
static struct sim_send *
find_send(struct sim *sim, const struct model_row *row)
{
	for (size_t i = sim->sends_count; i > 0; i--) {
		struct sim_send *send = &sim->sends[i - 1];

		if (send->row == row->id && send->owner == row->owner &&
		    send->attempts == row->attempts && send->replays == row->replays)
			return send;
	}
	return NULL;
}

/* The lease of its node has ended, or its process has died. Nobody is killed for an attempt that
 * goes on in a process that could renew its leases in time. */
static void
check_recovered(struct sim *sim, const struct model_row *old, const struct model_row *new)
{
	const struct sim_send *send = find_send(sim, old);

	HOLDS(sim, old, new->state == MODEL_READY);
	HOLDS(sim, old, new->attempts == old->attempts || new->attempts == old->attempts - 1);
	if (!send)
		return;
	if (send->was_killed && !sim_machine_has_crashed(sim, old->owner))
		HOLDS(sim, old, new->attempts == old->attempts);
	if (!send->was_killed && !send->has_ended)
		HOLDS(sim, old, sim_is_late(send->process));
}

/* Whether the owner has left deliveries whose end the database refuses. What it does not know is
 * taken for one of them, if the in-flight file does not tell. */
static bool
leaves_rows(struct sim *sim, uint64_t owner)
{
	const struct herald_database *database = model_node_database(sim->model, owner);

	for (size_t i = 0; i < SIM_PROCESSES; i++) {
		const struct sim_process *process = &sim->processes[i];

		if (process->queue && process->database == database)
			return ((const struct herald__outbox_queue *)process->queue)->leaves_rows;
	}
	return false;
}

static void
check_given_back(struct sim *sim, const struct model_row *old, const struct model_row *new)
{
	const struct sim_send *send = find_send(sim, old);

	HOLDS(sim, old, new->state == MODEL_READY);
	if (send) {
		HOLDS(sim, old, send->has_ended);
		HOLDS(sim, old, new->attempts == old->attempts);
	} else {
		HOLDS(sim, old,
		      new->attempts == old->attempts - 1 ||
			      (new->attempts == old->attempts &&leaves_rows(sim, old->owner)));
	}
}

static void
check_claim(struct sim *sim, const struct model_row *old, const struct model_row *new)
{
	HOLDS(sim, new, new->attempts == old->attempts + 1);
	HOLDS(sim, new, model_has_node(sim->model, new->owner));
}

static void
check_released(struct sim *sim, const struct model_row *old, const struct model_row *new)
{
	if (model_has_node(sim->model, old->owner))
		check_given_back(sim, old, new);
	else
		check_recovered(sim, old, new);
}

/* In one transaction: released, and claimed. */
static void
check_claimed_again(struct sim *sim, const struct model_row *old, const struct model_row *new)
{
	struct model_row between = *new;

	between.state = MODEL_READY;
	between.owner = 0;
	between.attempts--;
	check_released(sim, old, &between);
	check_claim(sim, &between, new);
}

void
sim_check_delivery(struct sim *sim, const struct model_row *old, const struct model_row *new)
{
	const struct sim_send *send = find_send(sim, old);

	if (!new) {
		HOLDS(sim, old, old->state == MODEL_RUNNING);
		HOLDS(sim, old, send && send->has_ended && send->end == SIM_DELIVERED);
		HOLDS(sim, old, model_has_node(sim->model, old->owner));
	} else if (new->state == MODEL_DEAD) {
		HOLDS(sim, old, send && send->has_ended && send->end == SIM_REFUSED);
		HOLDS(sim, old, model_has_node(sim->model, old->owner));
	} else if (new->state == MODEL_RUNNING && old->state == MODEL_RUNNING) {
		check_claimed_again(sim, old, new);
	} else if (new->state == MODEL_RUNNING) {
		check_claim(sim, old, new);
	} else if (old->state == MODEL_RUNNING) {
		check_released(sim, old, new);
	} else {
		HOLDS(sim, old, old->state == MODEL_BLOCKED && new->state == MODEL_READY);
	}
}

/* An attempt begins. Returns NULL if the row belongs to another one: it was paused meanwhile. */
static struct sim_send *
check_begin(struct sim_process *process, const struct herald_delivery_record *record)
{
	struct sim *sim = process->sim;
	const struct herald__outbox_entry *entry = herald__outbox_entry_of(record);

	sim_check(sim);
	const struct model_row *row = model_tables_find(model_committed(sim->model), entry->end.id);
	sim_trace(sim, "delivery %llu begins, attempt %u", (unsigned long long)entry->end.id,
		  record->attempts);
	if (!row || row->state != MODEL_RUNNING || row->owner != entry->end.owner ||
	    row->attempts != record->attempts) {
		if (!process->has_paused)
			sim_violate(sim, "delivery %llu begins without an owner",
				    (unsigned long long)entry->end.id);
		return NULL;
	}
	if (find_send(sim, row))
		sim_violate(sim, "delivery %llu is sent twice in one claim",
			    (unsigned long long)row->id);
	if (sim->sends_count == SIM_SENDS)
		sim_violate(sim, "more than %d attempts", SIM_SENDS);
	struct sim_send *send = &sim->sends[sim->sends_count++];
	*send = (struct sim_send){.row = row->id,
				  .owner = row->owner,
				  .attempts = row->attempts,
				  .replays = row->replays,
				  .process = process};
	return send;
}

/* The deliverer. */

void
sim_open_deliverer(struct sim_process *process, struct herald_error *error)
{
	const struct herald_delivery_queue_settings settings = {
		.max_attempts = SIM_ATTEMPTS,
		.max_attempts_per_origin = SIM_ATTEMPTS,
		.max_claimed = 4,
		.max_claimed_bytes = 1 << 20,
		.max_delay_ms = MAX_DELAY_MS,
	};

	if (herald_store_queue_create(process->store, &process->queue, error) == HERALD_OK &&
	    process->queue->ops->open(process->queue, &settings, error) == HERALD_OK)
		return;
	sim_trace(process->sim, "a queue cannot be created: %s", error->message);
	process->dies_now = true;
}

static struct herald_delivery_time
time_of(struct sim_process *process)
{
	return (struct herald_delivery_time){sim_wall_ms(process), process->sim->now_ms};
}

static struct herald_delivery_record *
claim(struct sim_process *process)
{
	const struct herald_delivery_time now = time_of(process);
	uint64_t wait_ms;

	return process->queue->ops->claim(process->queue, &now, &wait_ms);
}

static void
reschedule(struct sim_process *process, struct herald_delivery_record *record, uint64_t delay_ms)
{
	const struct herald_delivery_time now = time_of(process);
	const struct herald_delivery_report report = {.error = "not yet"};

	record->due_ms = now.wall_ms + (int64_t)delay_ms;
	process->queue->ops->reschedule(process->queue, record, &now, delay_ms, &report);
}

static void
end_attempt(struct sim_process *process, struct sim_attempt *attempt)
{
	struct sim *sim = process->sim;
	struct herald_delivery_record *record = attempt->record;
	const uint64_t drawn = sim_below(sim, sim->is_calm ? 12 : 5);
	const enum sim_send_end end = drawn == 0   ? SIM_AGAIN
				      : drawn == 1 ? SIM_REFUSED
						   : SIM_DELIVERED;
	const struct herald_delivery_report report = {
		.outcome =
			end == SIM_DELIVERED ? HERALD_DELIVERY_DELIVERED : HERALD_DELIVERY_FAILED,
		.error = "",
	};

	if (attempt->send) {
		attempt->send->has_ended = true;
		attempt->send->end = end;
	}
	*attempt = (struct sim_attempt){0};
	if (end == SIM_AGAIN) {
		reschedule(process, record, sim_below(sim, RETRY_MS));
		return;
	}
	process->queue->ops->complete(process->queue, record, &report);
	__wrap_herald_delivery_record_destroy(process->queue, record);
}

/* Most are short, and some longer than a lease. */
static void
begin_attempt(struct sim_process *process, struct sim_attempt *attempt,
	      struct herald_delivery_record *record)
{
	struct sim *sim = process->sim;

	record->attempts++;
	if (!process->queue->ops->begin(process->queue, record)) {
		__wrap_herald_delivery_record_destroy(process->queue, record);
		return;
	}
	attempt->record = record;
	attempt->send = check_begin(process, record);
	const bool is_long = (!sim->is_calm || sim->takeovers > 0) && sim_one_in(sim, 4);
	attempt->until_ms = sim->now_ms + sim_below(sim, is_long ? 4000 : 30);
}

/* What was claimed ahead goes back, and what is attempted ends. */
static void
stop(struct sim_process *process)
{
	struct herald_delivery_record *record;

	((struct herald__outbox_queue *)process->queue)->is_closing = true;
	for (size_t i = 0; i < SIM_ATTEMPTS; i++)
		if (process->attempts[i].record)
			end_attempt(process, &process->attempts[i]);
	while ((record = claim(process)))
		reschedule(process, record, 0);
}

uint64_t
sim_deliver(struct sim_process *process)
{
	struct sim *sim = process->sim;
	uint64_t next_ms = sim->now_ms + POLL_MS;
	bool is_known = false;

	process->is_delivery_woken = false;
	if (process->is_stopping) {
		stop(process);
		return next_ms;
	}
	for (size_t i = 0; i < SIM_ATTEMPTS; i++) {
		struct sim_attempt *attempt = &process->attempts[i];
		struct herald_delivery_record *record = NULL;

		sim_switch(sim, "deliverer");
		if (attempt->record && attempt->until_ms <= sim->now_ms)
			end_attempt(process, attempt);
		else if (!attempt->record && !is_known && (record = claim(process)))
			begin_attempt(process, attempt, record);
		is_known |= !attempt->record && !record;
		if (attempt->record && attempt->until_ms < next_ms)
			next_ms = attempt->until_ms;
	}
	return next_ms;
}

bool
sim_deliverer_is_idle(const struct sim_process *process)
{
	const struct herald__outbox_queue *queue =
		(const struct herald__outbox_queue *)process->queue;

	return !queue || (queue->is_closing && queue->count == 0 && !queue->is_writing &&
			  !queue->is_claiming);
}

void
sim_close_deliverer(struct sim_process *process)
{
	if (process->queue)
		process->queue->ops->destroy(process->queue);
	process->queue = NULL;
}

void
sim_kill_deliverer(struct sim_process *process)
{
	for (size_t i = 0; i < SIM_ATTEMPTS; i++)
		if (process->attempts[i].send)
			process->attempts[i].send->was_killed = true;
	process->queue = NULL;
}
