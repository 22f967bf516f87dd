/*
 * The context's inside, and the pool that keeps contexts, with their memory, from one event to the
 * next.
 */
#ifndef HERALD_SRC_CONTEXT_H
#define HERALD_SRC_CONTEXT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/arena.h>
#include <herald/context.h>
#include <herald/service.h>

#include "identity.h"
#include "route.h"

/* What a step said with its verdict. */
struct herald__words {
	bool said; /* since the step began; else the rest is a step's before it */
	unsigned http_status;
	uint32_t retry_after_ms;
	char reason[sizeof(((struct herald_error *)NULL)->message)];
};

static inline void
herald__words_clear(struct herald__words *words)
{
	words->said = false;
	words->http_status = 0;
	words->retry_after_ms = 0;
	words->reason[0] = '\0';
}

/* The most that a context keeps of its event's memory for the next one: it may be idle for ever. */
#define HERALD__IDLE_BYTES ((size_t)64 << 10)

/* The deadline of an event that has none. */
#define HERALD__NEVER_NS UINT64_MAX

struct herald_context {
	struct herald_service *service;
	struct herald_arena *arena;
	struct herald_context *next_idle;

	/* The event's. */
	const struct herald_message *message; /* NULL until it is decoded */
	const void *payload;                  /* likewise */
	struct herald__route *route;          /* NULL until it is known */
	struct herald__upcast *upcast; /* what its version began with; NULL: the route's own */
	bool ignored;
	const char *identity[HERALD__IDENTITY_COUNT]; /* of those with a pointer; NULL: none */
	size_t type_offset;                           /* where the pointer to the type led */
	/* As they came; not valid once decoding began, unless the service keeps them. */
	const char *data;
	size_t bytes;
	const char *where; /* who gave a verdict that is not HERALD_DONE: "handler", "upcaster" */
	const char *who;   /* its name; NULL: the function */
	const char *(*attribute)(const char *name, void *state); /* NULL: none */
	void *attribute_state;
	uint64_t came_ns;     /* by the service's clock; what it waited elsewhere taken off */
	uint64_t deadline_ns; /* HERALD__NEVER_NS: none */
	unsigned attempts;    /* runs of the function so far */
	struct herald__words words;
	void *slots[]; /* the service's handlers, then those of the route; see slots_count */
};

/* Contexts that wait for an event. */
struct herald__context_pool {
	pthread_mutex_t mutex; /* over the rest */
	struct herald_context *idle;
	size_t idle_count;
};

/* Returns false when the operating system has no mutex left. */
bool herald__context_pool_init(struct herald__context_pool *pool);

/* Frees the idle contexts; none may be in use. */
void herald__context_pool_finish(struct herald__context_pool *pool);

/* A context of one's own, for one event after the other; NULL when memory is out. */
struct herald_context *herald__context_create(struct herald_service *service);

/* Free it; it may be NULL. */
void herald__context_destroy(struct herald_context *ctx);

/* Make it ready for the next event. */
void herald__context_reset(struct herald_context *ctx);

/* One of the pool's for an event, ready; NULL when memory is out. */
struct herald_context *herald__context_take(struct herald_service *service);

/* Why the arena gave NULL. */
enum herald_status
herald__context_arena_status(const struct herald_context *ctx, struct herald_error *error);

/* Whether the event's deadline has passed. Does not look at the clock when there is none. */
bool herald__context_is_late(const struct herald_context *ctx);

/* Back to the pool, ready for the next one. */
void herald__context_give(struct herald_context *ctx);

/*
 * How much a verdict that is not HERALD_DONE matters to whoever runs the service: a failure that is the
 * sender's (4xx, such as a refused key) is a warning, as what can be tried again is.
 */
static inline enum herald_log_level
herald__log_level_of(enum herald_verdict verdict, unsigned http_status)
{
	bool senders = http_status >= 400 && http_status <= 499;

	return verdict == HERALD_FAIL && !senders ? HERALD_LOG_ERROR : HERALD_LOG_WARNING;
}

/* Log fields that every record about an event has; `fields` has room for them. Returns how many. */
enum { HERALD__EVENT_FIELDS = 2 };
size_t herald__context_fields(const struct herald_context *ctx, struct herald_log_field *fields);

#endif
