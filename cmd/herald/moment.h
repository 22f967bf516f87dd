/*
 * Numbers and times as options have them.
 */
#ifndef HERALD_CMD_MOMENT_H
#define HERALD_CMD_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

/* What moment_read() takes, for messages. */
#define MOMENT_EXPECTED "a time since 1970 (2026-01-31T12:00:00Z) or an age (90s, 15m, 12h, 7d)"

/* A whole number. */
bool moment_read_count(const char *text, uint64_t *out);

/*
 * A time (RFC 3339), or an age before now, in milliseconds since 1970-01-01T00:00:00Z.
 *
 * least_ms  what is less is refused: in filters 0 means any time, which only a beginning may say.
 */
bool moment_read(const char *text, int64_t least_ms, int64_t *out_ms);

/* Whether a beginning leaves something out: no event is from before 2000. */
bool moment_is_beginning(int64_t from_ms);

/* Whether an end does: not one that is 0, is now or is still to come. */
bool moment_is_end(int64_t to_ms);

#endif
