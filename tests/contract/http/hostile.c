/*
 * The contract, part 7: clients drawn at random, who send good requests in an unfriendly way.
 * Several requests come together, cut anywhere; then the client reads, closes one side or both, or
 * resets the connection, perhaps in the middle of a further request.
 *
 * Whatever a client does: an event runs once if all of it has come, in order, and never otherwise;
 * and at a stop whoever's event has run is answered.
 *
 * The seed is printed; HERALD_TEST_SEED sets it.
 */
#include "probe.h"
#include "support/draw.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CLIENTS 150
#define MAX_REQUESTS 6

#define STOPS 30
#define STOP_CLIENTS 4
#define STOP_DELAY_US_MAX 20000

/* How a client ends. */
enum ending { READS, CLOSES_ITS_SIDE, CLOSES, RESETS, ENDINGS_COUNT };

/* What one client sends, and what it is to get. */
struct plan {
	uint64_t random;
	unsigned capabilities;
	enum ending ending;
	unsigned count; /* of whole requests */
	unsigned statuses[MAX_REQUESTS];
	bool has_body[MAX_REQUESTS]; /* of the answer */
	bool has_rest;               /* A part of another request follows. */
	size_t bytes;
	char text[MAX_REQUESTS * 16 * 1024];
};

static void
append(struct plan *plan, const char *data, size_t bytes)
{
	assert_true(bytes <= sizeof(plan->text) - plan->bytes);
	memcpy(plan->text + plan->bytes, data, bytes);
	plan->bytes += bytes;
}

static void
append_text(struct plan *plan, const char *text)
{
	append(plan, text, strlen(text));
}

static void
append_chunks(struct plan *plan, const char *body, size_t bytes)
{
	char line[64];

	for (size_t at = 0; at < bytes;) {
		size_t piece = 1 + draw_below(&plan->random, bytes - at);
		bool extended = (plan->capabilities & CONTRACT_CHUNK_GRAMMAR) &&
				draw_one_in(&plan->random, 4);

		snprintf(line, sizeof(line), "%zx%s\r\n", piece, extended ? ";a=\"b\"" : "");
		append_text(plan, line);
		append(plan, body + at, piece);
		append_text(plan, "\r\n");
		at += piece;
	}
	append_text(plan, "0\r\n\r\n");
}

static void
append_post(struct plan *plan, const char *body)
{
	bool chunked = (plan->capabilities & CONTRACT_CHUNKED) && draw_one_in(&plan->random, 2);
	char length[64];

	append_text(plan, "POST /event HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n");
	for (uint64_t i = draw_below(&plan->random, 4); i > 0; i--)
		append_text(plan, "X-Team: blue\r\n");
	if (chunked) {
		append_text(plan, "Transfer-Encoding: chunked\r\n\r\n");
		append_chunks(plan, body, strlen(body));
		return;
	}
	snprintf(length, sizeof(length), "Content-Length: %zu\r\n\r\n", strlen(body));
	append_text(plan, length);
	append_text(plan, body);
}

/* Whether the client reads the answers. */
static bool
listens(const struct plan *plan)
{
	return plan->ending == READS || plan->ending == CLOSES_ITS_SIDE;
}

#define ORDER(TYPE, ID)                                                                            \
	"{\"event_type\":\"" TYPE "\",\"timestamp\":\"2024-08-20T05:21:19Z\","                     \
	"\"payload\":{\"order_id\":\"" ID "\"}}"

/* A body, with blanks behind it up to the limit now and then. */
static void
append_body(struct plan *plan, const char *text)
{
	char body[PROBE_MAX_BODY_BYTES + 1];
	size_t bytes = strlen(text);
	size_t blanks = draw_one_in(&plan->random, 4)
				? draw_below(&plan->random, PROBE_MAX_BODY_BYTES - bytes)
				: 0;

	memcpy(body, text, bytes);
	memset(body + bytes, ' ', blanks);
	body[bytes + blanks] = '\0';
	append_post(plan, body);
}

static void
add_request(struct plan *plan, unsigned number)
{
	static const struct {
		unsigned status;
		const char *method, *body;
	} kinds[] = {
		{200, "POST", ORDER("order_placed", "order")},
		{200, "POST", ORDER("order_placed", "order")},
		{409, "POST", ORDER("follow_up", "order")},
		{404, "POST", ORDER("unknown", "order")},
		{400, "POST", "nonsense"},
		{405, "GET", NULL},
		{405, "HEAD", NULL},
	};
	uint64_t kind = draw_below(&plan->random, HERALD_COUNT(kinds));

	plan->statuses[number] = kinds[kind].status;
	plan->has_body[number] = strcmp(kinds[kind].method, "HEAD") != 0;
	if (!kinds[kind].body) {
		append_text(plan, kinds[kind].method);
		append_text(plan, " /event HTTP/1.1\r\nHost: t\r\n\r\n");
	} else if (kinds[kind].status == 200 && !listens(plan)) {
		/* Counted apart: nobody knows how many of them run. */
		append_body(plan, PROBE_DONE);
	} else {
		append_body(plan, kinds[kind].body);
	}
}

/*
 * The beginning of a request with an event that must not run. A body in chunks is whole once the
 * last one has come (RFC 9112 section 8), which is the last five bytes.
 */
static void
add_rest(struct plan *plan)
{
	static const char last_chunk[] = "0\r\n\r\n";
	size_t begins = plan->bytes;
	size_t missing = 1;

	append_body(plan, ORDER("order_placed", PROBE_SMUGGLED));
	if (memcmp(plan->text + plan->bytes - strlen(last_chunk), last_chunk, strlen(last_chunk)) ==
	    0)
		missing = strlen(last_chunk);
	plan->bytes = begins + 1 + draw_below(&plan->random, plan->bytes - begins - missing);
}

static void
draw_plan(struct plan *plan)
{
	plan->bytes = 0;
	plan->ending = (enum ending)draw_below(&plan->random, ENDINGS_COUNT);
	plan->count = 1 + (unsigned)draw_below(&plan->random, MAX_REQUESTS);
	if (!(plan->capabilities & CONTRACT_PIPELINES))
		plan->count = 1;
	for (unsigned i = 0; i < plan->count; i++)
		add_request(plan, i);
	plan->has_rest = draw_one_in(&plan->random, 2);
	if (plan->has_rest)
		add_rest(plan);
}

static void
send_plan(struct plan *plan, struct http_client *client)
{
	size_t at = 0;

	while (at < plan->bytes) {
		size_t left = plan->bytes - at;
		size_t most = draw_one_in(&plan->random, 2) ? left : left < 32 ? left : 32;
		size_t piece = 1 + draw_below(&plan->random, most);

		/* It may have been answered and closed. */
		if (!http_send(client, plan->text + at, piece))
			return;
		at += piece;
	}
}

/* Whether the connection may end before request `number` is answered. */
static bool
may_end(const struct plan *plan, unsigned number)
{
	return number > 0 && plan->ending == CLOSES_ITS_SIDE &&
	       !(plan->capabilities & CONTRACT_ANSWERS_HALF_CLOSED);
}

/* Read what there is to read; returns how many of the orders have been answered. */
static unsigned
read_answers(struct plan *plan, struct http_client *client)
{
	static struct http_response response;
	unsigned orders = 0;

	for (unsigned i = 0; i < plan->count; i++) {
		if (!http_receive(client, plan->has_body[i], &response)) {
			if (may_end(plan, i))
				break;
			fail_msg("no answer to request %u of %u (ending %d, rest %d)", i,
				 plan->count, plan->ending, plan->has_rest);
		}
		if (response.status != plan->statuses[i])
			fail_msg("%u to request %u instead of %u", response.status, i,
				 plan->statuses[i]);
		orders += response.status == 200;

		const char *connection = http_header(&response, "Connection");
		if (connection && strcmp(connection, "close") == 0)
			break;
	}
	return orders;
}

/* How many events a client may have had run, when nobody looked. */
static unsigned
count_done(const struct plan *plan)
{
	unsigned done = 0;

	for (unsigned i = 0; i < plan->count; i++)
		done += plan->statuses[i] == 200;
	return done;
}

static void
clients_of_all_kinds(void **state)
{
	static struct plan plan;
	unsigned orders = 0, most = 1;
	struct probe probe;
	uint64_t seed = draw_seed();

	plan = (struct plan){.random = seed};
	probe_start(&probe, state, NULL);
	plan.capabilities = probe.adapter->capabilities;
	printf("# %s: HERALD_TEST_SEED=%llu\n", probe.adapter->name, (unsigned long long)seed);
	for (unsigned i = 0; i < CLIENTS; i++) {
		static struct http_client client;

		draw_plan(&plan);
		probe_connect(&probe, &client);
		send_plan(&plan, &client);
		if (plan.ending == CLOSES_ITS_SIDE)
			http_finish_sending(&client);
		if (listens(&plan))
			orders += read_answers(&plan, &client);
		else
			most += count_done(&plan);
		if (plan.ending == RESETS)
			http_reset(&client);
		else
			http_close(&client);
	}
	probe_assert_alive(&probe);
	probe_stop(&probe);
	assert_int_equal(probe.smuggled_count, 0);
	assert_int_equal(probe.orders_count, orders);
	assert_in_range(probe.function_count, 1, most);
}

/* Clients during a stop. */

struct crowd {
	const struct probe *probe;
	atomic_uint answered_count;
	atomic_bool stopped;
};

/*
 * Whether there is an answer, or an end. CivetWeb (1.15) leaves connections open that it has
 * accepted and not begun with when it stops: for these there is neither.
 */
static bool
wait_answer(const struct crowd *crowd, struct http_client *client)
{
	while (!http_wait_readable(client, 50))
		if (atomic_load(&crowd->stopped))
			return false;
	return true;
}

/* One of them; it may not assert. */
static void *
send_orders(void *state)
{
	struct crowd *crowd = state;
	struct http_response *response = malloc(sizeof(*response));
	struct http_client *client = malloc(sizeof(*client));

	while (response && client && !atomic_load(&crowd->stopped) &&
	       http_connect(client, "127.0.0.1", crowd->probe->port)) {
		while (probe_post(client, ORDER("order_placed", "order")) &&
		       wait_answer(crowd, client) && http_receive(client, true, response))
			if (response->status == 200)
				atomic_fetch_add(&crowd->answered_count, 1);
		http_close(client);
	}
	free(client);
	free(response);
	return NULL;
}

static void
wait_us(uint64_t us)
{
	struct timespec left = {.tv_nsec = (long)us * 1000};

	while (nanosleep(&left, &left) != 0)
		;
}

static void
events_that_run_at_a_stop_are_answered(void **state)
{
	uint64_t seed = draw_seed(), random = seed;
	const struct contract_http_adapter *adapter = *state;

	printf("# %s: HERALD_TEST_SEED=%llu\n", adapter->name, (unsigned long long)seed);
	for (unsigned i = 0; i < STOPS; i++) {
		struct probe probe;
		struct crowd crowd = {.probe = &probe};
		pthread_t clients[STOP_CLIENTS];

		probe_start(&probe, state, NULL);
		for (unsigned j = 0; j < STOP_CLIENTS; j++)
			assert_int_equal(pthread_create(&clients[j], NULL, send_orders, &crowd), 0);
		/* The moment is the test's input. */
		wait_us(draw_below(&random, STOP_DELAY_US_MAX));
		size_t left = probe_stop_server(&probe);
		atomic_store(&crowd.stopped, true);
		for (unsigned j = 0; j < STOP_CLIENTS; j++)
			pthread_join(clients[j], NULL);
		unsigned ran = probe.orders_count;
		probe_stop(&probe);
		assert_int_equal(left, 0);
		if (ran != crowd.answered_count)
			fail_msg("%u events ran, %u were answered", ran, crowd.answered_count);
	}
}

const struct contract_http_case contract_http_hostile[] = {
	CONTRACT_CASE(clients_of_all_kinds, 0),
	CONTRACT_CASE(events_that_run_at_a_stop_are_answered, 0),
};
const size_t contract_http_hostile_count = HERALD_COUNT(contract_http_hostile);
