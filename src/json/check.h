/*
 * What a field asks of a value beyond its type, for both directions: lengths,
 * counts, allowed values, keys that stand once. Private. Each function records
 * the failure it finds.
 */
#ifndef HERALD_SRC_JSON_CHECK_H
#define HERALD_SRC_JSON_CHECK_H

#include "codec.h"
#include "scan.h"
#include "trace.h"

/* Whether a string has an allowed length and value. `offset` is for the error.
 */
bool herald__check_string(struct herald__trace *trace, size_t offset,
			  const struct herald__field *field, const char *data, size_t bytes);

/* Whether a list or map has an allowed number of elements. */
bool herald__check_count(struct herald__trace *trace, size_t offset,
			 const struct herald__field *field, size_t count);

/* Whether a floating-point value is within the bounds; only for HERALD__BOUNDED
 * fields. */
bool herald__check_real(struct herald__trace *trace, size_t offset,
			const struct herald__field *field, double value);

/* Record an integer that is out of range; `shown` is how the message shows it. */
void herald__fail_integer(struct herald__trace *trace, size_t offset,
			  const struct herald__field *field, const char *shown);

/* The same for the integer at `at`. */
void herald__fail_integer_at(struct herald__reader *reader, const char *at,
			     const struct herald__field *field);

/* Record a string that is none of an enum's names. */
HERALD__COLD void
herald__fail_name(struct herald__trace *trace, size_t offset, const struct herald__field *field,
		  const char *data, size_t bytes);

bool herald__kind_is_unsigned(enum herald_kind kind);

/* The key of an entry of a map: its first member, whatever the kind of map. */
static inline const char *
herald__entry_key(const void *entry)
{
	return *(const char *const *)entry;
}

/* herald__find_duplicate() where that takes sorting. */
const char *herald__find_duplicate_of_many(const char *entries, size_t bytes, size_t count,
					   const void **scratch);

/*
 * The key of an entry of a map that an earlier one has too, or NULL. An entry has `bytes` bytes, its key
 * first. `scratch` has room for `count` pointers; few entries need none, see HERALD__FEW_ENTRIES.
 */
#define HERALD__FEW_ENTRIES 16
static inline const char *
herald__find_duplicate(const char *entries, size_t bytes, size_t count, const void **scratch)
{
	const char *end = entries + count * bytes;

	if (count > HERALD__FEW_ENTRIES)
		return herald__find_duplicate_of_many(entries, bytes, count, scratch);
	for (const char *entry = entries; entry < end; entry += bytes)
		for (const char *earlier = entries; earlier < entry; earlier += bytes) {
			const char *key = herald__entry_key(entry);
			const char *other = herald__entry_key(earlier);

			if (*key == *other && strcmp(key, other) == 0)
				return key;
		}
	return NULL;
}

#endif
