/*
 * The path of an error in a value that was skipped. Private.
 */
#ifndef HERALD_SRC_JSON_READER_SKIPPED_PATH_H
#define HERALD_SRC_JSON_READER_SKIPPED_PATH_H

#include "base/attributes.h"
#include "json/reader/reader.h"

/* Prepend the path from the value at `start` to the last error to the reader's trace. */
HERALD__COLD void herald__trace_skipped(struct herald__reader *reader, const char *start);

/* Prepend a member's name that is as in the text, with its escapes, but without its quotes. A quote
 * follows it. */
HERALD__COLD void herald__trace_raw_key(struct herald__trace *trace, const char *key, size_t bytes);

#endif
