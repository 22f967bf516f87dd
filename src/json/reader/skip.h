/*
 * Fast skipping of values: of unknown members, and to look at what comes after a value. Private.
 */
#ifndef HERALD_SRC_JSON_READER_SKIP_H
#define HERALD_SRC_JSON_READER_SKIP_H

#include "json/reader/reader.h"

/* As herald__skip_value(), faster. Relies on the invariant of reader.h. */
char *herald__skip_unwanted(struct herald__reader *reader, char *at);

/*
 * The same for a value that has been skipped before, as a part of another one. The first call for a
 * value within another one records where all objects and arrays in it end, and further calls look
 * up the ends. So each byte is read a few times only, however deep the values are in each other.
 *
 * Callers read a document from its beginning to its end. Where they skip ahead, they skip all
 * values up to some place, and then read them.
 * Returns NULL also if the arena has no memory, after setting reader->out_of_memory.
 */
char *herald__skip_again(struct herald__reader *reader, char *at);

#endif
