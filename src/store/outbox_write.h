/*
 * The task that stores what a deliverer has submitted, and how attempts have ended.
 */
#ifndef HERALD_SRC_STORE_OUTBOX_WRITE_H
#define HERALD_SRC_STORE_OUTBOX_WRITE_H

struct herald__outbox_queue;

/* Set the task's functions. */
void herald__outbox_write_init(struct herald__outbox_queue *queue);

#endif
