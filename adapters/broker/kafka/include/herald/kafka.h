/*
 * A consumer's subscriber for Apache Kafka, with librdkafka 2.0.2 or later. Needs Kafka 2.4 or
 * later.
 *
 *	struct herald_consumer_options options =
 *		HERALD_CONSUMER_OPTIONS(.service = service, .lanes = 8, .max_in_flight = 2000);
 *
 *	herald_kafka_subscriber_create(
 *		&HERALD_KAFKA_SUBSCRIBER_OPTIONS(.url = "kafka://127.0.0.1:9092",
 *						 .topic = "orders", .group = "billing"),
 *		&options.subscriber, &error);
 *	herald_consumer_create(&options, &consumer, &error);
 *
 * Topics. For a topic TOPIC and a group GROUP: the topic itself, TOPIC.dead for dead letters, and
 * TOPIC.GROUP.retry.1s, .10s, .1m, .10m, .1h, .24h, up to the longest delay, in which messages wait
 * for a retry. They are made if they do not exist. A new group begins with the first message of
 * the topic.
 *
 * Offsets. Kafka stores one offset for each partition. Events may end in another order: those that
 * are open are written into the metadata of the offset, with their numbers of deliveries. So events
 * that are finished do not run again after a crash or a rebalance. A partition has at most 1,000
 * events in flight.
 *
 * Retries and dead letters are copies, with the key and the headers of the message. When the
 * brokers have confirmed a copy, the message is finished. A copy that waits takes none of
 * max_in_flight.
 *
 * Headers are the event's attributes; content-type selects the format. The headers of CloudEvents
 * in binary mode, such as ce_id, become ce-id (Kafka protocol binding), percent-encoded. Headers
 * with a NUL are left out. The message's key is the key of HERALD_ORDER_KEY.
 *
 * Rebalances. When a process joins or leaves the group, each process first waits for its events
 * that run. Nothing is received meanwhile.
 */
#ifndef HERALD_KAFKA_H
#define HERALD_KAFKA_H

#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>
#include <herald/export.h>
#include <herald/status.h>
#include <herald/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_dead_letters;
struct herald_publisher;
struct herald_subscriber;

/** Options. Zero means the default; everything is copied. */
struct herald_kafka_subscriber_options {
	size_t struct_size; /**< Set by HERALD_KAFKA_SUBSCRIBER_OPTIONS. */

	/**
	 * Required: "kafka://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]...]". USER and PASSWORD are
	 * percent-encoded, and log in by SASL/PLAIN. Default for PORT 9092. An IPv6 address is in
	 * square brackets. For TLS and other logins, see `properties`.
	 */
	const char *url;

	/** Required: the topic. Letters, digits, '.', '_' and '-'. Limit 200 bytes. Together with
	 * `group`, limit 230 bytes. */
	const char *topic;
	/** Required: the consumer group. All processes with the same one share the messages.
	 * Letters, digits, '.', '_' and '-'. */
	const char *group;
	/** The topic of dead letters. Default: the topic's name with ".dead". */
	const char *dead_topic;

	/** Partitions of the topic, if it is made. Default: the broker's. Limit 10,000. */
	unsigned partitions;
	/** Replicas of topics that are made. Default: the broker's. Limit 100. */
	unsigned replicas;

	/** After this time without a sign of life from the process, its partitions go to others.
	 * Default 10,000, from 1,000 to 3,600,000; the brokers allow 6,000 to 1,800,000 by
	 * default. */
	uint32_t session_timeout_ms;
	/** How long a rebalance waits for events that run. An event that takes longer runs again in
	 * another process. Default 30,000, limit 120,000. */
	uint32_t rebalance_timeout_ms;
	/** For connecting, and for each request. Default 5,000, from 1,000 to 300,000. */
	uint32_t timeout_ms;

	/** Further settings of librdkafka, such as {"security.protocol", "sasl_ssl"}. What the
	 * subscriber sets itself is refused. Set by HERALD_KAFKA_PROPERTIES. */
	const struct herald_pair *properties;
	size_t properties_count; /**< Likewise. */

	struct herald_allocator allocator; /**< Zeroed: libc's. librdkafka has its own. */
};

/** Options as a compound literal. */
#define HERALD_KAFKA_SUBSCRIBER_OPTIONS(...)                                                       \
	((struct herald_kafka_subscriber_options){                                                 \
		.struct_size = sizeof(struct herald_kafka_subscriber_options), __VA_ARGS__})

/** The members `properties` and `properties_count` for an array. */
#define HERALD_KAFKA_PROPERTIES(ARRAY)                                                             \
	.properties = (ARRAY), .properties_count = sizeof(ARRAY) / sizeof((ARRAY)[0])

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
herald_kafka_subscriber_create(const struct herald_kafka_subscriber_options *options,
			       struct herald_subscriber **out, struct herald_error *error);

/** Free a subscriber that was not passed to a consumer. NULL is allowed. */
HERALD_API void herald_kafka_subscriber_destroy(struct herald_subscriber *subscriber);

/** Options of a reader of dead letters. Zero means the default; everything is copied. */
struct herald_kafka_dead_letters_options {
	size_t struct_size; /**< Set by HERALD_KAFKA_DEAD_LETTERS_OPTIONS. */

	const char *url;        /**< Required; as for a subscriber. */
	const char *topic;      /**< Required: the topic that the events came from. */
	const char *dead_topic; /**< As for a subscriber. Limit 244 bytes. */
	/** For connecting, and for each request. Default 5,000, from 1,000 to 300,000. */
	uint32_t timeout_ms;
	/** Dead letters that are done and still in the topic, at most; 32 bytes of memory each, and
	 * up to 128 while they are read. Default 1,000,000, limit 100,000,000. */
	size_t max_marks;

	const struct herald_pair *properties; /**< As for a subscriber; HERALD_KAFKA_PROPERTIES. */
	size_t properties_count;              /**< Likewise. */

	struct herald_allocator allocator; /**< Zeroed: libc's. librdkafka has its own. */
};

/** Options as a compound literal. */
#define HERALD_KAFKA_DEAD_LETTERS_OPTIONS(...)                                                     \
	((struct herald_kafka_dead_letters_options){                                               \
		.struct_size = sizeof(struct herald_kafka_dead_letters_options), __VA_ARGS__})

/**
 * Create a reader of dead letters, whose functions are in herald/adapter/dead_letters.h. It does
 * not connect yet. No group is made. An id is "PARTITION:OFFSET".
 *
 * Kafka cannot delete a record in the middle of a topic. So a dead letter that was replayed or
 * removed gets a mark in the topic DEAD_TOPIC.done, which is compacted, and which the first replay
 * or removal makes. close() deletes the letters at the beginning of each partition that are done,
 * with their marks, if the user has the right to. A letter whose copy was sent and whose mark was
 * not, because the process or the brokers died, is replayed again. Two readers that replay the same
 * letters at the same time may each send one.
 *
 * out      set only on HERALD_OK. You own it.
 * error    may be NULL; its path names the option.
 * Errors   HERALD_BAD_OPTION, HERALD_NO_MEMORY, HERALD_SYSTEM.
 * Threads  any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_kafka_dead_letters_create(const struct herald_kafka_dead_letters_options *options,
				 struct herald_dead_letters **out, struct herald_error *error);

/** Options of a publisher. Zero means the default; everything is copied. */
struct herald_kafka_publisher_options {
	size_t struct_size; /**< Set by HERALD_KAFKA_PUBLISHER_OPTIONS. */

	const char *url; /**< Required; as for a subscriber. */
	/** For connecting, and for each request. A message that the brokers of its partition do not
	 * confirm within two times this time is sent again. Default 5,000, from 1,000 to
	 * 300,000. */
	uint32_t timeout_ms;

	const struct herald_pair *properties; /**< As for a subscriber; HERALD_KAFKA_PROPERTIES. */
	size_t properties_count;              /**< Likewise. */

	struct herald_allocator allocator; /**< Zeroed: libc's. librdkafka has its own. */
};

/** Options as a compound literal. */
#define HERALD_KAFKA_PUBLISHER_OPTIONS(...)                                                        \
	((struct herald_kafka_publisher_options){                                                  \
		.struct_size = sizeof(struct herald_kafka_publisher_options), __VA_ARGS__})

/**
 * Create a publisher, for herald_producer_create(). A message is confirmed when all replicas in
 * sync have it (`acks=all`). The producer is idempotent: what librdkafka sends again is stored once
 * and in order. After a lost connection to all brokers, a message may be stored twice.
 *
 * The key is the message's key, by which Kafka chooses the partition, as its clients in Java do
 * (murmur2), and the header `herald-key`. Messages without a key go to any partition. The id is the
 * header `herald-message-id`, and the content type the header `content-type`. Headers `ce-...`
 * become `ce_...`, without percent-encoding, as the Kafka binding of CloudEvents says.
 *
 * A message whose topic does not exist, or which the user must not write, is sent again until it is
 * too old (timeout_ms of the producer). A message that is larger than `max.message.bytes` of its
 * topic fails at once with HERALD_TOO_LARGE. Messages that librdkafka had sent in a batch with it
 * are sent again one by one, and may come after later messages of their key.
 *
 * out      set only on HERALD_OK; the caller owns it until a producer has it.
 * error    may be NULL; its path names the option.
 * Errors   HERALD_BAD_OPTION, HERALD_NO_MEMORY, HERALD_SYSTEM.
 * Threads  any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_kafka_publisher_create(const struct herald_kafka_publisher_options *options,
			      struct herald_publisher **out, struct herald_error *error);

#ifdef __cplusplus
}
#endif
#endif
