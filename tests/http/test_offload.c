/*
 * Requests that workers of a pool finish: the answers, on which thread they come, and what is not
 * handled. The pool itself is in tests/base/test_pool.c.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/offload.h>
#include <herald/herald.h>

#include "support/fake_inbox.h"
#include "support/pool.h"

#define EVENT "{\"event_type\":\"slow\",\"timestamp\":\"2024-08-20T05:21:19Z\"}"

struct shop {
	struct gate gate;
	atomic_uint calls;
	struct herald_service *service;
	struct herald_endpoint *endpoint;
};

struct nothing {
	struct herald_json any;
};

HERALD_SCHEMA(nothing, HERALD_FIELD(nothing, any));

static enum herald_verdict
on_slow(struct herald_context *ctx, const struct nothing *payload, struct shop *shop)
{
	(void)ctx;
	(void)payload;
	atomic_fetch_add(&shop->calls, 1);
	gate_pass(&shop->gate);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_slow, nothing, shop);

static void
shop_open_with(struct shop *shop, struct herald_store *store,
	       const struct herald_endpoint_options *options)
{
	const struct herald_route routes[] = {HERALD_ROUTE("slow", nothing, on_slow, shop)};
	struct herald_error error;

	memset(shop, 0, sizeof(*shop));
	gate_init(&shop->gate);
	if (herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .store = store),
				  &shop->service, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	assert_int_equal(herald_endpoint_create(shop->service, options, &shop->endpoint, NULL),
			 HERALD_OK);
}

static void
shop_open(struct shop *shop, const struct herald_endpoint_options *options)
{
	shop_open_with(shop, NULL, options);
}

static void
shop_close(struct shop *shop)
{
	herald_endpoint_destroy(shop->endpoint);
	herald_service_destroy(shop->service);
	gate_finish(&shop->gate);
}

/* What an adapter embeds. */
struct visit {
	struct herald_offload pooled; /* first */
	bool gone;
	pthread_t thread;
	unsigned status;
	uint32_t retry_after_s;
	char body[256];
	atomic_uint finished;
};

static bool
is_gone(struct herald_offload *work)
{
	return ((struct visit *)work)->gone;
}

static void
finished(struct herald_offload *work)
{
	struct visit *visit = (struct visit *)work;
	const struct herald_http_response *response = herald_http_request_finish(work->request);

	visit->thread = pthread_self();
	visit->status = response->status;
	visit->retry_after_s = response->retry_after_s;
	snprintf(visit->body, sizeof(visit->body), "%.*s", (int)response->body_bytes,
		 response->body);
	atomic_fetch_add(&visit->finished, 1);
}

static const struct herald_http_response *
visit(struct shop *shop, struct herald_pool *pool, struct visit *visit, const char *content_type,
      const char *body)
{
	const struct herald_http_head head = {.method = "POST",
					      .content_type = content_type,
					      .content_length = HERALD_HTTP_NO_LENGTH};

	memset(visit, 0, sizeof(*visit));
	visit->pooled.request = herald_http_request_create(shop->endpoint, &head);
	assert_non_null(visit->pooled.request);
	herald_http_request_append(visit->pooled.request, body, strlen(body));
	visit->pooled.is_gone = is_gone;
	visit->pooled.finished = finished;
	return herald_offload_submit(pool, &visit->pooled);
}

static void
assert_busy(const struct herald_http_response *response, const char *body, uint32_t retry_after_s)
{
	assert_non_null(response);
	assert_int_equal(response->status, 503);
	assert_int_equal(response->retry_after_s, retry_after_s);
	assert_int_equal(response->body_bytes, strlen(body));
	assert_memory_equal(response->body, body, strlen(body));
}

static void
requests_are_finished_by_a_worker(void **state)
{
	struct herald_pool *pool = create_pool(NULL);
	struct shop shop;
	struct visit visits[2], refused;

	(void)state;
	shop_open(&shop, NULL);
	gate_open(&shop.gate);
	assert_null(visit(&shop, pool, &visits[0], "application/json", EVENT));
	assert_null(visit(&shop, pool, &visits[1], "application/json", "nonsense"));
	/* An answer that is known needs no worker. */
	const struct herald_http_response *response =
		visit(&shop, pool, &refused, "text/plain", EVENT);
	assert_non_null(response);
	assert_int_equal(response->status, 415);
	assert_int_equal(herald_pool_stop(pool, UINT32_MAX), 0);

	assert_int_equal(refused.finished, 0);
	assert_int_equal(visits[0].finished, 1);
	assert_int_equal(visits[0].status, 200);
	assert_string_equal(visits[0].body, "{\"status\":\"success\"}");
	assert_false(pthread_equal(visits[0].thread, pthread_self()));
	assert_int_equal(visits[1].finished, 1);
	assert_int_equal(visits[1].status, 400);
	assert_int_equal(shop.calls, 1);
	herald_http_request_destroy(refused.pooled.request);
	for (int i = 0; i < 2; i++)
		herald_http_request_destroy(visits[i].pooled.request);
	herald_pool_destroy(pool);
	shop_close(&shop);
}

static void
full_queue_is_503(void **state)
{
	struct herald_pool *pool = create_pool(&HERALD_POOL_OPTIONS(.threads = 1, .max_queued = 1));
	struct shop shop;
	struct visit running, queued, refused;

	(void)state;
	shop_open(&shop, &HERALD_ENDPOINT_OPTIONS(.retry_after_ms = 6001));
	assert_null(visit(&shop, pool, &running, "application/json", EVENT));
	gate_wait(&shop.gate, 1);
	assert_null(visit(&shop, pool, &queued, "application/json", EVENT));
	assert_busy(visit(&shop, pool, &refused, "application/json", EVENT),
		    "{\"error\":\"too many events are waiting\"}", 7);
	/* It may be tried again, and has its answer then. */
	assert_busy(herald_offload_submit(pool, &refused.pooled),
		    "{\"error\":\"too many events are waiting\"}", 7);
	gate_open(&shop.gate);
	assert_int_equal(herald_pool_stop(pool, UINT32_MAX), 0);
	assert_int_equal(shop.calls, 2);
	assert_int_equal(refused.finished, 0);
	herald_http_request_destroy(running.pooled.request);
	herald_http_request_destroy(queued.pooled.request);
	herald_http_request_destroy(refused.pooled.request);
	herald_pool_destroy(pool);
	shop_close(&shop);
}

/* The one that has gone is not run, those that a stop leaves are not run; all of them are told. */
static void
events_that_are_not_handled_are_503(void **state)
{
	struct herald_pool *pool = create_pool(&HERALD_POOL_OPTIONS(.threads = 1));
	struct stopper stopper = {.pool = pool, .drain_ms = UINT32_MAX};
	struct shop shop;
	struct visit running, gone, served, left, late;
	pthread_t thread;

	(void)state;
	shop_open(&shop, &HERALD_ENDPOINT_OPTIONS(.hide_errors = true));
	assert_null(visit(&shop, pool, &running, "application/json", EVENT));
	gate_wait(&shop.gate, 1);
	/* Going while the event is handled changes nothing. */
	running.gone = true;
	assert_null(visit(&shop, pool, &gone, "application/json", EVENT));
	gone.gone = true;
	assert_null(visit(&shop, pool, &served, "application/json", EVENT));
	served.pooled.is_gone = NULL;
	served.gone = true;
	gate_open(&shop.gate);
	gate_wait(&shop.gate, 2);
	while (!served.finished)
		sched_yield();

	/* And now one that is left. */
	shop.gate.open = false;
	struct visit again;
	assert_null(visit(&shop, pool, &again, "application/json", EVENT));
	gate_wait(&shop.gate, 3);
	assert_null(visit(&shop, pool, &left, "application/json", EVENT));
	stopper.drain_ms = 0;
	assert_int_equal(pthread_create(&thread, NULL, stop_pool, &stopper), 0);
	while (!left.finished)
		sched_yield();
	gate_open(&shop.gate);
	pthread_join(thread, NULL);
	assert_int_equal(stopper.left, 1);
	assert_busy(visit(&shop, pool, &late, "application/json", EVENT),
		    "{\"error\":\"Service Unavailable\"}", 1);

	assert_int_equal(shop.calls, 3);
	assert_int_equal(running.status, 200);
	assert_int_equal(served.status, 200);
	assert_int_equal(again.status, 200);
	assert_int_equal(gone.status, 503);
	assert_int_equal(gone.retry_after_s, 1);
	assert_int_equal(left.status, 503);
	assert_int_equal(left.retry_after_s, 1);
	assert_string_equal(left.body, "{\"error\":\"Service Unavailable\"}");
	assert_true(pthread_equal(left.thread, thread));
	struct visit *const visits[] = {&running, &gone, &served, &again, &left, &late};
	for (size_t i = 0; i < HERALD_COUNT(visits); i++) {
		assert_int_equal(visits[i]->finished, visits[i] == &late ? 0 : 1);
		herald_http_request_destroy(visits[i]->pooled.request);
	}
	herald_pool_destroy(pool);
	shop_close(&shop);
}

/* Neither the pool's thread nor, without a pool, the caller's waits for the commit. */
static void
store_answers_later(void **state)
{
	struct visit visits[4], wrong;
	struct fake_inbox inbox;
	struct shop shop;

	(void)state;
	for (int with_pool = 0; with_pool < 2; with_pool++) {
		struct herald_pool *pool =
			with_pool ? create_pool(&HERALD_POOL_OPTIONS(.threads = 1)) : NULL;

		fake_inbox_init(&inbox);
		inbox.answers_at_once = false;
		shop_open_with(&shop, fake_inbox_store(&inbox), NULL);
		for (size_t i = 0; i < HERALD_COUNT(visits); i++)
			assert_null(visit(&shop, pool, &visits[i], "application/json", EVENT));
		fake_inbox_wait(&inbox, HERALD_COUNT(visits));
		for (size_t i = 0; i < HERALD_COUNT(visits); i++)
			assert_int_equal(visits[i].finished, 0);
		assert_int_equal(fake_inbox_commit(&inbox), HERALD_COUNT(visits));
		for (size_t i = 0; i < HERALD_COUNT(visits); i++) {
			assert_int_equal(visits[i].finished, 1);
			assert_int_equal(visits[i].status, 202);
			assert_string_equal(visits[i].body, "{\"status\":\"accepted\"}");
			assert_true(pthread_equal(visits[i].thread, pthread_self()));
		}
		/* What is wrong does not wait. */
		const struct herald_http_response *known =
			visit(&shop, pool, &wrong, "application/json", "nonsense");
		assert_int_equal(known ? 1 : 0, with_pool ? 0 : 1);
		if (pool)
			assert_int_equal(herald_pool_stop(pool, UINT32_MAX), 0);
		assert_int_equal(wrong.finished, with_pool);
		assert_int_equal(known ? known->status : wrong.status, 400);
		herald_http_request_destroy(wrong.pooled.request);
		for (size_t i = 0; i < HERALD_COUNT(visits); i++)
			herald_http_request_destroy(visits[i].pooled.request);
		herald_pool_destroy(pool);
		assert_int_equal(shop.calls, 0);
		assert_int_equal(inbox.stored_count, HERALD_COUNT(visits));
		shop_close(&shop);
		fake_inbox_finish(&inbox);
	}
}

static void
an_answer_that_is_known_stays(void **state)
{
	const struct herald_http_head head = {.method = "GET",
					      .content_length = HERALD_HTTP_NO_LENGTH};
	struct shop shop;

	(void)state;
	shop_open(&shop, NULL);
	assert_int_equal(herald_endpoint_max_body_bytes(shop.endpoint), 1 << 20);
	struct herald_http_request *request = herald_http_request_create(shop.endpoint, &head);
	assert_non_null(request);
	assert_int_equal(herald_http_request_unavailable(request, "busy")->status, 405);
	herald_http_request_destroy(request);
	shop_close(&shop);
	shop_open(&shop, &HERALD_ENDPOINT_OPTIONS(.max_body_bytes = 17));
	assert_int_equal(herald_endpoint_max_body_bytes(shop.endpoint), 17);
	shop_close(&shop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_finished_by_a_worker),
		cmocka_unit_test(full_queue_is_503),
		cmocka_unit_test(events_that_are_not_handled_are_503),
		cmocka_unit_test(store_answers_later),
		cmocka_unit_test(an_answer_that_is_known_stays),
	};

	return cmocka_run_group_tests_name("offload", tests, NULL, NULL);
}
