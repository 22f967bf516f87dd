/*
 * For authors of subscribers: what a consumer (herald/consumer.h) asks of a message broker. The
 * consumer decides what happens to messages: which lane runs them and in which order, how often,
 * and what they end as. The subscriber translates: it receives messages, and tells the broker how
 * they have ended.
 *
 *	open -> receive, settle, extend, ... -> flush -> close -> open ... -> destroy
 *
 * All functions are called on the consumer's thread, except for wake() and for open() and destroy()
 * as said there. Only receive(), open(), flush() and close() may wait, and none longer than it
 * says.
 *
 * Messages. The consumer has a message from receive() until it passes it to settle(). The
 * subscriber then owns it again, and frees it. Each message is settled exactly once, also after
 * close(), and after the broker has given it to another consumer.
 *
 * Settling. A settlement is valid for the connection, and on Kafka for the assignment, with which
 * the message was received. The subscriber drops one that comes too late: it would hit another
 * message, or nothing. Once it knows that it would, it calls herald_received_lose(): a message that
 * has not begun does not run any more. A settlement that fails leaves the message with the broker,
 * which delivers it again. So nothing is lost, and a message may run twice.
 *
 * Counting. A broker counts deliveries, not runs: a message that was delivered and released has not
 * run. `deliveries` is the broker's count, `attempts` what Herald wrote down itself in a header or
 * in the broker, where it can. The consumer notes how many of them were runs. After a connection
 * has ended, or a process has died, it does not take deliveries for runs of which it knows nothing:
 * the messages may have been in a buffer of the subscriber. So a subscriber need not say that it
 * had received a message. Neither does it say that the broker refused a settlement: if the message
 * comes again, the notes still have its runs.
 *
 * A subscriber embeds struct herald_subscriber as its first member, a message likewise:
 *
 *	struct my_subscriber {
 *		struct herald_subscriber base;
 *		...
 *	};
 *
 *	static const struct herald_subscriber_ops my_ops = {.name = "my", .open = my_open, ...};
 */
#ifndef HERALD_ADAPTER_SUBSCRIBER_H
#define HERALD_ADAPTER_SUBSCRIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>
#include <herald/export.h>
#include <herald/log.h>
#include <herald/status.h>
#include <herald/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_consumer;
struct herald_subscriber_ops;
struct herald__held;

/** The first member of every subscriber. */
struct herald_subscriber {
	const struct herald_subscriber_ops *ops; /**< Set by the subscriber's constructor. */
	/**
	 * Set by the constructor, and valid until destroy(): what is consumed, and for which group,
	 * such as "127.0.0.1:6379 orders billing". Different for different messages, and without
	 * passwords. Part of the name of the consumer's in-flight file.
	 */
	const char *source;
	/** NULL at first; set by herald_consumer_create(). */
	const struct herald_consumer *consumer;
	unsigned losses; /**< Calls of herald_received_lose(). */
};

/** Whether the consumer of a subscriber stops, so that open() must end. False without a consumer.
 * Any thread, from the first open() until destroy(). */
HERALD_API bool herald_subscriber_is_stopping(const struct herald_subscriber *subscriber);

/** A message, as the broker delivered it. The texts live until it is settled. */
struct herald_received {
	struct herald_received *next;  /**< In a list; NULL: the last one. */
	struct herald_text data;       /**< The body. Not modified. */
	struct herald_text attributes; /**< Its headers: "name\0value\0" for each. */
	const char *content_type;      /**< The media type; NULL: unknown. */
	struct herald_text key;        /**< The broker's key; data NULL: it has none. */
	/** The same number each time that the broker delivers this message; that another message of
	 * the source has it is improbable. 0: none. */
	uint64_t identity;
	unsigned deliveries; /**< Including this one, at least 1. */
	unsigned attempts;   /**< Runs that are written down, of this message or of its copies. */
	int64_t created_ms;  /**< Milliseconds since 1970-01-01T00:00:00Z; 0: unknown. */
	bool is_lost;        /**< Set by herald_received_lose(). */
	struct herald__held *held; /**< The consumer's. */
};

/** Note that a settlement would come too late: a message that has not begun does not run any more.
 * Lanes look at it at the same time. If receive() calls it, the consumer writes down the message's
 * runs before it looks at what the call returns, which may be the same message. */
static inline void
herald_received_lose(struct herald_subscriber *subscriber, struct herald_received *message)
{
	__atomic_store_n(&message->is_lost, true, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&subscriber->losses, 1, __ATOMIC_SEQ_CST);
}

/** Whether a settlement would come too late. */
static inline bool
herald_received_is_lost(const struct herald_received *message)
{
	return __atomic_load_n(&message->is_lost, __ATOMIC_SEQ_CST);
}

/** A list of messages. */
struct herald_received_list {
	struct herald_received *first; /**< NULL: it is empty. */
	struct herald_received *last;  /**< Likewise. */
	size_t count;                  /**< Number of messages. */
	size_t bytes;                  /**< Their data and attributes. */
};

/** How a message has ended. */
enum herald_settlement_kind {
	HERALD_SETTLE_DONE,    /**< It is finished. */
	HERALD_SETTLE_RETRY,   /**< Deliver it again, not before delay_ms. */
	HERALD_SETTLE_DEAD,    /**< Make it a dead letter: store that first, then finish it. */
	HERALD_SETTLE_RELEASE, /**< It has not run: deliver it again, to anyone, at once. */
};

/** The end of a message. */
struct herald_settlement {
	struct herald_received *message;  /**< Passes to the subscriber. */
	enum herald_settlement_kind kind; /**< Which end. */
	uint64_t delay_ms;                /**< RETRY. */
	unsigned attempts; /**< Runs so far, which the subscriber writes down if it can. */
	/** RETRY and DEAD, and valid for the call: why, and where in the data, as herald_error. */
	const struct herald_error *error;
	unsigned http_status; /**< DEAD: of herald_fail_status(); else 0. */
	int64_t failed_ms;    /**< DEAD: when. */
	const char *event_id; /**< DEAD: of the message; "" if unknown. Valid for the call. */
};

/** What the subscriber needs to know of its consumer. */
struct herald_subscriber_settings {
	struct herald_log log;             /**< The consumer's. */
	struct herald_allocator allocator; /**< Likewise; not zeroed. */
	size_t max_in_flight;              /**< Messages that the consumer has at once. */
	size_t max_in_flight_bytes;        /**< Their bytes. */
	/** The longest delay of a retry. A broker that cannot wait so long refuses it in open(). */
	uint64_t max_delay_ms;
};

/** The functions of a subscriber. All are required unless NULL is mentioned. */
struct herald_subscriber_ops {
	/** The broker's name, such as "redis", for messages. */
	const char *name;

	/** Whether a message that was released (HERALD_SETTLE_RELEASE) has one more in `deliveries`
	 * when it is delivered again, though it has not run. */
	bool counts_releases;
	/** Whether a message may come again with the same `deliveries`, because the broker had not
	 * stored the count yet. */
	bool counts_late;
	/** Whether a message that is retried comes again as a copy with another `identity`, and
	 * with its runs in `attempts`. */
	bool renames_retries;

	/**
	 * Connect, and check or create what the subscriber consumes from. Waits a few seconds at
	 * most, and not any more when the consumer stops: wake() is called, and
	 * herald_subscriber_is_stopping() is true. Called again after close(). The first call is on
	 * the thread of herald_consumer_create().
	 *
	 * Errors  HERALD_UNAVAILABLE: the broker cannot be reached now; tried again later.
	 *         HERALD_BAD_OPTION: the broker does not allow or cannot do what the options say,
	 *         such as a wrong password. The first time, the consumer is not created; later, it
	 *         is logged and tried again.
	 *         HERALD_NO_MEMORY.
	 */
	enum herald_status (*open)(struct herald_subscriber *subscriber,
				   const struct herald_subscriber_settings *settings,
				   struct herald_error *error);

	/**
	 * Receive messages: at least one if there is one, and no more than have room. Send what
	 * settle() has left to send. Returns when there are messages, wake() was called, or
	 * timeout_ms have passed. With a room of 0, it only keeps the connection alive.
	 *
	 * out     empty.
	 * Errors  HERALD_UNAVAILABLE: the connection is lost. What is in *out is valid.
	 */
	enum herald_status (*receive)(struct herald_subscriber *subscriber, size_t room,
				      size_t room_bytes, uint32_t timeout_ms,
				      struct herald_received_list *out, struct herald_error *error);

	/**
	 * Tell the broker how messages have ended. Does not wait: what cannot be sent now is sent
	 * by receive() and flush(). It cannot fail; a lost connection is reported by the next
	 * receive(). Called also after close(), when all that it does is to free the messages.
	 */
	void (*settle)(struct herald_subscriber *subscriber,
		       const struct herald_settlement *settlements, size_t count);

	/**
	 * The consumer still has these messages: the broker must not deliver them again yet. Does
	 * not wait. NULL: the broker never does while the connection lasts.
	 */
	void (*extend)(struct herald_subscriber *subscriber,
		       struct herald_received *const *messages, size_t count);

	/** How often extend() is to be called for a message, in milliseconds. Valid after open().
	 * NULL if extend is. */
	uint32_t (*extend_ms)(const struct herald_subscriber *subscriber);

	/** How many settlements are not confirmed by the broker yet. Their messages have no
	 * room. */
	size_t (*unsettled)(const struct herald_subscriber *subscriber);

	/**
	 * Send and confirm all settlements, and receive no new messages.
	 *
	 * Returns  how many are not confirmed after timeout_ms.
	 */
	size_t (*flush)(struct herald_subscriber *subscriber, uint32_t timeout_ms);

	/** Close the connection, within timeout_ms, if there is one. All messages are lost. */
	void (*close)(struct herald_subscriber *subscriber, uint32_t timeout_ms);

	/** End the current receive(), or else the next one. Any thread, from the first open() until
	 * destroy(). Does not wait. */
	void (*wake)(struct herald_subscriber *subscriber);

	/** Free a closed subscriber. No message is left. */
	void (*destroy)(struct herald_subscriber *subscriber);
};

/*
 * Headers. They have the same names and values with all brokers.
 */

/**
 * The value of the first attribute with a name, ignoring the case of ASCII letters.
 *
 * attributes  as in struct herald_received.
 * Returns     NULL if there is none. Borrowed from the attributes.
 */
HERALD_API const char *herald_attributes_find(struct herald_text attributes, const char *name);

/** The header of a copy that says how often the event has run: settlement->attempts, in decimal. */
#define HERALD_ATTEMPT_HEADER "herald-attempt"

/** The number of runs that HERALD_ATTEMPT_HEADER says, for received->attempts. 0 if the attributes
 * lack it, or if it is not a number from 0 to 1,000,000. */
HERALD_API unsigned herald_attributes_attempts(struct herald_text attributes);

/**
 * Whether a header is one that Herald adds to copies: HERALD_ATTEMPT_HEADER, or one of a dead
 * letter. Who copies a message's headers leaves these out, and adds new ones. So a dead letter that
 * was sent again has none of its first life.
 */
HERALD_API bool herald_header_is_own(const char *name);

/** The most headers of a dead letter. */
#define HERALD_DEAD_LETTER_HEADERS 7

/** The headers that a dead letter has, besides the headers of the message. */
struct herald_dead_letter_headers {
	/**
	 * In this order, without those that are unknown:
	 *
	 *	herald-reason     why, one line of printable UTF-8, up to 255 bytes
	 *	herald-path       JSON Pointer: where in the data the error is
	 *	herald-status     422: of herald_fail_status(); HERALD_BAD_JSON: Herald refused it
	 *	herald-attempts   how often it has run: "3"
	 *	herald-origin     the origin: where it came from, and is sent to again
	 *	herald-id         the event's id
	 *	herald-failed-at  when, RFC 3339 in UTC: "2026-11-29T15:54:00.123Z"
	 */
	struct herald_pair headers[HERALD_DEAD_LETTER_HEADERS];
	size_t count;     /**< Number of headers. */
	char texts[1024]; /**< Private: some of the values. */
};

/**
 * Write the headers of a dead letter.
 *
 * settlement  of the kind HERALD_SETTLE_DEAD.
 * origin      the stream, queue or topic that the message came from. Borrowed by *out.
 * out         points to itself: must not be copied.
 */
HERALD_API void
herald_dead_letter_describe(const struct herald_settlement *settlement, const char *origin,
			    struct herald_dead_letter_headers *out);

#ifdef __cplusplus
}
#endif
#endif
