/*
 * The events of the simulation, and what their functions do.
 */
#include "simulation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/publish.h>

#include "store/state.h"

struct sim_task {
	uint64_t number;
	uint64_t try;
	const char *key;
};
HERALD_SCHEMA(sim_task, HERALD_FIELD(sim_task, number, .required = true),
	      HERALD_FIELD(sim_task, try), HERALD_FIELD(sim_task, key));

static void
sometimes_switch(struct sim *sim, const char *at)
{
	for (uint64_t i = sim_below(sim, 3); i > 0; i--)
		sim_switch(sim, at);
}

/* The process dies within the function. */
static void
crash(struct sim_process *process)
{
	process->dies_now = true;
	sim_switch(process->sim, "crash");
	abort(); /* nobody goes on here */
}

static enum herald_verdict
draw_verdict(struct sim *sim, struct herald_context *ctx)
{
	switch (sim_below(sim, sim->is_calm ? 24 : 12)) {
	case 0:
	case 1:
		return herald_retry(ctx, "not yet");
	case 2:
		return herald_fail(ctx, "no good");
	case 3:
		return herald_retry_after(ctx, 30, "in a while");
	default:
		return HERALD_DONE;
	}
}

/* Write the effect in the store's transaction. A function may overlook that this fails. */
static bool
write_effect(struct sim *sim, struct herald_context *ctx, const struct sim_event *event)
{
	struct herald_session *session = herald_context_session(ctx);

	if (!session) {
		sim_violate(sim, "event %u joins and has no session", event->number);
		return false;
	}
	return model_write_effect(session->database->ops->handle(session), event->number) ||
	       sim_one_in(sim, 2);
}

/* What a function must not do: it is found out, and harms no other event. */
static void
end_transaction(struct sim_thread *thread, struct herald_context *ctx)
{
	struct sim *sim = thread->process->sim;
	struct herald_session *session = herald_context_session(ctx);
	struct model_connection *connection = session->database->ops->handle(session);

	thread->run->ended_transaction = true;
	sim_trace(sim, "event %u ends the transaction", thread->event->number);
	if (sim_one_in(sim, 2))
		model_connection_commit(connection);
	else
		model_connection_rollback(connection);
	sim_check(sim);
}

static void
publish(struct sim *sim, struct herald_context *ctx, struct sim_thread *thread)
{
	struct herald_error error;

	if (herald_publish(ctx,
			   &(struct herald_delivery){.url = "http://a.example/",
						     .event_type = "published",
						     .event_id = thread->event->id,
						     HERALD_BODY("{}", 2)},
			   &error) != HERALD_OK)
		sim_violate(sim, "event %u cannot publish: %s", thread->event->number,
			    error.message);
	if (thread->run)
		thread->run->published++;
}

static enum herald_verdict
act(struct sim_thread *thread, struct sim_event *event, struct herald_context *ctx)
{
	struct sim *sim = thread->process->sim;

	sometimes_switch(sim, "function");
	if (event->kind != SIM_PLAIN && !write_effect(sim, ctx, event))
		return herald_retry(ctx, "the connection is lost");
	sometimes_switch(sim, "function, after the effect");
	while (sim_one_in(sim, 3))
		publish(sim, ctx, thread);
	if (event->is_poison || (!sim->is_calm && sim_one_in(sim, 150)))
		crash(thread->process);
	if (event->kind == SIM_JOIN && !sim->is_calm && sim_one_in(sim, 100))
		end_transaction(thread, ctx);
	return draw_verdict(sim, ctx);
}

static enum herald_verdict
on_task(struct herald_context *ctx, const struct sim_task *task, struct sim_process *process)
{
	struct sim_thread *thread = process->sim->thread;
	struct sim_event *event = &process->sim->events[task->number];
	enum herald_verdict verdict;

	sim_check_begin(thread, event, herald_context_attempt(ctx));
	verdict = act(thread, event, ctx);
	sim_check_verdict(thread, verdict);
	return verdict;
}
HERALD_FUNCTION(on_task, sim_task, sim_process);

/* The process's memory, which is freed when it dies. */
struct sim_block {
	struct sim_block *next, *previous;
	max_align_t memory[];
};

static void *
sim_allocate(size_t bytes, void *state)
{
	struct sim_process *process = state;
	struct sim_block *block = malloc(sizeof(*block) + bytes);

	if (!block)
		return NULL;
	block->previous = NULL;
	block->next = process->blocks;
	if (block->next)
		block->next->previous = block;
	process->blocks = block;
	return block->memory;
}

static void
sim_release(void *memory, size_t bytes, void *state)
{
	struct sim_process *process = state;
	struct sim_block *block =
		(struct sim_block *)((char *)memory - offsetof(struct sim_block, memory));

	(void)bytes;
	if (block->previous)
		block->previous->next = block->next;
	else
		process->blocks = block->next;
	if (block->next)
		block->next->previous = block->previous;
	free(block);
}

static void *
sim_reallocate(void *memory, size_t old_bytes, size_t bytes, void *state)
{
	void *moved = sim_allocate(bytes, state);

	if (!moved)
		return NULL;
	memcpy(moved, memory, old_bytes < bytes ? old_bytes : bytes);
	sim_release(memory, old_bytes, state);
	return moved;
}

struct herald_allocator
sim_allocator(struct sim_process *process)
{
	return (struct herald_allocator){sim_allocate, sim_reallocate, sim_release, process};
}

void
sim_free_memory(struct sim_process *process)
{
	while (process->blocks)
		sim_release(process->blocks->memory, 0, process);
}

enum herald_status
sim_create_service(struct sim_process *process, struct herald_error *error)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("plain", sim_task, on_task, process, .key = "key"),
		HERALD_ROUTE("join", sim_task, on_task, process, .key = "key",
			     .transaction = HERALD_TRANSACTION_JOIN),
		HERALD_ROUTE("hold", sim_task, on_task, process, .key = "key",
			     .transaction = HERALD_TRANSACTION_JOIN,
			     .when_dead = HERALD_WHEN_DEAD_HOLD),
	};

	return herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes),
							     .store = process->store,
							     .allocator = sim_allocator(process)),
				     &process->service, error);
}

/* Submissions. */

static void
on_answer(struct herald__inbox_event *arrival)
{
	struct sim_submission *submission = (struct sim_submission *)arrival;
	struct sim *sim = submission->sim;

	sim_trace(sim, "event %u, try %u is answered: %s%s", submission->event->number,
		  submission->try, herald_status_name(arrival->status),
		  arrival->is_duplicate ? ", duplicate" : "");
	sim_check(sim);
	sim_check_answer(submission);
}

static const char *const types[] = {
	[SIM_PLAIN] = "plain", [SIM_JOIN] = "join", [SIM_HOLD] = "hold"};

void
sim_submit(struct sim_process *process, struct sim_event *event)
{
	struct sim *sim = process->sim;
	struct sim_submission *submission = &sim->submissions[sim->submissions_count];
	int bytes;

	*submission = (struct sim_submission){
		.sim = sim, .event = event, .try = (unsigned)sim->submissions_count++};
	snprintf(submission->key, sizeof(submission->key), "%u", event->key);
	bytes = snprintf(submission->data, sizeof(submission->data),
			 "{\"timestamp\":\"2024-08-20T05:21:19Z\",\"event_type\":\"%s\","
			 "\"metadata\":{\"id\":\"%s\"},\"payload\":{\"number\":%u,\"try\":%u}}",
			 types[event->kind], event->id, event->number, submission->try);
	submission->arrival = (struct herald__inbox_event){
		.service = process->service,
		.event_type = types[event->kind],
		.source = "",
		.id = event->id,
		.content_type = "application/json",
		.attributes = {"", 0},
		.data = {submission->data, (size_t)bytes},
		.key = {event->key ? submission->key : NULL, strlen(submission->key)},
		.holds_key = event->kind == SIM_HOLD,
		.due_ms = event->delay_ms ? sim_wall_ms(process) + event->delay_ms : 0,
		.done = on_answer,
	};
	sim_trace(sim, "event %u, try %u is submitted to %u", event->number, submission->try,
		  process->index);
	process->store->inbox.ops->accept(&process->store->inbox, &submission->arrival);
}
