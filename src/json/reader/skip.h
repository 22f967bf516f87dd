/*
 * Fast skipping of unknown members. Private.
 */
#ifndef HERALD_SRC_JSON_READER_SKIP_H
#define HERALD_SRC_JSON_READER_SKIP_H

#include "json/reader/reader.h"

/* As herald__skip_value(), faster. Relies on the invariant of reader.h. */
char *herald__skip_unwanted(struct herald__reader *reader, char *at);

#endif
