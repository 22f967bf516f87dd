/*
 * Other threads give events and tasks to the committer. Any thread.
 */
#ifndef HERALD_SRC_STORE_DISPATCH_ARRIVE_H
#define HERALD_SRC_STORE_DISPATCH_ARRIVE_H

#include "store/dispatch.h"

/* Calls event->done if it is refused. */
void herald__dispatch_arrive(struct herald_store *store, struct herald__inbox_event *event);
void herald__dispatch_submit(struct herald_store *store, struct herald__task *task);
/* Look for events of other processes. */
void herald__dispatch_wake(struct herald_store *store);

#endif
