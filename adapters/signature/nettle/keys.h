/*
 * The keys of a scheme, read from the texts of its options.
 */
#ifndef HERALD_SIGNATURE_KEYS_H
#define HERALD_SIGNATURE_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/signature.h>

#include "crypto.h"
#include "scheme.h"

#define HERALD__MAX_KEYS 16

enum herald__key_kind {
	HERALD__KEY_MAC,
	HERALD__KEY_TOKEN,
	HERALD__KEY_ED25519,
};

struct herald__key {
	enum herald__key_kind kind;
	struct herald__mac_key mac;
	/* A token is compared by its code, so that the time does not tell its length. */
	unsigned char token_code[HERALD__MAC_BYTES];
	const char *token; /* in the arena */
	bool can_sign;
	unsigned char seed[HERALD__ED25519_KEY_BYTES];
	unsigned char public_key[HERALD__ED25519_KEY_BYTES];
};

struct herald__keys {
	struct herald_allocator allocator;
	size_t bytes; /* of this block */
	size_t count;
	struct herald__key all[];
};

/*
 * Read keys.
 *
 * out     set only on HERALD_OK; destroy it.
 * error   its path names the key, such as "keys[1]"; nothing of a key is in its message.
 * Errors  HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 */
HERALD_MUST_CHECK enum herald_status
herald__keys_create(const struct herald__scheme *scheme, const char *const *texts, size_t count,
		    struct herald__keys **out, struct herald_error *error);

/* Clear and free them. NULL is allowed. */
void herald__keys_destroy(struct herald__keys *keys);

#endif
