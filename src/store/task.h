/*
 * Tasks: what others than the committer have to do on its connection, such as the outbox.
 */
#ifndef HERALD_SRC_STORE_TASK_H
#define HERALD_SRC_STORE_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/database.h>
#include <herald/status.h>

#include "base/list.h"

/* Work of others in the committer's transaction. */
struct herald__task {
	struct herald__task *next;
	/* In the transaction. May be called again, if the transaction fails. */
	enum herald_status (*run)(struct herald__task *task, struct herald_session *session,
				  int64_t now_ms, struct herald_error *error);
	/* After the transaction. Returns true to run again in a later one, after a failure: a pause
	 * comes before it. Otherwise the task is not used after it. */
	bool (*done)(struct herald__task *task, enum herald_status status);
	/* It claims: if the database has claims_apart, run() is called without a transaction. */
	bool is_apart;
};

struct herald__task_list {
	struct herald__task *first, *last;
	size_t count;
};
HERALD__LIST(herald__task_list, herald__task)

#endif
