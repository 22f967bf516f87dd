/*
 * Running the checks of schemas. Private.
 */
#ifndef HERALD_SRC_CODEC_CHECK_H
#define HERALD_SRC_CODEC_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error_path.h"
#include "codec/plan.h"

/*
 * Whether the checks of a plan allow a struct. Only for HERALD__CHECKED plans. `offset` is for the
 * error, which is recorded.
 */
bool herald__run_checks(struct herald__trace *trace, size_t offset, const struct herald__plan *plan,
			const char *in);

#endif
