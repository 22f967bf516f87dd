/*
 * Schemes: what the senders that we know do, the checks of options, and templates. Owns nothing;
 * texts are copied into the caller's arena.
 */
#include "scheme.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/options.h>
#include <herald/adapter/text.h>
#include <herald/base64.h>

#include "encoding.h"

/* The schemes. */

#define DEFAULT_FORM_PAIRS 1000
#define MAX_FORM_PAIRS 100000
#define TOLERANCE_S 300
#define ASYMMETRIC_CHECKS 8

static const struct {
	const char *name;
	struct herald_signature_options options;
} schemes[] = {
	[HERALD_SIGNATURE_CUSTOM] = {"custom", {.content = "{body}"}},
	[HERALD_SIGNATURE_STANDARD_WEBHOOKS] =
		{"standard-webhooks",
		 {
			 .headers = {"webhook-signature", "webhook-timestamp", "webhook-id"},
			 .aliases = {"svix-signature", "svix-timestamp", "svix-id"},
			 .list_separator = ' ',
			 .key_separator = ',',
			 .signature_key = "v1",
			 .asymmetric_key = "v1a",
			 .encoding = HERALD_SIGNATURE_BASE64,
			 .secret = HERALD_SIGNATURE_SECRET_BASE64,
			 .content = "{id}.{timestamp}.{body}",
		 }},
	[HERALD_SIGNATURE_GITHUB] = {"github",
				     {
					     .headers = {.signature = "X-Hub-Signature-256"},
					     .signature_key = "sha256",
					     .content = "{body}",
				     }},
	[HERALD_SIGNATURE_STRIPE] = {"stripe",
				     {
					     .headers = {.signature = "Stripe-Signature"},
					     .list_separator = ',',
					     .signature_key = "v1",
					     .timestamp_key = "t",
					     .content = "{timestamp}.{body}",
				     }},
	[HERALD_SIGNATURE_SLACK] = {"slack",
				    {
					    .headers = {"X-Slack-Signature",
							"X-Slack-Request-Timestamp", NULL},
					    .signature_key = "v0",
					    .content = "v0:{timestamp}:{body}",
				    }},
	[HERALD_SIGNATURE_SHOPIFY] = {"shopify",
				      {
					      .headers = {.signature = "X-Shopify-Hmac-SHA256"},
					      .encoding = HERALD_SIGNATURE_BASE64,
					      .content = "{body}",
				      }},
	[HERALD_SIGNATURE_PADDLE] = {"paddle",
				     {
					     .headers = {.signature = "Paddle-Signature"},
					     .list_separator = ';',
					     .signature_key = "h1",
					     .timestamp_key = "ts",
					     .content = "{timestamp}:{body}",
				     }},
	[HERALD_SIGNATURE_TWILIO] = {"twilio",
				     {
					     .headers = {.signature = "X-Twilio-Signature"},
					     .code = HERALD_SIGNATURE_HMAC_SHA1,
					     .encoding = HERALD_SIGNATURE_BASE64,
					     .content = "{url}{form}",
				     }},
	[HERALD_SIGNATURE_GITLAB] = {"gitlab",
				     {
					     .headers = {.signature = "X-Gitlab-Token"},
					     .code = HERALD_SIGNATURE_TOKEN,
					     .content = "",
				     }},
};

const char *
herald_signature_scheme_name(enum herald_signature_scheme scheme)
{
	return (size_t)scheme < HERALD_COUNT(schemes) ? schemes[scheme].name : "?";
}

bool
herald_signature_scheme_find(const char *name, enum herald_signature_scheme *out)
{
	for (size_t i = 0; i < HERALD_COUNT(schemes); i++)
		if (strcmp(schemes[i].name, name) == 0) {
			*out = (enum herald_signature_scheme)i;
			return true;
		}
	return false;
}

/* Defaults. */

static void
set_text(const char **option, const char *value)
{
	if (!*option)
		*option = value ? value : "";
}

static void
fill_in_headers(struct herald_signature_headers *headers,
		const struct herald_signature_headers *defaults)
{
	set_text(&headers->signature, defaults->signature);
	set_text(&headers->timestamp, defaults->timestamp);
	set_text(&headers->id, defaults->id);
}

static void
fill_in_codes(struct herald_signature_options *options,
	      const struct herald_signature_options *defaults)
{
	if (options->code == 0)
		options->code = defaults->code;
	if (options->code == 0)
		options->code = HERALD_SIGNATURE_HMAC_SHA256;
	if (options->encoding == 0)
		options->encoding = defaults->encoding;
	if (options->encoding == 0)
		options->encoding = HERALD_SIGNATURE_HEX;
	if (options->secret == 0)
		options->secret = defaults->secret;
	if (options->secret == 0)
		options->secret = HERALD_SIGNATURE_SECRET_TEXT;
}

static void
fill_in_numbers(struct herald_signature_options *options)
{
	bool is_base64 = options->secret == HERALD_SIGNATURE_SECRET_BASE64;

	if (options->max_signatures == 0)
		options->max_signatures = HERALD__MAX_SIGNATURES;
	if (options->max_asymmetric_checks == 0)
		options->max_asymmetric_checks = ASYMMETRIC_CHECKS;
	if (options->max_form_pairs == 0)
		options->max_form_pairs = DEFAULT_FORM_PAIRS;
	if (options->min_secret_bytes == 0)
		options->min_secret_bytes = is_base64 ? 24 : 1;
	if (options->max_secret_bytes == 0)
		options->max_secret_bytes = is_base64 ? 64 : HERALD__MAX_SECRET_BYTES;
	if (options->tolerance_s == 0)
		options->tolerance_s = TOLERANCE_S;
	if (options->future_tolerance_s == 0)
		options->future_tolerance_s = options->tolerance_s;
}

static void
fill_in_defaults(struct herald_signature_options *options)
{
	const struct herald_signature_options *defaults = &schemes[options->scheme].options;

	/* Other names of headers than the scheme's have none of its other names. */
	if (!options->headers.signature && !options->headers.timestamp && !options->headers.id)
		fill_in_headers(&options->aliases, &defaults->aliases);
	fill_in_headers(&options->aliases, &(struct herald_signature_headers){0});
	fill_in_headers(&options->headers, &defaults->headers);
	if (options->list_separator == 0)
		options->list_separator = defaults->list_separator;
	if (options->key_separator == 0)
		options->key_separator = defaults->key_separator;
	if (options->key_separator == 0)
		options->key_separator = '=';
	set_text(&options->signature_key, defaults->signature_key);
	set_text(&options->asymmetric_key, defaults->asymmetric_key);
	set_text(&options->timestamp_key, defaults->timestamp_key);
	set_text(&options->content, defaults->content);
	fill_in_codes(options, defaults);
	fill_in_numbers(options);
}

/* Checks. */

static enum herald_status
check_header(const char *option, const char *name, struct herald_error *error)
{
	bool is_argument = name[0] == '?' && name[1] != '\0';

	if (!is_argument && herald_http_token_bytes(name) < strlen(name))
		return herald_option_refuse(error, option,
					    "is not the name of a header, nor an argument such as "
					    "\"?access_token\"");
	return HERALD_OK;
}

enum herald_status
herald__scheme_check_signing(const struct herald__scheme *scheme, struct herald_error *error)
{
	const struct herald_signature_headers *headers = &scheme->options.headers;
	const struct {
		const char *option, *name;
	} all[] = {
		{"headers.signature", headers->signature},
		{"headers.timestamp", headers->timestamp},
		{"headers.id", headers->id},
	};

	for (size_t i = 0; i < HERALD_COUNT(all); i++)
		if (all[i].name[0] == '?')
			return herald_option_refuse(
				error, all[i].option,
				"is an argument of the query, and signing sets headers only");
	return HERALD_OK;
}

static enum herald_status
check_headers(const struct herald_signature_options *options, struct herald_error *error)
{
	const struct {
		const char *option, *name;
	} all[] = {
		{"headers.signature", options->headers.signature},
		{"headers.timestamp", options->headers.timestamp},
		{"headers.id", options->headers.id},
		{"aliases.signature", options->aliases.signature},
		{"aliases.timestamp", options->aliases.timestamp},
		{"aliases.id", options->aliases.id},
	};
	enum herald_status status = HERALD_OK;

	if (options->headers.signature[0] == '\0')
		return herald_option_refuse(error, "headers.signature", "must be set");
	for (size_t i = 0; i < HERALD_COUNT(all) && status == HERALD_OK; i++)
		status = check_header(all[i].option, all[i].name, error);
	for (size_t i = 0; i < 3 && status == HERALD_OK; i++)
		for (size_t j = 0; j < HERALD_COUNT(all) && status == HERALD_OK; j++)
			if (i < j && all[j].name[0] != '\0' &&
			    herald_ascii_same(all[i].name, all[j].name))
				status = herald_option_refuse(error, all[j].option,
							      "is the same as %s", all[i].option);
	return status;
}

/* Elements are told apart by the separators, so these are not in a key. */
static enum herald_status
check_key(const struct herald_signature_options *options, const char *option, const char *key,
	  struct herald_error *error)
{
	if (strlen(key) > HERALD__MAX_KEY_TEXT)
		return herald_option_refuse(error, option, "has more than %d bytes",
					    HERALD__MAX_KEY_TEXT);
	for (const char *at = key; *at != '\0'; at++)
		if (*at <= ' ' || *at > '~' || *at == options->list_separator ||
		    *at == options->key_separator)
			return herald_option_refuse(
				error, option,
				"may have visible ASCII characters other than the separators");
	return HERALD_OK;
}

static enum herald_status
check_separators(const struct herald_signature_options *options, struct herald_error *error)
{
	char list = options->list_separator, key = options->key_separator;

	if (list != 0 && (list < ' ' || list > '~'))
		return herald_option_refuse(error, "list_separator",
					    "must be a printable ASCII character");
	if (key <= ' ' || key > '~')
		return herald_option_refuse(error, "key_separator",
					    "must be a visible ASCII character");
	if (list == key)
		return herald_option_refuse(error, "key_separator",
					    "must not be the same as list_separator");
	return HERALD_OK;
}

static enum herald_status
check_elements(const struct herald_signature_options *options, struct herald_error *error)
{
	enum herald_status status = check_separators(options, error);

	if (status == HERALD_OK)
		status = check_key(options, "signature_key", options->signature_key, error);
	if (status == HERALD_OK)
		status = check_key(options, "asymmetric_key", options->asymmetric_key, error);
	if (status == HERALD_OK)
		status = check_key(options, "timestamp_key", options->timestamp_key, error);
	if (status != HERALD_OK)
		return status;
	if (options->timestamp_key[0] != '\0' && options->list_separator == 0)
		return herald_option_refuse(error, "timestamp_key", "needs list_separator");
	if (options->timestamp_key[0] != '\0' && options->headers.timestamp[0] != '\0')
		return herald_option_refuse(error, "timestamp_key",
					    "cannot be set together with headers.timestamp");
	if (options->timestamp_key[0] != '\0' && options->signature_key[0] == '\0')
		return herald_option_refuse(error, "timestamp_key", "needs signature_key");
	if (options->asymmetric_key[0] != '\0' &&
	    (options->signature_key[0] == '\0' || options->encoding != HERALD_SIGNATURE_BASE64 ||
	     options->secret != HERALD_SIGNATURE_SECRET_BASE64))
		return herald_option_refuse(error, "asymmetric_key",
					    "needs signature_key, HERALD_SIGNATURE_BASE64 and "
					    "HERALD_SIGNATURE_SECRET_BASE64");
	return HERALD_OK;
}

static enum herald_status
check_choices(const struct herald_signature_options *options, struct herald_error *error)
{
	if ((unsigned)options->code > HERALD_SIGNATURE_TOKEN)
		return herald_option_refuse(error, "code", "must be one of HERALD_SIGNATURE_...");
	if ((unsigned)options->encoding > HERALD_SIGNATURE_BASE64)
		return herald_option_refuse(
			error, "encoding",
			"must be HERALD_SIGNATURE_HEX or HERALD_SIGNATURE_BASE64");
	if ((unsigned)options->secret > HERALD_SIGNATURE_SECRET_BASE64)
		return herald_option_refuse(error, "secret",
					    "must be one of HERALD_SIGNATURE_SECRET_...");
	if (options->code == HERALD_SIGNATURE_TOKEN &&
	    options->secret != HERALD_SIGNATURE_SECRET_TEXT)
		return herald_option_refuse(
			error, "secret",
			"must be HERALD_SIGNATURE_SECRET_TEXT with "
			"HERALD_SIGNATURE_TOKEN: the header has the key itself");
	if (options->max_form_pairs > MAX_FORM_PAIRS)
		return herald_option_refuse(error, "max_form_pairs", "must be at most %d, not %u",
					    MAX_FORM_PAIRS, options->max_form_pairs);
	if (options->max_signatures > HERALD__MAX_SIGNATURES)
		return herald_option_refuse(error, "max_signatures", "must be at most %d, not %u",
					    HERALD__MAX_SIGNATURES, options->max_signatures);
	if (options->max_asymmetric_checks > HERALD__MAX_ASYMMETRIC_CHECKS)
		return herald_option_refuse(
			error, "max_asymmetric_checks", "must be at most %d, not %u",
			HERALD__MAX_ASYMMETRIC_CHECKS, options->max_asymmetric_checks);
	if (options->max_secret_bytes > HERALD__MAX_SECRET_BYTES)
		return herald_option_refuse(error, "max_secret_bytes",
					    "must be at most %d, not %zu", HERALD__MAX_SECRET_BYTES,
					    options->max_secret_bytes);
	if (options->min_secret_bytes > options->max_secret_bytes)
		return herald_option_refuse(error, "min_secret_bytes",
					    "must be at most max_secret_bytes, %zu, not %zu",
					    options->max_secret_bytes, options->min_secret_bytes);
	return HERALD_OK;
}

/* Templates. */

static const char *const placeholders[HERALD__PART_COUNT] = {
	[HERALD__PART_ID] = "{id}",     [HERALD__PART_TIMESTAMP] = "{timestamp}",
	[HERALD__PART_BODY] = "{body}", [HERALD__PART_URL] = "{url}",
	[HERALD__PART_FORM] = "{form}",
};

/* The kind of the part at the beginning of a template. */
static enum herald__part_kind
kind_at(const char *text)
{
	for (int kind = HERALD__PART_TEXT + 1; kind < HERALD__PART_COUNT; kind++)
		if (strncmp(text, placeholders[kind], strlen(placeholders[kind])) == 0)
			return (enum herald__part_kind)kind;
	return HERALD__PART_TEXT;
}

/* Read the parts. The template is in the arena, and stays there. */
static enum herald_status
read_parts(struct herald__scheme *scheme, struct herald_error *error)
{
	const char *at = scheme->options.content;

	while (*at != '\0') {
		struct herald__part *part = &scheme->parts[scheme->parts_count++];

		part->kind = kind_at(at);
		size_t bytes = part->kind == HERALD__PART_TEXT ? strcspn(at + 1, "{") + 1
							       : strlen(placeholders[part->kind]);
		if (*at == '{' && part->kind == HERALD__PART_TEXT)
			return herald_option_refuse(error, "content",
						    "has something other than {id}, {timestamp}, "
						    "{body}, {url} and {form} at byte %zu",
						    (size_t)(at - scheme->options.content));
		if (part->kind != HERALD__PART_TEXT && scheme->has[part->kind])
			return herald_option_refuse(error, "content", "has %s twice",
						    placeholders[part->kind]);
		scheme->has[part->kind] = true;
		part->text = (struct herald_text){at, bytes};
		at += bytes;
	}
	return HERALD_OK;
}

/* What follows the id, so that it can be told where the id ends. */
static enum herald_status
read_after_id(struct herald__scheme *scheme, struct herald_error *error)
{
	size_t i = 0;

	while (i < scheme->parts_count && scheme->parts[i].kind != HERALD__PART_ID)
		i++;
	if (i + 1 >= scheme->parts_count) /* no id, or nothing after it */
		return HERALD_OK;
	if (scheme->parts[i + 1].kind != HERALD__PART_TEXT)
		return herald_option_refuse(error, "content", "needs a separator after {id}");
	scheme->after_id = scheme->parts[i + 1].text;
	scheme->timestamp_follows_id =
		i + 2 < scheme->parts_count && scheme->parts[i + 2].kind == HERALD__PART_TIMESTAMP;
	if (!scheme->timestamp_follows_id || i + 3 == scheme->parts_count)
		return HERALD_OK;
	if (scheme->parts[i + 3].kind != HERALD__PART_TEXT)
		return herald_option_refuse(error, "content",
					    "needs a separator after {timestamp}");
	scheme->ends_timestamp = scheme->parts[i + 3].text.data[0];
	return HERALD_OK;
}

static enum herald_status
check_content(const struct herald__scheme *scheme, struct herald_error *error)
{
	const struct herald_signature_options *options = &scheme->options;
	const bool *has = scheme->has;
	bool has_time = options->headers.timestamp[0] != '\0' || options->timestamp_key[0] != '\0';

	if (options->code == HERALD_SIGNATURE_TOKEN)
		return scheme->parts_count == 0 && !has_time
			       ? HERALD_OK
			       : herald_option_refuse(
					 error, "content",
					 "must be \"\", and there can be no timestamp, "
					 "with HERALD_SIGNATURE_TOKEN");
	if (!has[HERALD__PART_BODY] && !has[HERALD__PART_FORM])
		return herald_option_refuse(error, "content", "needs {body} or {form}");
	if (has[HERALD__PART_FORM] && !has[HERALD__PART_URL])
		return herald_option_refuse(error, "content", "needs {url} if it has {form}");
	if (has[HERALD__PART_ID] != (options->headers.id[0] != '\0'))
		return herald_option_refuse(error, "content",
					    "has {id} if, and only if, headers.id is set");
	if (has[HERALD__PART_TIMESTAMP] != has_time)
		return herald_option_refuse(error, "content",
					    "has {timestamp} if, and only if, headers.timestamp or "
					    "timestamp_key is set");
	return HERALD_OK;
}

/* Reading options. */

/* Replace the texts by copies. */
static enum herald_status
copy_texts(struct herald_signature_options *options, struct herald_arena *arena,
	   struct herald_error *error)
{
	const char **const texts[] = {
		&options->headers.signature, &options->headers.timestamp, &options->headers.id,
		&options->aliases.signature, &options->aliases.timestamp, &options->aliases.id,
		&options->signature_key,     &options->asymmetric_key,    &options->timestamp_key,
		&options->content,
	};

	for (size_t i = 0; i < HERALD_COUNT(texts); i++) {
		*texts[i] = herald_arena_copy(arena, *texts[i], strlen(*texts[i]));
		if (!*texts[i])
			return herald_out_of_memory(error);
	}
	return HERALD_OK;
}

enum herald_status
herald__scheme_read(const struct herald_signature_options *given, struct herald_arena *arena,
		    struct herald__scheme *out, struct herald_error *error)
{
	*out = (struct herald__scheme){.options = *given};
	if ((size_t)given->scheme >= HERALD_COUNT(schemes))
		return herald_option_refuse(error, "scheme",
					    "must be one of HERALD_SIGNATURE_..., not %d",
					    (int)given->scheme);
	fill_in_defaults(&out->options);
	enum herald_status status = check_choices(&out->options, error);
	if (status == HERALD_OK)
		status = check_headers(&out->options, error);
	if (status == HERALD_OK)
		status = check_elements(&out->options, error);
	if (status == HERALD_OK)
		status = copy_texts(&out->options, arena, error);
	if (status == HERALD_OK)
		status = read_parts(out, error);
	if (status == HERALD_OK)
		status = read_after_id(out, error);
	return status == HERALD_OK ? check_content(out, error) : status;
}

/* Ids. */

/* Whether a text begins with a number that what follows a timestamp, or its end, ends. */
static bool
begins_with_timestamp(const struct herald__scheme *scheme, const char *text, const char *end)
{
	const char *at = text;

	while (at < end && herald_ascii_is_digit(*at))
		at++;
	return at > text && (at == end || *at == scheme->ends_timestamp);
}

bool
herald__scheme_id_is_ambiguous(const struct herald__scheme *scheme, struct herald_text id)
{
	const struct herald_text *after = &scheme->after_id;

	if (after->bytes == 0 || id.bytes == 0)
		return false;
	const char *at = id.data, *end = id.data + id.bytes;
	while ((at = memmem(at, (size_t)(end - at), after->data, after->bytes))) {
		if (!scheme->timestamp_follows_id ||
		    begins_with_timestamp(scheme, at + after->bytes, end))
			return true;
		at++;
	}
	/* The end of the id could be the beginning of what follows. */
	return !scheme->timestamp_follows_id && id.bytes > 0 &&
	       memchr(after->data, end[-1], after->bytes);
}

/* Codes. */

size_t
herald__code_write(const struct herald__scheme *scheme, const unsigned char *code, size_t bytes,
		   char out[HERALD__CODE_TEXT_BYTES])
{
	if (scheme->options.encoding != HERALD_SIGNATURE_BASE64)
		return herald__hex_encode(code, bytes, out);
	herald_base64_encode(code, bytes, out);
	return herald_base64_bytes(bytes);
}
