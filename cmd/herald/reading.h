/*
 * A request whose events are being read: what the files of `inspect_*.c` share.
 */
#ifndef HERALD_CMD_READING_H
#define HERALD_CMD_READING_H

#include <stdbool.h>
#include <stddef.h>

#include "inspect.h"

/* The body as a JSON object, decoded once. */
struct body {
	bool is_read;
	enum herald_status status; /* HERALD_BAD_TYPE: it is JSON, but not an object */
	struct herald_error error; /* unless status is HERALD_OK */
	struct herald_json_map members;
};

/* A request that is being read. */
struct reading {
	struct inspector *inspector;
	const struct inspect_request *request;
	inspect_visitor *visit;
	void *state;
	struct body body;
};

/* Pass an event on. */
void reading_visit(const struct reading *reading, const struct inspect_event *event);

/* Set the status of an event whose error was set by what returned `status`. */
void inspect_check(struct inspect_event *event, enum herald_status status);

/* Refuse an event: set its error and its status. */
void inspect_refuse(struct inspect_event *event, enum herald_status status, const char *text);

/* JSON of any shape: inspect_body.c. */

/* Create the codecs for it. On failure the caller destroys those that were created. */
enum herald_status body_codecs_create(struct inspector *inspector, struct herald_error *error);

/* Whether a text is one JSON value. */
enum herald_status
body_check_json(struct inspector *inspector, struct herald_text json, struct herald_error *error);

struct herald_text reading_body(const struct reading *reading);

/* The members of the body. Returns NULL if it is not a JSON object: reading->body says why. */
const struct herald_json_map *reading_members(struct reading *reading);

/* The text of a member of the body at a JSON Pointer through objects. NULL: none. */
const char *reading_text_at(struct reading *reading, const char *pointer);

/* The formats. */

void inspect_batch(const struct reading *reading);
void inspect_cloudevent(const struct reading *reading, enum herald_cloudevent_mode mode);

/* Whether a body with these members, or NULL, is an envelope. A webhook may have members with the
 * envelope's names, too. */
bool inspect_is_envelope(const struct inspector *inspector, const struct herald_json_map *members);
/* `members` of the body, or NULL. */
void inspect_envelope(const struct reading *reading, const struct herald_json_map *members);

/* The type of a webhook, in the places of well-known senders or where the user said. NULL: none. */
const char *inspect_webhook_type(struct reading *reading);
void inspect_webhook(struct reading *reading);

#endif
