/*
 * What must hold in the simulation. Rows are compared with those before: each change must be what
 * the run of the row's owner has led to, or what the death of its owner allows.
 */
#include "simulation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/state.h"

struct sim_event *
sim_event_of(struct sim *sim, const struct model_row *row)
{
	if (!row)
		abort();
	return &sim->events[strtoul(row->texts[MODEL_EVENT_ID] + 1, NULL, 10)];
}

static unsigned
try_of(const struct model_row *row)
{
	const char *at = strstr(row->data.data, "\"try\":");

	return at ? (unsigned)strtoul(at + 6, NULL, 10) : 0;
}

static struct sim_node *
node_of(struct sim *sim, uint64_t id)
{
	for (size_t i = 0; i < sim->nodes_count; i++)
		if (sim->nodes[i].id == id)
			return &sim->nodes[i];
	if (sim->nodes_count == SIM_NODES)
		abort();
	sim->nodes[sim->nodes_count] = (struct sim_node){.id = id};
	return &sim->nodes[sim->nodes_count++];
}

/* The run of an event in one claim; NULL: it has not begun. */
static struct sim_run *
find_run(struct sim_event *event, const struct model_row *row)
{
	for (size_t i = event->runs_count; i > 0; i--) {
		struct sim_run *run = &event->runs[i - 1];

		if (run->owner == row->owner && run->attempts == row->attempts &&
		    run->replays == row->replays)
			return run;
	}
	return NULL;
}

/* Changes of one row. */

struct change {
	struct sim *sim;
	struct sim_event *event;
	const struct model_row *old, *new;
	struct sim_run *run;   /* of the old row's owner */
	struct sim_node *node; /* the old row's owner */
	bool is_owner_gone;
};

#define HOLDS(CHANGE, CONDITION)                                                                   \
	do {                                                                                       \
		if (!(CONDITION))                                                                  \
			sim_violate((CHANGE)->sim, "%s: event %u: %s", __func__,                   \
				    (CHANGE)->event->number, #CONDITION);                          \
	} while (0)

static bool
has_verdict(const struct change *change, enum herald_verdict verdict)
{
	return change->run && change->run->has_ended && change->run->verdict == verdict;
}

bool
sim_machine_has_crashed(struct sim *sim, uint64_t node)
{
	return node_of(sim, node)->machine_crashed;
}

/* A delivery is stored with the end of its event. */
static void
check_delivery(struct sim *sim, const struct model_row *old, const struct model_row *new)
{
	struct sim_event *event = sim_event_of(sim, new ? new : old);

	if (old) {
		sim_check_delivery(sim, old, new);
		return;
	}
	/* It may be claimed in the same transaction. */
	if (new->state == MODEL_DEAD || (new->state == MODEL_RUNNING &&new->attempts != 1))
		sim_violate(sim, "a delivery of event %u is not new", event->number);
	event->deliveries++;
	if (!event->is_done || event->deliveries > event->published)
		sim_violate(sim, "event %u: done %d, %u deliveries of %u are stored", event->number,
			    event->is_done, event->deliveries, event->published);
}

static void
check_new(const struct change *change)
{
	struct sim_event *event = change->event;
	const struct model_row *row = change->new;
	const struct sim_submission *submission = &change->sim->submissions[try_of(row)];

	HOLDS(change, event->stored == 0); /* no id twice */
	HOLDS(change, !submission->was_refused);
	HOLDS(change, row->state != MODEL_DEAD);
	HOLDS(change,
	      row->state != MODEL_RUNNING ||
		      (row->attempts == 1 && model_has_node(change->sim->model, row->owner)));
	event->stored++;
	event->stored_try = submission->try;
	event->row = row->id;
}

static void
check_gone(const struct change *change)
{
	struct sim_event *event = change->event;

	if (change->old->state == MODEL_DEAD) {
		HOLDS(change, change->sim->is_dropping);
		event->is_dropped = true;
		return;
	}
	HOLDS(change, change->old->state == MODEL_RUNNING);
	HOLDS(change,
	      has_verdict(change, HERALD_DONE) || (change->run && change->run->ended_transaction));
	HOLDS(change, !change->is_owner_gone);
	event->is_done = true;
	event->published =
		change->run && !change->run->ended_transaction ? change->run->published : 0;
}

static void
check_claim(const struct change *change)
{
	HOLDS(change, change->new->attempts == change->old->attempts + 1);
	/* Once more than it may run, to end it. */
	HOLDS(change, change->new->attempts <= change->sim->options.max_attempts + 1);
	HOLDS(change, change->new->interrupted <= change->sim->options.max_interrupted);
	HOLDS(change, model_has_node(change->sim->model, change->new->owner));
	HOLDS(change, change->old->due_ms <= change->sim->latest_ms);
}

/* It was claimed to end: its handlers run, but its function does not. */
static bool
is_over_budget(const struct change *change)
{
	const struct herald_store_options *options = &change->sim->options;

	return change->old->attempts > options->max_attempts ||
	       change->old->interrupted >= options->max_interrupted;
}

/* An earlier run has ended in the process of its owner, which claimed it again, and did not know
 * that it had: it may have killed the process as well as another one whose end is not stored. */
static bool
has_unknown_end(const struct change *change)
{
	const struct sim_event *event = change->event;
	bool has_ended = false;

	for (size_t i = 0; i < event->runs_count; i++)
		has_ended |= event->runs[i].owner == change->old->owner && event->runs[i].has_ended;
	return !change->run && has_ended && change->node->has_unknown && !change->node->was_running;
}

/* The owner has died, and another process has said so. */
static void
check_recovered(const struct change *change)
{
	const struct model_row *old = change->old, *new = change->new;
	bool is_charged = new->attempts == old->attempts;
	bool is_blamed = new->interrupted == old->interrupted + 1;

	HOLDS(change, is_charged || new->attempts == old->attempts - 1);
	HOLDS(change, is_blamed || new->interrupted == old->interrupted);
	/* Nobody else is blamed than those that ran when the process was killed, or, if none did,
	 * those whose end the process did not know to be committed. */
	if (is_blamed)
		HOLDS(change, change->node->was_killed && !change->node->machine_crashed &&
				      (change->node->is_blurred ||
				       (change->run && change->run->was_killed) ||
				       is_over_budget(change) || has_unknown_end(change) ||
				       (change->run && change->run->has_ended &&
					!change->node->was_running)));
	/* And these are, so that poison ends. */
	if (change->run && change->run->was_killed && !change->node->machine_crashed)
		HOLDS(change, is_charged);
	/* With leases it may have been found dead before its machine crashed. */
	if (change->node->machine_crashed && !change->sim->has_leases)
		HOLDS(change, !is_charged);
}

static void
check_given_back(const struct change *change)
{
	const struct model_row *old = change->old, *new = change->new;

	HOLDS(change, new->state == MODEL_READY);
	HOLDS(change, new->interrupted == old->interrupted);
	if (new->attempts == old->attempts - 1) {
		HOLDS(change, !change->run); /* it has not run */
		return;
	}
	HOLDS(change, new->attempts == old->attempts);
	HOLDS(change, new->attempts <= change->sim->options.max_attempts + 1);
	/* Unless the transaction that it joined has failed, what the function says counts. */
	HOLDS(change, !change->run || change->run->verdict == HERALD_RETRY ||
			      change->event->kind != SIM_PLAIN);
	HOLDS(change, !change->run || change->run->has_ended);
}

static void
check_dead(const struct change *change)
{
	const struct model_row *old = change->old, *new = change->new;
	unsigned max_attempts = change->sim->options.max_attempts;
	/* It was claimed only to end, or its process died when it should. */
	bool is_buried = !change->is_owner_gone && new->attempts == old->attempts - 1;
	bool is_over = is_buried || change->is_owner_gone;

	HOLDS(change, !is_buried || !change->run);
	HOLDS(change, is_over || new->attempts == old->attempts);
	HOLDS(change, old->state == MODEL_RUNNING);
	HOLDS(change, new->is_held == (change->event->kind == SIM_HOLD));
	switch (new->why) {
	case HERALD_DEAD_FAILED:
		HOLDS(change, !change->is_owner_gone);
		HOLDS(change, has_verdict(change, HERALD_FAIL) ||
				      (change->run && change->run->ended_transaction));
		break;
	case HERALD_DEAD_ATTEMPTS:
		HOLDS(change, old->attempts == max_attempts + is_over);
		HOLDS(change, is_over || !has_verdict(change, HERALD_DONE) ||
				      change->event->kind != SIM_PLAIN);
		break;
	case HERALD_DEAD_INTERRUPTED:
		HOLDS(change, is_over);
		HOLDS(change, new->interrupted >= change->sim->options.max_interrupted ||
				      old->attempts > max_attempts);
		break;
	default:
		sim_violate(change->sim, "event %u is dead: %s", change->event->number,
			    herald_dead_reason_name(new->why));
		break;
	}
	if (change->is_owner_gone)
		check_recovered(change);
}

static void
check_replayed(const struct change *change)
{
	HOLDS(change, change->sim->is_replaying);
	HOLDS(change, change->new->attempts == 0 && change->new->interrupted == 0);
	HOLDS(change, change->new->replays == change->old->replays + 1);
}

/* In one transaction: given back, or to be tried again, and claimed. */
static void
check_claimed_again(const struct change *change)
{
	struct model_row between = *change->new;
	struct change first = *change, second = *change;

	between.state = MODEL_READY;
	between.owner = 0;
	between.attempts--;
	first.new = second.old = &between;
	if (change->is_owner_gone)
		check_recovered(&first);
	else
		check_given_back(&first);
	check_claim(&second);
}

static void
check_changed(const struct change *change)
{
	const struct model_row *old = change->old, *new = change->new;

	if (new->state == MODEL_DEAD)
		check_dead(change);
	else if (old->state == MODEL_DEAD)
		check_replayed(change);
	else if (new->state == MODEL_RUNNING && old->state == MODEL_RUNNING)
		check_claimed_again(change);
	else if (new->state == MODEL_RUNNING)
		check_claim(change);
	else if (old->state == MODEL_RUNNING && change->is_owner_gone)
		check_recovered(change);
	else if (old->state == MODEL_RUNNING)
		check_given_back(change);
	else
		HOLDS(change, old->state == MODEL_BLOCKED &&
				      new->state == MODEL_READY &&new->attempts == old->attempts);
}

static void
check_row(struct sim *sim, const struct model_row *old, const struct model_row *new)
{
	struct change change = {
		.sim = sim, .event = sim_event_of(sim, old ? old : new), .old = old, .new = new};

	if ((old ? old : new)->is_delivery) {
		check_delivery(sim, old, new);
		return;
	}

	if (old && old->state == MODEL_RUNNING) {
		change.run = find_run(change.event, old);
		change.node = node_of(sim, old->owner);
		change.is_owner_gone = !model_has_node(sim->model, old->owner);
	}
	/* What such a commit stores has ended its events: they do not end again. */
	if (new)
		HOLDS(&change, !strstr(new->texts[MODEL_LAST_ERROR], MODEL_TOOK_PLACE) &&
				       !strstr(new->texts[MODEL_REASON], MODEL_TOOK_PLACE));
	if (!old)
		check_new(&change);
	else if (!new)
		check_gone(&change);
	else
		check_changed(&change);
}

static void
check_rows(struct sim *sim, const struct model_tables *new)
{
	const struct model_tables *old = &sim->seen;
	size_t i = 0, j = 0;

	while (i < old->rows_count || j < new->rows_count) {
		const struct model_row *a = i < old->rows_count ? old->rows[i] : NULL;
		const struct model_row *b = j < new->rows_count ? new->rows[j] : NULL;

		if (a && b && a->id == b->id) {
			if (a != b)
				check_row(sim, a, b);
			i++;
			j++;
		} else if (a && (!b || a->id < b->id)) {
			check_row(sim, a, NULL);
			i++;
		} else {
			check_row(sim, NULL, b);
			j++;
		}
	}
}

/* All that was published is stored in the commit that has made the event done. */
static void
check_published(struct sim *sim)
{
	for (size_t i = 0; i < sim->events_count; i++) {
		const struct sim_event *event = &sim->events[i];

		if (event->deliveries != event->published)
			sim_violate(sim, "event %u has published %u, and stored %u", event->number,
				    event->published, event->deliveries);
	}
}

/* An effect is committed with the end of its event, once. */
static void
check_effects(struct sim *sim, const struct model_tables *new)
{
	for (size_t i = sim->seen.effects_count; i < new->effects_count; i++) {
		struct sim_event *event = &sim->events[new->effects[i]];

		event->effects++;
		if (event->effects > 1)
			sim_violate(sim, "event %u has %u effects", event->number, event->effects);
		if (!event->is_done)
			sim_violate(sim, "event %u has an effect, and is not done", event->number);
	}
}

void
sim_check(struct sim *sim)
{
	const struct model_tables *new = model_committed(sim->model);

	if (model_version(sim->model) == sim->seen_version)
		return;
	sim->seen_version = model_version(sim->model);
	check_rows(sim, new);
	check_effects(sim, new);
	check_published(sim);
	model_tables_finish(&sim->seen);
	model_tables_copy(&sim->seen, new);
}

/* Answers. */

void
sim_check_answer(struct sim_submission *submission)
{
	struct sim *sim = submission->sim;
	struct sim_event *event = submission->event;
	enum herald_status status = submission->arrival.status;

	if (submission->is_answered || submission->is_lost)
		sim_violate(sim, "try %u is answered twice", submission->try);
	submission->is_answered = true;
	if (status == HERALD_OK) {
		event->is_acknowledged = true;
		if (event->stored != 1)
			sim_violate(sim, "event %u is acknowledged, and not stored", event->number);
		if (submission->arrival.is_duplicate == (event->stored_try == submission->try))
			sim_violate(sim, "event %u, try %u: duplicate %d, stored by try %u",
				    event->number, submission->try,
				    submission->arrival.is_duplicate, event->stored_try);
		return;
	}
	submission->was_refused = status != HERALD_UNKNOWN_OUTCOME && status != HERALD_STORE_FAILED;
	if (submission->was_refused && event->stored > 0 && event->stored_try == submission->try)
		sim_violate(sim, "event %u is refused, and stored", event->number);
}

void
sim_check_answered(struct sim_process *process)
{
	struct sim *sim = process->sim;

	for (size_t i = 0; i < sim->submissions_count; i++) {
		const struct sim_submission *submission = &sim->submissions[i];

		if (submission->arrival.service == process->service && !submission->is_answered &&
		    !submission->is_lost)
			sim_violate(sim, "try %u is not answered", submission->try);
	}
}

/* Functions. */

/* The row of another event that is in the way of one with the same key. */
static const struct model_row *
find_obstacle(struct sim *sim, const struct sim_event *event, const struct model_row *row)
{
	const struct model_tables *tables = model_committed(sim->model);

	for (size_t i = 0; event->key != 0 && i < tables->rows_count; i++) {
		const struct model_row *other = tables->rows[i];

		if (other == row || other->is_delivery ||
		    sim_event_of(sim, other)->key != event->key)
			continue;
		if (other->state == MODEL_RUNNING || (other->state == MODEL_DEAD && other->is_held))
			return other;
		/* A dead letter that was replayed may have a smaller id, and waits. */
		if (other->state != MODEL_DEAD && other->id < row->id && other->replays == 0)
			return other;
	}
	return NULL;
}

static void
begin_owned(struct sim_thread *thread, struct sim_event *event, const struct model_row *row)
{
	struct sim *sim = thread->process->sim;
	const struct model_row *obstacle = find_obstacle(sim, event, row);

	if (find_run(event, row))
		sim_violate(sim, "event %u runs twice in one claim", event->number);
	if (obstacle)
		sim_violate(sim, "event %u runs before event %u with the same key", event->number,
			    sim_event_of(sim, obstacle)->number);
	if (row->due_ms > sim->latest_ms ||
	    sim->submissions[event->stored_try].arrival.due_ms > sim->latest_ms)
		sim_violate(sim, "event %u runs before it is due", event->number);
	if (event->runs_count == SIM_RUNS)
		sim_violate(sim, "event %u runs more than %d times", event->number, SIM_RUNS);
	thread->run = &event->runs[event->runs_count++];
	*thread->run = (struct sim_run){
		.owner = row->owner, .attempts = row->attempts, .replays = row->replays};
}

void
sim_check_begin(struct sim_thread *thread, struct sim_event *event, unsigned attempts)
{
	struct sim_process *process = thread->process;
	struct sim *sim = process->sim;
	const struct model_row *row;

	sim_check(sim);
	row = event->row ? model_tables_find(model_committed(sim->model), event->row) : NULL;
	sim_trace(sim, "event %u begins, attempt %u", event->number, attempts);
	if (attempts > sim->options.max_attempts)
		sim_violate(sim, "event %u begins attempt %u", event->number, attempts);
	thread->event = event;
	thread->run = NULL;
	if (row && row->state == MODEL_RUNNING && row->attempts == attempts &&
	    model_node_database(sim->model, row->owner) == process->database) {
		begin_owned(thread, event, row);
		return;
	}
	/* A zombie: it was paused after it had looked at its lease. */
	if (event->kind != SIM_PLAIN)
		sim_violate(sim, "event %u joins a transaction without owning it", event->number);
	if (!process->has_paused)
		sim_violate(sim, "event %u begins without an owner", event->number);
}

void
sim_check_verdict(struct sim_thread *thread, enum herald_verdict verdict)
{
	static const char *const names[] = {
		[HERALD_DONE] = "done", [HERALD_RETRY] = "retry", [HERALD_FAIL] = "fail"};

	sim_trace(thread->process->sim, "event %u is %s", thread->event->number, names[verdict]);
	if (thread->run) {
		thread->run->has_ended = true;
		thread->run->verdict = verdict;
	}
	thread->event = NULL;
	thread->run = NULL;
}

/* Deaths. */

/* Returns whether an event ran. */
static bool
note_threads(struct sim_process *process, bool *is_blurred)
{
	bool was_running = false;

	for (size_t i = SIM_WORKER; i < SIM_THREADS; i++) {
		struct sim_thread *thread = &process->threads[i];

		if (thread->run)
			was_running = thread->run->was_killed = true;
		else if (thread->is_in_step && !thread->event)
			*is_blurred = true;
	}
	return was_running;
}

/* A process that has lost its lease has more than one node. */
void
sim_note_kill(struct sim_process *process, bool with_machine)
{
	struct sim *sim = process->sim;
	bool is_blurred = false;
	bool was_running = note_threads(process, &is_blurred);

	for (uint64_t id = 1; process->database && id < SIM_NODES; id++)
		if (model_node_database(sim->model, id) == process->database) {
			struct sim_node *node = node_of(sim, id);

			node->was_killed = true;
			node->machine_crashed = with_machine;
			node->is_blurred = is_blurred;
			node->was_running = was_running;
			node->has_unknown = process->has_unknown;
		}
}

/* The end. */

static const char *const state_names[] = {[MODEL_READY] = "READY",
					  [MODEL_BLOCKED] = "BLOCKED",
					  [MODEL_RUNNING] = "RUNNING",
					  [MODEL_DEAD] = "DEAD"};

static void
check_event(struct sim *sim, struct sim_event *event)
{
	const struct model_row *row = NULL;
	unsigned expected;

	if (event->row)
		row = model_tables_find(model_committed(sim->model), event->row);
	if (row && row->state != MODEL_DEAD)
		sim_violate(sim, "event %u is not finished: %s, attempts %u, key %u, node %llu",
			    event->number, state_names[row->state], row->attempts, event->key,
			    (unsigned long long)row->owner);
	if (event->stored > 0 && event->is_done + event->is_dropped + !!row != 1)
		sim_violate(sim, "event %u: done %d, dropped %d, dead %d", event->number,
			    event->is_done, event->is_dropped, !!row);
	if (event->is_acknowledged && event->stored == 0)
		sim_violate(sim, "event %u is lost", event->number);
	expected = event->is_done && event->kind != SIM_PLAIN;
	if (event->effects != expected)
		sim_violate(sim, "event %u has %u effects instead of %u", event->number,
			    event->effects, expected);
}

/* For the trace: what is left. */
static void
trace_rows(struct sim *sim)
{
	const struct model_tables *tables = model_committed(sim->model);

	for (size_t i = 0; i < tables->rows_count; i++) {
		const struct model_row *row = tables->rows[i];

		sim_trace(sim, "left: %s %s, attempts %u, key %llx, held %d, node %llu",
			  row->texts[MODEL_EVENT_ID],
			  row->is_delivery ? "delivery" : state_names[row->state], row->attempts,
			  (unsigned long long)row->key_hash, row->is_held,
			  (unsigned long long)row->owner);
	}
}

void
sim_check_end(struct sim *sim)
{
	trace_rows(sim);
	for (size_t i = 0; i < sim->submissions_count; i++)
		if (!sim->submissions[i].is_answered && !sim->submissions[i].is_lost)
			sim_violate(sim, "try %zu is not answered", i);
	for (size_t i = 0; i < sim->events_count; i++)
		check_event(sim, &sim->events[i]);
	for (size_t i = 0; i < model_committed(sim->model)->rows_count; i++)
		if (model_committed(sim->model)->rows[i]->state == MODEL_RUNNING)
			sim_violate(sim, "a row is RUNNING at the end");
}
