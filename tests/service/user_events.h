/*
 * A service for users. Include cmocka.h before this header.
 */
#ifndef HERALD_TESTS_SERVICE_USER_EVENTS_H
#define HERALD_TESTS_SERVICE_USER_EVENTS_H

#include <herald/service.h>

#include "support/events.h"

struct user {
	const char *user_id;
	const char *username;
};
HERALD_SCHEMA(user, HERALD_FIELD(user, user_id, .required = true), HERALD_FIELD(user, username));

static inline enum herald_verdict
on_user(struct herald_context *ctx, const struct user *user, void *state)
{
	(void)ctx;
	(void)state;
	note("%s:%s", user->user_id, user->username ? user->username : "NULL");
	return HERALD_DONE;
}

static inline enum herald_verdict
on_user_erased(struct herald_context *ctx, const void *payload, void *state)
{
	return on_user(ctx, payload, state);
}

#define USER_ROUTE(...)                                                                            \
	{                                                                                          \
		.schema = &user_schema, .function = on_user_erased, __VA_ARGS__                    \
	}

static const struct herald_route user_routes[] = {USER_ROUTE(.event_type = "user")};

#define USER_OPTIONS(...)                                                                          \
	HERALD_SERVICE_OPTIONS(HERALD_ROUTES(user_routes), .log = debug_log, __VA_ARGS__)

static inline enum herald_verdict
only_fail(struct herald_context *ctx, const void *payload, void *state)
{
	(void)ctx;
	(void)payload;
	(void)state;
	return HERALD_FAIL;
}

#endif
