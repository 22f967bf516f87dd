/*
 * Looking for what a service takes; lookup.h says what for. Reads the route table, which route.c
 * owns.
 */
#include "service/lookup.h"

#include <string.h>

#include <herald/adapter/text.h>

/* Types. */

static bool
is_declared(const struct herald__route_table *table, const char *event_type)
{
	for (size_t i = 0; i < table->types_count; i++)
		if (strcmp(table->types[i].event_type, event_type) == 0)
			return true;
	return false;
}

const char *
herald__lookup_type(const struct herald_service *service, const char *event_type)
{
	if (is_declared(&service->table, event_type))
		return event_type;
	return service->table.catch_all ? HERALD_ANY_TYPE : NULL;
}

/* Versions. */

static size_t
digits_of(const char *text)
{
	return strspn(text, "0123456789");
}

/* Compare the numbers that two texts begin with, and move both past them. */
static int
compare_numbers(const char **a, const char **b)
{
	*a += strspn(*a, "0");
	*b += strspn(*b, "0");
	const size_t a_bytes = digits_of(*a), b_bytes = digits_of(*b);
	const int order =
		a_bytes != b_bytes ? (a_bytes < b_bytes ? -1 : 1) : strncmp(*a, *b, a_bytes);

	*a += a_bytes;
	*b += b_bytes;
	return order;
}

/* Below 0 if the first one is the lower one. */
static int
compare_versions(const char *a, const char *b)
{
	while (*a != '\0' && *b != '\0') {
		if (digits_of(a) > 0 && digits_of(b) > 0) {
			const int order = compare_numbers(&a, &b);

			if (order != 0)
				return order;
		} else if (*a != *b) {
			break;
		} else {
			a++;
			b++;
		}
	}
	return (unsigned char)*a - (unsigned char)*b;
}

static const char *
version_of(const struct herald__route *route)
{
	return route->declared.version ? route->declared.version : "";
}

static struct herald__route *
newest(const struct herald__route_table *table, const char *event_type)
{
	struct herald__route *found = NULL;

	for (size_t i = 0; i < table->routes_count; i++) {
		struct herald__route *route = &table->routes[i];

		if (strcmp(route->declared.event_type, event_type) == 0 &&
		    (!found || compare_versions(version_of(route), version_of(found)) > 0))
			found = route;
	}
	return found;
}

struct herald__target
herald__lookup(const struct herald_service *service, const char *event_type, const char *version)
{
	const char *declared = herald__lookup_type(service, event_type);

	if (version)
		return herald__route_table_find(&service->table, event_type, version);
	if (!declared)
		return (struct herald__target){.status = HERALD_UNKNOWN_TYPE};
	return (struct herald__target){.route = newest(&service->table, declared)};
}

/* Saying what there is. */

/* Texts that are written one after the other. After an error nothing more is written. */
struct sentence {
	struct herald_buffer *out;
	enum herald_status status;
	bool has_item;
};

static void
put(struct sentence *sentence, const char *text)
{
	if (sentence->status == HERALD_OK)
		sentence->status = herald_buffer_append(sentence->out, text, strlen(text));
}

static void
put_quoted(struct sentence *sentence, const char *text)
{
	put(sentence, "\"");
	put(sentence, text);
	put(sentence, "\"");
}

static void
put_item(struct sentence *sentence, const char *text)
{
	put(sentence, sentence->has_item ? ", " : "; there are: ");
	put_quoted(sentence, text);
	sentence->has_item = true;
}

static void
put_no_version(struct sentence *sentence, const struct herald__route_table *table,
	       const char *event_type, const char *version)
{
	put(sentence, "there is no version ");
	put_quoted(sentence, version);
	put(sentence, " of ");
	put_quoted(sentence, event_type);
	for (size_t i = 0; i < table->versions_count; i++)
		if (strcmp(table->versions[i].event_type, event_type) == 0)
			put_item(sentence, table->versions[i].text);
}

enum herald_status
herald__lookup_explain(const struct herald_service *service, const char *event_type,
		       const char *version, struct herald_buffer *out)
{
	const struct herald__route_table *table = &service->table;
	struct sentence sentence = {.out = out};

	if (version && is_declared(table, event_type)) {
		put_no_version(&sentence, table, event_type, version);
		return sentence.status;
	}
	put(&sentence, "there is no event type ");
	put_quoted(&sentence, event_type);
	for (size_t i = 0; i < table->types_count; i++)
		put_item(&sentence, table->types[i].event_type);
	return sentence.status;
}
