/*
 * Signers of deliveries: which one a delivery has, and the headers that it adds to an attempt.
 */
#ifndef HERALD_SRC_DELIVERY_SIGNING_H
#define HERALD_SRC_DELIVERY_SIGNING_H

#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/signer.h>
#include <herald/arena.h>
#include <herald/buffer.h>
#include <herald/export.h>
#include <herald/status.h>

#include "delivery/headers.h"

/* The signers that deliveries may name. */
struct herald__signers {
	struct herald_named_signer *all; /* sorted by name */
	size_t count;
};

/*
 * Copy the names of the options into the arena. The options must be resolved.
 *
 * Errors  HERALD_NO_MEMORY; HERALD_BAD_OPTION: two signers have the same name.
 */
HERALD_MUST_CHECK enum herald_status
herald__signers_read(const struct herald_deliverer_options *options, struct herald_arena *arena,
		     struct herald__signers *out, struct herald_error *error);

/* The signer with this name; NULL: there is none. */
struct herald_signer *herald__signers_find(const struct herald__signers *signers, const char *name);

/* Check that the signer that a delivery names exists. */
HERALD_MUST_CHECK enum herald_status
herald__signers_check(const struct herald__signers *signers, const struct herald_delivery *delivery,
		      struct herald_error *error);

/* The headers of a signer: texts, and pointers to them. Reused. */
struct herald__signed {
	struct herald_buffer texts;
	const char *headers[HERALD_SIGNER_MAX_HEADERS];
	size_t count;
};

/*
 * Let a signer sign a request. Returns what the signer returns, or HERALD_NO_MEMORY, HERALD_LIMIT,
 * and HERALD_BAD_VALUE for a header that cannot be sent.
 */
HERALD_MUST_CHECK enum herald_status
herald__signed_write(struct herald_signer *signer, const struct herald_signer_request *request,
		     struct herald__signed *out, struct herald_error *error);

#endif
