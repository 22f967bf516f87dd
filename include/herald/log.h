/*
 * The log hook. Herald prints nothing itself; it passes log records to your function.
 */
#ifndef HERALD_LOG_H
#define HERALD_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <herald/export.h>
#include <herald/time.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Severity of a record. A zeroed struct herald_log has level INFO. */
enum herald_log_level {
	HERALD_LOG_DEBUG = -1,
	HERALD_LOG_INFO = 0,
	HERALD_LOG_WARNING = 1,
	HERALD_LOG_ERROR = 2,
};

/** One structured field: a text, or a number if `text` is NULL. */
struct herald_log_field {
	const char *key;  /**< ASCII letters, digits and '_'. */
	const char *text; /**< Any bytes; NULL for a number. */
	int64_t number;   /**< Used if `text` is NULL. */
};

/** A log record. It is borrowed, with everything in it, for the duration of the call. */
struct herald_log_record {
	enum herald_log_level level;           /**< Severity. */
	struct herald_time time;               /**< When it was created. */
	const char *message;                   /**< One line. */
	const struct herald_log_field *fields; /**< Structured data. */
	size_t fields_count;                   /**< Number of fields. */
};

/**
 * Log one record. Called on the thread that handles the event, so it should not block for long.
 * Several threads may call it at once. It must not call the object that logs.
 */
typedef void herald_log_function(const struct herald_log_record *record, void *state);

/** Where to log. A zeroed struct logs nothing. */
struct herald_log {
	herald_log_function *write;  /**< NULL: log nothing. */
	void *state;                 /**< Passed to `write`; must outlive the object that logs. */
	enum herald_log_level level; /**< Records below this are not created. */
};

/** "debug", "info", "warning", "error". Static storage. */
HERALD_API const char *herald_log_level_name(enum herald_log_level level);

/**
 * A log function that writes one logfmt line per record to the FILE * in `state`, such as stderr:
 * `time=2026-01-02T03:04:05.678Z level=info message="event done" event_type=user_created`. Times
 * are UTC with milliseconds, so that lines can be sorted. Lines of several threads are not mixed.
 */
HERALD_API void herald_log_logfmt(const struct herald_log_record *record, void *state);

/** The same with one JSON object per line. Invalid UTF-8 becomes U+FFFD. */
HERALD_API void herald_log_json(const struct herald_log_record *record, void *state);

#ifdef __cplusplus
}
#endif
#endif
