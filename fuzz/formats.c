/*
 * Fuzzes the formats of a service: the envelope, CloudEvents in all modes, batches and webhooks.
 * A request is handled twice, with another one between, and must have the same response: nothing of
 * an event is left to the next one.
 *
 * The input: a line for each header, "name: value\n", an empty line, then the body.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <herald/adapter/request.h>
#include <herald/herald.h>

#include "target.h"

#define CHECK(CONDITION) ((CONDITION) ? (void)0 : abort())
#define MAX_HEADERS 16

static struct herald_service *service;
static struct herald_endpoint *endpoint;

/* What functions see is text that ends, and metadata that can be read. */
static enum herald_verdict
look(struct herald_context *ctx, const struct herald_data *data)
{
	const struct herald_json_map *metadata = &herald_context_message(ctx)->metadata;
	size_t bytes = strlen(herald_context_id(ctx)) + strlen(herald_context_source(ctx)) +
		       strlen(herald_context_subject(ctx)) + strlen(herald_context_version(ctx));

	for (size_t i = 0; i < metadata->count; i++)
		bytes += strlen(metadata->pairs[i].key) +
			 (metadata->pairs[i].text ? strlen(metadata->pairs[i].text) : 0);
	for (size_t i = 0; i < data->bytes; i++)
		bytes += (unsigned char)data->data[i];
	if (data->content_type)
		bytes += strlen(data->content_type);
	return bytes % 7 == 0 ? herald_retry(ctx, "%zu", bytes) : HERALD_DONE;
}
HERALD_FUNCTION(look, herald_data);

static void
create(void)
{
	static const char *const origins[] = {"a.example", NULL};
	const struct herald_route routes[] = {
		HERALD_ROUTE(HERALD_ANY_TYPE, herald_data, look, NULL),
	};
	const struct herald_format *hook = NULL, *events = NULL;

	CHECK(herald_webhook_create(
		      &HERALD_WEBHOOK_OPTIONS(.type = {.attribute = "X-Event"},
					      .id = {.pointer = "/id", .otherwise = "/event/id"},
					      .time = {.pointer = "/time"}, .hashes_id = true,
					      .payload_from = "/data", .form_field = "payload"),
		      &hook, NULL) == HERALD_OK);
	CHECK(herald_cloudevents_create(&HERALD_CLOUDEVENTS_OPTIONS(.version_suffix = ".v"),
					&events, NULL) == HERALD_OK);
	const struct herald_format *const formats[] = {events, hook, &herald_format_envelope};
	CHECK(herald_service_create(
		      &HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_FORMATS(formats)),
		      &service, NULL) == HERALD_OK);
	CHECK(herald_endpoint_create(service,
				     &HERALD_ENDPOINT_OPTIONS(.takes_batches = true,
							      .max_batch_events = 8,
							      .allowed_origins = origins),
				     &endpoint, NULL) == HERALD_OK);
}

struct headers {
	const char *names[MAX_HEADERS], *values[MAX_HEADERS];
	size_t count;
	const char *content_type;
};

static void
visit(herald_attribute_visitor *visitor, void *visit_state, void *state)
{
	const struct headers *headers = state;

	for (size_t i = 0; i < headers->count; i++)
		if (!visitor(headers->names[i], headers->values[i], visit_state))
			return;
}

/* Cut the lines before the body. Returns the place of the body. */
static char *
read_headers(char *text, struct headers *out)
{
	while (out->count < MAX_HEADERS) {
		char *end = strchr(text, '\n'), *colon;

		if (!end || end == text)
			return end ? end + 1 : text;
		*end = '\0';
		colon = strchr(text, ':');
		if (colon) {
			*colon = '\0';
			out->names[out->count] = text;
			out->values[out->count++] = colon + 1 + strspn(colon + 1, " ");
			if (strcasecmp(text, "content-type") == 0)
				out->content_type = out->values[out->count - 1];
		}
		text = end + 1;
	}
	return text;
}

static unsigned
respond(const struct headers *headers, const char *method, const char *body, size_t bytes)
{
	const struct herald_http_head head = {
		.method = method,
		.content_type = headers->content_type,
		.content_length = bytes,
		.headers_visit = visit,
		.state = (void *)(uintptr_t)headers,
	};
	struct herald_http_request *request = herald_http_request_create(endpoint, &head);

	CHECK(request);
	herald_http_request_append(request, body, bytes);
	const struct herald_http_response *response = herald_http_request_finish(request);
	unsigned status = response->status;
	CHECK(status >= 200 && status <= 599);
	/* 204 has no body, and an error has one. */
	CHECK((status == 204) == (response->body_bytes == 0));
	herald_http_request_destroy(request);
	return status;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct headers headers = {.count = 0};

	if (!service)
		create();
	char *text = malloc(size + 1);
	CHECK(text);
	memcpy(text, data, size);
	text[size] = '\0';
	char *body = read_headers(text, &headers);
	size_t bytes = size - (size_t)(body - text);
	/* Nothing is left of one event for the next. */
	unsigned first = respond(&headers, "POST", body, bytes);
	respond(&headers, "OPTIONS", "", 0);
	CHECK(respond(&headers, "POST", body, bytes) == first);
	free(text);
	return 0;
}
