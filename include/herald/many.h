/*
 * Many events in one text: a JSON array, or NDJSON, which has one event in each line.
 *
 *	static void
 *	on_handled(const struct herald_handled *event, void *state)
 *	{
 *		if (event->result->verdict != HERALD_DONE)
 *			fprintf(state, "line %zu: %s\n", event->line, event->result->error.message);
 *	}
 *
 *	herald_service_handle_many(service, text, bytes,
 *				   &HERALD_MANY_OPTIONS(.handled = on_handled, .state = stderr),
 *				   &counts, &error);
 *
 * Each event takes the same path as with herald_service_handle(), and has a result of its own. A
 * loop of single calls needs a little more time, and with a store one commit for each event.
 * HTTP: the options `takes_ndjson` and `takes_batches` of herald/endpoint.h.
 */
#ifndef HERALD_MANY_H
#define HERALD_MANY_H

#include <stddef.h>

#include <herald/answer.h>
#include <herald/context.h>
#include <herald/export.h>
#include <herald/service.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How the events are written. */
enum herald_many_form {
	/**
	 * NDJSON: one event in each line. Lines end with a line feed, or with a carriage return and
	 * a line feed; the last line need not. Lines of white space are skipped. A line that is not
	 * a valid event is refused, and the lines after it are handled.
	 */
	HERALD_MANY_LINES,
	/**
	 * A JSON array, with any white space around its events. The end of an event is found by its
	 * quotes and brackets: an event that is not valid is refused, and the events after it are
	 * handled. If the end of an event cannot be found, or if neither ',' nor ']' follows it,
	 * the array is not valid from there on; see herald_service_handle_many().
	 */
	HERALD_MANY_ARRAY,
};

/** One of many events, after it has been handled. */
struct herald_handled {
	size_t index; /**< 0, 1, ..., in the order of the text. */
	/** The event's line, from 1; lines that were skipped count. 0: the text is an array. */
	size_t line;
	/**
	 * The event's first byte in the text. The offset of an error in the result, if it has one,
	 * counts from there: the byte in the text is the sum.
	 */
	size_t offset;
	size_t bytes; /**< The event's length, without white space around it. */
	/** As of herald_service_handle(). */
	const struct herald_result *result;
	/** What functions and handlers have set with herald/answer.h; NULL: nothing. */
	const struct herald_answer *answer;
	/**
	 * The event: for herald_context_message(), _id(), _source() and others that read it. NULL:
	 * there was no memory for it. Only to be read: the event has ended.
	 */
	const struct herald_context *context;
};

/** Options of herald_service_handle_many(). Zero means the default. */
struct herald_many_options {
	size_t struct_size;         /**< Set by HERALD_MANY_OPTIONS. */
	enum herald_many_form form; /**< Default HERALD_MANY_LINES. */
	/** Number of events that are handled; more end the call with HERALD_LIMIT. Default: no
	 * limit. The size of each event is limited by max_event_bytes of the service. */
	size_t max_events;
	/**
	 * Transport metadata of each event. `content_type` is the one of an event, such as
	 * "application/json", not of the text. Attributes that say what one event is, such as
	 * "ce-id" if the service has the format of CloudEvents, are left out. `answer` is not
	 * called. Borrowed during the call. NULL: none.
	 */
	const struct herald_arrival *arrival;
	/**
	 * Takes each event's result, in order, on the calling thread. All that `event` points to is
	 * valid until it returns. Without a store it is called before the next event is handled;
	 * with a store, when a group of events is on disk. NULL: see the counts.
	 */
	void (*handled)(const struct herald_handled *event, void *state);
	void *state; /**< Passed to `handled`. */
};

/** Options as a compound literal: &HERALD_MANY_OPTIONS(.form = HERALD_MANY_ARRAY). */
#define HERALD_MANY_OPTIONS(...)                                                                   \
	((struct herald_many_options){.struct_size = sizeof(struct herald_many_options),           \
				      __VA_ARGS__})

/** How many events have been handled, by their verdicts. */
struct herald_many_counts {
	size_t events; /**< The sum of the next three. */
	size_t done;   /**< HERALD_DONE; with a store: on disk, a duplicate, or ignored. */
	size_t retry;  /**< HERALD_RETRY. */
	size_t fail;   /**< HERALD_FAIL: by a function or a handler, or refused by Herald. */
};

/**
 * Handle many events, one after the other, as herald_service_handle_with() would. `receive` of the
 * handlers sees each event by itself. The verdict of one event has no effect on the others. The
 * time of an event, in statistics, logs and deadlines, begins when the one before has ended, so it
 * includes `handled` of that one.
 *
 * With a store, the events are stored instead of run. Up to 1,000 are handed to it together, or
 * fewer if the store's max_waiting is less or if they need more memory than max_arena_bytes of the
 * service and eight times their text; they are committed together (see max_batch of
 * herald/store.h). Then come the next ones.
 *
 * data     `bytes` bytes of text; decoding changes them. Not used after the call. NULL is allowed
 *          with 0 bytes. To handle a stream, pass it in parts that end at a line feed.
 * options  NULL means the defaults.
 * out      always written; may be NULL.
 * error    may be NULL; written only on failure. Offset and path are those in the text: "/17" is
 *          the event of an array from which on it is not valid.
 * Returns  HERALD_OK if every event of the text has been handled, also if some have failed. After
 *          an error, the events that were counted have been handled, and the others have not.
 * Errors   HERALD_BAD_OPTION; HERALD_BAD_JSON, HERALD_BAD_TYPE and others of JSON: the text is not
 *          an array; HERALD_LIMIT: max_events; HERALD_NO_MEMORY: nothing was handled.
 * Threads  any. Blocks like herald_service_handle(). Allocates no memory for an event once the
 *          service is warm, unless there is a store.
 */
HERALD_API enum herald_status
herald_service_handle_many(struct herald_service *service, char *data, size_t bytes,
			   const struct herald_many_options *options,
			   struct herald_many_counts *out, struct herald_error *error);

#ifdef __cplusplus
}
#endif
#endif
