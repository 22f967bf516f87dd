/*
 * What is signed: the parts of a scheme's template, filled in. Nothing is copied.
 */
#ifndef HERALD_SIGNATURE_CONTENT_H
#define HERALD_SIGNATURE_CONTENT_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/allocator.h>
#include <herald/signature.h>

#include "crypto.h"
#include "form.h"
#include "scheme.h"

/* What the parts are. */
struct herald__values {
	struct herald_text id;
	struct herald_text timestamp;
	struct herald_text content_type;
	const char *url;
	const void *body;
	size_t body_bytes;
};

/* A URL has three pieces. */
#define HERALD__MAX_PIECES (HERALD__MAX_PARTS + 2)

struct herald__content {
	struct herald__piece pieces[HERALD__MAX_PIECES];
	size_t count;
	struct herald__piece *port; /* the port of the URL; NULL: there is no URL */
	const char *other_port;
	struct herald__form form;
};

/*
 * Fill in the template.
 *
 * out      finish it, whatever is returned.
 * problem  set for HERALD_SIGNATURE_NO_MATCH and _MISSING; static storage.
 * Returns  HERALD_SIGNATURE_VALID; HERALD_SIGNATURE_NO_MATCH: the URL has another hash than the
 *          body's, or nothing says what the body is; _MISSING: there is no URL; _NO_MEMORY.
 */
enum herald_signature_result
herald__content_fill(const struct herald__scheme *scheme, const struct herald__values *values,
		     struct herald__content *out, const char **problem);
void herald__content_finish(const struct herald__scheme *scheme, struct herald__content *content);

/* Put the port into the URL, or take it out. Returns false if there is no URL. */
bool herald__content_other_port(struct herald__content *content);

/* All pieces in one block, because ed25519 needs them twice. */
struct herald__joined {
	const void *data;
	size_t bytes;
	void *block; /* NULL: it is in `room` */
	char room[2048];
};

/* Returns false when out of memory. */
bool herald__content_join(const struct herald_allocator *allocator,
			  const struct herald__content *content, struct herald__joined *out);
void herald__joined_finish(const struct herald_allocator *allocator, struct herald__joined *joined);

#endif
