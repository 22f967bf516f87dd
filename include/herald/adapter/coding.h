/*
 * For authors of content codings: how the body of a request is decoded (RFC 9110 section 8.4.1).
 *
 * A coding is a table of functions. An endpoint decodes the bodies of requests with the codings of
 * its option `content_codings`, and refuses all others with 415.
 */
#ifndef HERALD_ADAPTER_CODING_H
#define HERALD_ADAPTER_CODING_H

#include <stddef.h>

#include <herald/allocator.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Takes decoded bytes, which are copied.
 *
 * Errors  HERALD_TOO_LARGE: the body is larger than the endpoint accepts; HERALD_NO_MEMORY. Decode
 *         nothing more then.
 */
typedef enum herald_status herald_coding_sink(const char *data, size_t bytes, void *state);

/** A content coding. The endpoints that use it borrow it. */
struct herald_content_coding {
	/** As in Content-Encoding: "gzip". Compared ignoring case. */
	const char *name;

	/**
	 * Create a decoder for one body. Any thread; a decoder is used on one thread at a time.
	 *
	 * allocator  for all memory of the decoder; lives longer.
	 * out        set only on HERALD_OK.
	 * Errors     HERALD_NO_MEMORY.
	 */
	enum herald_status (*create)(const struct herald_allocator *allocator, void **out);

	/**
	 * Decode the next bytes and pass what comes out to `sink`, in pieces of at most 64 KiB: a
	 * request whose body would expand to gigabytes needs little memory then.
	 *
	 * error   set it with herald_error_set(); the sender sees the message.
	 * Errors  what `sink` returns; HERALD_BAD_FORMAT: the bytes are corrupt, or follow the end;
	 *         HERALD_NO_MEMORY. The decoder is then only destroyed.
	 */
	enum herald_status (*decode)(void *decoder, const char *data, size_t bytes,
				     herald_coding_sink *sink, void *sink_state,
				     struct herald_error *error);

	/**
	 * All bytes have been decoded: check that the body is complete.
	 *
	 * Errors  HERALD_BAD_FORMAT.
	 */
	enum herald_status (*finish)(void *decoder, struct herald_error *error);

	/** Free a decoder, finished or not. */
	void (*destroy)(void *decoder);
};

#ifdef __cplusplus
}
#endif
#endif
