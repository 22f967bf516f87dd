/*
 * Answers the handshake of webhooks as a service does: by Herald's endpoint.
 */
#include "handshake.h"

#include <herald/adapter/request.h>

enum herald_status
handshake_open(struct handshake *handshake, struct herald_error *error)
{
	bool has_origins = handshake->origins_count > 0;
	enum herald_status status =
		herald_service_create(&HERALD_SERVICE_OPTIONS(.unknown = HERALD_UNKNOWN_REJECT),
				      &handshake->service, error);

	if (status != HERALD_OK)
		return status;
	return herald_endpoint_create(
		handshake->service,
		&HERALD_ENDPOINT_OPTIONS(.allowed_origins = has_origins ? handshake->origins : NULL,
					 .allowed_rate =
						 has_origins ? (uint32_t)handshake->rate : 0),
		&handshake->endpoint, error);
}

void
handshake_close(struct handshake *handshake)
{
	herald_endpoint_destroy(handshake->endpoint);
	herald_service_destroy(handshake->service);
	handshake->endpoint = NULL;
	handshake->service = NULL;
}

/* The herald_http_head.headers_visit callback. */
static void
visit_headers(herald_attribute_visitor *visit, void *visit_state, void *state)
{
	herald_server_request_headers_visit(state, visit, visit_state);
}

unsigned
handshake_answer(const struct handshake *handshake, struct herald_server_request *request)
{
	const struct herald_http_head head = {
		.method = request->method.data,
		.content_length = HERALD_HTTP_NO_LENGTH,
		.headers_visit = visit_headers,
		.state = request,
	};
	struct herald_http_request *asked = herald_http_request_create(handshake->endpoint, &head);
	const struct herald_http_response *response =
		asked ? herald_http_request_response(asked) : herald_http_unavailable();
	unsigned status = response->status;

	if (response->allow)
		(void)herald_server_answer_header(request, "Allow", response->allow);
	for (size_t i = 0; i < response->headers_count; i++)
		(void)herald_server_answer_header(request, response->headers[i].name,
						  response->headers[i].value);
	(void)herald_server_answer(request, status, response->content_type, response->body,
				   response->body_bytes);
	herald_http_request_destroy(asked);
	return status;
}
