/*
 * What callers do with an event and with headers that they have.
 */
#include <string.h>

#include <herald/cloudevent.h>

const struct herald_cloudevent_extension *
herald_cloudevent_extension_find(const struct herald_cloudevent *event, const char *name)
{
	for (size_t i = 0; i < event->extensions_count; i++)
		if (strcmp(event->extensions[i].name, name) == 0)
			return &event->extensions[i];
	return NULL;
}

void
herald_cloudevent_headers_visit_array(herald_cloudevent_header_visitor *visit, void *visit_state,
				      void *state)
{
	const struct herald_cloudevent_headers *all = state;

	for (size_t i = 0; i < all->headers_count; i++)
		if (!visit(all->headers[i].name, all->headers[i].value, visit_state))
			return;
}
