/*
 * Private to the server: the door, through which every connection comes in and is seen out.
 *
 * One thread listens, hands each connection to a worker (a libmicrohttpd daemon with one thread),
 * and shuts down the sockets of callers that exceed a deadline. At a stop it closes the listening
 * socket, sends idle callers away and waits for the others.
 */
#ifndef HERALD_MICROHTTPD_DOOR_H
#define HERALD_MICROHTTPD_DOOR_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <microhttpd.h>

#include <herald/log.h>
#include <herald/status.h>

#include "caller.h"

struct herald__door_options {
	const char *address;
	uint16_t port; /* 0: any. */
	size_t max_callers;
	size_t max_callers_per_ip; /* 0: no limit. */
	uint32_t header_timeout_ms;
	uint32_t body_timeout_ms;
	struct herald__worker *workers;
	size_t workers_count;
	struct herald_log log;
};

/* Bind and listen; no thread yet. */
HERALD_MUST_CHECK enum herald_status
herald__door_create(const struct herald__door_options *options, struct herald__door **out,
		    struct herald_error *error);

/* Close what is open and free; the thread must have ended, and the workers. NULL is allowed. */
void herald__door_destroy(struct herald__door *door);

uint16_t herald__door_port(const struct herald__door *door);

/* Let callers in from now on. */
HERALD_MUST_CHECK enum herald_status
herald__door_start(struct herald__door *door, struct herald_error *error);

/* Whether herald__door_stop() has been called; lives as long as the door. */
const atomic_bool *herald__door_stopping(const struct herald__door *door);

/*
 * Let nobody in any more; wait until all callers are gone or the time is up; end the thread.
 * Callers who are idle are sent away after their grace.
 */
void herald__door_stop(struct herald__door *door, uint32_t timeout_ms, uint32_t idle_grace_ms);

/* MHD_NotifyConnectionCallback; cls is the worker. */
void herald__door_notify(void *cls, struct MHD_Connection *connection, void **socket_context,
			 enum MHD_ConnectionNotificationCode toe);

/* A request is over; a stop may have waited for that. */
void herald__door_request_ended(struct herald__door *door);

#endif
