/*
 * The HTTP endpoint: its options with the defaults filled in, and its requests.
 */
#ifndef HERALD_SRC_HTTP_ENDPOINT_H
#define HERALD_SRC_HTTP_ENDPOINT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/arena.h>
#include <herald/endpoint.h>

#include "http/request_pool.h"

struct herald_endpoint {
	struct herald_service *service;
	size_t max_body_bytes;
	size_t max_headers_bytes;
	uint32_t retry_after_ms;
	bool hide_errors;
	enum herald_answers answers;
	bool takes_batches, takes_ndjson;
	size_t max_batch_events; /* of both */
	bool multi_status;
	const char *ndjson_media_type;      /* of each event */
	const char *const *allowed_origins; /* then NULL; NULL: none */
	uint32_t allowed_rate;              /* 0: any */

	struct herald_arena *arena; /* for copies of options; NULL: there are none */
	/* Then NULL. NULL: JSON, or what the formats take if they are told apart. */
	const char *const *media_types;
	const struct herald_content_coding **codings;
	size_t codings_count;
	const char *accept_encoding; /* their names */

	atomic_bool stopping;
	struct herald__request_pool requests;
};

/* Whether its service has a store, so that responses come later. */
bool herald__endpoint_is_durable(const struct herald_endpoint *endpoint);

/* Whether the body has an event in each line, and the endpoint accepts that. */
bool herald__endpoint_takes_lines(const struct herald_endpoint *endpoint, const char *content_type);

/* Whether the endpoint accepts an event with this Content-Type, which may be NULL. Not if the
 * service's formats are told apart. */
bool herald__endpoint_accepts(const struct herald_endpoint *endpoint, const char *content_type);

/* The same for a service whose formats are told apart. `format` is NULL if none matches. */
bool herald__endpoint_accepts_format(const struct herald_endpoint *endpoint,
				     const struct herald_format *format, const char *content_type);

#endif
