/*
 * Processes, and calls that must succeed. Contains no case.
 */
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void *
zeroed(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	assert_non_null(memory);
	return memory;
}

/* An array with room for one more; its size is a power of two. */
static void *
grown(void *array, size_t count, size_t size)
{
	if ((count & (count - 1)) == 0)
		array = realloc(array, (count ? 2 * count : 1) * size);
	assert_non_null(array);
	return array;
}

static void
pause_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/* Processes. */

static struct process *
process_open(const struct contract_store *kind, void *place, unsigned *place_uses,
	     uint32_t lease_ms)
{
	struct herald_database_settings settings = {
		.lease_ms = lease_ms,
		.wal_warning_bytes = (uint64_t)1 << 26,
	};
	struct process *process = zeroed(1, sizeof(*process));
	struct herald_error error;

	process->kind = kind;
	process->place = place;
	process->place_uses = place_uses;
	++*place_uses;
	process->database = kind->create(place);
	process->ops = process->database->ops;
	settings.allocator = herald_allocator_libc;
	assert_works(process->ops->open(process->database, &settings, &error), &error);
	assert_works(process->ops->session_open(process->database, HERALD_SESSION_COMMIT,
						&process->session, &error),
		     &error);
	assert_works(process->ops->session_open(process->database, HERALD_SESSION_NODE,
						&process->nodes, &error),
		     &error);
	return process;
}

uint64_t
join(struct process *process)
{
	struct herald_node node = {.host = "host", .boot_id = "boot", .pid = (long)getpid()};
	struct herald_error error;

	assert_works(process->ops->node_join(process->nodes, &node, T0, &error), &error);
	assert_int_not_equal(node.id, 0);
	assert_non_null(node.in_flight_path);
	process->node = node.id;
	return node.id;
}

static struct process *
start_with(const struct contract_store *kind, uint32_t lease_ms)
{
	struct process *process =
		process_open(kind, kind->place_create(), zeroed(1, sizeof(unsigned)), lease_ms);

	join(process);
	return process;
}

struct process *
start(const struct contract_store *kind)
{
	return start_with(kind, LEASE_MS);
}

struct process *
start_mortal(const struct contract_store *kind)
{
	return start_with(kind, SHORT_LEASE_MS);
}

struct process *
start_on(const struct process *other)
{
	struct process *process = start_tool(other);

	join(process);
	return process;
}

struct process *
start_tool(const struct process *other)
{
	return process_open(other->kind, other->place, other->place_uses, LEASE_MS);
}

struct process *
start_mortal_tool(const struct process *other)
{
	return process_open(other->kind, other->place, other->place_uses, SHORT_LEASE_MS);
}

static void
process_end(struct process *process)
{
	process->ops->session_close(process->session);
	process->ops->session_close(process->nodes);
	process->ops->destroy(process->database);
	if (--*process->place_uses == 0) {
		process->kind->place_destroy(process->place);
		free(process->place_uses);
	}
	free(process);
}

void
stop(struct process *process)
{
	struct herald_error error;

	/* A test may end while it owns rows. */
	if (process->node != 0 && count_of(process, false, NULL, HERALD_COUNT_RUNNING) == 0 &&
	    count_of(process, true, NULL, HERALD_COUNT_RUNNING) == 0)
		assert_works(process->ops->node_leave(process->nodes, process->node, &error),
			     &error);
	process_end(process);
}

struct search {
	uint64_t node;
	bool is_found;
};

static bool
find_node(const struct herald_node *node, void *state)
{
	struct search *search = state;

	search->is_found |= node->id == search->node;
	return true;
}

void
wait_dead(const struct process *survivor, uint64_t node)
{
	struct search search = {.node = node};
	struct herald_error error;

	for (int i = 0; !search.is_found; i++) {
		assert_true(i < 3000);
		if (i > 0)
			pause_ms(10);
		assert_works(
			survivor->ops->node_dead(survivor->nodes, T0, find_node, &search, &error),
			&error);
	}
}

void
die(struct process *process, const struct process *survivor)
{
	uint64_t node = process->node;

	process_end(process);
	wait_dead(survivor, node);
}

/* Transactions. */

void
begin(struct process *process)
{
	struct herald_error error;

	assert_works(process->ops->begin(process->session, &error), &error);
}

void
commit(struct process *process)
{
	struct herald_error error;

	assert_works(process->ops->commit(process->session, &error), &error);
}

void
rollback(struct process *process)
{
	process->ops->rollback(process->session);
}

/* Events. */

uint64_t
accept_event(struct process *process, struct herald_stored_event *event)
{
	assert_false(is_duplicate(process, event));
	assert_int_not_equal(event->id, 0);
	return event->id;
}

bool
is_duplicate(struct process *process, struct herald_stored_event *event)
{
	struct herald_error error;

	begin(process);
	assert_works(process->ops->accept(process->session, event, 1, &error), &error);
	commit(process);
	return event->is_duplicate;
}

static const char *
copy_text(const char *from)
{
	char *copy;

	assert_non_null(from);
	copy = strdup(from);
	assert_non_null(copy);
	return copy;
}

static struct herald_text
copy_bytes(struct herald_text from)
{
	char *bytes = zeroed(from.bytes + 1, 1);

	if (from.bytes > 0)
		memcpy(bytes, from.data, from.bytes);
	return (struct herald_text){bytes, from.bytes};
}

static bool
keep_claimed(const struct herald_stored_event *event, void *state)
{
	struct claims *claims = state;
	struct claimed *row;

	claims->rows = grown(claims->rows, claims->count, sizeof(*row));
	row = &claims->rows[claims->count++];
	row->event = *event;
	row->event.queue = copy_text(event->queue);
	row->event.event_type = copy_text(event->event_type);
	row->event.source = copy_text(event->source);
	row->event.event_id = copy_text(event->event_id);
	row->event.content_type = copy_text(event->content_type);
	row->event.last_error = copy_text(event->last_error);
	row->event.attributes = copy_bytes(event->attributes);
	row->event.data = copy_bytes(event->data);
	return claims->count != claims->stop_after;
}

static struct claims *
claim_rows(struct process *process, const struct herald_claim *claim, size_t stop_after)
{
	struct claims *claims = zeroed(1, sizeof(*claims));
	struct herald_error error;

	claims->stop_after = stop_after;
	if (!process->ops->claims_apart)
		begin(process);
	assert_works(process->ops->claim(process->session, claim, keep_claimed, claims,
					 &claims->next_ms, &error),
		     &error);
	if (!process->ops->claims_apart)
		commit(process);
	return claims;
}

struct claims *
claim_with(struct process *process, const struct herald_claim *claim)
{
	return claim_rows(process, claim, 0);
}

struct claims *
claim_until(struct process *process, int64_t now_ms, size_t n)
{
	return claim_rows(process,
			  &(struct herald_claim){.queue = "q",
						 .owner = process->node,
						 .now_ms = now_ms,
						 .max_events = MAX_ROWS,
						 .max_bytes = (size_t)1 << 30},
			  n);
}

struct claims *
claim_all(struct process *process, int64_t now_ms)
{
	return claim_until(process, now_ms, 0);
}

void
claims_free(struct claims *claims)
{
	for (size_t i = 0; i < claims->count; i++) {
		const struct herald_stored_event *event = &claims->rows[i].event;

		free((char *)event->queue);
		free((char *)event->event_type);
		free((char *)event->source);
		free((char *)event->event_id);
		free((char *)event->content_type);
		free((char *)event->last_error);
		free((char *)event->attributes.data);
		free((char *)event->data.data);
	}
	free(claims->rows);
	free(claims);
}

unsigned
claim_only(struct process *process, uint64_t id, int64_t now_ms)
{
	struct claims *claims = claim_all(process, now_ms);
	unsigned attempts;

	assert_int_equal(claims->count, 1);
	assert_int_equal(claims->rows[0].event.id, id);
	attempts = claims->rows[0].event.attempts;
	claims_free(claims);
	return attempts;
}

void
assert_nothing_to_claim(struct process *process, int64_t now_ms)
{
	struct claims *claims = claim_all(process, now_ms);

	assert_int_equal(claims->count, 0);
	assert_true(claims->next_ms > now_ms);
	claims_free(claims);
}

bool
complete_with(struct process *process, struct herald_completion completion)
{
	struct herald_error error;

	begin(process);
	assert_works(process->ops->complete(process->session, &completion, 1, &error), &error);
	commit(process);
	return completion.is_lost;
}

struct counting {
	bool is_delivery;
	const char *type; /* NULL: any */
	enum herald_count_state state;
	uint64_t count;
};

static bool
add_count(const struct herald_count *count, void *state)
{
	struct counting *counting = state;

	if (count->is_delivery == counting->is_delivery && count->state == counting->state &&
	    (!counting->type || strcmp(count->event_type, counting->type) == 0))
		counting->count += count->count;
	return true;
}

uint64_t
count_of(struct process *process, bool is_delivery, const char *type, enum herald_count_state state)
{
	struct counting counting = {.is_delivery = is_delivery, .type = type, .state = state};
	struct herald_error error;

	assert_works(process->ops->counts(process->session, T0, add_count, &counting, &error),
		     &error);
	return counting.count;
}

uint64_t
count_events(struct process *process)
{
	uint64_t count = 0;

	for (int state = HERALD_COUNT_READY; state <= HERALD_COUNT_DEAD; state++)
		count += count_of(process, false, NULL, (enum herald_count_state)state);
	return count;
}

uint64_t
kill_event(struct process *p, struct herald_stored_event *event, enum herald_dead_reason why,
	   int64_t ms)
{
	uint64_t id;

	event->owner = p->node;
	id = accept_event(p, event);
	assert_false(COMPLETE(p, id, 1, DEAD, .why = why, .now_ms = T0 + ms));
	return id;
}

enum herald_status
find_and_purge(struct process *process, const struct herald_purge_filter *filter, size_t max,
	       uint64_t *count, struct herald_error *error)
{
	static uint64_t ids[1000];
	size_t ids_count = 0;

	assert_true(max <= COUNT(ids));
	enum herald_status status =
		process->ops->purge_find(process->session, filter, 0, max, ids, &ids_count, error);
	return status == HERALD_OK
		       ? process->ops->purge(process->session, filter, ids, ids_count, count, error)
		       : status;
}

enum herald_status
find_and_trim(struct process *process, uint64_t keep, size_t max, uint64_t *count,
	      struct herald_error *error)
{
	struct herald_dead_place last;
	bool is_any = false;
	enum herald_status status =
		process->ops->dead_surplus(process->session, keep, &last, &is_any, error);

	*count = 0;
	return status == HERALD_OK && is_any
		       ? process->ops->dead_trim(process->session, &last, max, count, error)
		       : status;
}

void
purge_all(struct process *process)
{
	struct herald_error error;
	uint64_t count;

	begin(process);
	for (int i = 0; i < 2; i++)
		do
			assert_works(
				find_and_purge(process,
					       &(struct herald_purge_filter){.deliveries = i == 1},
					       1000, &count, &error),
				&error);
		while (count > 0);
	commit(process);
}

void
purge_type(struct process *process, const char *type)
{
	struct herald_error error;
	uint64_t count;

	begin(process);
	assert_works(find_and_purge(process, &(struct herald_purge_filter){.event_type = type}, 100,
				    &count, &error),
		     &error);
	commit(process);
	assert_int_equal(count, 1);
}

uint64_t
replay(struct process *process, const struct herald_dead_filter *filter, size_t max)
{
	struct herald_error error;
	uint64_t count;

	begin(process);
	assert_works(process->ops->dead_replay(process->session, filter, max, T0, &count, &error),
		     &error);
	commit(process);
	return count;
}

uint64_t
drop(struct process *process, const struct herald_dead_filter *filter, size_t max)
{
	struct herald_error error;
	uint64_t count;

	begin(process);
	assert_works(process->ops->dead_drop(process->session, filter, max, &count, &error),
		     &error);
	commit(process);
	return count;
}

struct herald_recovery
recover(struct process *process, uint64_t node, struct herald_recovery recovery)
{
	struct herald_error error;

	recovery.node = node;
	if (recovery.now_ms == 0)
		recovery.now_ms = T0;
	assert_works(process->ops->node_recover(process->nodes, &recovery, &error), &error);
	return recovery;
}

/* Deliveries. */

uint64_t
push(struct process *process, struct herald_stored_delivery *delivery)
{
	struct herald_error error;

	begin(process);
	assert_works(process->ops->delivery_push(process->session, delivery, 1, &error), &error);
	commit(process);
	assert_int_not_equal(delivery->id, 0);
	return delivery->id;
}

static bool
keep_delivery(const struct herald_stored_delivery *delivery, void *state)
{
	struct claimed_deliveries *claimed = state;
	struct claimed_delivery *row;

	claimed->rows = grown(claimed->rows, claimed->count, sizeof(*row));
	row = &claimed->rows[claimed->count++];
	row->delivery = *delivery;
	row->delivery.delivery_id = copy_text(delivery->delivery_id);
	row->delivery.url = copy_text(delivery->url);
	row->delivery.origin = copy_text(delivery->origin);
	row->delivery.event_type = copy_text(delivery->event_type);
	row->delivery.event_id = copy_text(delivery->event_id);
	row->delivery.last_error = copy_text(delivery->last_error);
	row->delivery.record = copy_bytes(delivery->record);
	return true;
}

struct claimed_deliveries *
claim_deliveries_with(struct process *process, const struct herald_delivery_claim *claim)
{
	struct claimed_deliveries *claimed = zeroed(1, sizeof(*claimed));
	struct herald_error error;

	if (!process->ops->claims_apart)
		begin(process);
	assert_works(process->ops->delivery_claim(process->session, claim, keep_delivery, claimed,
						  &claimed->next_ms, &error),
		     &error);
	if (!process->ops->claims_apart)
		commit(process);
	return claimed;
}

struct claimed_deliveries *
claim_deliveries(struct process *process, int64_t now_ms)
{
	return claim_deliveries_with(process,
				     &(struct herald_delivery_claim){.owner = process->node,
								     .now_ms = now_ms,
								     .max_deliveries = MAX_ROWS,
								     .max_bytes = (size_t)1 << 30,
								     .max_delay_ms = 3600000});
}

void
claimed_deliveries_free(struct claimed_deliveries *claimed)
{
	for (size_t i = 0; i < claimed->count; i++) {
		const struct herald_stored_delivery *delivery = &claimed->rows[i].delivery;

		free((char *)delivery->delivery_id);
		free((char *)delivery->url);
		free((char *)delivery->origin);
		free((char *)delivery->event_type);
		free((char *)delivery->event_id);
		free((char *)delivery->last_error);
		free((char *)delivery->record.data);
	}
	free(claimed->rows);
	free(claimed);
}

unsigned
claim_delivery(struct process *process, uint64_t id, int64_t now_ms)
{
	struct claimed_deliveries *claimed = claim_deliveries(process, now_ms);
	unsigned attempts;

	assert_int_equal(claimed->count, 1);
	assert_int_equal(claimed->rows[0].delivery.id, id);
	attempts = claimed->rows[0].delivery.attempts;
	claimed_deliveries_free(claimed);
	return attempts;
}

bool
complete_delivery_with(struct process *process, struct herald_delivery_completion completion)
{
	struct herald_error error;

	begin(process);
	assert_works(process->ops->delivery_complete(process->session, &completion, 1, &error),
		     &error);
	commit(process);
	return completion.is_lost;
}
