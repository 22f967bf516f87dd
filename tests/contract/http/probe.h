/*
 * The service behind the adapter in HTTP tests. It does what each event asks for, counts events,
 * and can hold a function until the test releases it.
 */
#ifndef HERALD_TESTS_CONTRACT_HTTP_PROBE_H
#define HERALD_TESTS_CONTRACT_HTTP_PROBE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <herald/herald.h>

#include "suite.h"
#include "support/http_client.h"

#define PROBE_MAX_BODY_BYTES 4096
/* Longer than a loaded machine needs, and shorter than a server's timeout, which tests raise above
 * the default (10 s). */
#define PROBE_AT_ONCE_MS 30000
#define PROBE_SERVER_TIMEOUT_MS 120000

/*
 * An event of type user_created, for {"user_id": "1", "username": NAME}. The name selects the
 * outcome: fail, taken (409), busy (retry), busy-2500 (retry after 2,500 ms), hold; any other name
 * is done. METADATA is the content of an object: "before" and "after" may be "fail" or "retry".
 * With "tell", the event fails with 422, and the reason has its headers X-Team and Content-Type.
 */
#define PROBE_EVENT(NAME, METADATA)                                                                \
	"{\"event_type\":\"user_created\",\"timestamp\":\"2024-08-20T05:21:19Z\","                 \
	"\"payload\":{\"user_id\":\"1\",\"username\":\"" NAME "\"},\"metadata\":{" METADATA "}}"
#define PROBE_DONE PROBE_EVENT("ada", "")
/* The order_id of an event in the body of another request. It must never be handled. */
#define PROBE_SMUGGLED "smuggled"
/* Answered with 409, unlike all other raw requests. */
#define PROBE_FOLLOW_UP                                                                            \
	"{\"event_type\":\"follow_up\",\"timestamp\":\"2024-08-20T05:21:19Z\","                    \
	"\"payload\":{\"order_id\":\"follow up\"}}"
#define PROBE_SUCCESS "{\"status\":\"success\"}"

struct probe {
	struct herald_handler handler; /* the first member */
	struct herald_service *service;
	atomic_uint before_count;
	atomic_uint function_count;
	atomic_uint after_count;
	atomic_int after_saw; /* the verdict, or -1 */
	/* Events of the raw requests: type order_placed, counted by the beginning of their
	 * order_id. */
	atomic_uint orders_count;
	atomic_uint smuggled_count; /* PROBE_SMUGGLED: in another request's body */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned held_count; /* functions that are held */
	bool open;

	const struct contract_http_adapter *adapter;
	struct herald_endpoint *endpoint; /* NULL: none yet */
	void *server;
	uint16_t port;
};

/* Create only the service; then, if needed, an endpoint. Destroy both. */
void probe_create(struct probe *probe);
void probe_create_endpoint(struct probe *probe, const struct herald_endpoint_options *options);
void probe_destroy(struct probe *probe);

/* The same with an adapter in *state that serves it, optionally with the test's own allocator, or
 * with a grace. The test may have stopped the server before; then server is NULL. */
void probe_start(struct probe *probe, void **state, const struct herald_endpoint_options *options);
void
probe_start_in(struct probe *probe, void **state, const struct herald_endpoint_options *options,
	       const struct herald_allocator *allocator);
void probe_start_with_grace(struct probe *probe, void **state, uint32_t idle_grace_ms);
void probe_stop(struct probe *probe);

/* Stop and destroy only the server. Returns the number of requests that the stop left. */
size_t probe_stop_server(struct probe *probe);

/* Wait until `count` functions are held; release them and all later ones. */
void probe_wait_held(struct probe *probe, unsigned count);
void probe_release(struct probe *probe);

/* Connect to the server. Fails the test if that is not possible. */
void probe_connect(const struct probe *probe, struct http_client *client);

/* Whether a connection accepts further requests. */
bool probe_keeps_alive(const struct probe *probe);

/*
 * Prepare a connection for the next request, after a response. If the server does not keep
 * connections, it must have closed this one, and the client connects again.
 */
void probe_next(const struct probe *probe, struct http_client *client);

/* Whether a connection stays open after a refusal. */
bool probe_reuses_refused(const struct probe *probe);

/* Wait until connections to 127.0.0.1:port are refused. */
void probe_wait_refused(uint16_t port);

/* POST /event with Content-Type: application/json and Content-Length. */
bool probe_post(struct http_client *client, const char *body);

/* Connect, send a POST, and read the response. */
void probe_exchange(const struct probe *probe, const char *body, struct http_response *out);

/* Check that the server still works: an event must be answered with 200 {"status":"success"}. */
void probe_assert_alive(const struct probe *probe);

/* Check the status of the response, and its body unless that is NULL. */
void probe_assert_answer(const struct http_response *response, unsigned status, const char *body);

/* Receive an answer with a body; it must be this one. */
void probe_assert_next(struct http_client *client, unsigned status, const char *body);

#endif
