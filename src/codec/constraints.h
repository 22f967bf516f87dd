/*
 * The constraints of a field beyond its type, for decoding and encoding: lengths, counts, allowed
 * values. Each function records the error that it finds. Private.
 */
#ifndef HERALD_SRC_CODEC_CONSTRAINTS_H
#define HERALD_SRC_CODEC_CONSTRAINTS_H

#include "base/attributes.h"
#include "base/error_path.h"
#include "codec/plan.h"
#include "json/reader/reader.h"

/* Whether only the length of a string is constrained, and it is allowed. Otherwise call
 * herald__check_string(). */
static inline bool
herald__string_fits(const struct herald__field *field, size_t bytes)
{
	return (field->flags & HERALD__ONE_OF) == 0 && bytes >= field->min_bytes &&
	       bytes <= field->max_bytes;
}

/* The range of the elements of a list of integers, as far as an int64_t can hold it; it may be
 * empty. */
static inline void
herald__integer_range(const struct herald__field *field, int64_t *min, int64_t *max)
{
	uint64_t least = field->range.natural.min, most = field->range.natural.max;

	if (!herald__kind_is_unsigned((enum herald_kind)field->element)) {
		*min = field->range.integer.min;
		*max = field->range.integer.max;
		return;
	}
	if (least > INT64_MAX) {
		*min = 1;
		*max = 0;
		return;
	}
	*min = (int64_t)least;
	*max = most > INT64_MAX ? INT64_MAX : (int64_t)most;
}

/* Whether the length and the value of a string are allowed. `offset` is for the error. */
bool herald__check_string(struct herald__trace *trace, size_t offset,
			  const struct herald__field *field, const char *data, size_t bytes);

/* Whether the number of elements of a list or a map is allowed. */
bool herald__check_count(struct herald__trace *trace, size_t offset,
			 const struct herald__field *field, size_t count);

/* Record that an array has the wrong number of elements: `found`, or more. */
HERALD__COLD void herald__fail_array(struct herald__trace *trace, size_t offset,
				     const struct herald__field *field, size_t found);

/* Whether a floating-point value is within the bounds. Only for HERALD__BOUNDED fields. */
bool herald__check_real(struct herald__trace *trace, size_t offset,
			const struct herald__field *field, double value);

/* Record an integer that is out of range; `shown` is its text in the message. */
void herald__fail_integer(struct herald__trace *trace, size_t offset,
			  const struct herald__field *field, const char *shown);

/* The same for the integer at `at`. */
void herald__fail_integer_at(struct herald__reader *reader, const char *at,
			     const struct herald__field *field);

/* Record a string that is not one of an enum's names. */
HERALD__COLD void
herald__fail_name(struct herald__trace *trace, size_t offset, const struct herald__field *field,
		  const char *data, size_t bytes);

/* Record a number that is not one of an enum's; `shown` is its text in the message. */
HERALD__COLD void herald__fail_number(struct herald__trace *trace, size_t offset,
				      const struct herald__field *field, const char *shown);

/* Record a time that cannot be written. Returns NULL. */
HERALD__COLD char *herald__fail_time(struct herald__trace *trace, const struct herald_time *time);

#endif
