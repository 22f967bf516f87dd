/*
 * Routes select the function for an event. Upcasters convert events of old versions.
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

/** The event type of a catch-all route, for events without another route. */
#define HERALD_ANY_TYPE "*"

/** The common type of all business functions in routes. HERALD_FUNCTION converts yours to it. */
typedef enum herald_verdict
herald_function(struct herald_context *ctx, const void *payload, void *state);

/** The common type of all upcasters. HERALD_UPCASTER converts yours to it. */
typedef enum herald_verdict
herald_upcast_function(struct herald_context *ctx, const void *from, void *to);

/** Whether a function takes part in the store's transaction. */
enum herald_transaction {
	HERALD_TRANSACTION_NONE, /**< The function's own writes are its own commits. */
	/** The function's writes with the store's session (such as herald_sqlite_handle()), what it
	 * publishes, and the end of the event are one commit. If the event is not HERALD_DONE, the
	 * writes are rolled back. */
	HERALD_TRANSACTION_JOIN,
};

/** What happens to later events with the same key when an event becomes a dead letter. */
enum herald_when_dead {
	HERALD_WHEN_DEAD_RELEASE, /**< The next one runs. */
	HERALD_WHEN_DEAD_HOLD,    /**< They wait until the dead letter is replayed or dropped. */
};

/**
 * A route. HERALD_ROUTE fills in the first block.
 *
 * If several routes match an event, the one with the most specific version takes it: "1.2" before
 * "1.x" before any. "1.x" matches "1" and every version that begins with "1."; "" matches events
 * without a version.
 */
struct herald_route {
	const char *event_type;             /**< Exact, or HERALD_ANY_TYPE. */
	const struct herald_schema *schema; /**< Of the payload. Borrowed. */
	herald_function *function;          /**< The business logic. */
	void *state; /**< Passed to the function; must outlive the service. */

	const char *version;                    /**< NULL: any version or none. */
	struct herald_handler *const *handlers; /**< `before` runs after the service's. */
	size_t handlers_count;                  /**< Number of handlers. */
	/** Names that the function passes to herald_context_attribute(); see herald/service.h. */
	const char *const *attributes;
	const char *doc; /**< One line for people. */

	enum herald_transaction transaction; /**< With a store only. */
	/**
	 * With a store only: the payload's member that is the event's key, by its name in JSON,
	 * such as "order_id", or by a JSON Pointer (RFC 6901), such as "/customer/id".
	 * Events with the same key run one after the other, in the order in which they were
	 * accepted, also across routes of the queue. The member is a string, an integer or an enum,
	 * which all versions of the payload have. A number, an enum and a struct on the way to it
	 * must be required or optional. Members of flat structs may be keys, but not those in a
	 * case of a tagged union. An event whose member is missing or null has no key.
	 */
	const char *key;
	enum herald_when_dead when_dead; /**< With a key only. */
};

/**
 * An upcaster: converts a payload from version `from` to version `to`, of one event type.
 * Upcasters form chains. A chain ends at a version that a route names exactly, or that no other
 * upcaster converts. So an upcaster has precedence over a route for a version pattern or for any
 * version.
 */
struct herald_upcaster {
	const char *event_type;                  /**< Exact. */
	const char *from;                        /**< One version, exact. */
	const char *to;                          /**< One version, exact. */
	const struct herald_schema *from_schema; /**< Of the payload before; borrowed. */
	const struct herald_schema *to_schema;   /**< Of the payload after; borrowed. */
	herald_upcast_function *function;        /**< Converts the payload. */
	const char *name;                        /**< For logs and the description. */
};

#ifndef __cplusplus

/* clang-format mistakes initialisers and _Generic in macros for blocks and labels. */
/* clang-format off */

/**
 * Make a business function usable in routes:
 *
 *	static enum herald_verdict
 *	on_order(struct herald_context *ctx, const struct order_placed *order, struct shop *shop);
 *	HERALD_FUNCTION(on_order, order_placed, shop);
 *
 * A function without state has two parameters, and the macro no third argument:
 *
 *	static enum herald_verdict
 *	on_user(struct herald_context *ctx, const struct user_created *user);
 *	HERALD_FUNCTION(on_user, user_created);
 *
 * A function of another type does not compile. Use the macro at file scope, after the function or
 * its declaration.
 */
#define HERALD_FUNCTION(FUNCTION, ...)                                                             \
	HERALD_FUNCTION_PICK_(__VA_ARGS__, HERALD_FUNCTION_STATE_, HERALD_FUNCTION_ALONE_, )       \
	(FUNCTION, __VA_ARGS__)
#define HERALD_FUNCTION_PICK_(PAYLOAD, STATE, MACRO, ...) MACRO

/*
 * HERALD_ROUTE uses the name that this macro defines only once. So if the macro is missing, or has
 * another payload, there is a single error, which says what to do:
 * "on_user_needs_HERALD_FUNCTION_with_payload_order undeclared".
 */
#define HERALD_FUNCTION_STATE_(FUNCTION, PAYLOAD, STATE)                                           \
	HERALD_FUNCTION_OF_(FUNCTION, PAYLOAD,                                                     \
			    (struct herald_context *, const struct PAYLOAD *, struct STATE *),     \
			    (ctx_, payload_, state_),                                              \
			    "(struct herald_context *, const struct " #PAYLOAD                     \
			    " *, struct " #STATE " *)")

#define HERALD_FUNCTION_ALONE_(FUNCTION, PAYLOAD)                                                  \
	HERALD_FUNCTION_OF_(FUNCTION, PAYLOAD,                                                     \
			    (struct herald_context *, const struct PAYLOAD *),                     \
			    (ctx_, payload_),                                                      \
			    "(struct herald_context *, const struct " #PAYLOAD " *)")

#define HERALD_FUNCTION_OF_(FUNCTION, PAYLOAD, PARAMETERS, ARGUMENTS, TEXT)                        \
	HERALD_ASSERT_(sizeof(#PAYLOAD) > 1,                                                       \
		       "HERALD_FUNCTION of " #FUNCTION " needs the struct of the payload");             \
	static enum herald_verdict FUNCTION##_needs_HERALD_FUNCTION_with_payload_##PAYLOAD(        \
		struct herald_context *ctx_, const void *payload_, void *state_)                   \
	{                                                                                          \
		(void)state_;                                                                      \
		return HERALD_FUNCTION_AS_(FUNCTION, enum herald_verdict (*) PARAMETERS)ARGUMENTS; \
	}                                                                                          \
	HERALD_ASSERT_(HERALD_IS_FUNCTION_(FUNCTION, enum herald_verdict (*) PARAMETERS),          \
		       "expected enum herald_verdict " #FUNCTION TEXT)

/* Whether a function has the type that a pointer to it shall have. */
#define HERALD_IS_FUNCTION_(FUNCTION, TYPE) _Generic(&FUNCTION, TYPE: 1, default: 0)

/* The function, or something that can be called so, for one error instead of two. */
#define HERALD_FUNCTION_AS_(FUNCTION, TYPE) _Generic(&FUNCTION, TYPE: FUNCTION, default: (TYPE)0)

/**
 * A route for `struct herald_route routes[]`:
 *
 *	HERALD_ROUTE("order_placed", order_placed, on_order, &shop, .version = "2")
 *
 * PAYLOAD must be the payload of the function. The state is a pointer to the function's state, or
 * NULL; for a function without state it must be NULL. Other types do not compile.
 */
#define HERALD_ROUTE(EVENT_TYPE, PAYLOAD, FUNCTION, ...)                                           \
	{.event_type = (EVENT_TYPE),                                                               \
	 .function = FUNCTION##_needs_HERALD_FUNCTION_with_payload_##PAYLOAD,                      \
	 HERALD_ROUTE_(PAYLOAD, FUNCTION, __VA_ARGS__, )}
#define HERALD_ROUTE_(PAYLOAD, FUNCTION, STATE, ...)                                               \
	.schema = &PAYLOAD##_schema +                                                              \
		  HERALD_REFUSE_(sizeof(#STATE) == 1,                                              \
				 "the state of this route is missing: it may be NULL") +           \
		  HERALD_REFUSE_(HERALD_IS_ALONE_(FUNCTION, PAYLOAD) && !HERALD_IS_NULL_(STATE),   \
				 #FUNCTION " has no state: its route takes NULL") +                \
		  HERALD_REFUSE_(!HERALD_IS_ALONE_(FUNCTION, PAYLOAD) &&                           \
					 !HERALD_IS_STATE_(PAYLOAD, FUNCTION, STATE),              \
				 #FUNCTION " takes another state than the one of this route"),     \
	.state = (STATE), __VA_ARGS__

/* Whether a function has no state. */
#define HERALD_IS_ALONE_(FUNCTION, PAYLOAD)                                                        \
	HERALD_IS_FUNCTION_(                                                                       \
		FUNCTION, enum herald_verdict (*)(struct herald_context *, const struct PAYLOAD *))

/* Whether STATE is a null pointer constant: the other pointer decides the type then. */
#define HERALD_IS_NULL_(STATE)                                                                     \
	__builtin_types_compatible_p(                                                              \
		__typeof__(1 ? _Generic((STATE), void *: (STATE), default: (void *)1)              \
			     : (struct herald_any_ *)0),                                           \
		struct herald_any_ *)

/* Whether the state is of the function's type, or a void *. */
#define HERALD_IS_STATE_(PAYLOAD, FUNCTION, STATE)                                                 \
	_Generic((STATE), void *: 1,                                                               \
		 default: HERALD_IS_FUNCTION_(                                                     \
			 FUNCTION,                                                                 \
			 enum herald_verdict (*)(struct herald_context *, const struct PAYLOAD *,  \
						 __typeof__(STATE))))

/**
 * Make a function usable in HERALD_UPCAST:
 *
 *	static enum herald_verdict
 *	order_v1_to_v2(struct herald_context *ctx, const struct order_v1 *from,
 *		       struct order_placed *to);
 *	HERALD_UPCASTER(order_v1_to_v2, order_v1, order_placed);
 *
 * `to` is zeroed before the call. Its pointers may point into `from` or to memory from
 * herald_context_alloc(). If the function does not return HERALD_DONE, the event ends with that
 * verdict: `before`, the business function and `after` do not run, `rejected` does. The new payload
 * is not checked against its schema.
 */
#define HERALD_UPCASTER(FUNCTION, FROM, TO)                                                        \
	HERALD_UPCASTER_(FUNCTION, FUNCTION##_needs_HERALD_UPCASTER_from_##FROM##_to_##TO,         \
			 enum herald_verdict (*)(struct herald_context *, const struct FROM *,     \
						 struct TO *),                                     \
			 "expected enum herald_verdict " #FUNCTION                                 \
			 "(struct herald_context *, const struct " #FROM " *, struct " #TO " *)")
#define HERALD_UPCASTER_(FUNCTION, NAME, TYPE, SENTENCE)                                           \
	static enum herald_verdict NAME(struct herald_context *ctx_, const void *from_, void *to_) \
	{                                                                                          \
		return HERALD_FUNCTION_AS_(FUNCTION, TYPE)(ctx_, from_, to_);                      \
	}                                                                                          \
	HERALD_ASSERT_(HERALD_IS_FUNCTION_(FUNCTION, TYPE), SENTENCE)

/**
 * An upcaster for `struct herald_upcaster upcasters[]`:
 *
 *	HERALD_UPCAST("order_placed", "1", order_v1, "2", order_placed, order_v1_to_v2)
 */
#define HERALD_UPCAST(EVENT_TYPE, FROM_VERSION, FROM, TO_VERSION, TO, FUNCTION)                    \
	{.event_type = (EVENT_TYPE), .from = (FROM_VERSION), .to = (TO_VERSION),                   \
	 .from_schema = &FROM##_schema, .to_schema = &TO##_schema,                                 \
	 .function = FUNCTION##_needs_HERALD_UPCASTER_from_##FROM##_to_##TO,                       \
	 .name = #FUNCTION}

/* clang-format on */

#endif /* __cplusplus */

#ifdef __cplusplus
}
#endif
#endif
