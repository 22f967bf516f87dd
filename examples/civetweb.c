/*
 * Events beside the routes of a CivetWeb server that is there already.
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

#include <herald/civetweb.h>
#include <herald/herald.h>

struct user_created {
	const char *user_id;
	const char *username;
};

HERALD_SCHEMA(user_created,
	HERALD_FIELD(user_created, user_id, .required = true),
	HERALD_FIELD(user_created, username, .required = true));

struct mailer {
	FILE *out;
};

static enum herald_verdict
on_user_created(struct herald_context *ctx, const struct user_created *user, struct mailer *mailer)
{
	if (fprintf(mailer->out, "Welcome, %s!\n", user->username) < 0)
		return herald_retry(ctx, "the mailer is busy");
	return HERALD_DONE;
}
HERALD_FUNCTION(on_user_created, user_created, mailer);

/* The server that was there before. */

static int
say_hello(struct mg_connection *connection, void *state)
{
	(void)state;
	mg_send_http_ok(connection, "text/plain", 5);
	mg_write(connection, "hello", 5);
	return 200;
}

static struct mg_context *
start_server(const char *port)
{
	char address[32];
	const char *options[] = {"listening_ports", address, "enable_keep_alive", "yes", NULL};

	snprintf(address, sizeof(address), "127.0.0.1:%s", port);
	/* Refuses, for all handlers, what could be read in two ways. */
	const struct mg_callbacks callbacks = {.begin_request = herald_civetweb_begin_request};
	struct mg_context *context = mg_start(&callbacks, NULL, options);
	if (context)
		mg_set_request_handler(context, "/hello", say_hello, NULL);
	return context;
}

/* Serve until SIGINT or SIGTERM. */
static bool
serve(struct herald_http *http, const char *port, struct herald_error *error)
{
	struct herald_civetweb *events = NULL;
	sigset_t signals;
	int number;

	/* Before there are threads, so that none of them gets one. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	struct mg_context *context = start_server(port);
	if (!context)
		return false;
	bool ok = herald_civetweb_attach(context, "/event", http, &events, error) == HERALD_OK;
	if (ok) {
		fprintf(stderr, "listening on http://127.0.0.1:%s/event\n", port);
		sigwait(&signals, &number);
	}
	pthread_sigmask(SIG_UNBLOCK, &signals, NULL); /* a second one ends the process at once */
	herald_http_stop(http, 10000);                /* what is in flight is answered first */
	mg_stop(context);
	herald_civetweb_destroy(events);
	return ok;
}

int
main(int argc, char **argv)
{
	struct mailer mailer = {.out = stdout};
	const struct herald_route routes[] = {
		HERALD_ROUTE("user_created", user_created, on_user_created, &mailer),
	};
	struct herald_service *service = NULL;
	struct herald_http *http = NULL;
	struct herald_error error = {.message = "cannot start CivetWeb"};

	setvbuf(stdout, NULL, _IOLBF, 0);
	bool ok = herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)), &service,
					&error) == HERALD_OK &&
		  herald_http_create(service, NULL, &http, &error) == HERALD_OK &&
		  serve(http, argc > 1 ? argv[1] : "8080", &error);
	if (!ok)
		herald_error_print(stderr, "civetweb", &error);
	herald_http_destroy(http);
	herald_service_destroy(service);
	return ok ? 0 : 1;
}
