/*
 * The service: routes, handlers and limits. It is checked when it is created, and then handles
 * events on any thread.
 */
#ifndef HERALD_SERVICE_H
#define HERALD_SERVICE_H

#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>
#include <herald/answer.h>
#include <herald/array.h>
#include <herald/codec.h>
#include <herald/context.h>
#include <herald/durations.h>
#include <herald/export.h>
#include <herald/format.h>
#include <herald/handler.h>
#include <herald/log.h>
#include <herald/route.h>
#include <herald/span.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_named_producer;
struct herald_service;
struct herald_store;

/** What to do with an event for which no route matches. */
enum herald_unknown_policy {
	HERALD_UNKNOWN_REJECT, /**< HERALD_FAIL with HERALD_UNKNOWN_TYPE or _VERSION. */
	HERALD_UNKNOWN_IGNORE, /**< HERALD_DONE; counted and logged, nothing else. */
};

/** Options of a service. Zero means the default; everything is copied, strings included. */
struct herald_service_options {
	size_t struct_size; /**< Set by HERALD_SERVICE_OPTIONS. */

	/**
	 * Which function gets which events; set by HERALD_ROUTES. A service without routes logs a
	 * warning when it is created.
	 */
	const struct herald_route *routes;
	size_t routes_count;                     /**< Number of routes. */
	const struct herald_upcaster *upcasters; /**< Convert old versions: HERALD_UPCASTERS. */
	size_t upcasters_count;                  /**< Number of upcasters. */
	struct herald_handler *const *handlers;  /**< For all events: HERALD_HANDLERS. */
	size_t handlers_count;                   /**< Number of handlers. */
	/**
	 * The formats of events, in the order in which they are tried: HERALD_FORMATS of
	 * herald/format.h. The formats are borrowed. Default: herald_format_envelope alone.
	 */
	const struct herald_format *const *formats;
	size_t formats_count;                 /**< Number of formats. */
	const struct herald_schema *envelope; /**< Borrowed. Default herald_message_schema. */
	enum herald_unknown_policy unknown;   /**< For events without a route. */

	/**
	 * The names that functions pass to herald_context_attribute(), then NULL. A name that ends
	 * in '*' is a prefix: "ce-*" stands for all names that begin with "ce-". A route, a handler
	 * and a format have a list too; what one of them lists is kept for every event of the
	 * service.
	 *
	 * A name that begins with '?' is an argument of the request's query: "?access_token" is
	 * "a b" in "/event?access_token=a+b". A header never has such a name.
	 */
	const char *const *attributes;

	/**
	 * Where to find the type, version, id, source and subject of an event in the envelope's
	 * format: JSON Pointers (RFC 6901) into the event, such as "/payload/kind" or
	 * "/items/0/version". Default: `event_type` of the envelope, and `version`, `id`, `source`
	 * and `subject` of its metadata. A string is used as it is; a number, true or false as its
	 * JSON text. If several members have the same name, the first one is used. If the type is
	 * missing, the event fails with HERALD_MISSING; the others are "" if missing. With
	 * type_from, the envelope's event_type is optional, and message->event_type is the type
	 * that was found. Refused if the envelope is not among the formats; events in other formats
	 * are not affected.
	 */
	const char *type_from;
	const char *version_from; /**< Likewise. */
	const char *id_from;      /**< Likewise. */
	const char *source_from;  /**< Likewise. */
	const char *subject_from; /**< Likewise. */

	/**
	 * Names of attributes, such as "Idempotency-Key", "webhook-id" and "ce-id", then NULL. If
	 * the message has no id, the first of these attributes that is not empty is the id. They
	 * need not be listed in `attributes`. With a store, an id that is not UTF-8 is refused.
	 */
	const char *const *id_attributes;
	/** An event without an id is refused with HERALD_MISSING. */
	bool requires_id;

	/**
	 * Keeps accepted events until they are handled: herald/store.h. Borrowed; must outlive the
	 * service. Default: events are handled when they arrive, and not stored.
	 */
	struct herald_store *store;
	/**
	 * Without a store: the producers that herald_publish() sends messages to; set by
	 * HERALD_PRODUCERS of herald/delivery.h, and named as there. An event is HERALD_DONE only
	 * if the brokers have confirmed what it published. The producers are borrowed and must
	 * outlive the service. With a store, its deliverer has the producers. Limit 64.
	 */
	const struct herald_named_producer *producers;
	size_t producers_count; /**< Number of producers. */
	/** With `producers`: bodies, headers and keys of what one event publishes. Default 16 MiB,
	 * limit 512 MiB. */
	size_t max_published_bytes;
	/**
	 * With a store: the queue of the service's events. Processes that use the same database
	 * and the same queue share its events, so they need the same routes. Visible ASCII, limit
	 * 63 characters. Default "default".
	 */
	const char *queue;
	/**
	 * With a store: a JSON Pointer to an RFC 3339 time in the event. The event does not run
	 * before this time. If it is missing or null, the event runs at once. Like `type_from`, for
	 * events in the envelope's format.
	 */
	const char *due_from;

	/**
	 * Keep a copy of each event's original bytes until it has been handled.
	 * herald_context_cloudevent() of herald/cloudevents.h needs it, because decoding a payload
	 * into a struct changes the bytes.
	 */
	bool keeps_bytes;

	size_t max_event_bytes;      /**< Size of one event. Default 1 MiB. */
	size_t max_arena_bytes;      /**< Memory for one event. Default 16 MiB. */
	struct herald_limits limits; /**< Limits of the JSON. */
	size_t max_answer_bytes;     /**< Body of one answer. Default 1 MiB, limit 1 GiB. */
	size_t max_answer_headers;   /**< Headers of one answer. Default 32, limit 256. */
	/** Their names and values in total. Default 2,048, limit 64 KiB. */
	size_t max_answer_headers_bytes;
	/**
	 * Memory of large events (blocks of 64 KiB and more) that is kept for reuse, in total.
	 * Default 4 MiB; 1 keeps none. In addition, herald_service_handle() keeps up to 64 idle
	 * contexts of up to 64 KiB each. For HTTP see `max_idle_requests` of herald/endpoint.h.
	 */
	size_t max_idle_bytes;

	/**
	 * Give each event a place in its sender's trace: see herald/trace.h. The headers
	 * traceparent, tracestate, ce-traceparent and ce-tracestate are then attributes. With a
	 * store, the stored traceparent and tracestate name the span that accepted the event.
	 */
	bool tracing;
	struct herald_span_hook spans; /**< Takes the events' spans; implies `tracing`. */
	/**
	 * With a span hook: one in N new traces is sampled, that is, recorded. If an event belongs
	 * to a sender's trace, the sender has decided. Default 1: all.
	 */
	unsigned sample_one_in;

	struct herald_log log; /**< Zeroed: nothing is logged. */
	/**
	 * Names, such as "tenant" and "X-Request-Id", then NULL. Every log record of an event has
	 * these members of the metadata. If the metadata has no such member, the attribute of this
	 * name is used. They need not be listed in `attributes`. The keys in the log are in lower
	 * case, and '_' replaces everything except letters and digits: "x_request_id". If an event
	 * has no value, its records have no such field. Limit 16.
	 */
	const char *const *log_fields;
	struct herald_allocator allocator; /**< Zeroed: libc's. */

	/**
	 * The bounds of the histograms of durations that herald/metrics.h writes; set by
	 * HERALD_DURATION_BOUNDS. Ascending, in microseconds. Default: 16 bounds from 100 us to
	 * 10 s. Limit 32, of up to a day.
	 */
	const uint64_t *duration_bounds_us;
	size_t duration_bounds_count; /**< Number of bounds. */
};

/** Options as a compound literal: HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .log = log). */
#define HERALD_SERVICE_OPTIONS(...)                                                                \
	((struct herald_service_options){.struct_size = sizeof(struct herald_service_options),     \
					 __VA_ARGS__})

/** The option `routes` and its count: `const struct herald_route routes[] = {...};`. */
#define HERALD_ROUTES(ARRAY) .routes = (ARRAY), .routes_count = HERALD_COUNT(ARRAY)

/** The option `upcasters` and its count: `const struct herald_upcaster upcasters[] = {...};`. */
#define HERALD_UPCASTERS(ARRAY) .upcasters = (ARRAY), .upcasters_count = HERALD_COUNT(ARRAY)

/**
 * Create a service. All options, schemas and routes are checked first. With a store, stored events
 * run from now on, possibly before the function returns.
 *
 * options  copied, strings included; schemas and states are borrowed.
 * out      set only on HERALD_OK; the caller owns it. The service then owns its handlers; after an
 *          error the caller still owns them.
 * error    may be NULL; its path names the option, such as "routes[2]" or "order_placed.lines".
 * Errors   HERALD_BAD_OPTION, HERALD_BAD_SCHEMA, HERALD_NO_MEMORY; the store's, such as
 *          HERALD_UNAVAILABLE.
 * Threads  any. The service is immutable; all threads may use it at once.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_service_create(const struct herald_service_options *options, struct herald_service **out,
		      struct herald_error *error);

/**
 * Destroy the service and its handlers. No event may be in progress. With a store it waits, without
 * a limit, until none of its events is running; see herald_store_stop(). NULL is allowed.
 */
HERALD_API void herald_service_destroy(struct herald_service *service);

/**
 * Handle one event: run the whole pipeline on the calling thread. All adapters run the same
 * pipeline. Call it for events from other sources, and in unit tests.
 *
 * With a store, the event is stored instead of run: out->acceptance says so. If the store cannot
 * take the event, the verdict is HERALD_RETRY, with `status` HERALD_UNAVAILABLE,
 * HERALD_STORE_FAILED, HERALD_LIMIT (the store is full) or another error of the store.
 *
 * data     `bytes` bytes of the event; decoding changes them. Not used after the call.
 * out      always written. If the event cannot be decoded or has no route, the verdict is
 *          HERALD_FAIL and `status` says why. If out of memory, or if the format returns
 *          HERALD_SYSTEM, the verdict is HERALD_RETRY with that status.
 * Threads  any. Blocks as long as the handlers and the function do; with a store, until the event
 *          is on disk.
 */
HERALD_API void herald_service_handle(struct herald_service *service, char *data, size_t bytes,
				      struct herald_result *out);

/** Transport metadata of an event. Zero means none. */
struct herald_arrival {
	size_t struct_size; /**< Set by HERALD_ARRIVAL. */

	/**
	 * Returns the value for herald_context_attribute(), such as a header of HTTP or of a
	 * broker; NULL if there is none. It must live until the event has been handled. Called on
	 * the thread that handles the event.
	 */
	const char *(*attribute)(const char *name, void *state);
	/**
	 * Calls `visit` for each attribute, for herald_context_attributes_visit(), until it returns
	 * false. NULL: none.
	 */
	void (*attributes_visit)(herald_attribute_visitor *visit, void *visit_state, void *state);
	/**
	 * Takes the answer, if a function or a handler gave one or set a header. Called once, on
	 * the thread that handles the event, before the call returns; all that the answer points to
	 * is valid until `answer` returns. NULL: answers are dropped.
	 */
	void (*answer)(const struct herald_answer *answer, void *state);
	void *state; /**< Passed to `attribute`, `attributes_visit` and `answer`. */

	uint32_t waited_ms; /**< Time in a queue before this call; counts for the deadline. */

	/** The media type: selects the format, and is stored with the event. NULL: unknown. */
	const char *content_type;
	/** With a store: the event does not run before this time has passed. If the service's
	 * `due_from` finds a later time, that one counts. Without a store it has no effect. */
	uint64_t delay_ms;
};

/** An arrival as a compound literal: &HERALD_ARRIVAL(.attribute = find, .state = headers). */
#define HERALD_ARRIVAL(...)                                                                        \
	((struct herald_arrival){.struct_size = sizeof(struct herald_arrival), __VA_ARGS__})

/** The value of an attribute, or NULL. For formats, which see an event before it has a context. */
HERALD_API const char *
herald_arrival_attribute(const struct herald_arrival *arrival, const char *name);

/** herald_service_handle() for an event with transport metadata. `arrival` may be NULL. */
HERALD_API void
herald_service_handle_with(struct herald_service *service, char *data, size_t bytes,
			   const struct herald_arrival *arrival, struct herald_result *out);

/** The option `store`; NULL if there is none. */
HERALD_API struct herald_store *herald_service_store(const struct herald_service *service);

/** Whether the events of the service have traces: the option `tracing`, or a span hook. */
HERALD_API bool herald_service_has_tracing(const struct herald_service *service);

/** The options' max_event_bytes, or its default. */
HERALD_API size_t herald_service_max_event_bytes(const struct herald_service *service);

/**
 * Counts since the service was created. With a store, an event counts as `accepted` or `duplicates`
 * when it arrives, and each of its runs counts in `events`.
 */
struct herald_statistics {
	uint64_t events;           /**< All events: the sum of the next four. */
	uint64_t done;             /**< HERALD_DONE. */
	uint64_t retry;            /**< HERALD_RETRY. */
	uint64_t fail;             /**< HERALD_FAIL, by a function, a handler or an upcaster. */
	uint64_t rejected;         /**< Herald refused them: the sum of the rejected_ counts. */
	uint64_t ignored;          /**< Part of `done`: no route, and HERALD_UNKNOWN_IGNORE. */
	uint64_t rejected_invalid; /**< Not decodable. */
	uint64_t rejected_unknown; /**< No route. */
	uint64_t rejected_unauthorized; /**< By herald_unauthorized(), such as a wrong signature. */
	uint64_t accepted;              /**< Stored; not part of `events`. */
	uint64_t duplicates;  /**< Not stored: their id was known. Not part of `events`. */
	uint64_t nanoseconds; /**< Spent in handling and running events, all threads together. */
};

/** Counts of one route. */
struct herald_route_statistics {
	const char *event_type;          /**< Borrowed from the service. */
	const char *version;             /**< Likewise; NULL: any. */
	struct herald_statistics counts; /**< `rejected`: the payload was not decodable. */
};

/** Read the counts. Events being handled may be counted in part. Threads any, at any time. */
HERALD_API void
herald_service_statistics(const struct herald_service *service, struct herald_statistics *out);

/**
 * Read the counts of route `index`, in the order of the options.
 *
 * Returns  false if there is no such route; *out is then unchanged.
 */
HERALD_API bool herald_service_route_statistics(const struct herald_service *service, size_t index,
						struct herald_route_statistics *out);

/** Counts of the events for which this was the first upcaster of the chain. */
struct herald_upcaster_statistics {
	const char *event_type;          /**< Borrowed from the service. */
	const char *from;                /**< Version of the events. Borrowed likewise. */
	const char *to;                  /**< Their version after this upcaster. Likewise. */
	struct herald_statistics counts; /**< `nanoseconds` include the function. */
};

/**
 * Read the counts of upcaster `index`, in the order of the options. They show whether senders still
 * use the old version. An event counts for the first upcaster of its chain only, and for the route
 * at the end.
 *
 * Returns  false if there is no such upcaster; *out is then unchanged.
 */
HERALD_API bool
herald_service_upcaster_statistics(const struct herald_service *service, size_t index,
				   struct herald_upcaster_statistics *out);

/** Output format of herald_service_describe(). */
enum herald_describe_format {
	HERALD_DESCRIBE_TEXT, /**< For people. */
	HERALD_DESCRIBE_JSON, /**< For programs; see herald_service_describe(). */
};

/**
 * Describe the pipeline of each route: which events it takes, and what runs in which order. Also
 * the limits, the members of the envelope and of payloads, and all attributes that are listed
 * anywhere. As JSON:
 *
 *	{"routes":[{"event_type":"order","version":"3","route":0,"doc":"...",
 *	            "steps":[{"step":"before","handler":"audit"}, ...]}, ...],
 *	 "unknown":"reject",
 *	 "type_from":"/payload/kind",             and version_from, ..., if they are set
 *	 "attributes":["X-Api-Key","ce-*"],
 *	 "limits":{"max_event_bytes":1048576, ...},
 *	 "schemas":[{"name":"order_placed","doc":"...",
 *	             "members":[{"name":"order_id","required":true,"doc":"..."}, ...]}, ...]}
 *
 * With a store, there is a step where the event is stored. The steps after it run later. Without a
 * key, `key` and `when_dead` are omitted:
 *
 *	{"step":"store","queue":"default","key":"order_id","when_dead":"release"}
 *
 * `version` and `doc` may be null. If a limit is null, there is no limit.
 *
 * out     the text is appended; unchanged after an error. To print it:
 *         fwrite(out.data, 1, out.bytes, f).
 * Errors  HERALD_NO_MEMORY, HERALD_TOO_LARGE.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_service_describe(const struct herald_service *service, enum herald_describe_format format,
			struct herald_buffer *out);

#ifdef __cplusplus
}
#endif
#endif
