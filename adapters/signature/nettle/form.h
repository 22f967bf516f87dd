/*
 * What Twilio signs: a URL, with or without its port, and a form's pairs, sorted.
 */
#ifndef HERALD_SIGNATURE_FORM_H
#define HERALD_SIGNATURE_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/allocator.h>
#include <herald/status.h>
#include <herald/value.h>

/* Names and values of a form, decoded, sorted, each pair once, one after the other. */
struct herald__form {
	void *block; /* NULL: nothing was allocated */
	size_t block_bytes;
	struct herald_text text; /* in the block */
};

/* Whether a media type is application/x-www-form-urlencoded, with or without parameters. */
bool herald__form_is_type(struct herald_text content_type);

/* Decode a form. Takes memory of 2 * `bytes` and 32 bytes for each pair, at most max_pairs.
 * Errors: HERALD_LIMIT (more pairs), HERALD_NO_MEMORY. */
enum herald_status herald__form_read(const struct herald_allocator *allocator, size_t max_pairs,
				     const void *body, size_t bytes, struct herald__form *out);
void herald__form_finish(const struct herald_allocator *allocator, struct herald__form *form);

/* A URL in pieces. Senders sign it with the port or without it, not always as they call it. */
struct herald__url_pieces {
	struct herald_text before; /* "https://example.com" */
	struct herald_text port;   /* ":8443", or 0 bytes */
	struct herald_text after;  /* "/hook?a=1" */
	const char *other_port;    /* the other way: ":443", or "" if there is a port */
};

void herald__url_split(const char *url, struct herald__url_pieces *out);

/* The value of bodySHA256 in the URL's query; false: there is none. */
bool herald__url_body_hash(const char *url, struct herald_text *out);

#endif
