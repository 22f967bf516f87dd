/*
 * The context, and the pool that reuses contexts and their memory for later events.
 */
#ifndef HERALD_SRC_SERVICE_CONTEXT_H
#define HERALD_SRC_SERVICE_CONTEXT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/answer.h>
#include <herald/arena.h>
#include <herald/context.h>
#include <herald/service.h>
#include <herald/trace.h>

#include "service/direct.h"
#include "service/identity.h"
#include "service/route.h"

/* The details of a verdict of a function or a handler. */
struct herald__details {
	bool is_set; /* set by the current call; otherwise the members are from an earlier call */
	bool is_unauthorized; /* of herald_unauthorized() */
	unsigned http_status;
	uint32_t retry_after_ms;
	char reason[sizeof(((struct herald_error *)NULL)->message)];
};

static inline void
herald__details_clear(struct herald__details *details)
{
	details->is_set = false;
	details->is_unauthorized = false;
	details->http_status = 0;
	details->retry_after_ms = 0;
	details->reason[0] = '\0';
}

/* The maximum memory that a context retains between events: it may then be idle for ever. */
#define HERALD__IDLE_BYTES ((size_t)64 << 10)

/* A payload that was decoded together with its message, because the members before it determined
 * its route: see one_pass.c. */
struct herald__early {
	void *payload; /* NULL: none */
	struct herald__target target;
};

/* The deadline of an event without one. */
#define HERALD__NEVER_NS UINT64_MAX

struct herald__acceptance;
struct herald__run;

struct herald_context {
	struct herald_service *service;
	struct herald_arena *arena;
	struct herald_context *next_idle;

	/* The event. */
	const struct herald_message *message; /* NULL until decoded */
	const void *payload;                  /* NULL until decoded */
	struct herald__route *route;          /* NULL until known */
	struct herald__upcast *upcast; /* the first upcaster of its version; NULL: none is needed */
	struct herald__early early;
	const struct herald_format *format; /* never NULL */
	/* Of the next event, which need not be looked for. NULL: unknown. */
	const struct herald_format *known_format;
	bool ignored;
	bool payload_is_wrong; /* only the envelope is decoded, for `dead` */
	bool is_member;        /* of a batch, whose `receive` has run */
	unsigned given;        /* a bit for each identity that is here, and not in the metadata */
	const char *identity[HERALD__IDENTITY_COUNT]; /* of these; NULL: none */
	size_t offsets[HERALD__IDENTITY_COUNT];       /* of what the pointers found */
	/* The bytes as received. Invalid once decoding has begun, unless the service keeps them. */
	const char *data;
	size_t bytes;
	const char *text;    /* the same bytes where they are decoded in place */
	const void *arrived; /* the payload before upcasting; NULL: upcasting has not begun */
	/* Raw JSON that herald_context_decode() has copied, the newest first. */
	const struct herald__copied_json *copied;
	/* Of a format other than the envelope; see struct herald_decoded. */
	bool lacks_time;
	bool is_checked;
	struct herald_data payload_data;
	const char *payload_path;
	const char *where; /* who did not return HERALD_DONE: "handler", "upcaster" */
	const char *who;   /* its name; NULL: the function */
	const char *(*attribute)(const char *name, void *state); /* NULL: there are no attributes */
	void (*attributes_visit)(herald_attribute_visitor *visit, void *visit_state,
				 void *state); /* NULL: none */
	void *attribute_state;
	const char *content_type;              /* NULL: unknown */
	uint64_t delay_ms;                     /* of an event that arrives */
	struct herald__run *run;               /* of a stored event; NULL: the event arrives */
	bool has_begun;                        /* run->begin() was called */
	bool cannot_begin;                     /* and failed */
	struct herald__acceptance *acceptance; /* the event is ready to be stored; see accept.h */
	/* In the arena. Never changed, only replaced. NULL: nothing was set. */
	const struct herald_answer *answer;
	uint64_t came_ns;     /* by the service's clock, minus the time that it waited elsewhere */
	uint64_t deadline_ns; /* HERALD__NEVER_NS: no deadline */
	unsigned attempts;    /* how often the function has run */
	struct herald__direct direct; /* what it published without a store */
	size_t told_count; /* handlers whose `after` was told that a stored event has failed */
	struct herald__details details;
	bool has_trace; /* `trace` is set; see event_trace.c */
	struct herald_trace trace;
	int64_t span_begin_ns; /* since 1970; 0 until its span is started */
	void *slots[];         /* the service's handlers, then the route's; see slots_count */
};

/* Idle contexts. */
struct herald__context_pool {
	pthread_mutex_t mutex; /* protects the members below */
	struct herald_context *idle;
	size_t idle_count;
};

/* Returns false if the operating system cannot create a mutex. */
bool herald__context_pool_init(struct herald__context_pool *pool);

/* Free the idle contexts. None may be in use. */
void herald__context_pool_finish(struct herald__context_pool *pool);

/* Create a context outside the pool, for one event after the other. NULL when out of memory. */
struct herald_context *herald__context_create(struct herald_service *service);

/* Accepts NULL. */
void herald__context_destroy(struct herald_context *ctx);

/* Prepare it for the next event. */
void herald__context_reset(struct herald_context *ctx);

/* Take a context from the pool, ready for an event. NULL when out of memory. */
struct herald_context *herald__context_take(struct herald_service *service);

/* Why the arena gave NULL. */
enum herald_status
herald__context_arena_status(const struct herald_context *ctx, struct herald_error *error);

/* Whether the event's deadline has passed. Does not read the clock if there is no deadline. */
bool herald__context_is_late(const struct herald_context *ctx);

/* Return it to the pool, after a reset. */
void herald__context_give(struct herald_context *ctx);

#endif
