/*
 * Azure Event Grid with the CloudEvents schema: before it delivers, it asks for consent with
 * OPTIONS; events come in batches if the subscription says so.
 *
 *	build/release/examples/azure_event_grid 8080
 *
 *	curl -i -X OPTIONS -H 'WebHook-Request-Origin: eventgrid.azure.net' \
 *		-H 'WebHook-Request-Rate: 120' http://127.0.0.1:8080/event
 *	=> 204
 *
 *	herald send http://127.0.0.1:8080/event --cloudevents batch --count 3 \
 *		--type Microsoft.Storage.BlobCreated --source /subscriptions/1/storage \
 *		--subject /blobServices/default/containers/a/blobs/b \
 *		--data '{"api": "PutBlob", "contentLength": 524288}'
 *	=> 3 accepted
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/cloudevents.h>
#include <herald/herald.h>

struct blob {
	const char *api;
	int64_t content_length;
};
HERALD_SCHEMA(blob,
	HERALD_FIELD(blob, api, .required = true),
	HERALD_FIELD(blob, content_length, .key = "contentLength"));

static enum herald_verdict
on_blob(struct herald_context *ctx, const struct blob *blob)
{
	printf("%s of %s: %lld bytes\n", blob->api, herald_context_subject(ctx),
	       (long long)blob->content_length);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_blob, blob);

/* Returns 0 after a message if it is not a port. Digits only, unlike strtoul(). */
static uint16_t
read_port(const char *text)
{
	unsigned long number = strtoul(text, NULL, 10);

	if (text[strspn(text, "0123456789")] == '\0' && number > 0 && number <= UINT16_MAX)
		return (uint16_t)number;
	fprintf(stderr, "azure_event_grid: expected a port from 1 to 65535, not \"%s\"\n", text);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("Microsoft.Storage.BlobCreated", blob, on_blob, NULL),
	};
	const struct herald_format *const formats[] = {&herald_format_cloudevents};
	const char *const origins[] = {"eventgrid.azure.net", NULL};
	const struct herald_endpoint_options endpoint =
		HERALD_ENDPOINT_OPTIONS(.allowed_origins = origins, .allowed_rate = 120,
					.takes_batches = true);
	struct herald_service *service = NULL;
	struct herald_error error;
	uint16_t port = argc > 1 ? read_port(argv[1]) : 8080;

	if (port == 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	enum herald_status status = herald_service_create(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_FORMATS(formats)), &service,
		&error);
	if (status == HERALD_OK)
		status = herald_serve(
			service,
			&HERALD_SERVER_OPTIONS(.port = port, .endpoint_options = &endpoint),
			&error);
	if (status != HERALD_OK)
		herald_error_print(stderr, "azure_event_grid", &error);
	herald_service_destroy(service);
	return status == HERALD_OK ? 0 : 1;
}
