/*
 * Headers and body of a request. Values come from events: whatever is in them, a header stays one
 * header, of limited length. Sending it is transfer.c's.
 */
#include "request.h"

#include <stdio.h>
#include <string.h>

#include "headers.h"

struct herald__request_body {
	const char *delivery_id;
	uint32_t attempt;
	const char *event_type;
	const char *event_id;
	const char *result;
	const char *error;
};

HERALD_SCHEMA_DEFINE_WITH(herald__request_body,
	(.doc = "What a callback says, with the method POST."),
	HERALD_FIELD(herald__request_body, delivery_id),
	HERALD_FIELD(herald__request_body, attempt),
	HERALD_FIELD(herald__request_body, event_type),
	HERALD_FIELD(herald__request_body, event_id),
	HERALD_FIELD(herald__request_body, result),
	HERALD_FIELD(herald__request_body, error));

/* libcurl's list has no const. */
static char content_type[] = "Content-Type: application/json";
static char no_expect[] = "Expect:";

/* Bodies for which some version of libcurl sends "Expect: 100-continue" have more; 1 MiB in 7.88. */
#define EXPECTING_BYTES 1024

void
herald__request_init(struct herald__request *request, const struct herald_allocator *allocator)
{
	herald_buffer_init(&request->nodes, allocator, 0);
}

void
herald__request_finish(struct herald__request *request)
{
	herald_buffer_finish(&request->nodes);
}

static void
append(struct herald__request *request, const char *data, size_t bytes)
{
	memcpy(request->text + request->bytes, data, bytes);
	request->bytes += bytes;
}

/* Printable ASCII stands for itself, but for '%'; as in gRPC's grpc-message. */
static void
append_value(struct herald__request *request, const char *value)
{
	static const char digits[] = "0123456789ABCDEF";

	for (;;) {
		const char *plain = value;

		while (*value >= ' ' && *value <= '~' && *value != '%')
			value++;
		append(request, plain, (size_t)(value - plain));
		if (*value == '\0')
			return;

		unsigned char byte = (unsigned char)*value++;
		const char escape[] = {'%', digits[byte >> 4], digits[byte & 15]};
		append(request, escape, sizeof(escape));
	}
}

/* `name` with its colon and blank. */
static void
append_header(struct herald__request *request, const char *name, const char *value)
{
	if (!value)
		return;
	if (request->bytes > 0)
		append(request, "\r\n", 2);
	append(request, name, strlen(name));
	append_value(request, value);
}

/*
 * libcurl sends each node of the list as it is and knows none of these names, so one node holds them
 * all: it compares a node's name with all those it knows, and for six of them that costs 3 %.
 */
static void
write_own(struct herald__request *request, const struct herald__queued *item)
{
	const struct herald_delivery *delivery = &item->delivery;
	char attempt[16];

	request->bytes = 0;
	snprintf(attempt, sizeof(attempt), "%u", item->attempts);
	append_header(request, "Herald-Delivery-Id: ", item->id);
	append_header(request, "Herald-Attempt: ", attempt);
	append_header(request, "Herald-Event-Type: ", delivery->event_type);
	append_header(request, "Herald-Event-Id: ", delivery->event_id);
	append_header(request, "Herald-Result: ", delivery->result);
	append_header(request, "Herald-Error: ", delivery->error);
	append(request, "", 1);
}

static bool
has_header(const struct herald_delivery *delivery, const char *header)
{
	for (size_t i = 0; i < delivery->headers_count; i++)
		if (herald__header_is_same(delivery->headers[i], header))
			return true;
	return false;
}

/* A node each, because libcurl looks whether there is a User-Agent, say. NULL when out of memory. */
static struct curl_slist *
write_nodes(struct herald__request *request, const struct herald_delivery *delivery,
	    struct curl_slist *more)
{
	size_t count = delivery->headers_count, used = 0;

	for (const struct curl_slist *node = more; node; node = node->next)
		count++;
	request->nodes.bytes = 0;
	if (herald_buffer_reserve(&request->nodes, count * sizeof(struct curl_slist)) != HERALD_OK)
		return NULL;

	struct curl_slist *nodes = (struct curl_slist *)(void *)request->nodes.data;
	for (; used < delivery->headers_count; used++)
		nodes[used].data = (char *)(uintptr_t)delivery->headers[used];
	for (; more; more = more->next)
		if (!has_header(delivery, more->data))
			nodes[used++].data = more->data;
	for (size_t i = 0; i < used; i++)
		nodes[i].next = i + 1 < used ? &nodes[i + 1] : NULL;
	return nodes;
}

static void
put_first(struct curl_slist *node, char *text, struct curl_slist **list)
{
	*node = (struct curl_slist){text, *list};
	*list = node;
}

enum herald_status
herald__request_headers(struct herald__request *request, const struct herald__queued *item,
			bool has_body, struct curl_slist *more, struct curl_slist **out)
{
	const struct herald_delivery *delivery = &item->delivery;
	struct curl_slist *list = more;

	write_own(request, item);
	if (delivery->headers_count > 0) {
		list = write_nodes(request, delivery, more);
		if (!list)
			return HERALD_NO_MEMORY;
	}
	/* Past a size libcurl asks first, and sends a second request after 417. */
	if (delivery->body_bytes >= EXPECTING_BYTES)
		put_first(&request->no_expect, no_expect, &list);
	if (delivery->body) {
		snprintf(request->content_type_text, sizeof(request->content_type_text),
			 "Content-Type: %s", delivery->content_type);
		put_first(&request->content_type, request->content_type_text, &list);
	} else if (has_body) {
		put_first(&request->content_type, content_type, &list);
	}
	put_first(&request->headers, request->text, &list);
	*out = list;
	return HERALD_OK;
}

enum herald_status
herald__request_body(const struct herald_codec *codec, const struct herald__queued *item,
		     struct herald_buffer *out)
{
	const struct herald__request_body body = {
		.delivery_id = item->id,
		.attempt = item->attempts,
		.event_type = item->delivery.event_type,
		.event_id = item->delivery.event_id,
		.result = item->delivery.result,
		.error = item->delivery.error,
	};

	out->bytes = 0;
	return herald_codec_encode(codec, &body, out, NULL);
}
