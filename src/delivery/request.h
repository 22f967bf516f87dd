/*
 * The request of one attempt: Herald's own headers and body, and the user's headers.
 */
#ifndef HERALD_SRC_DELIVERY_REQUEST_H
#define HERALD_SRC_DELIVERY_REQUEST_H

#include <stddef.h>

#include <herald/adapter/transport.h>
#include <herald/allocator.h>
#include <herald/buffer.h>
#include <herald/codec.h>
#include <herald/export.h>
#include <herald/schema.h>
#include <herald/status.h>
#include <herald/trace.h>

#include "delivery/headers.h"
#include "delivery/item.h"
#include "delivery/signing.h"

/* Six headers. Escaping makes each value up to three times as long. */
#define HERALD__OWN_HEADERS_BYTES                                                                  \
	(3 * (HERALD__EVENT_TYPE_BYTES + HERALD__EVENT_ID_BYTES + HERALD__RESULT_BYTES +           \
	      HERALD__ERROR_BYTES) +                                                               \
	 HERALD__DELIVERY_ID_BYTES + 256)

/* The memory that an attempt points to; reused for later attempts. */
struct herald__request {
	struct herald_buffer headers; /* pointers to headers */
	struct herald_buffer body;
	/* A header of this attempt, "traceparent: ...", which replaces the delivery's; "": none. */
	char traceparent[sizeof("traceparent: ") + HERALD_TRACEPARENT_SIZE];
	struct herald__signed signatures;
	size_t own_bytes;
	char own_headers[HERALD__OWN_HEADERS_BYTES];
};

/* The schema of Herald's body. Pass a codec of it to herald__request_write(). */
HERALD_SCHEMA_DECLARE(herald__request_body);

/* Initialise all to zero. `allocator` is for what does not fit. */
void
herald__request_init(struct herald__request *request, const struct herald_allocator *allocator);
void herald__request_finish(struct herald__request *request);

/* What the requests of a deliverer have, besides the deliveries. */
struct herald__request_settings {
	const struct herald_codec *codec;       /* for Herald's body; NULL: it is not sent */
	const struct herald__header_list *more; /* headers */
	struct herald_signer *signer;           /* NULL: none */
	int64_t time_ms;                        /* for the signer */
};

/*
 * Write the request of the item's attempt. Its headers come from the signer, the request's
 * traceparent, which is set before, the delivery, and `more`; each replaces later ones of the same
 * name. Herald's body is used if the delivery has none.
 *
 * out     its members from `method` to `body_bytes` are set; they point to the request, the item
 *         and the settings.
 * Errors  HERALD_NO_MEMORY; the signer's, with a message.
 */
HERALD_MUST_CHECK enum herald_status
herald__request_write(struct herald__request *request, const struct herald__queued *item,
		      const struct herald__request_settings *settings, struct herald_attempt *out,
		      struct herald_error *error);

#endif
