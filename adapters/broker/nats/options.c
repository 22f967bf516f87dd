/*
 * Checks of the options that need no server, and their defaults.
 */
#include "options.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>

#include "address.h"

#define NAME_BYTES_MAX 255
#define NAME_BAD " .*>/\\"

/* One printable character each, but a few; what the server allows. */
static enum herald_status
check_text(const char *option, const char *text, const char *bad, struct herald_error *error)
{
	const size_t bytes = strlen(text);

	if (bytes == 0 || bytes > NAME_BYTES_MAX)
		return herald_option_refuse(error, option, "must have 1 to %d bytes, not %zu",
					    NAME_BYTES_MAX, bytes);
	for (const char *at = text; *at != '\0'; at++)
		if ((unsigned char)*at <= ' ' || *at == '\x7f' || strchr(bad, *at))
			return herald_option_refuse(error, option, "must not have blanks%s: \"%s\"",
						    *bad ? ", nor any of . * > / \\" : "", text);
	return HERALD_OK;
}

static enum herald_status
check_name(const char *option, const char *text, struct herald_error *error)
{
	return text ? check_text(option, text, NAME_BAD, error)
		    : herald_option_refuse(error, option, "must be set");
}

/* Tokens between dots; '*' and '>' are tokens of their own, the latter is the last one. */
static enum herald_status
check_subject(const char *option, const char *text, bool may_have_wildcards,
	      struct herald_error *error)
{
	if (!text)
		return HERALD_OK;
	enum herald_status status = check_text(option, text, "", error);
	const char *at = text;
	while (status == HERALD_OK) {
		const size_t bytes = strcspn(at, "."), wild = strcspn(at, "*>");

		if (bytes == 0)
			return herald_option_refuse(error, option,
						    "must not have empty tokens: \"%s\"", text);
		if (wild < bytes &&
		    (bytes > 1 || !may_have_wildcards || (*at == '>' && at[bytes] != '\0')))
			return herald_option_refuse(error, option, "%s: \"%s\"",
						    may_have_wildcards
							    ? "a wildcard must be a whole token, "
							      "and '>' the last one"
							    : "must not have wildcards",
						    text);
		if (at[bytes] == '\0')
			break;
		at += bytes + 1;
	}
	return status;
}

enum herald_status
herald__nats_options_check_files(const char *certificate_file, const char *key_file,
				 struct herald_error *error)
{
	if (!certificate_file == !key_file)
		return HERALD_OK;
	return herald_option_refuse(error, key_file ? "certificate_file" : "key_file",
				    key_file ? "is missing: there is a key"
					     : "is missing: there is a certificate");
}

static enum herald_status
check_numbers(const struct herald_nats_subscriber_options *options, struct herald_error *error)
{
	const struct herald_option_range ranges[] = {
		{"replicas", options->replicas, 1, 5},
		{"ack_wait_ms", options->ack_wait_ms, 300, 86400000},
		{"timeout_ms", options->timeout_ms, 100, 600000},
	};

	return herald_option_ranges_check(ranges, sizeof(ranges) / sizeof(*ranges), error);
}

enum herald_status
herald__nats_options_read(const struct herald_nats_subscriber_options *given,
			  struct herald_nats_subscriber_options *out, struct herald_error *error)
{
	enum herald_status status = herald_options_read(given, out, sizeof(*out),
							"HERALD_NATS_SUBSCRIBER_OPTIONS", error);

	if (status == HERALD_OK)
		status = herald_allocator_check(&out->allocator, error);
	if (status == HERALD_OK)
		status = herald__nats_address_check(out->url, error);
	if (status == HERALD_OK)
		status = check_name("stream", out->stream, error);
	if (status == HERALD_OK)
		status = check_name("group", out->group, error);
	if (status == HERALD_OK)
		status = check_subject("subject", out->subject, true, error);
	if (status == HERALD_OK)
		status = check_subject("dead_subject", out->dead_subject, false, error);
	if (status == HERALD_OK)
		status = herald__nats_options_check_files(out->certificate_file, out->key_file,
							  error);
	out->replicas = out->replicas ? out->replicas : 1;
	out->ack_wait_ms = out->ack_wait_ms ? out->ack_wait_ms : 30000;
	out->timeout_ms = out->timeout_ms ? out->timeout_ms : 5000;
	if (status == HERALD_OK)
		status = check_numbers(out, error);
	out->allocator = herald_allocator_or_libc(&out->allocator);
	return status;
}

static bool
copy(struct nats *nats, const char **text)
{
	if (*text)
		*text = herald_arena_copy(nats->texts, *text, strlen(*text));
	return *text;
}

bool
herald__nats_options_copy(struct nats *nats)
{
	struct herald_nats_subscriber_options *options = &nats->options;
	char dead[NAME_BYTES_MAX + 8], source[NATS_URL_BYTES_MAX + 2 * NAME_BYTES_MAX + 64];

	snprintf(dead, sizeof(dead), "%s.dead", options->stream);
	if (!options->subject)
		options->subject = options->stream;
	if (!options->dead_subject)
		options->dead_subject = dead;
	herald__nats_address_describe(options->url, source);
	const size_t used = strlen(source);
	snprintf(source + used, sizeof(source) - used, "%s %s", options->stream, options->group);
	nats->base.source = source;
	nats->has_wildcards = strpbrk(options->subject, "*>");

	const char **const files[] = {&options->credentials_file, &options->ca_file,
				      &options->certificate_file, &options->key_file};
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (*files[i] && !copy(nats, files[i]))
			return false;
	return copy(nats, &options->url) && copy(nats, &options->stream) &&
	       copy(nats, &options->subject) && copy(nats, &options->group) &&
	       copy(nats, &options->dead_subject) && copy(nats, &nats->base.source);
}

enum herald_status
herald__nats_options_check_subjects(const struct nats *nats, struct herald_error *error)
{
	const struct herald_nats_subscriber_options *options = &nats->options;

	if (!herald__nats_subjects_overlap(options->subject, options->dead_subject))
		return HERALD_OK;
	return herald_option_refuse(error, "dead_subject",
				    "\"%s\" matches subject \"%s\": dead letters would be "
				    "consumed again",
				    options->dead_subject, options->subject);
}
