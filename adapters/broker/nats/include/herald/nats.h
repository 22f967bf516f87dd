/*
 * NATS JetStream for a consumer (herald/consumer.h) and a producer (herald/producer.h), with
 * libnats. Needs nats-server 2.9 or later.
 *
 *	struct herald_consumer_options options = HERALD_CONSUMER_OPTIONS(.service = service);
 *
 *	herald_nats_subscriber_create(
 *		&HERALD_NATS_SUBSCRIBER_OPTIONS(.url = "nats://127.0.0.1:4222", .stream = "orders",
 *						.group = "billing"),
 *		&options.subscriber, &error);
 *	herald_consumer_create(&options, &consumer, &error);
 *
 * What is made. When the consumer connects, the stream, the durable consumer `group` and a stream
 * for dead letters are created if they are missing: on disk, without limits. A durable consumer
 * that exists must have been created in the same way; another one is refused, with what to change.
 *
 * Headers are the event's attributes. If a header has several values, each is an attribute, and
 * what looks for one by its name finds the first. Content-Type is the media type; the headers of
 * the CloudEvents NATS protocol binding, such as ce-id, are read by herald_cloudevents_format.
 *
 * Ends. A message that is done is acknowledged (+ACK), a retry is left to the server
 * (-NAK with a delay), and so is what was released (-NAK). The server confirms the last one of
 * each group; because it handles them in order, this confirms them all. A dead letter is
 * published to `dead_subject`, and the message is acknowledged only when a stream has stored it.
 * Until then the publication is repeated with the same Nats-Msg-Id, so that it is stored once.
 *
 * Deliveries are counted by the server, so attempts survive restarts.
 */
#ifndef HERALD_NATS_H
#define HERALD_NATS_H

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
struct herald_nats_subscriber_options {
	size_t struct_size; /**< Set by HERALD_NATS_SUBSCRIBER_OPTIONS. */

	/**
	 * Required: "nats://[user[:password]@]host[:port]", or "tls://..." for TLS; the port is
	 * 4222 by default. Several servers of one cluster are separated by commas. A user without a
	 * password is a token. Percent-encoding is not decoded.
	 */
	const char *url;

	/** Required: the stream's name. No blanks, nor any of ". * > / \". Limit 255 bytes. */
	const char *stream;
	/** The subject that is consumed. It may have wildcards, such as "orders.*"; then a
	 * message's key (HERALD_ORDER_KEY) is its subject. Default: the stream's name. */
	const char *subject;
	/** Required: the name of the durable consumer. All processes with the same one share the
	 * messages. As the stream's name. */
	const char *group;
	/** Where dead letters are published. Default: the stream's name and ".dead". Must not match
	 * `subject`. The stream that is made for it is named alike, with '-' for each '.'. */
	const char *dead_subject;
	/** Copies of each message, in a cluster, of streams that are made. Default 1, limit 5. */
	unsigned replicas;

	/** After this time without a sign of life from the process, the server delivers a message
	 * again. What is held for longer is extended. Default 30,000, from 300 to 86,400,000. */
	uint32_t ack_wait_ms;

	/** To find a server that answers, of all in `url` together; to connect to it; and for each
	 * request: a server that is silent for longer counts as lost. Default 5,000, from 100 to
	 * 600,000. */
	uint32_t timeout_ms;

	const char *credentials_file; /**< JWT and seed (".creds"). */
	const char *ca_file;          /**< PEM: whom to trust, for TLS. Default: the system's. */
	const char *certificate_file; /**< PEM: the client's certificates. With key_file. */
	const char *key_file;         /**< PEM: the client's private key. */

	struct herald_allocator allocator; /**< Zeroed: libc's. libnats has its own. */
};

/** Options as a compound literal. */
#define HERALD_NATS_SUBSCRIBER_OPTIONS(...)                                                        \
	((struct herald_nats_subscriber_options){                                                  \
		.struct_size = sizeof(struct herald_nats_subscriber_options), __VA_ARGS__})

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
herald_nats_subscriber_create(const struct herald_nats_subscriber_options *options,
			      struct herald_subscriber **out, struct herald_error *error);

/** Free a subscriber that was not passed to a consumer. NULL is allowed. */
HERALD_API void herald_nats_subscriber_destroy(struct herald_subscriber *subscriber);

/** Options of a reader of dead letters. Zero means the default; everything is copied. */
struct herald_nats_dead_letters_options {
	size_t struct_size; /**< Set by HERALD_NATS_DEAD_LETTERS_OPTIONS. */

	const char *url;          /**< Required, as for a subscriber. */
	const char *stream;       /**< Required: the stream that the events came from. */
	const char *dead_subject; /**< As for a subscriber. */
	uint32_t timeout_ms;      /**< As for a subscriber. */

	const char *credentials_file; /**< As for a subscriber. */
	const char *ca_file;          /**< Likewise. */
	const char *certificate_file; /**< Likewise. */
	const char *key_file;         /**< Likewise. */

	struct herald_allocator allocator; /**< Zeroed: libc's. libnats has its own. */
};

/** Options as a compound literal. */
#define HERALD_NATS_DEAD_LETTERS_OPTIONS(...)                                                      \
	((struct herald_nats_dead_letters_options){                                                \
		.struct_size = sizeof(struct herald_nats_dead_letters_options), __VA_ARGS__})

/**
 * Create a reader of dead letters, whose functions are in herald/adapter/dead_letters.h. It does
 * not connect yet. No consumer is made: messages are read by their sequence numbers, which are
 * their ids. A copy has a Nats-Msg-Id, so that a stream stores it once if it is sent again within
 * the stream's `duplicate_window`.
 *
 * out      set only on HERALD_OK. You own it.
 * error    may be NULL; its path names the option.
 * Errors   HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 * Threads  any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_nats_dead_letters_create(const struct herald_nats_dead_letters_options *options,
				struct herald_dead_letters **out, struct herald_error *error);

/** Options of a publisher. Zero means the default; everything is copied. */
struct herald_nats_publisher_options {
	size_t struct_size; /**< Set by HERALD_NATS_PUBLISHER_OPTIONS. */

	const char *url; /**< Required; as for a subscriber. */
	/** As for a subscriber, and for each answer. A message without one is sent again, with the
	 * same `Nats-Msg-Id`; a server that is silent for longer counts as lost. Default 5,000,
	 * from 100 to 600,000. */
	uint32_t timeout_ms;
	/** The name of the connection, for the server's list. Default "herald". */
	const char *connection_name;

	const char *credentials_file; /**< JWT and seed (".creds"). */
	const char *ca_file;          /**< PEM: whom to trust, for TLS. Default: the system's. */
	const char *certificate_file; /**< PEM: the client's certificates. With key_file. */
	const char *key_file;         /**< PEM: the client's private key. */

	struct herald_allocator allocator; /**< Zeroed: libc's. libnats has its own. */
};

/** Options as a compound literal. */
#define HERALD_NATS_PUBLISHER_OPTIONS(...)                                                         \
	((struct herald_nats_publisher_options){                                                   \
		.struct_size = sizeof(struct herald_nats_publisher_options), __VA_ARGS__})

/**
 * Create a publisher, for herald_producer_create(). A message is published to the subject that
 * `topic` names, and confirmed by the stream that stores this subject. If no stream does, it is
 * sent again until there is one, or the message is too old (timeout_ms of the producer).
 *
 * The id is in the headers `Nats-Msg-Id` and `herald-message-id`: if a message is sent again within
 * the stream's duplicate window (2 minutes by default), the stream stores it once. The content type
 * is in `Content-Type`, the key in `herald-key`. A message with its headers must not be larger than
 * `max_payload` of the server.
 *
 * out      set only on HERALD_OK; the caller owns it until a producer has it.
 * error    may be NULL; its path names the option.
 * Errors   HERALD_BAD_OPTION, HERALD_NO_MEMORY, HERALD_SYSTEM.
 * Threads  any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_nats_publisher_create(const struct herald_nats_publisher_options *options,
			     struct herald_publisher **out, struct herald_error *error);

#ifdef __cplusplus
}
#endif
#endif
