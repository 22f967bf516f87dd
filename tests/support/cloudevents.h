/*
 * CloudEvents as the files in tests/data/interop/ have them: requests, and what they mean.
 * Include cmocka.h (and what it needs) before this header.
 */
#ifndef HERALD_TESTS_SUPPORT_CLOUDEVENTS_H
#define HERALD_TESTS_SUPPORT_CLOUDEVENTS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include <herald/arena.h>
#include <herald/cloudevent.h>

#define MAX_HEADERS 64
#define MAX_EVENTS 16

/* A request, and the memory of what it is decoded to. */
struct request {
	char *content_type;
	struct herald_cloudevent_header list[MAX_HEADERS];
	struct herald_cloudevent_headers headers; /* of `list`, with all of them */
	char *body;
	size_t body_bytes;
	struct herald_arena *arena;

	enum herald_cloudevent_mode mode;
	enum herald_status status; /* of the request, or of the first event that is refused */
	struct herald_error error;
	size_t events_count; /* also those that were refused */
	enum herald_status statuses[MAX_EVENTS];
	struct herald_cloudevent events[MAX_EVENTS];
};

void request_init(struct request *request);
void request_finish(struct request *request);

/* Copy a header; Content-Type is set, too. */
void request_add(struct request *request, const char *name, size_t name_bytes, const char *value,
		 size_t value_bytes);

/* Add headers such as "ce-subject: a|ce-x: b". "@" is ce-specversion, ce-id, ce-source and ce-type,
 * with values that render_event() does not show. */
void add_header_lines(struct request *request, const char *lines);

/* A copy of the body that ends where a byte more would be an error. */
void request_set_body(struct request *request, const char *body, size_t bytes);
void request_set_base64(struct request *request, const char *base64);

/* Detect the mode, and decode all events. HERALD_BAD_MEDIA_TYPE if it is not a CloudEvent. */
void request_decode(struct request *request, const struct herald_cloudevent_options *options);

/* Decode base64 into a new block; the test fails if it is invalid. */
char *decode_base64(const char *base64, size_t *bytes);

/* Encode as base64, with a NUL: another implementation than Herald's. `out` must have room. */
void encode_base64(const char *data, size_t bytes, char *out);

/* Each line of a file as a JSON object; the test fails if there is none. `each` gets the line's
 * number, from 1. Returns the number of lines. */
size_t for_each_line(const char *path, void (*each)(json_t *line, size_t number, void *state),
		     void *state);

/*
 * Compare an event with a case of cases.json. The name of the first member that differs, or NULL;
 * members whose names `may_differ` says yes to are not compared.
 */
const char *find_difference(const struct herald_cloudevent *event, json_t *expected,
			    bool (*may_differ)(const char *member, void *state), void *state);

/*
 * An event as one line, for tables: "subject=a time=2018-04-05T17:31:00Z x=integer:5 data=json:{}".
 * Bytes that are not printable ASCII are escaped as \xNN. Not there: what is not set, and id=1,
 * source=/s and type=t. `out` has RENDERED_BYTES.
 */
#define RENDERED_BYTES 4096
const char *render_event(const struct herald_cloudevent *event, char *out);

/* Replace each '@' by the members of an event that render_event() does not show. The result has to
 * be freed. */
char *expand_event(const char *text);

#endif
