/*
 * Content codings of requests (RFC 9110 section 8.4): which ones an endpoint accepts, and the
 * decoding of a body. How a coding decodes belongs to the coding.
 */
#include "http/coding.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

#include "base/arena.h"
#include "base/options.h"
#include "service/service.h"

/* The endpoint's codings. */

static enum herald_status
refuse(struct herald_error *error, size_t index, const char *text)
{
	return herald__option_error(error, HERALD_BAD_OPTION,
				    (struct herald__option){"content_codings", index, NULL}, "%s",
				    text);
}

static bool
is_token(const char *name)
{
	return name[0] != '\0' && name[herald_http_token_bytes(name)] == '\0';
}

static enum herald_status
check(const struct herald_content_coding *const *codings, size_t index, struct herald_error *error)
{
	const struct herald_content_coding *coding = codings[index];

	if (!coding->name || !is_token(coding->name))
		return refuse(error, index, "must have a name that is a token, such as \"gzip\"");
	if (herald_ascii_same(coding->name, "identity"))
		return refuse(error, index, "identity is always accepted and needs no coding");
	if (!coding->create || !coding->decode || !coding->finish || !coding->destroy)
		return refuse(error, index, "must have all of its functions");
	for (size_t i = 0; i < index; i++)
		if (herald_ascii_same(codings[i]->name, coding->name))
			return refuse(error, index, "has the name of another coding in the list");
	return HERALD_OK;
}

/* "gzip, deflate": the value of Accept-Encoding. */
static const char *
list_names(struct herald_arena *arena, const struct herald_content_coding *const *codings,
	   size_t count)
{
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += strlen(codings[i]->name) + strlen(", ");
	char *text = herald_arena_alloc(arena, bytes + 1);
	char *at = text;
	for (size_t i = 0; text && i < count; i++)
		at += sprintf(at, "%s%s", i > 0 ? ", " : "", codings[i]->name);
	return text;
}

enum herald_status
herald__codings_copy(struct herald_endpoint *endpoint,
		     const struct herald_content_coding *const *codings, struct herald_error *error)
{
	size_t count = 0;

	endpoint->accept_encoding = "identity";
	if (!codings)
		return HERALD_OK;
	for (; codings[count]; count++) {
		enum herald_status status = check(codings, count, error);

		if (status != HERALD_OK)
			return status;
	}
	if (count == 0)
		return herald_option_refuse(error, "content_codings",
					    "the list is empty; NULL accepts no coding");
	endpoint->codings = herald__arena_array(endpoint->arena, count, sizeof(*endpoint->codings));
	endpoint->accept_encoding = list_names(endpoint->arena, codings, count);
	if (!endpoint->codings || !endpoint->accept_encoding)
		return herald_out_of_memory(error);
	memcpy(endpoint->codings, codings, count * sizeof(*codings));
	endpoint->codings_count = count;
	return HERALD_OK;
}

/* Content-Encoding. */

static bool
is_same(struct herald_text text, const char *wanted)
{
	return text.bytes == strlen(wanted) &&
	       herald_ascii_same_bytes(text.data, wanted, text.bytes);
}

static const struct herald_content_coding *
find(const struct herald_endpoint *endpoint, struct herald_text name)
{
	/* RFC 9110 section 8.4.1.3: the same. */
	if (is_same(name, "x-gzip"))
		name = (struct herald_text){name.data + 2, name.bytes - 2};
	for (size_t i = 0; i < endpoint->codings_count; i++)
		if (is_same(name, endpoint->codings[i]->name))
			return endpoint->codings[i];
	return NULL;
}

bool
herald__coding_find(const struct herald_endpoint *endpoint, const char *value,
		    const struct herald_content_coding **out)
{
	const struct herald_content_coding *found = NULL;

	/* Elements of a list may be empty (RFC 9110 section 5.6.1.2). */
	while (*value != '\0') {
		size_t bytes = strcspn(value, ",");
		struct herald_text name = herald_http_trimmed(value, bytes);

		value += bytes + (value[bytes] == ',');
		if (name.bytes == 0 || is_same(name, "identity"))
			continue;
		if (found)
			return false;
		found = find(endpoint, name);
		if (!found)
			return false;
	}
	*out = found;
	return true;
}

/* Decoding. */

/* The herald_coding_sink. */
static enum herald_status
add_decoded(const char *data, size_t bytes, void *state)
{
	struct herald_http_request *request = state;

	return herald_buffer_append(&request->body, data, bytes);
}

static enum herald_status
begin(struct herald_http_request *request)
{
	if (request->decoder)
		return HERALD_OK;
	return request->coding->create(&request->endpoint->service->allocator, &request->decoder);
}

enum herald_status
herald__coding_decode(struct herald_http_request *request, const char *data, size_t bytes,
		      struct herald_error *error)
{
	enum herald_status status = begin(request);

	if (status != HERALD_OK)
		return status;
	/* A body that never ends need not expand: the bytes that are received count, too. */
	request->coded_bytes += bytes;
	if (request->coded_bytes > request->endpoint->max_body_bytes)
		return HERALD_TOO_LARGE;
	return request->coding->decode(request->decoder, data, bytes, add_decoded, request, error);
}

enum herald_status
herald__coding_finish(struct herald_http_request *request, struct herald_error *error)
{
	enum herald_status status = begin(request);

	if (status == HERALD_OK)
		status = request->coding->finish(request->decoder, error);
	herald__coding_end(request);
	return status;
}

void
herald__coding_end(struct herald_http_request *request)
{
	if (request->decoder)
		request->coding->destroy(request->decoder);
	request->decoder = NULL;
}
