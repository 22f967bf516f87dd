/*
 * Points in time as events carry them: RFC 3339, to the nanosecond, with the offset that was written.
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

/** A point in time. Local years 0000 to 9999, as in RFC 3339. Zeroed: 1970-01-01T00:00:00Z. */
struct herald_time {
	int64_t seconds; /**< Since 1970-01-01T00:00:00Z, without leap seconds; may be negative. */
	int32_t nanoseconds;    /**< 0 to 999,999,999; counts forwards, also before 1970. */
	int16_t offset_minutes; /**< East of UTC, -1439 to 1439; 0 for "Z". */
};

/** Bytes of the longest text, "9999-12-31T23:59:59.999999999+23:59", and its NUL. */
#define HERALD_TIME_TEXT_BYTES 36

/**
 * Parse an RFC 3339 date-time (section 5.6), all `bytes` of `text`.
 *
 * Strict: two digits each, days that the month has, hours 00 to 23, 'T' or 't', 'Z' or 'z' or
 * +hh:mm, a fraction of one to nine digits. RFC 3339 has more: second 60 is refused, as POSIX time has no leap
 * seconds, and so are ten digits of a fraction or more, which a nanosecond cannot hold.
 *
 * out      set only on HERALD_OK.
 * error    may be NULL; its offset is the byte of `text` where it went wrong.
 * Errors   HERALD_BAD_TIME.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_time_parse(const char *text, size_t bytes, struct herald_time *out,
		  struct herald_error *error);

/**
 * Write a time as RFC 3339, the fraction without trailing zeros, "Z" for offset 0.
 *
 * text     at least HERALD_TIME_TEXT_BYTES; NUL-terminated.
 * Returns  the length without the NUL; 0 when a member is out of range or the local year is not
 *          0000 to 9999 (nothing but a NUL is written then).
 */
HERALD_API size_t herald_time_format(const struct herald_time *time, char *text);

/** The time of the system's clock, offset 0. */
HERALD_API struct herald_time herald_time_now(void);

/** Negative, 0 or positive as `a` is before, at or after `b`; the offsets do not count. */
HERALD_API int herald_time_compare(const struct herald_time *a, const struct herald_time *b);

#ifdef __cplusplus
}
#endif
#endif
