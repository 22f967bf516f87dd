/*
 * `herald dashboard`: serves the dashboard of a store that other processes use, on this machine
 * alone. It runs no events itself.
 */
#include "dashboard.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <herald/admin.h>
#include <herald/array.h>
#include <herald/base64.h>
#include <herald/server.h>

#include "database.h"
#include "scheme.h"

#define TOKEN_BYTES 24 /* as many as base64 writes without padding */

struct dashboard {
	struct store_place place;
	const char *token;
	const char *hosts; /* of requests; NULL: as for any path of this machine */
	uint16_t port;
	bool any_port;
	bool is_read_only;
	char made_token[TOKEN_BYTES / 3 * 4 + 1];
};

/* Options. */

static const char *
read_store(const char *value, void *state)
{
	((struct dashboard *)state)->place.name = value;
	return NULL;
}

static const char *
read_schema(const char *value, void *state)
{
	((struct dashboard *)state)->place.schema = value;
	return NULL;
}

static const char *
read_pooled(const char *value, void *state)
{
	(void)value;
	((struct dashboard *)state)->place.is_pooled = true;
	return NULL;
}

static const char *
read_token(const char *value, void *state)
{
	return scheme_read_one_secret(value, &((struct dashboard *)state)->token);
}

static const char *
read_port(const char *value, void *state)
{
	struct dashboard *dashboard = state;
	uint64_t port;

	if (!options_number(value, 0, 65535, &port))
		return "a port, or 0 for any";
	dashboard->port = (uint16_t)port;
	dashboard->any_port = port == 0;
	return NULL;
}

static const char *
read_host(const char *value, void *state)
{
	((struct dashboard *)state)->hosts = value;
	return NULL;
}

static const char *
read_read_only(const char *value, void *state)
{
	(void)value;
	((struct dashboard *)state)->is_read_only = true;
	return NULL;
}

static const struct tool_option options[] = {
	{"store", "NAME", read_store, "sqlite:FILE or postgres://...; default HERALD_STORE"},
	{"schema", "NAME", read_schema, "of PostgreSQL. Default herald"},
	{"pooled", NULL, read_pooled, "PostgreSQL is behind PgBouncer"},
	{"token", "SECRET", read_token,
	 "what the page asks for; @FILE reads it from a file. Default HERALD_TOKEN, else a random "
	 "one, which is printed"},
	{"port", "N", read_port, "where to listen on 127.0.0.1; 0: any port. Default 8081"},
	{"host", "NAME", read_host,
	 "what a proxy on this machine passes on as Host; or several: a.example,b.example"},
	{"read-only", NULL, read_read_only, "refuse to replay and to drop"},
};

/* Running. */

static bool
make_token(struct dashboard *dashboard)
{
	unsigned char bytes[TOKEN_BYTES];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return false;
	herald_base64_encode(bytes, sizeof(bytes), dashboard->made_token);
	dashboard->token = dashboard->made_token;
	return true;
}

static void
print_address(const struct dashboard *dashboard, unsigned port)
{
	fprintf(stderr, "dashboard on http://127.0.0.1:%u/admin/\n", port);
	if (dashboard->token == dashboard->made_token)
		fprintf(stderr, "token %s\n", dashboard->token);
}

/* Until a signal, which the caller has blocked. */
static enum herald_status
serve(const struct dashboard *dashboard, struct herald_admin *admin, const sigset_t *signals,
      struct herald_error *error)
{
	static const struct option_name host = {"paths[0].hosts", "--host", 0};
	struct herald_server_path paths[] = {herald_admin_path(admin)};
	struct herald_server *server;
	int signal;

	if (dashboard->hosts)
		paths[0].hosts = dashboard->hosts;
	enum herald_status status = herald_server_create(
		NULL,
		&HERALD_SERVER_OPTIONS(HERALD_SERVER_PATHS(paths), .port = dashboard->port,
				       .any_port = dashboard->any_port),
		&server, error);

	if (status != HERALD_OK) {
		options_name_error(&host, 1, error);
		return status;
	}
	print_address(dashboard, herald_server_port(server));
	sigwait(signals, &signal);
	herald_server_stop(server, 1000);
	herald_server_destroy(server);
	return HERALD_OK;
}

static enum herald_status
serve_store(const struct dashboard *dashboard, struct herald_store *store, const sigset_t *signals,
	    struct herald_error *error)
{
	static const struct option_name token = {"token", "--token", 0};
	struct herald_admin *admin;
	enum herald_status status = herald_admin_create(
		&HERALD_ADMIN_OPTIONS(.store = store, .token = dashboard->token,
				      .is_read_only = dashboard->is_read_only,
				      .log = {herald_log_logfmt, stderr, HERALD_LOG_INFO}),
		&admin, error);

	if (status != HERALD_OK) {
		options_name_error(&token, 1, error);
		return status;
	}
	status = serve(dashboard, admin, signals, error);
	herald_admin_destroy(admin);
	return status;
}

/* Signals are blocked before the store has threads. */
static enum herald_status
open_and_serve(const struct dashboard *dashboard, struct herald_error *error)
{
	struct herald_database *database;
	struct herald_store *store;
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	enum herald_status status = database_create(&dashboard->place, &database, error);
	/* A store that cannot be opened is not wrong usage. */
	if (status == HERALD_OK && store_open(database, true, &store, error) != HERALD_OK)
		status = HERALD_UNAVAILABLE;
	if (status != HERALD_OK)
		return status;
	status = serve_store(dashboard, store, &signals, error);
	herald_store_destroy(store);
	return status;
}

static int
run(int argc, char **argv)
{
	struct dashboard dashboard = {
		.place.name = getenv("HERALD_STORE"),
		.token = getenv("HERALD_TOKEN"),
		.port = 8081,
	};
	struct herald_error error;
	char **words;
	enum options_result result =
		options_read(&dashboard_command, argc, argv, &dashboard, 0, &words);

	if (result != OPTIONS_OK)
		return result == OPTIONS_HELP ? 0 : 2;
	if (!dashboard.place.name || *dashboard.place.name == '\0') {
		fprintf(stderr, "herald: dashboard needs --store, or HERALD_STORE\n");
		return 2;
	}
	if ((!dashboard.token || *dashboard.token == '\0') && !make_token(&dashboard)) {
		fprintf(stderr, "herald: the system has no random numbers\n");
		return 1;
	}
	enum herald_status status = open_and_serve(&dashboard, &error);
	if (status != HERALD_OK)
		herald_error_print(stderr, "herald", &error);
	return status == HERALD_OK ? 0 : status == HERALD_BAD_OPTION ? 2 : 1;
}

const struct tool_command dashboard_command = {
	.name = "dashboard",
	.words = "",
	.doc = "Serve a page of a store that other processes use",
	.options = options,
	.options_count = HERALD_COUNT(options),
	.run = run,
};
