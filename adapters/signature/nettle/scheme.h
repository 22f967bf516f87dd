/*
 * A scheme: the options with their defaults, checked, and the template of what is signed, read.
 */
#ifndef HERALD_SIGNATURE_SCHEME_H
#define HERALD_SIGNATURE_SCHEME_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/arena.h>
#include <herald/signature.h>
#include <herald/value.h>

#define HERALD__MAX_SIGNATURES 32
#define HERALD__MAX_ASYMMETRIC_CHECKS 512 /* HERALD__MAX_SIGNATURES of HERALD__MAX_KEYS */
#define HERALD__MAX_KEY_TEXT 32           /* of an element, such as "v1" */
#define HERALD__MAX_SECRET_BYTES 4096     /* of a key */

enum herald__part_kind {
	HERALD__PART_TEXT,
	HERALD__PART_ID,
	HERALD__PART_TIMESTAMP,
	HERALD__PART_BODY,
	HERALD__PART_URL,
	HERALD__PART_FORM,
	HERALD__PART_COUNT,
};

struct herald__part {
	enum herald__part_kind kind;
	struct herald_text text; /* of HERALD__PART_TEXT */
};

/* Each kind but a text is there at most once, with texts around it. */
#define HERALD__MAX_PARTS (2 * HERALD__PART_COUNT)

struct herald__scheme {
	struct herald_signature_options options; /* without NULL; texts are in the arena */
	struct herald__part parts[HERALD__MAX_PARTS];
	size_t parts_count;
	bool has[HERALD__PART_COUNT]; /* whether a part of that kind is there */
	struct herald_text after_id;  /* the text after {id}; 0 bytes: none */
	bool timestamp_follows_id;    /* after that text */
	char ends_timestamp;          /* the first byte after it; 0: none */
};

/*
 * Read options into *out.
 *
 * arena   for copies of the texts; lives as long as the scheme.
 * Errors  HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 */
HERALD_MUST_CHECK enum herald_status
herald__scheme_read(const struct herald_signature_options *given, struct herald_arena *arena,
		    struct herald__scheme *out, struct herald_error *error);

/* Check that the scheme can sign: all its names are of headers, not arguments of a query. Errors:
 * HERALD_BAD_OPTION. */
HERALD_MUST_CHECK enum herald_status
herald__scheme_check_signing(const struct herald__scheme *scheme, struct herald_error *error);

/* Whether what is signed could also be split into another id and timestamp, by a part of the id
 * that looks like what follows it: "a.1" before ".1700000000". */
bool herald__scheme_id_is_ambiguous(const struct herald__scheme *scheme, struct herald_text id);

/* The longest text of one code: ed25519 in base64. */
#define HERALD__CODE_TEXT_BYTES 88

/* Write a code in the scheme's encoding. Returns its length. */
size_t herald__code_write(const struct herald__scheme *scheme, const unsigned char *code,
			  size_t bytes, char out[HERALD__CODE_TEXT_BYTES]);

#endif
