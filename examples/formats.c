/*
 * One endpoint for several senders: CloudEvents, as Knative and Azure Event Grid send them,
 * GitHub's webhooks, and Herald's own envelope.
 *
 *	curl -i http://127.0.0.1:8080/event -H 'Content-Type: application/cloudevents+json' -d '{
 *		"specversion": "1.0", "id": "1", "source": "/shop", "type": "order.placed.v2",
 *		"data": {"order_id": "4711"}}'
 *	=> 204
 *
 *	curl -i http://127.0.0.1:8080/event -H 'X-GitHub-Event: push' \
 *		-H 'Content-Type: application/json' -d '{"ref": "refs/heads/main"}'
 *	=> 204
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/herald.h>

struct order_placed {
	const char *order_id;
};
HERALD_SCHEMA(order_placed, HERALD_FIELD(order_placed, order_id, .required = true));

struct push {
	const char *ref;
};
HERALD_SCHEMA(push, HERALD_FIELD(push, ref, .required = true));

static enum herald_verdict
on_order(struct herald_context *ctx, const struct order_placed *order)
{
	printf("order %s, event %s of %s, version %s\n", order->order_id, herald_context_id(ctx),
	       herald_context_source(ctx), herald_context_version(ctx));
	return HERALD_DONE;
}
HERALD_FUNCTION(on_order, order_placed);

static enum herald_verdict
on_push(struct herald_context *ctx, const struct push *push)
{
	printf("push to %s, from %s\n", push->ref, herald_context_source(ctx));
	return HERALD_DONE;
}
HERALD_FUNCTION(on_push, push);

/* A payload of any media type. */
static enum herald_verdict
on_picture(struct herald_context *ctx, const struct herald_data *picture)
{
	(void)ctx;
	printf("%zu bytes of %s\n", picture->bytes,
	       picture->content_type ? picture->content_type : "unknown type");
	return HERALD_DONE;
}
HERALD_FUNCTION(on_picture, herald_data);

/* Returns 0 after a message if it is not a port. Digits only, unlike strtoul(). */
static uint16_t
read_port(const char *text)
{
	unsigned long number = strtoul(text, NULL, 10);

	if (text[strspn(text, "0123456789")] == '\0' && number > 0 && number <= UINT16_MAX)
		return (uint16_t)number;
	fprintf(stderr, "formats: expected a port from 1 to 65535, not \"%s\"\n", text);
	return 0;
}

int
main(int argc, char **argv)
{
	static const char *const origins[] = {"eventgrid.azure.net", NULL};
	const struct herald_route routes[] = {
		HERALD_ROUTE("order.placed", order_placed, on_order, NULL),
		HERALD_ROUTE("push", push, on_push, NULL),
		HERALD_ROUTE("picture.taken", herald_data, on_picture, NULL),
	};
	const struct herald_format *cloudevents = NULL, *github = NULL;
	struct herald_service *service = NULL;
	struct herald_error error;
	uint16_t port = argc > 1 ? read_port(argv[1]) : 8080;

	if (port == 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	enum herald_status status = herald_cloudevents_create(
		&HERALD_CLOUDEVENTS_OPTIONS(.version_suffix = ".v"), &cloudevents, &error);
	if (status == HERALD_OK)
		status = herald_webhook_create(
			&HERALD_WEBHOOK_OPTIONS(.name = "github",
						.type = {.attribute = "X-GitHub-Event"},
						.id = {.attribute = "X-GitHub-Delivery"},
						.source = {.constant = "github"}),
			&github, &error);

	const struct herald_format *const formats[] = {cloudevents, github,
						       &herald_format_envelope};
	const struct herald_endpoint_options endpoint =
		HERALD_ENDPOINT_OPTIONS(.takes_batches = true, .allowed_origins = origins);
	if (status == HERALD_OK)
		status = herald_service_create(
			&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_FORMATS(formats)),
			&service, &error);
	if (status == HERALD_OK)
		status = herald_serve(
			service,
			&HERALD_SERVER_OPTIONS(.port = port, .endpoint_options = &endpoint),
			&error);
	if (status != HERALD_OK)
		herald_error_print(stderr, "formats", &error);
	herald_service_destroy(service);
	herald_format_destroy(github);
	herald_format_destroy(cloudevents);
	return status == HERALD_OK ? 0 : 1;
}
