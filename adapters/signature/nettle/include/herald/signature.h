/*
 * Signatures of webhooks show who has sent an event, and that it is unchanged. Verifies and makes
 * Standard Webhooks (v1 and v1a, also as Svix names their headers), the signatures of GitHub,
 * Stripe, Slack, Shopify, Paddle and Twilio, GitLab's token, and others like them. With nettle.
 *
 * A service that takes only signed events:
 *
 *	const char *const keys[] = {getenv("WEBHOOK_SECRET")};
 *	struct herald_handler *handlers[1];
 *
 *	herald_signature_handler_create_with(
 *		&HERALD_SIGNATURE_OPTIONS(.scheme = HERALD_SIGNATURE_STANDARD_WEBHOOKS,
 *					  HERALD_SIGNATURE_KEYS(keys)),
 *		NULL, &handlers[0], &error);
 *	herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_HANDLERS(handlers), ...), &service,
 *			      &error);
 *
 * The bytes are verified as they came, before anything is decoded, stored or compared with earlier
 * events. The rest of this header works without a service.
 */
#ifndef HERALD_SIGNATURE_H
#define HERALD_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>
#include <herald/array.h>
#include <herald/context.h>
#include <herald/export.h>
#include <herald/handler.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A scheme with its keys. Opaque. */
struct herald_signature;

/** A scheme: the defaults of the options that are not set. */
enum herald_signature_scheme {
	HERALD_SIGNATURE_CUSTOM, /**< See each option. Required: `headers.signature`. */
	/**
	 * Standard Webhooks 1.0.0: webhook-id, webhook-timestamp, webhook-signature, or svix-id and
	 * so on. Signatures are a list of "v1,..." (HMAC) and "v1a,..." (ed25519). Keys are
	 * "whsec_...", for ed25519 "whsk_..." (signs and verifies) or "whpk_..." (verifies).
	 */
	HERALD_SIGNATURE_STANDARD_WEBHOOKS,
	HERALD_SIGNATURE_GITHUB,  /**< X-Hub-Signature-256: sha256=HEX, over the body. */
	HERALD_SIGNATURE_STRIPE,  /**< Stripe-Signature: t=1700000000,v1=HEX, over `t.body`. */
	HERALD_SIGNATURE_SLACK,   /**< X-Slack-Signature: v0=HEX, over `v0:t:body`. */
	HERALD_SIGNATURE_SHOPIFY, /**< X-Shopify-Hmac-SHA256: BASE64, over the body. */
	HERALD_SIGNATURE_PADDLE,  /**< Paddle-Signature: ts=1700000000;h1=HEX, over `ts:body`. */
	/**
	 * X-Twilio-Signature: BASE64 of HMAC-SHA1, over the URL and the sorted pairs of the form,
	 * or over a URL whose query has the body's hash as bodySHA256.
	 */
	HERALD_SIGNATURE_TWILIO,
	HERALD_SIGNATURE_GITLAB, /**< X-Gitlab-Token: the key itself. */
};

/** How a signature is computed. */
enum herald_signature_code {
	HERALD_SIGNATURE_HMAC_SHA256 = 1, /**< Default. */
	HERALD_SIGNATURE_HMAC_SHA1,       /**< For old senders only. */
	HERALD_SIGNATURE_TOKEN,           /**< No code: the header has the key, a text. */
};

/** How a signature is written. Exactly one text is right for each: hexadecimal digits are lower
 * case, base64 is padded, without unused bits (RFC 4648 section 4). */
enum herald_signature_encoding {
	HERALD_SIGNATURE_HEX = 1, /**< Default. */
	HERALD_SIGNATURE_BASE64,
};

/** How a key is written in the options. */
enum herald_signature_secret {
	HERALD_SIGNATURE_SECRET_TEXT = 1, /**< Its bytes are the key. Default. */
	/** Base64 (RFC 4648 section 4, padded), with or without "whsec_" before it. Also "whsk_"
	 * and "whpk_" for ed25519, if `asymmetric_key` is set. */
	HERALD_SIGNATURE_SECRET_BASE64,
};

/**
 * The names of headers; NULL: the scheme's. "": none. For the handler they can be arguments of the
 * request's query, too: "?access_token" (see `attributes` of herald/service.h). Such a scheme
 * cannot sign.
 */
struct herald_signature_headers {
	const char *signature; /**< "webhook-signature". */
	const char *timestamp; /**< "webhook-timestamp"; see also `timestamp_key`. */
	const char *id;        /**< "webhook-id". */
};

/** `tolerance_s` and `future_tolerance_s`: any time. */
#define HERALD_SIGNATURE_ANY_TIME UINT32_MAX

/**
 * Options. Zero means the scheme's, or the default that is named. Everything is copied, strings
 * included.
 *
 * Stripe's header as options of a custom scheme:
 *
 *	.headers = {.signature = "Stripe-Signature"},  .list_separator = ',',
 *	.key_separator = '=',  .signature_key = "v1",  .timestamp_key = "t",
 *	.content = "{timestamp}.{body}"
 */
struct herald_signature_options {
	size_t struct_size; /**< Set by HERALD_SIGNATURE_OPTIONS. */

	enum herald_signature_scheme scheme; /**< Default HERALD_SIGNATURE_CUSTOM. */
	/**
	 * The keys, the newest one first; set by HERALD_SIGNATURE_KEYS. A signature of any of them
	 * is right. All of them sign if the header can hold a list, else the first one. At least 1,
	 * limit 16. herald_signature_set_keys() replaces them.
	 */
	const char *const *keys;
	size_t keys_count; /**< Number of keys. */

	struct herald_signature_headers headers; /**< Each must come exactly once. */
	/**
	 * Other names that senders use. They count if none of `headers` has come. If some of both
	 * have come, id and timestamp must be the same in both. Default none.
	 */
	struct herald_signature_headers aliases;

	char list_separator; /**< Between the elements of the signature header. Default: no list. */
	char key_separator;  /**< Between an element's key and its value. Default '='. */
	/** The key of signatures, such as "v1"; "" or NULL: elements have no key. Elements with
	 * other keys are ignored. Limit 32 bytes. */
	const char *signature_key;
	/** The key of ed25519 signatures, such as "v1a". Default: none. Limit 32 bytes. */
	const char *asymmetric_key;
	/** The key of the timestamp, which is then in the signature header, such as "t". Default:
	 * none. Limit 32 bytes. */
	const char *timestamp_key;
	unsigned max_signatures; /**< Elements of the list; above: refused. Default and limit 32. */
	/**
	 * Checks by ed25519 for one request: its ed25519 signatures times the keys for them. A
	 * check takes about 0.1 ms, and a request that needs more checks is refused. A single
	 * signature is checked with every key. Default 8, which is enough for 2 signatures and 4
	 * keys while keys are rotated; limit 512.
	 */
	unsigned max_asymmetric_checks;

	enum herald_signature_code code;         /**< Default HERALD_SIGNATURE_HMAC_SHA256. */
	enum herald_signature_encoding encoding; /**< Default HERALD_SIGNATURE_HEX. */
	enum herald_signature_secret secret;     /**< Default HERALD_SIGNATURE_SECRET_TEXT. */
	/** The fewest and most bytes of a key. Default: text 1 to 4,096, base64 24 to 64. Limit
	 * 4,096. */
	size_t min_secret_bytes;
	size_t max_secret_bytes; /**< See min_secret_bytes. */

	/**
	 * What is signed: a text with {id}, {timestamp}, {body}, {url} and {form}, each at most
	 * once. {form} is what Twilio signs of a form. Default "{body}".
	 */
	const char *content;
	/** Pairs of a form, for {form}; a form with more is refused before it is decoded. Default
	 * 1,000, limit 100,000. */
	unsigned max_form_pairs;

	/** The age in seconds up to which a timestamp is taken, or HERALD_SIGNATURE_ANY_TIME.
	 * Default 300. */
	uint32_t tolerance_s;
	/** How many seconds a timestamp may be ahead, likewise. Default: as tolerance_s. */
	uint32_t future_tolerance_s;

	struct herald_allocator allocator; /**< Zeroed: libc's. */
};

/** Options as a compound literal. */
#define HERALD_SIGNATURE_OPTIONS(...)                                                              \
	((struct herald_signature_options){.struct_size = sizeof(struct herald_signature_options), \
					   __VA_ARGS__})

/** The option `keys` and its count: `const char *const keys[] = {newest, older};`. */
#define HERALD_SIGNATURE_KEYS(ARRAY) .keys = (ARRAY), .keys_count = HERALD_COUNT(ARRAY)

/**
 * Create a scheme with its keys.
 *
 * out     set only on HERALD_OK; the caller owns it.
 * error   may be NULL; its path names the option, such as "keys[1]". A message never has a key in
 *         it.
 * Errors  HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_signature_create(const struct herald_signature_options *options,
			struct herald_signature **out, struct herald_error *error);

/**
 * Replace the keys, for example to rotate them: first add the new key on the receiving side, then
 * let the sender sign with both, and remove the old one last.
 *
 * keys    as in the options.
 * error   may be NULL; its path names the key. The old keys then stay.
 * Errors  HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 * Threads any, while others verify and sign; they never wait. When it returns, the old keys are not
 *         in use any more, and their memory was cleared.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_signature_set_keys(struct herald_signature *signature, const char *const *keys,
			  size_t keys_count, struct herald_error *error);

/** Free it. Handlers and signers that use it must be gone. NULL is allowed. */
HERALD_API void herald_signature_destroy(struct herald_signature *signature);

/** The name of a scheme, such as "standard-webhooks"; "?" for an unknown value. Static storage. */
HERALD_API const char *herald_signature_scheme_name(enum herald_signature_scheme scheme);

/** Find a scheme by its name. Returns false if there is none; *out is then unchanged. */
HERALD_API bool herald_signature_scheme_find(const char *name, enum herald_signature_scheme *out);

/** What a verification found. */
enum herald_signature_result {
	HERALD_SIGNATURE_VALID,
	HERALD_SIGNATURE_MISSING,    /**< A header is missing or empty. */
	HERALD_SIGNATURE_BAD_HEADER, /**< A header is malformed, or has come twice. */
	HERALD_SIGNATURE_TOO_OLD,    /**< The timestamp is out of tolerance. */
	HERALD_SIGNATURE_TOO_NEW,    /**< Likewise. */
	HERALD_SIGNATURE_NO_MATCH,   /**< No signature is of any of the keys. */
	HERALD_SIGNATURE_NO_MEMORY,  /**< Not known; try again. Only ed25519, forms and URLs. */
};

/** "valid", "missing", "bad_header", "too_old", "too_new", "no_match", "no_memory". */
HERALD_API const char *herald_signature_result_name(enum herald_signature_result result);

/** A request to verify. Borrowed. */
struct herald_signature_request {
	/** Calls `visit` for each header, also repeated ones. Names and values must be valid until
	 * the verification returns. */
	void (*headers_visit)(herald_attribute_visitor *visit, void *visit_state, void *state);
	void *state;       /**< Passed to headers_visit. */
	const char *url;   /**< The whole URL that was called, for {url}; else NULL. */
	const void *body;  /**< The bytes as received; a content coding was removed. */
	size_t body_bytes; /**< Their number. */
	/** Seconds since 1970-01-01T00:00:00Z when the request came; see tolerance_s. */
	int64_t now_s;
};

/**
 * Verify a request. Takes the same time for all wrong signatures of the same length.
 *
 * error    may be NULL; written unless the result is HERALD_SIGNATURE_VALID, with status
 *          HERALD_UNAUTHORIZED (or HERALD_NO_MEMORY) and the reason, which is not for the sender.
 * Threads  any. Does not block.
 */
HERALD_API HERALD_MUST_CHECK enum herald_signature_result
herald_signature_verify(struct herald_signature *signature,
			const struct herald_signature_request *request, struct herald_error *error);

/** A message to sign. Borrowed. */
struct herald_signature_message {
	const char *id;           /**< For {id}. */
	int64_t timestamp_s;      /**< Seconds since 1970-01-01T00:00:00Z, for {timestamp}. */
	const char *url;          /**< For {url}. */
	const char *content_type; /**< For {form}. */
	const void *body;         /**< The bytes that are sent. */
	size_t body_bytes;        /**< Their number. */
};

/** Takes a header that the request must have. Both texts are valid until it returns. It must not
 * call herald_signature_set_keys(). */
typedef void herald_signature_sink(const char *name, const char *value, void *state);

/**
 * Sign a message: pass the headers for it to `sink`, such as webhook-id, webhook-timestamp and
 * webhook-signature.
 *
 * sink     is not called if the call fails.
 * error    may be NULL; its path names the member of the message.
 * Errors   HERALD_BAD_VALUE: a member is missing, or the id cannot be told from the timestamp after
 *          it, as "a.1" in "a.1.1700000000". HERALD_BAD_OPTION: no key can sign (only "whpk_"),
 *          or a name of `headers` is an argument of the query. HERALD_NO_MEMORY.
 * Threads  any. Does not block.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_signature_sign(struct herald_signature *signature,
		      const struct herald_signature_message *message, herald_signature_sink *sink,
		      void *state, struct herald_error *error);

struct herald_signer;

/**
 * Get the signer of deliveries with this scheme and its keys, for the options `signer` and
 * `signers` of a deliverer and of its destinations (herald/delivery.h):
 *
 *	herald_signature_signer(signature, &options.signer, &error);
 *	herald_deliverer_create(&options, &deliverer, &error);
 *
 * Each attempt is signed anew, by the keys of that time: the id is the delivery's (the value of
 * Herald-Delivery-Id), which is the same in all attempts; the timestamp is the time of the attempt;
 * the body is signed as it is sent. Receivers usually verify a body after its content coding was
 * removed, so do not compress bodies that are signed.
 *
 * out     borrowed from the signature, which must outlive the deliverer.
 * error   may be NULL.
 * Errors  HERALD_BAD_OPTION: the scheme sends the key itself (HERALD_SIGNATURE_TOKEN), or a name of
 *         `headers` is an argument of the query.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_signature_signer(struct herald_signature *signature, struct herald_signer **out,
			struct herald_error *error);

/** Options of the handler. Zero means the default. */
struct herald_signature_handler_options {
	size_t struct_size; /**< Set by HERALD_SIGNATURE_HANDLER_OPTIONS. */
	/**
	 * For {url}: the URL that senders call, as they know it: "https://example.com/hook?a=1".
	 * Required if the scheme has {url}. If the scheme has {form}, too, as Twilio's, and the
	 * query that was called has the argument bodySHA256, this argument is added to the URL.
	 */
	const char *url;
	/** Milliseconds since 1970-01-01T00:00:00Z. Any thread. Default: the system's clock. */
	int64_t (*now_ms)(void *state);
	void *state; /**< Passed to now_ms; must outlive the handler. */
};

/** Options as a compound literal. */
#define HERALD_SIGNATURE_HANDLER_OPTIONS(...)                                                      \
	((struct herald_signature_handler_options){                                                \
		.struct_size = sizeof(struct herald_signature_handler_options), __VA_ARGS__})

/**
 * Create a handler that takes only events with a right signature. List it first in a service. Other
 * events are HERALD_FAIL with status HERALD_UNAUTHORIZED: HTTP answers 401 without a reason, and
 * the reason is logged as a warning. The time of an event is when it came, so time in a queue of
 * this process makes no event too old. With a store, an event is verified before it is stored, and
 * not again when it runs.
 *
 * signature  borrowed; must outlive the service.
 * options    NULL means the defaults.
 * out        set only on HERALD_OK; the service that gets it owns it. Without one,
 *            herald_handler_destroy() frees it.
 * error      may be NULL; its path names the option.
 * Errors     HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_signature_handler_create(struct herald_signature *signature,
				const struct herald_signature_handler_options *options,
				struct herald_handler **out, struct herald_error *error);

/**
 * herald_signature_create() and herald_signature_handler_create() in one call, for a scheme whose
 * keys do not change: the handler owns the scheme.
 *
 * scheme   as for herald_signature_create().
 * options  NULL means the defaults.
 * Errors   HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_signature_handler_create_with(const struct herald_signature_options *scheme,
				     const struct herald_signature_handler_options *options,
				     struct herald_handler **out, struct herald_error *error);

#ifdef __cplusplus
}
#endif
#endif
