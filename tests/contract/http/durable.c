/*
 * The contract, part 11: a service with a store. Events are answered when the store has them, in
 * the order of their requests, and a thread of an event loop does not wait for that. The store is
 * support/fake_inbox.h.
 */
#include "probe.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/text.h>

#include "support/fake_inbox.h"

#define HEAD "POST /event HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
#define ACCEPTED "{\"status\":\"accepted\"}"
#define DUPLICATE "{\"status\":\"duplicate\"}"
/* More than there are threads. */
#define CLIENTS 64

struct order {
	const char *order_id;
};
HERALD_SCHEMA(order, HERALD_FIELD(order, order_id, .required = true));

static enum herald_verdict
on_order(struct herald_context *ctx, const struct order *order, struct probe *probe)
{
	(void)ctx;
	(void)order;
	atomic_fetch_add(&probe->function_count, 1);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_order, order, probe);

#define EVENT(ID)                                                                                  \
	"{\"event_type\":\"order\",\"timestamp\":\"2024-08-20T05:21:19Z\","                        \
	"\"payload\":{\"order_id\":\"a\"},\"metadata\":{\"id\":\"" ID "\"}}"

/* An adapter that serves a service with a store. */
struct durable {
	struct fake_inbox inbox;
	struct probe probe;
};

static void
start(struct durable *durable, void **state)
{
	static const char *const ids[] = {"Idempotency-Key", NULL};
	static const char *const listed[] = {"X-Team", NULL};
	const struct herald_route routes[] = {
		HERALD_ROUTE("order", order, on_order, &durable->probe),
	};
	struct probe *probe = &durable->probe;
	struct herald_error error;

	memset(durable, 0, sizeof(*durable));
	fake_inbox_init(&durable->inbox);
	pthread_mutex_init(&probe->lock, NULL);
	pthread_cond_init(&probe->changed, NULL);
	if (herald_service_create(
		    &HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .id_attributes = ids,
					    .attributes = listed,
					    .store = fake_inbox_store(&durable->inbox)),
		    &probe->service, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	probe_create_endpoint(probe,
			      &HERALD_ENDPOINT_OPTIONS(.max_body_bytes = PROBE_MAX_BODY_BYTES,
						       .retry_after_ms = 3000));
	probe->adapter = *state;
	probe->server = probe->adapter->start(probe->endpoint, 1, &probe->port);
	assert_non_null(probe->server);
}

/* `accepted` and `duplicates` are what the service must have counted. */
static void
stop(struct durable *durable, unsigned accepted, unsigned duplicates)
{
	struct herald_statistics counts;

	if (durable->probe.server)
		assert_int_equal(probe_stop_server(&durable->probe), 0);
	herald_service_statistics(durable->probe.service, &counts);
	assert_int_equal(counts.accepted, accepted);
	assert_int_equal(counts.duplicates, duplicates);
	assert_int_equal(counts.done, 0);
	assert_int_equal(durable->inbox.stored_count, accepted);
	assert_int_equal(durable->probe.function_count, 0);
	probe_destroy(&durable->probe);
	assert_int_equal(durable->inbox.detaches, 1);
	fake_inbox_finish(&durable->inbox);
}

static void
assert_next(struct http_client *client, unsigned status, const char *body)
{
	struct http_response response;

	assert_true(http_receive(client, true, &response));
	probe_assert_answer(&response, status, body);
	assert_string_equal(http_header(&response, "Content-Type"), "application/json");
	const char *retry_after = http_header(&response, "Retry-After");
	if (status == 503)
		assert_string_equal(retry_after, "3");
	else
		assert_null(retry_after);
}

/* Answers. */

static void
stored_events_are_accepted(void **state)
{
	struct durable durable;
	struct http_client client;

	start(&durable, state);
	probe_connect(&durable.probe, &client);
	assert_true(probe_post(&client, EVENT("1")));
	assert_next(&client, 202, ACCEPTED);
	probe_next(&durable.probe, &client);
	assert_true(probe_post(&client, EVENT("1")));
	assert_next(&client, 202, DUPLICATE);
	probe_next(&durable.probe, &client);
	assert_true(probe_post(&client, EVENT("2")));
	assert_next(&client, 202, ACCEPTED);
	http_close(&client);
	assert_string_equal(durable.inbox.stored[0].data, EVENT("1"));
	assert_string_equal(durable.inbox.stored[0].content_type, "application/json");
	assert_string_equal(durable.inbox.stored[1].id, "2");
	stop(&durable, 2, 1);
}

/* The media type as it was sent, and the headers that are listed; the id is one of them. */
static void
headers_are_stored(void **state)
{
	static const char body[] = EVENT("");
	struct durable durable;
	struct http_client client;
	char request[1024];

	start(&durable, state);
	snprintf(request, sizeof(request),
		 "POST /event HTTP/1.1\r\nHost: test\r\n"
		 "Content-Type: application/json; charset=utf-8\r\nX-Other: no\r\n"
		 "Idempotency-Key:  key-7 \r\nX-Team: red\r\nContent-Length: %zu\r\n\r\n%s",
		 strlen(body), body);
	for (int i = 0; i < 2; i++) {
		probe_connect(&durable.probe, &client);
		assert_true(http_send_text(&client, request));
		assert_next(&client, 202, i == 0 ? ACCEPTED : DUPLICATE);
		http_close(&client);
	}
	const struct fake_stored *stored = &durable.inbox.stored[0];
	assert_string_equal(stored->id, "key-7");
	assert_string_equal(stored->content_type, "application/json; charset=utf-8");
	/* The order and the case of names may be the framework's. */
	const char *name = stored->attributes;
	bool is_key_first = herald_ascii_same(name, "Idempotency-Key");
	static const char key[] = "Idempotency-Key\0key-7", team[] = "X-Team\0red";
	assert_int_equal(stored->attributes_bytes, sizeof(key) + sizeof(team));
	const char *second = name + (is_key_first ? sizeof(key) : sizeof(team));
	const char *team_at = is_key_first ? second : name, *key_at = is_key_first ? name : second;
	assert_true(herald_ascii_same(team_at, "X-Team"));
	assert_string_equal(team_at + sizeof("X-Team"), "red");
	assert_true(herald_ascii_same(key_at, "Idempotency-Key"));
	assert_string_equal(key_at + sizeof("Idempotency-Key"), "key-7");
	stop(&durable, 1, 1);
}

static void
wrong_events_are_not_stored(void **state)
{
	static const struct {
		const char *body;
		unsigned status;
	} cases[] = {
		{"nonsense", 400},
		{"{\"event_type\":\"order\",\"timestamp\":\"2024-08-20T05:21:19Z\",\"payload\":{}}",
		 400},
		{"{\"event_type\":\"mail\",\"timestamp\":\"2024-08-20T05:21:19Z\",\"payload\":{}}",
		 404},
	};
	struct durable durable;
	struct http_client client;

	start(&durable, state);
	/* Whoever waits for a commit waits for ever. */
	durable.inbox.answers_at_once = false;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		probe_connect(&durable.probe, &client);
		assert_true(probe_post(&client, cases[i].body));
		assert_next(&client, cases[i].status, NULL);
		http_close(&client);
	}
	assert_int_equal(durable.inbox.accepts, 0);
	stop(&durable, 0, 0);
}

/* The sender is not told what the database reports, such as the name of its file. */
static void
store_that_fails_is_503(void **state)
{
	static const struct {
		enum herald_status status;
		const char *body;
	} cases[] = {
		{HERALD_UNAVAILABLE, "{\"error\":\"not available now\"}"},
		{HERALD_STORE_FAILED, "{\"error\":\"the store has failed\"}"},
		{HERALD_LIMIT, "{\"error\":\"the fake store says no\"}"},
		{HERALD_UNKNOWN_OUTCOME, "{\"error\":\"unknown whether it took place\"}"},
	};
	struct durable durable;
	struct http_client client;

	start(&durable, state);
	probe_connect(&durable.probe, &client);
	/* At once, and later. */
	for (size_t i = 0; i < 2 * HERALD_COUNT(cases); i++) {
		bool at_once = i % 2 == 0;

		fake_inbox_set(&durable.inbox, at_once, cases[i / 2].status);
		assert_true(probe_post(&client, EVENT("1")));
		if (!at_once) {
			fake_inbox_wait(&durable.inbox, 1);
			assert_int_equal(fake_inbox_commit(&durable.inbox), 1);
		}
		assert_next(&client, 503, cases[i / 2].body);
		probe_next(&durable.probe, &client);
	}
	/* When it works again, the same event is accepted. */
	fake_inbox_set(&durable.inbox, true, HERALD_OK);
	assert_true(probe_post(&client, EVENT("1")));
	assert_next(&client, 202, ACCEPTED);
	http_close(&client);
	stop(&durable, 1, 0);
}

/* Waiting. */

/* There is no answer before the commit, and the connection goes on after it. */
static void
answer_comes_after_the_commit(void **state)
{
	struct durable durable;
	struct http_client client;

	start(&durable, state);
	durable.inbox.answers_at_once = false;
	probe_connect(&durable.probe, &client);
	for (int i = 0; i < 3; i++) {
		assert_true(probe_post(&client, i < 2 ? EVENT("1") : EVENT("2")));
		fake_inbox_wait(&durable.inbox, 1);
		assert_false(http_wait_readable(&client, 0));
		assert_int_equal(fake_inbox_commit(&durable.inbox), 1);
		assert_next(&client, 202, i == 1 ? DUPLICATE : ACCEPTED);
		probe_next(&durable.probe, &client);
	}
	http_close(&client);
	stop(&durable, 2, 1);
}

/* One commit answers more events than there are threads. */
static void
many_events_wait_for_one_commit(void **state)
{
	static struct http_client clients[CLIENTS];
	struct durable durable;

	start(&durable, state);
	durable.inbox.answers_at_once = false;
	for (int i = 0; i < CLIENTS; i++)
		probe_connect(&durable.probe, &clients[i]);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < CLIENTS; i++)
			assert_true(probe_post(&clients[i], EVENT("")));
		fake_inbox_wait(&durable.inbox, CLIENTS);
		assert_int_equal(fake_inbox_commit(&durable.inbox), CLIENTS);
		for (int i = 0; i < CLIENTS; i++)
			assert_next(&clients[i], 202, ACCEPTED);
	}
	for (int i = 0; i < CLIENTS; i++)
		http_close(&clients[i]);
	stop(&durable, 3 * CLIENTS, 0);
}

/* Requests that were sent together are answered in their order, whatever the answers are. */
static void
pipelined_events_are_answered_in_order(void **state)
{
	static const struct {
		const char *body;
		unsigned status;
		const char *answer;
	} cases[] = {
		{EVENT("1"), 202, ACCEPTED}, {EVENT("1"), 202, DUPLICATE},
		{EVENT("2"), 202, ACCEPTED}, {EVENT("1"), 202, DUPLICATE},
		{"nonsense", 400, NULL}, /* the last one, because a framework may close after it */
	};
	struct durable durable;
	struct http_client client;
	char requests[4096];
	size_t used = 0;

	start(&durable, state);
	fake_inbox_start_committer(&durable.inbox);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++)
		used += (size_t)snprintf(requests + used, sizeof(requests) - used,
					 HEAD "Content-Length: %zu\r\n\r\n%s",
					 strlen(cases[i].body), cases[i].body);
	probe_connect(&durable.probe, &client);
	assert_true(http_send(&client, requests, used));
	for (size_t i = 0; i < HERALD_COUNT(cases); i++)
		assert_next(&client, cases[i].status, cases[i].answer);
	http_close(&client);
	fake_inbox_stop_committer(&durable.inbox);
	stop(&durable, 2, 2);
}

/* A client that goes while its event is stored: the event stays, and counts. */
static void
client_goes_before_the_commit(void **state)
{
	struct durable durable;
	struct http_client client;

	start(&durable, state);
	durable.inbox.answers_at_once = false;
	for (int i = 0; i < 4; i++) {
		probe_connect(&durable.probe, &client);
		assert_true(probe_post(&client, EVENT("")));
		fake_inbox_wait(&durable.inbox, 1);
		if (i % 2 == 0)
			http_reset(&client);
		else
			http_close(&client);
		assert_int_equal(fake_inbox_commit(&durable.inbox), 1);
	}
	fake_inbox_set(&durable.inbox, true, HERALD_OK);
	probe_connect(&durable.probe, &client);
	assert_true(probe_post(&client, EVENT("")));
	assert_next(&client, 202, ACCEPTED);
	http_close(&client);
	stop(&durable, 5, 0);
}

/* Stopping. */

static void *
stop_server(void *durable)
{
	return (void *)probe_stop_server(&((struct durable *)durable)->probe);
}

/* Until new connections are refused, or new events; the store accepts those at once. */
static void
wait_stopping(struct durable *durable, unsigned *accepted)
{
	const struct probe *probe = &durable->probe;
	struct http_client late;
	struct http_response response = {.status = 202};

	fake_inbox_set(&durable->inbox, true, HERALD_OK);
	if (probe->adapter->capabilities & CONTRACT_DRAINS) {
		probe_wait_refused(probe->port);
		return;
	}
	while (response.status == 202 && http_connect(&late, "127.0.0.1", probe->port)) {
		/* A framework may also close what it has not accepted yet. */
		if (!probe_post(&late, EVENT("")) || !http_receive(&late, true, &response))
			response.status = 503;
		*accepted += response.status == 202;
		http_close(&late);
	}
}

/* A stop waits for the answers that are due. */
static void
event_waits_for_a_commit_at_a_stop(void **state)
{
	struct durable durable;
	struct http_client client;
	pthread_t stopper;
	void *left;
	unsigned accepted = 1;

	start(&durable, state);
	durable.inbox.answers_at_once = false;
	probe_connect(&durable.probe, &client);
	assert_true(probe_post(&client, EVENT("1")));
	fake_inbox_wait(&durable.inbox, 1);
	assert_int_equal(pthread_create(&stopper, NULL, stop_server, &durable), 0);
	wait_stopping(&durable, &accepted);
	assert_int_equal(fake_inbox_commit(&durable.inbox), 1);
	assert_next(&client, 202, ACCEPTED);
	http_close(&client);
	pthread_join(stopper, &left);
	assert_null(left);
	stop(&durable, accepted, 0);
}

/* A stop without time: what waits is left, and still stored. */
static void
event_waits_for_a_commit_at_a_short_stop(void **state)
{
	struct durable durable;
	struct http_client client;

	start(&durable, state);
	durable.inbox.answers_at_once = false;
	probe_connect(&durable.probe, &client);
	assert_true(probe_post(&client, EVENT("1")));
	fake_inbox_wait(&durable.inbox, 1);
	for (int i = 0; i < 2; i++)
		assert_int_equal(durable.probe.adapter->stop(durable.probe.server, 10), 1);
	assert_int_equal(fake_inbox_commit(&durable.inbox), 1);
	assert_next(&client, 202, ACCEPTED);
	http_close(&client);
	stop(&durable, 1, 0);
}

const struct contract_http_case contract_http_durable[] = {
	CONTRACT_CASE(stored_events_are_accepted, CONTRACT_STORES),
	CONTRACT_CASE(headers_are_stored, CONTRACT_STORES),
	CONTRACT_CASE(wrong_events_are_not_stored, CONTRACT_STORES),
	CONTRACT_CASE(store_that_fails_is_503, CONTRACT_STORES),
	CONTRACT_CASE(answer_comes_after_the_commit, CONTRACT_STORES),
	CONTRACT_CASE(many_events_wait_for_one_commit,
		      CONTRACT_STORES | CONTRACT_STORES_ASIDE | CONTRACT_KEEPS_ALIVE),
	CONTRACT_CASE(pipelined_events_are_answered_in_order, CONTRACT_STORES | CONTRACT_PIPELINES),
	CONTRACT_CASE(client_goes_before_the_commit, CONTRACT_STORES),
	CONTRACT_CASE(event_waits_for_a_commit_at_a_stop, CONTRACT_STORES),
	CONTRACT_CASE(event_waits_for_a_commit_at_a_short_stop,
		      CONTRACT_STORES | CONTRACT_OUTLIVES_STOP),
};
const size_t contract_http_durable_count = HERALD_COUNT(contract_http_durable);
