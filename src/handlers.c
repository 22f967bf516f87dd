/*
 * The handlers of a service: checked, each noted once whatever number of routes share it, and
 * destroyed. What they do to an event is steps.c's.
 */
#include "handlers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/adapter/text.h>

#include "options.h"

const char *
herald__handler_name(const struct herald_handler *handler)
{
	return handler->ops->name ? handler->ops->name : "unnamed";
}

static const char *
handler_problem(const struct herald_handler *handler)
{
	if (!handler)
		return "the handler is NULL";
	if (!handler->ops)
		return "the handler has no ops";
	if (handler->ops->struct_size < sizeof(struct herald_handler_ops))
		return "ops->struct_size is not sizeof(struct herald_handler_ops)";
	return NULL;
}

/* What the handler itself says of the service. */
static enum herald_status
ask_handler(const struct herald_service *service, struct herald_handler *handler,
	    struct herald__option option, struct herald_error *error)
{
	struct herald_error own = {.message = ""};

	if (!handler->ops->check)
		return HERALD_OK;

	enum herald_status status = handler->ops->check(handler, service->envelope, &own);
	if (status == HERALD_OK)
		return HERALD_OK;
	return herald__option_error(error, status, option, "%s: %s", herald__handler_name(handler),
				    own.message[0] != '\0' ? own.message
							   : herald_status_text(status));
}

enum herald_status
herald__handlers_add(struct herald_service *service, const struct herald_service_options *options,
		     struct herald_error *error)
{
	size_t count = options->handlers_count;

	service->handlers = herald__arena_array(service->arena, count, sizeof(*service->handlers));
	if (!service->handlers)
		return herald__out_of_memory(error);
	for (size_t i = 0; i < count; i++) {
		const struct herald__option option = {"handlers", i, NULL};
		struct herald_handler *handler = options->handlers[i];
		const char *problem = handler_problem(handler);

		if (!problem && handler->ops->decode && service->decoder)
			problem = "an earlier handler has `decode` already";
		if (problem)
			return herald__option_error(error, HERALD_BAD_OPTION, option, "%s",
						    problem);

		enum herald_status status = ask_handler(service, handler, option, error);
		if (status != HERALD_OK)
			return status;
		if (handler->ops->decode)
			service->decoder = handler;
		if (handler->ops->receive)
			service->receives = true;
		service->handlers[i] = handler;
	}
	service->handlers_count = count;
	return HERALD_OK;
}

static const char *
route_handler_problem(const struct herald_handler *handler)
{
	const char *problem = handler_problem(handler);

	if (problem)
		return problem;
	if (handler->ops->decode)
		return "a route's handler cannot have `decode`: it comes before the route is known";
	if (handler->ops->receive)
		return "a route's handler cannot have `receive`: it comes before the route is "
		       "known";
	return NULL;
}

static enum herald_status
check_route_handler(const struct herald_service *service, size_t route, size_t index,
		    struct herald_error *error)
{
	struct herald_handler *handler = service->table.routes[route].declared.handlers[index];
	const char *problem = route_handler_problem(handler);
	char list[48];

	snprintf(list, sizeof(list), "routes[%zu].handlers", route);
	const struct herald__option option = {list, index, NULL};
	if (problem)
		return herald__option_error(error, HERALD_BAD_OPTION, option, "%s", problem);
	return ask_handler(service, handler, option, error);
}

static enum herald_status
check_route_handlers(const struct herald_service *service, struct herald_error *error)
{
	enum herald_status status = HERALD_OK;

	for (size_t i = 0; i < service->table.routes_count && status == HERALD_OK; i++)
		for (size_t j = 0;
		     j < service->table.routes[i].declared.handlers_count && status == HERALD_OK;
		     j++)
			status = check_route_handler(service, i, j, error);
	return status;
}

/* A handler and when it was named. */
struct mention {
	struct herald_handler *handler;
	size_t order;
};

static int
compare_by_handler(const void *a, const void *b)
{
	const struct mention *left = a, *right = b;

	if (left->handler != right->handler)
		return (uintptr_t)left->handler < (uintptr_t)right->handler ? -1 : 1;
	return left->order < right->order ? -1 : left->order > right->order;
}

static int
compare_by_order(const void *a, const void *b)
{
	const struct mention *left = a, *right = b;

	return left->order < right->order ? -1 : left->order > right->order;
}

static size_t
list_mentions(const struct herald_service *service, struct mention *mentions)
{
	size_t count = 0;

	for (; count < service->handlers_count; count++)
		mentions[count] = (struct mention){service->handlers[count], count};
	for (size_t i = 0; i < service->table.routes_count; i++) {
		const struct herald_route *route = &service->table.routes[i].declared;

		for (size_t j = 0; j < route->handlers_count; j++, count++)
			mentions[count] = (struct mention){route->handlers[j], count};
	}
	return count;
}

/* Note each handler once, whatever number of routes share it, in the order they are named. */
static enum herald_status
collect_owned(struct herald_service *service, struct herald_error *error)
{
	size_t count = service->handlers_count, kept = 0;

	service->slots_count = service->handlers_count;
	for (size_t i = 0; i < service->table.routes_count; i++) {
		size_t own = service->table.routes[i].declared.handlers_count;

		count += own;
		if (service->slots_count < service->handlers_count + own)
			service->slots_count = service->handlers_count + own;
	}

	struct mention *mentions = herald__arena_array(service->arena, count, sizeof(*mentions));
	service->owned = herald__arena_array(service->arena, count, sizeof(*service->owned));
	if (!mentions || !service->owned)
		return herald__out_of_memory(error);

	list_mentions(service, mentions);
	qsort(mentions, count, sizeof(*mentions), compare_by_handler);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || mentions[i].handler != mentions[kept - 1].handler)
			mentions[kept++] = mentions[i];
	qsort(mentions, kept, sizeof(*mentions), compare_by_order);
	for (size_t i = 0; i < kept; i++) {
		service->owned[i] = mentions[i].handler;
		service->keeps_bytes |= mentions[i].handler->ops->rejected != NULL;
	}
	service->owned_count = kept;
	return HERALD_OK;
}

/* Attributes. */

static bool
is_listed(const struct herald_service *service, const char *name)
{
	for (size_t i = 0; i < service->attributes_count; i++)
		if (herald_ascii_same(service->attributes[i], name))
			return true;
	return false;
}

static size_t
count_attributes(const struct herald_handler *handler)
{
	size_t count = 0;

	if (handler->ops->attributes)
		while (handler->ops->attributes[count])
			count++;
	return count;
}

/* The names of all attributes that some handler reads, each once. */
static enum herald_status
collect_attributes(struct herald_service *service, struct herald_error *error)
{
	size_t most = 0;

	for (size_t i = 0; i < service->owned_count; i++)
		most += count_attributes(service->owned[i]);
	service->attributes =
		herald__arena_array(service->arena, most, sizeof(*service->attributes));
	if (!service->attributes)
		return herald__out_of_memory(error);
	for (size_t i = 0; i < service->owned_count; i++) {
		size_t count = count_attributes(service->owned[i]);

		for (size_t j = 0; j < count; j++) {
			const char *name = service->owned[i]->ops->attributes[j];

			if (!is_listed(service, name))
				service->attributes[service->attributes_count++] = name;
		}
	}
	return HERALD_OK;
}

/* All of it. */

enum herald_status
herald__handlers_collect(struct herald_service *service, struct herald_error *error)
{
	enum herald_status status = check_route_handlers(service, error);

	if (status == HERALD_OK)
		status = collect_owned(service, error);
	if (status == HERALD_OK)
		status = collect_attributes(service, error);
	return status;
}

/* The last one of a list that has `again`, or NULL. */
static struct herald_handler *
last_with_again(struct herald_handler *const *handlers, size_t count)
{
	for (; count > 0; count--)
		if (handlers[count - 1]->ops->again)
			return handlers[count - 1];
	return NULL;
}

struct herald_handler *
herald__handlers_again(const struct herald_service *service, const struct herald_route *route)
{
	struct herald_handler *own = last_with_again(route->handlers, route->handlers_count);

	return own ? own : last_with_again(service->handlers, service->handlers_count);
}

void
herald__handlers_destroy(struct herald_service *service)
{
	/* The last one named first, as in `after`: it may use what an earlier one still holds. */
	for (size_t i = service->owned_count; i > 0; i--) {
		struct herald_handler *handler = service->owned[i - 1];

		if (handler->ops->destroy)
			handler->ops->destroy(handler);
	}
}
