/*
 * For authors of adapters: writing log records. If the user's log does not take a record, nothing
 * is done and the clock is not read.
 */
#ifndef HERALD_ADAPTER_LOG_H
#define HERALD_ADAPTER_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/export.h>
#include <herald/log.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Whether a record of this level would be written. Check it before preparing costly fields. */
static inline bool
herald_log_takes(const struct herald_log *log, enum herald_log_level level)
{
	return log->write && level >= log->level;
}

/**
 * Write a record with the current time, if the log takes it.
 *
 * fields  an array of `count` fields; may be NULL if `count` is 0.
 */
HERALD_API void
herald_log_write(const struct herald_log *log, enum herald_log_level level, const char *message,
		 const struct herald_log_field *fields, size_t count);

#ifdef __cplusplus
}
#endif
#endif
