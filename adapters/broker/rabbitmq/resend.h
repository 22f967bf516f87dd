/*
 * Copies of dead letters, sent to a queue.
 */
#ifndef HERALD_RABBITMQ_RESEND_H
#define HERALD_RABBITMQ_RESEND_H

#include <herald/adapter/dead_letters.h>

#include "state.h"

struct rabbitmq_dead_message {
	struct herald_dead_message base;
	struct rabbitmq_message *message;
	char *attributes; /* with the content type */
	size_t attributes_bytes;
	char id[20];
	uint64_t number;   /* by which the server confirms its copy */
	bool is_confirmed; /* or not sent */
};

static inline struct rabbitmq_dead_message *
herald__rabbitmq_dead_message(struct herald_dead_message *message)
{
	return (struct rabbitmq_dead_message *)message;
}

/*
 * Send copies, and wait for their confirmations. The status of each says whether it is stored;
 * HERALD_UNKNOWN_OUTCOME if that is not known. The channel confirms what is published.
 *
 * number  of the last copy that was sent on this channel.
 * Errors  HERALD_UNAVAILABLE: the connection is lost, or the server does not answer.
 */
enum herald_status
herald__rabbitmq_resend(struct rabbitmq_link *link, uint32_t timeout_ms,
			struct herald_dead_message_list *list, const char *target, uint64_t *number,
			struct herald_error *error);

/* Set the outcome of a dead letter. */
void herald__rabbitmq_conclude(struct herald_dead_message *message, enum herald_status status,
			       const char *reason);

#endif
