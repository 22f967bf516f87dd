/*
 * The path of a value in raw JSON. Private.
 */
#ifndef HERALD_SRC_JSON_READER_INSIDE_PATH_H
#define HERALD_SRC_JSON_READER_INSIDE_PATH_H

#include <herald/value.h>

#include "base/attributes.h"
#include "base/error_path.h"

/*
 * Prepend the path from `outer`, valid raw JSON, to the member or element in it that has `at` in
 * its text. The path ends at a value that begins at `at`.
 */
HERALD__COLD void
herald__trace_inside(struct herald__trace *trace, const struct herald_json *outer, const char *at);

#endif
