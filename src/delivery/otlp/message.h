/*
 * OTLP's JSON: a span, and a request with spans. Private.
 */
#ifndef HERALD_SRC_DELIVERY_OTLP_MESSAGE_H
#define HERALD_SRC_DELIVERY_OTLP_MESSAGE_H

#include <stddef.h>

#include <herald/buffer.h>
#include <herald/codec.h>
#include <herald/otlp.h>
#include <herald/span.h>
#include <herald/status.h>

#define HERALD__OTLP_MAX_RESOURCE 64

struct herald__otlp_codecs {
	struct herald_codec *span;
	struct herald_codec *request;
};

HERALD_MUST_CHECK enum herald_status
herald__otlp_codecs_create(const struct herald_allocator *allocator,
			   struct herald__otlp_codecs *out);
/* Also after a failure. */
void herald__otlp_codecs_destroy(struct herald__otlp_codecs *codecs);

/*
 * Append a span as a JSON object. At most 32 attributes and 8 links are written; the others, and
 * attributes that are not UTF-8, are counted in it as dropped.
 *
 * Errors  HERALD_TOO_LARGE: the buffer's limit; HERALD_NO_MEMORY; HERALD_BAD_UTF8: its name or its
 *         error. The buffer is then unchanged.
 */
HERALD_MUST_CHECK enum herald_status
herald__otlp_write_span(const struct herald__otlp_codecs *codecs, const struct herald_span *span,
			struct herald_buffer *out);

/* Append a request with spans, which are separated by commas. The options are checked. Errors as
 * above. */
HERALD_MUST_CHECK enum herald_status
herald__otlp_write_request(const struct herald__otlp_codecs *codecs,
			   const struct herald_otlp_options *options,
			   const struct herald_buffer *spans, struct herald_buffer *out);

#endif
