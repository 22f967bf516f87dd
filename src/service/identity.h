/*
 * The identity of an event: its type, version, id, source and subject. In the envelope's format,
 * each is in its usual place, or where a JSON Pointer in the service's options says; other formats
 * find them themselves. Also the time when it is due, which only a pointer finds.
 */
#ifndef HERALD_SRC_SERVICE_IDENTITY_H
#define HERALD_SRC_SERVICE_IDENTITY_H

#include <herald/service.h>

enum herald__identity {
	HERALD__IDENTITY_TYPE,
	HERALD__IDENTITY_VERSION,
	HERALD__IDENTITY_ID,
	HERALD__IDENTITY_SOURCE,
	HERALD__IDENTITY_SUBJECT,
	HERALD__IDENTITY_DUE, /* only if there is a pointer to it */
	HERALD__IDENTITY_COUNT
};

struct herald_context;
struct herald_decoded;
struct herald_message;

/* Check and copy the options. Call it after adding the handlers and the envelope. */
HERALD_MUST_CHECK enum herald_status
herald__identity_init(struct herald_service *service, const struct herald_service_options *options,
		      struct herald_error *error);

/* Follow the pointers before an event in the envelope's format is decoded. */
HERALD_MUST_CHECK enum herald_status
herald__identity_find(struct herald_context *ctx, const char *data, size_t bytes,
		      struct herald_error *error);

/* Take over what a format has found. */
void herald__identity_take(struct herald_context *ctx, const struct herald_decoded *decoded);

/* The name of the option, such as "version_from". */
const char *herald__identity_option(enum herald__identity which);

/* The text of the time before which the event does not run; NULL if missing or null, "" if it is
 * neither a string nor a number. */
const char *herald__identity_due(const struct herald_context *ctx);

/* The version of a message that is only partly decoded, or NULL if not known yet. */
const char *herald__identity_early_version(const struct herald_context *ctx,
					   const struct herald_message *message);

#endif
