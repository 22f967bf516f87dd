/*
 * `herald sign` and `herald verify`: the signature of a body in a file or on standard input.
 */
#include "signing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <herald/array.h>

#include "input.h"
#include "inspect.h"
#include "scheme.h"
#include "text.h"

struct signing {
	struct scheme scheme;
	const char *id, *url, *content_type, *headers_file;
	int64_t now_s; /* of --timestamp or --now; else the clock's */
	struct herald_cloudevent_header headers[INSPECT_MAX_HEADERS];
	size_t headers_count;
	struct herald_buffer head, body;
};

static const char *
read_scheme(const char *value, void *state)
{
	return scheme_read_name(value, &((struct signing *)state)->scheme);
}

static const char *
read_secret(const char *value, void *state)
{
	return scheme_read_secret(value, &((struct signing *)state)->scheme);
}

static const char *
read_id(const char *value, void *state)
{
	((struct signing *)state)->id = value;
	return *value != '\0' ? NULL : "an id";
}

static const char *
read_url(const char *value, void *state)
{
	((struct signing *)state)->url = value;
	return NULL;
}

static const char *
read_content_type(const char *value, void *state)
{
	((struct signing *)state)->content_type = value;
	return NULL;
}

static const char *
read_now(const char *value, void *state)
{
	uint64_t seconds;

	if (!options_number(value, 0, INT64_MAX / 1000, &seconds))
		return "seconds since 1970-01-01T00:00:00Z";
	((struct signing *)state)->now_s = (int64_t)seconds;
	return NULL;
}

static const char *
read_header(const char *value, void *state)
{
	struct signing *signing = state;
	char *line = strdup(value); /* until the process ends */

	if (!line || signing->headers_count == INSPECT_MAX_HEADERS ||
	    !input_header(line, &signing->headers[signing->headers_count])) {
		free(line);
		return "\"Name: value\", at most " INSPECT_MAX_HEADERS_TEXT " of them";
	}
	signing->headers_count++;
	return NULL;
}

static const char *
read_headers_file(const char *value, void *state)
{
	((struct signing *)state)->headers_file = value;
	return NULL;
}

static const struct tool_option sign_options[] = {
	{"secret", "SECRET", read_secret,
	 "the key; once for each key, the newest first. @FILE reads it from a file"},
	{"scheme", "NAME", read_scheme, SCHEME_NAMES ". Default standard-webhooks"},
	{"id", "ID", read_id, "id of the message, if the scheme signs it"},
	{"timestamp", "SECONDS", read_now, "since 1970-01-01T00:00:00Z. Default now"},
	{"url", "URL", read_url, "the URL that will be called, if the scheme signs it"},
	{"content-type", "TYPE", read_content_type,
	 "media type of the body, if the scheme needs it"},
};

static const struct tool_option verify_options[] = {
	{"secret", "SECRET", read_secret, "the key; once for each key. @FILE reads it from a file"},
	{"scheme", "NAME", read_scheme, SCHEME_NAMES ". Default standard-webhooks"},
	{"header", "\"NAME: VALUE\"", read_header, "a header of the request; may be repeated"},
	{"headers", "FILE", read_headers_file, "a file with the headers, one a line; - is stdin"},
	{"now", "SECONDS", read_now, "since 1970-01-01T00:00:00Z. Default now"},
	{"url", "URL", read_url, "the URL that was called, if the scheme signs it"},
};

/* Read the options and one word, the body's file. Returns the exit status if the command ends
 * there, else -1. */
static int
begin(const struct tool_command *command, int argc, char **argv, struct signing *signing,
      const char **file)
{
	char **words;

	signing->now_s = (int64_t)time(NULL);
	herald_buffer_init(&signing->head, NULL, 0);
	herald_buffer_init(&signing->body, NULL, 0);
	enum options_result result = options_read(command, argc, argv, signing, 1, &words);
	if (result != OPTIONS_OK)
		return result == OPTIONS_HELP ? 0 : 2;
	*file = words[0] ? words[0] : "-";
	if (signing->scheme.secrets_count == 0) {
		fprintf(stderr, "herald: %s: --secret is missing\n", command->name);
		return 2;
	}
	return scheme_open(&signing->scheme, command->name) &&
			       scheme_check_url(&signing->scheme, signing->url, command->name)
		       ? -1
		       : 2;
}

static void
end(struct signing *signing)
{
	scheme_close(&signing->scheme);
	herald_buffer_finish(&signing->head);
	herald_buffer_finish(&signing->body);
}

/* Signing. */

static void
print_header(const char *name, const char *value, void *state)
{
	(void)state;
	printf("%s: %s\n", name, value);
}

static int
sign_body(struct signing *signing, const char *file)
{
	struct herald_error error;

	if (!input_read(file, &signing->body))
		return 1;
	const struct scheme_message message = {
		.id = signing->id,
		.url = signing->url,
		.content_type = signing->content_type,
		.timestamp_s = signing->now_s,
		.body = signing->body.data,
		.body_bytes = signing->body.bytes,
	};
	if (!scheme_sign(&signing->scheme, &message, print_header, NULL, &error)) {
		herald_error_print(stderr, "herald", &error);
		return 2;
	}
	return fflush(stdout) == 0 ? 0 : 1;
}

static int
run_sign(int argc, char **argv)
{
	static struct signing signing;
	const char *file;
	int status = begin(&sign_command, argc, argv, &signing, &file);

	if (status < 0)
		status = sign_body(&signing, file);
	end(&signing);
	return status;
}

/* Verifying. */

/* Append the headers of a text, and set *body to what follows them. */
static bool
take_headers(struct signing *signing, char *text, char **body)
{
	size_t count = input_headers(text, signing->headers + signing->headers_count,
				     INSPECT_MAX_HEADERS - signing->headers_count, body);

	if (count > INSPECT_MAX_HEADERS - signing->headers_count) {
		fprintf(stderr, "herald: verify: expected headers such as \"Name: value\", at "
				"most " INSPECT_MAX_HEADERS_TEXT ", one a line\n");
		return false;
	}
	signing->headers_count += count;
	return true;
}

/* Without --header and --headers, the input is a whole request: headers, an empty line, body. */
static bool
read_request(struct signing *signing, const char *file, struct inspect_request *out)
{
	bool is_whole = signing->headers_count == 0 && !signing->headers_file;
	char *rest, *body;

	if (signing->headers_file && (!input_read(signing->headers_file, &signing->head) ||
				      !take_headers(signing, signing->head.data, &rest)))
		return false;
	if (!input_read(file, &signing->body))
		return false;
	body = signing->body.data;
	if (is_whole && !take_headers(signing, signing->body.data, &body))
		return false;
	if (!body) {
		fprintf(stderr, "herald: verify: expected headers, an empty line, and the body\n");
		return false;
	}
	*out = (struct inspect_request){
		.headers = {signing->headers, signing->headers_count},
		.body = body,
		.body_bytes = (size_t)(signing->body.data + signing->body.bytes - body),
	};
	out->content_type = inspect_header(out, "Content-Type");
	return true;
}

static int
verify_request(struct signing *signing, const char *file)
{
	struct inspect_request request;
	struct herald_error error;

	if (signing->headers_file && strcmp(signing->headers_file, "-") == 0 &&
	    strcmp(file, "-") == 0) {
		fprintf(stderr, "herald: verify: the headers and the body cannot both be standard "
				"input\n");
		return 2;
	}
	if (!read_request(signing, file, &request))
		return 1;
	if (scheme_verify(&signing->scheme, &request, signing->url, signing->now_s, &error)) {
		printf("valid\n");
		return fflush(stdout) == 0 ? 0 : 1;
	}
	printf("invalid: ");
	text_print_safe(stdout, text_of(error.message));
	putchar('\n');
	return 1;
}

static int
run_verify(int argc, char **argv)
{
	static struct signing signing;
	const char *file;
	int status = begin(&verify_command, argc, argv, &signing, &file);

	if (status < 0)
		status = verify_request(&signing, file);
	end(&signing);
	return status;
}

const struct tool_command sign_command = {
	.name = "sign",
	.words = "[FILE]",
	.doc = "Print the headers that sign a body, which is read from FILE or standard input",
	.options = sign_options,
	.options_count = HERALD_COUNT(sign_options),
	.run = run_sign,
};

const struct tool_command verify_command = {
	.name = "verify",
	.words = "[FILE]",
	.doc = "Verify the signature of a request: its body is FILE or standard input",
	.options = verify_options,
	.options_count = HERALD_COUNT(verify_options),
	.run = run_verify,
};
