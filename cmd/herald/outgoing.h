/*
 * An event that `herald send` makes: its attributes, and the requests that carry it.
 */
#ifndef HERALD_CMD_OUTGOING_H
#define HERALD_CMD_OUTGOING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/arena.h>
#include <herald/buffer.h>
#include <herald/cloudevent.h>
#include <herald/codec.h>
#include <herald/status.h>
#include <herald/value.h>

#define OUTGOING_MAX_EXTENSIONS 64
#define OUTGOING_MAX_HEADERS 64

/* What all events of one run are. */
struct outgoing {
	/* HERALD_CLOUDEVENT_NONE: Herald's envelope. */
	enum herald_cloudevent_mode mode;
	bool is_webhook; /* the data alone is sent */
	const char *type, *source, *subject, *version, *content_type;
	const char *id; /* NULL: a random one for each event */
	struct herald_text data;
	bool has_time;
	struct herald_time time; /* default: now */
	struct herald_cloudevent_extension extensions[OUTGOING_MAX_EXTENSIONS];
	size_t extensions_count;
	struct herald_cloudevent_header headers[OUTGOING_MAX_HEADERS]; /* the user's own */
	size_t headers_count;

	struct herald_codec *envelope; /* made by outgoing_init() */
};

/* A request. Texts live in its arena. */
struct outgoing_request {
	struct herald_arena *arena;
	struct herald_buffer body;
	struct herald_cloudevent_headers headers; /* without the user's own */
	const char *content_type;                 /* NULL: none */
	const char *id;                           /* of its first event */
};

/* Each sets *error on failure. */

enum herald_status outgoing_init(struct outgoing *outgoing, struct herald_error *error);
void outgoing_finish(struct outgoing *outgoing);

enum herald_status
outgoing_request_init(struct outgoing_request *request, struct herald_error *error);
void outgoing_request_finish(struct outgoing_request *request);

/* Make the request for the next `events_count` events: 1, or the members of a batch. `number` is
 * the first one's, from 0: an id of the user's is followed by "-NUMBER" after the first. */
enum herald_status
outgoing_make(const struct outgoing *outgoing, uint64_t number, size_t events_count,
	      struct outgoing_request *out, struct herald_error *error);

#endif
