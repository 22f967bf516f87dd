/*
 * What signatures need of a cryptographic library. crypto.c has it of nettle; another library takes
 * its place by another crypto.c.
 */
#ifndef HERALD_SIGNATURE_CRYPTO_H
#define HERALD_SIGNATURE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>

#define HERALD__MAC_BYTES 32 /* the longest */
#define HERALD__ED25519_KEY_BYTES 32
#define HERALD__ED25519_SIGNATURE_BYTES 64
#define HERALD__SHA256_BYTES 32

enum herald__mac_hash {
	HERALD__MAC_SHA256,
	HERALD__MAC_SHA1,
};

/* A key for HMAC (RFC 2104), with what can be computed once. Defined by the library. */
struct herald__mac_key {
	enum herald__mac_hash hash;
	_Alignas(16) unsigned char state[368];
};

/* A text in pieces. */
struct herald__piece {
	const void *data; /* NULL with 0 bytes */
	size_t bytes;
};

void herald__mac_init(struct herald__mac_key *key, enum herald__mac_hash hash, const void *secret,
		      size_t bytes);

/* The code of the pieces, one after the other. Returns its length. Any thread. */
size_t herald__mac(const struct herald__mac_key *key, const struct herald__piece *pieces,
		   size_t count, unsigned char out[HERALD__MAC_BYTES]);

void herald__sha256(const void *data, size_t bytes, unsigned char out[HERALD__SHA256_BYTES]);

/* Ed25519 (RFC 8032 section 5.1). A private key is the seed. */
void herald__ed25519_public(const unsigned char seed[HERALD__ED25519_KEY_BYTES],
			    unsigned char out[HERALD__ED25519_KEY_BYTES]);
void
herald__ed25519_sign(const unsigned char seed[HERALD__ED25519_KEY_BYTES],
		     const unsigned char public_key[HERALD__ED25519_KEY_BYTES], const void *data,
		     size_t bytes, unsigned char out[HERALD__ED25519_SIGNATURE_BYTES]);
bool herald__ed25519_verify(const unsigned char public_key[HERALD__ED25519_KEY_BYTES],
			    const void *data, size_t bytes,
			    const unsigned char signature[HERALD__ED25519_SIGNATURE_BYTES]);

/* Whether the bytes are the same. The time does not depend on what they are. */
bool herald__same_secret(const void *a, const void *b, size_t bytes);

/* Overwrite a secret. A compiler does not leave that out. */
void herald__wipe(void *data, size_t bytes);

#endif
