/*
 * The options of a server: their defaults, and what is wrong with them. It copies nothing that they
 * point to and opens nothing.
 */
#include "http/server/options.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/http.h>
#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

#include "http/server/host.h"

#define MAX_THREADS 1024
#define MAX_CONNECTIONS (1u << 20) /* as many files as Linux gives a process (fs.nr_open) */
#define MIN_HEADER_BYTES 256
#define MAX_HEADER_BYTES (1u << 20)
#define MAX_HEADERS 1000

#define DEFAULT_HEALTH_PATH "/healthz"

static enum herald_status
check_ranges(const struct herald_server_options *options, struct herald_error *error)
{
	const struct herald_option_range ranges[] = {
		{"threads", options->threads, 1, MAX_THREADS},
		{"max_connections", options->max_connections, 1, MAX_CONNECTIONS},
		{"max_header_bytes", options->max_header_bytes, MIN_HEADER_BYTES, MAX_HEADER_BYTES},
		{"max_headers", options->max_headers, 1, MAX_HEADERS},
		{"max_target_bytes", options->max_target_bytes, 1, options->max_header_bytes},
	};

	if (options->any_port && options->port != 0)
		return herald_option_refuse(error, "port", "must be 0 with any_port, not %u",
					    options->port);
	return herald_option_ranges_check(ranges, HERALD_COUNT(ranges), error);
}

/* Paths. */

/* "paths[2].path" */
static enum herald_status
refuse_path(struct herald_error *error, size_t index, const char *member, const char *text)
{
	char name[64];

	snprintf(name, sizeof(name), "paths[%zu]%s", index, member);
	return herald_option_refuse(error, name, "%s", text);
}

static bool
is_own_path(const struct herald_server_options *options, const char *path)
{
	for (size_t i = 0; options->paths && i < options->paths_count; i++)
		if (options->paths[i].path && strcmp(options->paths[i].path, path) == 0)
			return true;
	return false;
}

/* Whether an earlier path is the same. */
static bool
is_repeated(const struct herald_server_options *options, size_t index)
{
	const char *path = options->paths[index].path;

	for (size_t i = 0; i < index; i++)
		if (strcmp(options->paths[i].path, path) == 0)
			return true;
	return strcmp(options->path, path) == 0 ||
	       (options->health_path && strcmp(options->health_path, path) == 0);
}

/* Whether a text is a list such as "GET, HEAD". */
static bool
is_method_list(const char *text)
{
	size_t bytes;

	while ((bytes = herald_http_token_bytes(text)) > 0) {
		/* It opens a tunnel (RFC 9110 section 9.3.6). */
		if (bytes == 7 && memcmp(text, "CONNECT", 7) == 0)
			return false;
		text += bytes;
		if (*text != ',')
			return *text == '\0';
		text += 1 + strspn(text + 1, " ");
	}
	return false;
}

static enum herald_status
check_own_path(const struct herald_server_options *options, size_t index,
	       struct herald_error *error)
{
	const struct herald_server_path *path = &options->paths[index];
	char name[64];

	snprintf(name, sizeof(name), "paths[%zu].path", index);
	if (!path->path)
		return herald_http_path_check(name, NULL, error);
	if (strcmp(path->path, "*") != 0) {
		enum herald_status status = herald_http_path_check(name, path->path, error);
		if (status != HERALD_OK)
			return status;
	}
	if (is_repeated(options, index))
		return refuse_path(error, index, ".path", "another path of the server is the same");
	if (!path->endpoint == !path->function)
		return refuse_path(error, index, "", "must have either an endpoint or a function");
	if (path->endpoint && path->methods)
		return refuse_path(error, index, ".methods", "is for paths with a function");
	if (path->endpoint && path->max_body_bytes > 0)
		return refuse_path(error, index, ".max_body_bytes",
				   "is for paths with a function; an endpoint has its own");
	if (path->endpoint && path->hosts)
		return refuse_path(error, index, ".hosts", "is for paths with a function");
	if (path->hosts && *path->hosts != '\0' && !herald__host_is_list(path->hosts))
		return refuse_path(error, index, ".hosts",
				   "must be a list of names such as \"ops.example, ops.lan\", "
				   "without ports");
	if (path->methods && !is_method_list(path->methods))
		return refuse_path(error, index, ".methods",
				   "must be a list of methods such as \"GET, POST\", without "
				   "CONNECT");
	return HERALD_OK;
}

static enum herald_status
check_paths(const struct herald_server_options *options, struct herald_error *error)
{
	enum herald_status status = herald_option_array_check(
		"paths", "HERALD_SERVER_PATHS", options->paths, options->paths_count, error);

	if (status == HERALD_OK)
		status = herald_http_path_check("path", options->path, error);
	if (status == HERALD_OK && options->health_path)
		status = herald_http_path_check("health_path", options->health_path, error);
	if (status == HERALD_OK && options->health_path &&
	    strcmp(options->path, options->health_path) == 0)
		status = herald_option_refuse(error, "health_path", "must differ from path, \"%s\"",
					      options->path);
	for (size_t i = 0; status == HERALD_OK && i < options->paths_count; i++)
		status = check_own_path(options, i, error);
	return status;
}

/* Defaults. */

#define SET_DEFAULT(OPTION, VALUE)                                                                 \
	do {                                                                                       \
		if (!(OPTION))                                                                     \
			(OPTION) = (VALUE);                                                        \
	} while (0)

static void
fill_in_defaults(struct herald_server_options *options)
{
	SET_DEFAULT(options->address, "127.0.0.1");
	if (!options->any_port)
		SET_DEFAULT(options->port, 8080);
	SET_DEFAULT(options->path, "/event");
	SET_DEFAULT(options->threads, 4);
	SET_DEFAULT(options->max_connections, 1024);
	SET_DEFAULT(options->max_header_bytes, 8192);
	SET_DEFAULT(options->max_headers, 100);
	SET_DEFAULT(options->max_target_bytes, options->max_header_bytes);
	SET_DEFAULT(options->header_timeout_ms, 10000);
	SET_DEFAULT(options->body_timeout_ms, 30000);
	SET_DEFAULT(options->idle_timeout_ms, 60000);
	SET_DEFAULT(options->send_timeout_ms, 30000);
	SET_DEFAULT(options->min_bytes_per_s, 100);
	SET_DEFAULT(options->drain_timeout_ms, 10000);
}

enum herald_status
herald__server_options_resolve(const struct herald_server_options *given,
			       struct herald_server_options *out, struct herald_error *error)
{
	struct herald_server_options options;
	enum herald_status status = herald_options_read(given, &options, sizeof(options),
							"HERALD_SERVER_OPTIONS", error);

	if (status != HERALD_OK)
		return status;
	fill_in_defaults(&options);
	/* The default makes way for a path of the user's. */
	if (!options.health_path && !is_own_path(&options, DEFAULT_HEALTH_PATH))
		options.health_path = DEFAULT_HEALTH_PATH;
	status = herald_allocator_check(&options.allocator, error);
	if (status == HERALD_OK)
		status = check_ranges(&options, error);
	if (status == HERALD_OK)
		status = check_paths(&options, error);
	if (status == HERALD_OK)
		*out = options;
	return status;
}
