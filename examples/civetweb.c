/*
 * Adds events to an existing CivetWeb server with other routes.
 *
 *	cc civetweb.c $(pkg-config --cflags --libs herald-civetweb) -o civetweb && ./civetweb
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"user_id": "12345", "username": "johndoe"}}'
 *	=> 200 {"status":"success"}
 *
 *	curl -i http://127.0.0.1:8080/hello
 *	=> 200 hello
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/civetweb.h>
#include <herald/herald.h>

struct user_created {
	const char *user_id;
	const char *username;
};

HERALD_SCHEMA(user_created,
	HERALD_FIELD(user_created, user_id, .required = true),
	HERALD_FIELD(user_created, username, .required = true));

static enum herald_verdict
on_user_created(struct herald_context *ctx, const struct user_created *user)
{
	if (printf("Welcome, %s!\n", user->username) < 0)
		return herald_retry(ctx, "the mailer is busy");
	return HERALD_DONE;
}
HERALD_FUNCTION(on_user_created, user_created);

/* A route of the existing server. */

static int
say_hello(struct mg_connection *connection, void *state)
{
	(void)state;
	mg_send_http_ok(connection, "text/plain", 5);
	mg_write(connection, "hello", 5);
	return 200;
}

/* Called before the first connection is accepted: earlier events would get 404. */
static void
add_handlers(const struct mg_context *context)
{
	herald_civetweb_attach(mg_get_user_data(context), context);
	mg_set_request_handler((struct mg_context *)context, "/hello", say_hello, NULL);
}

static struct mg_context *
start_server(struct herald_civetweb *events, uint16_t port)
{
	char address[32];
	const char *options[] = {"listening_ports", address, "enable_keep_alive", "yes", NULL};

	snprintf(address, sizeof(address), "127.0.0.1:%u", port);
	const struct mg_callbacks callbacks = {
		/* Refuses ambiguous requests, for all handlers. */
		.begin_request = herald_civetweb_begin_request,
		.init_context = add_handlers,
	};
	return mg_start(&callbacks, events, options);
}

/* Serve until SIGINT or SIGTERM. */
static bool
serve(struct herald_civetweb *events, uint16_t port)
{
	sigset_t signals;
	int number;

	/* Before threads are started, so that they inherit the mask. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	struct mg_context *context = start_server(events, port);
	if (!context)
		return false;
	fprintf(stderr, "listening on http://127.0.0.1:%u/event\n", port);
	sigwait(&signals, &number);
	pthread_sigmask(SIG_UNBLOCK, &signals, NULL); /* a second signal ends the process at once */
	herald_civetweb_stop(events, 10000);          /* first answers the open requests */
	mg_stop(context);
	return true;
}

/* Returns 0 after a message if it is not a port. Digits only, unlike strtoul(). */
static uint16_t
read_port(const char *text)
{
	unsigned long number = strtoul(text, NULL, 10);

	if (text[strspn(text, "0123456789")] == '\0' && number > 0 && number <= UINT16_MAX)
		return (uint16_t)number;
	fprintf(stderr, "civetweb: expected a port from 1 to 65535, not \"%s\"\n", text);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("user_created", user_created, on_user_created, NULL),
	};
	struct herald_service *service = NULL;
	struct herald_endpoint *endpoint = NULL;
	struct herald_civetweb *events = NULL;
	struct herald_error error = {.message = "cannot start CivetWeb"};
	uint16_t port = argc > 1 ? read_port(argv[1]) : 8080;

	if (port == 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	bool ok = herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)), &service,
					&error) == HERALD_OK &&
		  herald_endpoint_create(service, NULL, &endpoint, &error) == HERALD_OK &&
		  herald_civetweb_create(endpoint, NULL, &events, &error) == HERALD_OK &&
		  serve(events, port);
	if (!ok)
		herald_error_print(stderr, "civetweb", &error);
	herald_civetweb_destroy(events);
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
	return ok ? 0 : 1;
}
