/*
 * Reads the events of a request, whatever their format, and says what is wrong with them.
 */
#ifndef HERALD_CMD_INSPECT_H
#define HERALD_CMD_INSPECT_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/arena.h>
#include <herald/cloudevent.h>
#include <herald/codec.h>
#include <herald/status.h>
#include <herald/value.h>

/* Headers of a request that are read: by `listen` over HTTP, by `verify` from files. */
#define INSPECT_MAX_HEADERS 200
#define INSPECT_MAX_HEADERS_TEXT "200"

/* The formats that are taken, in the order in which they are tried. */
enum inspect_format {
	INSPECT_ANY,
	INSPECT_CLOUDEVENTS,
	INSPECT_HERALD,
	INSPECT_WEBHOOK,
};

/* What an inspection needs; see inspector_init(). */
struct inspector {
	enum inspect_format format;
	/* Where a webhook's type and id are: the name of a header, or a JSON Pointer such as
	 * "/event/type" (RFC 6901), through objects. NULL: the places that well-known senders
	 * use. */
	const char *type_from, *id_from;
	size_t max_bytes;   /* of a body */
	bool takes_untyped; /* webhooks without a type are right, and so is any media type */
	struct herald_codec *envelope, *wrapper, *json;
	struct herald_arena *arena;
};

/* A request. Texts are NUL-terminated. */
struct inspect_request {
	struct herald_cloudevent_headers headers;
	const char *content_type; /* NULL: none */
	const char *query;        /* of the target, as sent; NULL: unknown */
	char *body;               /* is modified */
	size_t body_bytes;
};

/* An event, or why it is not one. Texts without `data` are not set. */
struct inspect_event {
	unsigned status;    /* 0: it is right; else the HTTP status that says that it is not */
	const char *format; /* "cloudevents", "herald", "webhook" */
	const char *mode;   /* "structured", "binary", "batch"; NULL: it has none */
	struct herald_text id, source, type, subject, dataschema, datacontenttype, version;
	const struct herald_time *time;            /* NULL: none */
	const struct herald_json_pair *extensions; /* in the order received */
	size_t extensions_count;
	struct herald_text data;
	bool is_json;              /* of the data */
	struct herald_error error; /* if status is not 0 */
};

/* Takes an event, which is valid until it returns. */
typedef void inspect_visitor(const struct inspect_event *event, void *state);

/* Prepare it; the options are zero. On failure *error says why, and nothing needs cleanup. */
enum herald_status inspector_init(struct inspector *inspector, struct herald_error *error);
void inspector_finish(struct inspector *inspector);

/* Read the events of a request. Calls `visit` for each; for a batch that cannot be read, once. */
void inspect(struct inspector *inspector, const struct inspect_request *request,
	     inspect_visitor *visit, void *state);

/* The value of a header, ignoring case; the first one of several. NULL: none. */
const char *inspect_header(const struct inspect_request *request, const char *name);

#endif
