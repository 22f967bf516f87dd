/*
 * Long work on many rows: its progress, and what a signal does to it.
 */
#ifndef HERALD_CMD_PROGRESS_H
#define HERALD_CMD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct progress {
	const char *doing; /* "replayed" */
	time_t told;       /* when it was printed last */
};

/* Begin. From now on, unless it is a dry run, the first SIGINT or SIGTERM ends the work after its
 * batch, so that its count is told; the second one ends the process at once. */
void progress_begin(struct progress *progress, const char *doing, bool is_dry_run);

/* Tell people the count, once a second. Returns false if the work is to end. */
bool progress_tell(struct progress *progress, uint64_t count);

/* Whether a signal has come. */
bool progress_is_interrupted(void);

/* If a signal has come, say so and end by it, as the shell expects of a program that was
 * interrupted. */
void progress_end(const struct progress *progress);

#endif
