/*
 * Checking of values that are left as they are. Private.
 */
#ifndef HERALD_SRC_JSON_READER_SCAN_H
#define HERALD_SRC_JSON_READER_SCAN_H

#include "json/reader/reader.h"

/* Check the value at `at` and leave it as it is. Returns the place after it, or NULL. */
char *herald__skip_value(struct herald__reader *reader, char *at);

/*
 * Record what is wrong with a document for which the decoder's invariant does not hold: it does not
 * begin or not end with the brackets of `expected`, such as "an object". `at` is its first byte
 * that is not white space, or its end. Returns NULL.
 */
HERALD__COLD char *
herald__fail_document(struct herald__reader *reader, char *at, const char *expected);

/*
 * Begin a document that is in `brackets`, "{}" or "[]": skip the white space around it, and
 * establish the decoder's invariant. Returns the place of the first bracket, or NULL.
 */
char *herald__document_begin(struct herald__reader *reader, const char *brackets);

/* Check that the document ends at `at`. Returns `at`, or NULL. */
char *herald__document_end(struct herald__reader *reader, char *at);

/*
 * The place after the bracket that closes the one at `at`, or NULL. Looks only at brackets, quotes
 * and backslashes; it does not check that the value is valid.
 */
char *herald__skip_brackets(char *at, char *end);

/*
 * The place after the value at `at`, which is not the end, or NULL. Like herald__skip_brackets(),
 * it does not check that the value is valid: without quotes and brackets, it ends before ',', ']'
 * or white space.
 */
char *herald__skip_balanced(char *at, char *end);

/*
 * Check that `data` is one JSON value, with only white space around it. On failure, records the
 * error in `trace` and returns false.
 */
bool herald__check_json(const char *data, size_t bytes, const struct herald_limits *limits,
			struct herald__trace *trace);

#endif
