/*
 * For authors of publishers: what a producer (herald/producer.h) asks of a message broker. The
 * producer decides what is sent, and when it is sent again. The publisher sends it, and tells which
 * messages the broker has confirmed.
 *
 *	open -> send, run, ... -> close -> open ... -> destroy
 *
 * All functions are called on the producer's thread, except for wake() and for open() and destroy()
 * as said there. Only open(), run() and close() may wait, and none longer than it says.
 *
 * Messages. The publisher has a message from a send() that returned HERALD_OK until run() or
 * close() returns it. Each message is returned exactly once, with its outcome:
 *
 *	HERALD_OK               the broker has confirmed it.
 *	HERALD_UNKNOWN_OUTCOME  the connection was lost, or the broker did not answer: it may have
 *	                        arrived. The producer sends it again, with the same id.
 *	HERALD_UNAVAILABLE      it has not arrived, and may arrive if it is sent again.
 *	anything else           the broker has refused it for good, such as HERALD_TOO_LARGE.
 *
 * A publisher embeds struct herald_publisher as its first member:
 *
 *	struct my_publisher {
 *		struct herald_publisher base;
 *		...
 *	};
 *
 *	static const struct herald_publisher_ops my_ops = {.name = "my", .open = my_open, ...};
 */
#ifndef HERALD_ADAPTER_PUBLISHER_H
#define HERALD_ADAPTER_PUBLISHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <herald/allocator.h>
#include <herald/export.h>
#include <herald/log.h>
#include <herald/status.h>
#include <herald/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_producer;
struct herald_publisher_ops;

/** The first member of every publisher. */
struct herald_publisher {
	const struct herald_publisher_ops *ops; /**< Set by the publisher's constructor. */
	/** NULL at first; set by herald_producer_create(). */
	const struct herald_producer *producer;
};

/** Whether the producer of a publisher ends, so that open() must end. False without a producer. Any
 * thread, from the first open() until destroy(). */
HERALD_API bool herald_publisher_is_stopping(const struct herald_publisher *publisher);

/** A message to send. The publisher changes only the members that say so. */
struct herald_outgoing {
	struct herald_outgoing *next; /**< In a list of its owner. */
	const char *topic;            /**< Where to: a stream, topic, subject or queue. */
	struct herald_text key;       /**< For the order and the partition; data NULL: none. */
	const char *id; /**< The same each time that it is sent. Visible ASCII, up to 63 bytes. */
	struct herald_text data;       /**< The body. */
	struct herald_text attributes; /**< Its headers: "name\0value\0" for each. */
	const char *content_type;      /**< The media type; NULL: unknown. */

	enum herald_status status; /**< Set by the publisher: the outcome. */
	/** Set by the publisher for a status other than HERALD_OK: why, one line. */
	char reason[256];
	uint64_t number; /**< For the publisher, while it has the message. */
	void *place;     /**< Likewise. */
};

/** A list of messages. */
struct herald_outgoing_list {
	struct herald_outgoing *first; /**< NULL: it is empty. */
	struct herald_outgoing *last;  /**< Likewise. */
	size_t count;                  /**< Number of messages. */
};

/** Add a message at the end of a list. */
static inline void
herald_outgoing_list_add(struct herald_outgoing_list *list, struct herald_outgoing *message)
{
	message->next = NULL;
	if (list->last)
		list->last->next = message;
	else
		list->first = message;
	list->last = message;
	list->count++;
}

/** Take the first message of a list; NULL: it is empty. */
static inline struct herald_outgoing *
herald_outgoing_list_take(struct herald_outgoing_list *list)
{
	struct herald_outgoing *message = list->first;

	if (!message)
		return NULL;
	list->first = message->next;
	if (!list->first)
		list->last = NULL;
	list->count--;
	return message;
}

/**
 * Names of headers in which a message has its id and its key, with brokers that have no place of
 * their own for them.
 */
#define HERALD_MESSAGE_ID_HEADER "herald-message-id"
#define HERALD_KEY_HEADER "herald-key" /**< Likewise. */

/**
 * The headers of a message, one after the other:
 *
 *	const char *value, *name = NULL;
 *
 *	while ((name = herald_outgoing_header(message, name, &value)))
 *		...
 *
 * name     of the header before; NULL: the first one is wanted.
 * Returns  the name; NULL: there are no more.
 */
static inline const char *
herald_outgoing_header(const struct herald_outgoing *message, const char *name, const char **value)
{
	const struct herald_text all = message->attributes;

	if (!name) {
		name = all.data;
	} else {
		name += strlen(name) + 1;
		name += strlen(name) + 1;
	}
	if (all.bytes == 0 || name == all.data + all.bytes)
		return NULL;
	*value = name + strlen(name) + 1;
	return name;
}

/** What the publisher needs to know of its producer. */
struct herald_publisher_settings {
	struct herald_log log;             /**< The producer's. */
	struct herald_allocator allocator; /**< Likewise; not zeroed. */
	size_t max_in_flight;              /**< Messages that it has at the same time. */
};

/** The functions of a publisher. All are required. */
struct herald_publisher_ops {
	/** The broker's name, such as "redis", for messages. */
	const char *name;

	/**
	 * Connect. Waits a few seconds at most, and ends soon when
	 * herald_publisher_is_stopping() is true. Called again after close(). The first call is on
	 * the thread of herald_producer_create().
	 *
	 * Errors  HERALD_UNAVAILABLE: the broker cannot be reached now; tried again later.
	 *         HERALD_BAD_OPTION: the broker does not allow or cannot do what the options say,
	 *         such as a wrong password. The first time, the producer is not created; later, it
	 *         is logged and tried again. HERALD_NO_MEMORY.
	 */
	enum herald_status (*open)(struct herald_publisher *publisher,
				   const struct herald_publisher_settings *settings,
				   struct herald_error *error);

	/**
	 * Send a message, or put it into a buffer that run() sends. Does not wait, and does not
	 * fail because of the connection: run() reports that.
	 *
	 * Errors  HERALD_LIMIT: there is no room now; tried again after run(). Any other: the
	 *         message can never be sent, and `reason` says why. The publisher does not have it.
	 */
	enum herald_status (*send)(struct herald_publisher *publisher,
				   struct herald_outgoing *message);

	/**
	 * Send what is buffered, and wait for answers. Returns when messages are finished, when
	 * there is room for one after send() returned HERALD_LIMIT, after wake(), or after
	 * timeout_ms.
	 *
	 * finished  empty; in the order in which they were sent, as far as the broker's answers
	 *           allow.
	 * Errors    HERALD_UNAVAILABLE: the connection is lost, and close() comes next.
	 */
	enum herald_status (*run)(struct herald_publisher *publisher, uint32_t timeout_ms,
				  struct herald_outgoing_list *finished,
				  struct herald_error *error);

	/** End the current run(), or else the next one. Any thread, from the first open() until
	 * destroy(). Does not wait. */
	void (*wake)(struct herald_publisher *publisher);

	/** Close the connection, if there is one, and return all messages. Waits no longer than
	 * timeout_ms.
	 *
	 * finished  as for run(); those that have no answer are HERALD_UNKNOWN_OUTCOME. */
	void (*close)(struct herald_publisher *publisher, uint32_t timeout_ms,
		      struct herald_outgoing_list *finished);

	/** Free a publisher, which was never open or is closed, and has no message. */
	void (*destroy)(struct herald_publisher *publisher);
};

#ifdef __cplusplus
}
#endif
#endif
