/* Creates libmicrohttpd's responses from the endpoint's. */
#include "response.h"

#include <stdbool.h>
#include <string.h>

#include <herald/adapter/http.h>

/* The herald_http_header_sink. libmicrohttpd adds the length. */
static bool
response_add(const char *name, const char *value, void *state)
{
	return strcmp(name, "Content-Length") == 0 ||
	       MHD_add_response_header(state, name, value) == MHD_YES;
}

struct MHD_Response *
herald__microhttpd_response(const struct herald_http_response *from)
{
	/* libmicrohttpd does not write to persistent memory, so the cast is safe. */
	struct MHD_Response *response = MHD_create_response_from_buffer(
		from->body_bytes, (void *)(uintptr_t)from->body, MHD_RESPMEM_PERSISTENT);
	if (!response)
		return NULL;
	if (herald_http_response_headers(from, response_add, response))
		return response;
	MHD_destroy_response(response);
	return NULL;
}
