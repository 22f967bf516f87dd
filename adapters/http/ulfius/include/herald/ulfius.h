/*
 * The adapter for Ulfius: takes events at a path of your instance, next to its other endpoints.
 *
 *	instance.max_post_body_size = herald_endpoint_max_body_bytes(endpoint) + 1;
 *	herald_ulfius_create(endpoint, &instance, NULL, &ulfius, &error);
 *	ulfius_start_framework(&instance);
 *
 * At the end, call in this order: herald_ulfius_stop(), ulfius_stop_framework(),
 * ulfius_clean_instance(), herald_ulfius_destroy(), herald_endpoint_destroy(),
 * herald_service_destroy(). Ulfius cuts off unanswered requests when it stops, so
 * herald_ulfius_stop() waits for the events in flight before.
 *
 * Ulfius collects a body before it calls the adapter, and silently truncates it at
 * max_post_body_size; 0 means unlimited. Set it above the endpoint's max_body_bytes, so that a
 * truncated body is still too large for the endpoint.
 *
 * Limitations of Ulfius (2.7.13):
 *
 *	- It reads a whole body even if it will be refused for its type or method, and always
 *	  answers Expect: 100-continue with 100. A chunked body over the limit is refused at its
 *	  end.
 *	- A request with a Transfer-Encoding other than chunked is read until its client
 *	  disconnects or the instance's timeout has passed.
 *	- It joins the values of headers with the same name by commas.
 *	- It cannot refuse new connections while it answers the others: herald_ulfius_stop()
 *	  answers new events with 503 when its grace is over.
 *
 * Each connection has a thread; only the system limits their number.
 */
#ifndef HERALD_ULFIUS_H
#define HERALD_ULFIUS_H

#include <stddef.h>
#include <stdint.h>

#include <ulfius.h>

#include <herald/endpoint.h>
#include <herald/export.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Events at a path of an instance. */
struct herald_ulfius;

/** Options. Zero means the default; everything is copied. */
struct herald_ulfius_options {
	size_t struct_size; /**< Set by HERALD_ULFIUS_OPTIONS. */

	/** As Ulfius has it, such as "/event/:tenant"; without escapes. Default "/event". */
	const char *path;
	/**
	 * How long a stop continues to answer requests on open connections, with "Connection:
	 * close". Default 250, or half of `drain_ms` if that is less; limit `drain_ms`.
	 */
	uint32_t idle_grace_ms;
};

/** Options as a compound literal: HERALD_ULFIUS_OPTIONS(.path = "/events"). */
#define HERALD_ULFIUS_OPTIONS(...)                                                                 \
	((struct herald_ulfius_options){.struct_size = sizeof(struct herald_ulfius_options),       \
					__VA_ARGS__})

/**
 * Take events at a path of an instance: an endpoint for all methods, of priority 0.
 *
 * endpoint  borrowed; must outlive the instance's run.
 * instance  borrowed; its max_post_body_size must be 0, which means unlimited, or larger than the
 *           endpoint's, and stay so.
 * options   NULL means the defaults.
 * out       set only on HERALD_OK; the caller owns it, and destroys it when the instance has
 *           stopped.
 * error     may be NULL; its path names what was wrong.
 * Errors    HERALD_BAD_OPTION: the size, or a path that is taken or could not match;
 *           HERALD_NO_MEMORY.
 * Threads   the one that starts the instance, before it does. The business function runs on the
 *           connections'.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_ulfius_create(struct herald_endpoint *endpoint, struct _u_instance *instance,
		     const struct herald_ulfius_options *options, struct herald_ulfius **out,
		     struct herald_error *error);

/**
 * Stop taking events: see "Stopping" in herald/endpoint.h. New connections are taken until
 * ulfius_stop_framework(), which you call next; it cuts off what is not answered. NULL is allowed.
 *
 * Returns  the number of its requests that are still open.
 * Threads  any, but not from a function of the service.
 */
HERALD_API size_t herald_ulfius_stop(struct herald_ulfius *ulfius, uint32_t drain_ms);

/** Free it, after ulfius_stop_framework(). NULL is allowed. */
HERALD_API void herald_ulfius_destroy(struct herald_ulfius *ulfius);

#ifdef __cplusplus
}
#endif
#endif
