/*
 * A consumer feeds a service with messages of a broker: NATS JetStream, Kafka, RabbitMQ or Redis
 * Streams.
 *
 *	struct herald_consumer_options options =
 *		HERALD_CONSUMER_OPTIONS(.service = service, .lanes = 8);
 *
 *	herald_redis_subscriber_create(&HERALD_REDIS_SUBSCRIBER_OPTIONS(.url = url,
 *							.stream = "orders", .group = "billing"),
 *				       &options.subscriber, &error);
 *	herald_consumer_create(&options, &consumer, &error);
 *
 * The service is the same as behind HTTP. A message's body is the event, its headers are the
 * event's attributes, and what the function returns decides what the broker is told:
 *
 *	HERALD_DONE   the message is acknowledged.
 *	HERALD_RETRY  it is delivered again after a delay, up to max_attempts runs in total.
 *	HERALD_FAIL   it becomes a dead letter, with the reason. So does an event that cannot be
 *	              decoded, that has no route, that has used up its attempts, or during which the
 *	              process died max_interrupted times.
 *
 * A service with a store (herald/store.h) takes the event into the store instead; the message is
 * acknowledged when it is on disk.
 *
 * A message is one event. A batch, such as application/cloudevents-batch+json, is not split: it
 * becomes a dead letter.
 *
 * Promises. A message is acknowledged only after its function has returned, or after its dead
 * letter is with the broker. So no event is lost if a process, a machine or the broker dies. It
 * may run twice, if the process or the connection dies in between.
 *
 * Lifecycle: create the service, then the consumer. At the end herald_consumer_stop(), then destroy
 * the consumer and the service, in this order.
 */
#ifndef HERALD_CONSUMER_H
#define HERALD_CONSUMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>
#include <herald/backoff.h>
#include <herald/export.h>
#include <herald/log.h>
#include <herald/status.h>
#include <herald/thread_hooks.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_consumer;
struct herald_service;
struct herald_subscriber;

/** The order in which a consumer runs messages. */
enum herald_consumer_order {
	HERALD_ORDER_NONE, /**< Any: a free lane takes the next message. */
	/** Messages with the same key run one after the other, in the order in which the broker
	 * delivers them. A message that is to be retried stays with the consumer, and later
	 * messages of its key wait for it. Messages without a key have no order. What a consumer
	 * gives back at a stop, or loses with its connection, comes again as the broker likes. */
	HERALD_ORDER_KEY,
};

/** Options of a consumer. Zero means the default; everything is copied. */
struct herald_consumer_options {
	size_t struct_size; /**< Set by HERALD_CONSUMER_OPTIONS. */

	/**
	 * Required: the broker, such as from herald_redis_subscriber_create().
	 * herald_consumer_create() takes ownership, even if it fails. You keep it only if it
	 * belongs to another consumer, or if struct_size is not set; both are errors.
	 */
	struct herald_subscriber *subscriber;
	/** Required: what runs the events. Borrowed; must outlive the consumer. */
	struct herald_service *service;

	/**
	 * Threads that run events. Limit 1,024. Default 0: the consumer's own thread runs them, one
	 * after the other. That costs least, and suits functions that do not wait: while one runs,
	 * nothing is received. Others run before the next receive, up to 64, but none begins later
	 * than 100 ms after the first one.
	 */
	unsigned lanes;
	enum herald_consumer_order order; /**< Default HERALD_ORDER_NONE. */
	/** The key of a message: the name of one of its headers. Default: the broker's own key,
	 * which Kafka has. With HERALD_ORDER_KEY only. */
	const char *key_attribute;

	/** Messages that are received and not finished. Default 256, limit 1,000,000. */
	size_t max_in_flight;
	/** Their bodies and headers. Default 64 MiB. A larger message is received alone. */
	size_t max_in_flight_bytes;

	/** Runs of one event, including those that a crash ended. Default 20, limit 10,000. */
	unsigned max_attempts;
	/** An event becomes a dead letter if the process has died during this many of its runs.
	 * Default 3, limit 10,000. */
	unsigned max_interrupted;
	/**
	 * Brokers count deliveries, of which some are not runs: the process or the connection died
	 * before the event's turn. The in-flight file tells them apart. If it is lost, or another
	 * machine had the event, they count as attempts. But an event whose attempts are used up in
	 * this way becomes a dead letter only after so many deliveries more; until then it runs
	 * alone, and each run may be its last. Default 20, limit 10,000.
	 */
	unsigned max_unknown_deliveries;
	enum herald_backoff backoff; /**< Default HERALD_BACKOFF_FULL_JITTER. */
	uint32_t first_delay_ms;     /**< Default 1,000, or max_delay_ms if less. */
	double factor;               /**< Default 2, from 1 to 1,000. */
	uint32_t max_delay_ms;       /**< Default 3,600,000 (an hour); at least first_delay_ms. */
	/** The longest pause between two attempts to connect. The first ones are shorter, and all
	 * are random. Default 750, limit 60,000. */
	uint32_t max_reconnect_delay_ms;

	/**
	 * A folder of this machine for a file that lists the running events. After a crash, the
	 * file shows which events may have caused it, and which others were only delivered. Default
	 * /dev/shm.
	 */
	const char *in_flight_folder;

	struct herald_thread_hooks thread_hooks; /**< On each thread that runs events. */
	struct herald_log log;                   /**< Zeroed: nothing is logged. */
	struct herald_allocator allocator;       /**< Zeroed: libc's. */
};

/** Options as a compound literal: HERALD_CONSUMER_OPTIONS(.service = service). */
#define HERALD_CONSUMER_OPTIONS(...)                                                               \
	((struct herald_consumer_options){.struct_size = sizeof(struct herald_consumer_options),   \
					  __VA_ARGS__})

/**
 * Create a consumer and begin to consume. If the broker cannot be reached, the consumer goes on
 * trying, with pauses of 100 ms to max_reconnect_delay_ms; herald_consumer_health() and the log say
 * so.
 *
 * out      set only on HERALD_OK; the caller owns it.
 * error    may be NULL; its path names the option, and the message says what to do.
 * Errors   HERALD_BAD_OPTION, HERALD_SYSTEM, HERALD_NO_MEMORY.
 * Threads  any. Waits a few seconds for the broker.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_consumer_create(const struct herald_consumer_options *options, struct herald_consumer **out,
		       struct herald_error *error);

/**
 * Stop: receive no more, release what has not begun, and wait up to drain_ms for the events that
 * are running and until the broker knows of all ends.
 *
 * Returns  the number of events that are still running, or whose end the broker does not know. Call
 *          it again to wait for them. 0 for NULL.
 * Threads  any, one at a time, but not from a function of the service.
 */
HERALD_API size_t herald_consumer_stop(struct herald_consumer *consumer, uint32_t drain_ms);

/** Stop, wait for functions that are running, and free the consumer. NULL is allowed. */
HERALD_API void herald_consumer_destroy(struct herald_consumer *consumer);

/** What a consumer is doing. The names are lower case: "connecting". */
enum herald_consumer_state {
	HERALD_CONSUMER_CONNECTING, /**< The broker cannot be reached; it is tried again. */
	HERALD_CONSUMER_RUNNING,    /**< Connected. */
	HERALD_CONSUMER_STOPPING,   /**< herald_consumer_stop() was called. */
	HERALD_CONSUMER_STOPPED,    /**< Nothing runs any more. */
};

/** The name of a state; "?" for an unknown value. Static storage. */
HERALD_API const char *herald_consumer_state_name(enum herald_consumer_state state);

/**
 * Whether the consumer is connected, for a health check.
 *
 * error    may be NULL: why not.
 * Errors   HERALD_UNAVAILABLE.
 * Threads  any. Does not block.
 */
HERALD_API enum herald_status
herald_consumer_health(struct herald_consumer *consumer, struct herald_error *error);

/** Counts since the consumer was created. */
struct herald_consumer_statistics {
	enum herald_consumer_state state; /**< Now. */
	uint64_t received;                /**< Messages, each time that they were delivered. */
	uint64_t redelivered;             /**< Of these, messages that were delivered before. */
	uint64_t runs;                    /**< Runs that have begun. */
	uint64_t done;                    /**< Messages that are finished. */
	uint64_t retries;     /**< Runs that ended with HERALD_RETRY, and will be repeated. */
	uint64_t dead;        /**< Messages that became dead letters. */
	uint64_t released;    /**< Messages that were given back, as they had not begun. */
	uint64_t lost;        /**< Ends that came too late for the broker. */
	uint64_t interrupted; /**< Events that a dead process has left running. */
	uint64_t connections; /**< Times that the broker was reached. */
	uint64_t failures;    /**< Times that it was not, or that the connection was lost. */
	uint64_t in_flight;   /**< Messages that the consumer has now. */
	uint64_t parked;      /**< Of these, messages that wait for a retry of their key. */
};

/** Read the counts. Any thread. */
HERALD_API void herald_consumer_statistics_read(struct herald_consumer *consumer,
						struct herald_consumer_statistics *out);

#ifdef __cplusplus
}
#endif
#endif
