/*
 * Signatures for the commands. The only file of the tool that knows the signature adapter.
 */
#include "scheme.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/array.h>

#ifdef HAVE_SIGNATURE
#include <herald/signature.h>
#endif

#include "options.h"
#include "tool_memory.h"

#define URL_BYTES 8192

const char *
scheme_read_name(const char *value, struct scheme *out)
{
#ifdef HAVE_SIGNATURE
	enum herald_signature_scheme found;

	/* The same with other names of headers, which are known, too. */
	if (strcmp(value, "svix") == 0)
		value = herald_signature_scheme_name(HERALD_SIGNATURE_STANDARD_WEBHOOKS);
	if (!herald_signature_scheme_find(value, &found) || found == HERALD_SIGNATURE_CUSTOM)
		return SCHEME_NAMES;
#endif
	out->name = value;
	return NULL;
}

/* The first line of a file, without its end: *bytes of it. NULL if it cannot be read. */
static char *
read_secret_file(const char *path, size_t *bytes)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t room = 0;

	if (!file)
		return NULL;
	ssize_t length = getline(&line, &room, file);
	bool has_failed = ferror(file);
	fclose(file);
	if (has_failed || !line) {
		free(line);
		return NULL;
	}
	*bytes = length > 0 ? (size_t)length : 0;
	while (*bytes > 0 && (line[*bytes - 1] == '\n' || line[*bytes - 1] == '\r'))
		(*bytes)--;
	line[*bytes] = '\0';
	return line;
}

static bool
has_controls(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7F)
			return true;
	return false;
}

/* NULL, or what was expected. */
static const char *
check_secret(const char *secret, size_t bytes, bool is_of_file)
{
	if (bytes == 0)
		return is_of_file ? "a secret, but the first line of the file is empty"
				  : "a secret, but it is empty";
	return has_controls(secret, bytes) ? "a secret without control characters" : NULL;
}

/* The same text until the process ends. */
static const char *
keep_line(const char *line, size_t bytes)
{
	static struct herald_arena *kept;

	if (!kept)
		kept = memory_create();
	return memory_copy(kept, line, bytes);
}

const char *
scheme_read_one_secret(const char *value, const char **out)
{
	bool is_of_file = *value == '@';
	size_t bytes = strlen(value);
	char *line = NULL;

	if (is_of_file && !(line = read_secret_file(value + 1, &bytes)))
		return "a secret, or @FILE with a file that can be read";
	const char *expected = check_secret(is_of_file ? line : value, bytes, is_of_file);
	if (!expected)
		*out = is_of_file ? keep_line(line, bytes) : value;
	free(line);
	return expected;
}

const char *
scheme_read_secret(const char *value, struct scheme *out)
{
	if (out->secrets_count == SCHEME_MAX_SECRETS)
		return "at most 16 secrets";
	const char *expected = scheme_read_one_secret(value, &out->secrets[out->secrets_count]);
	if (!expected)
		out->secrets_count++;
	return expected;
}

bool
scheme_check_url(const struct scheme *scheme, const char *url, const char *command)
{
	if (url || !scheme->name || strcmp(scheme->name, "twilio") != 0)
		return true;
	fprintf(stderr, "herald: %s: --url is missing, and twilio signs it\n", command);
	return false;
}

#ifdef HAVE_SIGNATURE

/* The tool's name of an adapter's option. The tool has no other kind of secrets for a scheme. */
static void
name_option(const struct scheme *scheme, struct herald_error *error)
{
	const struct option_name names[] = {{"keys", "--secret", scheme->secrets_count},
					    {"id", "--id", 0},
					    {"timestamp_s", "--timestamp", 0},
					    {"url", "--url", 0}};
	char *advice = strstr(error->message, "; a text as a key needs");

	if (advice)
		*advice = '\0';
	options_name_error(names, HERALD_COUNT(names), error);
}

bool
scheme_open(struct scheme *scheme, const char *command)
{
	enum herald_signature_scheme found = HERALD_SIGNATURE_STANDARD_WEBHOOKS;
	struct herald_error error;

	if (scheme->name)
		(void)herald_signature_scheme_find(scheme->name, &found);
	if (scheme->secrets_count == 0) {
		if (scheme->name)
			fprintf(stderr, "herald: %s: --scheme needs a --secret\n", command);
		return !scheme->name;
	}
	if (herald_signature_create(
		    &HERALD_SIGNATURE_OPTIONS(.scheme = found, .keys = scheme->secrets,
					      .keys_count = scheme->secrets_count,
					      /* Senders have all kinds of keys. */
					      .min_secret_bytes = 1, .max_secret_bytes = 4096),
		    &scheme->signature, &error) == HERALD_OK)
		return true;
	name_option(scheme, &error);
	herald_error_print(stderr, "herald", &error);
	return false;
}

void
scheme_close(struct scheme *scheme)
{
	herald_signature_destroy(scheme->signature);
	scheme->signature = NULL;
}

/* The argument of the query that Twilio adds to the URL if the body is not a form: "NAME=HASH",
 * *bytes of it. NULL: there is none. */
static const char *
find_hash(const char *query, size_t *bytes)
{
	static const char name[] = "bodySHA256=";

	while (query && *query != '\0') {
		*bytes = strcspn(query, "&");
		if (strncmp(query, name, sizeof(name) - 1) == 0)
			return query;
		query += *bytes + (query[*bytes] == '&');
	}
	return NULL;
}

/* The URL that was called. `room` has URL_BYTES; a URL that is longer is left as it is. */
static const char *
called_url(const char *url, const char *query, char *room)
{
	const char *own = url ? strchr(url, '?') : NULL;
	size_t bytes;
	const char *hash = find_hash(query, &bytes);

	if (!url || !hash || strlen(url) + 1 + bytes >= URL_BYTES ||
	    (own && find_hash(own + 1, &(size_t){0})))
		return url;
	snprintf(room, URL_BYTES, "%s%c%.*s", url, own ? '&' : '?', (int)bytes, hash);
	return room;
}

bool
scheme_verify(struct scheme *scheme, const struct inspect_request *request, const char *url,
	      int64_t now_s, struct herald_error *error)
{
	struct herald_cloudevent_headers headers = request->headers;
	char room[URL_BYTES];
	const struct herald_signature_request signed_request = {
		.headers_visit = herald_cloudevent_headers_visit_array,
		.state = &headers,
		.url = called_url(url, request->query, room),
		.body = request->body,
		.body_bytes = request->body_bytes,
		.now_s = now_s,
	};

	return herald_signature_verify(scheme->signature, &signed_request, error) ==
	       HERALD_SIGNATURE_VALID;
}

bool
scheme_sign(struct scheme *scheme, const struct scheme_message *message,
	    void (*sink)(const char *name, const char *value, void *state), void *state,
	    struct herald_error *error)
{
	const struct herald_signature_message signed_message = {
		.id = message->id,
		.timestamp_s = message->timestamp_s,
		.url = message->url,
		.content_type = message->content_type,
		.body = message->body,
		.body_bytes = message->body_bytes,
	};

	if (herald_signature_sign(scheme->signature, &signed_message, sink, state, error) ==
	    HERALD_OK)
		return true;
	name_option(scheme, error);
	return false;
}

#else

bool
scheme_open(struct scheme *scheme, const char *command)
{
	if (scheme->secrets_count == 0 && !scheme->name)
		return true;
	fprintf(stderr, "herald: %s: this tool was built without nettle, so it has no signatures\n",
		command);
	return false;
}

void
scheme_close(struct scheme *scheme)
{
	(void)scheme;
}

bool
scheme_verify(struct scheme *scheme, const struct inspect_request *request, const char *url,
	      int64_t now_s, struct herald_error *error)
{
	(void)scheme;
	(void)request;
	(void)url;
	(void)now_s;
	(void)error;
	return false;
}

bool
scheme_sign(struct scheme *scheme, const struct scheme_message *message,
	    void (*sink)(const char *name, const char *value, void *state), void *state,
	    struct herald_error *error)
{
	(void)scheme;
	(void)message;
	(void)sink;
	(void)state;
	(void)error;
	return false;
}

#endif
