/*
 * Routes: which function takes which events, and how old versions reach new code.
 */
#ifndef HERALD_ROUTE_H
#define HERALD_ROUTE_H

#include <stddef.h>

#include <herald/array.h>
#include <herald/context.h>
#include <herald/export.h>
#include <herald/handler.h>
#include <herald/schema.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The event type of a catch-all route: it takes what no other route does. */
#define HERALD_ANY_TYPE "*"

/** A business function with its types erased; HERALD_FUNCTION makes one. */
typedef enum herald_verdict
herald_function(struct herald_context *ctx, const void *payload, void *state);

/** An upcaster with its types erased; HERALD_UPCASTER makes one. */
typedef enum herald_verdict
herald_upcast_function(struct herald_context *ctx, const void *from, void *to);

/**
 * A route. HERALD_ROUTE fills in the first block.
 *
 * Of the routes of one type, the one that names the event's version most exactly takes it: "1.2"
 * before "1.x" before any. "1.x" takes "1" and every version that begins with "1."; "" takes events
 * without a version.
 */
struct herald_route {
	const char *event_type;             /**< Exactly, or HERALD_ANY_TYPE. */
	const struct herald_schema *schema; /**< Of the payload. Borrowed; the rest is copied. */
	herald_function *function;          /**< The business logic. */
	void *state; /**< Passed to the function; must outlive the service. */

	const char *version;                    /**< NULL: any version, and none. */
	struct herald_handler *const *handlers; /**< HERALD_HANDLERS; within the service's. */
	size_t handlers_count;                  /**< How many. */
	const char *doc;                        /**< One line for people. */
};

/**
 * An upcaster: makes the payload of version `to` from that of version `from`, of one event type.
 * Several follow each other, until a route names the version exactly, or none begins with it; so an
 * upcaster comes before a route for a pattern of versions, or for any.
 */
struct herald_upcaster {
	const char *event_type;                  /**< Exactly. */
	const char *from;                        /**< One version, exactly. */
	const char *to;                          /**< One version, exactly. */
	const struct herald_schema *from_schema; /**< Of the payload before; borrowed. */
	const struct herald_schema *to_schema;   /**< Of the payload after; borrowed. */
	herald_upcast_function *function;        /**< Makes one from the other. */
	const char *name;                        /**< For the printed pipeline. */
};

#ifndef __cplusplus

/* It cannot tell initialisers and _Generic in macros from blocks and labels. */
/* clang-format off */

/**
 * Make a business function known to routes:
 *
 *	static enum herald_verdict
 *	on_order(struct herald_context *ctx, const struct order_placed *order, struct shop *shop);
 *	HERALD_FUNCTION(on_order, order_placed, shop);
 *
 * A function of another type does not compile. Use it after the function, at file scope.
 */
#define HERALD_FUNCTION(FUNCTION, PAYLOAD, STATE)                                                  \
	static enum herald_verdict FUNCTION##_erased_(struct herald_context *ctx_,                 \
						      const void *payload_, void *state_)          \
	{                                                                                          \
		return _Generic(&FUNCTION,                                                         \
			enum herald_verdict (*)(struct herald_context *, const struct PAYLOAD *,   \
						struct STATE *): FUNCTION)(ctx_, payload_, state_); \
	}                                                                                          \
	typedef struct PAYLOAD FUNCTION##_payload_;                                                \
	typedef struct STATE FUNCTION##_state_

/**
 * A route for `struct herald_route routes[]`:
 *
 *	HERALD_ROUTE("order_placed", order_placed, on_order, &shop, .version = "2")
 *
 * PAYLOAD must be the function's, and STATE a pointer to its state (or a void pointer to it), or NULL
 * where it has none; else it does not compile.
 */
#define HERALD_ROUTE(EVENT_TYPE, PAYLOAD, FUNCTION, ...)                                           \
	HERALD_ROUTE_(EVENT_TYPE, PAYLOAD, FUNCTION, __VA_ARGS__, )
#define HERALD_ROUTE_(EVENT_TYPE, PAYLOAD, FUNCTION, STATE, ...)                                   \
	{.event_type = (EVENT_TYPE),                                                               \
	 .schema = _Generic((FUNCTION##_payload_ *)0, struct PAYLOAD *: &PAYLOAD##_schema),        \
	 .function = FUNCTION##_erased_,                                                           \
	 .state = _Generic((STATE), FUNCTION##_state_ *: (STATE), void *: (STATE)), __VA_ARGS__}

/**
 * Make an upcaster known to HERALD_UPCAST:
 *
 *	static enum herald_verdict
 *	order_v1_to_v2(struct herald_context *ctx, const struct order_v1 *from, struct order_placed *to);
 *	HERALD_UPCASTER(order_v1_to_v2, order_v1, order_placed);
 *
 * `to` is all zero; what it points to comes from `from` or from herald_context_alloc(). A verdict
 * that is not HERALD_DONE ends the event as one of a `before` does. The result is not checked
 * against the options of the schema.
 */
#define HERALD_UPCASTER(FUNCTION, FROM, TO)                                                        \
	static enum herald_verdict FUNCTION##_erased_(struct herald_context *ctx_,                 \
						      const void *from_, void *to_)                \
	{                                                                                          \
		return _Generic(&FUNCTION,                                                         \
			enum herald_verdict (*)(struct herald_context *, const struct FROM *,      \
						struct TO *): FUNCTION)(ctx_, from_, to_);         \
	}                                                                                          \
	typedef struct FROM FUNCTION##_from_;                                                      \
	typedef struct TO FUNCTION##_to_

/** An upcaster for `struct herald_upcaster upcasters[]`: type, version and struct before and after. */
#define HERALD_UPCAST(EVENT_TYPE, FROM_VERSION, FROM, TO_VERSION, TO, FUNCTION)                    \
	{.event_type = (EVENT_TYPE), .from = (FROM_VERSION), .to = (TO_VERSION),                   \
	 .from_schema = _Generic((FUNCTION##_from_ *)0, struct FROM *: &FROM##_schema),            \
	 .to_schema = _Generic((FUNCTION##_to_ *)0, struct TO *: &TO##_schema),                    \
	 .function = FUNCTION##_erased_, .name = #FUNCTION}

/* clang-format on */

#endif /* __cplusplus */

#ifdef __cplusplus
}
#endif
#endif
