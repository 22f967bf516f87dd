/*
 * Adds events to an existing libevent HTTP server with other routes. The function is slow, as with
 * a database query, so it runs on the threads of a pool and does not block the loop.
 *
 *	cc libevent.c $(pkg-config --cflags --libs herald-libevent) -o libevent && ./libevent
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
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#include <herald/herald.h>
#include <herald/libevent.h>

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
	usleep(20000);
	if (printf("Welcome, %s!\n", user->username) < 0)
		return herald_retry(ctx, "the mailer is busy");
	return HERALD_DONE;
}
HERALD_FUNCTION(on_user_created, user_created);

struct web {
	struct event_base *base;
	struct herald_libevent *adapter;
};

/* A route of the existing server. */
static void
say_hello(struct evhttp_request *request, void *state)
{
	(void)state;
	evbuffer_add_printf(evhttp_request_get_output_buffer(request), "hello");
	evhttp_send_reply(request, HTTP_OK, NULL, NULL);
}

static void
leave_loop(size_t left, void *web)
{
	(void)left; /* their senders get no response and try again */
	event_base_loopbreak(((struct web *)web)->base);
}

static void
on_signal(evutil_socket_t number, short what, void *web)
{
	(void)number, (void)what;
	signal(SIGINT, SIG_DFL); /* a second signal ends the process at once */
	signal(SIGTERM, SIG_DFL);
	herald_libevent_stop(((struct web *)web)->adapter, 10000, leave_loop, web);
}

/* Returns 0 after a message if it is not a port. Digits only, unlike strtoul(). */
static uint16_t
read_port(const char *text)
{
	unsigned long number = strtoul(text, NULL, 10);

	if (text[strspn(text, "0123456789")] == '\0' && number > 0 && number <= UINT16_MAX)
		return (uint16_t)number;
	fprintf(stderr, "libevent: expected a port from 1 to 65535, not \"%s\"\n", text);
	return 0;
}

/* Returns the exit status. */
static int
serve(uint16_t port)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("user_created", user_created, on_user_created, NULL)};
	struct web web = {.base = event_base_new()};
	struct evhttp *server = evhttp_new(web.base);
	struct event *interrupt = evsignal_new(web.base, SIGINT, on_signal, &web);
	struct event *terminate = evsignal_new(web.base, SIGTERM, on_signal, &web);
	struct herald_libevent_options options = HERALD_LIBEVENT_OPTIONS(.limit_server = true);
	struct herald_service *service = NULL;
	struct herald_endpoint *endpoint = NULL;
	struct herald_error error = {.message = "cannot listen"};

	setvbuf(stdout, NULL, _IOLBF, 0);
	evhttp_set_timeout(server, 30);
	evhttp_set_cb(server, "/hello", say_hello, NULL);
	bool ok = evhttp_bind_socket(server, "127.0.0.1", port) == 0 &&
		  event_add(interrupt, NULL) == 0 && event_add(terminate, NULL) == 0 &&
		  herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)), &service,
					&error) == HERALD_OK &&
		  herald_endpoint_create(service, NULL, &endpoint, &error) == HERALD_OK &&
		  herald_pool_create(NULL, &options.pool, &error) == HERALD_OK &&
		  herald_libevent_create(endpoint, web.base, server, &options, &web.adapter,
					 &error) == HERALD_OK;
	if (ok) {
		fprintf(stderr, "listening on http://127.0.0.1:%u/event\n", port);
		event_base_dispatch(web.base); /* until SIGINT or SIGTERM */
	} else {
		herald_error_print(stderr, "libevent", &error);
	}
	herald_pool_stop(options.pool, 0);
	herald_libevent_destroy(web.adapter);
	event_free(interrupt);
	event_free(terminate);
	evhttp_free(server);
	herald_pool_destroy(options.pool);
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
	event_base_free(web.base);
	return ok ? 0 : 1;
}

int
main(int argc, char **argv)
{
	const uint16_t port = argc > 1 ? read_port(argv[1]) : 8080;

	return port ? serve(port) : 2;
}
