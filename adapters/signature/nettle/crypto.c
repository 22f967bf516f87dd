/*
 * The cryptography of signatures, by nettle and, for ed25519, its part hogweed. Owns nothing.
 */
#include "crypto.h"

#include <string.h>

#include <nettle/eddsa.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>

_Static_assert(sizeof(struct hmac_sha256_ctx) <= sizeof(((struct herald__mac_key *)NULL)->state),
	       "a key has room for nettle's state");
_Static_assert(sizeof(struct hmac_sha1_ctx) <= sizeof(((struct herald__mac_key *)NULL)->state),
	       "a key has room for nettle's state");

void
herald__mac_init(struct herald__mac_key *key, enum herald__mac_hash hash, const void *secret,
		 size_t bytes)
{
	key->hash = hash;
	if (hash == HERALD__MAC_SHA1)
		hmac_sha1_set_key((struct hmac_sha1_ctx *)(void *)key->state, bytes, secret);
	else
		hmac_sha256_set_key((struct hmac_sha256_ctx *)(void *)key->state, bytes, secret);
}

static size_t
mac_sha1(const struct herald__mac_key *key, const struct herald__piece *pieces, size_t count,
	 unsigned char *out)
{
	struct hmac_sha1_ctx state;

	memcpy(&state, key->state, sizeof(state));
	for (size_t i = 0; i < count; i++)
		hmac_sha1_update(&state, pieces[i].bytes, pieces[i].data);
	hmac_sha1_digest(&state, SHA1_DIGEST_SIZE, out);
	herald__wipe(&state, sizeof(state));
	return SHA1_DIGEST_SIZE;
}

size_t
herald__mac(const struct herald__mac_key *key, const struct herald__piece *pieces, size_t count,
	    unsigned char out[HERALD__MAC_BYTES])
{
	struct hmac_sha256_ctx state;

	if (key->hash == HERALD__MAC_SHA1)
		return mac_sha1(key, pieces, count, out);
	memcpy(&state, key->state, sizeof(state));
	for (size_t i = 0; i < count; i++)
		hmac_sha256_update(&state, pieces[i].bytes, pieces[i].data);
	hmac_sha256_digest(&state, SHA256_DIGEST_SIZE, out);
	herald__wipe(&state, sizeof(state));
	return SHA256_DIGEST_SIZE;
}

void
herald__sha256(const void *data, size_t bytes, unsigned char out[HERALD__SHA256_BYTES])
{
	struct sha256_ctx state;

	sha256_init(&state);
	sha256_update(&state, bytes, data);
	sha256_digest(&state, SHA256_DIGEST_SIZE, out);
}

void
herald__ed25519_public(const unsigned char seed[HERALD__ED25519_KEY_BYTES],
		       unsigned char out[HERALD__ED25519_KEY_BYTES])
{
	ed25519_sha512_public_key(out, seed);
}

void
herald__ed25519_sign(const unsigned char seed[HERALD__ED25519_KEY_BYTES],
		     const unsigned char public_key[HERALD__ED25519_KEY_BYTES], const void *data,
		     size_t bytes, unsigned char out[HERALD__ED25519_SIGNATURE_BYTES])
{
	ed25519_sha512_sign(public_key, seed, bytes, data, out);
}

bool
herald__ed25519_verify(const unsigned char public_key[HERALD__ED25519_KEY_BYTES], const void *data,
		       size_t bytes, const unsigned char signature[HERALD__ED25519_SIGNATURE_BYTES])
{
	return ed25519_sha512_verify(public_key, bytes, data, signature) == 1;
}

bool
herald__same_secret(const void *a, const void *b, size_t bytes)
{
	return memeql_sec(a, b, bytes) == 1;
}

void
herald__wipe(void *data, size_t bytes)
{
	explicit_bzero(data, bytes);
}
