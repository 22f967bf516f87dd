/*
 * The user's part of a delivery: the body, its content type, and headers.
 */
#ifndef HERALD_SRC_DELIVERY_CONTENT_H
#define HERALD_SRC_DELIVERY_CONTENT_H

#include <stddef.h>

#include <herald/buffer.h>
#include <herald/delivery.h>
#include <herald/export.h>
#include <herald/status.h>

#define HERALD__MAX_CONTENT_TYPE_BYTES 255

struct herald__content_limits {
	size_t max_body_bytes;
	size_t max_headers_bytes;
};

/*
 * The number of bytes for a copy of a delivery's content: pointers to the headers, the headers and
 * the content type with their NULs, and the body.
 */
size_t herald__content_bytes(const struct herald_delivery *delivery);

/* The maximum of herald__content_bytes() for a body, a content type and headers of `bytes` bytes
 * together. A default type is not included in `bytes`. */
size_t herald__content_room(size_t bytes);

/*
 * Check the content of a delivery, and encode its value.
 *
 * out      a copy of the delivery, whose body is in `encoded` if there was a value; `codec` and
 *          `value` are NULL in it.
 * encoded  empty; finished by the caller.
 * error    may be NULL; its path names the member of struct herald_delivery, or the wrong value.
 * Errors   HERALD_BAD_VALUE, HERALD_BAD_LENGTH, HERALD_NO_MEMORY, and the errors of
 *          herald_codec_encode().
 */
HERALD_MUST_CHECK enum herald_status
herald__content_read(const struct herald__content_limits *limits,
		     const struct herald_delivery *delivery, struct herald_buffer *encoded,
		     struct herald_delivery *out, struct herald_error *error);

/*
 * Copy the content to `room`, which must be aligned for pointers and have herald__content_bytes().
 * The members of *out are set to the copies.
 */
void herald__content_copy(const struct herald_delivery *delivery, void *room,
			  struct herald_delivery *out);

#endif
