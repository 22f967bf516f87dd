/*
 * AsyncAPI documents, versions 2 and 3: their messages.
 */
#ifndef HERALD_CMD_ASYNCAPI_H
#define HERALD_CMD_ASYNCAPI_H

#include <stdbool.h>

#include "schema_file.h"

struct asyncapi_message {
	const char *type;                /* the event type: its name */
	const char *name;                /* in components; else its type */
	const char *doc;                 /* may be NULL */
	const struct json_tree *payload; /* a registered schema; NULL: any, or see `format` */
	const char *format;              /* of a payload that is not JSON Schema; else NULL */
};

/* Whether a document is AsyncAPI. */
bool asyncapi_is(const struct json_tree *document);

/*
 * Register a document, and collect its messages (struct asyncapi_message): messages of channels,
 * then messages that only components have. Prints to stderr why it failed.
 */
bool
asyncapi_read(struct schema_files *files, const struct document *document, struct memory_list *out);

#endif
