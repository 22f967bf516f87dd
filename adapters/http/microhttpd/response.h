/* Responses for libmicrohttpd. Private to the libmicrohttpd adapter. */
#ifndef HERALD_ADAPTERS_HTTP_MICROHTTPD_RESPONSE_H
#define HERALD_ADAPTERS_HTTP_MICROHTTPD_RESPONSE_H

#include <microhttpd.h>

#include <herald/adapter/request.h>

/* A response with the headers and the body of `from`, which are borrowed. NULL when out of
 * memory. */
struct MHD_Response *herald__microhttpd_response(const struct herald_http_response *from);

#endif
