/*
 * The codecs of a service: of its payloads, created with the service, and of its answers and of raw
 * JSON, created when a function first uses a schema for them. Private.
 */
#ifndef HERALD_SRC_SERVICE_CODECS_H
#define HERALD_SRC_SERVICE_CODECS_H

#include <stdatomic.h>
#include <stddef.h>

#include <herald/codec.h>
#include <herald/schema.h>
#include <herald/status.h>

struct herald_service;
struct herald__codec_entry;
struct herald__answer_codec;

struct herald__codecs {
	struct herald__codec_entry *payloads; /* sorted by the address of the schema */
	size_t payloads_count;
	_Atomic(struct herald__answer_codec *) answers; /* the retained ones; the list only grows */
};

/* Create a codec with the service's limits. If a limit is invalid, the error names the option. */
HERALD_MUST_CHECK enum herald_status
herald__codec_create(const struct herald_service *service, const struct herald_schema *schema,
		     struct herald_codec **out, struct herald_error *error);

/* Create a codec for each schema, and set it in the routes and upcasters. */
HERALD_MUST_CHECK enum herald_status
herald__codecs_create(struct herald_service *service, struct herald_error *error);

/* Free all codecs. */
void herald__codecs_destroy(struct herald_service *service);

/* A codec for an answer or raw JSON. Any thread. */
struct herald__borrowed_codec {
	const struct herald_codec *codec;
	struct herald_codec *own; /* NULL: the service owns it */
};

/* Look up or create the codec for such a schema. Release it with herald__codec_give_back(). */
HERALD_MUST_CHECK enum herald_status
herald__codec_borrow(struct herald_service *service, const struct herald_schema *schema,
		     struct herald__borrowed_codec *out, struct herald_error *error);

void herald__codec_give_back(struct herald__borrowed_codec *borrowed);

#endif
