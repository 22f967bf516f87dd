/*
 * Events behind nginx with FastCGI, next to the program's own route.
 *
 *	cc fastcgi.c $(pkg-config --cflags --libs herald-fastcgi) -o fastcgi
 *	./fastcgi /tmp/herald.socket
 *
 * In the configuration of nginx, with "listen 127.0.0.1:8080" and "keepalive_timeout 0"
 * (docs/adapters.md explains why):
 *
 *	location / {
 *		include fastcgi_params;
 *		fastcgi_pass unix:/tmp/herald.socket;
 *		fastcgi_ignore_client_abort on;
 *	}
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
#include <unistd.h>

#include <herald/fastcgi.h>
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

/* The program's own route. */
static void
say_hello(FCGX_Request *request, void *state)
{
	(void)state;
	FCGX_PutS("Content-Type: text/plain\r\n\r\nhello", request->out);
}

/* Serve until SIGINT or SIGTERM. */
static bool
serve(struct herald_endpoint *endpoint, int fd, struct herald_error *error)
{
	struct herald_fastcgi *fastcgi = NULL;
	sigset_t signals;
	int number;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	if (herald_fastcgi_create(endpoint,
				  &HERALD_FASTCGI_OPTIONS(.listen_fd = fd, .other = say_hello),
				  &fastcgi, error) != HERALD_OK)
		return false;
	fprintf(stderr, "waiting for a web server\n");
	sigwait(&signals, &number);
	signal(SIGTERM, SIG_DFL);                     /* libfcgi has a handler for it */
	pthread_sigmask(SIG_UNBLOCK, &signals, NULL); /* a second signal ends the process at once */
	herald_fastcgi_stop(fastcgi, 10000);          /* answers the open requests */
	herald_fastcgi_destroy(fastcgi);
	return true;
}

int
main(int argc, char **argv)
{
	struct mailer mailer = {.out = stdout};
	const struct herald_route routes[] = {
		HERALD_ROUTE("user_created", user_created, on_user_created, &mailer),
	};
	struct herald_service *service = NULL;
	struct herald_endpoint *endpoint = NULL;
	struct herald_error error = {.message = "cannot listen"};

	setvbuf(stdout, NULL, _IOLBF, 0);
	FCGX_Init();
	int fd = FCGX_OpenSocket(argc > 1 ? argv[1] : "/tmp/herald.socket", 128);
	bool ok = fd >= 0 &&
		  herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)), &service,
					&error) == HERALD_OK &&
		  herald_endpoint_create(service, NULL, &endpoint, &error) == HERALD_OK &&
		  serve(endpoint, fd, &error);
	if (!ok)
		herald_error_print(stderr, "fastcgi", &error);
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
	close(fd);
	return ok ? 0 : 1;
}
