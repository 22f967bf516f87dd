/*
 * For tests of batches: a service with one type of event, "do", whose payload says what its
 * function returns; and posting batches to it. Include cmocka.h (and what it needs) before this
 * header.
 */
#ifndef HERALD_TESTS_HTTP_BATCHING_H
#define HERALD_TESTS_HTTP_BATCHING_H

#include <herald/adapter/format.h>
#include <herald/herald.h>

#include "support/events.h"
#include "support/failing_allocator.h"
#include "support/fake_inbox.h"
#include "support/posting.h"

#define BATCH_TYPE "application/cloudevents-batch+json"
#define MEMBER(ID, DO)                                                                             \
	"{\"specversion\":\"1.0\",\"id\":\"" ID "\",\"source\":\"/s\",\"type\":\"do\","            \
	"\"data\":{\"action\":\"" DO "\"}}"

struct job {
	const char *action;
};
HERALD_SCHEMA(job, HERALD_FIELD(job, action, .required = true));

static enum herald_verdict
on_job(struct herald_context *ctx, const struct job *job)
{
	note("%s", herald_context_id(ctx));
	if (strcmp(job->action, "retry") == 0)
		return herald_retry(ctx, "busy");
	if (strcmp(job->action, "later") == 0)
		return herald_retry_after(ctx, 7000, "very busy");
	if (strcmp(job->action, "fail") == 0)
		return herald_fail(ctx, "no \"stock\"");
	if (strcmp(job->action, "409") == 0)
		return herald_fail_status(ctx, 409, "taken");
	if (strcmp(job->action, "soon") == 0)
		return herald_retry_after(ctx, 1000, "nearly");
	if (strcmp(job->action, "trace") == 0)
		note("%s", herald_context_trace(ctx)->trace_id);
	if (strcmp(job->action, "answer") == 0)
		return herald_done_text(ctx, 201, NULL, "hello", 5);
	herald_context_header(ctx, "X-Own", "1");
	return HERALD_DONE;
}
HERALD_FUNCTION(on_job, job);

/* Of the whole batch, which `receive` sees once. */
static size_t posted_bytes;

static enum herald_verdict
receive(struct herald_handler *handler, struct herald_context *ctx, const char *data, size_t bytes)
{
	(void)handler;
	note(bytes == posted_bytes ? "receive" : "receives only a part");
	if (bytes > 2 && memcmp(data + 1, "  ", 2) == 0)
		return herald_retry(ctx, "come back");
	return bytes > 2 && data[1] == ' ' ? herald_fail_status(ctx, 401, "bad signature")
					   : HERALD_DONE;
}

static const struct herald_handler_ops guard_ops = {
	.struct_size = sizeof(guard_ops), .name = "guard", .receive = receive};

static const struct herald_format *const formats[] = {&herald_format_cloudevents,
						      &herald_format_envelope};

struct fixture {
	struct fake_inbox inbox;
	struct herald_handler guard;
	struct herald_service *service;
	struct herald_endpoint *endpoint;
};

static inline void
begin(struct fixture *fixture, const struct herald_endpoint_options *options, bool has_store)
{
	const struct herald_route routes[] = {HERALD_ROUTE("do", job, on_job, NULL)};

	fixture->guard = (struct herald_handler){.ops = &guard_ops};
	struct herald_handler *handlers[] = {&fixture->guard};
	fake_inbox_init(&fixture->inbox);
	fixture->inbox.answers_at_once = true;
	fixture->service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), HERALD_FORMATS(formats), HERALD_HANDLERS(handlers),
		.store = has_store ? fake_inbox_store(&fixture->inbox) : NULL));
	fixture->endpoint = create_endpoint(fixture->service, options);
}

static inline void
end(struct fixture *fixture)
{
	herald_endpoint_destroy(fixture->endpoint);
	herald_service_destroy(fixture->service);
	fake_inbox_finish(&fixture->inbox);
}

static inline struct posted_answer
post_batch(struct fixture *fixture, const char *body)
{
	trace[0] = '\0';
	posted_bytes = strlen(body);
	return post(fixture->endpoint,
		    &(struct posted){.headers = HEADERS("Content-Type", BATCH_TYPE), .body = body});
}

/* Post a batch of which the allocation `fail_at`, from 1, fails. */
static inline struct posted_answer
post_without_memory(struct failing_allocator *memory, size_t fail_at, bool has_store,
		    const struct herald_format *const *format, enum herald_answers answers,
		    const char *type, const char *body)
{
	const struct herald_route routes[] = {HERALD_ROUTE("do", job, on_job, NULL)};
	struct posted_answer answer;
	struct fake_inbox inbox;

	fake_inbox_init(&inbox);
	inbox.answers_at_once = true;
	failing_allocator_init(memory, FAIL_NEVER, 0);
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .formats = format,
					.formats_count = 1, .allocator = memory->allocator,
					.store = has_store ? fake_inbox_store(&inbox) : NULL));
	struct herald_endpoint *endpoint = create_endpoint(
		service, &HERALD_ENDPOINT_OPTIONS(.takes_batches = true, .answers = answers));
	struct herald_http_request *request = posting_begin(
		endpoint, &(struct posted){.headers = HEADERS("Content-Type", type), .body = body});
	memory->mode = FAIL_ONLY;
	memory->fail_at = memory->calls + fail_at;
	posting_end(request, &answer);
	memory->mode = FAIL_NEVER;
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
	fake_inbox_finish(&inbox);
	return answer;
}

#endif
