/*
 * The adapter for zlib: bodies with Content-Encoding gzip and deflate (RFC 9110 section 8.4.1).
 *
 *	herald_endpoint_create(service,
 *			       &HERALD_ENDPOINT_OPTIONS(.content_codings = herald_zlib_codings()),
 *			       &endpoint, &error);
 *
 *	- The endpoint's max_body_bytes limits the received bytes and the decoded bytes. A body that
 *	  would expand to more gets 413 as soon as it exceeds the limit. Decoding takes about 40 KiB
 *	  of memory, from the service's allocator, until the body is complete.
 *	- gzip is RFC 1952, also named x-gzip. Several members, one after the other, are one body
 *	  (section 2.2). Checksums and lengths are checked.
 *	- deflate is the zlib format (RFC 1950), as RFC 9110 section 8.4.1.2 says. Raw deflate data
 *	  (RFC 1951), which some clients send under this name, gets 400: its beginning can look
 *	  like the header of the zlib format. Dictionaries are not accepted.
 *	- A body that is corrupt, ends too early or has bytes after its end gets 400, and the
 *	  response says where.
 */
#ifndef HERALD_ZLIB_H
#define HERALD_ZLIB_H

#include <herald/adapter/coding.h>
#include <herald/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/** gzip and deflate, then NULL, for the option `content_codings` of an endpoint. Static storage. */
HERALD_API const struct herald_content_coding *const *herald_zlib_codings(void);

#ifdef __cplusplus
}
#endif
#endif
