/*
 * Adds events to an existing Ulfius instance with other endpoints.
 *
 *	cc ulfius.c $(pkg-config --cflags --libs herald-ulfius) -o ulfius && ./ulfius
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"user_id": "12345", "username": "johndoe"}}'
 *	=> 200 {"status":"success"}
 *
 *	curl -i http://127.0.0.1:8080/hello
 *	=> 200 hello
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/herald.h>
#include <herald/ulfius.h>

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

/* An endpoint of the existing instance. */

static int
say_hello(const struct _u_request *request, struct _u_response *response, void *state)
{
	(void)request;
	(void)state;
	ulfius_set_string_body_response(response, 200, "hello");
	return U_CALLBACK_COMPLETE;
}

static bool
start_instance(struct _u_instance *instance, struct herald_endpoint *endpoint,
	       struct herald_ulfius **events, struct herald_error *error)
{
	ulfius_add_endpoint_by_val(instance, "GET", NULL, "/hello", 0, say_hello, NULL);

	/* Ulfius truncates bodies at this size. It is above the endpoint's limit, so that the
	 * endpoint refuses them. */
	instance->max_post_body_size = herald_endpoint_max_body_bytes(endpoint) + 1;
	return herald_ulfius_create(endpoint, instance, NULL, events, error) == HERALD_OK &&
	       ulfius_start_framework(instance) == U_OK;
}

/* Serve until SIGINT or SIGTERM. */
static bool
serve(struct herald_endpoint *endpoint, unsigned port, struct herald_error *error)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct herald_ulfius *events = NULL;
	struct _u_instance instance;
	sigset_t signals;
	int number;

	/* Before threads are started, so that they inherit the mask. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	if (ulfius_init_instance(&instance, port, &address, NULL) != U_OK)
		return false;
	bool ok = start_instance(&instance, endpoint, &events, error);
	if (ok) {
		fprintf(stderr, "listening on http://127.0.0.1:%u/event\n", port);
		sigwait(&signals, &number);
	}
	pthread_sigmask(SIG_UNBLOCK, &signals, NULL); /* a second signal ends the process at once */
	herald_ulfius_stop(events, 10000);            /* first answers the open requests */
	ulfius_stop_framework(&instance);
	ulfius_clean_instance(&instance);
	herald_ulfius_destroy(events);
	return ok;
}

/* Returns 0 after a message if it is not a port. Digits only, unlike strtoul(). */
static uint16_t
read_port(const char *text)
{
	unsigned long number = strtoul(text, NULL, 10);

	if (text[strspn(text, "0123456789")] == '\0' && number > 0 && number <= UINT16_MAX)
		return (uint16_t)number;
	fprintf(stderr, "ulfius: expected a port from 1 to 65535, not \"%s\"\n", text);
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
	struct herald_error error = {.message = "cannot start Ulfius"};
	uint16_t port = argc > 1 ? read_port(argv[1]) : 8080;

	if (port == 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	bool ok = herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)), &service,
					&error) == HERALD_OK &&
		  herald_endpoint_create(service, NULL, &endpoint, &error) == HERALD_OK &&
		  serve(endpoint, port, &error);
	if (!ok)
		herald_error_print(stderr, "ulfius", &error);
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
	return ok ? 0 : 1;
}
