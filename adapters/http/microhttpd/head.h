/* The head of a request. Private to the libmicrohttpd adapter. */
#ifndef HERALD_ADAPTERS_HTTP_MICROHTTPD_HEAD_H
#define HERALD_ADAPTERS_HTTP_MICROHTTPD_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include <microhttpd.h>

#include <herald/adapter/http.h>

#include "head_check.h"

/* Borrowed from the connection. */
struct herald__microhttpd_head {
	struct herald_http_head http;
	struct herald_http_framing framing;
	struct herald__microhttpd_check check;
	bool waits_unheard; /* for a 100 that libmicrohttpd does not send */
};

/* Read the head of a request at the first call for it; of an event or for another path. */
void herald__microhttpd_head_read(struct MHD_Connection *connection, const char *method,
				  const char *version, bool is_event,
				  struct herald__microhttpd_head *out);

/* Why a head is refused whose body is wanted; NULL: it is not. */
const char *herald__microhttpd_head_problem(struct herald__microhttpd_head *head);

#endif
