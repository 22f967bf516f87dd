/*
 * Timestamps of events: RFC 3339, with nanoseconds and the offset as written.
 */
#ifndef HERALD_TIME_H
#define HERALD_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/export.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A point in time, in local years 0000 to 9999. Zeroed: 1970-01-01T00:00:00Z. */
struct herald_time {
	int64_t seconds; /**< Since 1970-01-01T00:00:00Z, without leap seconds; may be negative. */
	int32_t nanoseconds;    /**< 0 to 999,999,999, added to `seconds`. */
	int16_t offset_minutes; /**< East of UTC, -1439 to 1439; 0 for "Z". */
};

/** The size of the longest text, "9999-12-31T23:59:59.999999999+23:59", with its NUL. */
#define HERALD_TIME_TEXT_BYTES 36

/**
 * Parse an RFC 3339 date-time (section 5.6). The text must contain nothing else.
 *
 * Two restrictions: second 60 is refused, because POSIX time has no leap seconds, and so are more
 * than nine fraction digits. Dates must exist, and 't' and 'z' may be lower case.
 *
 * text     `bytes` bytes, not NUL-terminated.
 * out      set only on HERALD_OK.
 * error    may be NULL; its offset is the byte of `text` where the error is.
 * Errors   HERALD_BAD_TIME.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_time_parse(const char *text, size_t bytes, struct herald_time *out,
		  struct herald_error *error);

/**
 * Format a time as RFC 3339: the fraction without trailing zeros, "Z" for offset 0.
 *
 * text     at least HERALD_TIME_TEXT_BYTES; NUL-terminated.
 * Returns  the length without the NUL; 0 if a member is out of range or the local year is not
 *          0000 to 9999. Then only a NUL is written.
 */
HERALD_API size_t herald_time_format(const struct herald_time *time, char *text);

/** The current time of the system's clock, with offset 0. */
HERALD_API struct herald_time herald_time_now(void);

/** Negative, 0 or positive if `a` is before, equal to or after `b`. Offsets are ignored. */
HERALD_API int herald_time_compare(const struct herald_time *a, const struct herald_time *b);

#ifdef __cplusplus
}
#endif
#endif
