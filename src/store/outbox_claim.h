/*
 * The task that claims deliveries ahead.
 */
#ifndef HERALD_SRC_STORE_OUTBOX_CLAIM_H
#define HERALD_SRC_STORE_OUTBOX_CLAIM_H

struct herald__outbox_queue;

/* Set the task's functions. */
void herald__outbox_claim_init(struct herald__outbox_queue *queue);

#endif
