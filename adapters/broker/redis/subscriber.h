/*
 * A subscriber to a stream, with its two connections: the reader, which waits in XREADGROUP, and
 * the settler, which does everything else. Answers of the settler come in the order of its
 * commands; a record for each says what is to be done with it.
 */
#ifndef HERALD_REDIS_SUBSCRIBER_H
#define HERALD_REDIS_SUBSCRIBER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <herald/adapter/subscriber.h>
#include <herald/redis.h>

#include "array.h"
#include "connection.h"
#include "entry.h"
#include "url.h"

/* What an answer of the settler belongs to. */
enum redis_asked {
	REDIS_ASKED_NOTHING, /* it only must be no error */
	REDIS_ASKED_ACK,     /* XACK of the first `count` of `done` */
	REDIS_ASKED_WAIT,    /* XCLAIM: the entry is claimable again, in delay_ms */
	REDIS_ASKED_DELAY,   /* the same with a longer delay; an error is logged */
	REDIS_ASKED_DEAD,    /* it has become a dead letter; an error is logged */
	REDIS_ASKED_CLAIM,   /* XAUTOCLAIM: of one entry that is due, or the next part of all */
	REDIS_ASKED_ENTRY,   /* XRANGE: an entry that was claimed at kept_ms */
	REDIS_ASKED_COUNT,   /* XPENDING: how often `entry` was delivered */
	REDIS_ASKED_SCORE,   /* ZSCORE: when `entry` is due. It then goes to `ready` */
};

struct herald__redis_record {
	enum redis_asked asked;
	bool is_end;   /* a settlement, counted in `unsettled` */
	bool is_sweep; /* CLAIM: its cursor is for the next one */
	size_t count;
	uint64_t sent_ms;
	uint64_t delay_ms;
	uint64_t kept_ms;
	struct redis_id id;
	struct redis_entry *entry;
};

/* An entry that this process has put off: when to claim it. */
struct redis_due {
	uint64_t due_ms; /* of the monotonic clock */
	struct redis_id id;
};

struct redis_subscriber {
	struct herald_subscriber base;
	struct herald_redis_subscriber_options options;
	struct herald_subscriber_settings settings;
	struct redis_url url;
	char *dead; /* the names of keys */
	char *delayed;
	char consumer[128]; /* of this process */
	char source[2400];  /* for base */
	int wake_fd;        /* an eventfd */
	struct redis_interrupt interrupt;
	atomic_uint_fast64_t trimmed;

	struct redis_connection reader, settler; /* to one server */
	struct redis_place place;
	bool is_reading;     /* an XREADGROUP is under way */
	uint64_t quiet_ms;   /* at this time, no entry of it had been delivered */
	long long reader_id; /* of CLIENT ID */
	bool has_opened;
	uint64_t clock_offset_ms; /* the server's time is the monotonic clock's, plus this */
	uint64_t clock_error_ms;  /* or up to so much less */
	uint64_t clean_ms;        /* when the consumers of the dead are removed next */
	size_t average_bytes;     /* of an entry */

	struct redis_array records; /* a queue of struct herald__redis_record */
	struct redis_array done;    /* a queue of struct redis_id: to be acknowledged */
	size_t done_sent;           /* the first ones of it are, without an answer */
	size_t unsettled;           /* other settlements without an answer */

	struct redis_array due; /* a heap of struct redis_due */
	struct redis_id cursor; /* of the sweep through all entries that are pending */
	uint64_t sweep_ms;      /* when it goes on */
	bool is_sweeping;
	size_t claiming; /* XAUTOCLAIMs and claimed entries without all answers */

	struct redis_entry_list ready; /* to be handed to the consumer */
	struct redis_entry_list held;  /* which the consumer has */
	uint64_t keep_ms;              /* when `ready` is kept next */
};

#endif
