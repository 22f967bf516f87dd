/*
 * For authors of adapters: the dead letters of a message broker, as an operator reads them, sends
 * them to where they came from, and removes them. `herald broker dead` does that.
 *
 *	open -> read, replay, remove, release ... -> close -> open ... -> destroy
 *
 * All functions wait for the broker, and one thread calls them. Reading changes nothing at the
 * broker: the dead letters stay where they are, in their order, for everyone else.
 *
 * A reader embeds struct herald_dead_letters as its first member:
 *
 *	struct my_letters {
 *		struct herald_dead_letters base;
 *		...
 *	};
 *
 *	static const struct herald_dead_letters_ops my_ops = {.name = "my", .open = my_open, ...};
 */
#ifndef HERALD_ADAPTER_DEAD_LETTERS_H
#define HERALD_ADAPTER_DEAD_LETTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/export.h>
#include <herald/status.h>
#include <herald/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_dead_letters_ops;

/** The first member of every reader. */
struct herald_dead_letters {
	const struct herald_dead_letters_ops *ops; /**< Set by the constructor. */
	/** Set by the constructor, and valid until destroy(): where the dead letters are, such as
	 * "stream orders.dead". For messages. */
	const char *place;
};

/** A dead letter as it is at the broker. The texts live until release(). */
struct herald_dead_message {
	struct herald_dead_message *next; /**< In a list of its owner. */
	/** Names it at the broker, each time that it is read. Visible ASCII. */
	const char *id;
	struct herald_text data;       /**< The body. */
	struct herald_text attributes; /**< Its headers: "name\0value\0" for each. */
	int64_t stored_ms;             /**< When, since 1970-01-01T00:00:00Z; 0: unknown. */

	enum herald_status status; /**< Set by replay() and remove(): the outcome. */
	char reason[256];          /**< Likewise, unless it is HERALD_OK: why, one line. */
};

/** A list of them. */
struct herald_dead_message_list {
	struct herald_dead_message *first; /**< NULL: it is empty. */
	struct herald_dead_message *last;  /**< Likewise. */
	size_t count;                      /**< Number of dead letters. */
};

/** Add a dead letter at the end of a list. */
static inline void
herald_dead_message_list_add(struct herald_dead_message_list *list,
			     struct herald_dead_message *message)
{
	message->next = NULL;
	if (list->last)
		list->last->next = message;
	else
		list->first = message;
	list->last = message;
	list->count++;
}

/** Take the first dead letter of a list; NULL: it is empty. */
static inline struct herald_dead_message *
herald_dead_message_list_take(struct herald_dead_message_list *list)
{
	struct herald_dead_message *message = list->first;

	if (!message)
		return NULL;
	list->first = message->next;
	if (!list->first)
		list->last = NULL;
	list->count--;
	return message;
}

/**
 * The functions of a reader. All are required unless NULL is mentioned.
 *
 * replay() and remove() set the status of each dead letter in the list:
 *
 *	HERALD_OK               it was done, and the dead letter is no longer there.
 *	HERALD_UNKNOWN_OUTCOME  the connection was lost, or the broker did not answer. A copy may
 *	                        have been sent, or the dead letter may be gone; not lost.
 *	HERALD_MISSING          the dead letter was no longer there: another one has taken it.
 *	anything else           the broker has refused it, and the dead letter is still there.
 */
struct herald_dead_letters_ops {
	/** The broker's name, such as "redis", for messages. */
	const char *name;

	/**
	 * Connect. What is read then is what is there now: dead letters that come later, such as
	 * those that were replayed and failed again, are left out.
	 *
	 * id      read only the one with this id; NULL: all.
	 * Errors  HERALD_UNAVAILABLE: the broker cannot be reached. HERALD_BAD_OPTION: it does not
	 *         allow or cannot do what the options say, such as a wrong password.
	 *         HERALD_MISSING: neither the origin nor its dead letters exist. HERALD_NO_MEMORY.
	 */
	enum herald_status (*open)(struct herald_dead_letters *letters, const char *id,
				   struct herald_error *error);

	/**
	 * Read the next dead letters, the oldest first.
	 *
	 * room        the most that are read.
	 * room_bytes  about as many bytes as are read, but at least one dead letter.
	 * out         empty. Left empty at the end. They belong to the reader, and the caller
	 *             passes each to release().
	 * Errors      HERALD_UNAVAILABLE: the connection is lost; HERALD_NO_MEMORY.
	 */
	enum herald_status (*read)(struct herald_dead_letters *letters, size_t room,
				   size_t room_bytes, struct herald_dead_message_list *out,
				   struct herald_error *error);

	/**
	 * Send copies, without the headers of herald_header_is_own(), and remove each dead letter
	 * when the broker has confirmed its copy. If the process or the broker dies in between,
	 * there are two, and none is lost.
	 *
	 * target  the stream, topic or queue, which must exist.
	 * Errors  HERALD_UNAVAILABLE: the connection is lost. Each dead letter has its status.
	 */
	enum herald_status (*replay)(struct herald_dead_letters *letters,
				     struct herald_dead_message_list *list, const char *target,
				     struct herald_error *error);

	/** Remove them for good. NULL: the broker cannot. Errors as replay(). */
	enum herald_status (*remove)(struct herald_dead_letters *letters,
				     struct herald_dead_message_list *list,
				     struct herald_error *error);

	/**
	 * Whether the events that have become these dead letters can have come from `origin`. A
	 * dead letter says itself where it came from, and that may be forged. NULL: they come from
	 * the stream, topic or queue whose name the constructor got, and from nowhere else.
	 *
	 * origin  any text.
	 * Errors  HERALD_UNAVAILABLE: the connection is lost.
	 */
	enum herald_status (*is_origin)(struct herald_dead_letters *letters, const char *origin,
					bool *out, struct herald_error *error);

	/** Free dead letters, also after close(). The list is then empty. */
	void (*release)(struct herald_dead_letters *letters, struct herald_dead_message_list *list);

	/** Close the connection, if there is one. */
	void (*close)(struct herald_dead_letters *letters);

	/** Free a closed reader. No dead letter is left. */
	void (*destroy)(struct herald_dead_letters *letters);
};

#ifdef __cplusplus
}
#endif
#endif
