/*
 * Publishing without a store: what an event publishes is kept until its function has returned
 * HERALD_DONE, and then sent by the service's producers. The event goes on when their brokers have
 * confirmed it, or have not.
 */
#ifndef HERALD_SRC_SERVICE_DIRECT_H
#define HERALD_SRC_SERVICE_DIRECT_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/context.h>
#include <herald/status.h>

struct herald_delivery;
struct herald_service;
struct herald_service_options;
struct herald__direct_message;
struct herald__direct_load;

/* The messages of an event, in the order of the calls. Zeroed: none. */
struct herald__direct {
	struct herald__direct_message *first, *last;
	struct herald__direct_load *loads; /* of each of the service's producers; NULL: zeroes */
	bool is_open;                      /* the event's function and handlers may publish */
};

/* Read the options `producers` and max_published_bytes. Errors: HERALD_BAD_OPTION,
 * HERALD_NO_MEMORY. */
HERALD_MUST_CHECK enum herald_status
herald__direct_init(struct herald_service *service, const struct herald_service_options *options,
		    struct herald_error *error);

/* herald_publish() without a store. */
HERALD_MUST_CHECK enum herald_status
herald__direct_add(struct herald_context *ctx, const struct herald_delivery *delivery,
		   struct herald_error *error);

/*
 * Send what is not confirmed, and wait for the brokers. The reasons are logged, and the verdict has
 * one that is fit for senders.
 *
 * who      the name of the producer that has failed; set unless HERALD_DONE.
 * Returns  HERALD_DONE: all is confirmed. HERALD_FAIL: a message can never be sent. HERALD_RETRY.
 */
enum herald_verdict herald__direct_send(struct herald_context *ctx, const char **who);

/* Drop the messages after `last`; NULL: all. */
void herald__direct_cut(struct herald_context *ctx, struct herald__direct_message *last);

#endif
