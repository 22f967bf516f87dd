/*
 * Decoding of values that JSON has in a form of their own: numbers in quotes, booleans and enums as
 * numbers, times as numbers, and what `lenient` accepts. Private.
 */
#ifndef HERALD_SRC_CODEC_FORM_DECODE_H
#define HERALD_SRC_CODEC_FORM_DECODE_H

#include "codec/plan.h"
#include "json/reader/reader.h"

/* Decode the value at `at`. Returns the place after it, or NULL after recording an error. */
char *herald__decode_form(struct herald__reader *reader, char *at,
			  const struct herald__field *field, char *out);

#endif
