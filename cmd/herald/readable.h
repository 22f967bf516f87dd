/*
 * What people read of dead letters: ages, times, members, headers and data. Text from senders never
 * reaches a terminal with control characters in it.
 */
#ifndef HERALD_CMD_READABLE_H
#define HERALD_CMD_READABLE_H

#include <stdint.h>

#include <herald/time.h>
#include <herald/value.h>

/* Milliseconds since 1970-01-01T00:00:00Z as a time. */
struct herald_time readable_time_of(int64_t ms);

/* An age: "42s", "17m", "5h", "3d". A negative number counts as 0. */
const char *readable_seconds(int64_t seconds, char out[24]);

/* The age of what happened at a time. */
const char *readable_age(int64_t ms, char out[24]);

/* "-" for a text that is missing or "", so that columns stay columns. */
const char *readable_or_dash(const char *text);

/* Print a text, or "-". */
void readable_print(const char *text);

/* A line with a name and a text; nothing if the text is missing or "". */
void readable_print_member(const char *name, const char *text);
void readable_print_time(const char *name, int64_t ms);

/* An empty line, and a line for each header: "name\0value\0" each. */
void readable_print_attributes(struct herald_text attributes);

/* An empty line and the data, of which tabs and ends of lines are kept. */
void readable_print_data(struct herald_text data);

/* Call `take` for each header. They come from outside, so the last one may be cut off; then it is
 * left out. */
void readable_each_attribute(struct herald_text attributes,
			     void (*take)(const char *name, const char *value, void *state),
			     void *state);

#endif
