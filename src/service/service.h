/*
 * The service. Immutable after creation except for its pool, its cache, its counters, the codecs of
 * answers, the attributes that were logged, and the outcomes of events that are watched.
 */
#ifndef HERALD_SRC_SERVICE_SERVICE_H
#define HERALD_SRC_SERVICE_SERVICE_H

#include <stdatomic.h>
#include <stddef.h>

#include <herald/arena.h>
#include <herald/codec.h>
#include <herald/service.h>

#include "base/block_cache.h"
#include "base/trace.h"
#include "service/attribute_names.h"
#include "service/codecs.h"
#include "service/context.h"
#include "service/identity.h"
#include "service/inbox.h"
#include "service/route.h"
#include "service/service_clock.h"
#include "service/statistics.h"
#include "json/reader/pointer.h"

/* One of the service's `log_fields`. */
struct herald__log_name {
	const char *name; /* of a member of the metadata, or of an attribute */
	const char *key;  /* of the log field: "x_request_id" for "X-Request-Id" */
};

struct herald__event_ring; /* event_watch.c */

/* Limits of one answer. */
struct herald__answer_limits {
	size_t max_body_bytes;
	size_t max_headers;
	size_t max_headers_bytes;
};

struct herald_service {
	struct herald_allocator allocator;
	struct herald_arena *arena; /* for all copies of the options */
	struct herald_log log;
	struct herald__log_name *log_fields; /* the option */
	size_t log_fields_count;
	bool tracing;
	bool has_spans; /* then there is tracing too */
	unsigned sample_one_in;
	struct herald_span_hook spans;
	struct herald__trace_source trace_source; /* if there is tracing */
	struct herald_limits limits;
	size_t max_event_bytes;
	size_t max_arena_bytes;
	struct herald__answer_limits answer_limits;
	enum herald_unknown_policy unknown;

	struct herald_handler **handlers; /* in the order of the options */
	size_t handlers_count;
	const struct herald_format **formats; /* in the order of the options; at least one */
	size_t formats_count;
	bool selects_format;           /* not every event is in the first format */
	bool has_envelope;             /* among the formats, as the last one */
	bool has_others;               /* formats other than the envelope */
	bool keeps_content_type;       /* for the store, or to tell formats apart */
	struct herald_handler **owned; /* each handler once, in the order of the lists */
	size_t owned_count;
	size_t slots_count; /* the maximum number of handlers for one event */
	bool receives;      /* a handler has `receive` */
	/* A handler, also of a route, has `rejected`, there is a store, or keeps_always. */
	bool keeps_bytes;
	bool keeps_always; /* the option keeps_bytes: while stored events run, too */
	bool has_rejected; /* a handler, also of a route */
	bool has_dead;     /* likewise */
	struct herald__attribute_names attributes;

	struct herald__codecs codecs;
	const struct herald_schema *envelope;
	struct herald_codec *envelope_codec;
	/* Paths of the envelope's parts, for errors. */
	const char *event_type_path; /* "/event_type" */
	const char *payload_path;    /* "/payload" */
	const char *version_path;    /* "/metadata/version" */
	const char *id_path;         /* "/metadata/id" */
	const char *due_path;        /* of `due_from` */

	struct herald__pointer pointers[HERALD__IDENTITY_COUNT];
	unsigned pointed; /* a bit for each that is set */

	/* What an event must pass before it is run or stored: accept.c. */
	bool has_checks; /* it has an id if it must, or there is a store or a span hook */
	bool requires_id;
	const char **id_attributes;  /* then NULL; NULL: none */
	struct herald__inbox *inbox; /* of the store; NULL: there is none */
	const char *queue;
	const struct herald_named_producer *producers; /* see direct.h */
	size_t producers_count;
	size_t max_published_bytes;

	struct herald__route_table table;
	struct herald__block_cache cache; /* for the memory of events */
	struct herald__context_pool pool;
	struct herald__counters
		counters; /* of events that no route took; the others are counted in the routes */
	struct herald__bounds duration_bounds;      /* of all counters */
	const struct herald__clock *clock;          /* NULL: the system's; set by tests */
	_Atomic(struct herald__event_ring *) watch; /* NULL: there was no request yet */
};

#endif
