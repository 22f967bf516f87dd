/*
 * The shortest Herald program: one event, one function, one server.
 *
 *	cc hello.c $(pkg-config --cflags --libs herald) -o hello && ./hello
 *
 *	curl -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"user_id": "12345", "username": "johndoe"}}'
 */
#include <stdio.h>

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

int
main(void)
{
	struct mailer mailer = {.out = stdout};
	const struct herald_route routes[] = {
		HERALD_ROUTE("user_created", user_created, on_user_created, &mailer),
	};
	struct herald_service *service = NULL;
	struct herald_error error;

	setvbuf(stdout, NULL, _IOLBF, 0); /* a line at a time, in a pipe as well */
	enum herald_status status = herald_service_create(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)), &service, &error);
	if (status == HERALD_OK)
		status = herald_serve(service, NULL, &error); /* until SIGINT or SIGTERM */
	if (status != HERALD_OK)
		herald_error_print(stderr, "hello", &error);
	herald_service_destroy(service);
	return status == HERALD_OK ? 0 : 1;
}
