/*
 * The service: routes, handlers and limits put together, checked once, then taking events from any
 * thread.
 */
#ifndef HERALD_SERVICE_H
#define HERALD_SERVICE_H

#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>
#include <herald/array.h>
#include <herald/codec.h>
#include <herald/context.h>
#include <herald/export.h>
#include <herald/handler.h>
#include <herald/log.h>
#include <herald/route.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_service;

/** What becomes of an event whose type or version no route takes. */
enum herald_unknown_policy {
	HERALD_UNKNOWN_REJECT, /**< HERALD_FAIL with HERALD_UNKNOWN_TYPE or _VERSION: HTTP 404. */
	HERALD_UNKNOWN_IGNORE, /**< HERALD_DONE; counted and logged, nothing else. */
};

/** Options of a service. Zero means the default; everything is copied, strings included. */
struct herald_service_options {
	size_t struct_size; /**< Set by HERALD_SERVICE_OPTIONS. */

	const struct herald_route *routes; /**< HERALD_ROUTES: which function takes which events. */
	size_t routes_count;               /**< How many. */
	const struct herald_upcaster *upcasters; /**< HERALD_UPCASTERS: old versions made new. */
	size_t upcasters_count;                  /**< How many. */
	struct herald_handler *const *handlers;  /**< HERALD_HANDLERS: for all events. */
	size_t handlers_count;                   /**< How many. */
	const struct herald_schema *envelope;    /**< NULL: herald_message_schema. Borrowed. */
	enum herald_unknown_policy unknown;      /**< For events that no route takes. */

	/**
	 * Where an event's type, version, id and source are: JSON Pointers (RFC 6901) into its document,
	 * such as "/payload/kind" or "/items/0/version". NULL: the envelope's event_type, and version, id
	 * and source of its metadata. A string is taken as it is; of a number, true or false the text. An
	 * event whose type is not there is HERALD_MISSING, at this path; the others are "" then. With
	 * type_from the envelope's event_type is not required, and message->event_type is what was found.
	 * Where a document has several members of one name, the first one counts. Not together with a
	 * `decode` handler.
	 */
	const char *type_from;
	const char *version_from; /**< Likewise. */
	const char *id_from;      /**< Likewise. */
	const char *source_from;  /**< Likewise. */

	size_t max_event_bytes;      /**< 1 MiB. */
	size_t max_arena_bytes;      /**< What one event may decode to and allocate: 16 MiB. */
	struct herald_limits limits; /**< Of the JSON. */
	/**
	 * Memory of large events (blocks of 64 KiB and more) that is kept for the next ones, all of it
	 * together: 4 MiB; 1 keeps none. Besides, each idle context keeps up to 64 KiB: at most 64 contexts of
	 * herald_service_handle(), and for HTTP see `max_idle_requests` of herald/http.h.
	 */
	size_t max_idle_bytes;

	struct herald_log log;             /**< Zeroed: nothing is logged. */
	struct herald_allocator allocator; /**< Zeroed: libc's. */
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
 * Check everything and create a service; it takes events until herald_service_destroy().
 *
 * out      set only on HERALD_OK; the caller owns it, and the service owns its handlers. After an
 *          error the handlers are still the caller's.
 * error    may be NULL; its path names the option, such as "routes[2]" or "order_placed.lines".
 * Errors   HERALD_BAD_OPTION, HERALD_BAD_SCHEMA, HERALD_NO_MEMORY.
 * Threads  any; the service is immutable and may be used by all threads at once.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_service_create(const struct herald_service_options *options, struct herald_service **out,
		      struct herald_error *error);

/** Destroy the handlers and free the service. No event may be under way. NULL is allowed. */
HERALD_API void herald_service_destroy(struct herald_service *service);

/**
 * Take one event through the whole pipeline. This, or herald_service_handle_with(), is what every
 * adapter calls.
 *
 * data     `bytes` bytes of the event; consumed, as by herald_codec_decode(), and not used after
 *          the call.
 * out      always written. An event that cannot be decoded, or that no route takes, is HERALD_FAIL
 *          with a status; one for which memory was out is HERALD_RETRY with HERALD_NO_MEMORY, as is
 *          one of which a `decode` handler says HERALD_SYSTEM, with that.
 * Threads  any; blocks as long as the handlers and the function do.
 */
HERALD_API void herald_service_handle(struct herald_service *service, char *data, size_t bytes,
				      struct herald_result *out);

/** How an event came: what is known of it beside its bytes. Zero means nothing. */
struct herald_arrival {
	size_t struct_size; /**< Set by HERALD_ARRIVAL. */

	/**
	 * Finds what herald_context_attribute() asks for: a header of HTTP or of a broker. What it
	 * returns must live until the event is settled. Called on the thread that handles the event.
	 */
	const char *(*attribute)(const char *name, void *state);
	void *state; /**< Passed to `attribute`. */

	uint32_t waited_ms; /**< Since it came, such as in a queue; counts for its deadline. */
};

/** An arrival as a compound literal: &HERALD_ARRIVAL(.attribute = find, .state = headers). */
#define HERALD_ARRIVAL(...)                                                                        \
	((struct herald_arrival){.struct_size = sizeof(struct herald_arrival), __VA_ARGS__})

/** herald_service_handle() of an event of which more is known; `arrival` may be NULL. */
HERALD_API void
herald_service_handle_with(struct herald_service *service, char *data, size_t bytes,
			   const struct herald_arrival *arrival, struct herald_result *out);

/** The options' max_event_bytes, or its default. */
HERALD_API size_t herald_service_max_event_bytes(const struct herald_service *service);

/** Counts since the service was created. */
struct herald_statistics {
	uint64_t events;   /**< All that were handed in: the sum of the next four. */
	uint64_t done;     /**< HERALD_DONE. */
	uint64_t retry;    /**< HERALD_RETRY. */
	uint64_t fail;     /**< HERALD_FAIL, by a function, a handler or an upcaster. */
	uint64_t rejected; /**< Not decodable, or no route: the sum of the rejected_ counts. */
	uint64_t ignored;  /**< Of `done`: taken by no route, by HERALD_UNKNOWN_IGNORE. */
	uint64_t rejected_invalid; /**< Not decodable. */
	uint64_t rejected_unknown; /**< No route. */
	uint64_t nanoseconds;      /**< Spent in herald_service_handle(), all threads together. */
};

/** Counts of one route. */
struct herald_route_statistics {
	const char *event_type; /**< Borrowed from the service. */
	const char *version;    /**< Likewise; NULL: any. */
	uint64_t events;        /**< All that took this route: the sum of the next four. */
	uint64_t done;          /**< HERALD_DONE. */
	uint64_t retry;         /**< HERALD_RETRY. */
	uint64_t fail;          /**< HERALD_FAIL, by a function, a handler or an upcaster. */
	uint64_t rejected;      /**< The payload was not decodable. */
	uint64_t nanoseconds;   /**< Spent on them. */
};

/** Read the counts; those of events under way may be half there. Any thread, any time. */
HERALD_API void
herald_service_statistics(const struct herald_service *service, struct herald_statistics *out);

/**
 * Read the counts of route `index`, in the order of the options.
 *
 * Returns  false, with nothing written, when there is no such route.
 */
HERALD_API bool herald_service_route_statistics(const struct herald_service *service, size_t index,
						struct herald_route_statistics *out);

/** Counts of the events that came in the version that one upcaster begins with. */
struct herald_upcaster_statistics {
	const char *event_type; /**< Borrowed from the service. */
	const char *from;       /**< The version that the events came in; likewise. */
	const char *to;         /**< What this upcaster makes of it; likewise. */
	uint64_t events;        /**< All that came in version `from`: the sum of the next four. */
	uint64_t done;          /**< HERALD_DONE. */
	uint64_t retry;         /**< HERALD_RETRY. */
	uint64_t fail;          /**< HERALD_FAIL, by a function, a handler or an upcaster. */
	uint64_t rejected;      /**< The payload was not decodable. */
	uint64_t nanoseconds;   /**< Spent on them, to the end of the function. */
};

/**
 * Read the counts of upcaster `index`, in the order of the options: how many senders still use the old
 * version. The same events count for the route at the end of the chain; those that came in an earlier
 * version, and only pass through this upcaster, count for the upcaster that they began with.
 *
 * Returns  false, with nothing written, when there is no such upcaster.
 */
HERALD_API bool
herald_service_upcaster_statistics(const struct herald_service *service, size_t index,
				   struct herald_upcaster_statistics *out);

/** How herald_service_describe() writes. */
enum herald_describe_format {
	HERALD_DESCRIBE_TEXT, /**< For people. */
	HERALD_DESCRIBE_JSON, /**< One object: {"routes":[{"event_type":..., "steps":[...]}], ...}. */
};

/**
 * Write the pipeline of each route: what runs, in which order, for which events.
 *
 * out     added at its end; as it was after an error. For a stream: fwrite(out.data, 1, out.bytes, f).
 * Errors  HERALD_NO_MEMORY, HERALD_TOO_LARGE.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_service_describe(const struct herald_service *service, enum herald_describe_format format,
			struct herald_buffer *out);

#ifdef __cplusplus
}
#endif
#endif
