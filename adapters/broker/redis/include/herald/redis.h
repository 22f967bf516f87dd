/*
 * Redis Streams for a consumer (herald/consumer.h) and a producer (herald/producer.h), with
 * hiredis, and OpenSSL for rediss://. Needs Redis 7.0 or newer.
 *
 *	herald_redis_subscriber_create(
 *		&HERALD_REDIS_SUBSCRIBER_OPTIONS(.url = "redis://127.0.0.1:6379",
 *						 .stream = "orders", .group = "billing"),
 *		&subscriber, &error);
 *
 * An entry's field `data` is the event. The others are its attributes: `content-type`, `ce-id` and
 * so on mean what they mean in HTTP. Fields that contain a NUL byte are left out.
 *
 * What the keys hold, for a stream NAME and a group GROUP, both made if they are not there:
 *
 *	NAME                the events
 *	NAME.dead           the dead letters: the entry's fields, and the headers of
 *	                    struct herald_dead_letter_headers (herald/adapter/subscriber.h)
 *	NAME.GROUP.delayed  a sorted set: when entries are due whose delay is longer than
 *	                    `visibility_ms`
 *
 * In a cluster, the three must be in one slot: put the name, or a part of it, in braces.
 */
#ifndef HERALD_REDIS_H
#define HERALD_REDIS_H

#include <stdbool.h>
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

/** Options of a subscriber. Zero means the default; everything is copied. */
struct herald_redis_subscriber_options {
	size_t struct_size; /**< Set by HERALD_REDIS_SUBSCRIBER_OPTIONS. */

	/**
	 * Required: redis://[[user]:password@]host[:port][/database]. User and password are
	 * percent-encoded where RFC 3986 asks for it; an IPv6 address is in brackets. Default port
	 * 6379, database 0. With rediss:// the connection has TLS, and the server's certificate
	 * must be for this host.
	 */
	const char *url;
	const char *stream; /**< Required. Limit 1,024 bytes. */
	const char *group;  /**< Required. Limit 1,024 bytes. */

	/** A group that is created begins with what is added afterwards. Default: with the first
	 * entry of the stream. */
	bool from_end;
	/** Delete entries that are done from the stream. Only if no other group reads it. Default:
	 * they stay, and you trim the stream (XTRIM MINID) when all groups have read them. */
	bool delete_done;

	/**
	 * If a process dies, its entries are delivered to others after this time. While it lives,
	 * it keeps what it has. If the consumer's thread cannot do that for half of this time,
	 * because its functions run there (no lanes), entries may run twice. Default 30,000, from
	 * 1,000 to 86,400,000, and at least twice reply_timeout_ms.
	 */
	uint32_t visibility_ms;
	uint32_t connect_timeout_ms; /**< Default 2,000, limit 60,000. */
	/** Without an answer for this time, the connection is closed and made again. Default 5,000,
	 * or a third of visibility_ms if less. */
	uint32_t reply_timeout_ms;

	/** For rediss://, PEM: whom to trust. Default: the system's. Limit 1,023 bytes, as for the
	 * other files, which are read for each connection. */
	const char *ca_file;
	const char *certificate_file; /**< PEM: the client's certificates. With key_file. */
	const char *key_file;         /**< PEM: the client's private key, not encrypted. */

	struct herald_allocator allocator; /**< Zeroed: libc's. hiredis uses libc's always. */
};

/** Options as a compound literal. */
#define HERALD_REDIS_SUBSCRIBER_OPTIONS(...)                                                       \
	((struct herald_redis_subscriber_options){                                                 \
		.struct_size = sizeof(struct herald_redis_subscriber_options), __VA_ARGS__})

/**
 * Create a subscriber. It does not connect yet. When it does, herald_consumer_create() refuses
 * (HERALD_BAD_OPTION) a wrong password, a server older than 7.0, one that evicts keys
 * (maxmemory-policy), and a stream from which entries were removed (MAXLEN) before the group has
 * read them.
 *
 * out      set only on HERALD_OK. You own it until you pass it to herald_consumer_create().
 * error    may be NULL; its path names the option.
 * Errors   HERALD_BAD_OPTION, HERALD_SYSTEM, HERALD_NO_MEMORY.
 * Threads  any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_redis_subscriber_create(const struct herald_redis_subscriber_options *options,
			       struct herald_subscriber **out, struct herald_error *error);

/**
 * The number of entries that were removed from the stream (MAXLEN, XDEL) after they were delivered
 * and before they were done, as far as this subscriber has noticed. Each is in the log as well.
 *
 * subscriber  of herald_redis_subscriber_create(); not destroyed.
 * Threads     any.
 */
HERALD_API uint64_t herald_redis_subscriber_trimmed(const struct herald_subscriber *subscriber);

/** Options of a reader of dead letters. Zero means the default; everything is copied. */
struct herald_redis_dead_letters_options {
	size_t struct_size; /**< Set by HERALD_REDIS_DEAD_LETTERS_OPTIONS. */

	const char *url;    /**< Required, as for a subscriber. */
	const char *stream; /**< Required: the origin. Its dead letters are in NAME.dead. */

	uint32_t connect_timeout_ms; /**< Default 5,000, limit 60,000. */
	uint32_t reply_timeout_ms;   /**< For each answer. Default 30,000, limit 600,000. */

	const char *ca_file;          /**< As for a subscriber. */
	const char *certificate_file; /**< Likewise. */
	const char *key_file;         /**< Likewise. */

	struct herald_allocator allocator; /**< Zeroed: libc's. hiredis uses libc's always. */
};

/** Options as a compound literal. */
#define HERALD_REDIS_DEAD_LETTERS_OPTIONS(...)                                                     \
	((struct herald_redis_dead_letters_options){                                               \
		.struct_size = sizeof(struct herald_redis_dead_letters_options), __VA_ARGS__})

/**
 * Create a reader of dead letters, whose functions are in herald/adapter/dead_letters.h. It does
 * not connect yet. A replay is one script, which adds the copy and deletes the dead letter: there
 * is never more than one of the two, also if several replay at the same time.
 *
 * out      set only on HERALD_OK. You own it.
 * error    may be NULL; its path names the option.
 * Errors   HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 * Threads  any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_redis_dead_letters_create(const struct herald_redis_dead_letters_options *options,
				 struct herald_dead_letters **out, struct herald_error *error);

/** Options of a publisher. Zero means the default; everything is copied. */
struct herald_redis_publisher_options {
	size_t struct_size; /**< Set by HERALD_REDIS_PUBLISHER_OPTIONS. */
	const char *url;    /**< Required; as for a subscriber. */
	/** A message to a stream that does not exist is sent again until the stream exists, or the
	 * message is too old (timeout_ms of the producer). Default: the stream is created. */
	bool must_exist;
	uint32_t connect_timeout_ms; /**< Default 2,000, limit 60,000. */
	/** Without an answer for this time, the connection is closed and made again. Default 5,000,
	 * limit 600,000. */
	uint32_t reply_timeout_ms;

	const char *ca_file;          /**< As for a subscriber. */
	const char *certificate_file; /**< Likewise. */
	const char *key_file;         /**< Likewise. */

	struct herald_allocator allocator; /**< Zeroed: libc's. hiredis uses libc's always. */
};

/** Options as a compound literal. */
#define HERALD_REDIS_PUBLISHER_OPTIONS(...)                                                        \
	((struct herald_redis_publisher_options){                                                  \
		.struct_size = sizeof(struct herald_redis_publisher_options), __VA_ARGS__})

/**
 * Create a publisher, for herald_producer_create(). A message becomes an entry of the stream that
 * `topic` names: the field `data` is its body, and further fields are its headers, `content-type`,
 * `herald-message-id` and, if it has a key, `herald-key`. A header named `data` is refused. Redis
 * does not know messages that are sent again: they are added again, with the same
 * `herald-message-id`.
 *
 * Wrong passwords, versions and settings of the server are refused as for a subscriber.
 *
 * out      set only on HERALD_OK. You own it until you pass it to herald_producer_create().
 * error    may be NULL; its path names the option.
 * Errors   HERALD_BAD_OPTION, HERALD_SYSTEM, HERALD_NO_MEMORY.
 * Threads  any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_redis_publisher_create(const struct herald_redis_publisher_options *options,
			      struct herald_publisher **out, struct herald_error *error);

#ifdef __cplusplus
}
#endif
#endif
