/* Setting the response of a request. Each is final. */
#ifndef HERALD_SRC_HTTP_RESPONSE_H
#define HERALD_SRC_HTTP_RESPONSE_H

#include <stdint.h>

#include <stdbool.h>

#include <herald/adapter/request.h>
#include <herald/export.h>
#include <herald/service.h>
#include <herald/value.h>

/* The media type of events one a line, and of their verdicts. */
#define HERALD__NDJSON "application/x-ndjson"

/*
 * Whether a response is the one of all events that were handled, or of all that a store has
 * accepted. Two of these with the same body are equal.
 */
bool herald__response_is_usual(const struct herald_http_response *response);

/* {"error":...}, with the path and the offset of `place`, which may be NULL. */
void herald__respond_error(struct herald_http_request *request, unsigned status, const char *text,
			   const struct herald_error *place);

/* 503. `retry_after_ms` 0: the endpoint's default. */
void herald__respond_retry(struct herald_http_request *request, const char *text,
			   uint32_t retry_after_ms);

/* The status for an event that failed. */
unsigned herald__failure_status(const struct herald_http_request *request,
				const struct herald_result *result);

/* The reason of a verdict that the sender may read. */
const char *herald__public_reason(const struct herald_result *result);

/* The results of a batch, as JSON in the request's memory. `retry_after_ms` is for 503. */
void herald__respond_results(struct herald_http_request *request, unsigned status,
			     struct herald_text body, uint32_t retry_after_ms);

/* The verdicts of events one a line, in the request's memory: 200. */
void herald__respond_lines(struct herald_http_request *request, struct herald_text body);

/* The response for the outcome of an event. */
void
herald__respond_result(struct herald_http_request *request, const struct herald_result *result);

/* {"error":...} with one printable line, which may quote the request. */
HERALD_PRINTF(3, 4)
void herald__refuse(struct herald_http_request *request, unsigned status, const char *format, ...);

/* To a method other than POST, which may be NULL: 204 for OPTIONS, else 405. */
void herald__respond_other_method(struct herald_http_request *request, const char *method);

/* 415; `content_type` may be NULL. */
void herald__refuse_media_type(struct herald_http_request *request, const char *content_type);

/* 415. */
void herald__refuse_coding(struct herald_http_request *request, const char *content_encoding);

/* 413. */
void herald__refuse_size(struct herald_http_request *request);

#endif
