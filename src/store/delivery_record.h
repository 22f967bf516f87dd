/*
 * Deliveries in a database: checked when they are published, as a deliverer checks them, and
 * written as bytes.
 */
#ifndef HERALD_SRC_STORE_DELIVERY_RECORD_H
#define HERALD_SRC_STORE_DELIVERY_RECORD_H

#include <stddef.h>

#include <herald/allocator.h>
#include <herald/buffer.h>
#include <herald/delivery.h>
#include <herald/export.h>
#include <herald/status.h>
#include <herald/value.h>

#include "delivery/broker_url.h"
#include "delivery/headers.h"
#include "delivery/item.h"
#include "delivery/trace_headers.h"
#include "delivery/url.h"

/* A delivery that may be stored. */
struct herald__checked_delivery {
	/* `codec` is NULL; a missing id is NULL; the texts are those below. Body, content type and
	 * headers are borrowed, or in `encoded`. */
	struct herald_delivery delivery;
	char origin[HERALD__ORIGIN_BYTES];
	char event_type[HERALD__EVENT_TYPE_BYTES];
	char event_id[HERALD__EVENT_ID_BYTES];
	char result[HERALD__RESULT_BYTES];
	char error[HERALD__ERROR_BYTES];
	struct herald_buffer encoded; /* the value */
	struct herald__traced_delivery traced;
	struct herald__addressed addressed;
};

/*
 * Check a delivery and encode its value. The syntax of the URL is checked, and limits that no
 * deliverer exceeds. What only some deliverers allow, such as a private address, is checked when
 * one takes the delivery.
 *
 * max_body_bytes  limit of the body.
 * out             must be finished, also after an error.
 * error           may be NULL; its path names the member, or the place in the value.
 * Errors          HERALD_BAD_VALUE, HERALD_BAD_LENGTH, HERALD_NO_MEMORY; the errors of
 *                 herald_codec_encode().
 */
HERALD_MUST_CHECK enum herald_status
herald__delivery_check(const struct herald_delivery *delivery, size_t max_body_bytes,
		       const struct herald_allocator *allocator,
		       struct herald__checked_delivery *out, struct herald_error *error);
void herald__delivery_check_finish(struct herald__checked_delivery *checked);

/*
 * Append a delivery as a record: its result, error, content type, headers and body. A database has
 * the others in columns of their own.
 *
 * delivery  checked, without a codec.
 * Errors    HERALD_TOO_LARGE (the buffer's limit), HERALD_NO_MEMORY. `out` is then unchanged.
 */
HERALD_MUST_CHECK enum herald_status
herald__delivery_record_write(const struct herald_delivery *delivery, struct herald_buffer *out);

/*
 * Read a record. Its structure is checked, so that any bytes are safe to read. The contents are
 * checked when a deliverer takes the delivery.
 *
 * headers  room for the pointers to the headers.
 * out      the members that a record has; the others are NULL. Borrowed from the record.
 * error    the offset is the wrong byte of the record.
 * Errors   HERALD_BAD_FORMAT.
 */
HERALD_MUST_CHECK enum herald_status
herald__delivery_record_read(struct herald_text record, const char *headers[HERALD__MAX_HEADERS],
			     struct herald_delivery *out, struct herald_error *error);

#endif
