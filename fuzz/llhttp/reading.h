/*
 * What a parser has read from a stream of requests, and the differences between two parsers that
 * are known. For fuzz/llhttp.c.
 */
#ifndef HERALD_FUZZ_LLHTTP_READING_H
#define HERALD_FUZZ_LLHTTP_READING_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/value.h>

/* A stream has room for fewer headers ("A:\r\n") and requests ("A / HTTP/1.0\r\n\r\n"). */
#define READING_MAX_BYTES ((size_t)4096)
#define READING_MAX_HEADERS (READING_MAX_BYTES / 4)
#define READING_MAX_REQUESTS (READING_MAX_BYTES / 16)

/* Texts are NUL-terminated, except for bodies. */
struct reading_header {
	struct herald_text name, value;
};

struct reading_request {
	struct herald_text method, target;
	unsigned major, minor; /* of the version */
	struct reading_header *headers;
	size_t headers_count;
	struct herald_text body;
	bool has_trailers; /* set by llhttp only */
};

enum reading_end {
	READING_ENDS,       /* after a request, or before the first one */
	READING_INCOMPLETE, /* within a request */
	READING_REFUSED,
	READING_UPGRADED, /* llhttp leaves what follows to its user */
};

struct reading {
	struct reading_request requests[READING_MAX_REQUESTS];
	size_t requests_count;
	struct reading_header headers[READING_MAX_HEADERS]; /* of all requests */
	size_t headers_count;
	enum reading_end end;
	bool is_within_body; /* the request after the last one has its head */
	const char *reason;  /* of a refusal; "" without one */
};

bool reading_is_same(const struct reading *a, const struct reading *b);

/*
 * Compare what Herald and llhttp have read from the same stream.
 *
 * Returns  the name of a difference that is known; "" if there is none; NULL if it is not known.
 */
const char *reading_difference(struct herald_text stream, const struct reading *ours,
			       const struct reading *theirs);

#endif
