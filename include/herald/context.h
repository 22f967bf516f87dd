/*
 * The context: one event on its way through a service, as business functions and handlers see it.
 * It is valid during the call it is passed to, on that thread.
 */
#ifndef HERALD_CONTEXT_H
#define HERALD_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#include <herald/export.h>
#include <herald/log.h>
#include <herald/message.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_context;
struct herald_handler;
struct herald_route;

/** The outcome of handling an event. */
enum herald_verdict {
	HERALD_DONE,  /**< It is done with: HTTP 200. */
	HERALD_RETRY, /**< Not now; the sender should try again later: HTTP 503 with Retry-After. */
	HERALD_FAIL,  /**< Not ever: HTTP 500, or the status that the function chose. */
};

/** How an event ended. Self-contained: it points to nothing. */
struct herald_result {
	enum herald_verdict verdict; /**< The outcome. */
	enum herald_status status;   /**< Not HERALD_OK: Herald refused it; no function saw it. */
	unsigned http_status;        /**< Chosen by herald_fail_status(); 0: none. */
	uint32_t retry_after_ms;     /**< Chosen by herald_retry_after(); 0: none. */
	/**
	 * With a status: what was wrong, and where. Else the reason in `message`, "" for HERALD_DONE.
	 */
	struct herald_error error;
};

/** "done", "retry", "fail". Static storage. */
HERALD_API const char *herald_verdict_name(enum herald_verdict verdict);

/**
 * Say why and return HERALD_RETRY: `return herald_retry(ctx, "stock service is busy");`. The sender
 * is told to come back after the endpoint's default delay. The text is one line of at
 * most 255 bytes: a longer one ends in "...", and what is unprintable is escaped as in JSON.
 */
HERALD_API HERALD_PRINTF(2, 3) enum herald_verdict
	herald_retry(struct herald_context *ctx, const char *format, ...);

/** The same, with a delay in milliseconds; HTTP rounds it up to seconds. */
HERALD_API HERALD_PRINTF(3, 4) enum herald_verdict
	herald_retry_after(struct herald_context *ctx, uint32_t delay_ms, const char *format, ...);

/** Say why and return HERALD_FAIL; HTTP answers 500. */
HERALD_API HERALD_PRINTF(2, 3) enum herald_verdict
	herald_fail(struct herald_context *ctx, const char *format, ...);

/**
 * The same, with the HTTP status to answer, 400 to 599; anything else counts as 500:
 * `return herald_fail_status(ctx, 409, "username %s is taken", user->username);`
 */
HERALD_API HERALD_PRINTF(3, 4) enum herald_verdict
	herald_fail_status(struct herald_context *ctx, unsigned http_status, const char *format,
			   ...);

/**
 * The event's message. With an envelope of one's own it is the first member of that struct, so that
 * `(const struct my_message *)herald_context_message(ctx)` is the whole of it.
 */
HERALD_API const struct herald_message *herald_context_message(const struct herald_context *ctx);

/**
 * The event's version: metadata.version, or what the service's `version_from` leads to. Of a number, true or
 * false it is the text, such as "2.10".
 *
 * Returns  "" when there is none, and for a null, an object or an array; borrowed until the event is settled.
 */
HERALD_API const char *herald_context_version(const struct herald_context *ctx);

/** The event's id, likewise: metadata.id, or by `id_from`. */
HERALD_API const char *herald_context_id(const struct herald_context *ctx);

/** Who sent the event, likewise: metadata.source, or by `source_from`. */
HERALD_API const char *herald_context_source(const struct herald_context *ctx);

/**
 * The decoded payload, of the route's struct. In an upcaster it is the one that it is given. NULL before it is
 * decoded, and after an upcaster that failed.
 */
HERALD_API const void *herald_context_payload(const struct herald_context *ctx);

/** The route taken; NULL before there is one. */
HERALD_API const struct herald_route *herald_context_route(const struct herald_context *ctx);

/** Why the event is not done so far: the text of herald_retry or herald_fail; "" when it is. */
HERALD_API const char *herald_context_reason(const struct herald_context *ctx);

/**
 * Transport metadata of the event, by its name: with HTTP a header, such as
 * "X-Api-Key". HTTP ignores the name's case and the blanks around a value, and keeps only what a
 * handler lists in its `attributes`. Where a sender may give one name several values, it is one of
 * them.
 *
 * Returns  NULL when there is none, "" for an empty one. Borrowed until the event is settled.
 */
HERALD_API const char *herald_context_attribute(const struct herald_context *ctx, const char *name);

/**
 * Give the event a deadline, `timeout_ms` after it was handed in; of several the nearest counts. When
 * it has passed before the business function would run, the event is HERALD_RETRY and the function
 * does not run. What runs is never interrupted.
 */
HERALD_API void herald_context_expire_after(struct herald_context *ctx, uint32_t timeout_ms);

/** herald_context_remaining_ms() of an event without a deadline. */
#define HERALD_NO_DEADLINE UINT32_MAX

/**
 * How long is left until the event's deadline, rounded down, for the timeouts of what a function
 * calls. 0 once it has passed; HERALD_NO_DEADLINE when there is none.
 */
HERALD_API uint32_t herald_context_remaining_ms(const struct herald_context *ctx);

/** Memory that lives until the event is settled; NULL when it is out or over the service's limit. */
HERALD_API void *herald_context_alloc(struct herald_context *ctx, size_t bytes);

/**
 * A place for one pointer that this handler keeps for this event, NULL at first. A handler that is
 * listed twice has one place.
 *
 * Returns  NULL when the handler is not one of the event's.
 */
HERALD_API void **
herald_context_slot(struct herald_context *ctx, const struct herald_handler *handler);

/**
 * Log through the service's hook, with the event's type and version added to the fields; `fields` may
 * be NULL only if their count is 0.
 */
HERALD_API void
herald_context_log(struct herald_context *ctx, enum herald_log_level level, const char *message,
		   const struct herald_log_field *fields, size_t fields_count);

#ifdef __cplusplus
}
#endif
#endif
