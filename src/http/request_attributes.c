/*
 * The attributes of a request: the headers, and the arguments of its query, that the service lists.
 * They are copied when the request is created, into memory with a limit.
 */
#include "http/request_attributes.h"

#include <string.h>

#include <herald/adapter/text.h>

#include "base/arena.h"
#include "base/form_text.h"
#include "http/endpoint.h"
#include "http/response.h"
#include "service/format.h"
#include "service/service.h"

/* A head that is being kept. */
struct keeping {
	struct herald_http_request *request;
	bool failed; /* out of memory, or the limit is exceeded */
};

static bool
is_listed(const struct herald_http_request *request, const char *name)
{
	return herald__attribute_names_have(&request->endpoint->service->attributes, name);
}

/* Append an attribute. The copy of its value may be changed. Returns NULL if there is no memory. */
static char *
keep(struct herald_http_request *request, const char *name, struct herald_text value)
{
	struct herald_arena *arena = request->headers;
	struct herald__attribute *kept = herald_arena_alloc(arena, sizeof(*kept));

	if (!kept)
		return NULL;
	char *copy = herald_arena_copy(arena, value.data, value.bytes);
	*kept = (struct herald__attribute){
		.name = herald_arena_copy(arena, name, strlen(name)),
		.value = copy,
	};
	*request->attributes_end = kept;
	request->attributes_end = &kept->next;
	return kept->name ? copy : NULL;
}

/* The lines of NDJSON are many events, which have no header that says what one event is. */
static bool
is_for_lines(const struct herald_http_request *request, const char *name)
{
	return !herald__format_is_of_one_event(request->endpoint->service, name);
}

/* The herald_attribute_visitor of headers. */
static bool
keep_header(const char *name, const char *value, void *state)
{
	struct keeping *keeping = state;

	/* No argument may come as a header. */
	if (*name == HERALD__ARGUMENT_MARK || !is_listed(keeping->request, name))
		return true;
	if (keeping->request->is_lines && !is_for_lines(keeping->request, name))
		return true;
	keeping->failed = !keep(keeping->request, name,
				herald_http_trimmed(value ? value : "", value ? strlen(value) : 0));
	return !keeping->failed;
}

/* Arguments of the query. */

/* Write "?name", decoded. Returns false if it is too long, or holds a NUL. */
static bool
make_name(struct herald_text name, char out[HERALD__MAX_ARGUMENT_BYTES + 1])
{
	const char *bad;

	if (name.bytes >= HERALD__MAX_ARGUMENT_BYTES)
		return false;
	out[0] = HERALD__ARGUMENT_MARK;
	size_t bytes = 1 + herald__form_decode(name, out + 1, &bad);
	out[bytes] = '\0';
	return strlen(out) == bytes;
}

/* A value with a NUL is not kept, since it would be read as another one. */
static bool
keep_argument(struct keeping *keeping, const struct herald__form_pair *pair)
{
	struct herald_http_request *request = keeping->request;
	struct herald__attribute **end = request->attributes_end;
	char name[HERALD__MAX_ARGUMENT_BYTES + 1], *value;
	const char *bad;

	if (!make_name(pair->name, name) || !is_listed(request, name))
		return true;
	if (!(value = keep(request, name, pair->value))) {
		keeping->failed = true;
		return false;
	}
	/* In place: it does not grow. */
	size_t bytes = herald__form_decode(pair->value, value, &bad);
	value[bytes] = '\0';
	if (strlen(value) < bytes) {
		*end = NULL;
		request->attributes_end = end;
	}
	return true;
}

static void
keep_query(struct keeping *keeping, const char *query)
{
	const char *end = query + strlen(query);
	struct herald__form_pair pair;

	while (query < end) {
		query = herald__form_next(query, end, &pair);
		if (!keep_argument(keeping, &pair))
			return;
	}
}

/* The herald_attribute_visitor of arguments that the framework has decoded. */
static bool
keep_decoded(const char *name, const char *value, void *state)
{
	struct keeping *keeping = state;
	size_t bytes = strlen(name);
	char full[HERALD__MAX_ARGUMENT_BYTES + 1] = {HERALD__ARGUMENT_MARK};

	if (bytes >= HERALD__MAX_ARGUMENT_BYTES)
		return true;
	memcpy(full + 1, name, bytes + 1);
	if (!is_listed(keeping->request, full))
		return true;
	keeping->failed =
		!keep(keeping->request, full,
		      (struct herald_text){value ? value : "", value ? strlen(value) : 0});
	return !keeping->failed;
}

static void
keep_arguments(struct keeping *keeping, const struct herald_http_head *head)
{
	if (head->query)
		keep_query(keeping, head->query);
	else if (head->arguments_visit)
		head->arguments_visit(keep_decoded, keeping, head->state);
}

/* The head. */

/* Keep the media type, if the service stores it or tells formats apart by it. Returns false when
 * out of memory, or the limit is exceeded. */
static bool
keep_content_type(struct herald_http_request *request, const struct herald_http_head *head)
{
	if (!request->endpoint->service->keeps_content_type || !head->content_type)
		return true;
	request->content_type =
		herald_arena_copy(request->headers, head->content_type, strlen(head->content_type));
	return request->content_type;
}

bool
herald__request_needs_head(const struct herald_service *service,
			   const struct herald_http_head *head)
{
	return (head->headers_visit && service->attributes.count > 0) ||
	       service->keeps_content_type || service->attributes.has_arguments;
}

void
herald__request_keep_head(struct herald_http_request *request, const struct herald_http_head *head)
{
	const struct herald_service *service = request->endpoint->service;
	struct keeping keeping = {.request = request};
	size_t max_bytes = request->endpoint->max_headers_bytes;

	request->attributes_end = &request->attributes;
	if (request->headers ||
	    herald_arena_create(&service->allocator, max_bytes, &request->headers) == HERALD_OK)
		keeping.failed = !keep_content_type(request, head);
	else
		keeping.failed = true;
	if (!keeping.failed && head->headers_visit && service->attributes.count > 0)
		head->headers_visit(keep_header, &keeping, head->state);
	if (!keeping.failed && service->attributes.has_arguments)
		keep_arguments(&keeping, head);
	if (!keeping.failed)
		return;
	if (request->headers && herald__arena_over_limit(request->headers))
		herald__refuse(request, 431, "the headers are larger than %zu bytes", max_bytes);
	else
		herald__respond_retry(request, herald_status_text(HERALD_NO_MEMORY), 0);
}

/* Reading. */

const char *
herald__request_attribute(const char *name, void *state)
{
	const struct herald_http_request *request = state;

	for (const struct herald__attribute *kept = request->attributes; kept; kept = kept->next)
		if (herald_ascii_same(kept->name, name))
			return kept->value;
	return NULL;
}

void
herald__request_attributes_visit(herald_attribute_visitor *visit, void *visit_state, void *state)
{
	const struct herald_http_request *request = state;

	for (const struct herald__attribute *kept = request->attributes; kept; kept = kept->next)
		if (!visit(kept->name, kept->value, visit_state))
			return;
}
