/*
 * The handlers of a service: checked, each taken over once whatever number of routes share it, and
 * destroyed. What they do to an event is steps.c's.
 */
#include "handlers.h"

#include <stdio.h>
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

/* What is done with each handler, and where it is listed. */
typedef enum herald_status
visit_function(struct herald_service *service, struct herald_handler *handler,
	       struct herald__option option, struct herald_error *error);

static enum herald_status
check_route_handler(struct herald_service *service, struct herald_handler *handler,
		    struct herald__option option, struct herald_error *error)
{
	const char *problem = route_handler_problem(handler);

	(void)service;
	return problem ? herald__option_error(error, HERALD_BAD_OPTION, option, "%s", problem)
		       : HERALD_OK;
}

/*
 * Make the service the handler's owner. Two threads may create two services with one handler: one of
 * them gets it.
 */
static enum herald_status
take_handler(struct herald_service *service, struct herald_handler *handler,
	     struct herald__option option, struct herald_error *error)
{
	struct herald_service *owner = NULL;

	if (__atomic_compare_exchange_n(&handler->service, &owner, service, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE)) {
		service->owned[service->owned_count++] = handler;
		service->keeps_bytes |= handler->ops->rejected != NULL;
		return HERALD_OK;
	}
	if (owner == service) /* it is listed before */
		return HERALD_OK;
	return herald__option_error(error, HERALD_BAD_OPTION, option,
				    "%s belongs to another service already, or its member "
				    "`service` was not NULL at first",
				    herald__handler_name(handler));
}

/* What the handler itself says of the service. */
static enum herald_status
ask_handler(struct herald_service *service, struct herald_handler *handler,
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

static enum herald_status
visit_list(struct herald_service *service, const char *list, struct herald_handler *const *handlers,
	   size_t count, visit_function *visit, struct herald_error *error)
{
	enum herald_status status = HERALD_OK;

	for (size_t i = 0; i < count && status == HERALD_OK; i++)
		status = visit(service, handlers[i], (struct herald__option){list, i, NULL}, error);
	return status;
}

static enum herald_status
visit_routes(struct herald_service *service, visit_function *visit, struct herald_error *error)
{
	enum herald_status status = HERALD_OK;

	for (size_t i = 0; i < service->table.routes_count && status == HERALD_OK; i++) {
		const struct herald_route *route = &service->table.routes[i].declared;
		char list[48];

		snprintf(list, sizeof(list), "routes[%zu].handlers", i);
		status = visit_list(service, list, route->handlers, route->handlers_count, visit,
				    error);
	}
	return status;
}

static enum herald_status
visit_all(struct herald_service *service, visit_function *visit, struct herald_error *error)
{
	enum herald_status status = visit_list(service, "handlers", service->handlers,
					       service->handlers_count, visit, error);

	return status == HERALD_OK ? visit_routes(service, visit, error) : status;
}

/* Room for all handlers, and the number of slots that an event needs. */
static enum herald_status
make_room(struct herald_service *service, struct herald_error *error)
{
	size_t count = service->handlers_count;

	service->slots_count = service->handlers_count;
	for (size_t i = 0; i < service->table.routes_count; i++) {
		size_t own = service->table.routes[i].declared.handlers_count;

		count += own;
		if (service->slots_count < service->handlers_count + own)
			service->slots_count = service->handlers_count + own;
	}
	service->owned = herald__arena_array(service->arena, count, sizeof(*service->owned));
	return service->owned ? HERALD_OK : herald__out_of_memory(error);
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
	enum herald_status status = visit_routes(service, check_route_handler, error);

	if (status == HERALD_OK)
		status = make_room(service, error);
	/* One that another service owns is not asked: its `check` may write to it. */
	if (status == HERALD_OK)
		status = visit_all(service, take_handler, error);
	if (status == HERALD_OK)
		status = visit_all(service, ask_handler, error);
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

static void
give_back(struct herald_handler *handler)
{
	__atomic_store_n(&handler->service, NULL, __ATOMIC_RELEASE);
}

void
herald__handlers_release(struct herald_service *service)
{
	for (size_t i = 0; i < service->owned_count; i++)
		give_back(service->owned[i]);
}

void
herald__handlers_destroy(struct herald_service *service)
{
	/* The last one named first, as in `after`: it may use what an earlier one still holds. */
	for (size_t i = service->owned_count; i > 0; i--) {
		struct herald_handler *handler = service->owned[i - 1];

		give_back(handler);
		if (handler->ops->destroy)
			handler->ops->destroy(handler);
	}
}
