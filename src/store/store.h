/*
 * Creating a store, for tests: with a clock of their own, and without threads.
 */
#ifndef HERALD_SRC_STORE_STORE_H
#define HERALD_SRC_STORE_STORE_H

#include <stdbool.h>

#include <herald/status.h>
#include <herald/store.h>

#include "base/clock.h"

/*
 * As herald_store_create().
 *
 * clock        NULL: the system's. random() may be called on several threads at once.
 * has_threads  false: the caller calls herald__committer_turn(), herald__worker_step(),
 *              herald__node_step() and herald__upkeep_step() itself. herald_store_stop() does not
 *              wait then, and a service may be destroyed only when none of its events is in memory.
 */
enum herald_status
herald__store_create(const struct herald_store_options *options,
		     const struct herald__delivery_clock *clock, bool has_threads,
		     struct herald_store **out, struct herald_error *error);

/* Free a store without threads as if its process had died: its node is not left. The database is
 * not destroyed. */
void herald__store_abandon(struct herald_store *store);

#endif
