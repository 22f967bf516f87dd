/*
 * Tracing: the spans of events go to an OpenTelemetry collector, and every log record names the
 * event's trace. The arguments are a port, and the URL of the collector. Run it, then try:
 *
 *	curl -H 'Content-Type: application/json' -H 'X-Request-Id: 7' \
 *		-H 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' \
 *		http://127.0.0.1:8080/event -d '{
 *		"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"username": "johndoe"}}'
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/curl.h>
#include <herald/herald.h>

struct user_created {
	const char *username;
};

HERALD_SCHEMA(user_created,
	HERALD_FIELD(user_created, username, .required = true));

static enum herald_verdict
on_user_created(struct herald_context *ctx, const struct user_created *user)
{
	const struct herald_trace *trace = herald_context_trace(ctx);

	printf("%s in trace %s, span %s\n", user->username, trace->trace_id, trace->span_id);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_user_created, user_created);

/* Returns 0 after a message if it is not a port. Digits only, unlike strtoul(). */
static uint16_t
read_port(const char *text)
{
	unsigned long number = strtoul(text, NULL, 10);

	if (text[strspn(text, "0123456789")] == '\0' && number > 0 && number <= UINT16_MAX)
		return (uint16_t)number;
	fprintf(stderr, "tracing: expected a port from 1 to 65535, not \"%s\"\n", text);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *const log_fields[] = {"X-Request-Id", NULL};
	const struct herald_route routes[] = {
		HERALD_ROUTE("user_created", user_created, on_user_created, NULL),
	};
	uint16_t port = argc > 1 ? read_port(argv[1]) : 8080;
	struct herald_otlp_exporter *exporter = NULL;
	struct herald_service *service = NULL;
	struct herald_error error;
	const struct herald_log log = {herald_log_logfmt, stderr, HERALD_LOG_DEBUG};

	if (port == 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	struct herald_otlp_options options =
		HERALD_OTLP_OPTIONS(.url = argc > 2 ? argv[2] : "http://127.0.0.1:4318/v1/traces",
				    .service_name = "users", .log = log);
	enum herald_status status = herald_curl_transport_create(NULL, &options.transport, &error);
	if (status == HERALD_OK)
		status = herald_otlp_exporter_create(&options, &exporter, &error);
	if (status == HERALD_OK)
		status = herald_service_create(
			&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .log = log,
						.log_fields = log_fields,
						.spans = herald_otlp_exporter_hook(exporter)),
			&service, &error);
	if (status == HERALD_OK)
		status = herald_serve(service, &HERALD_SERVER_OPTIONS(.port = port), &error);
	if (status != HERALD_OK)
		herald_error_print(stderr, "tracing", &error);
	herald_service_destroy(service);
	herald_otlp_exporter_stop(exporter, 5000); /* sends what is left */
	herald_otlp_exporter_destroy(exporter);
	return status == HERALD_OK ? 0 : 1;
}
