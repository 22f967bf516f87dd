/*
 * Signing: the headers of a request, with the signatures of all keys that can sign.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

#include "content.h"
#include "private.h"

/* An element: its key, the separator, and the longest code, with a separator before it. */
#define ELEMENT_BYTES (HERALD__MAX_KEY_TEXT + 2 + HERALD__CODE_TEXT_BYTES)
/* All of them, and a timestamp. */
#define HEADER_BYTES ((HERALD__MAX_KEYS + 1) * ELEMENT_BYTES + 1)

/* A signature header being written. */
struct writer {
	const struct herald__scheme *scheme;
	size_t count; /* of signatures */
	size_t bytes;
	char text[HEADER_BYTES];
};

/* Checks. */

static enum herald_status
refuse(struct herald_error *error, const char *member, const char *problem)
{
	(void)herald_option_refuse(error, member, "%s", problem);
	if (error)
		error->status = HERALD_BAD_VALUE;
	return HERALD_BAD_VALUE;
}

static enum herald_status
check_id(const struct herald__scheme *scheme, const char *id, struct herald_error *error)
{
	const struct herald_text text = {id, id ? strlen(id) : 0};

	if (!scheme->has[HERALD__PART_ID])
		return HERALD_OK;
	if (text.bytes == 0)
		return refuse(error, "id", "is missing, and the scheme signs it");
	if (herald_http_value_bytes(id, text.bytes) < text.bytes ||
	    herald_http_trimmed(id, text.bytes).bytes < text.bytes)
		return refuse(error, "id", "cannot be the value of a header");
	if (herald__scheme_id_is_ambiguous(scheme, text))
		return refuse(error, "id",
			      "cannot be told from what follows it in the signed text");
	return HERALD_OK;
}

static enum herald_status
check_message(const struct herald__scheme *scheme, const struct herald_signature_message *message,
	      struct herald_error *error)
{
	if (scheme->has[HERALD__PART_TIMESTAMP] && message->timestamp_s < 0)
		return refuse(error, "timestamp_s", "is before 1970");
	return check_id(scheme, message->id, error);
}

/* Writing. */

static void
append(struct writer *writer, const char *text, size_t bytes)
{
	memcpy(writer->text + writer->bytes, text, bytes);
	writer->bytes += bytes;
}

static void
append_key(struct writer *writer, const char *key)
{
	const struct herald_signature_options *options = &writer->scheme->options;

	if (writer->bytes > 0)
		append(writer, &options->list_separator, 1);
	append(writer, key, strlen(key));
	if (key[0] != '\0')
		append(writer, &options->key_separator, 1);
}

static enum herald_status
append_ed25519(struct writer *writer, const struct herald__content *content,
	       const struct herald__key *key, struct herald_error *error)
{
	const struct herald_allocator *allocator = &writer->scheme->options.allocator;
	unsigned char code[HERALD__ED25519_SIGNATURE_BYTES];
	char text[HERALD__CODE_TEXT_BYTES];
	struct herald__joined joined;

	if (!herald__content_join(allocator, content, &joined))
		return herald_out_of_memory(error);
	herald__ed25519_sign(key->seed, key->public_key, joined.data, joined.bytes, code);
	herald__joined_finish(allocator, &joined);
	append_key(writer, writer->scheme->options.asymmetric_key);
	size_t text_bytes = herald__code_write(writer->scheme, code, sizeof(code), text);
	append(writer, text, text_bytes);
	return HERALD_OK;
}

static enum herald_status
append_signature(struct writer *writer, const struct herald__content *content,
		 const struct herald__key *key, struct herald_error *error)
{
	unsigned char code[HERALD__MAC_BYTES];
	char text[HERALD__CODE_TEXT_BYTES];

	writer->count++;
	if (key->kind == HERALD__KEY_ED25519)
		return append_ed25519(writer, content, key, error);
	size_t bytes = herald__mac(&key->mac, content->pieces, content->count, code);
	append_key(writer, writer->scheme->options.signature_key);
	bytes = herald__code_write(writer->scheme, code, bytes, text);
	append(writer, text, bytes);
	return HERALD_OK;
}

/* The signatures of all keys, or of the first one if the header cannot hold a list. */
static enum herald_status
write_signatures(struct writer *writer, const struct herald__content *content,
		 const struct herald__keys *keys, struct herald_error *error)
{
	const struct herald_signature_options *options = &writer->scheme->options;
	size_t most = options->list_separator != 0 ? options->max_signatures : 1;
	enum herald_status status = HERALD_OK;

	for (size_t i = 0; i < keys->count && status == HERALD_OK && writer->count < most; i++)
		if (keys->all[i].can_sign)
			status = append_signature(writer, content, &keys->all[i], error);
	writer->text[writer->bytes] = '\0';
	if (status == HERALD_OK && writer->count == 0)
		return herald_option_refuse(error, "keys", "can only verify");
	return status;
}

/* Signing. */

/* Where the headers go. */
struct output {
	herald_signature_sink *sink;
	void *state;
};

static void
put(const struct output *output, const char *name, const char *value)
{
	if (name[0] != '\0')
		output->sink(name, value, output->state);
}

/* Nothing is passed on before all is known. */
static enum herald_status
write_headers(struct herald_signature *signature, struct writer *writer,
	      const struct herald__content *content, const struct herald__values *values,
	      const struct output *output, struct herald_error *error)
{
	const struct herald_signature_headers *names = &writer->scheme->options.headers;
	unsigned use;
	const struct herald__keys *keys = herald__key_ring_enter(&signature->ring, &use);
	bool is_token = keys->all[0].kind == HERALD__KEY_TOKEN;
	enum herald_status status =
		is_token ? HERALD_OK : write_signatures(writer, content, keys, error);

	if (status == HERALD_OK) {
		put(output, names->id, values->id.data);
		put(output, names->timestamp, values->timestamp.data);
		put(output, names->signature, is_token ? keys->all[0].token : writer->text);
	}
	herald__key_ring_leave(&signature->ring, use);
	return status;
}

static enum herald_status
status_of(enum herald_signature_result result, const char *problem, struct herald_error *error)
{
	if (result == HERALD_SIGNATURE_VALID)
		return HERALD_OK;
	if (result == HERALD_SIGNATURE_NO_MEMORY)
		return herald_out_of_memory(error);
	return refuse(error, result == HERALD_SIGNATURE_MISSING ? "url" : "body", problem);
}

enum herald_status
herald_signature_sign(struct herald_signature *signature,
		      const struct herald_signature_message *message, herald_signature_sink *sink,
		      void *state, struct herald_error *error)
{
	const struct herald__scheme *scheme = &signature->scheme;
	const char *problem = "", *type = message->content_type;
	struct herald__content content;
	struct writer writer = {.scheme = scheme};
	char timestamp[24];
	enum herald_status status = herald__scheme_check_signing(scheme, error);

	if (status == HERALD_OK)
		status = check_message(scheme, message, error);
	if (status != HERALD_OK)
		return status;
	size_t bytes =
		(size_t)snprintf(timestamp, sizeof(timestamp), "%" PRId64, message->timestamp_s);
	const struct herald__values values = {
		.id = {message->id, scheme->has[HERALD__PART_ID] ? strlen(message->id) : 0},
		.timestamp = {timestamp, bytes},
		.content_type = {type, type ? strlen(type) : 0},
		.url = message->url,
		.body = message->body,
		.body_bytes = message->body_bytes,
	};
	/* It sets the problem. */
	enum herald_signature_result result =
		herald__content_fill(scheme, &values, &content, &problem);
	status = status_of(result, problem, error);
	if (status == HERALD_OK && scheme->options.timestamp_key[0] != '\0') {
		append_key(&writer, scheme->options.timestamp_key);
		append(&writer, timestamp, bytes);
	}
	if (status == HERALD_OK)
		status = write_headers(signature, &writer, &content, &values,
				       &(struct output){sink, state}, error);
	herald__content_finish(scheme, &content);
	return status;
}
