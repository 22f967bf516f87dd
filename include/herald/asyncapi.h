/*
 * A service as an AsyncAPI document, for those who send events to it: its messages, and the schemas
 * of their payloads.
 *
 *	struct herald_buffer out;
 *
 *	herald_buffer_init(&out, NULL, 0);
 *	status = herald_service_asyncapi(service,
 *					 &HERALD_ASYNCAPI_OPTIONS(.title = "Shop", .indent = 2),
 *					 &out, &error);
 *	if (status == HERALD_OK)
 *		fwrite(out.data, 1, out.bytes, stdout);
 *	herald_buffer_finish(&out);
 */
#ifndef HERALD_ASYNCAPI_H
#define HERALD_ASYNCAPI_H

#include <stddef.h>

#include <herald/buffer.h>
#include <herald/export.h>
#include <herald/service.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Options of herald_service_asyncapi(). Zero means the default. */
struct herald_asyncapi_options {
	size_t struct_size;      /**< Set by HERALD_ASYNCAPI_OPTIONS. */
	const char *title;       /**< The service's name. Default "Events". */
	const char *version;     /**< Of the interface. Default "1.0.0". */
	const char *description; /**< For people. Default: none. */
	const char *host;        /**< "shop.example:8080". Default: the document names no server. */
	const char *protocol;    /**< Of the host: "https", "kafka". Default "http". */
	const char *address;     /**< Of the channel: a path, or a topic. Default "/event". */
	/** Blanks for each level. Default 0: one line without blanks. Limit 16. */
	unsigned indent;
};

/** Options as a compound literal: &HERALD_ASYNCAPI_OPTIONS(.title = "Shop"). */
#define HERALD_ASYNCAPI_OPTIONS(...)                                                               \
	((struct herald_asyncapi_options){.struct_size = sizeof(struct herald_asyncapi_options),   \
					  __VA_ARGS__})

/**
 * Write a service as an AsyncAPI 3.0 document, without a newline at its end. The same service
 * always gives the same text: messages are in the order of the routes, then of the upcasters.
 *
 *	{"asyncapi": "3.0.0",
 *	 "info": {"title": "Shop", "version": "1.0.0"},
 *	 "channels": {"events": {"address": "/event", "messages": {...}}},
 *	 "operations": {"receive": {"action": "receive", ...}},
 *	 "components": {
 *	   "messages": {
 *	     "order_placed_2": {"name": "order_placed", "title": "order_placed 2",
 *	                        "summary": "...",     the route's `doc`
 *	                        "payload": {...}}, ...},
 *	   "schemas": {"herald_message": {...}, "order_placed": {...}, ...}}}
 *
 * There is a message for each route, for each version that an upcaster converts, and for each
 * format of the service. In the envelope's format, its payload is the envelope, whose members for
 * the type, the version and the payload are what the route says. In other formats it is the event's
 * data, and the document does not say how the format transports it. For CloudEvents, tell senders
 * that a message is the `data` of an event of any mode that the endpoint takes (binary, structured
 * or batched), and that its name is the `type`; neither the attributes nor the headers that carry
 * them, such as ce-type, are in the document.
 * Schemas are as of herald_schema_json(), in draft-07, which AsyncAPI's default format includes.
 *
 * options  copied; NULL means the defaults.
 * out      the text is appended; unchanged after an error. Memory of the call is from its
 *          allocator.
 * error    may be NULL; its path names the option.
 * Errors   HERALD_BAD_OPTION, HERALD_NO_MEMORY, HERALD_TOO_LARGE.
 * Threads  any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_service_asyncapi(const struct herald_service *service,
			const struct herald_asyncapi_options *options, struct herald_buffer *out,
			struct herald_error *error);

#ifdef __cplusplus
}
#endif
#endif
