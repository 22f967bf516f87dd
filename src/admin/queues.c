/*
 * The resource api/queues: what is in the store, by queue, type and state, with the age of the
 * oldest. Counting reads all rows, so a count is kept for a while: for twenty times as long as it
 * took.
 */
#include "admin/queues.h"

#include <string.h>

#include "admin/call.h"
#include "admin/turn.h"

#define KEPT_MS 1000
#define KEPT_TIMES 20

static bool
put_count(const struct herald_count *count, void *state)
{
	struct herald__admin_call *call = state;

	herald__indented_begin(&call->json, '{');
	herald__admin_put_text(call, "kind", count->is_delivery ? "delivery" : "event");
	herald__admin_put_text(call, "queue", count->queue);
	herald__admin_put_text(call, "event_type", count->event_type);
	herald__admin_put_text(call, "state", herald_count_state_name(count->state));
	herald__admin_put(call, "count", count->count);
	herald__admin_put_time(call, "oldest", count->oldest_ms);
	herald__indented_end(&call->json, '}');
	return call->json.status == HERALD_OK;
}

/* Write the answer, or a refusal. Returns false after a refusal. */
static bool
count_rows(struct herald__admin_call *call)
{
	struct herald_error error = {.message = ""};

	herald__indented_begin(&call->json, '{');
	herald__admin_put_time(call, "time", herald__clock_wall_ms(&call->admin->clock));
	herald__indented_key(&call->json, "rows");
	herald__indented_begin(&call->json, '[');
	if (herald_store_counts(call->admin->options.store, put_count, call, &error) != HERALD_OK) {
		herald__admin_refuse_error(call, &error);
		return false;
	}
	herald__indented_end(&call->json, ']');
	herald__indented_end(&call->json, '}');
	return call->json.status == HERALD_OK;
}

/* If there is no memory to keep it, the next request counts again. */
static void
keep(struct herald__admin_call *call, uint64_t began_ms)
{
	struct herald__kept_queues *kept = &call->admin->queues;
	const uint64_t now_ms = herald__clock_now_ms(&call->admin->clock);
	const struct herald_buffer *body = &call->response->body;

	pthread_mutex_lock(&kept->mutex);
	kept->text.bytes = 0;
	kept->until_ms = 0;
	if (herald_buffer_append(&kept->text, body->data, body->bytes) == HERALD_OK)
		kept->until_ms = now_ms + KEPT_MS + KEPT_TIMES * (now_ms - began_ms);
	pthread_mutex_unlock(&kept->mutex);
}

/* Append what is kept, if it is new enough at a time; 0: however old it is. */
static bool
put_kept(struct herald__admin_call *call, uint64_t now_ms)
{
	struct herald__kept_queues *kept = &call->admin->queues;

	pthread_mutex_lock(&kept->mutex);
	const bool is_there = kept->text.bytes > 0 && now_ms < kept->until_ms;
	if (is_there)
		call->json.status = herald_buffer_append(&call->response->body, kept->text.data,
							 kept->text.bytes);
	pthread_mutex_unlock(&kept->mutex);
	return is_there;
}

void
herald__admin_queues(struct herald__admin_call *call)
{
	struct herald_admin *admin = call->admin;
	const uint64_t now_ms = herald__clock_now_ms(&admin->clock);

	if (!admin->options.store) {
		herald__admin_refuse(call, 404, "there is no store");
		return;
	}
	if (put_kept(call, now_ms))
		return;
	if (!herald__admin_turn_take(admin)) {
		/* An old count says when it was made. */
		if (!put_kept(call, 0))
			herald__admin_turn_refuse(call);
		return;
	}
	/* Another request may have counted while this one waited. */
	if (!put_kept(call, now_ms) && count_rows(call))
		keep(call, now_ms);
	herald__admin_turn_give(admin);
}
