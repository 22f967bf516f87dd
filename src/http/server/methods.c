/*
 * Lists of methods as in Allow: "GET, HEAD". Which methods a path has is in worker.c.
 */
#include "http/server/methods.h"

#include <string.h>

/* Take the first method of a list. Returns what follows it; NULL: there is none. */
static const char *
take_method(const char *list, struct herald_text *method)
{
	list += strspn(list, ", ");
	*method = (struct herald_text){list, strcspn(list, ", ")};
	return method->bytes > 0 ? list + method->bytes : NULL;
}

bool
herald__methods_have(const char *list, struct herald_text method)
{
	struct herald_text known;

	while ((list = take_method(list, &known)))
		if (known.bytes == method.bytes &&
		    memcmp(known.data, method.data, known.bytes) == 0)
			return true;
	return false;
}

const char *
herald__methods_add(struct herald_arena *arena, const char *list, const char *others)
{
	size_t bytes = strlen(list);
	char *all = herald_arena_alloc(arena, bytes + strlen(", ") + strlen(others) + 1);
	struct herald_text method;

	if (!all)
		return NULL;
	memcpy(all, list, bytes + 1);
	while ((others = take_method(others, &method))) {
		if (herald__methods_have(all, method))
			continue;
		if (bytes > 0) {
			memcpy(all + bytes, ", ", 2);
			bytes += 2;
		}
		memcpy(all + bytes, method.data, method.bytes);
		bytes += method.bytes;
		all[bytes] = '\0';
	}
	return all;
}
