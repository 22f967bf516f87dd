/*
 * Content codings of requests: which ones an endpoint accepts, and the decoding of a body. Private.
 */
#ifndef HERALD_SRC_HTTP_CODING_H
#define HERALD_SRC_HTTP_CODING_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/adapter/coding.h>

#include "http/endpoint.h"

/*
 * Check and copy the endpoint's option `content_codings`, which may be NULL.
 *
 * Errors  HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 */
HERALD_MUST_CHECK enum herald_status
herald__codings_copy(struct herald_endpoint *endpoint,
		     const struct herald_content_coding *const *codings,
		     struct herald_error *error);

/*
 * Read a Content-Encoding.
 *
 * out      set to its coding; NULL: the body is not coded.
 * Returns  false if the endpoint does not accept it.
 */
bool herald__coding_find(const struct herald_endpoint *endpoint, const char *value,
			 const struct herald_content_coding **out);

/*
 * Decode the next bytes of a request's body into `request->body`.
 *
 * Errors  HERALD_TOO_LARGE: the bytes, or what comes out of them, exceed the endpoint's limit;
 *         HERALD_BAD_FORMAT, for which the error has a message; HERALD_NO_MEMORY.
 */
HERALD_MUST_CHECK enum herald_status
herald__coding_decode(struct herald_http_request *request, const char *data, size_t bytes,
		      struct herald_error *error);

/* All bytes have come: check that the body is complete, and end the decoding. Errors likewise. */
HERALD_MUST_CHECK enum herald_status
herald__coding_finish(struct herald_http_request *request, struct herald_error *error);

/* End the decoding, if it has begun. */
void herald__coding_end(struct herald_http_request *request);

#endif
