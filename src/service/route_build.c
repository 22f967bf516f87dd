/*
 * Builds the route table: checks and copies every route and upcaster, sorts the versions so that
 * conflicting ones become neighbours, and finds for each upcaster the route at the end of its
 * chain. Takes as long as sorting. Lookup is in route.c.
 */
#include "service/route_build.h"

#include <stdlib.h>
#include <string.h>

#include "base/options.h"

/* The hash table counts types and versions in 32 bits. */
#define MAX_COUNT ((size_t)1 << 30)

static struct herald__option
route_option(size_t index, const char *member)
{
	return (struct herald__option){"routes", index, member};
}

static struct herald__option
upcaster_option(size_t index, const char *member)
{
	return (struct herald__option){"upcasters", index, member};
}

/* Versions. */

static bool
is_wildcard(const char *part, size_t bytes)
{
	return bytes == 1 && *part == 'x';
}

/*
 * The number of bytes of a version before its ".x", or the length of a version without one. Sets
 * *problem, a text, if it is neither a version nor a pattern.
 */
static size_t
prefix_bytes(const char *version, const char **problem)
{
	const char *part = version;

	*problem = NULL;
	if (strchr(version, '*'))
		*problem =
			"'*' is not a version pattern; \"1.x\" matches all that begin with \"1.\"";
	for (;;) {
		size_t bytes = strcspn(part, ".");
		bool last = part[bytes] == '\0';

		if (is_wildcard(part, bytes)) {
			/* The '.' before the wildcard is not part of the prefix. */
			size_t before = part == version ? 0 : (size_t)(part - version) - 1;

			if (!last || before == 0)
				*problem = "\"x\" must be the last part, as in \"1.x\"";
			return before;
		}
		if (last)
			return (size_t)(part - version) + bytes;
		part += bytes + 1;
	}
}

/* Set how a checked version is matched. NULL: any version. */
static void
classify(struct herald__version *entry, const char *version)
{
	const char *problem;

	entry->text = version ? version : "";
	entry->bytes = prefix_bytes(entry->text, &problem);
	entry->match = !version                             ? HERALD__MATCH_ANY
		       : entry->bytes < strlen(entry->text) ? HERALD__MATCH_PREFIX
							    : HERALD__MATCH_EXACT;
}

/* Checking routes and upcasters one by one. */

static enum herald_status
check_catch_all(const struct herald__route_table *table, const struct herald_route *route,
		size_t index, struct herald_error *error)
{
	if (route->version)
		return herald__option_error(error, HERALD_BAD_SCHEMA,
					    route_option(index, "version"),
					    "must be NULL: a route for \"*\" matches all versions");
	if (table->catch_all)
		return herald__option_error(error, HERALD_BAD_SCHEMA,
					    route_option(index, "event_type"),
					    "routes[%zu] is already a route for \"*\"",
					    (size_t)(table->catch_all - table->routes));
	return HERALD_OK;
}

static enum herald_status
check_route(const struct herald__route_table *table, const struct herald_route *route, size_t index,
	    struct herald_error *error)
{
	const char *member = NULL, *problem = NULL;

	if (!route->event_type || !*route->event_type) {
		member = "event_type";
		problem = "the event type is missing";
	} else if (!route->schema) {
		member = "schema";
		problem = "the payload's schema is missing";
	} else if (!route->function) {
		member = "function";
		problem = "the function is missing";
	} else if (route->version) {
		member = "version";
		prefix_bytes(route->version, &problem);
	}
	if (problem)
		return herald__option_error(error, HERALD_BAD_SCHEMA, route_option(index, member),
					    "%s", problem);

	enum herald_status status =
		herald__option_array_check(route_option(index, "handlers"), "HERALD_HANDLERS",
					   route->handlers, route->handlers_count, error);
	if (status != HERALD_OK)
		return status;
	if (strcmp(route->event_type, HERALD_ANY_TYPE) == 0)
		return check_catch_all(table, route, index, error);
	return HERALD_OK;
}

/* Copy a list of names that ends with NULL; the list may be NULL. Returns false when out of
 * memory. */
static bool
copy_names(struct herald_arena *arena, const char *const *names, const char *const **out)
{
	size_t count = 0;

	*out = NULL;
	if (!names)
		return true;
	while (names[count])
		count++;
	const char **copies = herald__arena_array(arena, count + 1, sizeof(*copies));
	if (!copies)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!herald__arena_string(arena, names[i], &copies[i]))
			return false;
	*out = copies;
	return true;
}

static bool
copy_route(struct herald__route *out, const struct herald_route *route, struct herald_arena *arena)
{
	struct herald_handler **handlers =
		herald__arena_array(arena, route->handlers_count, sizeof(*handlers));

	herald__counters_init(&out->counters);
	out->declared = *route;
	out->declared.handlers = handlers;
	if (!handlers ||
	    !herald__arena_string(arena, route->event_type, &out->declared.event_type) ||
	    !herald__arena_string(arena, route->version, &out->declared.version) ||
	    !copy_names(arena, route->attributes, &out->declared.attributes) ||
	    !herald__arena_string(arena, route->key, &out->declared.key) ||
	    !herald__arena_string(arena, route->doc, &out->declared.doc))
		return false;
	if (route->handlers_count > 0)
		memcpy(handlers, route->handlers, route->handlers_count * sizeof(*handlers));
	return true;
}

static enum herald_status
add_routes(struct herald__route_table *table, struct herald_arena *arena,
	   const struct herald_route *routes, struct herald_error *error)
{
	for (size_t i = 0; i < table->routes_count; i++) {
		enum herald_status status = check_route(table, &routes[i], i, error);

		if (status != HERALD_OK)
			return status;
		if (!copy_route(&table->routes[i], &routes[i], arena))
			return herald_out_of_memory(error);
		if (strcmp(routes[i].event_type, HERALD_ANY_TYPE) == 0)
			table->catch_all = &table->routes[i];
	}
	return HERALD_OK;
}

/* Returns why this is not a single version, or NULL. */
static const char *
version_problem(const char *version)
{
	const char *problem;

	if (!version)
		return "the version is missing";
	if (prefix_bytes(version, &problem) < strlen(version) || problem)
		return "expected one version, not a pattern";
	return NULL;
}

static enum herald_status
check_upcaster(const struct herald_upcaster *upcaster, size_t index, struct herald_error *error)
{
	const char *member = NULL, *problem = NULL;

	if (!upcaster->event_type || !*upcaster->event_type) {
		member = "event_type";
		problem = "the event type is missing";
	} else if (strcmp(upcaster->event_type, HERALD_ANY_TYPE) == 0) {
		member = "event_type";
		problem = "expected one event type, not \"*\"";
	} else if ((problem = version_problem(upcaster->from))) {
		member = "from";
	} else if ((problem = version_problem(upcaster->to))) {
		member = "to";
	} else if (strcmp(upcaster->from, upcaster->to) == 0) {
		member = "to";
		problem = "must differ from `from`";
	} else if (!upcaster->from_schema || !upcaster->to_schema) {
		member = upcaster->from_schema ? "to_schema" : "from_schema";
		problem = "the schema is missing";
	} else if (!upcaster->function) {
		member = "function";
		problem = "the function is missing";
	}
	if (!problem)
		return HERALD_OK;
	return herald__option_error(error, HERALD_BAD_SCHEMA, upcaster_option(index, member), "%s",
				    problem);
}

static enum herald_status
add_upcasters(struct herald__route_table *table, struct herald_arena *arena,
	      const struct herald_upcaster *upcasters, struct herald_error *error)
{
	for (size_t i = 0; i < table->upcasts_count; i++) {
		enum herald_status status = check_upcaster(&upcasters[i], i, error);
		struct herald_upcaster *copy = &table->upcasts[i].declared;

		if (status != HERALD_OK)
			return status;
		*copy = upcasters[i];
		herald__counters_init(&table->upcasts[i].counters);
		if (!herald__arena_string(arena, upcasters[i].event_type, &copy->event_type) ||
		    !herald__arena_string(arena, upcasters[i].from, &copy->from) ||
		    !herald__arena_string(arena, upcasters[i].to, &copy->to) ||
		    !herald__arena_string(arena, upcasters[i].name, &copy->name))
			return herald_out_of_memory(error);
	}
	return HERALD_OK;
}

/* Sorting the versions. */

/* The order of the table: by type, then the order in which versions are tried. 0: both take the
 * same events. */
static int
compare_matches(const struct herald__version *a, const struct herald__version *b)
{
	int order = strcmp(a->event_type, b->event_type);

	if (order != 0)
		return order;
	if (a->match != b->match)
		return a->match < b->match ? -1 : 1;
	if (a->match == HERALD__MATCH_PREFIX && a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	return strcmp(a->text, b->text);
}

static int
compare_versions(const void *a, const void *b)
{
	const struct herald__version *left = a, *right = b;
	int order = compare_matches(left, right);

	/* Keep conflicting ones in the order of the options, so that the later one is reported. */
	if (order == 0 && !left->upcast != !right->upcast)
		order = left->upcast ? 1 : -1;
	if (order == 0 && left->upcast)
		order = left->upcast < right->upcast ? -1 : left->upcast > right->upcast;
	else if (order == 0)
		order = left->route < right->route ? -1 : left->route > right->route;
	return order;
}

static void
add_versions(struct herald__route_table *table)
{
	for (size_t i = 0; i < table->routes_count; i++) {
		struct herald__route *route = &table->routes[i];

		if (route == table->catch_all)
			continue;
		struct herald__version *entry = &table->versions[table->versions_count++];
		classify(entry, route->declared.version);
		entry->event_type = route->declared.event_type;
		entry->route = route;
	}
	for (size_t i = 0; i < table->upcasts_count; i++) {
		struct herald__version *entry = &table->versions[table->versions_count++];

		classify(entry, table->upcasts[i].declared.from);
		entry->event_type = table->upcasts[i].declared.event_type;
		entry->upcast = &table->upcasts[i];
	}
	qsort(table->versions, table->versions_count, sizeof(*table->versions), compare_versions);
}

static enum herald_status
report_collision(const struct herald__route_table *table, const struct herald__version *first,
		 const struct herald__version *second, struct herald_error *error)
{
	if (!second->upcast)
		return herald__option_error(
			error, HERALD_BAD_SCHEMA,
			route_option((size_t)(second->route - table->routes), NULL),
			"routes[%zu] has the same event type and version",
			(size_t)(first->route - table->routes));

	bool is_route = !first->upcast;
	return herald__option_error(
		error, HERALD_BAD_SCHEMA,
		upcaster_option((size_t)(second->upcast - table->upcasts), "from"),
		"%s[%zu] already takes version \"%s\" of %s", is_route ? "routes" : "upcasters",
		is_route ? (size_t)(first->route - table->routes)
			 : (size_t)(first->upcast - table->upcasts),
		second->text, second->event_type);
}

static enum herald_status
check_collisions(const struct herald__route_table *table, struct herald_error *error)
{
	for (size_t i = 1; i < table->versions_count; i++)
		if (compare_matches(&table->versions[i - 1], &table->versions[i]) == 0)
			return report_collision(table, &table->versions[i - 1], &table->versions[i],
						error);
	return HERALD_OK;
}

/* Hashing the types. */

static void
add_type(struct herald__route_table *table, const struct herald__version *versions)
{
	struct herald__type *type = &table->types[table->types_count++];
	size_t slot = herald__type_hash(versions->event_type);

	type->event_type = versions->event_type;
	type->versions = versions;
	while (table->slots[slot & table->slots_mask] != 0)
		slot++;
	table->slots[slot & table->slots_mask] = (uint32_t)table->types_count;
}

static void
add_types(struct herald__route_table *table)
{
	for (size_t i = 0; i < table->versions_count; i++) {
		const struct herald__version *entry = &table->versions[i];

		if (i == 0 || strcmp(entry[-1].event_type, entry->event_type) != 0)
			add_type(table, entry);
		struct herald__type *type = &table->types[table->types_count - 1];
		type->versions_count++;
		type->exact_count += entry->match == HERALD__MATCH_EXACT;
	}
}

/* Linking the chains of upcasters. */

/*
 * Two schemas are the same only if they are the same object, because two structs may have the same
 * name and size. HERALD_SCHEMA in a header creates an object in each file that includes it.
 */
static enum herald_status
report_schemas(const struct herald_schema *made, const struct herald_schema *taken,
	       struct herald__option option, struct herald_error *error)
{
	if (made->name && taken->name && strcmp(made->name, taken->name) == 0)
		return herald__option_error(
			error, HERALD_BAD_SCHEMA, option,
			"the next step takes struct %s, but by another schema; if both are the "
			"same struct, use HERALD_SCHEMA_DECLARE in the header and "
			"HERALD_SCHEMA_DEFINE in one file",
			made->name);
	return herald__option_error(error, HERALD_BAD_SCHEMA, option,
				    "the next step takes struct %s, not struct %s",
				    taken->name ? taken->name : "?", made->name ? made->name : "?");
}

/* Find what takes the version that an upcaster creates, and check that the structs match. */
static enum herald_status
link_upcast(struct herald__route_table *table, size_t index, struct herald_error *error)
{
	struct herald__upcast *upcast = &table->upcasts[index];
	const struct herald_upcaster *declared = &upcast->declared;
	const struct herald__version *target =
		herald__route_table_version(table, declared->event_type, declared->to);

	if (!target)
		return herald__option_error(error, HERALD_BAD_SCHEMA, upcaster_option(index, "to"),
					    "no route for version \"%s\" of %s", declared->to,
					    declared->event_type);

	const struct herald_schema *taken = target->upcast ? target->upcast->declared.from_schema
							   : target->route->declared.schema;
	if (declared->to_schema != taken)
		return report_schemas(declared->to_schema, taken,
				      upcaster_option(index, "to_schema"), error);
	upcast->next = target->upcast;
	upcast->route = target->upcast ? NULL : target->route;
	return HERALD_OK;
}

/* Set the route of every upcaster in a chain. A chain ends at a route or returns to itself. */
static enum herald_status
resolve_chain(struct herald__route_table *table, size_t index, struct herald_error *error)
{
	struct herald__upcast *first = &table->upcasts[index], *last = first;

	while (!last->route) {
		if (last->walk == index + 1)
			return herald__option_error(
				error, HERALD_BAD_SCHEMA, upcaster_option(index, NULL),
				"the upcasters from version \"%s\" of %s go in "
				"a circle",
				first->declared.from, first->declared.event_type);
		last->walk = index + 1;
		last = &table->upcasts[last->next - table->upcasts];
	}
	for (struct herald__upcast *each = first; !each->route;
	     each = &table->upcasts[each->next - table->upcasts])
		each->route = last->route;
	return HERALD_OK;
}

static enum herald_status
link_upcasters(struct herald__route_table *table, struct herald_error *error)
{
	enum herald_status status = HERALD_OK;

	for (size_t i = 0; status == HERALD_OK && i < table->upcasts_count; i++)
		status = link_upcast(table, i, error);
	for (size_t i = 0; status == HERALD_OK && i < table->upcasts_count; i++)
		status = resolve_chain(table, i, error);
	for (size_t i = 0; status == HERALD_OK && i < table->versions_count; i++)
		if (table->versions[i].upcast)
			table->versions[i].route = table->versions[i].upcast->route;
	return status;
}

/* Building the whole table. */

static enum herald_status
check_arrays(const struct herald_route *routes, size_t routes_count,
	     const struct herald_upcaster *upcasters, size_t upcasters_count,
	     struct herald_error *error)
{
	const struct {
		const char *list, *macro;
		const void *array;
		size_t count;
	} arrays[] = {
		{"routes", "HERALD_ROUTES", routes, routes_count},
		{"upcasters", "HERALD_UPCASTERS", upcasters, upcasters_count},
	};

	for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
		struct herald__option option = {arrays[i].list, HERALD__NO_INDEX, NULL};
		enum herald_status status = herald__option_array_check(
			option, arrays[i].macro, arrays[i].array, arrays[i].count, error);

		if (status != HERALD_OK)
			return status;
		if (arrays[i].count > MAX_COUNT)
			return herald__option_error(error, HERALD_BAD_OPTION, option,
						    "must have at most %zu elements, not %zu",
						    (size_t)MAX_COUNT, arrays[i].count);
	}
	return HERALD_OK;
}

static bool
allocate(struct herald__route_table *table, struct herald_arena *arena)
{
	size_t count = table->routes_count + table->upcasts_count;
	size_t slots_count = 2;

	while (slots_count < 2 * count + 1)
		slots_count *= 2;
	table->slots_mask = slots_count - 1;
	table->routes = herald__arena_array(arena, table->routes_count, sizeof(*table->routes));
	table->upcasts = herald__arena_array(arena, table->upcasts_count, sizeof(*table->upcasts));
	table->versions = herald__arena_array(arena, count, sizeof(*table->versions));
	table->types = herald__arena_array(arena, count, sizeof(*table->types));
	table->slots = herald__arena_array(arena, slots_count, sizeof(*table->slots));
	return table->routes && table->upcasts && table->versions && table->types && table->slots;
}

enum herald_status
herald__route_table_init(struct herald__route_table *table, struct herald_arena *arena,
			 const struct herald_route *routes, size_t routes_count,
			 const struct herald_upcaster *upcasters, size_t upcasters_count,
			 struct herald_error *error)
{
	enum herald_status status =
		check_arrays(routes, routes_count, upcasters, upcasters_count, error);

	if (status != HERALD_OK)
		return status;
	*table = (struct herald__route_table){.routes_count = routes_count,
					      .upcasts_count = upcasters_count};
	if (!allocate(table, arena))
		return herald_out_of_memory(error);

	status = add_routes(table, arena, routes, error);
	if (status == HERALD_OK)
		status = add_upcasters(table, arena, upcasters, error);
	if (status != HERALD_OK)
		return status;
	add_versions(table);
	add_types(table);
	status = check_collisions(table, error);
	if (status == HERALD_OK)
		status = link_upcasters(table, error);
	return status;
}
