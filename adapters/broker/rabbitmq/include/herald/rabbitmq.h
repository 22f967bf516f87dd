/*
 * RabbitMQ 3.10 or later for a consumer (herald/consumer.h) and a producer (herald/producer.h),
 * with librabbitmq (AMQP 0-9-1), and OpenSSL for amqps://.
 *
 *	struct herald_consumer_options options =
 *		HERALD_CONSUMER_OPTIONS(.service = service, .lanes = 8);
 *
 *	herald_rabbitmq_subscriber_create(
 *		&HERALD_RABBITMQ_SUBSCRIBER_OPTIONS(.url = "amqp://shop:secret@mq.internal/",
 *						    .queue = "orders"),
 *		&options.subscriber, &error);
 *	herald_consumer_create(&options, &consumer, &error);
 *
 * Queues. They are durable quorum queues, made if they do not exist: the queue, QUEUE.dead for dead
 * letters, and QUEUE.herald.retry.N, N in milliseconds, in which messages wait for a retry. The
 * user needs the permissions configure, write and read on them. A queue that exists with other
 * arguments is refused when the consumer connects. Do not give them a policy that limits their
 * length or the deliveries: the server would drop messages.
 *
 * Settling. A message that is done is acknowledged. For a retry and for a dead letter, a copy is
 * published first, and the message is acknowledged when the server has confirmed the copy. If the
 * connection is lost in between, there are both. There is one connection to consume and one to
 * publish, so that a server that is short of memory, and blocks who publishes, still takes
 * acknowledgements.
 *
 * Delays. A message is never early. It is late by about 25 ms, and at most until the next of 10,
 * 20, 50, 100, ... ms if messages with other delays wait in the same queue. On the server,
 * messages wait without taking any of max_in_flight.
 *
 * Attributes of an event are:
 *
 *	amqp-exchange, amqp-routing-key        where it was published; after a retry "" and the
 *	                                       queue's name
 *	amqp-message-id, amqp-correlation-id,  its properties, if it has them; content-type
 *	amqp-reply-to, amqp-type, amqp-app-id, is the event's media type
 *	amqp-user-id, amqp-content-encoding
 *	its headers, with their names          strings and bytes as they are; numbers and
 *	                                       booleans as in JSON; timestamps as in RFC 3339
 *	ce-type, ce-source, ...                its headers cloudEvents:type, cloudEvents_source,
 *	                                       ..., percent-encoded
 *
 * Headers that are tables, lists, decimals or null, and headers with a NUL, are left out. A copy
 * has all properties of the original but expiration and user-id, and all headers but CC, BCC and
 * the server's own. Its cluster-id is a number of the subscriber.
 *
 * Heartbeats are sent by the consumer's thread. With lanes = 0 they wait until functions return: if
 * that takes longer than two times heartbeat_s, the server ends the connection and delivers the
 * events again. The server does the same if an event is not finished within its consumer_timeout
 * (30 minutes).
 */
#ifndef HERALD_RABBITMQ_H
#define HERALD_RABBITMQ_H

#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>
#include <herald/export.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_dead_letters;
struct herald_publisher;
struct herald_subscriber;

/** Options. Zero means the default; everything is copied. */
struct herald_rabbitmq_subscriber_options {
	size_t struct_size; /**< Set by HERALD_RABBITMQ_SUBSCRIBER_OPTIONS. */

	/**
	 * Required: "amqp://USER:PASSWORD@HOST:PORT/VHOST". USER, PASSWORD and VHOST are
	 * percent-encoded. Default for USER and PASSWORD "guest", for PORT 5672. Without VHOST,
	 * also with a last '/', it is the virtual host "/". An IPv6 address is in square brackets.
	 * With "amqps://" the connection has TLS, the default PORT is 5671, and the server's
	 * certificate must be for HOST. Each connection then has a thread of its own.
	 */
	const char *url;

	/** Required: the queue. Limit 200 bytes of UTF-8; not "amq....". */
	const char *queue;

	/** The queue of dead letters. Default the queue's name with ".dead". Limit 255 bytes. */
	const char *dead_queue;

	/** To connect, for all addresses of the host together, and for each answer of the server.
	 * Default 5,000, limit 600,000. The lookup of a host name may take longer. */
	uint32_t connect_timeout_ms;

	/** A connection on which nothing arrives for two times this many seconds is lost. Default
	 * 30, limit 3,600; the server may set less. */
	uint32_t heartbeat_s;

	/** The name of the connections, for the server's list. Default "herald". */
	const char *connection_name;

	/** For amqps://, PEM: whom to trust. Default: the system's. Limit 1,023 bytes, as for the
	 * other files, which are read for each connection. */
	const char *ca_file;
	const char *certificate_file; /**< PEM: the client's certificates. With key_file. */
	const char *key_file;         /**< PEM: the client's private key, not encrypted. */

	struct herald_allocator allocator; /**< Of this object. Zeroed: libc's. */
};

/** Options as a compound literal. */
#define HERALD_RABBITMQ_SUBSCRIBER_OPTIONS(...)                                                    \
	((struct herald_rabbitmq_subscriber_options){                                              \
		.struct_size = sizeof(struct herald_rabbitmq_subscriber_options), __VA_ARGS__})

/**
 * Check the options, and create the option `subscriber` of a consumer. Nothing connects before
 * herald_consumer_create().
 *
 * out      set only on HERALD_OK; the caller owns it until a consumer has it.
 * error    may be NULL; its path names the option.
 * Errors   HERALD_BAD_OPTION, HERALD_NO_MEMORY, HERALD_SYSTEM.
 * Threads  any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_rabbitmq_subscriber_create(const struct herald_rabbitmq_subscriber_options *options,
				  struct herald_subscriber **out, struct herald_error *error);

/** Options of a reader of dead letters. Zero means the default; everything is copied. */
struct herald_rabbitmq_dead_letters_options {
	size_t struct_size; /**< Set by HERALD_RABBITMQ_DEAD_LETTERS_OPTIONS. */

	const char *url;        /**< Required, as for a subscriber. */
	const char *queue;      /**< Required: the queue that the events came from. */
	const char *dead_queue; /**< As for a subscriber. */
	/** As for a subscriber, and for each answer. Default 5,000, and 30,000 for answers: a
	 * server that is short of memory or disk is waited for so long. */
	uint32_t connect_timeout_ms;

	const char *ca_file;          /**< As for a subscriber. */
	const char *certificate_file; /**< Likewise. */
	const char *key_file;         /**< Likewise. */

	struct herald_allocator allocator; /**< Of this object. Zeroed: libc's. */
};

/** Options as a compound literal. */
#define HERALD_RABBITMQ_DEAD_LETTERS_OPTIONS(...)                                                  \
	((struct herald_rabbitmq_dead_letters_options){                                            \
		.struct_size = sizeof(struct herald_rabbitmq_dead_letters_options), __VA_ARGS__})

/**
 * Create a reader of dead letters, whose functions are in herald/adapter/dead_letters.h. It does
 * not connect yet. RabbitMQ cannot show messages without delivering them: what was read is kept
 * from others until close(), goes back to its place then, and the server counts that as a
 * delivery. An id is made of the content, so that equal dead letters have equal ids.
 *
 * out      set only on HERALD_OK. You own it.
 * error    may be NULL; its path names the option.
 * Errors   HERALD_BAD_OPTION, HERALD_NO_MEMORY, HERALD_SYSTEM.
 * Threads  any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_rabbitmq_dead_letters_create(const struct herald_rabbitmq_dead_letters_options *options,
				    struct herald_dead_letters **out, struct herald_error *error);

/** Options of a publisher. Zero means the default; everything is copied. */
struct herald_rabbitmq_publisher_options {
	size_t struct_size; /**< Set by HERALD_RABBITMQ_PUBLISHER_OPTIONS. */

	const char *url; /**< Required; as for a subscriber. */
	/** The exchange to which messages are published; it must exist. Limit 255 bytes. Default:
	 * the default exchange, in which a topic is the name of a queue. */
	const char *exchange;
	/** To connect, for all addresses of the host together, and for each answer while it
	 * connects. Default 5,000, limit 600,000. The lookup of a host name may take longer. */
	uint32_t connect_timeout_ms;
	/** A connection on which nothing arrives for two times this many seconds is lost. Default
	 * 30, limit 3,600; the server may set less. */
	uint32_t heartbeat_s;
	/** The name of the connection, for the server's list. Default "herald". */
	const char *connection_name;

	const char *ca_file;          /**< As for a subscriber. */
	const char *certificate_file; /**< Likewise. */
	const char *key_file;         /**< Likewise. */

	struct herald_allocator allocator; /**< Of this object. Zeroed: libc's. */
};

/** Options as a compound literal. */
#define HERALD_RABBITMQ_PUBLISHER_OPTIONS(...)                                                     \
	((struct herald_rabbitmq_publisher_options){                                               \
		.struct_size = sizeof(struct herald_rabbitmq_publisher_options), __VA_ARGS__})

/**
 * Create a publisher, for herald_producer_create(). `topic` is the routing key: without an
 * exchange, the name of a queue. Messages are persistent, and confirmed by the server. A message
 * that no queue takes comes back (`mandatory`); it is sent again until a queue takes it, or the
 * message is too old (timeout_ms of the producer). The publisher makes no queues.
 *
 * The id is the property message-id and the header `herald-message-id`, the content type is the
 * property content-type, and the key is the header `herald-key`. Headers `ce-...` become
 * `cloudEvents_...`, without percent-encoding, as the AMQP binding of CloudEvents says. Names of
 * headers may have up to 240 bytes, and all headers together must fit into a frame of 128 KiB. A
 * message with a header CC or BCC is refused, as RabbitMQ does not take text there.
 *
 * While the server takes nothing because of its memory or disk, messages wait; the log says so.
 *
 * out      set only on HERALD_OK; the caller owns it until a producer has it.
 * error    may be NULL; its path names the option.
 * Errors   HERALD_BAD_OPTION, HERALD_NO_MEMORY, HERALD_SYSTEM.
 * Threads  any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_rabbitmq_publisher_create(const struct herald_rabbitmq_publisher_options *options,
				 struct herald_publisher **out, struct herald_error *error);

#ifdef __cplusplus
}
#endif
#endif
