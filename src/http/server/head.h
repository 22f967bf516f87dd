/*
 * The head of an HTTP/1 request, read strictly (RFC 9112): the request line and the headers.
 * Private.
 */
#ifndef HERALD_SRC_HTTP_SERVER_HEAD_H
#define HERALD_SRC_HTTP_SERVER_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/adapter/http.h>
#include <herald/context.h>
#include <herald/value.h>

struct herald__header {
	struct herald_text name;
	struct herald_text value; /* without the blanks around it */
};

/* How many of the bytes go on with a text, such as a header's value. */
typedef size_t herald__span(const char *data, size_t bytes);

/* A head. All texts are borrowed from the bytes that it was read from, with a NUL after each. */
struct herald__head {
	struct herald_text method;
	struct herald_text target;
	struct herald_text path;  /* the target's, or "/"; without a NUL after it */
	struct herald_text query; /* after the target's '?' */
	bool is_http10;
	bool keeps_alive; /* as far as the client says */
	struct herald_http_framing framing;
	struct herald__header *headers; /* storage for max_headers of them; set by the caller */
	size_t headers_count;
	/* Incomplete: bytes of this span neither complete the head nor are refused, as long as
	 * there are at most `span_end` bytes in all. NULL: there are no such bytes. */
	herald__span *span;
	size_t span_end;
};

struct herald__head_limits {
	size_t max_bytes;        /* of the whole head */
	size_t max_target_bytes; /* of the request's target */
	size_t max_headers;
	bool is_secured; /* The scheme of a target may be https. */
	/* A valid target, which nearly all requests have: it is not checked again. May be empty. */
	struct herald_text usual_target;
};

/* Why a request is refused: a static text of one line. */
struct herald__refusal {
	unsigned status; /* 0: it is not refused */
	const char *text;
};

/*
 * Read a head, if all of it is there. One empty line may come before it (RFC 9112 section 2.2).
 * What follows the first max_bytes bytes makes no difference.
 *
 * head     `headers` is set and the rest zeroed; all is set if the head is complete, and `method`
 *          as soon as the space after it is there.
 * data     changed only if the head is complete: a NUL is written after each text.
 * refusal  set if the bytes cannot become a head that has one reading, or exceed a limit.
 * Returns  the number of bytes of the head; 0 if it is refused or incomplete.
 */
size_t herald__head_read(struct herald__head *head, const struct herald__head_limits *limits,
			 char *data, size_t bytes, struct herald__refusal *refusal);

/* Whether the method is HEAD. */
bool herald__head_is_head(const struct herald__head *head);

/* The value of the first header with this name, ignoring case; NULL if there is none. */
const char *herald__head_find(const struct herald__head *head, const char *name);

/* Call `visit` for each header, in their order, until it returns false. */
void
herald__head_visit(const struct herald__head *head, herald_attribute_visitor *visit, void *state);

#endif
