/*
 * The contract, part 15: heads that a lenient framework ends too early. What follows in the head is
 * then the body, and the body, which is a request with an event, is the next request. It never
 * runs, whatever the answer to the first request: of each method, and of endpoints whose answers do
 * not tell refusals from events.
 */
#include "probe.h"

#include <herald/webhook.h>

#include <stdio.h>
#include <string.h>

/* Then nothing more comes, until the client closes its side. */
#define SILENCE_MS 200

#define EVENT                                                                                      \
	"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"order\","              \
	"\"data\":{\"order_id\":\"a\"}}"
#define JSON "Content-Type: application/json\r\n"
#define BINARY "ce-specversion: 1.0\r\nce-source: /s\r\nce-id: 1\r\nce-type: "

struct hidden_order {
	const char *order_id;
};
HERALD_SCHEMA(hidden_order, HERALD_FIELD(hidden_order, order_id, .required = true));

static enum herald_verdict
on_hidden_order(struct herald_context *ctx, const struct hidden_order *order, struct probe *probe)
{
	(void)ctx;
	(void)order;
	atomic_fetch_add(&probe->smuggled_count, 1);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_hidden_order, hidden_order, probe);

/* Takes any bytes. */
static enum herald_verdict
on_bytes(struct herald_context *ctx, const struct herald_data *data, struct probe *probe)
{
	(void)ctx;
	(void)data;
	(void)probe;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_bytes, herald_data, probe);

static enum herald_verdict
on_form(struct herald_context *ctx, const struct hidden_order *order, struct probe *probe)
{
	(void)ctx;
	(void)order;
	(void)probe;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_form, hidden_order, probe);

/* As the handler of signatures does. */
static enum herald_verdict
refuse_unsigned(struct herald_handler *handler, struct herald_context *ctx, const char *data,
		size_t bytes)
{
	(void)handler;
	if (bytes > 0 && *data == '{')
		return HERALD_DONE;
	return herald_unauthorized(ctx, "not signed");
}

static void
start_with(struct probe *probe, void **state, const struct herald_format *last,
	   const struct herald_endpoint_options *options, bool is_signed)
{
	const struct herald_format *const formats[] = {&herald_format_cloudevents, last};
	static const struct herald_handler_ops ops = {
		.struct_size = sizeof(ops), .name = "signature", .receive = refuse_unsigned};
	static struct herald_handler handler = {.ops = &ops}, *handlers[] = {&handler};
	const struct herald_route routes[] = {
		HERALD_ROUTE("order", hidden_order, on_hidden_order, probe),
		HERALD_ROUTE("bytes", herald_data, on_bytes, probe),
		HERALD_ROUTE("form", hidden_order, on_form, probe),
	};
	struct herald_error error;

	memset(probe, 0, sizeof(*probe));
	pthread_mutex_init(&probe->lock, NULL);
	pthread_cond_init(&probe->changed, NULL);
	if (herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes),
							  HERALD_FORMATS(formats),
							  .handlers = is_signed ? handlers : NULL,
							  .handlers_count = is_signed),
				  &probe->service, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	probe_create_endpoint(probe, options);
	probe->adapter = *state;
	probe->server = probe->adapter->start(probe->endpoint, 1, &probe->port);
	assert_non_null(probe->server);
}

static void
start(struct probe *probe, void **state, const struct herald_endpoint_options *options,
      bool is_signed)
{
	start_with(probe, state, &herald_format_envelope, options, is_signed);
}

/* An end of a head for some readers. */
struct end {
	const char *text;
	size_t bytes;
};

#define END(TEXT)                                                                                  \
	{                                                                                          \
		TEXT, sizeof(TEXT) - 1                                                             \
	}

static void
send_hidden(const struct probe *probe, const char *method, const char *headers,
	    const struct end *end, const char *rest)
{
	static struct http_client client;
	char request[2048], answers[1024];
	size_t bytes =
		(size_t)snprintf(request, sizeof(request),
				 "%s /event HTTP/1.1\r\nHost: t\r\n%sContent-Length: %zu\r\nX-A: b",
				 method, headers, strlen(rest));

	memcpy(request + bytes, end->text, end->bytes);
	bytes += end->bytes;
	bytes += (size_t)snprintf(request + bytes, sizeof(request) - bytes,
				  "%sPOST /event HTTP/1.1\r\nHost: t\r\nContent-Type: "
				  "application/cloudevents+json\r\n"
				  "Content-Length: %zu\r\n\r\n%s",
				  rest, strlen(EVENT), EVENT);
	probe_connect(probe, &client);
	(void)!http_send(&client, request, bytes);
	for (bool is_ended = false;;) {
		if (!is_ended && !http_wait_readable(&client, SILENCE_MS)) {
			http_finish_sending(&client);
			is_ended = true;
		}
		if (http_receive_bytes(&client, answers, sizeof(answers)) == 0)
			break;
	}
	http_close(&client);
}

/* Each method, and each end of a head; `rest` is what is hidden. */
static void
send_all_before(const struct probe *probe, const char *headers, const char *rest)
{
	static const char *const methods[] = {"POST", "OPTIONS", "GET", "HEAD", "PUT"};
	static const struct end ends[] = {
		END("\n:\r\n"),   END("\r\n:\r\n"),  END("\r\n:\n"),  END("\n:\n"),
		END("\r\n\0\n"),  END("\r\n\0\r\n"), END("\n\0\r\n"), END("\r\n: \r\n"),
		END("\0\n:\r\n"), END("\n\r\n"),     END("\r\n\n"),   END("\r\n\r\r\n"),
	};

	for (size_t i = 0; i < HERALD_COUNT(methods) * HERALD_COUNT(ends); i++) {
		const char *method = methods[i / HERALD_COUNT(ends)];
		size_t end = i % HERALD_COUNT(ends);

		send_hidden(probe, method, headers, &ends[end], rest);
		if (atomic_load(&probe->smuggled_count) > 0)
			fail_msg("%s with %sand end %zu: the request in the body ran", method,
				 headers, end);
	}
}

static void
send_all(const struct probe *probe, const char *headers)
{
	send_all_before(probe, headers, "Transfer-Encoding: chunked\r\n\r\n");
}

static void
requests_in_hidden_bodies(void **state)
{
	static const char *const headers[] = {
		JSON,
		BINARY "order\r\n" JSON,
		BINARY "unknown\r\n" JSON,
		BINARY "unknown\r\nContent-Type: text/plain\r\n",
		BINARY "bytes\r\nContent-Type: text/plain\r\n",
		BINARY "bytes\r\n",
	};
	struct probe probe;

	start(&probe, state, NULL, false);
	for (size_t i = 0; i < HERALD_COUNT(headers); i++)
		send_all(&probe, headers[i]);
	probe_stop(&probe);
}

static void
requests_in_hidden_lines(void **state)
{
	struct probe probe;

	start(&probe, state, &HERALD_ENDPOINT_OPTIONS(.takes_ndjson = true), false);
	send_all(&probe, "Content-Type: application/x-ndjson\r\n");
	probe_stop(&probe);
}

static void
requests_in_hidden_bodies_from_dapr(void **state)
{
	struct probe probe;

	start(&probe, state, &HERALD_ENDPOINT_OPTIONS(.answers = HERALD_ANSWERS_DAPR), false);
	send_all(&probe, JSON);
	probe_stop(&probe);
}

static void
requests_in_hidden_bodies_without_signature(void **state)
{
	struct probe probe;

	start(&probe, state, NULL, true);
	send_all(&probe, JSON);
	probe_stop(&probe);
}

/* Of a form one field is read, so a part of a head may be one. */
static void
requests_in_hidden_forms(void **state)
{
	const struct herald_format *webhook;
	struct herald_error error;
	struct probe probe;

	assert_int_equal(herald_webhook_create(&HERALD_WEBHOOK_OPTIONS(.type = {.constant = "form"},
								       .form_field = "payload"),
					       &webhook, &error),
			 HERALD_OK);
	start_with(&probe, state, webhook, NULL, false);
	send_all_before(&probe, "Content-Type: application/x-www-form-urlencoded\r\n",
			"X: &payload=%7B%22order_id%22:%22a%22%7D&z=\r\n"
			"Transfer-Encoding: chunked\r\n\r\n");
	probe_stop(&probe);
	herald_format_destroy(webhook);
}

const struct contract_http_case contract_http_hidden[] = {
	CONTRACT_CASE(requests_in_hidden_bodies, 0),
	CONTRACT_CASE(requests_in_hidden_lines, 0),
	CONTRACT_CASE(requests_in_hidden_forms, 0),
	CONTRACT_CASE(requests_in_hidden_bodies_from_dapr, 0),
	CONTRACT_CASE(requests_in_hidden_bodies_without_signature, 0),
};
const size_t contract_http_hidden_count = HERALD_COUNT(contract_http_hidden);
