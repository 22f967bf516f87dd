/*
 * POST /event and GET /callback on one port: an event names who is to be told how it ended, and here
 * that is this program itself. Run it, then try:
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"username": "johndoe"},
 *		"callback": {"success_url": "http://127.0.0.1:8080/callback"}}'
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"username": "root"},
 *		"callback": {"fail_url": "http://127.0.0.1:8080/callback"}}'
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/callback.h>
#include <herald/herald.h>
#include <herald/microhttpd.h>

struct user_created {
	const char *username;
};

HERALD_SCHEMA(user_created,
	HERALD_FIELD(user_created, username, .required = true));

/* The last argument is what the function works on: here, the name that it refuses. */
static enum herald_verdict
on_user_created(struct herald_context *ctx, const struct user_created *user,
		struct user_created *taken)
{
	if (strcmp(user->username, taken->username) == 0)
		return herald_fail_status(ctx, 409, "the name %s is taken", user->username);
	printf("created %s\n", user->username);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_user_created, user_created, user_created);

/* The receiver of callbacks: how the event ended is in their headers. */
static enum MHD_Result
on_callback(struct MHD_Connection *connection)
{
	const char *names[] = {"Herald-Event-Type", "Herald-Result", "Herald-Error"};

	printf("callback:");
	for (size_t i = 0; i < HERALD_COUNT(names); i++) {
		const char *value =
			MHD_lookup_connection_value(connection, MHD_HEADER_KIND, names[i]);
		printf(" %s", value ? value : "");
	}
	printf("\n");
	struct MHD_Response *response =
		MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result queued = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return queued;
}

static enum MHD_Result
on_request(void *http, struct MHD_Connection *connection, const char *url, const char *method,
	   const char *version, const char *data, size_t *bytes, void **state)
{
	if (strcmp(url, "/callback") == 0)
		return on_callback(connection);
	return herald_microhttpd_handle(http, connection, method, version, data, bytes, state);
}

int
main(int argc, char **argv)
{
	/* Callbacks to this machine are refused, unless they are allowed. */
	const char *const networks[] = {"127.0.0.1/32"};
	struct user_created root = {"root"};
	const struct herald_route routes[] = {
		HERALD_ROUTE("user_created", user_created, on_user_created, &root)};
	struct herald_deliverer *deliverer;
	struct herald_handler *handlers[1];
	struct herald_service *service;
	struct herald_http *http;
	struct herald_error error;

	setvbuf(stdout, NULL, _IOLBF, 0);
	const struct herald_deliverer_options deliverer_options =
		HERALD_DELIVERER_OPTIONS(HERALD_NETWORKS(networks));
	const struct herald_service_options options =
		HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_HANDLERS(handlers),
				       .envelope = &herald_callback_message_schema);
	if (herald_deliverer_create(&deliverer_options, &deliverer, &error) != HERALD_OK ||
	    herald_callback_handler_create(deliverer, NULL, &handlers[0], &error) != HERALD_OK ||
	    herald_service_create(&options, &service, &error) != HERALD_OK ||
	    herald_http_create(service, NULL, &http, &error) != HERALD_OK) {
		herald_error_print(stderr, "callback", &error);
		return 1;
	}
	struct MHD_Daemon *daemon = MHD_start_daemon(
		MHD_USE_AUTO_INTERNAL_THREAD,
		argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 8080, NULL, NULL, on_request,
		http, MHD_OPTION_CONNECTION_TIMEOUT, 30u, MHD_OPTION_NOTIFY_COMPLETED,
		herald_microhttpd_completed, NULL, MHD_OPTION_END);
	if (!daemon) {
		fprintf(stderr, "callback: cannot listen\n");
		return 1;
	}
	printf("Enter ends it; listening on port %u\n",
	       (unsigned)MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	(void)getchar();

	/* Callbacks come to this program, so it serves until they are delivered. */
	herald_deliverer_stop(deliverer, 10000);
	MHD_stop_daemon(daemon);
	herald_http_destroy(http);
	herald_service_destroy(service);
	herald_deliverer_destroy(deliverer);
	return 0;
}
