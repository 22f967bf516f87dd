/*
 * `herald listen`: takes any event on any path, says what it is and whether it is right, and prints
 * it. This file has the options and the server; receiver.c takes the requests.
 */
#include "listen.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <herald/array.h>
#include <herald/server.h>

#include "receiver.h"

#define MAX_HEADER_BYTES 262144
#define MAX_BODY_BYTES (16u << 20)

struct listen {
	const char *address;
	uint16_t port;
	bool any_port;
	uint64_t max_bytes;
	struct receiver receiver;
};

/* Options. */

static const char *
read_port(const char *value, void *state)
{
	struct listen *listen = state;
	uint64_t port;

	if (!options_number(value, 0, 65535, &port))
		return "a port, or 0 for any";
	listen->port = (uint16_t)port;
	listen->any_port = port == 0;
	return NULL;
}

static const char *
read_address(const char *value, void *state)
{
	((struct listen *)state)->address = value;
	return NULL;
}

static const char *
read_json(const char *value, void *state)
{
	(void)value;
	((struct listen *)state)->receiver.is_json = true;
	return NULL;
}

static const char *
read_format(const char *value, void *state)
{
	static const char *const names[] = {"any", "cloudevents", "herald", "webhook"};

	for (size_t i = 0; i < HERALD_COUNT(names); i++)
		if (strcmp(value, names[i]) == 0) {
			((struct listen *)state)->receiver.inspector.format =
				(enum inspect_format)i;
			return NULL;
		}
	return "any, cloudevents, herald or webhook";
}

/* Returns NULL, or what was expected. */
static const char *
check_place(const char *value)
{
	const char *escape = *value == '/' ? strchr(value, '~') : NULL;

	while (escape && (escape[1] == '0' || escape[1] == '1'))
		escape = strchr(escape + 1, '~');
	return *value != '\0' && !escape ? NULL
					 : "a header, or a JSON Pointer such as /event/type, whose "
					   "~ is ~0 and whose / is ~1";
}

static const char *
read_type_from(const char *value, void *state)
{
	((struct listen *)state)->receiver.inspector.type_from = value;
	return check_place(value);
}

static const char *
read_id_from(const char *value, void *state)
{
	((struct listen *)state)->receiver.inspector.id_from = value;
	return check_place(value);
}

static const char *
read_scheme(const char *value, void *state)
{
	return scheme_read_name(value, &((struct listen *)state)->receiver.scheme);
}

static const char *
read_secret(const char *value, void *state)
{
	return scheme_read_secret(value, &((struct listen *)state)->receiver.scheme);
}

static const char *
read_url(const char *value, void *state)
{
	((struct listen *)state)->receiver.url = value;
	return NULL;
}

static const char *
read_now(const char *value, void *state)
{
	return options_number(value, 1, INT64_MAX / 1000, &((struct listen *)state)->receiver.now_s)
		       ? NULL
		       : "seconds since 1970-01-01T00:00:00Z";
}

static const char *
read_save(const char *value, void *state)
{
	struct stat found;

	((struct listen *)state)->receiver.save = value;
	return stat(value, &found) == 0 && S_ISDIR(found.st_mode) && access(value, W_OK | X_OK) == 0
		       ? NULL
		       : "a directory that can be written to";
}

static const char *
read_answer(const char *value, void *state)
{
	uint64_t status;

	if (!options_number(value, 200, 599, &status))
		return "an HTTP status from 200 to 599";
	((struct listen *)state)->receiver.answer = (unsigned)status;
	return NULL;
}

static const char *
read_max_bytes(const char *value, void *state)
{
	return options_number(value, 1, 1u << 30, &((struct listen *)state)->max_bytes)
		       ? NULL
		       : "a number from 1 to 1073741824";
}

static const char *
read_allow_origin(const char *value, void *state)
{
	struct handshake *handshake = &((struct listen *)state)->receiver.handshake;

	if (*value == '\0' || handshake->origins_count == HANDSHAKE_MAX_ORIGINS)
		return "a DNS name or \"*\", at most 16 of them";
	handshake->origins[handshake->origins_count++] = value;
	return NULL;
}

static const char *
read_allow_rate(const char *value, void *state)
{
	return options_number(value, 1, UINT32_MAX,
			      &((struct listen *)state)->receiver.handshake.rate)
		       ? NULL
		       : "requests a minute, from 1";
}

static const struct tool_option options[] = {
	{"port", "N", read_port, "where to listen; 0: any port. Default 8080"},
	{"address", "ADDRESS", read_address, "where to listen. Default 127.0.0.1"},
	{"json", NULL, read_json, "print each event as one line of JSON"},
	{"format", "FORMAT", read_format, "any, cloudevents, herald or webhook. Default any"},
	{"type-from", "PLACE", read_type_from,
	 "where a webhook's type is: a header, or a JSON Pointer such as /event/type"},
	{"id-from", "PLACE", read_id_from, "where a webhook's id is, in the same way"},
	{"secret", "SECRET", read_secret,
	 "refuse events without a valid signature; once for each key. @FILE reads it from a file"},
	{"scheme", "NAME", read_scheme,
	 "who signs, and how: " SCHEME_NAMES ". Default standard-webhooks"},
	{"url", "URL", read_url, "the URL that the sender calls, which Twilio signs"},
	{"now", "SECONDS", read_now,
	 "the time for signatures since 1970-01-01T00:00:00Z, to try old requests again"},
	{"save", "DIR", read_save, "save each request as a file"},
	{"answer", "STATUS", read_answer, "HTTP status of the response to valid events"},
	{"max-bytes", "N", read_max_bytes, "largest body. Default 16777216"},
	{"allow-origin", "NAME", read_allow_origin,
	 "answer the handshake of this origin; \"*\": of all. May be repeated"},
	{"allow-rate", "N", read_allow_rate, "the rate in that answer, in requests a minute"},
};

/* Running. */

static void
print_address(const char *address, unsigned port)
{
	bool is_ipv6 = strchr(address, ':');

	if (strchr(address, ','))
		fprintf(stderr, "listening on %s, port %u, any path\n", address, port);
	else if (strncmp(address, "unix:", 5) == 0)
		fprintf(stderr, "listening on %s, any path\n", address);
	else
		fprintf(stderr, "listening on http://%s%s%s:%u, any path\n", is_ipv6 ? "[" : "",
			address, is_ipv6 ? "]" : "", port);
}

static enum herald_status
create_server(struct listen *listen, struct herald_server **out, struct herald_error *error)
{
	const struct herald_server_path any = {
		.path = "*",
		.function = receiver_take,
		.state = &listen->receiver,
		.methods = "POST, OPTIONS",
		.max_body_bytes = listen->max_bytes,
	};
	static const struct option_name address = {"address", "--address", 0};
	struct herald_server_path paths[] = {any, any};

	/* Events, too: not the server's own answer. */
	paths[1].path = "/healthz";
	enum herald_status status = herald_server_create(
		NULL,
		&HERALD_SERVER_OPTIONS(HERALD_SERVER_PATHS(paths), .address = listen->address,
				       .port = listen->port, .any_port = listen->any_port,
				       .threads = 1, .max_headers = INSPECT_MAX_HEADERS,
				       .max_header_bytes = MAX_HEADER_BYTES,
				       .log = {.write = receiver_log,
					       .state = &listen->receiver,
					       .level = HERALD_LOG_DEBUG}),
		out, error);
	if (status != HERALD_OK)
		options_name_error(&address, 1, error);
	return status;
}

static enum herald_status
serve(struct listen *listen, struct herald_error *error)
{
	struct herald_server *server;
	sigset_t signals;
	int signal;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, RECEIVER_FAILED);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	enum herald_status status = create_server(listen, &server, error);
	if (status != HERALD_OK)
		return status;
	print_address(listen->address, herald_server_port(server));
	sigwait(&signals, &signal);
	/* A second one ends the process, as an event may wait for a reader of the output. */
	sigdelset(&signals, RECEIVER_FAILED);
	pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
	herald_server_stop(server, 1000);
	herald_server_destroy(server);
	return HERALD_OK;
}

/* Open what the receiver needs. Returns the exit status if that fails, else 0. */
static int
open_receiver(struct receiver *receiver, size_t max_bytes)
{
	const char *no_color = getenv("NO_COLOR");
	struct herald_error error;

	if (!scheme_open(&receiver->scheme, "listen") ||
	    !scheme_check_url(&receiver->scheme, receiver->url, "listen"))
		return 2;
	if (handshake_open(&receiver->handshake, &error) != HERALD_OK) {
		options_name_error(&(struct option_name){"allowed_origins", "--allow-origin",
							 receiver->handshake.origins_count},
				   1, &error);
		herald_error_print(stderr, "herald", &error);
		return 2;
	}
	receiver->is_coloured = isatty(STDOUT_FILENO) && (!no_color || *no_color == '\0');
	receiver->inspector.max_bytes = max_bytes;
	if (inspector_init(&receiver->inspector, &error) == HERALD_OK)
		return 0;
	herald_error_print(stderr, "herald", &error);
	return 1;
}

static void
close_receiver(struct receiver *receiver)
{
	inspector_finish(&receiver->inspector);
	handshake_close(&receiver->handshake);
	scheme_close(&receiver->scheme);
}

static int
run(int argc, char **argv)
{
	/* It is large. */
	static struct listen listen = {.address = "127.0.0.1", .max_bytes = MAX_BODY_BYTES};
	enum options_result result;
	struct herald_error error;
	char **words;

	result = options_read(&listen_command, argc, argv, &listen, 0, &words);
	if (result != OPTIONS_OK)
		return result == OPTIONS_HELP ? 0 : 2;
	int status = open_receiver(&listen.receiver, (size_t)listen.max_bytes);
	if (status == 0 && serve(&listen, &error) != HERALD_OK) {
		herald_error_print(stderr, "herald", &error);
		status = 1;
	}
	close_receiver(&listen.receiver);
	return status == 0 && listen.receiver.has_failed ? 1 : status;
}

const struct tool_command listen_command = {
	.name = "listen",
	.words = "",
	.doc = "Take any event over HTTP, check it, and print it",
	.options = options,
	.options_count = HERALD_COUNT(options),
	.run = run,
};
