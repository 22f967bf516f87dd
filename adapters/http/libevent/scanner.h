/*
 * A strict reader of the bytes that HTTP/1 clients send (RFC 9112), run before evhttp's lenient
 * one. It finds where each request begins and ends, and decides which bytes evhttp may see. Private
 * to the libevent adapter.
 */
#ifndef HERALD_ADAPTERS_HTTP_LIBEVENT_SCANNER_H
#define HERALD_ADAPTERS_HTTP_LIBEVENT_SCANNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/http.h>

enum herald__scan_state {
	SCAN_START,    /* before a request; one empty line is allowed */
	SCAN_START_LF, /* the LF of that line */
	SCAN_REQUEST_LINE,
	SCAN_HEADERS,
	SCAN_LARGE_LF, /* the LF of a head with too large a body; withheld until all has come */
	SCAN_LARGE_BODY,
	SCAN_BODY,
	SCAN_CHUNK_SIZE,
	SCAN_CHUNK_BLANKS,   /* after a size or an extension; only an extension may follow */
	SCAN_EXTENSION_NAME, /* these are dropped */
	SCAN_EXTENSION_NAME_REST,
	SCAN_EXTENSION_NAME_END, /* after a blank */
	SCAN_EXTENSION_VALUE,
	SCAN_EXTENSION_TOKEN,
	SCAN_EXTENSION_QUOTED,
	SCAN_EXTENSION_ESCAPE, /* after a backslash in a quoted value */
	SCAN_EXTENSION_QUOTED_END,
	SCAN_CHUNK_SIZE_LF,
	SCAN_CHUNK_DATA,
	SCAN_CHUNK_CR,
	SCAN_CHUNK_LF,
	SCAN_TRAILERS,
	SCAN_REFUSED,
};

struct herald__scanner {
	enum herald__scan_state state;
	uint64_t max_body_bytes; /* for a declared length; 0: no limit */
	uint64_t left_bytes;     /* of the body or the chunk; or the chunk size read so far */
	unsigned digits_count;   /* of the chunk size */
	size_t dropped_bytes;    /* of extensions and trailers; see SCAN_MAX_DROPPED_BYTES */
	bool drops_body;         /* evhttp would read the body as the next request */
	bool skipped_line;       /* the empty line before a request was skipped */
	bool has_cr;             /* the line's CR was read */
	bool is_http10;
	struct herald_http_framing framing;
	char *line; /* what was read of it, without the line end */
	size_t line_bytes;
	size_t line_capacity;
};

/* Limits for a line of the head, and for all extensions and trailers of a body. */
#define SCAN_MAX_LINE_BYTES ((size_t)64 << 10)
#define SCAN_MAX_DROPPED_BYTES ((size_t)16 << 10)

enum herald__scan_verdict {
	SCAN_GOOD,
	SCAN_BAD,       /* not HTTP, or ambiguous */
	SCAN_TOO_LARGE, /* the body is too large; the last, empty line of its head was withheld */
};

/* The first bytes of the input are passed on; the bytes after them are dropped. */
struct herald__scan {
	size_t passed_bytes;
	size_t dropped_bytes;
	enum herald__scan_verdict verdict;
};

/* Begin with the first byte of a connection. */
void herald__scanner_init(struct herald__scanner *scanner, uint64_t max_body_bytes);

void herald__scanner_finish(struct herald__scanner *scanner);

/*
 * Scan the next bytes. Returns after the first bytes that are dropped; call it again for the rest.
 * After a verdict other than SCAN_GOOD, everything is dropped.
 */
struct herald__scan
herald__scanner_run(struct herald__scanner *scanner, const char *data, size_t bytes);

#endif
