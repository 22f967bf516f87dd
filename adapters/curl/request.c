/*
 * Headers and body of a request. Values come from events: whatever is in them, a header stays one
 * header, of limited length. Sending it is transfer.c's.
 */
#include "request.h"

#include <stdio.h>
#include <string.h>

#include "ascii.h"

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

	for (; *value; value++) {
		unsigned char byte = (unsigned char)*value;
		const char escape[] = {'%', digits[byte >> 4], digits[byte & 15]};

		if (byte < 0x20 || byte > 0x7e || byte == '%')
			append(request, escape, sizeof(escape));
		else
			append(request, value, 1);
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
struct curl_slist *
herald__request_headers(struct herald__request *request, const struct herald__queued *item,
			bool has_body, struct curl_slist *more)
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

	request->content_type = (struct curl_slist){content_type, more};
	request->headers =
		(struct curl_slist){request->text, has_body ? &request->content_type : more};
	return &request->headers;
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

static bool
has_prefix(const char *text, size_t bytes, const char *prefix)
{
	size_t prefix_bytes = strlen(prefix);

	return bytes >= prefix_bytes && herald__ascii_same_bytes(text, prefix, prefix_bytes);
}

bool
herald__request_header_is_allowed(const char *header)
{
	/* RFC 9110 section 5.6.2 */
	static const char token[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz";
	static const char *const taken[] = {
		"Host",       "Content-Length", "Content-Type", "Transfer-Encoding",
		"Connection", "Expect",         "TE",           "Trailer",
		"Upgrade",
	};
	size_t bytes = strspn(header, token);

	if (bytes == 0 || header[bytes] != ':' || has_prefix(header, bytes, "Herald-"))
		return false;
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (bytes == strlen(taken[i]) && herald__ascii_same_bytes(header, taken[i], bytes))
			return false;

	const char *value = header + bytes + 1;
	for (const char *byte = value; *byte; byte++)
		if (((unsigned char)*byte < 0x20 && *byte != '\t') || *byte == 0x7f)
			return false;
	return value[strspn(value, " \t")] != '\0';
}
