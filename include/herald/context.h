/*
 * The context of an event: what business functions and handlers can ask and set. It is valid during
 * the call that it is passed to, on that thread only.
 */
#ifndef HERALD_CONTEXT_H
#define HERALD_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/export.h>
#include <herald/log.h>
#include <herald/message.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_arena;
struct herald_context;
struct herald_handler;
struct herald_json;
struct herald_route;
struct herald_schema;

/** The outcome of handling an event. */
enum herald_verdict {
	HERALD_DONE,  /**< Handled. HTTP: 200, or see herald/answer.h. */
	HERALD_RETRY, /**< The sender should send it again later. HTTP: 503 with Retry-After. */
	HERALD_FAIL,  /**< It must not be sent again. HTTP: 500, or the function's choice. */
};

/** What a store did with an event (herald/store.h). */
enum herald_acceptance {
	HERALD_ACCEPTANCE_NONE,      /**< Nothing: the service has no store, or the event failed. */
	HERALD_ACCEPTANCE_ACCEPTED,  /**< It is on disk, and will run. */
	HERALD_ACCEPTANCE_DUPLICATE, /**< An event with its source and id was accepted before. */
};

/** "none", "accepted", "duplicate". Static storage. */
HERALD_API const char *herald_acceptance_name(enum herald_acceptance acceptance);

/** The result of an event. It contains no pointers. */
struct herald_result {
	enum herald_verdict verdict; /**< The outcome. HERALD_DONE if a store has accepted it. */
	/** Not HERALD_OK: Herald refused it, and no function ran. HERALD_UNAUTHORIZED is of
	 * herald_unauthorized(). */
	enum herald_status status;
	/** If a store took the event: the verdict is then HERALD_DONE, and http_status 202. */
	enum herald_acceptance acceptance;
	unsigned http_status;    /**< Of herald_fail_status() or an answer; else 0. */
	uint32_t retry_after_ms; /**< Set by herald_retry_after(); else 0. */
	/**
	 * If `status` is not HERALD_OK: the error and its place. Otherwise the reason, in
	 * `message`; "" for HERALD_DONE.
	 */
	struct herald_error error;
};

/** "done", "retry", "fail". Static storage. */
HERALD_API const char *herald_verdict_name(enum herald_verdict verdict);

/**
 * Set the reason and return HERALD_RETRY: `return herald_retry(ctx, "stock service is busy");`. The
 * sender should send the event again after the endpoint's default delay. The reason is one line. It
 * is cut at 255 bytes, with "..." at the end, and unprintable characters are escaped as in JSON.
 */
HERALD_API HERALD_PRINTF(2, 3) enum herald_verdict
	herald_retry(struct herald_context *ctx, const char *format, ...);

/** The same with a delay in milliseconds. HTTP rounds it up to seconds. */
HERALD_API HERALD_PRINTF(3, 4) enum herald_verdict
	herald_retry_after(struct herald_context *ctx, uint32_t delay_ms, const char *format, ...);

/** Set the reason and return HERALD_FAIL. HTTP answers 500. */
HERALD_API HERALD_PRINTF(2, 3) enum herald_verdict
	herald_fail(struct herald_context *ctx, const char *format, ...);

/**
 * The same with an HTTP status from 400 to 599; any other value means 500:
 * `return herald_fail_status(ctx, 409, "username %s is taken", user->username);`. 401 is sent with
 * `WWW-Authenticate: Bearer` (RFC 9110 section 15.5.2); herald_context_header() sets another
 * challenge.
 */
HERALD_API HERALD_PRINTF(3, 4) enum herald_verdict
	herald_fail_status(struct herald_context *ctx, unsigned http_status, const char *format,
			   ...);

/**
 * Set the reason and return HERALD_FAIL for an event whose sender is not who it has to be, for
 * example in a handler's `receive`: `return herald_unauthorized(ctx, "the signature is wrong");`.
 * The result has status HERALD_UNAUTHORIZED. The reason is logged as a warning, and never sent.
 * HTTP answers 401, as herald_fail_status() does.
 */
HERALD_API HERALD_PRINTF(2, 3) enum herald_verdict
	herald_unauthorized(struct herald_context *ctx, const char *format, ...);

/**
 * The event's decoded envelope. The struct of an `.envelope` of your own begins with struct
 * herald_message, so you can cast the returned pointer to it:
 * `(const struct my_message *)herald_context_message(ctx)`.
 */
HERALD_API const struct herald_message *herald_context_message(const struct herald_context *ctx);

/**
 * The event's version: metadata.version, or the member at the service's `version_from`. For a
 * number, true or false it is the JSON text, such as "2.10". Other formats than the envelope say
 * themselves where these are.
 *
 * Returns  "" if missing, null, an object or an array. Valid until the event has been handled.
 */
HERALD_API const char *herald_context_version(const struct herald_context *ctx);

/** The event's id, likewise: metadata.id, or the member at `id_from`; if that is missing or empty,
 * the first attribute of the service's `id_attributes`. */
HERALD_API const char *herald_context_id(const struct herald_context *ctx);

/** The event's source, likewise: metadata.source, or the member at `source_from`. */
HERALD_API const char *herald_context_source(const struct herald_context *ctx);

/** What the event is about, likewise: metadata.subject, or the member at `subject_from`. */
HERALD_API const char *herald_context_subject(const struct herald_context *ctx);

/**
 * When the event happened: the message's timestamp. NULL if the event has none, which some formats
 * allow; the message's timestamp is then all zero. NULL until the message is decoded.
 */
HERALD_API const struct herald_time *herald_context_time(const struct herald_context *ctx);

/** The media type of the event's bytes, as sent: "application/json; charset=utf-8". NULL if
 * unknown, or if the endpoint had no need to keep it: one format, no store. */
HERALD_API const char *herald_context_content_type(const struct herald_context *ctx);

/**
 * The decoded payload: the route's struct, or in an upcaster its input. NULL before it is decoded,
 * and after an upcaster failed.
 */
HERALD_API const void *herald_context_payload(const struct herald_context *ctx);

/** The event's route; NULL before it is known. */
HERALD_API const struct herald_route *herald_context_route(const struct herald_context *ctx);

/**
 * The number of the current run: 1, 2, ... With a store, or a consumer, it counts the runs of
 * the event in all processes, including those that a crash ended. Without one it counts how often
 * the function has run (herald/retry.h).
 */
HERALD_API unsigned herald_context_attempt(const struct herald_context *ctx);

/** The reason of herald_retry() or herald_fail(); "" if the event has not failed so far. */
HERALD_API const char *herald_context_reason(const struct herald_context *ctx);

/**
 * Transport metadata of the event, such as the request header "X-Api-Key", or "?access_token", an
 * argument of the request's query (see `attributes` of herald/service.h). HTTP ignores the case of
 * names, and white space around the values of headers. It keeps only the names in an `attributes`
 * of the service, its routes, handlers or formats; asking for another one is logged once at
 * HERALD_LOG_DEBUG. If a header or an argument was sent several times, the first value is returned.
 *
 * Returns  NULL if missing, "" if empty. Valid until the event has been handled.
 */
HERALD_API const char *herald_context_attribute(const struct herald_context *ctx, const char *name);

/** Takes one attribute, valid until the event has been handled. Returns false to stop. */
typedef bool herald_attribute_visitor(const char *name, const char *value, void *state);

/**
 * Call `visit` for each attribute that is kept, in the order received. HTTP headers that were sent
 * several times come several times; their names are as sent, except with FastCGI. `state` is passed
 * to it.
 */
HERALD_API void herald_context_attributes_visit(const struct herald_context *ctx,
						herald_attribute_visitor *visit, void *state);

/**
 * Set a deadline for the event, `timeout_ms` after it came to the service. The nearest deadline
 * applies. If it has passed before the business function runs, the event is HERALD_RETRY and the
 * function does not run. A running function is never interrupted.
 */
HERALD_API void herald_context_expire_after(struct herald_context *ctx, uint32_t timeout_ms);

/** What herald_context_remaining_ms() returns without a deadline. */
#define HERALD_NO_DEADLINE UINT32_MAX

/**
 * The time until the event's deadline in milliseconds, rounded down. Use it as the timeout of what
 * you call. 0 after the deadline; HERALD_NO_DEADLINE without one.
 */
HERALD_API uint32_t herald_context_remaining_ms(const struct herald_context *ctx);

/**
 * The age of the event in milliseconds, rounded down: the time since it came to the service, plus
 * its time in a queue before (`waited_ms` of struct herald_arrival), on a monotonic clock. For the
 * time by the sender's clock see `timestamp` of the message. With a store, the age counts from the
 * beginning of the run.
 */
HERALD_API uint32_t herald_context_age_ms(const struct herald_context *ctx);

/**
 * Decode raw JSON into a struct, as strictly as the event itself and with the service's limits. The
 * JSON is a member of type struct herald_json, an entry of a map, or what herald/json.h found in
 * them:
 *
 *	struct card card;
 *	struct herald_error error;
 *
 *	if (herald_context_decode(ctx, &card_schema, &payment->details, &card, &error) != HERALD_OK)
 *		return herald_fail_status(ctx, 400, "%s", error.message);
 *
 * It may be decoded several times, into different structs: the JSON is copied first.
 *
 * schema  must live as long as the service, which prepares it at the first call.
 * json    of the event, or any other.
 * value   the struct. Set only on HERALD_OK. What it points to is valid until the event has been
 *         handled.
 * error   may be NULL. Path and offset are those in the event, or in JSON from elsewhere. There is
 *         no offset if the format copied the JSON, such as data_base64 and CloudEvents' extensions.
 * Errors  as herald_codec_decode(); HERALD_MISSING also if json->data is NULL; HERALD_BAD_SCHEMA.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_context_decode(struct herald_context *ctx, const struct herald_schema *schema,
		      const struct herald_json *json, void *value, struct herald_error *error);

/** Allocate memory that is freed after the event. NULL if out of memory or over the limit. */
HERALD_API void *herald_context_alloc(struct herald_context *ctx, size_t bytes);

/** The arena that this memory is from, for functions that take one. Do not reset it. */
HERALD_API struct herald_arena *herald_context_arena(struct herald_context *ctx);

/**
 * A slot for one pointer of this handler and this event, NULL at first. A handler that is listed
 * twice has one slot.
 *
 * Returns  NULL if the handler is not one of the event's.
 */
HERALD_API void **
herald_context_slot(struct herald_context *ctx, const struct herald_handler *handler);

/**
 * Log with the service's log hook. The event's type and version are added to the fields. `fields`
 * may be NULL if their count is 0.
 */
HERALD_API void
herald_context_log(struct herald_context *ctx, enum herald_log_level level, const char *message,
		   const struct herald_log_field *fields, size_t fields_count);

#ifdef __cplusplus
}
#endif
#endif
