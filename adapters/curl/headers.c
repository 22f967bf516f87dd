/*
 * Users' headers: which are refused, and which go to whom. A header that is meant for one destination is
 * sent to its origin alone: scheme, host and port as they are, and no others that look alike.
 */
#include "headers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/adapter/text.h>

#define MAX_BYTES 4096

/* RFC 9110 section 5.6.2 */
static size_t
name_bytes(const char *header)
{
	return strspn(header, "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			      "abcdefghijklmnopqrstuvwxyz");
}

static bool
has_name(const char *header, const char *const *names, size_t count)
{
	size_t bytes = name_bytes(header);

	for (size_t i = 0; i < count; i++)
		if (bytes == strlen(names[i]) && herald_ascii_same_bytes(header, names[i], bytes))
			return true;
	return false;
}

static bool
has_control_byte(const char *value)
{
	for (; *value; value++)
		if (((unsigned char)*value < ' ' && *value != '\t') || *value == 0x7f)
			return true;
	return false;
}

const char *
herald__header_problem(const char *header)
{
	/* They say where a request ends, and who speaks with whom: libcurl's, or a proxy's. */
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
	static const char *const content_type[] = {"Content-Type"};

	if (!header)
		return "is NULL";
	if (strlen(header) > MAX_BYTES)
		return "has more than 4096 bytes";

	size_t bytes = name_bytes(header);
	if (bytes == 0 || header[bytes] != ':')
		return "does not begin with a name of letters, digits and -, and a colon";
	if (bytes >= 7 && herald_ascii_same_bytes(header, "Herald-", 7))
		return "has a name that begins with Herald-, as those do that are sent anyway";
	if (has_name(header, content_type, 1))
		return "is the content type, which goes with a body: see content_type";
	if (has_name(header, taken, sizeof(taken) / sizeof(taken[0])))
		return "is one of those that the connection decides about";

	const char *value = header + bytes + 1;
	if (has_control_byte(value))
		return "has a control character in its value";
	return value[strspn(value, " \t")] == '\0' ? "has no value" : NULL;
}

bool
herald__header_is_secret(const char *header)
{
	static const char *const secret[] = {"Api-Key", "Authorization", "Cookie", "X-Api-Key",
					     "X-Auth-Token"};

	return has_name(header, secret, sizeof(secret) / sizeof(secret[0]));
}

bool
herald__header_is_same(const char *a, const char *b)
{
	size_t bytes = name_bytes(a);

	return bytes == name_bytes(b) && herald_ascii_same_bytes(a, b, bytes);
}

/* Destinations. */

static bool
is_in(const struct curl_slist *list, const char *header)
{
	for (; list; list = list->next)
		if (herald__header_is_same(list->data, header))
			return true;
	return false;
}

/* Copies in the arena. */
static enum herald_status
copy_list(const char *const *headers, size_t count, struct herald_arena *arena,
	  struct curl_slist **out)
{
	struct curl_slist *first = NULL, **end = &first;

	for (size_t i = 0; i < count; i++) {
		struct curl_slist *node = herald_arena_alloc(arena, sizeof(*node));

		if (!node)
			return HERALD_NO_MEMORY;
		node->data = herald_arena_copy(arena, headers[i], strlen(headers[i]));
		if (!node->data)
			return HERALD_NO_MEMORY;
		*end = node;
		end = &node->next;
	}
	*end = NULL;
	*out = first;
	return HERALD_OK;
}

/* Its own, and behind them those for all whose names it does not have. */
static enum herald_status
merge(const struct herald_destination *given, const struct herald_deliverer_options *options,
      struct herald_arena *arena, struct curl_slist **out)
{
	const char *others[HERALD__MAX_HEADERS];
	struct curl_slist *own = NULL, *more = NULL;
	size_t count = 0;
	enum herald_status status = copy_list(given->headers, given->headers_count, arena, &own);

	if (status != HERALD_OK)
		return status;
	for (size_t i = 0; i < options->headers_count; i++)
		if (!is_in(own, options->headers[i]))
			others[count++] = options->headers[i];
	status = copy_list(others, count, arena, &more);
	*out = own;

	struct curl_slist **end = out;
	while (*end)
		end = &(*end)->next;
	*end = more;
	return status;
}

static enum herald_status
read_origin(const char *text, const struct herald__url_rules *rules, char *out,
	    struct herald_error *error)
{
	const char *host = text ? strstr(text, "://") : NULL;

	if (!host || host[3 + strcspn(host + 3, "/?#@\\")] != '\0')
		return herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET,
					"expected a scheme, a host and perhaps a port, and no "
					"more, such as \"https://example.com:8443\"");
	return herald__url_check(rules, text, out, NULL, error);
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
	herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET, "destinations[%zu].origin: %s",
			 index, message);
	if (error)
		snprintf(error->path, sizeof(error->path), "destinations[%zu].origin", index);
	return HERALD_BAD_OPTION;
}

/* Two of one origin would leave it open which of them counts. */
static bool
is_duplicate(const struct herald__destinations *before, const char *origin)
{
	for (size_t i = 0; i < before->count; i++)
		if (strcmp(before->all[i].origin, origin) == 0)
			return true;
	return false;
}

/* The next one of the options', at the end of *out. */
static enum herald_status
add_destination(const struct herald_deliverer_options *options,
		const struct herald__url_rules *rules, struct herald_arena *arena,
		struct herald__destinations *out, struct herald_error *error)
{
	const struct herald_destination *given = &options->destinations[out->count];
	struct herald__destination *destination = &out->all[out->count];
	struct herald_error reason;
	enum herald_status status = read_origin(given->origin, rules, destination->origin, &reason);

	if (status == HERALD_NO_MEMORY)
		return status;
	if (status != HERALD_OK)
		return refuse(error, out->count, reason.message);
	if (is_duplicate(out, destination->origin))
		return refuse(error, out->count, "an element before it has the same one");
	status = merge(given, options, arena, &destination->headers);
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
	enum herald_status status =
		copy_list(options->headers, options->headers_count, arena, &out->headers);

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

struct curl_slist *
herald__destinations_find(const struct herald__destinations *destinations, const char *origin)
{
	const struct herald__destination *found = NULL;

	if (destinations->count > 0)
		found = bsearch(origin, destinations->all, destinations->count,
				sizeof(*destinations->all), compare_origin);
	return found ? found->headers : destinations->headers;
}
