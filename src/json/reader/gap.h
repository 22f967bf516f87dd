/*
 * Skipping the white space before a member or an element of indented JSON. Private.
 *
 * Indented text has the same line break and indentation before every member of an object. How long
 * it is can be guessed, and a guess that is compared with the text is faster than counting: where
 * the next token begins is then known before the comparison ends.
 */
#ifndef HERALD_SRC_JSON_READER_GAP_H
#define HERALD_SRC_JSON_READER_GAP_H

#include "json/reader/reader.h"

/* herald__skip_gap() where there is white space. */
char *herald__skip_guessed(struct herald__reader *reader, char *at, size_t depth);

/*
 * herald__skip_blank(), for the white space after the bracket that opens an object or an array, or
 * after a comma in it, or before the bracket that closes what is in it.
 *
 * depth  of that object or array.
 */
static inline char *
herald__skip_gap(struct herald__reader *reader, char *at, size_t depth)
{
	return (unsigned char)*at > ' ' ? at : herald__skip_guessed(reader, at, depth);
}

#endif
