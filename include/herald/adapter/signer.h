/*
 * For authors of signers. A signer adds headers to the requests of a deliverer (herald/delivery.h),
 * such as a signature of the body. herald/signature.h has the usual ones.
 *
 * A signer embeds struct herald_signer as its first member:
 *
 *	struct my_signer {
 *		struct herald_signer base;
 *		...
 *	};
 *
 *	static const struct herald_signer_ops my_ops = {.name = "my", .sign = my_sign};
 */
#ifndef HERALD_ADAPTER_SIGNER_H
#define HERALD_ADAPTER_SIGNER_H

#include <stddef.h>
#include <stdint.h>

#include <herald/delivery.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_signer_ops;

/** The first member of every signer. */
struct herald_signer {
	const struct herald_signer_ops *ops; /**< Its functions; set by its constructor. */
};

/** One request, as it is about to be sent. Borrowed during the call. */
struct herald_signer_request {
	/** The delivery, with its id. See `body` below for what is sent. */
	const struct herald_delivery *delivery;
	unsigned attempt;         /**< From 1. */
	int64_t time_ms;          /**< Now: milliseconds since 1970-01-01T00:00:00Z. */
	const char *content_type; /**< Of the body; NULL: there is no body. */
	const void *body;         /**< The bytes that are sent; NULL: there is no body. */
	size_t body_bytes;        /**< Their number. */
};

/** Takes a header; both texts are copied. */
typedef void herald_signer_sink(const char *name, const char *value, void *state);

/** The maximum number of headers for one request. */
#define HERALD_SIGNER_MAX_HEADERS 8

/** The functions of a signer. */
struct herald_signer_ops {
	const char *name; /**< For messages. */

	/**
	 * Pass the headers for a request to `sink`. Called before each attempt, on the deliverer's
	 * thread; several deliverers may call it at once. Must not block. The headers replace
	 * headers of the delivery and the deliverer with the same name.
	 *
	 * Returns  HERALD_OK. HERALD_NO_MEMORY: the attempt is made later. Any other status: the
	 *          delivery has failed, with the error's message.
	 */
	enum herald_status (*sign)(struct herald_signer *signer,
				   const struct herald_signer_request *request,
				   herald_signer_sink *sink, void *state,
				   struct herald_error *error);
};

#ifdef __cplusplus
}
#endif
#endif
