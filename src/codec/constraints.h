/*
 * The constraints of a field beyond its type, for decoding and encoding: lengths, counts, allowed
 * values, duplicate keys. Each function records the error that it finds. Private.
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

/* The key of a map's entry: the first member in both kinds of map. */
static inline const char *
herald__entry_key(const void *entry)
{
	return *(const char *const *)entry;
}

/* herald__find_duplicate() for many entries, by sorting. */
const char *herald__find_duplicate_of_many(const char *entries, size_t bytes, size_t count,
					   const void **scratch);

/*
 * Returns a key that two entries of a map share, or NULL. An entry has `bytes` bytes and begins
 * with its key. `scratch` needs room for `count` pointers; not used for up to HERALD__FEW_ENTRIES
 * entries.
 */
#define HERALD__FEW_ENTRIES 16
static inline const char *
herald__find_duplicate(const char *entries, size_t bytes, size_t count, const void **scratch)
{
	if (count > HERALD__FEW_ENTRIES)
		return herald__find_duplicate_of_many(entries, bytes, count, scratch);
	for (const char *entry = entries; count > 1; count--) {
		const char *key = herald__entry_key(entry += bytes);

		for (const char *earlier = entries; earlier < entry; earlier += bytes) {
			const char *other = herald__entry_key(earlier);

			if (*key == *other && strcmp(key, other) == 0)
				return key;
		}
	}
	return NULL;
}

#endif
