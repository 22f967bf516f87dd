/*
 * The options that make a service durable: its store, queue and ids, and what routes say about
 * transactions and keys. Without a store, those that need one are refused. The store itself is
 * behind inbox.h.
 */
#include "service/durable.h"

#include <string.h>

#include "base/options.h"

#define DEFAULT_QUEUE "default"
#define MAX_QUEUE_BYTES 63

static enum herald_status
refuse_without_store(struct herald__option option, struct herald_error *error)
{
	return herald__option_error(error, HERALD_BAD_OPTION, option,
				    "needs a store: set the service's option `store`");
}

/* Routes. */

/* The first member of a route that needs a store, or NULL. */
static const char *
durable_member(const struct herald_route *route)
{
	if (route->transaction != HERALD_TRANSACTION_NONE)
		return "transaction";
	if (route->key)
		return "key";
	return route->when_dead != HERALD_WHEN_DEAD_RELEASE ? "when_dead" : NULL;
}

static enum herald_status
check_route(const struct herald_service *service, size_t index, struct herald_error *error)
{
	const struct herald_route *route = &service->table.routes[index].declared;
	const char *member = durable_member(route);

	if (member && !service->inbox)
		return refuse_without_store((struct herald__option){"routes", index, member},
					    error);
	if ((unsigned)route->transaction > HERALD_TRANSACTION_JOIN)
		return herald__option_error(error, HERALD_BAD_OPTION,
					    (struct herald__option){"routes", index, "transaction"},
					    "not a valid transaction: %d", (int)route->transaction);
	if ((unsigned)route->when_dead > HERALD_WHEN_DEAD_HOLD)
		return herald__option_error(error, HERALD_BAD_OPTION,
					    (struct herald__option){"routes", index, "when_dead"},
					    "not a valid policy: %d", (int)route->when_dead);
	if (route->when_dead == HERALD_WHEN_DEAD_HOLD && !route->key)
		return herald__option_error(error, HERALD_BAD_OPTION,
					    (struct herald__option){"routes", index, "when_dead"},
					    "HERALD_WHEN_DEAD_HOLD needs a key");
	return HERALD_OK;
}

/* The service. */

static const char *
queue_problem(const char *queue)
{
	size_t bytes = strlen(queue);

	if (bytes == 0)
		return "the name is empty";
	if (bytes > MAX_QUEUE_BYTES)
		return "the name is longer than 63 characters";
	for (; *queue; queue++)
		if (*queue <= ' ' || *queue > '~')
			return "the name may hold visible ASCII characters only";
	return NULL;
}

static enum herald_status
set_queue(struct herald_service *service, const char *queue, struct herald_error *error)
{
	const char *problem = queue ? queue_problem(queue) : NULL;

	if (problem)
		return herald__option_error(error, HERALD_BAD_OPTION, HERALD__OPTION("queue"), "%s",
					    problem);
	return herald__arena_string(service->arena, queue ? queue : DEFAULT_QUEUE, &service->queue)
		       ? HERALD_OK
		       : herald_out_of_memory(error);
}

static enum herald_status
set_id_attributes(struct herald_service *service, const char *const *names,
		  struct herald_error *error)
{
	size_t count = 0;

	for (; names && names[count]; count++)
		if (*names[count] == '\0' || strchr(names[count], '*'))
			return herald__option_error(
				error, HERALD_BAD_OPTION,
				HERALD__OPTION_ELEMENT("id_attributes", count),
				"expected the name of an attribute, such as \"Idempotency-Key\"");
	if (count == 0)
		return HERALD_OK;
	service->id_attributes =
		herald__arena_array(service->arena, count + 1, sizeof(*service->id_attributes));
	for (size_t i = 0; service->id_attributes && i < count; i++)
		if (!herald__arena_string(service->arena, names[i], &service->id_attributes[i]))
			return herald_out_of_memory(error);
	return service->id_attributes ? HERALD_OK : herald_out_of_memory(error);
}

static enum herald_status
set_store(struct herald_service *service, const struct herald_service_options *options,
	  struct herald_error *error)
{
	if (!options->store && (options->queue || options->due_from))
		return refuse_without_store(HERALD__OPTION(options->queue ? "queue" : "due_from"),
					    error);
	if (options->keeps_bytes)
		service->keeps_bytes = service->keeps_always = true;
	if (!options->store)
		return HERALD_OK;
	service->inbox = (struct herald__inbox *)options->store; /* its first member */
	service->keeps_bytes = true;
	return set_queue(service, options->queue, error);
}

enum herald_status
herald__durable_init(struct herald_service *service, const struct herald_service_options *options,
		     struct herald_error *error)
{
	enum herald_status status = set_store(service, options, error);

	if (status == HERALD_OK)
		status = set_id_attributes(service, options->id_attributes, error);
	for (size_t i = 0; i < service->table.routes_count && status == HERALD_OK; i++)
		status = check_route(service, i, error);
	service->requires_id = options->requires_id;
	service->has_checks = service->requires_id || service->inbox || service->has_spans;
	return status;
}
