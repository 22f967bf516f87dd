/*
 * One line of a schema, prepared for a plan. Private.
 */
#ifndef HERALD_SRC_CODEC_PLAN_FIELD_H
#define HERALD_SRC_CODEC_PLAN_FIELD_H

#include "codec/plan.h"

/* Set all but the name, the range and the place in the plan. `shift` is the offset of the flat
 * struct that the line is in. */
void herald__plan_field_set(struct herald__field *out, const struct herald_field *field,
			    size_t shift, const struct herald_limits *limits);

/* Set the range of a number. Returns false if the bounds leave no value of the kind. Rounds as the
 * thread does. */
bool herald__plan_field_set_range(struct herald__field *out, const struct herald_field *field);

#endif
