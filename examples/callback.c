/*
 * Callbacks: an event names a URL that is called with its outcome. In this example, the program
 * receives its own callbacks, at GET /callback. Run it, then try:
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

#include <herald/curl.h>
#include <herald/herald.h>

struct user_created {
	const char *username;
};

HERALD_SCHEMA(user_created,
	HERALD_FIELD(user_created, username, .required = true));

/* The last argument is the function's state: here, the name that it refuses. */
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

/* The receiver of callbacks. Their headers have the outcome of the event. */
static void
on_callback(struct herald_server_request *request, void *state)
{
	const char *names[] = {"Herald-Event-Type", "Herald-Result", "Herald-Error"};

	(void)state;
	printf("callback:");
	for (size_t i = 0; i < HERALD_COUNT(names); i++) {
		const char *value = herald_server_request_header(request, names[i]);

		printf(" %s", value ? value : "");
	}
	printf("\n");
	(void)herald_server_answer(request, 204, NULL, NULL, 0);
}

/* Digits only, unlike strtoul(); 0 lets the system choose. */
static bool
read_port(const char *text, uint16_t *port)
{
	unsigned long number = strtoul(text, NULL, 10);

	*port = (uint16_t)number;
	if (*text != '\0' && text[strspn(text, "0123456789")] == '\0' && number <= UINT16_MAX)
		return true;
	fprintf(stderr, "callback: expected a port from 0 to 65535, not \"%s\"\n", text);
	return false;
}

int
main(int argc, char **argv)
{
	/* Callbacks to this machine are refused unless its network is allowed. */
	const char *const networks[] = {"127.0.0.1/32"};
	struct user_created root = {"root"};
	const struct herald_route routes[] = {
		HERALD_ROUTE("user_created", user_created, on_user_created, &root)};
	uint16_t port = 8080;
	const struct herald_server_path paths[] = {{.path = "/callback", .function = on_callback}};
	struct herald_deliverer *deliverer;
	struct herald_handler *handlers[1];
	struct herald_service *service;
	struct herald_endpoint *endpoint;
	struct herald_server *server;
	struct herald_error error;

	if (argc > 1 && !read_port(argv[1], &port))
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	struct herald_deliverer_options deliverer_options =
		HERALD_DELIVERER_OPTIONS(HERALD_NETWORKS(networks));
	const struct herald_service_options options =
		HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_HANDLERS(handlers),
				       .envelope = &herald_callback_message_schema);
	if (herald_curl_transport_create(NULL, &deliverer_options.transport, &error) != HERALD_OK ||
	    herald_deliverer_create(&deliverer_options, &deliverer, &error) != HERALD_OK ||
	    herald_callback_handler_create(deliverer, NULL, &handlers[0], &error) != HERALD_OK ||
	    herald_service_create(&options, &service, &error) != HERALD_OK ||
	    herald_endpoint_create(service, NULL, &endpoint, &error) != HERALD_OK) {
		herald_error_print(stderr, "callback", &error);
		return 1;
	}
	const struct herald_server_options server_options =
		HERALD_SERVER_OPTIONS(.port = port, .any_port = port == 0,
				      HERALD_SERVER_PATHS(paths));
	if (herald_server_create(endpoint, &server_options, &server, &error) != HERALD_OK) {
		herald_error_print(stderr, "callback", &error);
		return 1;
	}
	printf("Enter ends it; listening on port %u\n", herald_server_port(server));
	(void)getchar();

	/* This program receives the callbacks, so it must serve until they are delivered. */
	herald_deliverer_stop(deliverer, 10000);
	herald_server_stop(server, 1000);
	herald_server_destroy(server);
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
	herald_deliverer_destroy(deliverer);
	return 0;
}
