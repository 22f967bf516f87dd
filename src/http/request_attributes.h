/*
 * What a request keeps of its head for handlers, functions and formats. Private.
 */
#ifndef HERALD_SRC_HTTP_REQUEST_ATTRIBUTES_H
#define HERALD_SRC_HTTP_REQUEST_ATTRIBUTES_H

#include <stdbool.h>

#include <herald/adapter/request.h>

struct herald_service;

/* The longest name of an argument of a query, with its '?'. Arguments with longer names are
 * ignored. */
#define HERALD__MAX_ARGUMENT_BYTES 255

/* Whether the service needs anything of the head. */
bool herald__request_needs_head(const struct herald_service *service,
				const struct herald_http_head *head);

/* Keep what the service needs of the head. Responds if that is not possible. */
void
herald__request_keep_head(struct herald_http_request *request, const struct herald_http_head *head);

/* The herald_arrival.attribute callback; `state` is the request. */
const char *herald__request_attribute(const char *name, void *state);

/* The herald_arrival.attributes_visit callback. */
void
herald__request_attributes_visit(herald_attribute_visitor *visit, void *visit_state, void *state);

#endif
