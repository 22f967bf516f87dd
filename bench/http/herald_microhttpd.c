/*
 * Herald on libmicrohttpd, on one thread as the other servers; the timeout is that of a benchmark that
 * holds connections without asking anything.
 *
 *	server_herald_microhttpd PORT
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <herald/herald.h>
#include <herald/microhttpd.h>

struct user_created {
	const char *user_id;
	const char *username;
};

HERALD_SCHEMA(user_created,
	HERALD_FIELD(user_created, user_id, .required = true),
	HERALD_FIELD(user_created, username, .required = true));

struct last {
	char user_id;
};

static enum herald_verdict
on_user_created(struct herald_context *ctx, const struct user_created *user, struct last *last)
{
	(void)ctx;
	last->user_id = user->user_id[0];
	return HERALD_DONE;
}
HERALD_FUNCTION(on_user_created, user_created, last);

int
main(int argc, char **argv)
{
	struct last last = {0};
	const struct herald_route routes[] = {
		HERALD_ROUTE("user_created", user_created, on_user_created, &last),
	};
	struct herald_service *service = NULL;
	struct herald_error error;
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	enum herald_status status = herald_service_create(
		&HERALD_SERVICE_OPTIONS(.routes = routes, .routes_count = HERALD_COUNT(routes)),
		&service, &error);
	if (status == HERALD_OK)
		status = herald_serve(
			service,
			&HERALD_SERVER_OPTIONS(.port = (uint16_t)(argc > 1 ? atoi(argv[1]) : 0),
					       .threads = 1, .max_connections = 12000,
					       .header_timeout_ms = 600000),
			&error);
	if (status != HERALD_OK)
		fprintf(stderr, "server_herald_microhttpd: %s\n", error.message);
	herald_service_destroy(service);
	return status == HERALD_OK ? 0 : 1;
}
