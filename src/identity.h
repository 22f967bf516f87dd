/*
 * What tells an event from others: its type, version, id and source. Each is in its usual place, or where a
 * JSON Pointer in the service's options says.
 */
#ifndef HERALD_SRC_IDENTITY_H
#define HERALD_SRC_IDENTITY_H

#include <herald/service.h>

enum herald__identity {
	HERALD__IDENTITY_TYPE,
	HERALD__IDENTITY_VERSION,
	HERALD__IDENTITY_ID,
	HERALD__IDENTITY_SOURCE,
	HERALD__IDENTITY_COUNT
};

struct herald_context;
struct herald_message;

/* Check and copy the options, after the handlers and the envelope. */
HERALD_MUST_CHECK enum herald_status
herald__identity_init(struct herald_service *service, const struct herald_service_options *options,
		      struct herald_error *error);

/* Look where the pointers lead, before the event is decoded; only for a service that has some. */
HERALD_MUST_CHECK enum herald_status
herald__identity_find(struct herald_context *ctx, const char *data, size_t bytes,
		      struct herald_error *error);

/* The option's name, such as "version_from". */
const char *herald__identity_option(enum herald__identity which);

/* The version of a message that may be half decoded; NULL: it is not known yet. */
const char *herald__identity_early_version(const struct herald_context *ctx,
					   const struct herald_message *message);

#endif
