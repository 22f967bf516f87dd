/*
 * The log hook. Herald prints nothing itself: it hands records to a function of the user's choice.
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

/** How much a record matters. The default level of a zeroed struct herald_log is INFO. */
enum herald_log_level {
	HERALD_LOG_DEBUG = -1,
	HERALD_LOG_INFO = 0,
	HERALD_LOG_WARNING = 1,
	HERALD_LOG_ERROR = 2,
};

/** One structured field: a text, or a number when text is NULL. */
struct herald_log_field {
	const char *key;  /**< ASCII letters, digits and '_'. */
	const char *text; /**< Any bytes; NULL for a number. */
	int64_t number;   /**< Where text is NULL. */
};

/** One record; it and everything in it is borrowed for the duration of the call. */
struct herald_log_record {
	enum herald_log_level level;           /**< How much it matters. */
	struct herald_time time;               /**< When it was made. */
	const char *message;                   /**< One line. */
	const struct herald_log_field *fields; /**< What it is about. */
	size_t fields_count;                   /**< How many fields. */
};

/**
 * Takes one record. Called on the thread that handles the event, so it should not block for long;
 * must be safe from any thread. It must not call back into the object that logs.
 */
typedef void herald_log_function(const struct herald_log_record *record, void *state);

/** Where the records go: a zeroed struct logs nothing. */
struct herald_log {
	herald_log_function *write;  /**< NULL: nothing is logged. */
	void *state;                 /**< Passed to `write`; must live as long as whoever logs. */
	enum herald_log_level level; /**< Records below this are not made. */
};

/** "debug", "info", "warning", "error". Static storage. */
HERALD_API const char *herald_log_level_name(enum herald_log_level level);

/**
 * Ready-made: one logfmt line a record to the FILE * in `state` (such as stderr):
 * `time=2026-01-02T03:04:05.678Z level=info message="event done" event_type=user_created`.
 * Times are UTC with three digits of the second, so that lines sort by them. Lines of several threads
 * do not mix.
 */
HERALD_API void herald_log_logfmt(const struct herald_log_record *record, void *state);

/** The same as one JSON object a line; invalid UTF-8 becomes U+FFFD. */
HERALD_API void herald_log_json(const struct herald_log_record *record, void *state);

#ifdef __cplusplus
}
#endif
#endif
