/*
 * Serves events over TLS. On SIGHUP it reads its certificate and key again, for example after they
 * were renewed; open connections go on.
 *
 *	openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost \
 *		-addext subjectAltName=DNS:localhost -out cert.pem -keyout key.pem
 *	cc tls.c $(pkg-config --cflags --libs herald-openssl) -o tls && ./tls cert.pem key.pem
 *
 *	curl -i --cacert cert.pem -H 'Content-Type: application/json' \
 *		https://localhost:8080/event -d '{
 *		"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"user_id": "12345", "username": "johndoe"}}'
 *	=> 200 {"status":"success"}
 *
 *	kill -HUP $(pidof tls)
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/herald.h>
#include <herald/openssl.h>

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

/* Until a signal other than SIGHUP. */
static void
wait_for_the_end(struct herald_tls *tls, const sigset_t *signals)
{
	struct herald_error error;
	int number = SIGHUP;

	while (number == SIGHUP) {
		sigwait(signals, &number);
		if (number == SIGHUP && herald_openssl_reload(tls, &error) != HERALD_OK)
			herald_error_print(stderr, "tls", &error);
	}
}

static enum herald_status
serve(struct herald_service *service, const char *const *files, uint16_t port,
      const sigset_t *signals, struct herald_error *error)
{
	struct herald_endpoint *endpoint = NULL;
	struct herald_tls *tls = NULL;
	struct herald_server *server = NULL;

	enum herald_status status = herald_endpoint_create(service, NULL, &endpoint, error);
	if (status == HERALD_OK)
		status = herald_openssl_create(
			&HERALD_OPENSSL_OPTIONS(.certificate = files[0], .key = files[1]), &tls,
			error);
	if (status == HERALD_OK)
		status = herald_server_create(
			endpoint, &HERALD_SERVER_OPTIONS(.tls = tls, .port = port), &server, error);
	if (status == HERALD_OK) {
		wait_for_the_end(tls, signals);
		sigprocmask(SIG_UNBLOCK, signals, NULL); /* A second one ends the process. */
		herald_server_stop(server, 10000);
	}
	herald_server_destroy(server);
	herald_openssl_destroy(tls);
	herald_endpoint_destroy(endpoint);
	return status;
}

/* Returns 0 after a message if it is not a port. Digits only, unlike strtoul(). */
static uint16_t
read_port(const char *text)
{
	unsigned long number = strtoul(text, NULL, 10);

	if (text[strspn(text, "0123456789")] == '\0' && number > 0 && number <= UINT16_MAX)
		return (uint16_t)number;
	fprintf(stderr, "tls: expected a port from 1 to 65535, not \"%s\"\n", text);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("user_created", user_created, on_user_created, NULL),
	};
	struct herald_service *service = NULL;
	struct herald_error error;
	sigset_t signals;

	if (argc < 3) {
		fprintf(stderr, "usage: tls CERTIFICATE KEY [PORT]\n");
		return 2;
	}
	uint16_t port = argc > 3 ? read_port(argv[3]) : 8080;
	if (port == 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0); /* a line at a time, in a pipe as well */
	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);

	enum herald_status status = herald_service_create(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)), &service, &error);
	if (status == HERALD_OK)
		status = serve(service, (const char *const *)argv + 1, port, &signals, &error);
	if (status != HERALD_OK)
		herald_error_print(stderr, "tls", &error);
	herald_service_destroy(service);
	return status == HERALD_OK ? 0 : 1;
}
