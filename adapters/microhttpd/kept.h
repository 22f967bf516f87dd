/*
 * Private to the libmicrohttpd adapter: the one response that is worth keeping, 200 {"status":"success"}.
 */
#ifndef HERALD_MICROHTTPD_KEPT_H
#define HERALD_MICROHTTPD_KEPT_H

#include <stdbool.h>
#include <time.h>

#include <microhttpd.h>

#include <herald/http.h>

/* One thread's; all zero before there is any. */
struct herald__kept {
	struct MHD_Response *response;
	time_t second; /* of its date */
};

/* Whether `response` is the one that is kept. */
bool herald__kept_is(const struct herald_http_response *response);

/* The response with the date of now, good until the next call; NULL when memory is out. */
struct MHD_Response *herald__kept_get(struct herald__kept *kept);

/* Free what there is; it is all zero again. */
void herald__kept_release(struct herald__kept *kept);

#endif
