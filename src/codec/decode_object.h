/*
 * The decoder of objects, for documents. Private.
 */
#ifndef HERALD_SRC_CODEC_DECODE_OBJECT_H
#define HERALD_SRC_CODEC_DECODE_OBJECT_H

#include "codec/plan.h"
#include "json/reader/reader.h"

/*
 * Decode the object at `at`, or the value of a transparent schema, into `out`, a struct
 * that must be all zero. The invariant must hold.
 * Returns the place after it, or NULL after recording an error.
 */
char *herald__decode_object(struct herald__reader *reader, char *at,
			    const struct herald__plan *plan, char *out);

#endif
