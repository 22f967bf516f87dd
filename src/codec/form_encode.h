/*
 * Encoding of values that JSON has in a form of their own, see form_decode.h. Private.
 */
#ifndef HERALD_SRC_CODEC_FORM_ENCODE_H
#define HERALD_SRC_CODEC_FORM_ENCODE_H

#include "base/error_path.h"
#include "codec/plan.h"

/* The longest text of a value: a time in quotes, or a number in quotes. */
#define HERALD__FORM_BYTES 48

/*
 * Write a value to `out`, at most HERALD__FORM_BYTES. Returns their number, or 0 after recording an
 * error.
 */
size_t herald__encode_form(struct herald__trace *trace, const struct herald__field *field,
			   const void *in, char *out);

#endif
