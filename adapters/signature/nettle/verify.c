/*
 * Verifying: the time, then the signatures, each of those in the header with each key.
 */
#include <inttypes.h>
#include <string.h>

#include "content.h"
#include "encoding.h"
#include "headers.h"
#include "private.h"

/* Time. */

static enum herald_signature_result
check_time(const struct herald__scheme *scheme, const struct herald__claim *claim, int64_t now_s,
	   struct herald_error *error)
{
	const struct herald_signature_options *options = &scheme->options;
	uint64_t now = (uint64_t)now_s, then = (uint64_t)claim->timestamp_s;

	if (!scheme->has[HERALD__PART_TIMESTAMP])
		return HERALD_SIGNATURE_VALID;
	if (claim->is_before_1970)
		return herald__signature_refuse(error, HERALD_SIGNATURE_TOO_OLD,
						"the timestamp is before 1970");
	if (claim->timestamp_s > now_s && options->future_tolerance_s < HERALD_SIGNATURE_ANY_TIME &&
	    then - now > options->future_tolerance_s)
		return herald__signature_refuse(error, HERALD_SIGNATURE_TOO_NEW,
						"the timestamp is %" PRIu64
						" s ahead, more than %" PRIu32,
						then - now, options->future_tolerance_s);
	if (claim->timestamp_s < now_s && options->tolerance_s < HERALD_SIGNATURE_ANY_TIME &&
	    now - then > options->tolerance_s)
		return herald__signature_refuse(error, HERALD_SIGNATURE_TOO_OLD,
						"the timestamp is %" PRIu64
						" s old, more than %" PRIu32,
						now - then, options->tolerance_s);
	return HERALD_SIGNATURE_VALID;
}

/* Codes. */

/* Whether one of the candidates is this text. Looks at all of them. */
static bool
has_text(const struct herald__claim *claim, const char *text, size_t bytes)
{
	bool has = false;

	for (size_t i = 0; i < claim->candidates_count; i++) {
		const struct herald__candidate *candidate = &claim->candidates[i];

		if (!candidate->is_asymmetric && candidate->text.bytes == bytes)
			has |= herald__same_secret(candidate->text.data, text, bytes);
	}
	return has;
}

static bool
has_code(const struct herald__scheme *scheme, const struct herald__claim *claim,
	 const struct herald__content *content, const struct herald__key *key)
{
	unsigned char code[HERALD__MAC_BYTES];
	char text[HERALD__CODE_TEXT_BYTES];
	size_t bytes = herald__mac(&key->mac, content->pieces, content->count, code);

	return has_text(claim, text, herald__code_write(scheme, code, bytes, text));
}

static bool
has_token(const struct herald__claim *claim, const struct herald__key *key)
{
	unsigned char code[HERALD__MAC_BYTES];
	bool has = false;

	for (size_t i = 0; i < claim->candidates_count; i++) {
		const struct herald_text *text = &claim->candidates[i].text;
		const struct herald__piece piece = {text->data, text->bytes};

		herald__mac(&key->mac, &piece, 1, code);
		has |= herald__same_secret(code, key->token_code, sizeof(code));
	}
	return has;
}

/* Ed25519. */

static bool
is_signed_by(const struct herald__candidate *candidate, const struct herald__joined *joined,
	     const struct herald__key *key)
{
	/* Room for what the text could decode to. */
	unsigned char signature[HERALD__CODE_TEXT_BYTES];
	size_t bytes, wrong;

	return candidate->text.bytes == HERALD__BASE64_BYTES(HERALD__ED25519_SIGNATURE_BYTES) &&
	       herald__base64_decode(candidate->text.data, candidate->text.bytes, signature, &bytes,
				     &wrong) &&
	       bytes == HERALD__ED25519_SIGNATURE_BYTES &&
	       herald__ed25519_verify(key->public_key, joined->data, joined->bytes, signature);
}

static size_t
count_asymmetric(const struct herald__claim *claim)
{
	size_t count = 0;

	for (size_t i = 0; i < claim->candidates_count; i++)
		count += claim->candidates[i].is_asymmetric;
	return count;
}

static size_t
count_keys(const struct herald__keys *keys, enum herald__key_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < keys->count; i++)
		count += keys->all[i].kind == kind;
	return count;
}

/* A check takes hundreds of times as long as an HMAC, and anyone can send many signatures. One
 * signature is always checked. */
static enum herald_signature_result
limit_checks(const struct herald__scheme *scheme, size_t signatures, size_t keys,
	     struct herald_error *error)
{
	if (signatures <= 1 || signatures * keys <= scheme->options.max_asymmetric_checks)
		return HERALD_SIGNATURE_VALID;
	return herald__signature_refuse(error, HERALD_SIGNATURE_BAD_HEADER,
					"%s has %zu ed25519 signatures for %zu keys, more than "
					"max_asymmetric_checks (%u) allows",
					scheme->options.headers.signature, signatures, keys,
					scheme->options.max_asymmetric_checks);
}

static bool
is_signed_by_any(const struct herald__claim *claim, const struct herald__joined *joined,
		 const struct herald__keys *keys)
{
	/* Nothing is secret here: it stops at the first right one. */
	for (size_t i = 0; i < keys->count; i++)
		for (size_t j = 0; j < claim->candidates_count; j++)
			if (keys->all[i].kind == HERALD__KEY_ED25519 &&
			    claim->candidates[j].is_asymmetric &&
			    is_signed_by(&claim->candidates[j], joined, &keys->all[i]))
				return true;
	return false;
}

static enum herald_signature_result
verify_asymmetric(const struct herald__scheme *scheme, const struct herald__claim *claim,
		  const struct herald__content *content, const struct herald__keys *keys,
		  struct herald_error *error)
{
	const struct herald_allocator *allocator = &scheme->options.allocator;
	size_t signatures = count_asymmetric(claim);
	size_t keys_count = count_keys(keys, HERALD__KEY_ED25519);
	struct herald__joined joined;

	if (signatures == 0 || keys_count == 0)
		return HERALD_SIGNATURE_NO_MATCH;
	enum herald_signature_result result = limit_checks(scheme, signatures, keys_count, error);
	if (result != HERALD_SIGNATURE_VALID)
		return result;
	if (!herald__content_join(allocator, content, &joined))
		return HERALD_SIGNATURE_NO_MEMORY;
	bool has = is_signed_by_any(claim, &joined, keys);
	herald__joined_finish(allocator, &joined);
	return has ? HERALD_SIGNATURE_VALID : HERALD_SIGNATURE_NO_MATCH;
}

/* All keys. */

static enum herald_signature_result
verify_content(const struct herald__scheme *scheme, const struct herald__claim *claim,
	       const struct herald__content *content, const struct herald__keys *keys,
	       struct herald_error *error)
{
	bool has = false;

	/* All keys, whichever is right. */
	for (size_t i = 0; i < keys->count; i++)
		if (keys->all[i].kind == HERALD__KEY_MAC)
			has |= has_code(scheme, claim, content, &keys->all[i]);
		else if (keys->all[i].kind == HERALD__KEY_TOKEN)
			has |= has_token(claim, &keys->all[i]);
	if (has)
		return HERALD_SIGNATURE_VALID;
	return verify_asymmetric(scheme, claim, content, keys, error);
}

static enum herald_signature_result
verify_keys(struct herald_signature *signature, const struct herald__claim *claim,
	    struct herald__content *content, struct herald_error *error)
{
	unsigned use;
	const struct herald__keys *keys = herald__key_ring_enter(&signature->ring, &use);
	size_t count = keys->count;
	enum herald_signature_result result =
		verify_content(&signature->scheme, claim, content, keys, error);

	if (result == HERALD_SIGNATURE_NO_MATCH && herald__content_other_port(content))
		result = verify_content(&signature->scheme, claim, content, keys, error);
	herald__key_ring_leave(&signature->ring, use);
	if (result == HERALD_SIGNATURE_NO_MATCH && claim->candidates_count == 0)
		return herald__signature_refuse(error, result,
						"%s has no signature of a known version",
						signature->scheme.options.headers.signature);
	if (result == HERALD_SIGNATURE_NO_MATCH)
		return herald__signature_refuse(
			error, result, "none of the signatures (%zu) is of one of the keys (%zu)",
			claim->candidates_count, count);
	if (result == HERALD_SIGNATURE_NO_MEMORY)
		return herald__signature_refuse(error, result, "out of memory");
	return result;
}

enum herald_signature_result
herald_signature_verify(struct herald_signature *signature,
			const struct herald_signature_request *request, struct herald_error *error)
{
	const struct herald__scheme *scheme = &signature->scheme;
	struct herald__claim claim;
	struct herald__content content;
	const char *problem = "out of memory";
	enum herald_signature_result result = herald__claim_read(scheme, request, &claim, error);

	if (result == HERALD_SIGNATURE_VALID)
		result = check_time(scheme, &claim, request->now_s, error);
	if (result != HERALD_SIGNATURE_VALID)
		return result;
	const struct herald__values values = {
		.id = claim.id,
		.timestamp = claim.timestamp,
		.content_type = claim.content_type,
		.url = request->url,
		.body = request->body,
		.body_bytes = request->body_bytes,
	};
	result = herald__content_fill(scheme, &values, &content, &problem);
	result = result == HERALD_SIGNATURE_VALID
			 ? verify_keys(signature, &claim, &content, error)
			 : herald__signature_refuse(error, result, "%s", problem);
	herald__content_finish(scheme, &content);
	return result;
}
