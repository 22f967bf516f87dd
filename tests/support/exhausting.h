/*
 * Documents for which there is not enough memory, or of which only the beginning is there. Include
 * cmocka.h (and what it needs) before this header.
 */
#ifndef HERALD_TESTS_SUPPORT_EXHAUSTING_H
#define HERALD_TESTS_SUPPORT_EXHAUSTING_H

#include <herald/codec.h>

/*
 * Decode and encode a good document when the n-th allocation fails, for every n, and decode it with
 * every limit of the arena that is too small: the right error each time, the struct unchanged,
 * nothing leaks.
 */
void exhaust_memory(const struct herald_schema *schema, const char *text);

/* Decode each beginning of a good document, which ends at inaccessible memory: an error each time,
 * except that a beginning of a number may be a number. */
void cut_document(const struct herald_schema *schema, const struct herald_limits *limits,
		  const char *text);

#endif
