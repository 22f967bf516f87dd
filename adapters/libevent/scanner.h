/*
 * Private to the libevent adapter: a strict reader of the bytes that HTTP/1 clients send (RFC
 * 9112), which stands before evhttp's lenient one. It finds where each request begins and ends, and
 * says what evhttp may see of it.
 */
#ifndef HERALD_LIBEVENT_SCANNER_H
#define HERALD_LIBEVENT_SCANNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/http_adapter.h>

enum herald__scan_state {
	SCAN_START,    /* of a request; one empty line may come before it */
	SCAN_START_LF, /* the end of that line */
	SCAN_REQUEST_LINE,
	SCAN_HEADERS,
	SCAN_LARGE_LF, /* the end of a head that declares too much, held back until the body has come */
	SCAN_LARGE_BODY,
	SCAN_BODY,
	SCAN_CHUNK_SIZE,
	SCAN_CHUNK_BLANKS,    /* after a size: only an extension may follow */
	SCAN_CHUNK_EXTENSION, /* up to the end of the line */
	SCAN_CHUNK_SIZE_LF,
	SCAN_CHUNK_DATA,
	SCAN_CHUNK_CR,
	SCAN_CHUNK_LF,
	SCAN_TRAILERS,
	SCAN_REFUSED,
};

struct herald__scanner {
	enum herald__scan_state state;
	uint64_t max_body_bytes; /* of a declared body; 0: no limit */
	uint64_t left_bytes;     /* of a body or a chunk; while a size is read, that size */
	unsigned digits_count;   /* of a chunk's size */
	size_t dropped_bytes;    /* of extensions and trailers; see SCAN_MAX_DROPPED_BYTES */
	bool drops_body;         /* evhttp would take it for the next request */
	bool skipped_line;       /* the empty one before a request */
	bool has_cr;             /* the line's CR has come */
	bool is_http10;
	struct herald_http_framing framing;
	char *line; /* as far as it has come, without its end */
	size_t line_bytes;
	size_t line_capacity;
};

/* A line of a head, and all extensions and trailers of a body, may have this many bytes. */
#define SCAN_MAX_LINE_BYTES ((size_t)64 << 10)
#define SCAN_MAX_DROPPED_BYTES ((size_t)16 << 10)

enum herald__scan_verdict {
	SCAN_GOOD,
	SCAN_BAD,       /* not HTTP, or HTTP that another reader could understand in another way */
	SCAN_TOO_LARGE, /* a head without its last, empty line: the body has too many bytes */
};

/* Of the bytes that were scanned, the first are to be passed on, those after them are not. */
struct herald__scan {
	size_t passed_bytes;
	size_t dropped_bytes;
	enum herald__scan_verdict verdict;
};

/* Begin with the first byte of a connection. */
void herald__scanner_init(struct herald__scanner *scanner, uint64_t max_body_bytes);

void herald__scanner_finish(struct herald__scanner *scanner);

/*
 * Scan what came next. It ends behind the first bytes that it drops: call it again for the rest.
 * After a verdict other than SCAN_GOOD it drops all there is.
 */
struct herald__scan
herald__scanner_run(struct herald__scanner *scanner, const char *data, size_t bytes);

#endif
