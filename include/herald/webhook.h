/*
 * Webhooks without an envelope, as a format of a service: the body is the payload, and the event
 * type is in a header, such as GitHub's, or in a member of the body.
 *
 *	const struct herald_format *github;
 *
 *	herald_webhook_create(&HERALD_WEBHOOK_OPTIONS(
 *		.name = "github",
 *		.type = {.attribute = "X-GitHub-Event"},
 *		.id = {.attribute = "X-GitHub-Delivery"},
 *		.source = {.constant = "github"}), &github, &error);
 *
 *	const struct herald_format *const formats[] = {github, &herald_format_envelope};
 *
 * With `.type = {.attribute = ...}`, only events that have this attribute are in the format;
 * otherwise all JSON is, so that it must be the last format of a service that has an effect.
 *
 * All members of the body that are not part of the payload are dropped. The answers are as for
 * HERALD_ANSWERS_EMPTY.
 */
#ifndef HERALD_WEBHOOK_H
#define HERALD_WEBHOOK_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/context.h>
#include <herald/export.h>
#include <herald/format.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where to find something of an event. At most one of the first three is set. */
struct herald_webhook_place {
	const char *attribute; /**< A header, such as "X-GitHub-Event". */
	/** A JSON Pointer into the body, such as "/event/type": a string, number, true or false. */
	const char *pointer;
	const char *constant; /**< The same for all events. */
	/** A pointer that is followed if `pointer` finds nothing: Slack's first request has its
	 * type at "/type", and its events have theirs at "/event/type". */
	const char *otherwise;
};

/** Options of a webhook. Zero means the default; everything is copied. */
struct herald_webhook_options {
	size_t struct_size; /**< Set by HERALD_WEBHOOK_OPTIONS. */
	const char *name;   /**< For the description. Default "webhook". */

	struct herald_webhook_place type; /**< Required, unless `find_type` is set. */
	/**
	 * Finds the type instead of `type`: a string that lives as long as the event, or NULL.
	 * Called on the thread that handles the event. `data` is the body, `bytes` long, as it
	 * came.
	 */
	const char *(*find_type)(struct herald_context *ctx, const char *data, size_t bytes,
				 void *state);
	void *state; /**< Passed to find_type. Borrowed. */

	/** The event's id. Default none: then a store stores each delivery. */
	struct herald_webhook_place id;
	/**
	 * An event without an id gets one that is made from its body and type, always the same for
	 * the same bytes. A delivery that is sent again is then a duplicate, but so are two events
	 * that happen to be equal.
	 */
	bool hashes_id;
	struct herald_webhook_place source;  /**< Default none. */
	struct herald_webhook_place subject; /**< Default none. */
	struct herald_webhook_place version; /**< Default none. */
	/** When it happened: RFC 3339, or whole seconds since 1970, up to the year 9999. Default
	 * none; see herald_context_time(). */
	struct herald_webhook_place time;

	/** A JSON Pointer to the payload, such as "/data/object". Default: the whole body. */
	const char *payload_from;
	/** Also accept HTML forms whose field of this name is the JSON body, such as "payload" of
	 * GitHub and Slack. */
	const char *form_field;
};

/** Options as a compound literal: HERALD_WEBHOOK_OPTIONS(.type = {.pointer = "/type"}). */
#define HERALD_WEBHOOK_OPTIONS(...)                                                                \
	((struct herald_webhook_options){.struct_size = sizeof(struct herald_webhook_options),     \
					 __VA_ARGS__})

/**
 * Create the format.
 *
 * out      set only on HERALD_OK; the caller owns it, and frees it with herald_format_destroy()
 *          after the services that use it.
 * error    may be NULL.
 * Errors   HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_webhook_create(const struct herald_webhook_options *options,
		      const struct herald_format **out, struct herald_error *error);

#ifdef __cplusplus
}
#endif
#endif
