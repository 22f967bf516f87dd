/*
 * Choosing the case of a tagged union by its JSON. Private.
 */
#ifndef HERALD_SRC_CODEC_CASE_DECODE_H
#define HERALD_SRC_CODEC_CASE_DECODE_H

#include "codec/plan.h"
#include "json/reader/reader.h"

/*
 * The plan for the object at `at`, by the tag in it. If the tag is missing or wrong, the plan whose
 * decoding says so. NULL after recording that the arena has no memory for the search. The
 * invariant of reader.h must hold.
 */
const struct herald__plan *
herald__choose_to_decode(struct herald__reader *reader, char *at, const struct herald__plan *plan);

#endif
