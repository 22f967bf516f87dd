/*
 * The service's inside. Immutable after creation but for its pool, its cache and its counters.
 */
#ifndef HERALD_SRC_SERVICE_H
#define HERALD_SRC_SERVICE_H

#include <stddef.h>

#include <herald/arena.h>
#include <herald/codec.h>
#include <herald/service.h>

#include "block_cache.h"
#include "context.h"
#include "identity.h"
#include "route.h"
#include "service_clock.h"
#include "statistics.h"
#include "json/pointer.h"

/* A codec and what it was made of. */
struct herald__codec_entry {
	const struct herald_schema *schema;
	struct herald_codec *codec;
};

struct herald_service {
	struct herald_allocator allocator;
	struct herald_arena *arena; /* of everything that the options' copies are made of */
	struct herald_log log;
	struct herald_limits limits;
	size_t max_event_bytes;
	size_t max_arena_bytes;
	enum herald_unknown_policy unknown;

	struct herald_handler **handlers; /* in their order */
	size_t handlers_count;
	struct herald_handler *decoder; /* the one with `decode`; NULL: the envelope */
	struct herald_handler **owned;  /* each handler once, in the order they were named */
	size_t owned_count;
	size_t slots_count;      /* the most handlers that one event can have */
	bool receives;           /* one of them has `receive` */
	bool keeps_bytes;        /* one of them, or of a route's, has `rejected` */
	const char **attributes; /* names of those that some handler reads, each once */
	size_t attributes_count;

	struct herald__codec_entry *codecs; /* by address of the schema */
	size_t codecs_count;
	const struct herald_schema *envelope;
	struct herald_codec *envelope_codec;
	/* Of an event's parts, for errors; all "" with a decoder, whose events are not JSON. */
	const char *event_type_path; /* "/event_type" */
	const char *payload_path;    /* "/payload" */
	const char *version_path;    /* "/metadata/version" */

	struct herald__pointer pointers[HERALD__IDENTITY_COUNT];
	bool has_pointers; /* one of them */

	struct herald__route_table table;
	struct herald__block_cache cache; /* of the memory of events */
	struct herald__context_pool pool;
	struct herald__counters
		counters; /* of events that no route took; the others are in the routes' */
	const struct herald__clock *clock; /* NULL: the system's; tests set their own */
};

/*
 * herald_service_handle_with() in a context of the caller's, which is ready for the next event afterwards;
 * NULL when there was no memory for one.
 */
void herald__service_handle_in(struct herald_service *service, struct herald_context *ctx,
			       char *data, size_t bytes, const struct herald_arrival *arrival,
			       struct herald_result *out);

#endif
