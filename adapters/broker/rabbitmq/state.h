/*
 * The subscriber and its messages, for its parts.
 *
 * A message belongs to a connection, by its epoch. From its arrival until the server has its end,
 * it is in the list of the subscriber, in the order of the delivery tags:
 *
 *	HELD --settle()--> DONE or RELEASED --sent--> freed
 *	     `-----------> COPY, until the server has confirmed the copy --> DONE
 *
 * When the connection is closed, messages that are not the consumer's are freed, and the consumer's
 * leave the list: their settlements free them.
 */
#ifndef HERALD_RABBITMQ_STATE_H
#define HERALD_RABBITMQ_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/subscriber.h>
#include <herald/arena.h>

#include "link.h"

/* The queues for retries: 10, 20, 50, 100, ... ms, and one for what is longer. */
#define RABBITMQ_TIERS 27
#define RABBITMQ_NAME_BYTES 256

enum rabbitmq_message_state {
	RABBITMQ_HELD,     /* the consumer has it, or will have it */
	RABBITMQ_DONE,     /* to be acknowledged */
	RABBITMQ_RELEASED, /* to be given back */
	RABBITMQ_COPY,     /* its copy is not confirmed */
};

/* What is published for a message. */
struct rabbitmq_copy {
	struct rabbitmq_message *next; /* in its list */
	amqp_pool_t pool;              /* of the properties; only in the state COPY */
	amqp_basic_properties_t *properties;
	char *queue;
	int tier; /* of the queue; -1: the dead letters' */
	uint64_t not_before_ms;
	uint64_t number;      /* by which the server confirms it */
	char number_text[24]; /* likewise, in the properties */
	size_t sent_bytes;    /* of the body */
	bool has_begun;       /* the frames before the body are sent */
	bool was_returned;    /* its queue does not exist */
};

struct rabbitmq_message {
	struct herald_received base;
	struct rabbitmq_message *older, *newer; /* in the subscriber's list */
	size_t block_bytes;                     /* of this struct and its texts */
	uint64_t epoch;
	uint64_t tag;
	enum rabbitmq_message_state state;
	amqp_bytes_t properties; /* as they came */
	struct rabbitmq_copy copy;
};

/* Since a queue was declared, also by the last connection. */
struct rabbitmq_declared {
	uint64_t known_ms;     /* when it was known to exist; 0: not yet */
	uint64_t after_number; /* of the last copy that was sent before */
};

struct rabbitmq_copies {
	struct rabbitmq_message *first, *last;
};

struct rabbitmq {
	struct herald_subscriber base;
	struct herald_allocator own_allocator; /* of this struct */
	struct herald_arena *texts;
	struct rabbitmq_link_settings link_settings;
	const char *queue, *dead_queue;
	struct herald_subscriber_settings settings; /* of the last open() */
	int wake_fd;
	struct rabbitmq_opening opening;
	bool tiers_used[RABBITMQ_TIERS]; /* by this process; checked by open() */
	/* The queues' states; the last one is the dead letters'. */
	struct rabbitmq_declared declared[RABBITMQ_TIERS + 1];

	/* A connection. */
	uint64_t epoch;
	struct rabbitmq_link consumer, publisher;
	bool has_failed; /* `error` says why; close() is to come */
	struct herald_error error;
	bool is_cancelled;        /* no more deliveries */
	uint64_t next_beat_ms;    /* while nothing is read */
	uint64_t next_look_ms;    /* at the publisher's connection, if nothing is expected */
	uint64_t next_renewal_ms; /* of the channel, if nothing arrives */

	/* Messages. */
	struct rabbitmq_message *oldest, *newest;
	struct herald_received_list arrived; /* not passed to the consumer yet */
	size_t bytes;                        /* of all blocks, settled or not */
	size_t held;                         /* messages that the consumer has */
	size_t done, released;               /* to be sent */
	uint64_t release_ms;                 /* when to send those that were released */
	size_t unproved; /* acknowledgements since the server last answered on the channel */
	const amqp_basic_deliver_t *delivery; /* its content comes next */
	struct rabbitmq_message *arriving;    /* its body is not complete */
	size_t arrived_bytes;                 /* of its body */

	/* Copies. */
	struct rabbitmq_copies waiting, sent;
	struct rabbitmq_copies fresh; /* confirmed, but their queues are new */
	size_t copies;                /* in the three lists */
	uint64_t last_number;
	bool is_returning; /* the properties of a returned copy come next */
	bool is_blocked;
	bool is_declared[RABBITMQ_TIERS]; /* on this connection */
};

static inline struct rabbitmq_message *
herald__rabbitmq_message(struct herald_received *received)
{
	return (struct rabbitmq_message *)received;
}

#endif
