/*
 * The dashboard: what it is of, and a request that it is answering. Private.
 */
#ifndef HERALD_SRC_ADMIN_ADMIN_H
#define HERALD_SRC_ADMIN_ADMIN_H

#include <pthread.h>
#include <stdbool.h>

#include <herald/admin.h>
#include <herald/arena.h>
#include <herald/codec.h>

#include "admin/allowance.h"
#include "base/clock.h"
#include "json/writer/indented.h"

/* What api/queues has answered, for a while. */
struct herald__kept_queues {
	pthread_mutex_t mutex; /* protects the rest */
	struct herald_buffer text;
	uint64_t until_ms; /* 0: nothing is kept */
};

struct herald_admin {
	struct herald_admin_options options; /* with defaults; texts and lists are copies */
	struct herald_allocator allocator;
	struct herald_metrics *parts; /* checks and copies the lists of the options */
	char *texts;                  /* token and name */
	size_t texts_bytes;
	struct herald_codec *action_codec; /* of the body of an action */
	struct herald__delivery_clock clock;
	uint64_t random_state; /* of the clock */
	int64_t began_ms;      /* when it was created, since 1970 */

	pthread_mutex_t mutex;                 /* protects the rest */
	struct herald__allowance wrong_tokens; /* to come */
	struct herald__allowance actions;
	bool is_asking;      /* a request waits for the store; see turn.h */
	pthread_cond_t turn; /* it no longer does; of the monotonic clock */

	struct herald__kept_queues queues;
};

/* herald_admin_create() with a clock of the caller, whose state is borrowed. `clock` NULL: the
 * system's. */
HERALD_MUST_CHECK enum herald_status
herald__admin_create(const struct herald_admin_options *options,
		     const struct herald__delivery_clock *clock, struct herald_admin **out,
		     struct herald_error *error);

/* A request that is being answered. */
struct herald__admin_call {
	struct herald_admin *admin;
	const struct herald_admin_request *request;
	const struct herald_server *server; /* that has it; NULL: unknown */
	const char *rest;                   /* of the path, for a path that ends in an asterisk */
	struct herald_admin_response *response;
	struct herald__indented json; /* writes the body */
	struct herald_arena *arena;   /* freed after the answer */
};

#endif
