/*
 * Answers: what an event's sender gets besides the verdict. Without one of these functions, HTTP
 * answers HERALD_DONE with 200 {"status":"success"}.
 *
 *	static enum herald_verdict
 *	on_order(struct herald_context *ctx, const struct order_placed *order, struct shop *shop)
 *	{
 *		const struct receipt receipt = {.number = store(shop, order)};
 *
 *		herald_context_header(ctx, "Location", "/orders/17");
 *		return HERALD_DONE_JSON(ctx, 201, receipt, &receipt);
 *	}
 *
 * Functions, upcasters and handlers can set an answer. Sources of events that have no answers, such
 * as brokers, ignore it. An answer lives in the event's memory (max_arena_bytes of the service).
 *
 * The last answer is sent: an answer of the function replaces an answer of a `before`, and an
 * answer of an `after` replaces both. If the final verdict of the event is not HERALD_DONE, status
 * and body are dropped, but the headers are kept. Before a function runs again (`again` of
 * herald/handler.h), the answer is reset to what it was before the first run, including the
 * headers.
 *
 * If an answer is invalid (a status or type that is not allowed, a value that its schema refuses, a
 * body that is too large), the functions return HERALD_FAIL with HTTP status 500 and the reason,
 * which is logged. If out of memory, they return HERALD_RETRY.
 */
#ifndef HERALD_ANSWER_H
#define HERALD_ANSWER_H

#include <stddef.h>

#include <herald/context.h>
#include <herald/export.h>
#include <herald/schema.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A header of an answer. */
struct herald_answer_header {
	const char *name;  /**< A token (RFC 9110 section 5.6.2). */
	const char *value; /**< Printable, not empty, without leading or trailing blanks. */
};

/** An answer. Borrowed from the event. */
struct herald_answer {
	unsigned status;                            /**< 200 to 299; 0: none was chosen. */
	const char *content_type;                   /**< Of the body; NULL: the default body. */
	const char *body;                           /**< Not NUL-terminated. */
	size_t body_bytes;                          /**< May be 0 if content_type is set. */
	const struct herald_answer_header *headers; /**< In the order of the first calls. */
	size_t headers_count;                       /**< Each name once. */
};

/**
 * Return HERALD_DONE with an HTTP status from 200 to 299: `return herald_done_status(ctx, 202);`.
 * The body is the default one; 204 and 205 have none.
 */
HERALD_API HERALD_MUST_CHECK enum herald_verdict
herald_done_status(struct herald_context *ctx, unsigned status);

/**
 * Return HERALD_DONE with a body.
 *
 * status        200 to 299; not 204 or 205, except with 0 bytes.
 * content_type  a media type with optional parameters, limit 255 bytes; copied. NULL means
 *               "text/plain; charset=utf-8".
 * data          `bytes` bytes of any content, copied; NULL is allowed with 0 bytes. Limit
 *               max_answer_bytes of the service.
 */
HERALD_API HERALD_MUST_CHECK enum herald_verdict
herald_done_text(struct herald_context *ctx, unsigned status, const char *content_type,
		 const char *data, size_t bytes);

/**
 * Return HERALD_DONE with a struct as JSON: {"challenge":"..."}. With HERALD_DONE_JSON a value of
 * another struct does not compile.
 *
 * status  200 to 299, not 204 or 205.
 * schema  borrowed until the service is destroyed. It is checked when it is first used.
 * value   the struct, used during the call. Its JSON may have up to max_answer_bytes of the
 *         service.
 */
HERALD_API HERALD_MUST_CHECK enum herald_verdict
herald_done_json(struct herald_context *ctx, unsigned status, const struct herald_schema *schema,
		 const void *value);

#ifndef __cplusplus
/* clang-format off */

/** herald_done_json() with a pointer to a struct STRUCT, whose schema is STRUCT_schema. */
#define HERALD_DONE_JSON(CTX, STATUS, STRUCT, VALUE)                                               \
	herald_done_json((CTX), (STATUS),                                                          \
			 &STRUCT##_schema +                                                        \
				 HERALD_REFUSE_(!_Generic((VALUE), struct STRUCT *: 1,             \
							  const struct STRUCT *: 1, default: 0),   \
						"the answer must be a pointer to struct " #STRUCT), \
			 (VALUE))

/* clang-format on */
#endif

/**
 * Set a header of the event's answer. It is sent with every verdict. A later call with the same
 * name, ignoring case, replaces the value: write several values of one header as a list with commas
 * (RFC 9110 section 5.3).
 *
 * You can replace these headers: Retry-After of herald_retry(), Allow of 405, and WWW-Authenticate
 * of 401, which is "Bearer" by default.
 *
 * name     a token (RFC 9110 section 5.6.2); copied. Headers that Herald or the connection sets are
 *          refused: Connection, Content-Length, Content-Type, Date, Keep-Alive, Proxy-Connection,
 *          Status, TE, Trailer, Transfer-Encoding, Upgrade.
 * value    copied without leading and trailing blanks. NULL removes the header. Empty values and
 *          control characters, including tabs, are refused, because some HTTP servers do not send
 *          them.
 * Returns  HERALD_OK; HERALD_BAD_VALUE, HERALD_LIMIT (max_answer_headers and
 *          max_answer_headers_bytes of the service) or HERALD_NO_MEMORY: the answer is unchanged,
 *          and the reason was logged as an error.
 */
HERALD_API enum herald_status
herald_context_header(struct herald_context *ctx, const char *name, const char *value);

#ifdef __cplusplus
}
#endif
#endif
