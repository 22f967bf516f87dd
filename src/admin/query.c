/*
 * The query of a request to the dashboard: decodes its arguments into the members of a struct.
 * Knows no resource.
 */
#include "admin/query.h"

#include <inttypes.h>
#include <string.h>

#include <herald/adapter/text.h>

#include "admin/call.h"
#include "base/form_text.h"

/* With a NUL; NULL when out of memory. */
static char *
decoded(struct herald__admin_call *call, struct herald_text text)
{
	char *copy = herald_arena_alloc(call->arena, text.bytes + 1);
	const char *bad;

	if (copy)
		copy[herald__form_decode(text, copy, &bad)] = '\0';
	else
		call->json.status = HERALD_NO_MEMORY;
	return copy;
}

static bool
take_number(struct herald__admin_call *call, const struct herald__admin_argument *argument,
	    const char *text, void *out)
{
	uint64_t number;

	if (!herald_ascii_number(text, INT64_MAX, &number) || number < argument->min) {
		herald__admin_refuse(call, 400,
				     "%s: expected a number from %" PRIu64 ", not \"%s\"",
				     argument->name, argument->min, text);
		return false;
	}
	/* The members of both types have 64 bits. */
	memcpy(out, &number, sizeof(number));
	return true;
}

static bool
take_argument(struct herald__admin_call *call, const struct herald__admin_argument *arguments,
	      size_t count, const char *name, const char *value, void *out)
{
	for (size_t i = 0; i < count; i++) {
		char *member = (char *)out + arguments[i].offset;

		if (strcmp(arguments[i].name, name) != 0)
			continue;
		if (arguments[i].is_number)
			return take_number(call, &arguments[i], value, member);
		memcpy(member, &value, sizeof(value));
		return true;
	}
	herald__admin_refuse(call, 400, "there is no argument \"%s\"", name);
	return false;
}

bool
herald__admin_query_read(struct herald__admin_call *call,
			 const struct herald__admin_argument *arguments, size_t count, void *out)
{
	const char *query = call->request->query ? call->request->query : "";
	const char *at = query, *end = query + strlen(query);

	while (at < end) {
		struct herald__form_pair pair;

		at = herald__form_next(at, end, &pair);
		char *name = decoded(call, pair.name);
		char *value = name ? decoded(call, pair.value) : NULL;
		if (!value || !take_argument(call, arguments, count, name, value, out))
			return false;
	}
	return true;
}
