/*
 * The formats of a service's events. Private.
 */
#ifndef HERALD_SRC_SERVICE_FORMAT_H
#define HERALD_SRC_SERVICE_FORMAT_H

#include <herald/adapter/format.h>

#include "service/context.h"

/* Check and copy the service's formats. */
HERALD_MUST_CHECK enum herald_status
herald__formats_init(struct herald_service *service, const struct herald_service_options *options,
		     struct herald_error *error);

/* The format's name; never NULL. */
const char *herald__format_name(const struct herald_format *format);

/* The first format that matches an event, or NULL. */
const struct herald_format *
herald__format_find(const struct herald_service *service, const struct herald_arrival *arrival);

/*
 * Set the format of an event by its media type and its attributes. Only for a service with
 * `selects_format`; with the others, ctx->format is always the same one.
 *
 * Errors  HERALD_BAD_MEDIA_TYPE: none matches. ctx->format is then any of them.
 */
HERALD_MUST_CHECK enum herald_status
herald__format_select(struct herald_context *ctx, struct herald_error *error);

/* Whether an attribute says what one event is, for a format of the service: events that come
 * together do not get it. */
bool herald__format_is_of_one_event(const struct herald_service *service, const char *name);

/* Whether an event is in the envelope's format, or would be. */
static inline bool
herald__is_envelope(const struct herald_context *ctx)
{
	return ctx->format == &herald_format_envelope;
}

/* The path of a part of the envelope, for errors; "" in other formats. */
static inline const char *
herald__envelope_path(const struct herald_context *ctx, const char *path)
{
	return herald__is_envelope(ctx) ? path : "";
}

struct herald__split;

/* Takes the events of a batch. */
struct herald__batch_visit {
	size_t max_members;
	herald_member_visitor *visit;
	void *state;
	/* Takes them instead if the batch has one event a line. NULL: the format splits it. */
	const struct herald__split *lines;
};

/* Split a batch in the format ctx->format. */
HERALD_MUST_CHECK enum herald_status
herald__format_split(struct herald_context *ctx, char *data, size_t bytes,
		     const struct herald__batch_visit *visit, struct herald_error *error);

/* Decode an event into `message`, a struct of the service's envelope. It need not be zeroed. */
HERALD_MUST_CHECK enum herald_status
herald__format_decode(struct herald_context *ctx, char *data, size_t bytes,
		      struct herald_message *message, struct herald_error *error);

#endif
