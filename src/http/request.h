/* Functions of a request for offload.c and the server. */
#ifndef HERALD_SRC_HTTP_REQUEST_H
#define HERALD_SRC_HTTP_REQUEST_H

#include <herald/adapter/request.h>

/*
 * herald_http_request_create(), with memory that its caller keeps from one event to the next.
 *
 * spare  as for herald__request_pool_take(). Free it with herald__http_request_free_spare() before
 *        the endpoint is destroyed.
 */
struct herald_http_request *
herald__http_request_create(struct herald_endpoint *endpoint, const struct herald_http_head *head,
			    struct herald_http_request **spare);

/*
 * A body without a length will have at least `bytes` bytes in all.
 *
 * Returns  false if that is too much; the response is then known.
 */
bool herald__http_request_announce(struct herald_http_request *request, uint64_t bytes);

void herald__http_request_free_spare(struct herald_endpoint *endpoint,
				     struct herald_http_request *spare);

/*
 * The body is complete, and the request waits for a thread to finish it. The time counts for the
 * event's deadline.
 */
void herald__request_queued(struct herald_http_request *request);

#endif
