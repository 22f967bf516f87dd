/*
 * Fields of HTML forms: one is found by its name and decoded; the others are not looked at.
 */
#include "formats/webhook/form.h"

#include <string.h>

#include "base/arena.h"
#include "base/form_text.h"
#include "service/context.h"

/* The value of a field, still encoded. */
static enum herald_status
find_field(const char *form, size_t bytes, const char *name, struct herald_text *out,
	   struct herald_error *error)
{
	size_t name_bytes = strlen(name);
	const char *end = form + bytes;

	*out = (struct herald_text){NULL, 0};
	for (const char *at = form; at < end;) {
		struct herald__form_pair pair;
		const char *begin = at;

		at = herald__form_next(at, end, &pair);
		if (pair.name.bytes != name_bytes || memcmp(pair.name.data, name, name_bytes) != 0)
			continue;
		if (out->data)
			return herald_error_set(error, HERALD_DUPLICATE, (size_t)(begin - form),
						"the form has the field %s twice", name);
		*out = pair.value;
	}
	return out->data ? HERALD_OK
			 : herald_error_set(error, HERALD_MISSING, HERALD_NO_OFFSET,
					    "the form has no field %s", name);
}

enum herald_status
herald__form_field(const char *form, size_t bytes, const char *name, struct herald_context *ctx,
		   char **out, size_t *out_bytes, struct herald_error *error)
{
	struct herald_text value;
	enum herald_status status = find_field(form, bytes, name, &value, error);

	if (status != HERALD_OK)
		return status;
	char *copy = herald__arena_take(ctx->arena, value.bytes);
	if (!copy)
		return herald__context_arena_status(ctx, error);
	const char *bad;
	*out_bytes = herald__form_decode(value, copy, &bad);
	if (bad)
		return herald_error_set(error, HERALD_BAD_FORMAT, (size_t)(bad - form),
					"%% needs two hexadecimal digits");
	*out = copy;
	return HERALD_OK;
}
