/*
 * Requests to a running service, for commands that ask it: GETs of its dashboard's API, and the
 * options that all of these commands have.
 */
#ifndef HERALD_CMD_ADMIN_CLIENT_H
#define HERALD_CMD_ADMIN_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <herald/arena.h>
#include <herald/value.h>

#include "json_tree.h"
#include "options.h"
#include "trust.h"

/* The first member of the state that a command's options are read into. */
struct admin_client {
	const char *command; /* for messages: "schema" */
	const char *token;   /* HERALD_TOKEN without --token */
	const char *ca_file; /* whose CAs are trusted; NULL: the system's */
	uint64_t timeout_ms;
	uint64_t max_bytes;
	bool is_quiet;             /* keep why a request failed in `problem`, and do not print it */
	bool (*should_stop)(void); /* ends a request, without a message; NULL: nothing does */
	struct herald_arena *arena; /* until admin_client_close() */
	const char *page;           /* "http://127.0.0.1:8080/admin/" */
	void *curl;                 /* CURL, which keeps the connection */
	void *headers;              /* struct curl_slist */
	char problem[1024];         /* cut if it is longer */
	long status;                /* of the last answer; 0: there was none */
};

/* Their lines in a command's table. */
/* clang-format off */
#define ADMIN_CLIENT_OPTIONS                                                                       \
	{"token", "SECRET", admin_client_read_token,                                               \
	 "of the dashboard; @FILE reads it from a file. Default HERALD_TOKEN"},                    \
	TRUST_OPTION(admin_client_read_tls_ca),                                                    \
	{"timeout-ms", "N", admin_client_read_timeout,                                             \
	 "time limit of each request. Default 10000"},                                             \
	{"max-bytes", "N", admin_client_read_max_bytes, "largest answer. Default 8388608"}
/* clang-format on */

/* Whether asking again does not help: the token is wrong, or the address. */
bool admin_client_is_refused(const struct admin_client *client);

const char *admin_client_read_token(const char *value, void *state);
const char *admin_client_read_tls_ca(const char *value, void *state);
const char *admin_client_read_timeout(const char *value, void *state);
const char *admin_client_read_max_bytes(const char *value, void *state);

/* Set the defaults, before the options are read. */
void admin_client_init(struct admin_client *client, const char *command);

/*
 * Open it, after the options were read. Connects to nothing.
 *
 * url      the dashboard's address, with or without its last '/'; without a path, /admin/ is meant.
 *          NULL: it is missing.
 * Returns  0, or the exit status of the command, after printing why.
 */
int admin_client_open(struct admin_client *client, const char *url);
void admin_client_close(struct admin_client *client);

/* An argument of a query; it is left out if the value is NULL. */
struct admin_argument {
	const char *name, *value;
};

/* An answer: its text, and the same as a tree. */
struct admin_answer {
	struct herald_text text;
	const struct json_tree *root;
};

/*
 * Ask for a resource, such as "schema" for api/schema.
 *
 * arena    holds the answer.
 * Returns  whether there is an answer; if not, why was printed to stderr, unless it is quiet.
 */
bool admin_client_get(struct admin_client *client, const char *resource,
		      const struct admin_argument *arguments, size_t count,
		      struct herald_arena *arena, struct admin_answer *out);

/* Print that something is wrong with the service, after its address, or keep it if it is quiet.
 * Returns false. */
bool admin_client_fail(struct admin_client *client, const char *problem);

#endif
