/*
 * The decoder, as documents use it. Private.
 */
#ifndef HERALD_SRC_JSON_DECODE_H
#define HERALD_SRC_JSON_DECODE_H

#include "codec.h"
#include "scan.h"

/*
 * Decode the object at `at`, which the invariant holds for, into `out`, a struct that is all zero. Returns the
 * place after it, or NULL after a failure has been recorded.
 */
char *herald__decode_object(struct herald__reader *reader, char *at,
			    const struct herald__plan *plan, char *out);

#endif
