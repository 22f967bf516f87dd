/*
 * The options of a server: their defaults, and what is wrong with them. It copies nothing that they
 * point to and opens nothing.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <herald/http_adapter.h>

#include "options.h"

#define MAX_THREADS 1024
#define MAX_CONNECTIONS (1u << 20) /* as many files as Linux gives a process (fs.nr_open) */
#define MIN_HEADER_BYTES 256
#define MAX_HEADER_BYTES (1u << 20)
#define DEFAULT_GRACE_MS 250

enum herald_status
herald__bad_option(struct herald_error *error, const char *option, const char *format, ...)
{
	char message[sizeof(error->message)];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET, "%s %s", option, message);
	if (error)
		snprintf(error->path, sizeof(error->path), "%s", option);
	return HERALD_BAD_OPTION;
}

/* Whether the server depends on an option of libmicrohttpd's, so that the user may not set it. */
static bool
is_reserved(enum MHD_OPTION option)
{
	switch (option) {
	case MHD_OPTION_CONNECTION_LIMIT:
	case MHD_OPTION_PER_IP_CONNECTION_LIMIT:
	case MHD_OPTION_NOTIFY_COMPLETED:
	case MHD_OPTION_NOTIFY_CONNECTION:
	case MHD_OPTION_URI_LOG_CALLBACK:
	case MHD_OPTION_SOCK_ADDR:
	case MHD_OPTION_LISTEN_SOCKET:
	case MHD_OPTION_THREAD_POOL_SIZE:
	case MHD_OPTION_EXTERNAL_LOGGER:
	case MHD_OPTION_ARRAY:
		return true;
	default:
		return false;
	}
}

static enum herald_status
check_daemon_options(const struct MHD_OptionItem *options, struct herald_error *error)
{
	if (!options)
		return HERALD_OK;
	for (size_t i = 0; options[i].option != MHD_OPTION_END; i++)
		if (is_reserved(options[i].option))
			return herald__bad_option(
				error, "daemon_options",
				"must leave libmicrohttpd's option %d to the server",
				(int)options[i].option);
	return HERALD_OK;
}

static enum herald_status
check_tls(const struct herald_server_options *options, struct herald_error *error)
{
	if (!options->tls_certificate && !options->tls_key)
		return HERALD_OK;
	if (!options->tls_key)
		return herald__bad_option(error, "tls_key", "must be given with tls_certificate");
	if (!options->tls_certificate)
		return herald__bad_option(error, "tls_certificate", "must be given with tls_key");
	if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
		return herald__bad_option(error, "tls_certificate",
					  "needs a libmicrohttpd that was built with TLS");
	return HERALD_OK;
}

static enum herald_status
check(const struct herald_server_options *options, struct herald_error *error)
{
	enum herald_status status = herald_http_path_check("path", options->path, error);
	if (status == HERALD_OK)
		status = herald_http_path_check("health_path", options->health_path, error);
	if (status == HERALD_OK && strcmp(options->path, options->health_path) == 0)
		status = herald__bad_option(error, "health_path",
					    "must differ from path, \"%.64s\"", options->path);
	if (status == HERALD_OK && options->threads > MAX_THREADS)
		status = herald__bad_option(error, "threads", "must be at most %d, not %u",
					    MAX_THREADS, options->threads);
	if (status == HERALD_OK && options->max_connections > MAX_CONNECTIONS)
		status = herald__bad_option(error, "max_connections", "must be at most %u, not %u",
					    MAX_CONNECTIONS, options->max_connections);
	if (status == HERALD_OK && (options->max_header_bytes < MIN_HEADER_BYTES ||
				    options->max_header_bytes > MAX_HEADER_BYTES))
		status = herald__bad_option(error, "max_header_bytes", "must be %d to %u, not %zu",
					    MIN_HEADER_BYTES, MAX_HEADER_BYTES,
					    options->max_header_bytes);
	if (status == HERALD_OK && options->idle_grace_ms > options->drain_timeout_ms)
		status = herald__bad_option(error, "idle_grace_ms",
					    "must be at most drain_timeout_ms, %" PRIu32
					    ", not %" PRIu32,
					    options->drain_timeout_ms, options->idle_grace_ms);
	if (status == HERALD_OK && options->any_port && options->port != 0)
		status = herald__bad_option(error, "port", "must be 0 with any_port, not %u",
					    options->port);
	if (status == HERALD_OK)
		status = check_tls(options, error);
	if (status == HERALD_OK)
		status = check_daemon_options(options->daemon_options, error);
	return status;
}

static void
fill_in_defaults(struct herald_server_options *options)
{
	if (!options->address)
		options->address = "127.0.0.1";
	if (options->port == 0 && !options->any_port)
		options->port = 8080;
	if (!options->path)
		options->path = "/event";
	if (!options->health_path)
		options->health_path = "/healthz";
	if (options->threads == 0)
		options->threads = 4;
	if (options->max_connections == 0)
		options->max_connections = 1024;
	if (options->max_header_bytes == 0)
		options->max_header_bytes = 8192;
	if (options->header_timeout_ms == 0)
		options->header_timeout_ms = 10000;
	if (options->body_timeout_ms == 0)
		options->body_timeout_ms = 30000;
	if (options->drain_timeout_ms == 0)
		options->drain_timeout_ms = 10000;
	if (options->idle_grace_ms == 0)
		options->idle_grace_ms = options->drain_timeout_ms > 2 * DEFAULT_GRACE_MS
						 ? DEFAULT_GRACE_MS
						 : options->drain_timeout_ms / 2;
}

enum herald_status
herald__server_options_resolve(const struct herald_server_options *given,
			       struct herald_server_options *out, struct herald_error *error)
{
	struct herald_server_options options = {.struct_size = sizeof(options)};

	if (given && given->struct_size == 0)
		return herald__bad_option(error, "struct_size", "is 0: use HERALD_SERVER_OPTIONS");
	if (given)
		memcpy(&options, given,
		       given->struct_size < sizeof(options) ? given->struct_size : sizeof(options));
	fill_in_defaults(&options);

	enum herald_status status = check(&options, error);
	if (status == HERALD_OK)
		*out = options;
	return status;
}
