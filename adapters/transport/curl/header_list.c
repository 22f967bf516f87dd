/*
 * Lists of headers. They own their nodes, but no texts except for the content type.
 */
#include "header_list.h"

#include <stdint.h>
#include <string.h>

/* Some versions of libcurl send "Expect: 100-continue" for larger bodies, 7.88 for bodies of more
 * than 1 MiB. */
#define EXPECTING_BYTES 1024

static const char content_type[] = "Content-Type: ";

/* Not const, because libcurl's list is not. */
static char no_expect[] = "Expect:";

void
herald__curl_headers_init(struct herald__curl_headers *list,
			  const struct herald_allocator *allocator)
{
	herald_buffer_init(&list->nodes, allocator, 0);
	herald_buffer_init(&list->content, allocator, 0);
}

void
herald__curl_headers_finish(struct herald__curl_headers *list)
{
	herald_buffer_finish(&list->nodes);
	herald_buffer_finish(&list->content);
}

/* One node for each header, because libcurl searches the names, for example for User-Agent. */
static enum herald_status
write_nodes(struct herald__curl_headers *list, const struct herald_attempt *attempt,
	    struct curl_slist **out)
{
	size_t count = attempt->headers_count;

	*out = NULL;
	if (count == 0)
		return HERALD_OK;
	list->nodes.bytes = 0;
	if (herald_buffer_reserve(&list->nodes, count * sizeof(struct curl_slist)) != HERALD_OK)
		return HERALD_NO_MEMORY;

	struct curl_slist *nodes = (struct curl_slist *)(void *)list->nodes.data;
	for (size_t i = 0; i < count; i++)
		nodes[i] = (struct curl_slist){(char *)(uintptr_t)attempt->headers[i],
					       i + 1 < count ? &nodes[i + 1] : NULL};
	*out = nodes;
	return HERALD_OK;
}

static void
put_first(struct curl_slist *node, const char *text, struct curl_slist **list)
{
	*node = (struct curl_slist){(char *)(uintptr_t)text, *list};
	*list = node;
}

static enum herald_status
write_content_type(struct herald__curl_headers *list, const char *type)
{
	list->content.bytes = 0;
	enum herald_status status =
		herald_buffer_append(&list->content, content_type, sizeof(content_type) - 1);
	return status == HERALD_OK ? herald_buffer_append(&list->content, type, strlen(type) + 1)
				   : status;
}

enum herald_status
herald__curl_headers_write(struct herald__curl_headers *list, const struct herald_attempt *attempt,
			   struct curl_slist **out)
{
	struct curl_slist *first;
	enum herald_status status = write_nodes(list, attempt, &first);

	if (status == HERALD_OK && attempt->content_type)
		status = write_content_type(list, attempt->content_type);
	if (status != HERALD_OK)
		return status;
	/* Disable Expect, with which libcurl would send a second request after a 417. */
	if (attempt->body_bytes >= EXPECTING_BYTES)
		put_first(&list->no_expect, no_expect, &first);
	if (attempt->content_type)
		put_first(&list->content_type, list->content.data, &first);
	/* All in one node: libcurl compares the name of each node with those it knows. */
	put_first(&list->own, attempt->own_headers, &first);
	*out = first;
	return HERALD_OK;
}
