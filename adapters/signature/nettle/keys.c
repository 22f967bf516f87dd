/*
 * Keys: reading and clearing them. Nothing of a key is left in memory when it is destroyed, and
 * nothing of it comes into an error.
 */
#include "keys.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>

#include "encoding.h"

/* The longest text of a key: "whsec_" and base64. */
#define MAX_TEXT (8 + HERALD__BASE64_BYTES(HERALD__MAX_SECRET_BYTES))

/* Which key is being read. */
struct reading {
	const struct herald__scheme *scheme;
	char option[32];
	struct herald_error *error;
};

static bool
has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static enum herald_status
check_length(const struct reading *reading, size_t bytes)
{
	size_t least = reading->scheme->options.min_secret_bytes;
	size_t most = reading->scheme->options.max_secret_bytes;

	if (bytes >= least && bytes <= most)
		return HERALD_OK;
	if (least == most)
		return herald_option_refuse(reading->error, reading->option,
					    "has %zu bytes; expected %zu", bytes, least);
	return herald_option_refuse(reading->error, reading->option,
				    "has %zu bytes; expected %zu to %zu", bytes, least, most);
}

static void
set_mac(const struct herald__scheme *scheme, const void *secret, size_t bytes,
	struct herald__key *out)
{
	enum herald__mac_hash hash = scheme->options.code == HERALD_SIGNATURE_HMAC_SHA1
					     ? HERALD__MAC_SHA1
					     : HERALD__MAC_SHA256;

	out->kind = HERALD__KEY_MAC;
	out->can_sign = true;
	herald__mac_init(&out->mac, hash, secret, bytes);
}

static enum herald_status
read_text(const struct reading *reading, const char *text, struct herald__key *out)
{
	const struct herald__piece piece = {text, strlen(text)};
	enum herald_status status = check_length(reading, piece.bytes);

	if (status != HERALD_OK)
		return status;
	set_mac(reading->scheme, text, piece.bytes, out);
	if (reading->scheme->options.code != HERALD_SIGNATURE_TOKEN)
		return HERALD_OK;
	out->kind = HERALD__KEY_TOKEN;
	herald__mac(&out->mac, &piece, 1, out->token_code);
	return HERALD_OK;
}

/* Ed25519. */

static enum herald_status
read_pair(const struct reading *reading, const unsigned char *bytes, size_t count,
	  struct herald__key *out)
{
	const unsigned char *public_key = bytes + HERALD__ED25519_KEY_BYTES;

	if (count != (size_t)2 * HERALD__ED25519_KEY_BYTES)
		return herald_option_refuse(reading->error, reading->option,
					    "has %zu bytes; expected 64 after \"whsk_\": the seed "
					    "and the public key",
					    count);
	out->kind = HERALD__KEY_ED25519;
	out->can_sign = true;
	memcpy(out->seed, bytes, sizeof(out->seed));
	herald__ed25519_public(out->seed, out->public_key);
	if (memcmp(out->public_key, public_key, sizeof(out->public_key)) != 0)
		return herald_option_refuse(reading->error, reading->option,
					    "has a public key that is not of its seed");
	return HERALD_OK;
}

static enum herald_status
read_public(const struct reading *reading, const unsigned char *bytes, size_t count,
	    struct herald__key *out)
{
	if (count != HERALD__ED25519_KEY_BYTES)
		return herald_option_refuse(reading->error, reading->option,
					    "has %zu bytes; expected 32 after \"whpk_\"", count);
	out->kind = HERALD__KEY_ED25519;
	memcpy(out->public_key, bytes, sizeof(out->public_key));
	return HERALD_OK;
}

/* Base64. */

static enum herald_status
refuse_base64(const struct reading *reading, size_t wrong, size_t bytes)
{
	if (wrong >= bytes)
		return herald_option_refuse(reading->error, reading->option,
					    "is not padded base64, which has a multiple of 4 "
					    "characters; a text as a key needs "
					    "HERALD_SIGNATURE_SECRET_TEXT");
	return herald_option_refuse(reading->error, reading->option,
				    "is not base64 at byte %zu; a text as a key needs "
				    "HERALD_SIGNATURE_SECRET_TEXT",
				    wrong);
}

static enum herald_status
read_bytes(const struct reading *reading, const char *text, const unsigned char *bytes,
	   size_t count, struct herald__key *out)
{
	if (has_prefix(text, "whsk_"))
		return read_pair(reading, bytes, count, out);
	if (has_prefix(text, "whpk_"))
		return read_public(reading, bytes, count, out);

	enum herald_status status = check_length(reading, count);
	if (status == HERALD_OK)
		set_mac(reading->scheme, bytes, count, out);
	return status;
}

static enum herald_status
read_base64(const struct reading *reading, const char *text, struct herald__key *out)
{
	unsigned char decoded[MAX_TEXT];
	bool is_asymmetric = has_prefix(text, "whsk_") || has_prefix(text, "whpk_");
	size_t prefix = has_prefix(text, "whsec_") ? 6 : is_asymmetric ? 5 : 0;
	size_t bytes = strlen(text), count, wrong;

	if (is_asymmetric && reading->scheme->options.asymmetric_key[0] == '\0')
		return herald_option_refuse(reading->error, reading->option,
					    "is for ed25519, which needs asymmetric_key");
	if (bytes > sizeof(decoded))
		return herald_option_refuse(reading->error, reading->option, "is too long");
	bool is_right =
		herald__base64_decode(text + prefix, bytes - prefix, decoded, &count, &wrong);
	enum herald_status status = is_right ? read_bytes(reading, text, decoded, count, out)
					     : refuse_base64(reading, prefix + wrong, bytes);
	herald__wipe(decoded, sizeof(decoded));
	return status;
}

/* All keys. */

static enum herald_status
read_key(const struct reading *reading, const char *text, struct herald__key *out)
{
	if (!text)
		return herald_option_refuse(reading->error, reading->option, "is NULL");
	return reading->scheme->options.secret == HERALD_SIGNATURE_SECRET_BASE64
		       ? read_base64(reading, text, out)
		       : read_text(reading, text, out);
}

static enum herald_status
check_count(const char *const *texts, size_t count, struct herald_error *error)
{
	enum herald_status status =
		herald_option_array_check("keys", "HERALD_SIGNATURE_KEYS", texts, count, error);

	if (status != HERALD_OK)
		return status;
	if (count == 0)
		return herald_option_refuse(error, "keys",
					    "must be set; HERALD_SIGNATURE_KEYS(array) sets it");
	if (count > HERALD__MAX_KEYS)
		return herald_option_refuse(error, "keys", "must be at most %d, not %zu",
					    HERALD__MAX_KEYS, count);
	return HERALD_OK;
}

/* The block also has the texts of tokens, which are sent as they are. */
static size_t
block_bytes(const struct herald__scheme *scheme, const char *const *texts, size_t count)
{
	size_t bytes = sizeof(struct herald__keys) + count * sizeof(struct herald__key);

	for (size_t i = 0; i < count; i++)
		if (texts[i] && scheme->options.code == HERALD_SIGNATURE_TOKEN)
			bytes += strlen(texts[i]) + 1;
	return bytes;
}

static void
copy_tokens(struct herald__keys *keys, const char *const *texts)
{
	char *to = (char *)&keys->all[keys->count];

	for (size_t i = 0; i < keys->count; i++)
		if (keys->all[i].kind == HERALD__KEY_TOKEN) {
			size_t bytes = strlen(texts[i]) + 1;

			keys->all[i].token = memcpy(to, texts[i], bytes);
			to += bytes;
		}
}

enum herald_status
herald__keys_create(const struct herald__scheme *scheme, const char *const *texts, size_t count,
		    struct herald__keys **out, struct herald_error *error)
{
	const struct herald_allocator *allocator = &scheme->options.allocator;
	enum herald_status status = check_count(texts, count, error);

	if (status != HERALD_OK)
		return status;
	size_t bytes = block_bytes(scheme, texts, count);
	struct herald__keys *keys = herald_memory_allocate_zeroed(allocator, 1, bytes);
	if (!keys)
		return herald_out_of_memory(error);
	keys->allocator = *allocator;
	keys->bytes = bytes;
	keys->count = count;
	for (size_t i = 0; i < count && status == HERALD_OK; i++) {
		struct reading reading = {.scheme = scheme, .error = error};

		snprintf(reading.option, sizeof(reading.option), "keys[%zu]", i);
		status = read_key(&reading, texts[i], &keys->all[i]);
	}
	if (status != HERALD_OK) {
		herald__keys_destroy(keys);
		return status;
	}
	copy_tokens(keys, texts);
	*out = keys;
	return HERALD_OK;
}

void
herald__keys_destroy(struct herald__keys *keys)
{
	if (!keys)
		return;
	const struct herald_allocator allocator = keys->allocator;
	size_t bytes = keys->bytes;

	herald__wipe(keys, bytes);
	herald_memory_release(&allocator, keys, bytes);
}
