/*
 * The subscriber, its partitions and its messages, for its parts.
 *
 * A message that is not finished is in the list of its partition, in the order of offsets: this
 * list is what is committed. When the partition is not this process's any more, its messages are
 * lost: they leave the list, and their settlements free them.
 */
#ifndef HERALD_KAFKA_STATE_H
#define HERALD_KAFKA_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <herald/adapter/subscriber.h>
#include <herald/arena.h>
#include <herald/kafka.h>
#include <librdkafka/rdkafka.h>

#include "access.h"
#include "offsets.h"
#include "sender.h"

/* Topics for retries. */
#define KAFKA_TIERS 6
/* Of a topic: 249 bytes. */
#define KAFKA_NAME_BYTES 256
/* The topic, the dead letters', and those for retries. */
#define KAFKA_TOPICS (2 + KAFKA_TIERS)
/* Messages of a partition that are not finished: as many as the metadata has room for. */
#define KAFKA_MAX_UNFINISHED 1000

enum kafka_message_state {
	KAFKA_HELD, /* the consumer has it */
	KAFKA_KEPT, /* it was given back, or is not due */
	KAFKA_COPY, /* its copy is not confirmed */
};

/* What is sent for a message. */
struct kafka_copy {
	struct kafka_message *next, *previous; /* of all that are not confirmed */
	const char *topic;
	rd_kafka_headers_t *headers;
	uint64_t send_ms;  /* again; UINT64_MAX: it is under way */
	bool is_retry;     /* or else a dead letter */
	unsigned attempts; /* of a retry */
	int64_t due_ms;    /* of a retry, of the wall clock */
	bool is_cut;       /* headers were left out */
};

struct kafka_message {
	struct herald_received base;
	struct kafka_partition *partition;   /* NULL: lost */
	struct kafka_message *older, *newer; /* in the partition's list */
	struct kafka_message *kept_next;     /* KEPT, in the partition's list of these */
	enum kafka_message_state state;
	bool is_waiting; /* KEPT, and counted in `waiting` */
	int64_t offset;
	int64_t due_ms;              /* of the wall clock, for a message that was retried */
	unsigned earlier;            /* deliveries before it was retried in this process */
	size_t block_bytes;          /* of this struct and its texts */
	rd_kafka_headers_t *headers; /* as they came; NULL: none */
	struct kafka_copy copy;      /* COPY */
};

struct kafka_partition {
	struct kafka_partition *next;
	char *topic;
	int32_t number;
	uint64_t salt;                         /* of its messages' identities */
	rd_kafka_queue_t *queue;               /* of a topic for retries; else NULL */
	struct kafka_message *oldest, *newest; /* not finished */
	size_t unfinished;
	size_t busy;                /* of these, not KEPT */
	struct kafka_message *kept; /* by their time; those without one first */
	size_t kept_count;
	int64_t taken;              /* the offset after the last message that was taken */
	struct kafka_offsets known; /* what an earlier owner has written down */
	size_t done, committing;    /* finished messages: not in a commit, and in the current */
	bool is_dirty;              /* there is something to commit */
	bool is_fresh;              /* no commit says that its messages were delivered */
};

struct kafka {
	struct herald_subscriber base;
	struct herald_kafka_subscriber_options options; /* with defaults; texts are in the arena */
	struct herald_arena *texts;
	struct kafka_access access;
	const char *topics[KAFKA_TOPICS];
	size_t tiers;                               /* that this process copies to; set by open() */
	struct herald_subscriber_settings settings; /* once it was opened */
	int wake_fd;
	atomic_bool is_woken;

	/* A connection. */
	rd_kafka_t *consumer;
	struct kafka_sender sender;
	rd_kafka_queue_t *control; /* the consumer's: rebalances and errors */
	rd_kafka_queue_t *arrived; /* messages of the topic */
	rd_kafka_queue_t *replies; /* to commits */
	bool has_failed;           /* `error` says why; close() is to come */
	bool is_away;              /* brokers only cannot be reached; the clients go on trying */
	struct herald_error error;

	/* The assignment. */
	struct kafka_partition *partitions;
	bool is_leaving;   /* all are to go, for a rebalance */
	uint64_t leave_ms; /* at the latest then */

	/* Messages. */
	rd_kafka_message_t *next; /* there was no room for it */
	size_t held;              /* by the consumer */
	size_t waiting;           /* KEPT, retried in this process, and not due */
	uint64_t pause_ms;        /* one was given back: none is taken before */

	/* Commits. */
	size_t done, committing; /* of all partitions */
	bool is_committing;
	uint64_t commit_ms; /* when to commit; UINT64_MAX: nothing; 0: it is not set yet */
	uint64_t commit_sent_ms;
	unsigned commit_failures; /* one after the other */
	uint64_t commit_log_ms;   /* the next failure is logged then */

	/* Copies. */
	struct kafka_message *copies;
	size_t copies_count;
	uint64_t send_ms; /* when one of them is to be sent again; not before */
	uint64_t log_ms;  /* the next failure is logged then */
};

static inline struct kafka *
kafka_of(struct herald_subscriber *subscriber)
{
	return (struct kafka *)subscriber;
}

static inline int64_t
kafka_wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif
