/*
 * The service that the HTTP tests put behind an adapter: it does what each event tells it to, counts
 * what ran, and can be held within a function.
 */
#ifndef HERALD_TESTS_CONTRACT_HTTP_PROBE_H
#define HERALD_TESTS_CONTRACT_HTTP_PROBE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <herald/herald.h>

#include "../support/http_client.h"
#include "http_suite.h"

#define PROBE_MAX_BODY_BYTES 4096
/* Sooner than any default timeout of a server's, and later than a slow machine. */
#define PROBE_AT_ONCE_MS 5000

/* An event of type user_created, for {"user_id": "1", "username": NAME}. The name tells what to do:
 * fail, taken (409), busy (retry), busy-2500 (retry after as many ms), hold; anything else is done.
 * METADATA is the inside of an object: "before" and "after" may be "fail" or "retry"; with "tell" the
 * event fails with 422 and the headers X-Team and Content-Type that came with it. */
#define PROBE_EVENT(NAME, METADATA)                                                                \
	"{\"event_type\":\"user_created\",\"timestamp\":\"2024-08-20T05:21:19Z\","                 \
	"\"payload\":{\"user_id\":\"1\",\"username\":\"" NAME "\"},\"metadata\":{" METADATA "}}"
#define PROBE_DONE PROBE_EVENT("ada", "")
/* The order_id of an event that is text in another request's body, and must never be run. */
#define PROBE_SMUGGLED "smuggled"
/* Answered with 409, which no other request of the raw ones is. */
#define PROBE_FOLLOW_UP                                                                            \
	"{\"event_type\":\"follow_up\",\"timestamp\":\"2024-08-20T05:21:19Z\","                    \
	"\"payload\":{\"order_id\":\"follow up\"}}"
#define PROBE_SUCCESS "{\"status\":\"success\"}"

struct probe {
	struct herald_handler handler; /* first */
	struct herald_service *service;
	atomic_uint before_count;
	atomic_uint function_count;
	atomic_uint after_count;
	atomic_int after_saw; /* the verdict, or -1 */
	/* Events of the raw requests: of type order_placed, by the beginning of their order_id. */
	atomic_uint orders_count;
	atomic_uint smuggled_count; /* PROBE_SMUGGLED: within another request's body */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned held_count; /* functions that wait in "hold" */
	bool open;

	const struct contract_http_adapter *adapter;
	void *server;
	uint16_t port;
};

/* Create the service only; and destroy it. */
void probe_create(struct probe *probe);
void probe_destroy(struct probe *probe);

/* The same with the adapter in *state serving it. Stopping may be done before; then server is NULL. */
void probe_start(struct probe *probe, void **state, const struct herald_http_options *options);
void probe_stop(struct probe *probe);

/* Wait until `count` functions are held; let them and all that follow go on. */
void probe_wait_held(struct probe *probe, unsigned count);
void probe_release(struct probe *probe);

/* Connect to the server; fails the test when it cannot. */
void probe_connect(const struct probe *probe, struct http_client *client);

/* Whether a connection lives on after a refusal. */
bool probe_reuses_refused(const struct probe *probe);

/* Wait until 127.0.0.1:port takes no more connections. */
void probe_wait_refused(uint16_t port);

/* POST /event with Content-Type: application/json and Content-Length. */
bool probe_post(struct http_client *client, const char *body);

/* A new connection, one POST, its answer. */
void probe_exchange(const struct probe *probe, const char *body, struct http_response *out);

/* An event that is done must be answered with 200 {"status":"success"}: the server is alive. */
void probe_assert_alive(const struct probe *probe);

/* The answer has this status, and exactly this body unless that is NULL. */
void probe_assert_answer(const struct http_response *response, unsigned status, const char *body);

#endif
