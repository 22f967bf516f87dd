/*
 * Spans as OTLP's JSON (opentelemetry-proto's trace/v1, in the JSON mapping of the OTLP
 * specification): ids in hexadecimal digits, 64-bit integers as strings, enums as numbers. How they
 * are sent is in exporter.c.
 */
#include "delivery/otlp/message.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <herald/schema.h>
#include <herald/version.h>

#include "base/utf8.h"

#define MAX_ATTRIBUTES 32
#define MAX_LINKS 8
#define NUMBER_BYTES 24 /* of a 64-bit integer as text */
#define STATUS_ERROR 2

/* AnyValue: one of the two. */
struct value {
	const char *string_value;
	const char *int_value;
};
HERALD_SCHEMA(value,
	HERALD_FIELD(value, string_value, .key = "stringValue"),
	HERALD_FIELD(value, int_value, .key = "intValue"));

struct attribute {
	const char *key;
	struct value value;
};
HERALD_SCHEMA(attribute,
	HERALD_FIELD(attribute, key),
	HERALD_STRUCT(attribute, value, value));

struct link {
	const char *trace_id, *span_id, *trace_state;
	uint32_t flags;
};
HERALD_SCHEMA(link,
	HERALD_FIELD(link, trace_id, .key = "traceId"),
	HERALD_FIELD(link, span_id, .key = "spanId"),
	HERALD_FIELD(link, trace_state, .key = "traceState"),
	HERALD_FIELD(link, flags));

struct status {
	uint32_t code;
	const char *message;
};
HERALD_SCHEMA(status,
	HERALD_FIELD(status, code),
	HERALD_FIELD(status, message));

struct span {
	const char *trace_id, *span_id, *trace_state, *parent_span_id;
	uint32_t flags;
	const char *name;
	uint32_t kind;
	const char *begin_ns, *end_ns;
	const struct attribute *attributes;
	size_t attributes_count;
	uint32_t dropped_attributes;
	const struct link *links;
	size_t links_count;
	uint32_t dropped_links;
	const struct status *status;
};
HERALD_SCHEMA(span,
	HERALD_FIELD(span, trace_id, .key = "traceId"),
	HERALD_FIELD(span, span_id, .key = "spanId"),
	HERALD_FIELD(span, trace_state, .key = "traceState"),
	HERALD_FIELD(span, parent_span_id, .key = "parentSpanId"),
	HERALD_FIELD(span, flags),
	HERALD_FIELD(span, name),
	HERALD_FIELD(span, kind),
	HERALD_FIELD(span, begin_ns, .key = "startTimeUnixNano"),
	HERALD_FIELD(span, end_ns, .key = "endTimeUnixNano"),
	HERALD_LIST(span, attributes, attribute),
	HERALD_FIELD(span, dropped_attributes, .key = "droppedAttributesCount"),
	HERALD_LIST(span, links, link),
	HERALD_FIELD(span, dropped_links, .key = "droppedLinksCount"),
	HERALD_POINTER(span, status, status));

struct scope {
	const char *name, *version;
};
HERALD_SCHEMA(scope,
	HERALD_FIELD(scope, name),
	HERALD_FIELD(scope, version));

struct scope_spans {
	struct scope scope;
	struct herald_json spans; /* written by herald__otlp_write_span() */
};
HERALD_SCHEMA(scope_spans,
	HERALD_STRUCT(scope_spans, scope, scope),
	HERALD_FIELD(scope_spans, spans));

struct resource {
	const struct attribute *attributes;
	size_t attributes_count;
};
HERALD_SCHEMA(resource, HERALD_LIST(resource, attributes, attribute));

struct resource_spans {
	struct resource resource;
	const struct scope_spans *scope_spans;
	size_t scope_spans_count;
};
HERALD_SCHEMA(resource_spans,
	HERALD_STRUCT(resource_spans, resource, resource),
	HERALD_LIST(resource_spans, scope_spans, scope_spans, .key = "scopeSpans"));

/* ExportTraceServiceRequest. */
struct request {
	const struct resource_spans *resource_spans;
	size_t resource_spans_count;
};
HERALD_SCHEMA(request,
	HERALD_LIST(request, resource_spans, resource_spans, .key = "resourceSpans"));

enum herald_status
herald__otlp_codecs_create(const struct herald_allocator *allocator,
			   struct herald__otlp_codecs *out)
{
	enum herald_status status =
		herald_codec_create(&span_schema, NULL, allocator, &out->span, NULL);

	if (status == HERALD_OK)
		status = herald_codec_create(&request_schema, NULL, allocator, &out->request, NULL);
	return status;
}

void
herald__otlp_codecs_destroy(struct herald__otlp_codecs *codecs)
{
	herald_codec_destroy(codecs->span);
	herald_codec_destroy(codecs->request);
}

/* `number` is room for the text of one. Returns false if it is not UTF-8. */
static bool
make_attribute(const struct herald_span_attribute *from, char number[NUMBER_BYTES],
	       struct attribute *out)
{
	*out = (struct attribute){.key = from->key, .value = {.string_value = from->text}};
	if (!from->text) {
		snprintf(number, NUMBER_BYTES, "%" PRId64, from->number);
		out->value.int_value = number;
	}
	return herald__is_utf8(from->key, strlen(from->key)) &&
	       (!from->text || herald__is_utf8(from->text, strlen(from->text)));
}

static const char *
text_or_null(const char *text)
{
	return *text != '\0' ? text : NULL;
}

enum herald_status
herald__otlp_write_span(const struct herald__otlp_codecs *codecs, const struct herald_span *from,
			struct herald_buffer *out)
{
	struct attribute attributes[MAX_ATTRIBUTES];
	char numbers[MAX_ATTRIBUTES][NUMBER_BYTES], begin[NUMBER_BYTES], end[NUMBER_BYTES];
	struct link links[MAX_LINKS];
	const struct status failed = {STATUS_ERROR, text_or_null(from->error)};
	struct span span = {
		.trace_id = from->trace->trace_id,
		.span_id = from->trace->span_id,
		.trace_state = text_or_null(from->trace->state),
		.parent_span_id = text_or_null(from->trace->parent_id),
		.flags = from->trace->flags,
		.name = from->name,
		.kind = (uint32_t)from->kind,
		.begin_ns = begin,
		.end_ns = end,
		.attributes = attributes,
		.links = links,
		.status = from->is_error ? &failed : NULL,
	};

	snprintf(begin, sizeof(begin), "%" PRId64, from->begin_ns);
	snprintf(end, sizeof(end), "%" PRId64, from->end_ns);
	for (size_t i = 0; i < from->attributes_count && i < MAX_ATTRIBUTES; i++)
		span.attributes_count += make_attribute(&from->attributes[i], numbers[i],
							&attributes[span.attributes_count]);
	for (size_t i = 0; i < from->links_count && i < MAX_LINKS; i++)
		links[span.links_count++] =
			(struct link){from->links[i].trace_id, from->links[i].span_id,
				      text_or_null(from->links[i].state), from->links[i].flags};
	if (span.attributes_count == 0)
		span.attributes = NULL;
	if (span.links_count == 0)
		span.links = NULL;
	span.dropped_attributes = (uint32_t)(from->attributes_count - span.attributes_count);
	span.dropped_links = (uint32_t)(from->links_count - span.links_count);
	return herald_codec_encode(codecs->span, &span, out, NULL);
}

enum herald_status
herald__otlp_write_request(const struct herald__otlp_codecs *codecs,
			   const struct herald_otlp_options *options,
			   const struct herald_buffer *spans, struct herald_buffer *out)
{
	struct attribute attributes[HERALD__OTLP_MAX_RESOURCE + 1] = {
		{"service.name", {.string_value = options->service_name}},
	};
	char numbers[HERALD__OTLP_MAX_RESOURCE][NUMBER_BYTES];
	const struct scope_spans scope = {
		.scope = {"herald", HERALD_VERSION},
		.spans = {spans->data, spans->bytes},
	};
	struct resource_spans resource = {
		.resource = {attributes, 1},
		.scope_spans = &scope,
		.scope_spans_count = 1,
	};
	const struct request request = {&resource, 1};

	for (size_t i = 0; i < options->resource_count; i++)
		resource.resource.attributes_count +=
			make_attribute(&options->resource[i], numbers[i],
				       &attributes[resource.resource.attributes_count]);
	return herald_codec_encode(codecs->request, &request, out, NULL);
}
