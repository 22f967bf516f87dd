/*
 * Strict reading of chunked bodies (RFC 9112 section 7.1). Private.
 */
#ifndef HERALD_SRC_HTTP_SERVER_CHUNKS_H
#define HERALD_SRC_HTTP_SERVER_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/value.h>

/* Limit for all extensions and trailers of a body, which are dropped. */
#define HERALD__MAX_DROPPED_BYTES ((size_t)16 << 10)

enum herald__chunks_state {
	HERALD__CHUNKS_BAD,
	HERALD__CHUNKS_END,
	HERALD__CHUNK_SIZE, /* the beginning of a body, or of the next chunk */
	HERALD__CHUNK_SIZE_DIGITS,
	HERALD__CHUNK_SIZE_LF,
	HERALD__CHUNK_DATA,
	HERALD__CHUNK_DATA_CR,
	HERALD__CHUNK_DATA_LF,

	/* ";name", ";name=token" or ";name="quoted"", with blanks before and after ';' and '=' */
	HERALD__EXTENSION, /* or blanks before its ';' */
	HERALD__EXTENSION_NAME_START,
	HERALD__EXTENSION_NAME,
	HERALD__EXTENSION_NAME_END, /* blanks after the name */
	HERALD__EXTENSION_VALUE_START,
	HERALD__EXTENSION_TOKEN,
	HERALD__EXTENSION_QUOTED,
	HERALD__EXTENSION_ESCAPE, /* after a backslash in quotes */
	HERALD__EXTENSION_QUOTED_END,

	HERALD__TRAILER, /* the first byte of its name, or the CR of the last, empty line */
	HERALD__TRAILER_NAME,
	HERALD__TRAILER_VALUE, /* until the end of the line */
	HERALD__TRAILER_LF,
	HERALD__CHUNKS_LF, /* the last byte of the body */
};

/* The state of reading a chunked body. */
struct herald__chunks {
	enum herald__chunks_state state;
	uint64_t left_bytes;   /* of the chunk's data; or the size read so far */
	unsigned digits_count; /* of the chunk size */
	size_t dropped_bytes;  /* of extensions and trailers */
};

/* The beginning of a body. */
#define HERALD__CHUNKS_INIT                                                                        \
	{                                                                                          \
		.state = HERALD__CHUNK_SIZE                                                        \
	}

/* Whether the body has neither ended nor is malformed. */
static inline bool
herald__chunks_go_on(const struct herald__chunks *chunks)
{
	return chunks->state > HERALD__CHUNKS_END;
}

/*
 * Read up to the end of the next piece of data, or of the body.
 *
 * piece    set to the data, borrowed from `data`; empty if there is none.
 * Returns  the number of bytes that were read: all, or up to the end of the piece. If the body ends
 *          or is malformed, `chunks->state` shows it, and nothing after it is read.
 */
size_t herald__chunks_read(struct herald__chunks *chunks, const char *data, size_t bytes,
			   struct herald_text *piece);

#endif
