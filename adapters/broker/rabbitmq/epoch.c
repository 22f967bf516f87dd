/*
 * The list of a connection's messages, and what its failure does to them. Does not free them.
 */
#include "epoch.h"

#include <time.h>

uint64_t
herald__rabbitmq_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void
herald__rabbitmq_fail(struct rabbitmq *rabbitmq)
{
	rabbitmq->has_failed = true;
	/* receive() reports a lost connection only. */
	rabbitmq->error.status = HERALD_UNAVAILABLE;
	for (struct rabbitmq_message *at = rabbitmq->oldest; at; at = at->newer)
		if (at->state == RABBITMQ_HELD)
			herald_received_lose(&rabbitmq->base, &at->base);
}

void
herald__rabbitmq_fail_with(struct rabbitmq *rabbitmq, int status, const char *what)
{
	herald_error_set(&rabbitmq->error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET, "%s: %s", what,
			 amqp_error_string2(status));
	herald__rabbitmq_fail(rabbitmq);
}

void
herald__rabbitmq_list_add(struct rabbitmq *rabbitmq, struct rabbitmq_message *message)
{
	message->older = rabbitmq->newest;
	message->newer = NULL;
	if (rabbitmq->newest)
		rabbitmq->newest->newer = message;
	else
		rabbitmq->oldest = message;
	rabbitmq->newest = message;
}

void
herald__rabbitmq_list_remove(struct rabbitmq *rabbitmq, struct rabbitmq_message *message)
{
	if (message->older)
		message->older->newer = message->newer;
	else
		rabbitmq->oldest = message->newer;
	if (message->newer)
		message->newer->older = message->older;
	else
		rabbitmq->newest = message->older;
	message->older = message->newer = NULL;
}
