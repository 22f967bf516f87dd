/*
 * What of a delivery is its user's own: the body, its type, and headers.
 */
#ifndef HERALD_CURL_CONTENT_H
#define HERALD_CURL_CONTENT_H

#include <stddef.h>

#include <herald/buffer.h>
#include <herald/delivery.h>
#include <herald/export.h>
#include <herald/status.h>

/*
 * The bytes that a delivery's content takes when it is copied: pointers to the headers, the headers and the
 * content type with their NULs, and the body.
 */
size_t herald__content_bytes(const struct herald_delivery *delivery);

/* The same of any whose body, type and headers have together `bytes` bytes; a default type is not among them. */
size_t herald__content_room(size_t bytes);

/*
 * Check the content of a delivery, and encode its value.
 *
 * out      a copy of the delivery, whose body is in `encoded` if there was a value; `codec` and `value`
 *          are NULL in it.
 * encoded  empty; finished by the caller.
 * error    may be NULL; its path is the member of struct herald_delivery, or that of the value.
 * Errors   HERALD_BAD_VALUE, HERALD_BAD_LENGTH, HERALD_NO_MEMORY, and those of herald_codec_encode().
 */
HERALD_MUST_CHECK enum herald_status
herald__content_read(const struct herald_deliverer_options *options,
		     const struct herald_delivery *delivery, struct herald_buffer *encoded,
		     struct herald_delivery *out, struct herald_error *error);

/*
 * Copy the content to `room`, which is aligned as a pointer and has herald__content_bytes(); the members of
 * *out are set to the copies.
 */
void herald__content_copy(const struct herald_delivery *delivery, void *room,
			  struct herald_delivery *out);

#endif
