/*
 * The OPTIONS handshake of CloudEvents webhooks. Private.
 */
#ifndef HERALD_SRC_HTTP_HANDSHAKE_H
#define HERALD_SRC_HTTP_HANDSHAKE_H

#include <herald/adapter/request.h>
#include <herald/status.h>

/* Check and copy the options `allowed_origins` and `allowed_rate`. The endpoint has an arena if
 * they are set. */
HERALD_MUST_CHECK enum herald_status
herald__handshake_init(struct herald_endpoint *endpoint,
		       const struct herald_endpoint_options *options, struct herald_error *error);

/* Respond to an OPTIONS request. */
void
herald__handshake_respond(struct herald_http_request *request, const struct herald_http_head *head);

#endif
