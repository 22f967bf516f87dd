/*
 * Schemes with keys: creating and destroying them, and replacing keys.
 */
#include "private.h"

#include <stdint.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/arena.h>

#include "signer.h"

const char *
herald_signature_result_name(enum herald_signature_result result)
{
	switch (result) {
	case HERALD_SIGNATURE_VALID:
		return "valid";
	case HERALD_SIGNATURE_MISSING:
		return "missing";
	case HERALD_SIGNATURE_BAD_HEADER:
		return "bad_header";
	case HERALD_SIGNATURE_TOO_OLD:
		return "too_old";
	case HERALD_SIGNATURE_TOO_NEW:
		return "too_new";
	case HERALD_SIGNATURE_NO_MATCH:
		return "no_match";
	case HERALD_SIGNATURE_NO_MEMORY:
		return "no_memory";
	}
	return "?";
}

/* Read the scheme and the keys. On failure, the caller frees the texts. */
static enum herald_status
set_up(struct herald_signature *signature, const struct herald_signature_options *options,
       struct herald__keys **keys, struct herald_error *error)
{
	enum herald_status status =
		herald_arena_create(&options->allocator, SIZE_MAX, &signature->texts);

	if (status != HERALD_OK)
		return herald_out_of_memory(error);
	status = herald__scheme_read(options, signature->texts, &signature->scheme, error);
	if (status == HERALD_OK)
		status = herald__keys_create(&signature->scheme, options->keys, options->keys_count,
					     keys, error);
	return status;
}

enum herald_status
herald_signature_create(const struct herald_signature_options *given, struct herald_signature **out,
			struct herald_error *error)
{
	struct herald_signature_options options;
	struct herald__keys *keys = NULL;
	enum herald_status status = herald_options_read(given, &options, sizeof(options),
							"HERALD_SIGNATURE_OPTIONS", error);

	if (status == HERALD_OK)
		status = herald_allocator_check(&options.allocator, error);
	if (status != HERALD_OK)
		return status;
	options.allocator = herald_allocator_or_libc(&options.allocator);
	struct herald_signature *signature =
		herald_memory_allocate_zeroed(&options.allocator, 1, sizeof(*signature));
	if (!signature)
		return herald_out_of_memory(error);
	signature->signer.ops = &herald__signature_signer_ops;
	status = set_up(signature, &options, &keys, error);
	int number = status == HERALD_OK ? herald__key_ring_init(&signature->ring, keys) : 0;
	if (number != 0) {
		herald__keys_destroy(keys);
		status = herald_system_error(error, "cannot create a mutex", number);
	}
	if (status == HERALD_OK) {
		*out = signature;
		return HERALD_OK;
	}
	herald_arena_destroy(signature->texts);
	herald_memory_release(&options.allocator, signature, sizeof(*signature));
	return status;
}

enum herald_status
herald_signature_set_keys(struct herald_signature *signature, const char *const *texts,
			  size_t count, struct herald_error *error)
{
	struct herald__keys *keys;
	enum herald_status status =
		herald__keys_create(&signature->scheme, texts, count, &keys, error);

	if (status == HERALD_OK)
		herald__key_ring_replace(&signature->ring, keys);
	return status;
}

void
herald_signature_destroy(struct herald_signature *signature)
{
	if (!signature)
		return;
	const struct herald_allocator allocator = signature->scheme.options.allocator;

	herald__key_ring_finish(&signature->ring);
	herald_arena_destroy(signature->texts);
	herald_memory_release(&allocator, signature, sizeof(*signature));
}
