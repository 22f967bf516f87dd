/*
 * A producer sends messages to a broker: NATS JetStream, Kafka, RabbitMQ or Redis Streams.
 *
 *	herald_producer_create(&HERALD_PRODUCER_OPTIONS(.publisher = publisher), &producer, &error);
 *	herald_producer_publish(producer,
 *				&(struct herald_publication){
 *					.topic = "orders", .key = "user-17",
 *					.codec = order_codec, .value = &order},
 *				&error);
 *
 * HERALD_OK means that the broker has confirmed the message. Until then the producer sends the
 * message again after each lost connection, with the same id, for timeout_ms. So a message may
 * arrive twice; receivers recognise it by its id. Messages are sent in the order in which they were
 * submitted. A repeated message comes after the messages that were sent in the meantime. If the
 * broker cannot take a message now, only this message pauses, for up to 10 s.
 *
 * A producer is one thread with one connection. If the process dies, the messages that are not
 * confirmed are lost. To publish what must not be lost, use a store and herald/publish.h. It also
 * publishes without a store, if senders send events again that were not confirmed.
 *
 * Lifecycle: create, herald_producer_stop(), destroy.
 */
#ifndef HERALD_PRODUCER_H
#define HERALD_PRODUCER_H

#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>
#include <herald/codec.h>
#include <herald/delivery.h>
#include <herald/export.h>
#include <herald/log.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_producer;
struct herald_publisher;

/** Options of a producer. Zero means the default; everything is copied. */
struct herald_producer_options {
	size_t struct_size; /**< Set by HERALD_PRODUCER_OPTIONS. */

	/**
	 * Required: the broker. herald_producer_create() takes ownership, even if it fails. You
	 * keep it only if it belongs to another producer, or if struct_size is not set; both are
	 * errors.
	 */
	struct herald_publisher *publisher;
	/** Messages that have not ended; further ones are refused. Also the limit of messages that
	 * were sent and not answered, which include those that ended because of timeout_ms. Default
	 * 10,000, limit 1,000,000. */
	size_t max_pending;
	/** Bodies, headers and keys of messages that have not ended, or were sent and not answered.
	 * A single message with more is HERALD_TOO_LARGE. Default 64 MiB. */
	size_t max_pending_bytes;
	/** A message that is not confirmed after this time has failed. Default 30,000, limit
	 * 3,600,000. */
	uint32_t timeout_ms;
	/** The longest pause between two attempts to connect. The first ones are shorter, and all
	 * are random. Default 750, limit 60,000. */
	uint32_t max_reconnect_delay_ms;

	struct herald_log log;             /**< Zeroed: nothing is logged. */
	struct herald_allocator allocator; /**< Zeroed: libc's. */
};

/** Options as a compound literal: HERALD_PRODUCER_OPTIONS(.publisher = publisher). */
#define HERALD_PRODUCER_OPTIONS(...)                                                               \
	((struct herald_producer_options){.struct_size = sizeof(struct herald_producer_options),   \
					  __VA_ARGS__})

/**
 * A message. Its body is either bytes, or a codec and a struct:
 *
 *	HERALD_BODY("<done/>", 7), .content_type = "application/xml"
 *	.codec = order_codec, .value = &order
 */
struct herald_publication {
	/** Required: the stream, topic, subject or queue. UTF-8 without control characters, limit
	 * 255 bytes; the broker may allow less. */
	const char *topic;
	/** Messages with the same key go to the same partition. NULL: none. Limit 255 bytes. */
	const char *key;
	/** Your id of the message, such as a row of a table. Visible ASCII except '%', limit 63
	 * characters. Default: 32 random hexadecimal digits. */
	const char *id;

	/** HERALD_BODY: any bytes. A body of 0 bytes must be HERALD_EMPTY_BODY. */
	const void *body;
	size_t body_bytes;                /**< Limit max_pending_bytes. */
	const struct herald_codec *codec; /**< Of the struct in `value`; used during the call. */
	const void *value;                /**< The struct, encoded as JSON. */
	/** Default "application/json" for a value, "application/octet-stream" for bytes. Limit 255
	 * bytes. */
	const char *content_type;
	/** Headers of the form "Name: value", set by HERALD_HEADERS. Limit 64, of 4,096 bytes each.
	 * Names that begin with Herald- and Content-Type are refused. */
	const char *const *headers;
	size_t headers_count; /**< Number of headers. */
};

/**
 * Called at the end of each accepted message, once, on the producer's thread or on the thread of
 * herald_producer_destroy(). It must not block, and may submit, but not publish, flush or stop.
 *
 * status   HERALD_OK: confirmed. HERALD_UNKNOWN_OUTCOME: not confirmed in time, or refused when it
 *          was sent again; it may have arrived. HERALD_UNAVAILABLE: not sent in time. Anything
 *          else: the broker has refused it.
 * reason   one line; "" for HERALD_OK. Borrowed.
 */
typedef void herald_published_hook(enum herald_status status, const char *reason, void *state);

/**
 * Create a producer and start its thread. If the broker cannot be reached, the producer goes on
 * trying, with pauses of 100 ms to max_reconnect_delay_ms; herald_producer_health() and the log say
 * so.
 *
 * out      set only on HERALD_OK; the caller owns it.
 * error    may be NULL; its path names the option, and the message says what to do.
 * Errors   HERALD_BAD_OPTION, HERALD_SYSTEM, HERALD_NO_MEMORY.
 * Threads  any. Waits a few seconds for the broker.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_producer_create(const struct herald_producer_options *options, struct herald_producer **out,
		       struct herald_error *error);

/**
 * Send a message, and wait until the broker has confirmed it.
 *
 * publication  borrowed during the call.
 * error        may be NULL; its path names the wrong member, also within a value that cannot be
 *              encoded.
 * Errors       HERALD_BAD_VALUE, HERALD_BAD_LENGTH, HERALD_TOO_LARGE, HERALD_LIMIT (max_pending or
 *              max_pending_bytes is reached, or the producer was stopped), HERALD_NO_MEMORY; the
 *              errors of herald_codec_encode(); every status of herald_published_hook.
 * Threads      any, several at once, but not from a hook of this producer. Waits timeout_ms at
 *              most. If the producer is connecting then, waits until that has succeeded or failed:
 *              several seconds, if the broker does not answer (see the publisher's options).
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_producer_publish(struct herald_producer *producer,
			const struct herald_publication *publication, struct herald_error *error);

/**
 * Send a message, and do not wait.
 *
 * publication  copied, with everything that it points to.
 * hook         called at the message's end; may be NULL. Not called if this function fails.
 * state        passed to the hook.
 * error        may be NULL; as for herald_producer_publish().
 * Errors       as for herald_producer_publish(), without the statuses of the hook.
 * Threads      any, several at once.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_producer_submit(struct herald_producer *producer,
		       const struct herald_publication *publication, herald_published_hook *hook,
		       void *state, struct herald_error *error);

/**
 * Wait until everything that was submitted before is confirmed or has failed.
 *
 * Returns  the number of messages that are neither after timeout_ms.
 * Threads  any, but not from a hook.
 */
HERALD_API size_t herald_producer_flush(struct herald_producer *producer, uint32_t timeout_ms);

/**
 * Accept no more messages, and wait up to drain_ms for those that are not confirmed.
 *
 * Returns  the number of those that are left; call it again to wait for them. 0 for NULL.
 * Threads  any, one at a time, but not from a hook.
 */
HERALD_API size_t herald_producer_stop(struct herald_producer *producer, uint32_t drain_ms);

/** Stop, let what is left fail, and free the producer. NULL is allowed. */
HERALD_API void herald_producer_destroy(struct herald_producer *producer);

/**
 * Whether the producer is connected, for a health check.
 *
 * error    may be NULL: why not.
 * Errors   HERALD_UNAVAILABLE.
 * Threads  any. Does not block.
 */
HERALD_API enum herald_status
herald_producer_health(struct herald_producer *producer, struct herald_error *error);

/** Counts since the producer was created. */
struct herald_producer_statistics {
	uint64_t submitted;     /**< Messages that were accepted. */
	uint64_t confirmed;     /**< Those that the broker has confirmed. */
	uint64_t failed;        /**< Those that have failed. */
	uint64_t repeated;      /**< Times that a message was sent again. */
	uint64_t connections;   /**< Times that the broker was reached. */
	uint64_t failures;      /**< Times that it was not, or that the connection was lost. */
	uint64_t pending;       /**< Messages that have not ended. */
	uint64_t pending_bytes; /**< What counts for max_pending_bytes. */
};

/** Read the counts. Any thread. */
HERALD_API void herald_producer_statistics_read(struct herald_producer *producer,
						struct herald_producer_statistics *out);

#ifdef __cplusplus
}
#endif
#endif
