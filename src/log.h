/*
 * Making log records: nothing happens, not even a look at the clock, unless someone takes them.
 */
#ifndef HERALD_SRC_LOG_H
#define HERALD_SRC_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/log.h>

/* Whether a record of this level would be written: ask before preparing expensive fields. */
static inline bool
herald__log_takes(const struct herald_log *log, enum herald_log_level level)
{
	return log->write && level >= log->level;
}

/* Write a record with the time of now, if the log takes it. `fields` may be NULL when count is 0. */
void herald__log(const struct herald_log *log, enum herald_log_level level, const char *message,
		 const struct herald_log_field *fields, size_t count);

#endif
