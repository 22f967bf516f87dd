/*
 * Users' headers: which names are refused, and to which destinations they are sent. Headers for one
 * destination are sent to its exact origin only: scheme, host and port.
 */
#include "delivery/headers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/adapter/text.h>

#include "base/options.h"

static bool
has_name(const char *header, const char *const *names, size_t count)
{
	size_t bytes = herald_http_token_bytes(header);

	for (size_t i = 0; i < count; i++)
		if (bytes == strlen(names[i]) && herald_ascii_same_bytes(header, names[i], bytes))
			return true;
	return false;
}

const char *
herald__header_problem(const char *header)
{
	/* They control framing and connections, and are set by libcurl or a proxy. */
	static const char *const taken[] = {
		"Connection",
		"Content-Length",
		"Expect",
		"Host",
		"HTTP2-Settings",
		"Keep-Alive",
		"Proxy-Authorization",
		"Proxy-Connection",
		"TE",
		"Trailer",
		"Transfer-Encoding",
		"Upgrade",
	};
	const char *problem = herald__user_header_problem(header);

	if (problem)
		return problem;
	if (has_name(header, taken, sizeof(taken) / sizeof(taken[0])))
		return "is controlled by the connection";

	const char *value = header + herald_http_token_bytes(header) + 1;
	return value[strspn(value, " \t")] == '\0' ? "has no value" : NULL;
}

bool
herald__header_is_secret(const char *header)
{
	static const char *const secret[] = {"Api-Key", "Authorization", "Cookie", "X-Api-Key",
					     "X-Auth-Token"};

	return has_name(header, secret, sizeof(secret) / sizeof(secret[0]));
}

/* Whether both headers have the same name. */
static bool
is_same(const char *a, const char *b)
{
	size_t bytes = herald_http_token_bytes(a);

	return bytes == herald_http_token_bytes(b) && herald_ascii_same_bytes(a, b, bytes);
}

static bool
is_in(const struct herald__header_list *list, const char *header)
{
	for (size_t i = 0; i < list->count; i++)
		if (is_same(list->headers[i], header))
			return true;
	return false;
}

size_t
herald__headers_merge(const struct herald__header_list *own,
		      const struct herald__header_list *others, const char **out)
{
	size_t count = 0;

	for (size_t i = 0; i < own->count; i++)
		out[count++] = own->headers[i];
	for (size_t i = 0; i < others->count; i++)
		if (!is_in(own, others->headers[i]))
			out[count++] = others->headers[i];
	return count;
}

/* Destinations. */

/* herald__headers_merge() with copies in the arena. */
static enum herald_status
merge_copies(const struct herald__header_list *own, const struct herald__header_list *others,
	     struct herald_arena *arena, struct herald__header_list *out)
{
	size_t most = own->count + others->count;
	const char **headers;

	*out = (struct herald__header_list){0};
	if (most == 0)
		return HERALD_OK;
	headers = herald__arena_array(arena, most, sizeof(*headers));
	if (!headers)
		return HERALD_NO_MEMORY;
	out->headers = headers;
	out->count = herald__headers_merge(own, others, headers);
	for (size_t i = 0; i < out->count; i++)
		if (!herald__arena_string(arena, headers[i], &headers[i]))
			return HERALD_NO_MEMORY;
	return HERALD_OK;
}

static enum herald_status
read_origin(const char *text, const struct herald__url_rules *rules, char *out,
	    struct herald_error *error)
{
	const char *host = text ? strstr(text, "://") : NULL;

	if (!host || host[3 + strcspn(host + 3, "/?#@\\")] != '\0')
		return herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET,
					"expected only a scheme, a host and optionally a port, "
					"such as \"https://example.com:8443\"");
	return herald__url_check(rules, text, out, error);
}

static int
compare(const void *a, const void *b)
{
	return strcmp(((const struct herald__destination *)a)->origin,
		      ((const struct herald__destination *)b)->origin);
}

static enum herald_status
refuse(struct herald_error *error, size_t index, const char *message)
{
	return herald__option_error(error, HERALD_BAD_OPTION,
				    (struct herald__option){"destinations", index, "origin"},
				    "destinations[%zu].origin: %s", index, message);
}

/* Two destinations with the same origin would be ambiguous. */
static bool
is_duplicate(const struct herald__destinations *before, const char *origin)
{
	for (size_t i = 0; i < before->count; i++)
		if (strcmp(before->all[i].origin, origin) == 0)
			return true;
	return false;
}

/* Append the next destination of the options to *out. */
static enum herald_status
add_destination(const struct herald_deliverer_options *options,
		const struct herald__url_rules *rules, struct herald_arena *arena,
		struct herald__destinations *out, struct herald_error *error)
{
	const struct herald_destination *given = &options->destinations[out->count];
	struct herald__destination *destination = &out->all[out->count];
	struct herald_error reason;
	enum herald_status status = read_origin(given->origin, rules, destination->origin, &reason);

	if (status != HERALD_OK)
		return refuse(error, out->count, reason.message);
	if (is_duplicate(out, destination->origin))
		return refuse(error, out->count, "an earlier element has the same origin");
	destination->signer = given->signer ? given->signer : options->signer;
	status = merge_copies(
		&(struct herald__header_list){given->headers, given->headers_count},
		&(struct herald__header_list){options->headers, options->headers_count}, arena,
		&destination->list);
	if (status == HERALD_OK)
		out->count++;
	return status;
}

enum herald_status
herald__destinations_read(const struct herald_deliverer_options *options,
			  const struct herald__url_rules *rules, struct herald_arena *arena,
			  struct herald__destinations *out, struct herald_error *error)
{
	size_t count = options->destinations_count;
	enum herald_status status = merge_copies(
		&(struct herald__header_list){options->headers, options->headers_count},
		&(struct herald__header_list){0}, arena, &out->others.list);

	out->others.signer = options->signer;
	if (status != HERALD_OK || count == 0)
		return status;
	out->all = herald_arena_alloc(arena, count * sizeof(*out->all));
	if (!out->all)
		return HERALD_NO_MEMORY;
	while (status == HERALD_OK && out->count < count)
		status = add_destination(options, rules, arena, out, error);
	qsort(out->all, out->count, sizeof(*out->all), compare);
	return status;
}

static int
compare_origin(const void *origin, const void *destination)
{
	return strcmp(origin, ((const struct herald__destination *)destination)->origin);
}

const struct herald__destination *
herald__destinations_find(const struct herald__destinations *destinations, const char *origin)
{
	const struct herald__destination *found = NULL;

	if (destinations->count > 0)
		found = bsearch(origin, destinations->all, destinations->count,
				sizeof(*destinations->all), compare_origin);
	return found ? found : &destinations->others;
}
