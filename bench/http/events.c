/*
 * The function that the servers of the http cases call for an event, with any adapter.
 */
#include "events.h"

#include <stdlib.h>
#include <sys/resource.h>

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

static void
allow_all_sockets(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

enum herald_status
bench_service_create(struct herald_service **out, struct herald_error *error)
{
	static struct last last;
	const struct herald_route routes[] = {
		HERALD_ROUTE("user_created", user_created, on_user_created, &last),
	};

	allow_all_sockets();
	return herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)), out, error);
}

uint16_t
bench_port(int argc, char **argv)
{
	return (uint16_t)(argc > 1 ? atoi(argv[1]) : 0);
}
