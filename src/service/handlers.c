/*
 * The handlers of a service: checks them, takes ownership of each once, however many routes share
 * it, and destroys them. They are called in invoke.c.
 */
#include "service/handlers.h"

#include <stdio.h>
#include <string.h>

#include "base/options.h"

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
		return "ops->struct_size must be sizeof(struct herald_handler_ops)";
	return NULL;
}

enum herald_status
herald__handlers_add(struct herald_service *service, const struct herald_service_options *options,
		     struct herald_error *error)
{
	size_t count = options->handlers_count;

	service->handlers = herald__arena_array(service->arena, count, sizeof(*service->handlers));
	if (!service->handlers)
		return herald_out_of_memory(error);
	for (size_t i = 0; i < count; i++) {
		const struct herald__option option = {"handlers", i, NULL};
		struct herald_handler *handler = options->handlers[i];
		const char *problem = handler_problem(handler);

		if (problem)
			return herald__option_error(error, HERALD_BAD_OPTION, option, "%s",
						    problem);
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
	if (handler->ops->receive)
		return "a route's handler cannot have `receive`: it runs before the route is "
		       "known";
	return NULL;
}

/* Called for each handler; `option` names the place where it is listed. */
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
 * Make the service the owner of the handler. If two threads create services with the same handler,
 * only one of them gets it.
 */
static enum herald_status
take_handler(struct herald_service *service, struct herald_handler *handler,
	     struct herald__option option, struct herald_error *error)
{
	struct herald_service *owner = NULL;

	if (__atomic_compare_exchange_n(&handler->service, &owner, service, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE)) {
		service->owned[service->owned_count++] = handler;
		if (handler->ops->rejected)
			service->keeps_bytes = service->has_rejected = true;
		if (handler->ops->dead)
			service->has_dead = true;
		return HERALD_OK;
	}
	if (owner == service) /* listed before */
		return HERALD_OK;
	return herald__option_error(error, HERALD_BAD_OPTION, option,
				    "%s already belongs to another service, or its member "
				    "`service` was not initialised to NULL",
				    herald__handler_name(handler));
}

/* Let the handler check the service. */
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

/* Allocate the list of all handlers, and count the slots that an event needs. */
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
	return service->owned ? HERALD_OK : herald_out_of_memory(error);
}

/* Adding and removing all handlers. */

enum herald_status
herald__handlers_collect(struct herald_service *service, struct herald_error *error)
{
	enum herald_status status = visit_routes(service, check_route_handler, error);

	if (status == HERALD_OK)
		status = make_room(service, error);
	/* Take ownership before calling `check`, which may write to the handler: another service
	 * may own it. */
	if (status == HERALD_OK)
		status = visit_all(service, take_handler, error);
	if (status == HERALD_OK)
		status = visit_all(service, ask_handler, error);
	return status;
}

/* The last handler of a list that has `again`, or NULL. */
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
herald_handler_destroy(struct herald_handler *handler)
{
	if (handler && handler->ops->destroy)
		handler->ops->destroy(handler);
}

void
herald__handlers_destroy(struct herald_service *service)
{
	/* In reverse order, as for `after`: a handler may use what an earlier one still has. */
	for (size_t i = service->owned_count; i > 0; i--) {
		struct herald_handler *handler = service->owned[i - 1];

		give_back(handler);
		herald_handler_destroy(handler);
	}
}
