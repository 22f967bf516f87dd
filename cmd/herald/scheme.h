/*
 * The options --scheme and --secret, which several commands have: what signs and verifies.
 */
#ifndef HERALD_CMD_SCHEME_H
#define HERALD_CMD_SCHEME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect.h"

#define SCHEME_MAX_SECRETS 16

/* The options, and what they make. Zero is a scheme that is not used. */
struct scheme {
	const char *name; /* NULL: standard-webhooks */
	const char *secrets[SCHEME_MAX_SECRETS];
	size_t secrets_count;
	struct herald_signature *signature; /* NULL: no secret was given */
};

/* Each reads an option's value, as `read` of struct tool_option. */
const char *scheme_read_name(const char *value, struct scheme *out);
/* "@FILE": the first line of a file, so that the secret is not in the list of processes. */
const char *scheme_read_secret(const char *value, struct scheme *out);
/* The same for one secret, which is kept until the process ends. */
const char *scheme_read_one_secret(const char *value, const char **out);

#define SCHEME_NAMES "standard-webhooks, github, stripe, slack, shopify, paddle, twilio or gitlab"

/* After the options were read. Prints to stderr what is wrong. */
bool scheme_open(struct scheme *scheme, const char *command);
/* Whether there is a --url if the scheme signs it. Prints to stderr that it is missing. */
bool scheme_check_url(const struct scheme *scheme, const char *url, const char *command);
void scheme_close(struct scheme *scheme);

/* Whether a request has a valid signature; else *error says why. `url` may be NULL; the hash that
 * Twilio adds to it is taken from the request's query. */
bool scheme_verify(struct scheme *scheme, const struct inspect_request *request, const char *url,
		   int64_t now_s, struct herald_error *error);

/* A message to sign. */
struct scheme_message {
	const char *id, *url, *content_type;
	int64_t timestamp_s;
	const void *body;
	size_t body_bytes;
};

/* Call `sink` for each header that a message needs. Returns false if it cannot be signed; *error
 * names the option. */
bool scheme_sign(struct scheme *scheme, const struct scheme_message *message,
		 void (*sink)(const char *name, const char *value, void *state), void *state,
		 struct herald_error *error);

#endif
