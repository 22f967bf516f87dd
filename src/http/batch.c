/*
 * The response to a request with several events, which are independent: each has a verdict of its
 * own. The response tells the sender which ones were not done. The format splits the batch;
 * src/service/many.c handles its events.
 */
#include "http/batch.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/format.h>
#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>

#include "base/safe_text.h"
#include "base/waiter.h"
#include "http/endpoint.h"
#include "http/response.h"
#include "http/verdict_lines.h"
#include "service/context.h"
#include "service/many.h"
#include "service/pipeline.h"
#include "service/service.h"
#include "service/split.h"

/* The beginning of a response's body is written last, and needs at most this. */
#define HEAD_BYTES 96
/* And its end. */
#define TAIL_BYTES 48

/* What has become of the events so far. */
struct tally {
	size_t count;
	size_t not_done;
	size_t omitted; /* of these, those without room in the response */
	bool retries;
	bool accepts, duplicates; /* by a store */
	bool has_entries;         /* whose statuses are the response */
	uint32_t retry_after_ms;  /* the longest */
	unsigned fail_status;     /* of all that failed; 0: none so far */
	struct herald_buffer results;
};

struct herald__http_batch {
	struct herald_http_request *request;
	struct herald__many many;
	struct tally tally;                 /* unless the events come one a line */
	struct herald__verdict_lines lines; /* if they do */
};

/* The tally. */

static void
begin_tally(struct tally *tally, struct herald_http_request *request)
{
	size_t bytes = sizeof(request->answer) - HEAD_BYTES - TAIL_BYTES;

	*tally = (struct tally){
		.results = {.data = request->answer + HEAD_BYTES,
			    .capacity = bytes,
			    .max_bytes = bytes,
			    .allocator = request->endpoint->service->allocator},
	};
}

static bool
put(struct herald_buffer *out, const char *text)
{
	return herald_buffer_append(out, text, strlen(text)) == HERALD_OK;
}

static bool
put_member(struct herald_buffer *out, const char *name, const char *text)
{
	return *text == '\0' ||
	       (put(out, name) && herald__json_append_text(out, text) == HERALD_OK);
}

/* Write {"index":1,"source":...,"id":...,"status":"retry","error":...,"path":"/1/data"}. Returns
 * whether it fits. */
static bool
put_result(struct herald_buffer *out, const struct herald_endpoint *endpoint, size_t index,
	   const struct herald_context *ctx, const struct herald_result *result)
{
	const struct herald_error *error = &result->error;
	bool is_placed = result->status != HERALD_OK && error->path[0] != '\0';
	char number[32];

	snprintf(number, sizeof(number), "%s{\"index\":%zu", out->bytes > 0 ? "," : "", index);
	if (!put(out, number) ||
	    !put_member(out, ",\"source\":", ctx ? herald_context_source(ctx) : "") ||
	    !put_member(out, ",\"id\":", ctx ? herald_context_id(ctx) : "") ||
	    !put_member(out, ",\"status\":", herald_verdict_name(result->verdict)))
		return false;
	if (!endpoint->hide_errors) {
		if (!put_member(out, ",\"error\":", herald__public_reason(result)))
			return false;
		/* Paths are already escaped for JSON strings. */
		snprintf(number, sizeof(number), ",\"path\":\"/%zu", index);
		if (is_placed && (!put(out, number) || !put(out, error->path) || !put(out, "\"")))
			return false;
	}
	return put(out, "}");
}

/* Write a result, if need be without source and id, which may be long: the index says which event
 * it is. Returns whether it fits; otherwise nothing is written. */
static bool
put_what_fits(struct herald_buffer *out, const struct herald_endpoint *endpoint, size_t index,
	      const struct herald_context *ctx, const struct herald_result *result)
{
	size_t written = out->bytes;

	if (put_result(out, endpoint, index, ctx, result))
		return true;
	out->bytes = written;
	if (put_result(out, endpoint, index, NULL, result))
		return true;
	out->bytes = written;
	return false;
}

static void
count_retry(struct tally *tally, uint32_t retry_after_ms, uint32_t default_ms)
{
	uint32_t wait_ms = retry_after_ms > 0 ? retry_after_ms : default_ms;

	tally->retries = true;
	if (wait_ms > tally->retry_after_ms)
		tally->retry_after_ms = wait_ms;
}

static void
count_failure(struct tally *tally, unsigned status)
{
	tally->fail_status = tally->fail_status == 0 || tally->fail_status == status ? status : 400;
}

/* {"entryId":"...","status":"SUCCESS"}, as Dapr expects for each event. If there is no memory for
 * it, it is left out: Dapr sends events without a status again. */
static void
put_status(struct herald_http_request *request, const char *entry_id, enum herald_verdict verdict)
{
	static const char *const names[] = {
		[HERALD_DONE] = "SUCCESS", [HERALD_RETRY] = "RETRY", [HERALD_FAIL] = "DROP"};
	struct herald_buffer *out = &request->statuses;
	size_t written = out->bytes;

	if (put(out, written > 0 ? ",{\"entryId\":" : "{\"statuses\":[{\"entryId\":") &&
	    herald__json_append_text(out, entry_id) == HERALD_OK && put(out, ",\"status\":\"") &&
	    put(out, names[verdict]) && put(out, "\"}"))
		return;
	out->bytes = written;
}

static void
add_to_tally(struct tally *tally, struct herald_http_request *request,
	     const struct herald__settled *event)
{
	const struct herald_endpoint *endpoint = request->endpoint;
	const struct herald_result *result = event->result;

	tally->count++;
	if (event->member && event->member->entry_id) {
		tally->has_entries = true;
		put_status(request, event->member->entry_id, result->verdict);
		return;
	}
	tally->accepts |= result->acceptance == HERALD_ACCEPTANCE_ACCEPTED;
	tally->duplicates |= result->acceptance == HERALD_ACCEPTANCE_DUPLICATE;
	if (result->verdict == HERALD_DONE)
		return;
	tally->not_done++;
	if (result->verdict == HERALD_RETRY)
		count_retry(tally, result->retry_after_ms, endpoint->retry_after_ms);
	else
		count_failure(tally, herald__failure_status(request, result));
	/* After the first one without room, all are omitted, so that the others are the first. */
	if (tally->omitted > 0 ||
	    !put_what_fits(&tally->results, endpoint, event->index, event->ctx, result))
		tally->omitted++;
}

/* The herald__many.settled callback. */
static void
settled(const struct herald__settled *event, void *state)
{
	struct herald__http_batch *batch = state;

	if (batch->request->is_lines)
		herald__verdict_lines_add(&batch->lines, event);
	else
		add_to_tally(&batch->tally, batch->request, event);
}

/* Responding. */

static void
respond_all_done(struct herald_http_request *request, const struct tally *tally)
{
	const struct herald_result result = {
		.verdict = HERALD_DONE,
		.acceptance = tally->accepts      ? HERALD_ACCEPTANCE_ACCEPTED
			      : tally->duplicates ? HERALD_ACCEPTANCE_DUPLICATE
						  : HERALD_ACCEPTANCE_NONE,
	};

	herald__respond_result(request, &result);
}

/* Put the beginning in front of the results, and the end behind them. */
static struct herald_text
finish_body(const struct tally *tally)
{
	char head[HEAD_BYTES];
	char *results = tally->results.data;
	size_t bytes = (size_t)snprintf(head, sizeof(head),
					"{\"error\":\"%zu of %zu events were not done\","
					"\"results\":[",
					tally->not_done, tally->count);
	size_t tail;

	memcpy(results - bytes, head, bytes);
	if (tally->omitted > 0)
		tail = (size_t)snprintf(results + tally->results.bytes, TAIL_BYTES,
					"],\"omitted\":%zu}", tally->omitted);
	else
		tail = (size_t)snprintf(results + tally->results.bytes, TAIL_BYTES, "]}");
	return (struct herald_text){results - bytes, bytes + tally->results.bytes + tail};
}

/* 200 with a status for each event: the sender looks at nothing else. Without any status, the whole
 * batch has to come again. */
static void
respond_statuses(struct herald_http_request *request)
{
	struct herald_buffer *statuses = &request->statuses;

	if (statuses->bytes > 0 && put(statuses, "]}"))
		herald__respond_results(request, 200,
					(struct herald_text){statuses->data, statuses->bytes}, 0);
	else
		herald__respond_retry(request, herald_status_text(HERALD_NO_MEMORY), 0);
}

static void
respond_to_batch(struct herald_http_request *request, const struct tally *tally)
{
	const struct herald_endpoint *endpoint = request->endpoint;

	if (tally->has_entries) {
		respond_statuses(request);
		return;
	}
	if (tally->not_done == 0) {
		respond_all_done(request, tally);
		return;
	}
	unsigned status = endpoint->multi_status ? 207 : tally->retries ? 503 : tally->fail_status;
	herald__respond_results(request, status, finish_body(tally),
				status == 503 ? tally->retry_after_ms : 0);
}

/* The batch. */

static struct herald__split
split_of_lines(struct herald__http_batch *batch)
{
	const struct herald_endpoint *endpoint = batch->request->endpoint;

	return (struct herald__split){
		.max_events = endpoint->max_batch_events,
		.max_option = "max_batch_events",
		.content_type = endpoint->ndjson_media_type,
		.visit = herald__many_take,
		.state = &batch->many,
	};
}

/* Returns false when out of memory: then nothing has run. */
static bool
begin_lines(struct herald__http_batch *batch, const char *body, size_t bytes)
{
	size_t count = herald__lines_count(body, bytes);
	size_t most = batch->request->endpoint->max_batch_events;

	/* If there are more, they are refused later, when `receive` has run. */
	if (count > most)
		count = most;
	return herald__verdict_lines_begin(&batch->lines, batch->request, count);
}

/* NULL when out of memory. */
static struct herald__http_batch *
new_batch(struct herald_http_request *request, const char *body, size_t bytes,
	  const struct herald_arrival *arrival, void (*done)(void *state), void *state)
{
	struct herald_service *service = request->endpoint->service;

	if (!request->batch)
		request->batch =
			herald_memory_allocate(&service->allocator, sizeof(*request->batch));
	struct herald__http_batch *batch = request->batch;
	if (!batch)
		return NULL;
	request->batch_bytes = sizeof(*batch);
	batch->request = request;
	batch->many = (struct herald__many){
		.service = service,
		.arrival = *arrival,
		.are_members = true,
		.settled = settled,
		.state = batch,
		.done = done,
		.done_state = state,
	};
	request->statuses.max_bytes = SIZE_MAX;
	if (!request->is_lines)
		begin_tally(&batch->tally, request);
	else if (!begin_lines(batch, body, bytes))
		return NULL;
	return batch;
}

/* Check the batch as a whole, and handle its events. Returns false if it was refused: then the
 * response is set. */
static bool
open_batch(struct herald__http_batch *batch, char *body, size_t bytes)
{
	struct herald_http_request *request = batch->request;
	struct herald_endpoint *endpoint = request->endpoint;
	struct herald__many *many = &batch->many;
	const struct herald__split lines = split_of_lines(batch);
	struct herald_result result;

	if (!request->ctx)
		request->ctx = herald__context_create(endpoint->service);
	if (request->ctx)
		request->ctx->known_format = request->format;
	many->ctx = request->ctx;
	herald__many_begin(many);
	if (herald__service_batch_in(
		    endpoint->service, request->ctx, body, bytes, &many->given,
		    &(struct herald__batch_visit){endpoint->max_batch_events, herald__many_take,
						  many, request->is_lines ? &lines : NULL},
		    &result))
		return true;
	herald__respond_result(request, &result);
	/* The answer is in the context's memory until the response has been sent. */
	if (request->ctx && !request->ctx->answer)
		herald__context_reset(request->ctx);
	return false;
}

static void
close_batch(struct herald__http_batch *batch)
{
	struct herald_http_request *request = batch->request;

	/* Without the answer of its last event. */
	herald__context_reset(request->ctx);
	if (request->is_lines) {
		herald__verdict_lines_respond(&batch->lines);
	} else {
		request->is_whole = request->format->ops->reads_all;
		respond_to_batch(request, &batch->tally);
	}
}

bool
herald__http_batch_begin(struct herald_http_request *request, char *body, size_t bytes,
			 const struct herald_arrival *arrival, void (*done)(void *state),
			 void *state)
{
	struct herald__http_batch *batch = new_batch(request, body, bytes, arrival, done, state);

	if (!batch) {
		herald__respond_retry(request, herald_status_text(HERALD_NO_MEMORY), 0);
		return true;
	}
	if (!open_batch(batch, body, bytes))
		return true;
	if (!herald__many_commit(&batch->many))
		return false;
	herald__http_batch_end(request);
	return true;
}

void
herald__http_batch_end(struct herald_http_request *request)
{
	herald__many_end(&request->batch->many);
	close_batch(request->batch);
}

/* Waiting for the store. */

static void
store_and_wait(struct herald_http_request *request, char *body, size_t bytes,
	       const struct herald_arrival *arrival)
{
	struct herald__waiter waiter;

	herald__waiter_init(&waiter);
	if (!herald__http_batch_begin(request, body, bytes, arrival, herald__waiter_wake,
				      &waiter)) {
		herald__waiter_wait(&waiter);
		herald__http_batch_end(request);
	}
	herald__waiter_finish(&waiter);
}

void
herald__http_batch_handle(struct herald_http_request *request, char *body, size_t bytes,
			  const struct herald_arrival *arrival)
{
	if (request->endpoint->service->inbox) {
		store_and_wait(request, body, bytes, arrival);
		return;
	}
	struct herald__http_batch *batch = new_batch(request, body, bytes, arrival, NULL, NULL);
	if (!batch)
		herald__respond_retry(request, herald_status_text(HERALD_NO_MEMORY), 0);
	else if (open_batch(batch, body, bytes))
		close_batch(batch);
}
