/*
 * The headers of a request that matter for its signature: found among all, each once, and read.
 */
#ifndef HERALD_SIGNATURE_HEADERS_H
#define HERALD_SIGNATURE_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/signature.h>
#include <herald/value.h>

#include "scheme.h"

/* An element of a signature header that may be a signature. */
struct herald__candidate {
	struct herald_text text;
	bool is_asymmetric;
};

/* What the headers say. Borrowed from them. */
struct herald__claim {
	struct herald_text id;        /* 0 bytes: the scheme has none */
	struct herald_text timestamp; /* as it was sent; likewise */
	int64_t timestamp_s;
	bool is_before_1970; /* timestamp_s is then 0 */
	struct herald_text content_type;
	struct herald__candidate candidates[HERALD__MAX_SIGNATURES];
	size_t candidates_count; /* may be 0 */
};

/* A header that is found besides the ones of the options. */
#define HERALD__CONTENT_TYPE "Content-Type"

/*
 * Find and read the headers.
 *
 * Returns  HERALD_SIGNATURE_VALID, _MISSING, _BAD_HEADER or _NO_MATCH (an id that cannot be told
 *          from the timestamp after it); the error is set unless it is valid.
 */
enum herald_signature_result
herald__claim_read(const struct herald__scheme *scheme,
		   const struct herald_signature_request *request, struct herald__claim *out,
		   struct herald_error *error);

/* Set the error of a verification, and return the result. */
HERALD_PRINTF(3, 4)
enum herald_signature_result
herald__signature_refuse(struct herald_error *error, enum herald_signature_result result,
			 const char *format, ...);

#endif
